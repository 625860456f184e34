import asyncio
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import delete, func, select, text, update

from bots import router
from gateway import batch, pipeline, turns
from gateway.batch import Decider
from gateway.cases.book import chain
from gateway.store import audit, lists
from gateway.store.bodies import open_message
from gateway.store.tables import ALERT, CASES, CONVERSATION, INBOX, OUTGOING
from normalizer.errors import Busy
from normalizer.message import EventKind, InboundMessage, Part, PartKind
from outbox.tables import FLIGHT
from tests.kit.gateway import Person, running, settings
from tests.kit.standin import until


async def rows(gateway, table, *columns):
    chosen = [table.c[name] for name in columns] or [table]
    return await gateway.books.store.read(lambda c: c.execute(select(*chosen).order_by(table.c.id)).all())


async def stands(gateway, *states):
    """Say whether these are the states of all that is owed."""
    return sorted(row.state for row in await rows(gateway, OUTGOING, "state", "id")) == sorted(states)


async def settled(gateway):
    """Wait until the marks of written replies are committed."""
    while await rows(gateway, FLIGHT, "id"):
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


@pytest.mark.parametrize(("landing", "before"), [(0.05, "passive"), (3600.0, "sent")])
async def test_a_reply_that_never_reached_the_network_is_unknown_after_its_lease(
    gateway, person, clock, monkeypatch, landing, before
):
    monkeypatch.setattr(pipeline, "LANDING", landing)
    await person.says("你好", written=False)
    await until(partial(stands, gateway, before))
    clock.wait(seconds=21)
    await until(partial(stands, gateway, "unknown"))


async def test_only_the_reply_of_a_flight_that_was_not_seen_to_get_there_is_doubted(
    gateway, person, clock, monkeypatch
):
    monkeypatch.setattr(pipeline, "LANDING", 0.05)
    other = Person(gateway, clock, user="oOther")
    await asyncio.gather(person.says("你好"), other.says("你好", written=False))
    await settled(gateway)
    assert sorted(row.state for row in await rows(gateway, OUTGOING, "state", "id")) == ["passive", "sent"]
    clock.wait(seconds=21)
    await until(partial(stands, gateway, "sent", "unknown"))


@pytest.mark.parametrize("doubted", [False, True])
async def test_a_reply_that_a_repeat_brings_there_is_marked_sent(gateway, person, monkeypatch, doubted):
    if doubted:
        monkeypatch.setattr(pipeline, "LANDING", 0.0)
    message = person.message("你好")
    first = await gateway.inbox.accept(message)
    if doubted:
        await settled(gateway)
    again = await gateway.inbox.accept(message)
    assert (again.reply, again.repeat) == (first.reply, True)
    again.written()
    while [(row.state, row.route) for row in await rows(gateway, OUTGOING, "state", "route", "id")] != [
        ("sent", "passive")
    ]:
        await asyncio.sleep(0.01)
    await settled(gateway)


async def test_the_first_repeat_is_found_by_its_key_and_the_next_by_looking(gateway, person):
    looked = gateway.pipeline._decider.decide
    how = []

    async def decide(*given, looks):
        how.append(looks)
        return await looked(*given, looks=looks)

    gateway.pipeline._decider.decide = decide
    for words in ("你好", "菜单"):
        message = person.message(words)
        answers = [(await gateway.inbox.accept(message)).reply for _ in range(2)]
        assert answers[0] == answers[1]
    assert len(await rows(gateway, INBOX, "id")) == 2
    # The last batches may bring nothing but marks.
    assert how[:5] == [False, False, True, True, True]


async def test_what_another_process_did_to_a_conversation_is_seen_by_its_version(gateway, person):
    await person.says("你好")
    take = update(CONVERSATION).values(owner="agent", version=CONVERSATION.c.version + 1)
    await gateway.books.store.write(lambda connection: connection.execute(take))
    assert await person.says("菜单") is None
    (row,) = await rows(gateway, CONVERSATION, "owner", "version", "id")
    assert (row.owner, row.version) == ("agent", 3)


async def test_a_conversation_that_was_forgotten_meanwhile_begins_anew(gateway, person):
    first = await person.says("你好")
    await gateway.books.store.write(lambda connection: connection.execute(delete(CONVERSATION)))
    assert await person.says("你好") == first
    (row,) = await rows(gateway, CONVERSATION, "owner", "version", "id")
    assert (row.owner, row.version) == ("bot", 1)


async def test_a_talk_is_read_once_and_remembered_as_it_was_written(gateway, person):
    decider = gateway.pipeline._decider
    decide, remembered = decider.decide, []

    async def spied(batch, items, *given, looks):
        if items:
            remembered.append([*decider._recent.find(item.conversation for item in items).values()])
        return await decide(batch, items, *given, looks=looks)

    decider.decide = spied
    stored = []
    for words in ("你好", "2", "路口的井盖丢了", "0", "有人吗"):
        stored.append(await rows(gateway, CONVERSATION))
        await person.says(words)
    # Whoever waits for a person is read each time: others move him.
    assert remembered == [*stored[:4], []]


async def test_the_leave_to_write_that_the_outbox_spent_is_not_given_back_by_an_event(gateway, person):
    await person.says("你好")
    less = update(CONVERSATION).values(window_left=CONVERSATION.c.window_left - 1)
    await gateway.books.store.write(lambda connection: connection.execute(less))
    (before,) = await rows(gateway, CONVERSATION, "window_left", "id")
    looked = Part(PartKind.EVENT, event=EventKind.VIEW)
    await gateway.inbox.accept(replace(person.message("(view)"), parts=(looked,)))
    assert await rows(gateway, CONVERSATION, "window_left", "id") == [before]
    assert before.window_left > 0


async def test_a_wrong_code_that_comes_again_and_again_is_tried_once(gateway, person, clock):
    number = await person.reports()
    stranger = Person(gateway, clock, user="oStranger")
    message = stranger.message(f"{number} 111222")
    for _ in range(6):
        gateway.pipeline._look_until = 0.0
        answer = (await gateway.inbox.accept(message)).reply
    assert answer is not None
    tried = await gateway.books.store.read(
        lambda c: c.execute(text("SELECT max(count) FROM code_try")).scalar()
    )
    assert tried == 1


async def test_a_reply_has_its_shape_when_it_is_written_and_one_that_fails_harms_nobody(gateway, clock):
    def fails(text):
        raise ValueError(text)

    one, two = Person(gateway, clock, "oA"), Person(gateway, clock, "oB")
    shapes = (lambda text: text.upper().encode(), fails)
    coming = [
        gateway.inbox.accept(who.message("hello"), s) for who, s in zip((one, two), shapes, strict=True)
    ]
    shaped, plain = await asyncio.gather(*coming)
    assert shaped.shaped == shaped.reply.upper().encode()
    assert (plain.shaped, plain.reply) == (None, shaped.reply)
    assert [row.state for row in await rows(gateway, INBOX, "state", "id")] == ["done"] * 2


async def test_no_shape_leaves_before_the_commit(gateway, person, monkeypatch):
    made = []
    written = Decider.wrote

    def wrote(self, rows):
        made.append("written")
        written(self, rows)

    monkeypatch.setattr(Decider, "wrote", wrote)

    def shape(text):
        made.append("shaped")
        return text.encode()

    accepted = await gateway.inbox.accept(person.message("你好"), shape)
    made.append("answered")
    assert (made[:3], accepted.shaped) == (["shaped", "written", "answered"], accepted.reply.encode())


async def test_the_desk_is_woken_by_what_concerns_it_and_by_nothing_else(gateway, person, monkeypatch):
    rung = []
    for words in ("你好", "0", "还在吗"):
        monkeypatch.setattr(gateway.pipeline, "_handed", partial(rung.append, words))
        await person.says(words)
    assert rung == ["0", "还在吗"]


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
