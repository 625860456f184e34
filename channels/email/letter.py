"""What a mail is once it is read: the values that the rest of this package passes around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A person's address as a header gives it; ``address`` is lower case, or empty where none could be read."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a mail.

    ``name`` is a safe base name, never empty; ``claimed`` is the media type the mail names, ``kind`` the one its
    content shows (``claimed`` where the content shows none); ``content_id`` is without angle brackets.
    """

    name: str
    content: bytes
    claimed: str
    kind: str
    inline: bool = False
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail, read.

    ``date`` is UTC, None where the mail has none that can be read. ``message_id`` and ``references`` keep their
    angle brackets. ``text`` is the whole text, quotes included; ``html`` is sanitised, with remote images off and the
    mail's own as ``attachment:N`` (N counts ``attachments`` from 0); ``source`` is the HTML as it was sent, for
    ``quotes`` only and never for showing. ``headers`` holds every value of every header, decoded, by lower-case name.
    ``reports`` are the blocks of fields of a delivery report. ``damaged`` says why the mail could not be read whole;
    then keep the raw mail.
    """

    sender: Mailbox
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    reply_to: tuple[Mailbox, ...] = ()
    subject: str = ""
    date: datetime | None = None
    message_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    content_type: str = "text/plain"
    text: str = ""
    html: str = ""
    source: str = ""
    attachments: tuple[Attachment, ...] = ()
    nested: tuple[Letter, ...] = ()
    reports: tuple[Mapping[str, str], ...] = ()
    damaged: tuple[str, ...] = ()

    def header(self, name: str) -> str:
        """Return the first value of a header, or an empty text."""
        return next(iter(self.headers.get(name.lower(), ())), "")
