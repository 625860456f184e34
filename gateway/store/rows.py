"""What one batch reads and writes: a tuple per row, a list per table.

The tuples follow the columns of ``gateway.store.tables`` in order, so that a bulk statement takes them as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


class InboxRow(NamedTuple):
    """A row of ``inbox``."""

    id: bytes
    conversation: bytes
    external_id: str
    account: str
    source: str
    received_at: int
    state: str
    error: str
    reply: bytes | None
    case_no: str
    body: bytes


class ConversationRow(NamedTuple):
    """A row of ``conversation``."""

    id: bytes
    account: str
    address: bytes
    state: bytes
    owner: str
    epoch: int
    version: int
    waiting: int
    window_until: int
    window_left: int | None
    opted_out: bool
    last_in_at: int
    enqueued_at: int | None
    skill: str
    urgent: bool
    note: bytes | None
    thread: bytes | None


class TalkRow(NamedTuple):
    """What an ordinary turn changes of a row of ``conversation``."""

    id: bytes
    version: int
    state: bytes
    waiting: int
    window_until: int
    window_left: int | None
    last_in_at: int


def new_conversation(conversation: bytes, account: str, address: bytes, state: bytes) -> ConversationRow:
    """Return the row of a conversation of the bot's in which nothing was said; address and state are sealed."""
    return ConversationRow(
        id=conversation,
        account=account,
        address=address,
        state=state,
        owner="bot",
        epoch=0,
        version=0,
        waiting=0,
        window_until=0,
        window_left=0,
        opted_out=False,
        last_in_at=0,
        enqueued_at=None,
        skill="",
        urgent=False,
        note=None,
        thread=None,
    )


class OutgoingRow(NamedTuple):
    """A row of ``outgoing``."""

    id: bytes
    conversation: bytes
    account: str
    case_no: str
    notice: str
    notice_key: str | None
    epoch: int
    state: str
    route: str
    body: bytes
    attempts: int
    next_at: int
    lease_until: int
    created_at: int
    sent_at: int | None
    outcome: str
    fields: bytes | None = None


class ReplyRow(NamedTuple):
    """A row of ``outgoing`` that rides in the answer to its message, sent on trust ``at`` its making."""

    id: bytes
    conversation: bytes
    account: str
    case_no: str
    epoch: int
    body: bytes
    at: int


class CaseRow(NamedTuple):
    """A row of ``cases``."""

    case_no: str
    conversation: bytes | None
    query_code: bytes
    phone_hash: bytes | None
    stage: str
    kind: str
    category: str
    unit: str
    source: str
    region: str
    created_at: int
    deadline_at: int | None
    check_at: int | None
    profile_version: str
    rev: int
    head: bytes
    body: bytes


class EventRow(NamedTuple):
    """A row of ``case_event``."""

    case_no: str
    seq: int
    id: bytes
    at: int
    verb: str
    before: str
    after: str
    body: bytes
    hash: bytes


class AlertRow(NamedTuple):
    """A row of ``alert``."""

    id: bytes
    at: int
    conversation: bytes
    kind: str
    word: str
    acknowledged_at: int | None


class NameRow(NamedTuple):
    """The case that a received message is about, by its name: what follows it in its thread finds the case."""

    account: str
    name: str
    case_no: str
    at: int


class BindingRow(NamedTuple):
    """A row of ``binding``."""

    conversation: bytes
    person: bytes
    at: int


class VoteRow(NamedTuple):
    """What is added to a row of ``knowledge_vote``."""

    entry: str
    helpful: int
    unhelpful: int


class GapRow(NamedTuple):
    """A row of ``knowledge_gap``; of one that is there already, what is added and when it was put last."""

    question: bytes
    asked: int
    first_at: int
    last_at: int
    body: bytes


class WishRow(NamedTuple):
    """A row of ``data_request``."""

    id: bytes
    at: int
    conversation: bytes
    kind: str
    state: str
    settled_at: int | None
    body: bytes


class WantedRow(NamedTuple):
    """A row of ``wanted``."""

    ref: str
    account: str
    conversation: bytes
    case_no: str
    state: str
    key: str
    reason: str
    tries: int
    next_at: int
    created_at: int
    body: bytes


class FiledRow(NamedTuple):
    """A file, by its key or the reference it is wanted by, that becomes a case's; ``owner`` has it until then."""

    case_no: str
    owner: str
    blob: str


class CaseChange(NamedTuple):
    """A case as it shall be, if its row still stands at ``seen`` (its rev when it was read)."""

    seen: int
    row: CaseRow


class Known(NamedTuple):
    """An inbox row met again, with the outgoing row that answers it."""

    id: bytes
    state: str
    reply: bytes | None
    out_state: str | None
    out_route: str | None
    out_attempts: int | None
    out_body: bytes | None


class DeskEventRow(NamedTuple):
    """A row of ``desk_event`` before it has its id."""

    at: int
    conversation: bytes | None
    kind: str
    owner: str
    epoch: int
    agent: bytes | None = None
    actor: bytes | None = None
    detail: str = ""
    note: bytes | None = None


class WaitRow(NamedTuple):
    """A conversation's place in the queue, lower is sooner; ``rank`` is None for one that left it."""

    conversation: bytes
    rank: int | None
    weight: int
    since: int


class HeardRow(NamedTuple):
    """A citizen's message to the person who has the conversation: when it came, and when an answer is due."""

    conversation: bytes
    at: int
    due_at: int


class RatedRow(NamedTuple):
    """What a citizen says of the service that began at ``began_at``; the first word counts."""

    score: int
    rated_at: int
    conversation: bytes
    began_at: int


@dataclass(slots=True)
class Rows:
    """All that one batch writes, in one commit.

    ``turned`` are inbox rows (state, error, reply, case_no, id) that were waiting; ``written`` are passive rows
    (id, sent_at) whose reply reached the network; ``released`` (id, next_at) are passive rows nobody took;
    ``claims`` (id, lease_until) are queued rows wanted for a passive reply. ``flight`` (id, lease_until, members) is the
    passive replies this batch gives, ``landed`` are flights that are over, ``doubted`` (id, lease_until) passive
    replies of a flight that were not seen to reach the network. ``before`` are the conversations as it found them.
    """

    inbox: list[InboxRow] = field(default_factory=list)
    turned: list[tuple[str, str, bytes | None, str, bytes]] = field(default_factory=list)
    new_conversations: list[ConversationRow] = field(default_factory=list)
    conversations: list[ConversationRow] = field(default_factory=list)
    talks: list[TalkRow] = field(default_factory=list)
    outgoing: list[OutgoingRow] = field(default_factory=list)
    replies: list[ReplyRow] = field(default_factory=list)
    written: list[tuple[bytes, int]] = field(default_factory=list)
    released: list[tuple[bytes, int]] = field(default_factory=list)
    claims: list[tuple[bytes, int]] = field(default_factory=list)
    flight: tuple[bytes, int, bytes] | None = None
    landed: list[bytes] = field(default_factory=list)
    doubted: list[tuple[bytes, int]] = field(default_factory=list)
    cases: list[CaseRow] = field(default_factory=list)
    changes: list[CaseChange] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    alerts: list[AlertRow] = field(default_factory=list)
    names: list[NameRow] = field(default_factory=list)
    bindings: list[BindingRow] = field(default_factory=list)
    spent: list[bytes] = field(default_factory=list)
    votes: list[VoteRow] = field(default_factory=list)
    gaps: list[GapRow] = field(default_factory=list)
    wishes: list[WishRow] = field(default_factory=list)
    wanted: list[WantedRow] = field(default_factory=list)
    filed: list[FiledRow] = field(default_factory=list)
    waits: list[WaitRow] = field(default_factory=list)
    heard: list[HeardRow] = field(default_factory=list)
    desk: list[DeskEventRow] = field(default_factory=list)
    rated: list[RatedRow] = field(default_factory=list)
    before: dict[bytes, ConversationRow] = field(default_factory=dict)
    _of_turns: tuple[list[Any], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._of_turns = tuple(getattr(self, name) for name in _OF_TURNS)

    def changed(self, case_no: str) -> CaseRow | None:
        """Return a case as another message of this batch has left it, None when none moved it."""
        return next((change.row for change in reversed(self.changes) if change.row.case_no == case_no), None)

    def settled(self) -> list[CaseChange]:
        """Return the changes with those of one case made one: from what was read first to what stands last."""
        if len({change.row.case_no for change in self.changes}) == len(self.changes):
            return self.changes
        made: dict[str, CaseChange] = {}
        for change in self.changes:
            first = made.get(change.row.case_no, change)
            made[change.row.case_no] = CaseChange(first.seen, change.row)
        return list(made.values())

    def voted(self) -> list[VoteRow]:
        """Return the votes with those of one entry added up, in the order of the entries.

        One order for all keeps batches that write at once from waiting for one another.
        """
        sums: dict[str, VoteRow] = {}
        for entry, helpful, unhelpful in self.votes:
            before = sums.get(entry, VoteRow(entry, 0, 0))
            sums[entry] = VoteRow(entry, before.helpful + helpful, before.unhelpful + unhelpful)
        return sorted(sums.values())

    def missed(self) -> list[GapRow]:
        """Return the gaps with those of one question added up, in the order of the questions."""
        sums: dict[bytes, GapRow] = {}
        for gap in self.gaps:
            before = sums.get(gap.question) or gap._replace(asked=0)
            sums[gap.question] = before._replace(asked=before.asked + gap.asked, last_at=gap.last_at)
        return sorted(sums.values())

    def lengths(self) -> tuple[int, ...]:
        """Return how much the turns of this batch have written so far."""
        return tuple(map(len, self._of_turns))

    def cut(self, lengths: tuple[int, ...]) -> None:
        """Forget what was written since ``lengths``."""
        for rows, length in zip(self._of_turns, lengths, strict=True):
            del rows[length:]

    def forget_turns(self) -> None:
        """Forget all but the marks of earlier batches, so that the turns can be taken anew."""
        self.cut((0,) * len(self._of_turns))
        self.claims.clear()


_OF_TURNS = (
    "inbox",
    "turned",
    "new_conversations",
    "conversations",
    "talks",
    "outgoing",
    "replies",
    "cases",
    "changes",
    "events",
    "alerts",
    "names",
    "bindings",
    "spent",
    "votes",
    "gaps",
    "wishes",
    "wanted",
    "filed",
    "waits",
    "heard",
    "desk",
    "rated",
)
"""What turns write; the rest are marks of earlier batches."""


class Conflict(Exception):
    """Somebody else wrote a row between this batch's reading and its writing; read again and retry."""


class Unsure(Conflict):
    """A batch that did not look for repeats must know of one; look, and decide it anew."""
