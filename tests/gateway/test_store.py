import asyncio
import threading
from functools import partial

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from gateway.runtime import Ids
from gateway.store import kept, migrate, search
from gateway.store.rows import Conflict, ConversationRow, InboxRow, OutgoingRow, Rows
from gateway.store.seal import Sealer, load_key
from gateway.store.sqlite import SqliteStore
from gateway.store.tables import METADATA
from normalizer.errors import InvalidInput, Misconfigured

IDS = Ids()
WHO = b"w" * 16


def conversation(version=1):
    return ConversationRow(
        WHO, "wx", b"a", b"s", "bot", 0, version, 0, 0, None, False, 1, None, "", False, None, None
    )


def message(number="m1", reply=None):
    return InboxRow(IDS(), WHO, number, "wx", "05", 1, "done", "", reply, "", b"body")


def outgoing(state="queued", key=None):
    return OutgoingRow(IDS(), WHO, "wx", "", "reply", key, 0, state, "", b"body", 0, 1, 1, 1, None, "")


async def written(store, rows):
    async with store.batch() as batch:
        return await batch.write(rows)


async def test_the_migrated_tables_are_those_of_the_program(store):
    def differences(connection):
        return compare_metadata(MigrationContext.configure(connection), METADATA)

    assert await store.read(differences) == []
    assert await store.read(migrate.current) == migrate.head()


async def test_migrating_twice_is_migrating_once(store):
    assert await store.write(migrate.upgrade) == migrate.head()


async def test_files_that_were_there_before_are_indexed_in_the_order_in_which_they_came(tmp_path):
    store = await SqliteStore.open(tmp_path / "old.sqlite3")
    await store.write(partial(migrate.upgrade, to="0022"))
    row = {"kind": "file", "mime": "text/plain", "size": 1, "scan": "off", "copies": "{}", "body": b""}
    rows = [row | {"owner": "o", "key": key, "created_at": at} for key, at in (("new", 2000), ("old", 1000))]
    columns = ", ".join(rows[0])
    insert = text(f"INSERT INTO media ({columns}) VALUES (:{columns.replace(', ', ', :')})")
    await store.write(lambda c: c.execute(insert, rows))
    await store.write(migrate.upgrade)
    assert [key for _, key in await store.read(lambda c: search.noted(c, b"", 9))] == ["old", "new"]
    await store.close()


async def test_a_batch_is_read_back_as_it_was_written(store):
    out = outgoing()
    rows = Rows(inbox=[message(reply=out.id)], new_conversations=[conversation()], outgoing=[out])
    await written(store, rows)
    async with store.batch() as batch:
        conversations, known = await batch.load([WHO], [(WHO, "m1"), (WHO, "m2")])
    assert conversations == {WHO: conversation()}
    assert list(known) == [(WHO, "m1")]
    assert known[WHO, "m1"].reply == out.id
    assert known[WHO, "m1"].out_body == b"body"


async def test_two_writers_of_one_conversation_conflict(store):
    await written(store, Rows(new_conversations=[conversation()]))
    await written(store, Rows(conversations=[conversation(2)]))
    for rows in (Rows(conversations=[conversation(2)]), Rows(new_conversations=[conversation()])):
        with pytest.raises(Conflict):
            await written(store, rows)
    await written(store, Rows(conversations=[conversation(3)]))


async def test_a_conflict_leaves_nothing_of_the_batch_behind(store):
    await written(store, Rows(inbox=[message()], new_conversations=[conversation()]))
    with pytest.raises(Conflict):
        await written(store, Rows(inbox=[message("m2"), message()]))
    async with store.batch() as batch:
        _, known = await batch.load([WHO], [(WHO, "m2")])
    assert known == {}


async def _broken_off(store):
    async with store.batch() as batch:
        await batch.load([WHO], [])
        raise RuntimeError


async def test_a_batch_that_failed_leaves_no_transaction_to_the_next(store):
    await written(store, Rows(new_conversations=[conversation()]))
    with pytest.raises(RuntimeError):
        await _broken_off(store)
    await written(store, Rows(inbox=[message()], conversations=[conversation(2)]))
    # Another connection sees it, so it was committed.
    read = await store.read(lambda c: c.execute(text("SELECT version FROM conversation")).scalar())
    assert read == 2


async def test_columns_that_agree_go_over_as_those_that_differ(store):
    one, two = message("m1"), message("m2")._replace(account="sms", state="waiting", error="e")
    await written(store, Rows(new_conversations=[conversation()], inbox=[one, two]))
    three, four = message("m3"), message("m4")
    await written(store, Rows(inbox=[three, four]))
    query = text("SELECT * FROM inbox ORDER BY external_id")
    assert await store.read(lambda c: [tuple(row) for row in c.execute(query)]) == [one, two, three, four]


async def test_who_gives_up_a_long_write_is_in_no_others_way(store):
    begun, over = threading.Event(), threading.Event()

    def long(connection):
        connection.execute(text("SELECT 1"))
        begun.set()
        over.wait(10)

    writing = asyncio.create_task(store.write(long))
    try:
        # On PostgreSQL it holds the loop itself until it is over: there nobody can give up in its midst.
        if store.dialect == "postgresql":
            over.set()
        await asyncio.to_thread(begun.wait)
        writing.cancel()
        next_one = asyncio.create_task(written(store, Rows(new_conversations=[conversation()])))
        for _ in range(10):
            await asyncio.sleep(0)
    finally:
        over.set()
    await asyncio.gather(writing, return_exceptions=True)
    await next_one
    async with store.batch() as batch:
        assert set((await batch.load([WHO], []))[0]) == {WHO}


async def test_a_queued_reply_is_claimed_by_one_and_a_sent_one_by_none(store):
    waiting, sent = outgoing(), outgoing("sent")
    await written(store, Rows(new_conversations=[conversation()], outgoing=[waiting, sent]))
    assert await written(store, Rows(claims=[(waiting.id, 9), (sent.id, 9)])) == {waiting.id}
    assert await written(store, Rows(claims=[(waiting.id, 9)])) == frozenset()


async def test_a_notice_is_promised_once(store):
    rows = Rows(
        new_conversations=[conversation()], outgoing=[outgoing(key="c:rate:1"), outgoing(key="c:rate:2")]
    )
    await written(store, rows)
    await written(store, Rows(outgoing=[outgoing(key="c:rate:1")], conversations=[conversation(2)]))
    async with store.batch() as batch:
        found = await batch.run(lambda c: c.exec_driver_sql("SELECT count(*) FROM outgoing").scalar())
    assert found == 2


async def test_a_counter_never_gives_a_number_twice(store):
    given = await asyncio.gather(*(store.write(lambda c: kept.add(c, "case", 1)) for _ in range(20)))
    assert sorted(given) == list(range(1, 21))


def test_ids_grow_and_are_of_version_seven():
    made = [IDS() for _ in range(5000)]
    assert made == sorted(set(made))
    assert {one[6] >> 4 for one in made} == {7}


def test_ids_grow_even_when_the_clock_goes_back():
    times = iter([2_000_000_000, 1_000_000_000, 1_000_000_000])
    ids = Ids(lambda: next(times))
    one, two, three = ids(), ids(), ids()
    assert one < two < three


def test_what_is_sealed_opens_with_its_key_only(tmp_path):
    key = load_key(tmp_path / "key")
    sealer, other = Sealer(key), Sealer(b"x" * 32)
    sealed = sealer.seal("张三".encode())
    assert sealer.open(sealed).decode() == "张三"
    assert sealer.seal(b"a") != sealer.seal(b"a")
    for wrong in (sealed[:-1] + bytes((sealed[-1] ^ 1,)), b"\x02" + sealed[1:], b""):
        with pytest.raises(InvalidInput):
            sealer.open(wrong)
    with pytest.raises(InvalidInput):
        other.open(sealed)


def test_the_key_is_made_once_for_its_owner_only(tmp_path):
    path = tmp_path / "key"
    assert load_key(path) == load_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("not hexadecimal")
    with pytest.raises(Misconfigured):
        load_key(path)


def test_a_conversation_is_found_by_its_hash_and_nobody_elses():
    one, two = Sealer(b"x" * 32), Sealer(b"y" * 32)
    assert one.conversation("wx", "o1") == one.conversation("wx", "o1")
    assert (
        len({one.conversation("wx", "o1"), one.conversation("wx", "o2"), two.conversation("wx", "o1")}) == 3
    )
