"""What goes over the JSON API: every body, in and out; ``/openapi.json`` is made from these."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from normalizer.case import Stage, Verb
from normalizer.codes import Kind, PersonType

NUMBER = r"^[0-9]{17}$"
CODE = r"^[0-9]{6}$"
CATEGORY = r"^[A-E][0-9]{2}$"
LIKE = r"^[0-9a-f]{32}$"
MARK = r"^[A-Za-z0-9_-]{1,64}$"
TEXT, PLACE, WHEN, DEMAND, NAME, ORG, MAIL, OPINION, TALK = 2000, 100, 50, 200, 20, 60, 120, 500, 2000


class In(BaseModel):
    """What comes in: nothing that is not known, no value taken for another."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Out(BaseModel):
    """What goes out."""

    model_config = ConfigDict(frozen=True)


class Datum(StrEnum):
    """Which degrees: of satellites or of Chinese maps."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"


class Token(Out):
    """A session: send ``token`` as ``Authorization: Bearer``; ends at ``until``."""

    token: str
    until: datetime


class Me(Out):
    """The session as it stands; ``csrf`` goes into ``X-CSRF-Token`` when the cookie is what proves it."""

    until: datetime
    phone: str | None = Field(description="The telephone that was proved, masked")
    csrf: str


class SignIn(In):
    """A login code (wx.login) of a mini-program's account; good once and for five minutes."""

    account: str = Field(pattern=MARK)
    code: str = Field(min_length=1, max_length=200)


class PhoneIn(In):
    """A telephone to prove."""

    phone: str = Field(max_length=24, examples=["13812345678"])


class WeChatCode(In):
    """A code that WeChat gave for a button that was tapped."""

    code: str = Field(min_length=1, max_length=200)


class PhoneOut(Out):
    """A telephone that was proved, masked."""

    phone: str


class AccountIn(In):
    """Which account."""

    account: str = Field(min_length=1, max_length=64)


class TemplateOut(Out):
    """A template that a citizen may agree to be sent."""

    id: str


class Templates(Out):
    """The templates to ask a citizen's consent for."""

    templates: tuple[TemplateOut, ...]


class PageIn(AccountIn):
    """A page of ours, and the account whose functions it wants to use."""

    url: str = Field(min_length=1, max_length=1000)


class PageOut(Out):
    """What a page hands to ``wx.config``."""

    app_id: str
    timestamp: int
    nonce: str
    signature: str


class CodeIn(In):
    """The code that came by SMS."""

    code: str = Field(pattern=CODE)


class Choice(Out):
    """A code with what it means."""

    code: str
    name: str


class CategoryOut(Choice):
    """A category; ``placed`` when its matter has a place, which must then be told."""

    placed: bool


class FieldOut(Choice):
    """A field of GB/T 44189 6.1.1 with its categories."""

    categories: tuple[CategoryOut, ...]


class Catalogue(Out):
    """What may be chosen."""

    fields: tuple[FieldOut, ...]
    kinds: tuple[Choice, ...]


class Words(In):
    """A citizen's own words."""

    text: str = Field(max_length=TEXT)


class Danger(Out):
    """Somebody may be in danger: whom to call, and what to say first."""

    kind: str
    number: str
    words: str


class Draft(Out):
    """What the words say; null where they do not. ``missing`` names the fields that a case cannot do without."""

    kind: Kind | None
    category: str | None
    sure: bool = Field(description="Whether the category is beyond doubt")
    place: str | None
    when: str | None
    demand: str | None
    name: str | None
    phone: str | None
    secret: bool | None
    danger: Danger | None
    missing: tuple[str, ...]


class GrantOut(Out):
    """Leave to upload: ``grant`` is the bearer token of the addresses ``tus`` (resumable) and ``form`` (multipart)."""

    grant: str
    until: datetime
    tus: str
    form: str
    largest: int = Field(description="Bytes of one file at most")


class FileOut(Out):
    """A file; ``preview`` is the address of a small copy, ``play`` of one to play, both good for half an hour.

    ``words`` is what was spoken in a recording, once it was written down.
    """

    key: str
    kind: str
    name: str
    mime: str
    size: int
    preview: str | None
    play: str | None
    words: str | None


class MissingOut(Out):
    """A file that the citizen sent and that is not here: still ``coming``, or lost; ``told`` says it in words."""

    kind: str
    coming: bool
    reason: str
    told: str


class Files(Out):
    """Files that lie ready, oldest first; kept for a day."""

    files: tuple[FileOut, ...]


FileKeys = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=128)], ...], Field(max_length=20)]
"""The files that come with it, by their keys."""


class CaseIn(In):
    """A matter to be opened as a case."""

    text: str = Field(min_length=8, max_length=TEXT, description="At least 8 Chinese characters")
    kind: Kind | None = None
    category: str | None = Field(None, pattern=CATEGORY)
    place: str = Field("", max_length=PLACE)
    lon: float | None = Field(None, ge=-180, le=180)
    lat: float | None = Field(None, ge=-90, le=90)
    datum: Datum = Datum.GCJ02
    when: str = Field("", max_length=WHEN)
    demand: str = Field("", max_length=DEMAND)
    name: str = Field("", max_length=NAME)
    phone: str = Field("", max_length=24)
    email: str = Field("", max_length=MAIL)
    anonymous: bool = False
    secret: bool = False
    need_reply: bool = True
    person_type: PersonType = PersonType.NATURAL
    org_name: str = Field("", max_length=ORG)
    uscc: str = Field("", max_length=18)
    agent_for: str = Field("", max_length=NAME, description="On whose behalf (帮办代办)")
    elderly: bool = False
    files: FileKeys = ()


class OpenedOut(Out):
    """A case that was opened; ``repeat`` when it was opened before by the same request."""

    case_no: str
    query_code: str
    accepted: bool
    repeat: bool
    danger: Danger | None


class Least(Out):
    """What a stranger with number and code may see (domain.md 4.2)."""

    case_no: str
    status: str
    unit: str | None
    deadline_at: datetime | None


class Brief(Least):
    """One of one's own cases, in a list."""

    stage: Stage
    kind: Kind
    category: str | None
    title: str
    created_at: datetime


class May(Out):
    """What its citizen may do with a case now."""

    supplement: bool
    urge: bool
    withdraw: bool
    rate: bool


class Whole(Brief):
    """One of one's own cases."""

    content: str
    place: str | None
    when: str | None
    demand: str | None
    secret: bool
    files: tuple[FileOut, ...]
    missing: tuple[MissingOut, ...]
    answer: str | None
    score: int | None
    may: May


class Supplemented(Whole):
    """A case that was added to; ``danger`` when the words tell of one."""

    danger: Danger | None


class Cases(Out):
    """One's own cases, newest first."""

    cases: tuple[Brief, ...]


class Line(Out):
    """One thing that happened to a case."""

    at: datetime
    verb: Verb
    label: str
    note: str | None


class Timeline(Out):
    """What happened to a case, oldest first."""

    lines: tuple[Line, ...]


class LookupIn(In):
    """A case by number and query code."""

    case_no: str = Field(max_length=40)
    query_code: str = Field(pattern=CODE)


class SupplementIn(In):
    """What is added to a case."""

    text: str = Field(min_length=1, max_length=1000)
    files: FileKeys = ()


class UrgeIn(In):
    """An urge, with words or without."""

    text: str = Field("", max_length=200)


class RatingIn(In):
    """A rating, 5 (非常满意) to 1; reasons (1 to 7) for the two low ones."""

    score: int = Field(ge=1, le=5)
    reasons: Annotated[tuple[Annotated[int, Field(ge=1, le=7)], ...], Field(max_length=7)] = ()
    text: str = Field("", max_length=OPINION)


class LikeIn(In):
    """A matter, to see whether it is reported already."""

    text: str = Field(min_length=1, max_length=TEXT)
    category: str | None = Field(None, pattern=CATEGORY)
    kind: Kind | None = None
    place: str = Field("", max_length=PLACE)


class FollowIn(LikeIn):
    """The same matter, and the one of the others' cases that is followed instead."""

    like: str = Field(pattern=LIKE)


class LikeOut(Out):
    """Another's open case of the same matter: all that is told of it. ``like`` names it to this session alone."""

    like: str
    category: str
    street: str | None
    status: str
    day: date


class Likes(Out):
    """``mine`` is one's own open case of the same matter, to be added to; else ``others``, to be followed."""

    mine: str | None
    others: tuple[LikeOut, ...]


class Followed(Out):
    """What one follows, the last first."""

    followed: tuple[LikeOut, ...]


class WishOut(Out):
    """A wish about one's data, and how it stands."""

    kind: str
    state: str
    at: datetime


class MyData(Out):
    """What is kept of one, names and telephones masked."""

    phone: str | None
    cases: int
    open: bool
    names: tuple[str, ...]
    phones: tuple[str, ...]
    organizations: tuple[str, ...]
    wishes: tuple[WishOut, ...]


class CorrectionIn(In):
    """A right name, another telephone, or both, for all open cases."""

    name: str = Field("", max_length=NAME)
    phone: str = Field("", max_length=24)


class Corrected(Out):
    """``settled`` when the units were told of all; else a person settles some, see the wishes of ``/me``."""

    settled: bool


class DeletionIn(In):
    """The wish to have one's data deleted, with words or without."""

    text: str = Field("", max_length=300)


class Export(Out):
    """Everything that is kept, for another program; masked unless a telephone was proved."""

    version: int
    at: str
    phone: str
    draft: str
    cases: tuple[dict[str, Any], ...]
    talk: tuple[dict[str, Any], ...]
    requests: tuple[dict[str, Any], ...]


class MessageIn(In):
    """A message to the bot or the person who holds the talk; the same ``id`` sent twice is one message."""

    text: str = Field(min_length=1, max_length=TALK)
    id: str = Field(pattern=MARK)


class Since(In):
    """Messages after a cursor."""

    after: str = Field("", pattern=r"^([0-9a-f]{32})?$")


class MessageOut(Out):
    """One message of the talk; ``mine`` is the citizen's."""

    id: str
    mine: bool
    at: datetime
    text: str


class Messages(Out):
    """Messages, oldest first; ask again with ``cursor`` as ``after``."""

    messages: tuple[MessageOut, ...]
    cursor: str


class Asked(In):
    """Words to look for, or a category ("D" is all of field D), or both."""

    q: str = Field("", max_length=200)
    category: str = Field("", pattern=r"^([A-E]([0-9]{2})?)?$")


class EntryBrief(Out):
    """An entry of the knowledge base, in a list."""

    id: str
    title: str
    answer: str
    category: str | None
    source: str | None


class EntryWhole(EntryBrief):
    """An entry of the knowledge base."""

    full: str | None
    materials: tuple[str, ...]
    steps: tuple[str, ...]
    fee: str | None
    basis: str | None
    place_hours: str | None
    phone: str | None
    link: str | None


class Found(Out):
    """Entries, nearest first."""

    entries: tuple[EntryBrief, ...]
