"""What a dialogue gives and takes: (state, what was read, facts) in, a ``Turn`` out.

A flow that needs to know something returns ``Ask``; the gateway answers all asks of a batch in one query and
calls again with the ``Facts`` filled in. A flow never does anything: it returns effects, and the gateway carries
them out under the same rules that ``normalizer.moves`` lets a flow look at beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime, time

    from bots.state import State
    from normalizer.case import Case, Command, Complainant, Matter
    from normalizer.emergency import Emergency


class Owner(StrEnum):
    """Who holds the conversation (design: the state machine of ownership)."""

    BOT = "bot"
    QUEUED = "queued"
    OFFERED = "offered"
    AGENT = "agent"
    WRAP_UP = "wrap_up"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where a code hangs: how it is called, and where it is."""

    name: str
    place: str


@dataclass(frozen=True, slots=True)
class City:
    """What the dialogue must know of the city: names, numbers, links, hours and limits, from its profile.

    ``lines`` maps a special line's name to its number (domain.md 4.3); ``acceptable`` lists category codes that
    the bot may accept without an agent; ``seats`` are the local hours with agents online (None: round the clock);
    after ``rework_rounds`` a low rating opens no further rework by itself. A mail is answered by a person within
    ``mail_hours``. ``sms_number``, ``wechat_name`` and ``mailbox`` are our other ways in, ``pages_url`` is where our
    pages stand, ``name_en`` the name on English pages; empty where there are none. ``spots`` are the places of the
    city's codes, by what the codes say; ``elsewhere`` says where to turn with what is not taken in, long and short, by
    its code (R01 to R99).
    """

    name: str
    hotline: str
    region: str
    privacy_url: str
    notice_version: str
    accept_hours: int
    draft_hours: int
    lines: Mapping[str, str]
    acceptable: frozenset[str]
    place_categories: frozenset[str]
    seats: tuple[time, time] | None = None
    rework_rounds: int = 2
    mail_hours: int = 24
    sms_number: str = ""
    wechat_name: str = ""
    mailbox: str = ""
    pages_url: str = ""
    name_en: str = ""
    spots: Mapping[str, Spot] = field(default_factory=dict)
    elsewhere: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewNumber:
    """A case number with its query code, reserved for the order about to be submitted."""

    case_no: str
    query_code: str


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a look-up by number and code: ``case`` is None for a wrong code and for no such case alike."""

    case: Case | None
    locked: bool = False


@dataclass(frozen=True, slots=True)
class QueueView:
    """The handoff queue as the citizen may be told it: people ahead, and agents online now.

    ``wait`` is from and until how many minutes it will last (until 0: longer; None: nobody knows), ``opens`` when people
    are next there (an instant that is past: now; None: as the city's ``seats`` say); ``full`` when too many wait.
    """

    ahead: int
    agents: int
    wait: tuple[int, int] | None = None
    opens: datetime | None = None
    full: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """The answer to a code that binds a telephone: whether it was right, or the sender is locked out."""

    right: bool
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """An entry of the knowledge base as a citizen may be told it.

    ``sure`` when it is near enough to the question to be its answer; else it may only be offered.
    """

    entry: str
    title: str
    short: str
    basis: str = ""
    source: str = ""
    updated: date | None = None
    sure: bool = False


@dataclass(frozen=True)
class Facts:
    """What the gateway knows for this turn; None means not asked yet.

    ``sender`` is the telephone or mail address that the message came from, of SMS and mail only; ``doubted`` means that
    our own mail server found it not to be the sender's. ``own`` are the
    citizen's own cases, newest first, at most five; ``proved`` is the case that a message proves to be about, which
    may be another's (empty tuple: no such case). ``answers`` are what the knowledge base says to the question, nearest
    first.
    """

    owner: Owner = Owner.BOT
    source: str = ""
    sender: str = ""
    own: tuple[Case, ...] | None = None
    found: Found | None = None
    number: NewNumber | None = None
    queue: QueueView | None = None
    proved: tuple[Case, ...] | None = None
    bind_code: str = ""
    bound: Bound | None = None
    slip: str = ""
    answers: tuple[Known, ...] | None = None
    doubted: bool = False


@dataclass(frozen=True, slots=True)
class AskOwn:
    """Asks which cases this citizen has."""


@dataclass(frozen=True, slots=True)
class AskFound:
    """Asks for a case by its full number and query code."""

    case_no: str
    query_code: str


@dataclass(frozen=True, slots=True)
class AskNumber:
    """Asks for a case number to be reserved."""


@dataclass(frozen=True, slots=True)
class AskQueue:
    """Asks how long the handoff queue is."""


@dataclass(frozen=True, slots=True)
class AskProved:
    """Asks for the case that a message proves to be about, whoever sent it."""

    case_no: str


@dataclass(frozen=True, slots=True)
class AskBindCode:
    """Asks for a code that binds this conversation to the telephone it is sent from."""


@dataclass(frozen=True, slots=True)
class AskBind:
    """Asks whether a code that came by SMS is one of those given out."""

    code: str


@dataclass(frozen=True, slots=True)
class AskAnswers:
    """Asks what the knowledge base says to a question."""

    question: str


@dataclass(frozen=True, slots=True)
class AskEntry:
    """Asks for one entry of the knowledge base, if it may still be shown."""

    entry: str


@dataclass(frozen=True, slots=True)
class AskSlip:
    """Asks for a token that lets its bearer add files to a case, for a quarter of an hour."""

    case_no: str


Ask = (
    AskOwn
    | AskFound
    | AskNumber
    | AskQueue
    | AskProved
    | AskBindCode
    | AskBind
    | AskAnswers
    | AskEntry
    | AskSlip
)


@dataclass(frozen=True, slots=True)
class Submit:
    """Open a case under a reserved number; ``accept`` when the bot may accept it at once (domain.md 3.2 row 6)."""

    number: NewNumber
    complainant: Complainant
    matter: Matter
    secret: bool
    accept: bool


@dataclass(frozen=True, slots=True)
class Act:
    """Carry out a command on one of the citizen's own cases, as seen at ``rev``."""

    case_no: str
    rev: int
    command: Command


@dataclass(frozen=True, slots=True)
class Handoff:
    """Put the conversation in the queue for a person; ``phone`` when a call back is wanted."""

    reason: str
    skill: str = ""
    phone: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Unqueue:
    """The citizen no longer waits for a person; the bot goes on."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Somebody may be in danger: tell the people on duty (domain.md 4.3)."""

    emergency: Emergency


@dataclass(frozen=True, slots=True)
class OptOut:
    """The citizen wants no status messages (True) or wants them again (False)."""

    out: bool


@dataclass(frozen=True, slots=True)
class Link:
    """The message belongs to a case and changes nothing of it."""

    case_no: str


@dataclass(frozen=True, slots=True)
class Bind:
    """The conversation that got the code is this telephone's from now on; it is told ``words``."""

    words: str


@dataclass(frozen=True, slots=True)
class Vote:
    """An answer of the knowledge base solved the matter, or did not."""

    entry: str
    helpful: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """The knowledge base has no answer to a question; personal data in it is masked."""

    question: str


@dataclass(frozen=True, slots=True)
class RateService:
    """The citizen rates the service that a person gave him and that began at ``began`` (milliseconds), 5 to 1."""

    began: int
    score: int


@dataclass(frozen=True, slots=True)
class Appeal:
    """Somebody objects to a restriction; a supervisor looks at it again."""


class WishKind(StrEnum):
    """What somebody wants done with his data that a person must settle."""

    CORRECT = "correct"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Wished:
    """The citizen wants his data corrected or deleted (PIPL 46, 47); ``cases`` are those that it is about."""

    kind: WishKind
    text: str
    cases: tuple[str, ...]


Effect = (
    Submit
    | Act
    | Handoff
    | Unqueue
    | Alert
    | OptOut
    | Link
    | Bind
    | Vote
    | Gap
    | RateService
    | Appeal
    | Wished
)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one message leads to: the new state, what to say (each at most a channel message), what to do."""

    state: State
    replies: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where a turn happens: the instant (UTC) and the city."""

    now: datetime
    city: City
