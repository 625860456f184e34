"""What a case (工单) is: its field groups (domain.md 2.1), its states (3.1) and the words of its log.

Lifecycle verbs of GB/T 44189 7.1.1, one English word each: 受理 accept, 派单 dispatch, 签收 sign, 退单 return,
办理 handle, 答复 reply, 督办 supervise, 办结 close, 回访 visit, 评价 rate; 催办 urge, 补充 supplement,
撤回 withdraw, 延期 extend, 并单 merge, 重办 rework. How a case moves is in ``normalizer.moves``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from normalizer.codes import Kind, PersonType, Urgency


class Stage(StrEnum):
    """The 21 states of a case (domain.md 3.1)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    NEED_INFO = "need_info"
    ACCEPTED = "accepted"
    ANSWERED = "answered"
    DIVERTED = "diverted"
    REJECTED = "rejected"
    MERGED = "merged"
    DISPATCHED = "dispatched"
    RETURN_REVIEW = "return_review"
    DISPUTED = "disputed"
    PROCESSING = "processing"
    SUSPENDED = "suspended"
    REPLIED = "replied"
    CLOSED_PENDING = "closed_pending"
    VISITED = "visited"
    REWORK = "rework"
    CLOSED = "closed"
    ARCHIVED = "archived"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"


STAGE_LABELS = {
    Stage.DRAFT: "草稿",
    Stage.SUBMITTED: "已提交待受理",
    Stage.NEED_INFO: "待补充",
    Stage.ACCEPTED: "已受理待派单",
    Stage.ANSWERED: "直接答复",
    Stage.DIVERTED: "已分流",
    Stage.REJECTED: "不予受理",
    Stage.MERGED: "已并单",
    Stage.DISPATCHED: "已派单待签收",
    Stage.RETURN_REVIEW: "退单审核中",
    Stage.DISPUTED: "争议裁定中",
    Stage.PROCESSING: "办理中",
    Stage.SUSPENDED: "挂起",
    Stage.REPLIED: "已答复待审核",
    Stage.CLOSED_PENDING: "已办结待回访",
    Stage.VISITED: "已回访",
    Stage.REWORK: "重办",
    Stage.CLOSED: "已结案",
    Stage.ARCHIVED: "已归档",
    Stage.WITHDRAWN: "已撤回",
    Stage.TERMINATED: "终止办理",
}
"""What staff see."""

CITIZEN_LABELS = STAGE_LABELS | {
    Stage.SUBMITTED: "已提交",
    Stage.NEED_INFO: "待补充材料",
    Stage.ACCEPTED: "已受理",
    Stage.ANSWERED: "已答复",
    Stage.DIVERTED: "已转专线",
    Stage.MERGED: "办理中(并入同类)",
    Stage.DISPATCHED: "办理中",
    Stage.RETURN_REVIEW: "办理中",
    Stage.DISPUTED: "办理中",
    Stage.SUSPENDED: "办理中",
    Stage.REPLIED: "已答复",
    Stage.CLOSED_PENDING: "已办结",
    Stage.VISITED: "已办结",
    Stage.REWORK: "重新办理中",
    Stage.CLOSED: "已办结",
    Stage.ARCHIVED: "已办结",
}
"""What a citizen sees."""

OPEN = frozenset(Stage) - {
    Stage.DRAFT,
    Stage.ANSWERED,
    Stage.DIVERTED,
    Stage.REJECTED,
    Stage.CLOSED,
    Stage.ARCHIVED,
    Stage.WITHDRAWN,
    Stage.TERMINATED,
}
"""The hotline still owes something."""

ENDED = frozenset(
    {Stage.ANSWERED, Stage.DIVERTED, Stage.REJECTED, Stage.CLOSED}
    | {Stage.ARCHIVED, Stage.WITHDRAWN, Stage.TERMINATED}
)
"""No clock of the hotline runs in these."""


class Verb(StrEnum):
    """What may be done to a case: the lifecycle verbs and the smaller steps between them."""

    DRAFT = "draft"
    SUBMIT = "submit"
    ASK = "ask"
    SUPPLEMENT = "supplement"
    ACCEPT = "accept"
    ANSWER = "answer"
    DIVERT = "divert"
    REJECT = "reject"
    OBJECT = "object"
    MERGE = "merge"
    UNMERGE = "unmerge"
    DISPATCH = "dispatch"
    SIGN = "sign"
    REMIND = "remind"
    RETURN = "return"
    UPHOLD = "uphold"
    OVERRULE = "overrule"
    DISPUTE = "dispute"
    DESIGNATE = "designate"
    COHANDLE = "cohandle"
    EXTEND = "extend"
    GRANT = "grant"
    REFUSE = "refuse"
    SUSPEND = "suspend"
    RESUME = "resume"
    HANDLE = "handle"
    REPLY = "reply"
    REDO = "redo"
    FINISH = "finish"
    VISIT = "visit"
    RATE = "rate"
    REWORK = "rework"
    CLOSE = "close"
    ARCHIVE = "archive"
    WITHDRAW = "withdraw"
    TERMINATE = "terminate"
    URGE = "urge"
    SUPERVISE = "supervise"
    RISK = "risk"
    AMEND = "amend"


class Role(StrEnum):
    """Who acts on a case (domain.md 3.2)."""

    CITIZEN = "citizen"
    BOT = "bot"
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    UNIT = "unit"
    TIMER = "timer"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a role, an id without personal data, and for units their code."""

    role: Role
    id: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A photo, recording, video or document of a case: where the provider keeps it, or ``blob`` in our own store."""

    kind: str
    media_id: str
    url: str = ""
    name: str = ""
    mime: str = ""
    size: int | None = None
    blob: str = ""


@dataclass(frozen=True, slots=True)
class Complainant:
    """诉求人 (group B). Sealed at rest; empty where not known."""

    person_type: PersonType = PersonType.NATURAL
    name: str = ""
    gender: str = ""
    phone: str = ""
    alt_contact: str = ""
    email: str = ""
    openid: str = ""
    unionid: str = ""
    org_name: str = ""
    uscc: str = ""
    address: str = ""
    tags: tuple[str, ...] = ()
    is_agent: bool = False
    agent_for: str = ""
    anonymous: bool = False
    need_reply: bool = True
    lang: str = "zh"
    channel_pref: str = ""


@dataclass(frozen=True, slots=True)
class Matter:
    """诉求内容 (group C).

    ``title`` has at most 50 characters, ``content`` at most 2,000, both masked; ``original`` keeps the
    citizen's own words and is sealed at rest; degrees are GCJ-02.
    """

    kind: Kind = Kind.OTHER
    title: str = ""
    content: str = ""
    original: str = ""
    occurred: str = ""
    place_text: str = ""
    place_detail: str = ""
    place_area: str = ""
    lon: float | None = None
    lat: float | None = None
    category: str = ""
    reflect_name: str = ""
    reflect_uscc: str = ""
    reflect_phone: str = ""
    item_code: str = ""
    demand: str = ""
    attachments: tuple[Attachment, ...] = ()
    labels: tuple[str, ...] = ()
    urgency: Urgency = Urgency.NORMAL
    risk_flags: tuple[str, ...] = ()
    old_case_no: str = ""
    master_case_no: str = ""
    similar: tuple[str, ...] = ()

    @property
    def field(self) -> str:
        """领域 of the category, A to E (GB/T 44189 6.1.1); empty while the category is unknown."""
        return self.category[:1]


class Part(StrEnum):
    """A unit's part in a case."""

    MAIN = "main"
    CO = "co"


@dataclass(frozen=True, slots=True)
class Assignment:
    """One unit's share of a case (group D): 主办 or 协办, with its own clock and reply."""

    unit: str
    unit_name: str
    dispatched_at: datetime
    deadline_at: datetime
    part: Part = Part.MAIN
    sign_due: datetime | None = None
    signed_at: datetime | None = None
    signer: str = ""
    reminded: bool = False
    open: bool = True
    return_count: int = 0
    forbid_return: bool = False
    contacted_at: datetime | None = None
    solved: str = ""
    reply_public: str = ""
    reply_internal: str = ""
    unsolved_reason: str = ""
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """延期: asked for before expiry, decided by the centre; silence is not consent."""

    days: int
    reason: str
    asked_at: datetime
    granted: bool | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Return:
    """退单: reason code T1 to T6 with its basis, and how it was decided."""

    unit: str
    code: str
    basis: str
    suggested_unit: str
    at: datetime
    upheld: bool | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which the handling clock stood still."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rating:
    """评价: 5 (非常满意) to 1, one per case and round; reasons by LOW_RATING_LABELS."""

    score: int
    reasons: tuple[int, ...]
    opinion: str
    round: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """答复 to the citizen."""

    text: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """回访: tried by which channel, reached or not, and what was said."""

    channel: str
    at: datetime
    reached: bool
    contacted: bool | None = None
    solved: str = ""
    satisfaction: int | None = None
    opinion: str = ""


@dataclass(frozen=True)
class Case:
    """A case, whole: identity (A), complainant (B), matter (C), process (D), reply and evaluation (E).

    ``stage`` is the one state; the flags beside it run in parallel. The log (F) is the list of ``CaseEvent``
    that led here; ``events`` counts them and ``rev`` guards against two writers at once.
    """

    case_no: str
    source_channel: str
    region: str
    created_at: datetime
    profile_version: str
    stage: Stage = Stage.DRAFT
    rev: int = 0
    events: int = 0
    complainant: Complainant = field(default_factory=Complainant)
    matter: Matter = field(default_factory=Matter)
    secret: bool = False
    ext_nos: tuple[str, ...] = ()
    source_messages: tuple[str, ...] = ()
    handle_mode: str = ""
    assignments: tuple[Assignment, ...] = ()
    deadline_at: datetime | None = None
    limit_rule: str = ""
    pauses: tuple[Pause, ...] = ()
    extensions: tuple[Extension, ...] = ()
    returns: tuple[Return, ...] = ()
    supervision: int = 0
    overdue_told: bool = False
    asked_at: datetime | None = None
    urges: tuple[datetime, ...] = ()
    rework_round: int = 0
    hard: bool = False
    exclude_assess: str = ""
    nonsense: str = ""
    reject_code: str = ""
    rejected_by: str = ""
    replies: tuple[Reply, ...] = ()
    visits: tuple[Visit, ...] = ()
    ratings: tuple[Rating, ...] = ()
    public_reply: str = ""
    finished_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def ext_pending(self) -> bool:
        """Whether an extension was asked for and not decided."""
        return any(extension.granted is None for extension in self.extensions)

    @property
    def main(self) -> Assignment | None:
        """The open main assignment, if there is one."""
        return next((a for a in self.assignments if a.open and a.part is Part.MAIN), None)


@dataclass(frozen=True, slots=True)
class Command:
    """A wish to move a case: the verb, who wishes it, and what the verb needs.

    ``reason`` is told to people; ``code`` is from a code list; ``unit`` with ``unit_name`` an organisation; ``text`` a reply,
    supplement or opinion; ``score`` with ``reasons`` a rating; ``days`` an extension; ``due`` a time limit computed outside;
    ``complainant`` and ``matter`` the form as it is after an amendment.
    """

    verb: Verb
    actor: Actor
    reason: str = ""
    code: str = ""
    unit: str = ""
    unit_name: str = ""
    text: str = ""
    days: int = 0
    score: int = 0
    reasons: tuple[int, ...] = ()
    due: datetime | None = None
    sign_due: datetime | None = None
    rule: str = ""
    attachments: tuple[Attachment, ...] = ()
    target: str = ""
    flag: bool = False
    complainant: Complainant | None = None
    matter: Matter | None = None


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One line of the log (group F): the command as it was carried out, and the stages before and after."""

    case_no: str
    seq: int
    at: datetime
    verb: Verb
    actor: Actor
    before: Stage
    after: Stage
    command: Command
    notes: Mapping[str, str] = field(default_factory=dict)
