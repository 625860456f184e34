"""What a message is: the same few values whichever channel carried it.

An inbound message keeps the provider's bytes beside the normalised parts, so nothing is lost by normalising.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class PartKind(StrEnum):
    """The kinds of content a message is made of (GB/T 44189 6.2.1)."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    VOICE = "voice"
    FILE = "file"
    PLACE = "place"
    LINK = "link"
    EVENT = "event"


MEDIA_KINDS = frozenset({PartKind.IMAGE, PartKind.VIDEO, PartKind.VOICE, PartKind.FILE})


class EventKind(StrEnum):
    """What a person did without writing; ``key`` of the part carries the menu key or scene."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    CLICK = "click"
    VIEW = "view"
    SCAN = "scan"
    OTHER = "other"


class SourceChannel(StrEnum):
    """来源渠道, the codes of domain.md 2.2; from APP on, what partners bring."""

    PHONE = "01"
    SMS = "02"
    EMAIL = "03"
    WEB = "04"
    WECHAT = "05"
    MINIPROGRAM = "06"
    APP = "07"
    SOCIAL_MEDIA = "08"
    POLICE = "09"
    RESCUE = "10"
    UTILITY = "11"
    PROVINCE = "12"
    NATIONAL_PLATFORM = "13"
    INSPECTION = "14"
    PEOPLES_DAILY = "15"
    MAILBOX = "16"
    PETITION = "17"
    VISIT = "18"
    AGENT = "19"


DOUBTED = "doubted"
"""The note of a message whose sender's address is not proved to be his."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a person is reached: our channel account and the provider's id of the person there."""

    account: str
    user: str


@dataclass(frozen=True)
class Part:
    """One piece of a message.

    ``text`` holds the words, or a caption or place label; ``media_id``/``url`` say where the provider keeps media,
    ``blob`` where our own store does (of a text: its sanitised HTML); ``lon``/``lat`` are degrees as the provider gave
    them; ``event``/``key`` describe an event; ``seconds`` is how long a film or a recording is.
    """

    kind: PartKind
    text: str = ""
    media_id: str = ""
    url: str = ""
    mime: str = ""
    name: str = ""
    size: int | None = None
    lon: float | None = None
    lat: float | None = None
    event: EventKind | None = None
    key: str = ""
    blob: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class InboundMessage:
    """A message as it came in.

    ``external_id`` is the provider's id, unique per account and sender; ``sent_at`` is the provider's clock,
    ``received_at`` ours (both UTC); ``raw`` is the payload after decryption, or ``raw_blob`` names it in our own
    store where it is large. ``full_text`` is the whole text where the parts hold only what the person wrote himself
    (quotes and signatures cut), else empty. ``about`` is a case number proved by a token of ours that came back or by
    the thread; ``name`` is what later messages of the thread call this one (Message-ID), ``thread`` what the channel
    needs to answer in it. ``automatic`` was sent by a machine and is never answered; ``damaged`` could not be read
    whole; ``notes`` are for agents (such as the result of sender authentication).
    """

    account: str
    sender: str
    external_id: str
    source: SourceChannel
    received_at: datetime
    sent_at: datetime
    parts: tuple[Part, ...]
    raw: bytes
    subject: str = ""
    full_text: str = ""
    raw_blob: str = ""
    about: str = ""
    name: str = ""
    thread: str = ""
    automatic: bool = False
    damaged: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The words of all text parts, one a line."""
        return "\n".join(part.text for part in self.parts if part.kind is PartKind.TEXT)

    @property
    def event(self) -> Part | None:
        """The event this message reports, if it is one."""
        return next((part for part in self.parts if part.kind is PartKind.EVENT), None)


@dataclass(frozen=True, slots=True)
class Menu:
    """Answers to tap: what stands above them, each as (what comes back, what is read), and what stands below."""

    head: str
    choices: tuple[tuple[str, str], ...]
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A page of a mini-program to open: its program, its path, its title, and its picture in our own store."""

    app_id: str
    page: str
    title: str
    blob: str


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One message to one person, short enough for its channel.

    ``id`` is our own (the provider's idempotency key where it has one); ``template`` names a provider template
    for channels that cannot send free text, with ``fields`` its values; ``consented`` when the person agreed to it
    himself. ``notice`` says what it is: "reply" or a kind
    of notice; ``case_no`` the case it is about, if any; ``thread`` what the channel noted of the last message of this
    person, to answer in the same thread. ``part`` (a file of our own store, or a link), ``menu`` or ``card`` is what the
    message brings; a channel that does not carry it sends the text, which says as much and how to come by it.
    """

    id: str
    address: Address
    text: str
    template: str = ""
    consented: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)
    notice: str = "reply"
    case_no: str = ""
    thread: str = ""
    part: Part | None = None
    menu: Menu | None = None
    card: Card | None = None


class Delivery(StrEnum):
    """How far an outgoing message is known to have got; later states never fall back (gateways.md, test H)."""

    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider's later word on a message we sent, under one of the names it gave it (``SendResult``)."""

    account: str
    provider_id: str
    delivery: Delivery
    at: datetime
    detail: str = ""
