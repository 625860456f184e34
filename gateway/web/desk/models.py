"""What the desk's addresses speak: rows of the list, lines of a talk, and what is asked."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

STRICT = ConfigDict(extra="forbid", frozen=True)
MANY = 9
"""The files that one answer brings at most."""
Epoch = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]+$")]


class Shown(BaseModel):
    """Something that is answered."""

    model_config = STRICT


class Person(Shown):
    """Somebody of the staff."""

    id: str
    name: str


class Viewer(Person):
    """Who looks at a talk now."""

    typing: bool


class Last(Shown):
    """The last that was said, shortened, personal data masked."""

    who: str
    text: str
    at: datetime


class Sla(Shown):
    """Until when the citizen should be answered."""

    due: datetime
    state: Literal["ok", "soon", "late"]


class Row(Shown):
    """A conversation in the list."""

    id: str
    channel: str
    name: str
    urgent: bool
    elderly: bool
    skill: str
    state: str
    held: bool
    agent: Person | None
    since: datetime | None
    waiting_since: datetime | None
    offer_until: datetime | None
    last: Last | None
    unread: int
    case_no: str | None
    repeat: int
    draft: bool
    viewers: tuple[Viewer, ...]
    sla: Sla | None
    epoch: int
    version: int


class Page(Shown):
    """A page of a view; ``cursor`` is the event from which to follow, ``after`` asks for the next page."""

    items: tuple[Row, ...]
    counts: dict[str, int]
    cursor: str
    after: str | None


class Piece(Shown):
    """A part of a line; ``url`` opens a file as it came, ``preview`` a copy that is safe to show.

    What happened has its ``words`` with ``fields`` to be filled in too, so that a page can say it in its own language.
    """

    kind: str
    text: str = ""
    url: str | None = None
    preview: str | None = None
    play: str | None = None
    mime: str | None = None
    name: str | None = None
    seconds: float | None = None
    lon: float | None = None
    lat: float | None = None
    words: str = ""
    fields: dict[str, str] = {}


class Line(Shown):
    """Something that was said, noted, or that happened."""

    id: str
    at: datetime
    who: Literal["citizen", "bot", "agent", "system", "note"]
    agent: Person | None = None
    parts: tuple[Piece, ...]
    state: str = "sent"
    echo: str | None = None
    whisper: bool = False
    undo_until: datetime | None = None


class Reach(Shown):
    """How the citizen can be answered: until when, how often, how long a text may be."""

    channel: str
    window_until: datetime | None
    left: int | None
    max_bytes: int
    sms_parts: bool


class Draft(Shown):
    """What somebody began to write."""

    text: str = ""
    note: str = ""


class Order(Shown):
    """What the bot has of a report so far, empty where it has nothing; personal data masked."""

    text: str = ""
    place: str = ""
    lon: float | None = None
    lat: float | None = None
    when: str = ""
    demand: str = ""
    kind: str = ""
    category: str = ""
    name: str = ""
    phone: str = ""
    anonymous: bool = False
    secret: bool = False


class Talk(Shown):
    """One conversation, opened."""

    row: Row
    lines: tuple[Line, ...]
    more: bool
    reach: Reach
    order: Order
    phone: str
    draft: Draft


class Lines(Shown):
    """Older lines."""

    lines: tuple[Line, ...]
    more: bool


class Done(Shown):
    """A talk as a verb left it."""

    row: Row


class Colleague(Person):
    """Somebody of the staff to whom a talk can be passed; ``load`` is in chats."""

    role: str
    skills: tuple[str, ...]
    state: str
    load: float
    capacity: int


class Colleagues(Shown):
    """Who works at the desk."""

    items: tuple[Colleague, ...]


class Me(Shown):
    """Who is logged in, what he may, and how the desk works; ``cursor`` is the event from which to follow."""

    agent: Colleague
    rights: tuple[str, ...]
    csrf: str
    one_time: bool
    totp: bool
    settings: dict[str, int]
    cursor: str


class Alert(Shown):
    """Somebody may be in danger."""

    id: str
    at: datetime
    talk: str
    kind: str
    word: str
    by: str = ""
    acknowledged: bool = False


class Alerts(Shown):
    """The alerts that nobody has acknowledged."""

    items: tuple[Alert, ...]


class Revealed(Shown):
    """What is known of a citizen, in full; whoever asked is noted."""

    name: str
    phone: str
    address: str


class Bare(BaseModel):
    """A verb that needs nothing but the epoch under which the talk was seen."""

    model_config = STRICT

    epoch: Epoch


class Take(Bare):
    """Take a talk; ``over``: from whoever has it."""

    over: bool = False


class Close(Bare):
    """End a talk; ``wrap_up``: keep it for the paperwork."""

    wrap_up: bool = False


class Transfer(Bare):
    """To whom a talk is passed: an agent, or a skill, or anybody."""

    to_agent: str = Field(default="", pattern="^([0-9a-f]{32})?$")
    to_skill: str = Field(default="", max_length=64)
    note: str = Field(default="", max_length=2000)


class Assignment(Bare):
    """To whom a supervisor gives a talk; ``despite``: of what was doubted he knows this, and gives it nevertheless."""

    to_agent: str = Field(pattern="^[0-9a-f]{32}$")
    despite: tuple[Literal["full", "away", "skill"], ...] = ()


class Empty(BaseModel):
    """Nothing."""

    model_config = STRICT


class Answer(Bare):
    """What is said to the citizen."""

    text: str = Field(default="", max_length=4000)
    echo: Name
    files: tuple[str, ...] = Field(default=(), max_length=MANY)


class Note(BaseModel):
    """What the citizen never sees."""

    model_config = STRICT

    text: str = Field(min_length=1, max_length=4000)
    epoch: Epoch = 0
    whisper: bool = False
    mentions: tuple[Annotated[str, Field(pattern="^[0-9a-f]{32}$")], ...] = Field(default=(), max_length=20)


class Looking(BaseModel):
    """Somebody looks at a talk, or writes there."""

    model_config = STRICT

    typing: bool = False
    here: bool = True
    epoch: Epoch = 0


class State(BaseModel):
    """What an agent wants to be."""

    model_config = STRICT

    state: Literal["online", "busy", "away"]


class Beat(BaseModel):
    """A tab that is open; ``active``: its person did something since the last beat."""

    model_config = STRICT

    tab: Name
    active: bool = False
    closed: bool = False


class Asked(BaseModel):
    """Which page of which view."""

    model_config = STRICT

    view: str = Field(default="mine", pattern="^(mine|waiting|all|[0-9a-f]{32})$")
    q: str = Field(default="", max_length=100)
    after: str = Field(default="0", pattern="^[0-9]{1,6}$")


class Before(BaseModel):
    """Before which line."""

    model_config = STRICT

    before: str = Field(pattern="^(e[0-9]{1,15}|[0-9a-f]{32})$")
