"""Plays a dialogue script: what the citizen does, what the bot must say, what must be done.

A script is a title line ``# …`` and lines ``citizen: …``, ``photo:``, ``place: …``, ``click: KEY``, ``event: subscribe`` (or ``event: scan CODE``),
``wait: 25h``, ``case: stage [kind]`` (the citizen has such a case), ``queue: ahead=3 agents=0``, ``locked:``, ``bot: …``
(every piece between ``…`` must be said, in order; ``bot: -`` means silence) and ``effect: …`` (a kind of effect).
``effect: -`` is none at all, ``never: …`` must not be said, ``channel: 02`` is where the messages come from, and
``secret:`` or ``rework: 2`` make the last case confidential or reworked so often. Five wrong codes lock.
``sms number:`` is where codes are sent. A mail is ``mail: text`` (``\\n`` for a new line), with what was given before
it: ``subject:``, ``attached: file.pdf``, ``about: last`` (or a number), ``automatic:``, ``damaged:``,
``doubted:``. ``another's: stage``
is a case of somebody else that ``about: another`` proves. By SMS every reply is measured by segments.
``known: id|title|answer`` is what the knowledge base finds for every question, ``known: id?|…`` what is only near to it,
and after ``unknown:`` it finds nothing more. ``served:`` ends the service of a person and asks for its rating.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bots import service as service_rating
from bots.contract import (
    Act,
    AskAnswers,
    AskBind,
    AskBindCode,
    AskEntry,
    AskFound,
    AskNumber,
    AskOwn,
    AskProved,
    AskQueue,
    Bound,
    City,
    Facts,
    Found,
    Handoff,
    Known,
    Moment,
    NewNumber,
    Owner,
    QueueView,
    Submit,
    Turn,
    Unqueue,
)
from bots.router import turn
from bots.sms import units
from bots.state import State, dump, load
from bots.words_sms import FITS
from gateway.calendar import Calendar
from gateway.cases import service
from gateway.profile import load as load_profile
from normalizer import case_no
from normalizer.case import Case, Stage
from normalizer.codes import Kind
from normalizer.draft import draft
from normalizer.message import EventKind, InboundMessage, Part, PartKind, SourceChannel
from normalizer.text import han_count
from tests.kit.cases import a_case

PROFILES = load_profile(None)
CALENDAR = Calendar.of(PROFILES.current)
START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
CODE = "482913"
SERVED = 1_795_485_600_000
"""When the service began that ``served:`` ends."""


@dataclass
class Citizen:
    """One citizen with cases of his own, and the bot's memory of him."""

    now: datetime = START
    state: State = field(default_factory=State)
    owner: Owner = Owner.BOT
    cases: list[Case] = field(default_factory=list)
    queue: QueueView = field(default_factory=lambda: QueueView(0, 0))
    locked: bool = False
    source: SourceChannel = SourceChannel.WECHAT
    wrong_codes: int = 0
    sent: int = 0
    sender: str = "o1"
    letter: dict[str, Any] = field(default_factory=dict)
    files: list[Part] = field(default_factory=list)
    another: list[Case] = field(default_factory=list)
    city: City = PROFILES.city
    given_code: str = "135790"
    known: list[Known] = field(default_factory=list)

    def says(self, *parts: Part) -> Turn:
        """Send one message and carry out what the bot decides."""
        self.now += timedelta(seconds=20)
        self.sent += 1
        parts, self.files = (*parts, *self.files), []
        message = InboundMessage(
            "wx", self.sender, str(self.sent), self.source, self.now, self.now, parts, b"", **self.letter
        )
        self.letter = {}
        done = self._turn(message)
        _check(done, self.source)
        self.state = done.state
        for effect in done.effects:
            self._carry_out(effect)
        return done

    def _turn(self, message: InboundMessage) -> Turn:
        facts = Facts(self.owner, message.source.value, message.sender, doubted="doubted" in message.notes)
        reading = draft(message)
        for _ in range(4):
            # The memory goes through its stored form, as it does in the gateway.
            done = turn(load(dump(self.state)), reading, facts, Moment(self.now, self.city))
            if isinstance(done, Turn):
                return done
            facts = self._answered(done, facts)
        raise AssertionError("asks without end")

    def _answered(self, ask: object, facts: Facts) -> Facts:  # noqa: C901 - one case for each thing asked
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
                cases = (*self.cases, a_case(Stage.PROCESSING))
                known = next((case for case in cases if case.case_no == number), cases[-1])
                locked = self.locked or self.wrong_codes >= 5
                right = number == known.case_no and code == CODE and not locked
                self.wrong_codes += not right
                return replace(facts, found=Found(known if right else None, locked=locked))
            case AskProved(number):
                return replace(
                    facts, proved=tuple(c for c in (*self.cases, *self.another) if c.case_no == number)
                )
            case AskBindCode():
                return replace(facts, bind_code=self.given_code)
            case AskBind(code):
                locked = self.locked or self.wrong_codes >= 5
                right = code == self.given_code and not locked
                self.wrong_codes += not right
                return replace(facts, bound=Bound(right, locked))
            case AskAnswers():
                return replace(facts, answers=tuple(self.known))
            case AskEntry(entry):
                return replace(facts, answers=tuple(k for k in self.known if k.entry == entry))
            case _:
                raise AssertionError(ask)

    def _carry_out(self, effect: object) -> None:
        match effect:
            case Submit():
                moved = service.submit(
                    effect,
                    source=self.source.value,
                    message_id="m",
                    profile=PROFILES.current,
                    calendar=CALENDAR,
                    now=self.now,
                )
                self.cases.append(moved.case)
            case Act(number, rev, command):
                cases = self.cases if any(case.case_no == number for case in self.cases) else self.another
                at = [case.case_no for case in cases].index(number)
                assert cases[at].rev == rev
                cases[at] = service.act(cases[at], command, PROFILES.current, CALENDAR, self.now).case
            case Handoff():
                self.owner = Owner.QUEUED
            case Unqueue():
                self.owner = Owner.BOT
            case _:
                pass


def _check(done: Turn, source: SourceChannel) -> None:
    """Hold every reply to the limits of domain.md 4.1, by SMS to one segment (4.4); a letter is a letter."""
    longest = 60 if done.state.elderly else 120
    if source is SourceChannel.EMAIL:
        longest = LETTER
        assert len(done.replies) <= 1, done.replies
    if source is SourceChannel.SMS and done.state.lang == "zh":
        for reply in done.replies:
            assert units(reply) <= FITS or _LONGER.search(reply), f"more than a segment: {reply}"
    for reply in done.replies:
        assert han_count(reply) <= (ANSWER if _UPDATED.search(reply) else longest), f"too long: {reply}"
        assert "{" not in reply, f"a value is missing: {reply}"


_UPDATED = re.compile(r"更新：|\d更新）")
"""Answers of the knowledge base say when they were written."""
ANSWER = 360
"""Chinese characters of an answer with its source (domain.md 4.2)."""
_LONGER = re.compile(r"回序号|，答复：|\d更新）")
"""Lists of cases, the unit's own answer, and answers of the knowledge base (``bots.words_sms.LONGER``)."""
LETTER = 260


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
    return [
        (f"{path.stem}: {block.splitlines()[0].removeprefix('# ')}", block)
        for path in sorted(folder.glob("*.txt"))
        for block in re.split(r"\n(?=# )", path.read_text("utf-8").strip())
    ]


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
    if expected == "-":
        assert not effects, f"{line}\nbut there was: {effects}"
        return
    name, *pieces = expected.split()
    wanted = [
        effect for effect in effects if effect.startswith(name) and all(piece in effect for piece in pieces)
    ]
    assert wanted, f"{line}\nbut there was: {effects}"


def _no_effect(done: Turn, expected: str, line: str) -> None:
    assert not any(type(effect).__name__ == expected for effect in done.effects), line


def _never(done: Turn, expected: str, line: str) -> None:
    assert expected not in "\n".join(done.replies), f"{line}\nbut the bot said: {done.replies}"


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
    citizen.queue = QueueView(int(values["ahead"]), int(values["agents"]), full="full" in values)


def _secret(citizen: Citizen, rest: str) -> None:
    citizen.cases[-1] = replace(citizen.cases[-1], secret=True)


def _rework(citizen: Citizen, rest: str) -> None:
    citizen.cases[-1] = replace(citizen.cases[-1], rework_round=int(rest))


def _channel(citizen: Citizen, rest: str) -> None:
    citizen.source = SourceChannel(rest)
    senders = {SourceChannel.SMS: "13812345678", SourceChannel.EMAIL: "zhang@example.com"}
    citizen.sender = senders.get(citizen.source, "o1")


def _about(citizen: Citizen, rest: str) -> None:
    named = {"last": citizen.cases, "another": citizen.another}.get(rest)
    citizen.letter["about"] = named[-1].case_no if named else rest


def _anothers(citizen: Citizen, rest: str) -> None:
    citizen.another.append(a_case(Stage(rest)))


def _sms_number(citizen: Citizen, rest: str) -> None:
    citizen.city = replace(citizen.city, sms_number=rest)


def _mailbox(citizen: Citizen, rest: str) -> None:
    citizen.city = replace(citizen.city, mailbox=rest)


def _ended(citizen: Citizen, rest: str) -> None:
    citizen.cases[-1] = replace(citizen.cases[-1], ended_at=citizen.now)


def served(citizen: Citizen) -> None:
    """A person's service ends, and the desk asks for its rating."""
    citizen.now += timedelta(seconds=20)
    citizen.owner = Owner.CLOSED
    citizen.state = service_rating.asked(citizen.state, SERVED, citizen.now)


def _event(rest: str) -> Part:
    kind, _, key = rest.partition(" ")
    return Part(PartKind.EVENT, event=EventKind(kind), key=key)


def _known(citizen: Citizen, rest: str) -> None:
    entry, title, short = rest.split("|")
    known = Known(
        entry.rstrip("?"), title, short, "社会保险法第二条", "示例", START.date(), sure="?" not in entry
    )
    citizen.known.append(known)


_EXPECT: dict[str, Callable[[Turn, str, str], None]] = {
    "bot": _bot,
    "effect": _effect,
    "no effect": _no_effect,
    "never": _never,
}
_GIVEN: dict[str, Callable[[Citizen, str], None]] = {
    "wait": _wait,
    "case": _case,
    "queue": _queue,
    "secret": _secret,
    "rework": _rework,
    "channel": _channel,
    "sender": lambda citizen, rest: setattr(citizen, "sender", rest),
    "subject": lambda citizen, rest: citizen.letter.__setitem__("subject", rest),
    "about": _about,
    "automatic": lambda citizen, rest: citizen.letter.__setitem__("automatic", True),
    "doubted": lambda citizen, rest: citizen.letter.__setitem__("notes", {"doubted": "x"}),
    "damaged": lambda citizen, rest: citizen.letter.__setitem__("damaged", True),
    "attached": lambda citizen, rest: citizen.files.append(Part(PartKind.FILE, name=rest, blob=rest)),
    "another's": _anothers,
    "sms number": _sms_number,
    "mailbox": _mailbox,
    "ended": _ended,
    "known": _known,
    "unknown": lambda citizen, rest: citizen.known.clear(),
    "locked": lambda citizen, rest: setattr(citizen, "locked", True),
    "served": lambda citizen, rest: served(citizen),
}
_PARTS: dict[str, Callable[[str], Part]] = {
    "citizen": lambda rest: Part(PartKind.TEXT, text=rest),
    "mail": lambda rest: Part(PartKind.TEXT, text=rest.replace("\\n", "\n")),
    "photo": lambda rest: Part(PartKind.IMAGE, media_id="photo" + rest),
    "voice": lambda rest: Part(PartKind.VOICE, media_id="voice" + rest),
    "place": lambda rest: Part(PartKind.PLACE, text=rest, lon=117.1, lat=36.2),
    "click": lambda rest: Part(PartKind.EVENT, event=EventKind.CLICK, key=rest),
    "event": _event,
}
