"""Plays a dialogue script: what the citizen does, what the bot must say, what must be done.

A script is a title line ``# …`` and lines ``citizen: …``, ``photo:``, ``place: …``, ``click: KEY``, ``event: subscribe``,
``wait: 25h``, ``case: stage [kind]`` (the citizen has such a case), ``queue: ahead=3 agents=0``, ``locked:``, ``bot: …``
(every piece between ``…`` must be said, in order; ``bot: -`` means silence) and ``effect: …`` (a kind of effect).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bots.contract import (
    Act,
    AskFound,
    AskNumber,
    AskOwn,
    AskQueue,
    Facts,
    Found,
    Handoff,
    Moment,
    NewNumber,
    Owner,
    QueueView,
    Submit,
    Turn,
    Unqueue,
)
from bots.router import turn
from bots.state import State, dump, load
from gateway.calendar import Calendar
from gateway.cases import service
from gateway.profile import load as load_profile
from normalizer import case_no
from normalizer.case import Case, Stage
from normalizer.codes import Kind
from normalizer.draft import draft
from normalizer.message import EventKind, InboundMessage, Part, PartKind, SourceChannel
from tests.kit.cases import a_case

PROFILES = load_profile(None)
CALENDAR = Calendar.of(PROFILES.current)
START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
CODE = "482913"


@dataclass
class Citizen:
    """One citizen with cases of his own, and the bot's memory of him."""

    now: datetime = START
    state: State = field(default_factory=State)
    owner: Owner = Owner.BOT
    cases: list[Case] = field(default_factory=list)
    queue: QueueView = field(default_factory=lambda: QueueView(0, 0))
    locked: bool = False
    sent: int = 0

    def says(self, *parts: Part) -> Turn:
        """Send one message and carry out what the bot decides."""
        self.now += timedelta(seconds=20)
        self.sent += 1
        message = InboundMessage(
            "wx", "o1", str(self.sent), SourceChannel.WECHAT, self.now, self.now, parts, b""
        )
        done = self._turn(message)
        self.state = done.state
        for effect in done.effects:
            self._carry_out(effect)
        return done

    def _turn(self, message: InboundMessage) -> Turn:
        reading, facts = draft(message), Facts(owner=self.owner, source=message.source.value)
        for _ in range(4):
            # The memory goes through its stored form, as it does in the gateway.
            done = turn(load(dump(self.state)), reading, facts, Moment(self.now, PROFILES.city))
            if isinstance(done, Turn):
                return done
            facts = self._answered(done, facts)
        raise AssertionError("asks without end")

    def _answered(self, ask: object, facts: Facts) -> Facts:
        match ask:
            case AskOwn():
                newest = sorted(self.cases, key=lambda case: case.created_at, reverse=True)
                return replace(facts, own=tuple(newest[:5]))
            case AskNumber():
                number = case_no.make("370900", date(2026, 11, 24), len(self.cases) + 1)
                return replace(facts, number=NewNumber(number, CODE))
            case AskQueue():
                return replace(facts, queue=self.queue)
            case AskFound(number, code):
                known = a_case(Stage.PROCESSING)
                right = number == known.case_no and code == CODE and not self.locked
                return replace(facts, found=Found(known if right else None, locked=self.locked))
            case _:
                raise AssertionError(ask)

    def _carry_out(self, effect: object) -> None:
        match effect:
            case Submit():
                moved = service.submit(
                    effect,
                    source="05",
                    message_id="m",
                    profile=PROFILES.current,
                    calendar=CALENDAR,
                    now=self.now,
                )
                self.cases.append(moved.case)
            case Act(number, rev, command):
                at = [case.case_no for case in self.cases].index(number)
                assert self.cases[at].rev == rev
                self.cases[at] = service.act(
                    self.cases[at], command, PROFILES.current, CALENDAR, self.now
                ).case
            case Handoff():
                self.owner = Owner.QUEUED
            case Unqueue():
                self.owner = Owner.BOT
            case _:
                pass


def play(script: str) -> None:
    """Play a script to its end."""
    citizen, done = Citizen(), Turn(State())
    for line in script.strip().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        what, _, rest = (part.strip() for part in line.partition(":"))
        if what in _EXPECT:
            _EXPECT[what](done, rest, line)
        elif what in _GIVEN:
            _GIVEN[what](citizen, rest)
        else:
            done = citizen.says(_PARTS[what](rest))


def scripts(folder: Path) -> list[tuple[str, str]]:
    """Return (title, script) of every dialogue in a folder."""
    found = []
    for path in sorted(folder.glob("*.txt")):
        blocks = re.split(r"\n(?=# )", path.read_text("utf-8").strip())
        found += [(f"{path.stem}: {block.splitlines()[0].removeprefix('# ')}", block) for block in blocks]
    return found


def _bot(done: Turn, expected: str, line: str) -> None:
    said = "\n".join(done.replies)
    if expected == "-":
        assert not said, f"{line}\nbut the bot said: {said}"
        return
    at = 0
    for piece in filter(None, (piece.strip() for piece in expected.split("…"))):
        found = said.find(piece, at)
        assert found >= 0, f"{line}\nbut the bot said: {said or '(nothing)'}"
        at = found + len(piece)


def _effect(done: Turn, expected: str, line: str) -> None:
    effects = [str(effect) for effect in done.effects]
    name, *pieces = expected.split()
    wanted = [
        effect for effect in effects if effect.startswith(name) and all(piece in effect for piece in pieces)
    ]
    assert wanted, f"{line}\nbut there was: {effects}"


def _no_effect(done: Turn, expected: str, line: str) -> None:
    assert not any(type(effect).__name__ == expected for effect in done.effects), line


def _wait(citizen: Citizen, rest: str) -> None:
    citizen.now += timedelta(hours=float(rest.removesuffix("h")))


def _case(citizen: Citizen, rest: str) -> None:
    stage, *kind = rest.split()
    made = a_case(Stage(stage), Kind[kind[0].upper()] if kind else Kind.HELP)
    number = case_no.make("370900", date(2026, 11, 20), len(citizen.cases) + 1)
    finished = citizen.now if made.finished_at else None
    citizen.cases.append(replace(made, case_no=number, finished_at=finished))


def _queue(citizen: Citizen, rest: str) -> None:
    values = dict(pair.split("=") for pair in rest.split())
    citizen.queue = QueueView(int(values["ahead"]), int(values["agents"]))


def _event(rest: str) -> Part:
    return Part(PartKind.EVENT, event=EventKind(rest))


_EXPECT = {"bot": _bot, "effect": _effect, "no effect": _no_effect}
_GIVEN = {
    "wait": _wait,
    "case": _case,
    "queue": _queue,
    "locked": lambda citizen, rest: setattr(citizen, "locked", True),
}
_PARTS = {
    "citizen": lambda rest: Part(PartKind.TEXT, text=rest),
    "photo": lambda rest: Part(PartKind.IMAGE, media_id="photo" + rest),
    "voice": lambda rest: Part(PartKind.VOICE, media_id="voice" + rest),
    "place": lambda rest: Part(PartKind.PLACE, text=rest, lon=117.1, lat=36.2),
    "click": lambda rest: Part(PartKind.EVENT, event=EventKind.CLICK, key=rest),
    "event": _event,
}
