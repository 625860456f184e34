"""Around the citizen and the floor by HTTP: history, merging, the ladder against abuse, acts on many, the wall."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from gateway.desk.abuse import USUAL_HOURS, Ground, Level
from gateway.desk.bulk import MOST, TalkAct
from gateway.desk.cases import Wish
from gateway.desk.presence import State
from gateway.desk.rights import RIGHTS, Right
from gateway.desk.routing import CHAT
from gateway.runtime import instant, millis
from gateway.store import merges, wall
from gateway.web.desk.case_models import ID, NUMBER, STRICT, Listed, listed, local
from gateway.web.desk.cases import proved, staff
from gateway.web.desk.operations import Call, Operation, Reply, talk_id
from normalizer.case import OPEN, Verb

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.desk.abuse import Ladder, Step
    from gateway.desk.bulk import Bulk, Outcome
    from gateway.desk.history import History
    from gateway.desk.merge import Merging
    from gateway.desk.routing import Rules
    from gateway.store.store import Store

SOON = timedelta(hours=24)
"""A time limit that ends within this stands on the wall as near."""
NEAREST = 20
"""How many of those are named."""


class PastTalk(BaseModel):
    """Another talk of the citizen: ``bound`` when he proved it his, ``merge`` when an agent joined it."""

    id: str
    account: str
    owner: str
    last_at: datetime
    bound: bool
    merge: str | None


class StepShown(BaseModel):
    """One step of the ladder."""

    id: str
    talk: str
    level: int
    why: str
    state: str
    by: str
    approved_by: str
    at: datetime
    until: datetime | None
    note: str
    appealed: bool


class PastItem(BaseModel):
    """One thing of a history as a line: a case, or a talk."""

    at: datetime
    title: str
    case_no: str = ""
    stage: str = ""
    stage_label: str = ""
    talk: str = ""


class PastShown(BaseModel):
    """A citizen's history; ``items`` has both as lines, the newest first."""

    items: tuple[PastItem, ...]
    talks: tuple[PastTalk, ...]
    cases: tuple[Listed, ...]
    ladder: tuple[StepShown, ...]


class StepsShown(BaseModel):
    """Steps of the ladder: what waits for a supervisor, and what holds somebody off now."""

    items: tuple[StepShown, ...]


class NewStep(BaseModel):
    """A step of the ladder: the next one and its usual time, unless they are named; ``epoch`` is not needed."""

    model_config = STRICT

    kind: Ground
    level: Level | None = None
    hours: int | None = Field(default=None, ge=0, le=168)
    epoch: int | None = None
    note: str = Field(default="", max_length=500)


class Decision(BaseModel):
    """What a supervisor decides of a step, and why."""

    model_config = STRICT

    act: Literal["grant", "refuse", "lift", "uphold"]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class NewMerge(BaseModel):
    """What is joined to what: a case at its ``rev``, or a talk at its ``epoch``, where the page saw one."""

    model_config = STRICT

    kind: Literal["case", "talk"]
    one: str = Field(alias="from", pattern=f"{ID}|{NUMBER}")
    into: str = Field(pattern=f"{ID}|{NUMBER}")
    seen: int | None = None


class MergedShown(BaseModel):
    """A merge, and until when it can be taken apart."""

    id: str
    undo_until: datetime


class CaseAt(BaseModel):
    """A case as it was seen."""

    model_config = STRICT

    no: str = Field(pattern=NUMBER)
    rev: int


class Many(BaseModel):
    """One act on many talks, each at the epoch it was seen at, or one verb on many cases."""

    model_config = STRICT

    ids: tuple[str, ...] = Field(default=(), max_length=MOST)
    act: TalkAct | None = None
    epochs: dict[str, int] = Field(default={}, max_length=MOST)
    skill: str = Field(default="", max_length=40)
    cases: tuple[CaseAt, ...] = Field(default=(), max_length=MOST)
    verb: Verb | None = None
    reason: str = Field(default="", max_length=500)
    code: str = Field(default="", max_length=20)


class Went(BaseModel):
    """How it went with one; ``why`` is empty when it was done."""

    id: str
    why: str


class WentAll(BaseModel):
    """How it went with each."""

    items: tuple[Went, ...]


class QueueShown(BaseModel):
    """Who waits for a skill."""

    skill: str
    waiting: int
    oldest_since: datetime | None
    urgent: int
    online: int


class SeatShown(BaseModel):
    """An agent on the wall; ``load`` in chats."""

    id: str
    name: str
    state: State
    talks: int
    load: float
    capacity: int
    unanswered: int
    skills: tuple[str, ...]


class Near(BaseModel):
    """A case whose time limit is near or past; ``since`` is that limit, ``id`` its talk."""

    case_no: str
    id: str | None
    state: Literal["soon", "late"]
    since: datetime


class ServiceShown(BaseModel):
    """What citizens say of today's services: how many were asked, rated, and rated 3 or more of 5."""

    asked: int
    rated: int
    satisfied: int


class WallShown(BaseModel):
    """The figures of the wall; ``late`` and ``soon`` are of cases, ``held`` of talks that a person has."""

    at: datetime
    waiting: int
    oldest_since: datetime | None
    held: int
    online: int
    late: int
    soon: tuple[Near, ...]
    queues: tuple[QueueShown, ...]
    talks: dict[str, int]
    agents: tuple[SeatShown, ...]
    cases_late: int
    cases_soon: int
    alerts: int
    service: ServiceShown


@dataclass(frozen=True, slots=True)
class People:
    """The operations around the citizen and the floor."""

    store: Store
    history: History
    merging: Merging
    ladder: Ladder
    bulk: Bulk
    rules: Rules
    now: Callable[[], datetime]

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations."""
        return (
            Operation("GET", "/citizens/{talk}/history", self.past, Right.READ_TALKS),
            Operation("POST", "/talks/{id}/abuse", self.mark, Right.MARK_ABUSE, body=NewStep),
            Operation("GET", "/abuse", self.to_review, Right.APPROVE_ABUSE),
            Operation("POST", "/abuse/{id}", self.decide, Right.APPROVE_ABUSE, body=Decision),
            Operation("POST", "/merge", self.merge, Right.ACT_ON_CASES, body=NewMerge),
            Operation("POST", "/merge/{id}/undo", self.unmerge, Right.ACT_ON_CASES),
            Operation("POST", "/bulk", self.many, Right.ACT_ON_CASES, body=Many),
            Operation("GET", "/wall", self.figures, Right.SEE_WALL, idle=True),
        )

    async def past(self, call: Call) -> Reply:
        """Answer the history beside a talk."""
        talk, now = talk_id(call.named("talk")), self.now()
        past, steps = await self.history.of(talk), await self.ladder.of(talk)
        talks = tuple(
            PastTalk(
                id=each.id.hex(),
                account=each.account,
                owner=each.owner,
                last_at=local(instant(each.last_at)),
                bound=each.bound,
                merge=each.merge.hex() if each.merge else None,
            )
            for each in past.talks
        )
        cases = tuple(listed(case, now) for case in past.cases)
        items = (
            *(
                PastItem(
                    at=case.created_at,
                    title=case.title,
                    case_no=case.case_no,
                    stage=case.stage,
                    stage_label=case.stage_label,
                )
                for case in cases
            ),
            *(PastItem(at=each.last_at, title=each.account, talk=each.id) for each in talks),
        )
        newest = tuple(sorted(items, key=lambda item: item.at, reverse=True))
        return Reply(PastShown(items=newest, talks=talks, cases=cases, ladder=await self._steps(steps)))

    async def mark(self, call: Call, step: NewStep) -> Reply:
        """Take a step of the ladder."""
        talk = talk_id(call.named("id"))
        level = step.level or await self.ladder.next(talk)
        hours = USUAL_HOURS[level] if step.hours is None else step.hours
        work = self.ladder.mark(staff(call), talk, level, step.kind, hours=hours, note=step.note)
        return Reply((await self._steps((await work,)))[0], HTTPStatus.CREATED)

    async def to_review(self, call: Call) -> Reply:
        """Answer what waits for a supervisor, and what holds somebody off now."""
        return Reply(StepsShown(items=await self._steps(await self.ladder.open())))

    async def decide(self, call: Call, decision: Decision) -> Reply:
        """Decide a proposal or an appeal."""
        by, step, why = staff(call), talk_id(call.named("id")), decision.reason
        if decision.act == "lift":
            done = await self.ladder.lift(by, step, reason=why)
        elif decision.act == "uphold":
            done = await self.ladder.uphold(by, step, reason=why)
        else:
            done = await self.ladder.decide(by, step, granted=decision.act == "grant", reason=why)
        return Reply((await self._steps((done,)))[0])

    async def merge(self, call: Call, new: NewMerge) -> Reply:
        """Join a case or a talk to another."""
        by = staff(call)
        if new.kind == "case":
            merged = await proved(self.merging.cases(by, new.one, new.into, new.seen))
        else:
            merged = await self.merging.talks(by, talk_id(new.one), talk_id(new.into), new.seen)
        told = MergedShown(id=merged.id.hex(), undo_until=local(instant(merged.undo_until)))
        return Reply(told, HTTPStatus.CREATED)

    async def unmerge(self, call: Call) -> Reply:
        """Take a merge apart."""
        await proved(self.merging.undo(staff(call), talk_id(call.named("id"))))
        return Reply(status=HTTPStatus.NO_CONTENT)

    async def many(self, call: Call, many: Many) -> Reply:
        """Do one thing to many."""
        by = staff(call)
        done: list[Outcome] = []
        if many.act is not None:
            talks = [(talk_id(each), many.epochs.get(each, -1)) for each in many.ids]
            done += await self.bulk.talks(by, talks, many.act, many.skill)
        if many.verb is not None:
            wish = Wish(many.verb, reason=many.reason, code=many.code)
            done += await self.bulk.move(by, [(each.no, each.rev) for each in many.cases], wish)
        return Reply(WentAll(items=tuple(Went(id=each.id, why=each.why) for each in done)))

    async def figures(self, call: Call) -> Reply:
        """Answer the figures of the wall."""
        at = self.now()
        now, soon = millis(at), millis(at + SOON)
        roles = [role.value for role, rights in RIGHTS.items() if Right.REPLY in rights]
        stages = [stage.value for stage in OPEN]
        midnight = millis(local(at).replace(hour=0, minute=0, second=0, microsecond=0))
        queues, talks, seats, clock, near, said = await self.store.read(
            lambda c: (
                wall.queues(c),
                wall.owners(c),
                wall.seats(c, roles),
                wall.clock(c, stages, now, soon),
                wall.near(c, stages, soon, NEAREST),
                wall.service(c, midnight),
            )
        )
        agents = tuple(self._seat(each, now) for each in seats)
        here = [agent for agent in agents if agent.state is State.ONLINE]
        shown = tuple(_queue(each, here) for each in queues)
        return Reply(
            WallShown(
                at=local(at),
                waiting=talks.get("queued", 0),
                oldest_since=min((each.oldest_since for each in shown if each.oldest_since), default=None),
                held=sum(count for owner, count in talks.items() if owner != "queued"),
                online=len(here),
                late=clock.late,
                soon=tuple(
                    Near(
                        case_no=number,
                        id=talk.hex() if talk else None,
                        state="late" if due < now else "soon",
                        since=local(instant(due)),
                    )
                    for number, talk, due in near
                ),
                queues=shown,
                talks=talks,
                agents=agents,
                cases_late=clock.late,
                cases_soon=clock.soon,
                alerts=clock.alerts,
                service=ServiceShown(asked=said.asked, rated=said.rated, satisfied=said.satisfied),
            )
        )

    def _seat(self, seat: wall.Seat, now: int) -> SeatShown:
        if seat.until + self.rules.grace_ms <= now:
            state = State.OFFLINE
        else:
            state = State(seat.state) if seat.until > now else State.RECONNECTING
        return SeatShown(
            id=seat.id.hex(),
            name=seat.name,
            state=state,
            talks=seat.talks,
            load=seat.load / CHAT,
            capacity=seat.capacity,
            unanswered=seat.unanswered,
            skills=tuple(sorted(seat.skills.split())),
        )

    async def _steps(self, steps: tuple[Step, ...]) -> tuple[StepShown, ...]:
        who = {each.agent for each in steps} | {each.approver for each in steps if each.approver}
        names = await self.store.read(partial(merges.names, agents=list(who))) if who else {}
        return tuple(
            StepShown(
                id=each.id.hex(),
                talk=each.conversation.hex(),
                level=each.level.value,
                why=each.why.value,
                state=each.state,
                by=names.get(each.agent, ""),
                approved_by=names.get(each.approver, "") if each.approver else "",
                at=local(instant(each.at)),
                until=local(instant(each.until)) if each.until else None,
                note=each.note,
                appealed=each.appealed,
            )
            for each in steps
        )


def _queue(queue: wall.Queue, here: list[SeatShown]) -> QueueShown:
    skills = set(queue.skill.split())
    return QueueShown(
        skill=queue.skill,
        waiting=queue.waiting,
        oldest_since=local(instant(queue.oldest_at)) if queue.oldest_at else None,
        urgent=queue.urgent,
        online=sum(skills <= set(agent.skills) for agent in here),
    )
