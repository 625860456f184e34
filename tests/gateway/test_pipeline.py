import asyncio
from functools import partial

import pytest
from sqlalchemy import func, select, text

from bots import router
from gateway import batch, turns
from gateway.cases.book import chain
from gateway.store import audit, lists
from gateway.store.bodies import open_message
from gateway.store.tables import ALERT, CASES, CONVERSATION, INBOX, OUTGOING
from normalizer.errors import Busy
from normalizer.message import InboundMessage
from outbox.tables import OutState
from tests.kit.gateway import Person, running, settings


async def rows(gateway, table, *columns):
    chosen = [table.c[name] for name in columns] or [table]
    return await gateway.books.store.read(lambda c: c.execute(select(*chosen).order_by(table.c.id)).all())


async def settled(gateway):
    """Wait until the marks of written replies are committed."""
    while True:
        states = [row.state for row in await rows(gateway, OUTGOING, "state")]
        if OutState.PASSIVE not in states:
            return
        await asyncio.sleep(0.01)


async def test_one_sentence_becomes_a_case_that_is_answered(gateway, person):
    number = await person.reports()
    stored = await gateway.books.store.read(lambda c: c.execute(select(CASES)).one())
    case = gateway.books.cases.read(stored)
    assert (case.case_no, case.stage, case.matter.category) == (number, "accepted", "D05")
    assert case.complainant.phone == "13812345678"
    assert "13812345678" not in case.matter.content
    assert [row.case_no for row in await rows(gateway, INBOX, "case_no")] == ["", number]


async def test_nothing_personal_lies_open_in_the_database(gateway, person, tmp_path, database):
    await person.reports()
    await settled(gateway)
    if database.startswith("sqlite"):
        await gateway.books.store.write(lambda c: c.execute(text("PRAGMA user_version")))
        data = b"".join(path.read_bytes() for path in tmp_path.glob("jiesu.sqlite3*"))
    else:
        dumped = await gateway.books.store.read(_everything)
        data = dumped.encode()
    for secret in ("13812345678", "李四", "oUser", "东岳大街88号"):
        assert secret.encode() not in data


def _everything(connection):
    tables = ("inbox", "outgoing", "conversation", "cases", "case_event")
    return "".join(str(row) for table in tables for row in connection.execute(text(f"SELECT * FROM {table}")))


async def test_the_same_message_again_gets_the_same_answer_and_nothing_more(gateway, person):
    message = person.message("你好")
    first = await gateway.inbox.accept(message)
    first.written()
    again = await gateway.inbox.accept(message)
    assert (again.reply, again.repeat) == (first.reply, True)
    assert len(await rows(gateway, INBOX, "id")) == len(await rows(gateway, OUTGOING, "id")) == 1


async def test_the_same_message_three_times_at_once_is_one_turn(gateway, person):
    message = person.message("你好")
    answers = await asyncio.gather(*(gateway.inbox.accept(message) for _ in range(3)))
    assert len({answer.reply for answer in answers}) == 1
    assert len(await rows(gateway, OUTGOING, "id")) == 1


async def test_the_same_number_from_two_people_is_two_messages(gateway, clock):
    one, two = Person(gateway, clock, "oA"), Person(gateway, clock, "oB")
    await asyncio.gather(*(gateway.inbox.accept(p.message("你好", "same")) for p in (one, two)))
    assert len(await rows(gateway, INBOX, "id")) == 2


async def test_quick_messages_of_one_person_are_turned_in_order(gateway, person):
    words = ["2", "路灯坏了好几盏晚上看不见", "泰山区青年路中段", "3"]
    replies = await asyncio.gather(*(person.says(word) for word in words))
    expected = ["发生了什么事", "请发送定位", "什么时候", "怎样解决"]
    assert all(piece in reply for piece, reply in zip(expected, replies, strict=True))
    versions = await rows(gateway, CONVERSATION, "version")
    assert versions[0].version == 4


async def test_many_people_at_once_keep_their_own_talk(gateway, clock):
    people = [Person(gateway, clock, f"o{n}") for n in range(40)]
    numbers = await asyncio.gather(*(p.reports() for p in people))
    assert len(set(numbers)) == 40


async def test_a_turn_that_raises_is_kept_alone_and_the_others_go_on(gateway, clock, monkeypatch):
    def breaks(state, reading, facts, moment):
        if "崩溃" in reading.text:
            raise ZeroDivisionError
        return router.turn(state, reading, facts, moment)

    monkeypatch.setattr(turns, "turn", breaks)
    good, bad = Person(gateway, clock, "oGood"), Person(gateway, clock, "oBad")
    replies = await asyncio.gather(good.says("你好"), bad.says("崩溃了"), good.says("菜单"))
    assert "您好" in replies[0]
    assert "工作人员会查看" in replies[1]
    found = await gateway.books.store.read(partial(lists.inbox, limit=9, state="failed"))
    assert [(row.state, row.error) for row in found] == [("failed", "ZeroDivisionError")]
    kept = open_message(gateway.books.sealer, found[0].body)
    assert isinstance(kept, InboundMessage)
    assert kept.text == "崩溃了"


async def test_a_message_too_late_to_answer_waits_and_is_turned_in_order(gateway, person, monkeypatch):
    monkeypatch.setattr(batch.Decider, "_late", lambda self, item, clock: item.message.text == "2")
    assert await person.says("2") is None
    # What follows waits behind it, whether late or not.
    assert await person.says("路灯坏了好几盏晚上看不见") is None
    while any(row.state == "waiting" for row in await rows(gateway, INBOX, "state")):
        await asyncio.sleep(0.05)
    sent = [
        gateway.books.sealer.open(row.body).decode() for row in await rows(gateway, OUTGOING, "id", "body")
    ]
    assert "发生了什么事" in sent[0]
    assert "请发送定位" in sent[1]
    waiting = await rows(gateway, CONVERSATION, "waiting")
    assert waiting[0].waiting == 0


async def test_a_full_line_says_come_again_and_grows_no_further(database, tmp_path, clock):
    async with running(settings(database, tmp_path, limits={"pending": 3}), clock=clock) as gateway:
        people = [Person(gateway, clock, f"o{n}") for n in range(20)]
        answers = await asyncio.gather(*(p.says("你好") for p in people), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Busy)]
    assert 0 < len(refused) < 20


async def test_a_flood_from_one_person_is_kept_and_taken_later(database, tmp_path, clock):
    limits = {"sender_per_second": 1, "sender_burst": 2}
    async with running(settings(database, tmp_path, limits=limits), clock=clock) as gateway:
        person = Person(gateway, clock)
        replies = [await person.says("菜单") for _ in range(4)]
        assert replies[0] is not None
        assert replies[-1] is None
        assert len(await rows(gateway, INBOX, "id")) == 4


async def test_after_the_stop_nothing_is_taken_in(gateway, person):
    gateway.pipeline.stop()
    with pytest.raises(Busy):
        await person.says("你好")


async def test_a_reply_that_was_written_is_marked_sent(gateway, person):
    await person.says("你好")
    await settled(gateway)
    found = await rows(gateway, OUTGOING, "state", "route", "id")
    assert [(row.state, row.route) for row in found] == [("sent", "passive")]


async def test_a_reply_that_never_reached_the_network_is_unknown_after_its_lease(gateway, person, clock):
    await person.says("你好", written=False)
    clock.wait(seconds=21)
    await gateway.sender.once()
    assert [row.state for row in await rows(gateway, OUTGOING, "state")] == ["unknown"]


async def test_danger_is_written_down_for_the_people_on_duty(gateway, person):
    reply = await person.says("着火了快来人")
    assert "119" in reply
    alerts = await rows(gateway, ALERT, "kind", "id")
    assert [row.kind for row in alerts] == ["fire"]
    queued = await rows(gateway, CONVERSATION, "owner", "urgent", "epoch", "id")
    assert [(row.owner, bool(row.urgent), row.epoch) for row in queued] == [("queued", True, 1)]


async def test_wrong_codes_lock_the_look_up(gateway, clock):
    number = await Person(gateway, clock, "oOwner").reports()
    stranger = Person(gateway, clock, "oStranger")
    answers = [await stranger.says(f"{number} 48291{n}") for n in range(6)]
    assert all("不对" in answer for answer in answers[:5])
    assert "一小时后" in answers[5]
    clock.wait(hours=1, minutes=1)
    assert "不对" in await stranger.says(f"{number} 482919")


async def test_the_log_of_a_case_holds_together_until_somebody_touches_it(gateway, person):
    number = await person.reports()
    await person.says("催办")
    found = await gateway.books.store.read(lambda c: list(audit.breaches(c, chain)))
    assert found == []
    with pytest.raises(Exception, match="append-only"):
        await gateway.books.store.write(lambda c: c.execute(text("UPDATE case_event SET verb = 'x'")))
    await gateway.books.store.write(lambda c: _tamper(c, number))
    found = await gateway.books.store.read(lambda c: list(audit.breaches(c, chain)))
    assert [breach.case_no for breach in found] == [number]


def _tamper(connection, number):
    if connection.dialect.name == "sqlite":
        connection.execute(text("DROP TRIGGER case_event_no_UPDATE"))
    else:
        connection.execute(text("ALTER TABLE case_event DISABLE TRIGGER ALL"))
    connection.execute(text("UPDATE case_event SET verb = 'x' WHERE case_no = :n AND seq = 2"), {"n": number})


async def test_a_second_start_finds_everything_where_it_was(database, tmp_path, clock):
    async with running(settings(database, tmp_path), clock=clock) as gateway:
        number = await Person(gateway, clock).reports()
    async with running(settings(database, tmp_path), clock=clock) as gateway:
        reply = await Person(gateway, clock, sent=["x"] * 9).says("查进度")
        assert number[-7:] in reply
        count = await gateway.books.store.read(
            lambda c: c.execute(select(func.count()).select_from(CASES)).scalar()
        )
        assert count == 1
