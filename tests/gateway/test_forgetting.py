"""Talks whose time is over are forgotten, whole; what a case or a decision holds is kept, and so are the figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text, update

from gateway import doctor
from gateway.cases.book import chain
from gateway.desk.abuse import Ground, Ladder, Level
from gateway.desk.rights import Role
from gateway.forgetting import Forgetting
from gateway.media.intake import Claim
from gateway.media.retention import Spans
from gateway.runtime import Ids, millis
from gateway.store import audit, follows, lists, requests, wall
from gateway.store import forgetting as sql
from gateway.store import media as media_rows
from gateway.store.tables import (
    ACCESS,
    ALERT,
    BINDING,
    CASES,
    CONVERSATION,
    DESK_EVENT,
    INBOX,
    KNOWLEDGE_GAP,
    MEDIA,
    OUTGOING,
    SEARCH_DOC,
    SEARCH_GRAM,
    SERVICE_RATING,
)
from normalizer.case import Command, Stage, Verb
from normalizer.message import Address
from outbox.tables import ATTEMPT, SENT_AS
from tests.kit import media
from tests.kit.cases import AGENT, STEPS
from tests.kit.gateway import Hand, Person, running, settings
from tests.kit.process import configure, jiesu
from tests.kit.staff import staff, taken, talk_of

pytestmark = pytest.mark.usefixtures("alone")

PHONE = "13812345678"


async def test_a_talk_without_a_case_is_forgotten_whole_after_its_time_and_not_before(
    gateway, person, clock, forgetting
):
    await person.says("你好")
    await _file(gateway, (await talk_of(gateway, person)).conversation)
    await gateway.indexing.catch_up()
    await _later(gateway, clock, days=179)
    assert set((await forgetting.all()).values()) == {0}
    assert await _counts(gateway, INBOX, OUTGOING, CONVERSATION, MEDIA) == [1, 1, 1, 1]
    await _later(gateway, clock, days=2)
    over = _only(inbox=1, outgoing=1, talks=1)
    due = await forgetting.due()
    assert due == over | {"found": 1, "grams": due["grams"]}
    assert await _gone(forgetting) == over
    assert await _counts(gateway, INBOX, OUTGOING, CONVERSATION, ATTEMPT, SENT_AS) == [0] * 5
    assert [row.kind for row in await _rows(gateway, SEARCH_DOC)] == ["file"]
    await gateway.media.retention.forget()
    assert await forgetting.only("grams") > 0
    assert await _counts(gateway, MEDIA, SEARCH_DOC, SEARCH_GRAM) == [0, 0, 0]


async def test_whoever_comes_back_after_all_was_forgotten_is_greeted_as_a_stranger(
    gateway, person, clock, forgetting
):
    first = await person.says("你好")
    second = await person.says("你好")
    await _later(gateway, clock, days=181)
    await forgetting.all()
    assert await person.says("你好") == first != second


async def test_of_a_talk_that_goes_on_the_old_lines_go_and_the_talk_stays(gateway, person, clock, forgetting):
    await person.says("你好")
    await _later(gateway, clock, days=181)
    await person.says("你好")
    assert await _gone(forgetting) == _only(inbox=1, outgoing=1)
    assert await _counts(gateway, INBOX, OUTGOING, CONVERSATION) == [1, 1, 1]


async def test_what_led_to_a_case_stays_as_long_as_its_record_and_what_was_said_years_after_does_not(
    gateway, person, clock, forgetting
):
    number = await person.reports()
    await gateway.office.act(number, Command(Verb.WITHDRAW, AGENT, reason="已自行解决"))
    led = await _counts(gateway, INBOX, OUTGOING)
    await _later(gateway, clock, days=400)
    await person.says("你好")
    await _later(gateway, clock, days=181)
    gone = await _gone(forgetting)
    assert gone == _only(inbox=1, outgoing=1)
    assert await _counts(gateway, INBOX, OUTGOING) == led
    await _later(gateway, clock, days=3650)
    gone = await _gone(forgetting)
    assert (gone["inbox"], gone["outgoing"], gone["cases"], gone["talks"]) == (*led, 1, 1)
    assert await _counts(gateway, INBOX, OUTGOING, CONVERSATION) == [0, 0, 0]


async def test_an_open_case_holds_its_talk_however_old(gateway, person, clock, forgetting):
    await person.reports()
    before = await _counts(gateway, INBOX, OUTGOING, CONVERSATION)
    await _later(gateway, clock, days=9000)
    assert await _gone(forgetting) == _only()
    assert await _counts(gateway, INBOX, OUTGOING, CONVERSATION) == before


async def test_a_supplement_from_another_talk_stays_with_the_case_that_it_names(
    gateway, person, clock, forgetting
):
    number = await person.reports()
    other = Person(gateway, clock, user="oOther")
    await other.says("你好")
    name = partial(_named, number=number, talk=(await talk_of(gateway, other)).conversation)
    await gateway.books.store.write(name)
    await _later(gateway, clock, days=181)
    assert await _gone(forgetting) == _only()


@pytest.mark.parametrize("way", ["proposed", "appealed", "evidence", "wish", "at work", "waiting"])
async def test_what_somebody_has_yet_to_decide_or_to_do_holds_the_talk(
    gateway, person, clock, forgetting, way
):
    await person.says("你好")
    conversation = (await talk_of(gateway, person)).conversation
    release = await HOLDS[way](gateway, person, clock, conversation)
    await _later(gateway, clock, days=181)
    assert await _gone(forgetting) == _only()
    await release()
    await _later(gateway, clock, days=181)
    gone = await _gone(forgetting)
    assert (gone["inbox"] > 0, gone["talks"]) == (True, 1)


async def test_who_wishes_no_messages_is_not_forgotten_as_such(gateway, person, clock, forgetting):
    await person.says("你好")
    await gateway.books.store.write(lambda c: c.execute(update(CONVERSATION).values(opted_out=True)))
    await _later(gateway, clock, days=181)
    assert await _gone(forgetting) == _only(inbox=1, outgoing=1)


async def test_an_answer_on_its_way_and_its_talk_are_not_forgotten(gateway, person, clock, forgetting):
    await person.says("你好")
    await _later(gateway, clock, days=181)
    later = update(OUTGOING).values(state="queued", next_at=millis(clock()) + 10**9)
    await gateway.books.store.write(lambda c: c.execute(later))
    assert await _gone(forgetting) == _only(inbox=1)


@pytest.mark.parametrize("way", ["proved his telephone", "follows a case"])
async def test_a_silent_talk_stays_while_its_person_relies_on_it(gateway, person, clock, forgetting, way):
    await person.says("你好")
    talk = (await talk_of(gateway, person)).conversation
    clock.wait(days=170)
    if way == "follows a case":
        await gateway.books.store.write(partial(follows.add, case_no="1", conversation=talk, at=0))
    else:
        await gateway.office.bind(Address("wx", "oUser"), PHONE)
    await _later(gateway, clock, days=11)
    gone = await _gone(forgetting)
    assert (gone["inbox"], gone["talks"]) == (1, 0)


async def test_an_alert_that_nobody_has_looked_after_still_leads_to_its_talk(
    gateway, person, clock, forgetting
):
    await person.says("煤气泄漏了，救命")
    await gateway.books.store.write(_owner("closed"))
    await _later(gateway, clock, days=181)
    assert (await forgetting.all())["alerts"] == 0
    await _closed(gateway, clock)
    assert [(await forgetting.all())["alerts"]] == await _counts(gateway, ALERT)


async def test_a_bound_talk_stays_while_a_case_of_its_person_does(gateway, person, clock, forgetting):
    number = await person.reports()
    other = Person(gateway, clock, user="oOther")
    await other.says("你好")
    for user in ("oUser", "oOther"):
        await gateway.office.bind(Address("wx", user), PHONE)
    await _later(gateway, clock, days=181)
    await forgetting.all()
    assert await _counts(gateway, BINDING) == [2]
    assert [
        case.case_no for case in await gateway.lookup.own((await talk_of(gateway, other)).conversation)
    ] == [number]


async def test_the_figures_are_the_same_before_and_after_but_nobody_is_in_them(
    gateway, person, clock, forgetting
):
    li = await staff(gateway)
    await taken(gateway, person, li)
    talk = await talk_of(gateway, person)
    await gateway.desk.note(li.id, talk.conversation, "他住在东岳大街88号")
    await person.says("煤气泄漏了，救命")
    await _rated(gateway, talk.conversation, li.id, clock)
    await _closed(gateway, clock)
    await _later(gateway, clock, days=181)
    before = await _figures(gateway)
    await forgetting.all()
    assert await _figures(gateway) == before
    events = [row for row in await _rows(gateway, DESK_EVENT) if row.conversation is not None]
    talks = {row.conversation for row in events}
    assert {row.conversation for row in await _rows(gateway, SERVICE_RATING)} == talks
    assert len(talks) == 1
    assert talk.conversation not in talks
    assert {row.note for row in events} == {None}
    assert await _counts(gateway, CONVERSATION) == [0]


async def test_a_wish_to_be_deleted_goes_the_same_way_at_once_and_leaves_what_a_case_holds(
    gateway, person, clock, forgetting
):
    other = Person(gateway, clock, user="oOther")
    await other.says("你好")
    number = await person.reports()
    kept = await _counts(gateway, INBOX)
    assert await _gone(forgetting) == _only()
    for who in (person, other):
        await _erased(gateway, (await talk_of(gateway, who)).conversation, clock)
    await _later(gateway, clock, minutes=1)
    assert (await forgetting.due())["inbox"] == 1
    assert await forgetting.some()
    while (mark := await forgetting.last()) and mark.ended_at is None:
        await forgetting.some()
    assert forgetting.gone["inbox"] + forgetting.gone["outgoing"] + forgetting.gone["talks"] == 3
    assert await _counts(gateway, INBOX, CONVERSATION) == [kept[0] - 1, 1]
    assert await gateway.lookup.case(number) is not None
    assert not await forgetting.some()


async def test_a_closed_case_is_archived_when_its_files_go_and_its_record_lasts_no_longer_for_it(
    gateway, person, clock, forgetting
):
    number = await _course(gateway, person, Stage.CLOSED)
    other = await _course(gateway, Person(gateway, clock, user="oOther"), Stage.VISITED)
    await _keeps(gateway, number)
    await _keeps(gateway, other)
    await _later(gateway, clock, days=1094)
    gone = await _gone(forgetting)
    assert (gone["files"], gone["archived"]) == (0, 0)
    await _later(gateway, clock, days=2)
    gone = await _gone(forgetting)
    assert (gone["files"], gone["archived"]) == (1, 1)
    assert await gateway.media.retention.forget() == 1
    assert [row.owner for row in await _rows(gateway, MEDIA)] == [other]
    *_, last = await gateway.lookup.log(number)
    assert (last.verb, last.after, last.at) == (Verb.ARCHIVE, Stage.ARCHIVED, clock())
    case = await gateway.lookup.case(number)
    assert (case.stage, case.complainant.phone) == (Stage.ARCHIVED, PHONE)
    assert await gateway.books.store.read(lambda c: list(audit.breaches(c, chain))) == []
    assert (await _gone(forgetting))["archived"] == 0
    await _later(gateway, clock, days=3649 - 1096)
    assert (await _gone(forgetting))["cases"] == 0
    await _later(gateway, clock, days=2)
    assert (await _gone(forgetting))["cases"] == 1
    assert (await gateway.lookup.case(number)).complainant.phone == ""


async def test_a_log_of_who_looked_and_a_question_without_answer_end(gateway, clock, forgetting):
    write, at = gateway.books.store.write, clock()
    await write(
        partial(
            lists.looked,
            row_id=Ids(lambda: millis(at) * 1_000_000)(),
            at=millis(at),
            actor="li",
            act="show",
            subject="1",
        )
    )
    gap = KNOWLEDGE_GAP.insert().values(question=b"q" * 16, asked=2, first_at=1, last_at=millis(at), body=b"")
    await write(lambda c: c.execute(gap))
    for days, left in ((179, [1, 1]), (2, [1, 0]), (913, [1, 0]), (2, [0, 0])):
        await _later(gateway, clock, days=days)
        gone = await _gone(forgetting)
        assert (await _counts(gateway, ACCESS, KNOWLEDGE_GAP)) == left
    assert gone == _only(accesses=1)


async def test_a_record_that_is_over_keeps_its_figures_and_says_nothing_of_anybody(
    gateway, person, clock, forgetting
):
    number = await person.reports()
    await gateway.office.act(number, Command(Verb.WITHDRAW, AGENT, reason="李四说已自行解决"))
    (before,) = await _rows(gateway, CASES)
    log = await gateway.lookup.log(number)
    await _later(gateway, clock, days=3651)
    assert (await forgetting.all())["cases"] == 1
    (after,) = await _rows(gateway, CASES)
    same = ("case_no", "stage", "kind", "category", "unit", "source", "region", "created_at", "deadline_at")
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    assert (after.conversation, after.phone_hash) == (None, None)
    assert after.query_code != before.query_code
    told = [(event.verb, event.at, event.before, event.after) for event in log]
    left = await gateway.lookup.log(number)
    assert [(event.verb, event.at, event.before, event.after) for event in left] == told
    case = await gateway.lookup.case(number)
    for word in ("李四", PHONE, "东岳大街", "井盖", "oUser"):
        assert word not in repr(case)
        assert word not in repr(left)
    assert await gateway.books.store.read(lambda c: list(audit.breaches(c, chain))) == []
    assert (await forgetting.all())["cases"] == 0


async def test_the_log_of_an_anonymous_case_is_closed_again_and_every_other_stays_closed(
    gateway, person, clock, forgetting
):
    number = await person.reports()
    await gateway.office.act(number, Command(Verb.WITHDRAW, AGENT, reason="已自行解决"))
    await _later(gateway, clock, days=3651)
    await forgetting.all()
    await _later(gateway, clock, days=1)
    other = await Person(gateway, clock, user="oOther").reports()
    for case_no in (number, other):
        change = text("UPDATE case_event SET body = :body WHERE case_no = :case_no")
        with pytest.raises(Exception, match="append-only"):
            await gateway.books.store.write(partial(_executed, statement=change, body=b"x", case_no=case_no))
    with pytest.raises(Exception, match="append-only"):
        await gateway.books.store.write(partial(_executed, statement=text("DELETE FROM case_event")))


async def test_a_pass_goes_on_where_a_kill_left_it_and_two_processes_share_it(
    gateway, clock, forgetting, monkeypatch
):
    monkeypatch.setattr(sql, "LOOKED_AT", 4)
    for number in range(20):
        await Person(gateway, clock, user=f"o{number}").says("你好")
    await _later(gateway, clock, days=181)
    others = [_forgetting(gateway, clock), _forgetting(gateway, clock)]
    for each in (forgetting, *others):
        each._walks = {name: replace(walk, most=3) for name, walk in each._walks.items()}
    assert await forgetting.some()
    for _ in range(3):
        await forgetting.some()
    (left,) = await _counts(gateway, INBOX)
    assert 0 < left < 20
    while (mark := await others[0].last()) and mark.ended_at is None:
        for each in others:
            await each.some()
    gone = sum((each.gone for each in (forgetting, *others)), Counter())
    assert [gone[table] for table in ("inbox", "outgoing", "talks")] == [20, 20, 20]
    assert await _counts(gateway, INBOX, OUTGOING, CONVERSATION) == [0, 0, 0]


async def test_a_portion_that_another_process_has_done_is_not_done_again(gateway, person, clock, forgetting):
    await person.says("你好")
    await _later(gateway, clock, days=181)
    await forgetting.some()
    seen = await forgetting.last()
    await forgetting.some()
    assert await forgetting._step(seen) == 0


async def test_what_a_case_takes_up_between_the_look_and_the_commit_is_not_forgotten(
    gateway, person, clock, forgetting
):
    await person.says("你好")
    await _later(gateway, clock, days=181)
    walk, limits = forgetting._walks["inbox"], forgetting._limits()
    read, write = gateway.books.store.read, gateway.books.store.write
    look = partial(sql.portion, walk=walk, after=b"", limits=limits, through=limits.talks)
    found = await read(look)
    assert len(found.keys) == 1
    await write(_owner("agent"))
    assert await write(partial(sql.let_go, walk=walk, keys=found.keys, limits=limits)) == 0
    assert await _counts(gateway, INBOX) == [1]


async def test_a_walk_in_order_of_time_looks_no_further_than_what_is_too_new(
    gateway, person, clock, forgetting, monkeypatch
):
    monkeypatch.setattr(sql, "LOOKED_AT", 1)
    for _ in range(3):
        await person.says("你好")
    limits = forgetting._limits()
    for name, last in (("inbox", True), ("wanted", True), ("talks", False)):
        look = partial(
            sql.portion, walk=forgetting._walks[name], after=b"", limits=limits, through=limits.talks
        )
        assert (await gateway.books.store.read(look)).last is last


async def test_the_next_pass_comes_a_day_after_the_last(gateway, clock, forgetting):
    await forgetting.all()
    assert not await forgetting.some()
    await _later(gateway, clock, hours=23)
    assert not await forgetting.some()
    await _later(gateway, clock, hours=2)
    assert await forgetting.some()


async def test_the_command_says_what_is_over_and_forgets_it_and_the_doctor_when_nobody_did(
    database, tmp_path
):
    config = configure(tmp_path, database)
    long_ago = Hand(datetime.now(UTC) - timedelta(days=181))
    async with running(settings(database, tmp_path), clock=long_ago) as gateway:
        await Person(gateway, long_ago).says("你好")
        await _later(gateway, long_ago)
    given = settings(database, tmp_path)
    assert await _checked(given) == [(False, "到期删除：从未进行过")]
    over = _only(inbox=1, outgoing=1, talks=1, unattached=0)
    nothing = dict.fromkeys(_INDEX, 0)
    for arguments in (["--dry-run"], []):
        done = jiesu(config, "retention", "run", *arguments)
        assert {name: count for name, count in done.items() if name not in _INDEX} == over
    assert jiesu(config, "retention", "run") == _only(unattached=0) | nothing
    ((well, what),) = await _checked(given)
    assert (well, what.split("，")[1:]) == (True, ["已完成", "处理了 0 条"])


async def _proposed(gateway, person, clock, talk):
    ladder, li, wang = await _ladder(gateway, clock)
    await ladder.mark(li, talk, Level.NOTICE, Ground.INSULT)
    await ladder.mark(li, talk, Level.BOT_ONLY, Ground.INSULT, hours=2)
    step = await ladder.mark(li, talk, Level.RESTRICT, Ground.INSULT, hours=24)
    return partial(ladder.decide, wang, step.id, granted=False)


async def _appealed(gateway, person, clock, talk):
    ladder, li, wang = await _ladder(gateway, clock)
    await ladder.mark(li, talk, Level.NOTICE, Ground.INSULT)
    step = await ladder.mark(li, talk, Level.BOT_ONLY, Ground.INSULT, hours=24)
    await person.says("申诉")
    return partial(ladder.lift, wang, step.id)


async def _evidence(gateway, person, clock, talk):
    ladder, li, wang = await _ladder(gateway, clock)
    await ladder.mark(li, talk, Level.NOTICE, Ground.INSULT)
    await ladder.mark(li, talk, Level.BOT_ONLY, Ground.INSULT, hours=2)
    step = await ladder.mark(li, talk, Level.RESTRICT, Ground.INSULT, hours=24)
    await ladder.decide(wang, step.id, granted=True)
    await ladder.mark(li, talk, Level.EVIDENCE, Ground.INSULT)

    async def release():
        clock.wait(days=3650)

    return release


async def _wished(gateway, person, clock, talk):
    row = {
        "row_id": b"r" * 16,
        "at": millis(clock()),
        "conversation": talk,
        "kind": requests.ERASE,
        "body": b"",
    }
    await gateway.books.store.write(partial(requests.add, **row))
    settle = partial(requests.settle, row_id=b"r" * 16, state=requests.REFUSED, at=millis(clock()))
    return partial(gateway.books.store.write, settle)


async def _at_work(gateway, person, clock, talk):
    await gateway.books.store.write(_owner("agent"))
    return partial(gateway.books.store.write, _owner("bot"))


async def _waiting(gateway, person, clock, talk):
    await gateway.books.store.write(_state("waiting", waiting=1))
    return partial(gateway.books.store.write, _state("done", waiting=0))


HOLDS = {
    "proposed": _proposed, "appealed": _appealed, "evidence": _evidence, "wish": _wished, "at work": _at_work,
    "waiting": _waiting,
}  # fmt: skip


def _owner(owner):
    return lambda c: c.execute(update(CONVERSATION).values(owner=owner))


def _state(state, waiting):
    def change(connection):
        connection.execute(update(INBOX).values(state=state, reply=None))
        connection.execute(delete(OUTGOING))
        connection.execute(update(CONVERSATION).values(waiting=waiting))

    return change


async def _ladder(gateway, clock):
    books = gateway.books
    ladder = Ladder(books.store, books.sealer, books.cases, Ids(), clock, lambda: None)
    return ladder, await staff(gateway), await staff(gateway, "wang", Role.SUPERVISOR)


def _named(connection, number, talk):
    connection.execute(update(INBOX).where(INBOX.c.conversation == talk).values(case_no=number))
    connection.execute(update(OUTGOING).where(OUTGOING.c.conversation == talk).values(case_no=number))
    connection.execute(update(CONVERSATION).where(CONVERSATION.c.id == talk).values(opted_out=True))


async def _rated(gateway, talk, agent, clock):
    row = {"conversation": talk, "began_at": 1, "agent": agent, "asked_at": millis(clock()), "score": 4}
    await gateway.books.store.write(lambda c: c.execute(SERVICE_RATING.insert().values(row)))


async def _closed(gateway, clock):
    """End the talk, and have somebody look after its alerts."""
    await gateway.books.store.write(_owner("closed"))
    looked = update(ALERT).values(acknowledged_at=millis(clock()))
    await gateway.books.store.write(lambda c: c.execute(looked))


async def _figures(gateway):
    read = gateway.books.store.read
    events = [(row.at, row.kind, row.owner, row.detail) for row in await _rows(gateway, DESK_EVENT)]
    alerts = [(row.at, row.kind) for row in await _rows(gateway, ALERT)]
    return events, alerts, await read(partial(wall.service, since=0))


async def _erased(gateway, talk, clock):
    at, row_id = millis(clock()), Ids()()
    row = {"row_id": row_id, "at": at, "conversation": talk, "kind": requests.ERASE, "body": b""}
    await gateway.books.store.write(partial(requests.add, **row))
    await gateway.books.store.write(partial(requests.settle, row_id=row_id, state=requests.DONE, at=at))


async def _course(gateway, person, stage) -> str:
    """Have a case reported and go its course up to a stage."""
    number = await person.reports()
    accepted = (await gateway.lookup.case(number)).stage is Stage.ACCEPTED
    for command in STEPS[stage][accepted:]:
        await gateway.office.act(number, command)
    return number


async def _keeps(gateway, number) -> None:
    await gateway.media.intake.take(media.streamed(number.encode()), Claim(number, "现场.txt"))


async def _file(gateway, talk):
    claim = Claim(media_rows.talk_owner(talk), "录音.txt", lives=timedelta(days=180))
    await gateway.media.intake.take(media.streamed(b"words"), claim)


async def _counts(gateway, *tables) -> list[int]:
    queries = [select(func.count()).select_from(table) for table in tables]
    return await gateway.books.store.read(lambda c: [c.execute(query).scalar_one() for query in queries])


async def _rows(gateway, table):
    key = table.primary_key.columns
    return await gateway.books.store.read(lambda c: c.execute(select(table).order_by(*key)).all())


async def _later(gateway, clock, **span):
    """Let time pass, and all that was owed be sent."""
    clock.wait(**span)
    sent = update(OUTGOING).where(OUTGOING.c.state.in_(("queued", "passive", "sending"))).values(state="sent")
    await gateway.books.store.write(lambda c: c.execute(sent))


async def _checked(given):
    return [(each.ok, each.what) for each in await doctor.examine(given) if each.what.startswith("到期")]


def _executed(connection, statement, **values):
    connection.execute(statement, values)


_INDEX = ("found", "grams")


def _only(**gone: int) -> dict[str, int]:
    names = (
        "inbox",
        "outgoing",
        "wanted",
        "names",
        "mentions",
        "wishes",
        "alerts",
        "traces",
        "accesses",
        "gaps",
        "files",
        "archived",
        "cases",
        "talks",
    )
    return dict.fromkeys(names, 0) | gone


async def _gone(forgetting) -> dict[str, int]:
    """Go through everything and return what went but of the index, which is made beside it."""
    gone = await forgetting.all()
    return {name: count for name, count in gone.items() if name not in _INDEX}


class Counted(Forgetting):
    """Knows what went by it, by table."""

    def __init__(self, **given: Any) -> None:
        self.gone: Counter[str] = Counter()
        super().__init__(**given, forgot=lambda table, count: self.gone.update({table: count}))


def _forgetting(gateway, clock) -> Counted:
    books = gateway.books
    return Counted(
        store=books.store,
        sealer=books.sealer,
        book=books.cases,
        now=clock,
        spans=Spans(),
    )


@pytest.fixture
def forgetting(gateway, clock) -> Counted:
    return _forgetting(gateway, clock)
