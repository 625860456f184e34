"""The knowledge base in a whole gateway: in the database, in memory, in the talk, on the command line."""

import asyncio
import contextlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from gateway import doctor, library
from gateway.bus import MemoryBus
from gateway.knowledge import shelf
from gateway.knowledge.book import TOPIC, Book
from gateway.knowledge.entry import Entry, Security, Status
from gateway.knowledge.exchange import read_json, write_csv, write_json
from gateway.store import knowledge as rows
from gateway.store.rows import GapRow, Rows, VoteRow
from gateway.store.tables import CONVERSATION
from normalizer.errors import InvalidInput
from tests.kit.cases import NOW
from tests.kit.gateway import running, settings

CITY = "370900"
FUND = Entry(
    "gjj",
    "公积金怎么提取",
    "带身份证到公积金中心办理。",
    variants=("住房公积金怎么取出来", "租房提取公积金"),
    category="D11",
    basis="《住房公积金管理条例》第二十四条",
    source_unit="市公积金中心",
    status=Status.PUBLISHED,
    updated_at=datetime(2026, 11, 20, 1, 0, tzinfo=UTC),
)
CARD = replace(
    FUND, id="sbk", title="社保卡怎么补办", variants=(), category="D10", answer_short="拨打12333挂失。"
)


@pytest.fixture
def book(store, clock):
    return Book(store=store, region=CITY, now=clock)


def found(book, text, now=NOW, **asked):
    return [hit.entry.id for hit in book.search(text, limit=3, now=now, region=CITY, **asked)]


async def put(store, *entries, now=NOW):
    return await shelf.put(store, entries, now, "test")


async def test_an_entry_is_kept_as_it_is(store):
    await put(store, FUND, CARD)
    assert await shelf.entries(store) == (FUND, CARD)


async def test_the_same_again_is_no_new_version(store):
    assert await put(store, FUND) == shelf.Brought(1, 0, 0)
    before = await store.read(rows.edition)
    assert await put(store, replace(FUND, version=7)) == shelf.Brought(0, 0, 1)
    assert await store.read(rows.edition) == before


async def test_a_change_is_a_new_version_and_the_old_one_stays_on_record(store):
    await put(store, FUND)
    changed = replace(FUND, answer_short="网上办理。", updated_at=None)
    assert await put(store, changed, now=NOW + timedelta(days=1)) == shelf.Brought(0, 1, 0)
    (now,) = await shelf.entries(store)
    assert (now.version, now.answer_short, now.updated_at) == (2, "网上办理。", NOW + timedelta(days=1))
    log = await store.read(lambda c: rows.log(c, "gjj"))
    assert [(version, shelf.entry_from(body).answer_short) for version, _, _, body in log] == [
        (1, FUND.answer_short),
        (2, "网上办理。"),
    ]


async def test_a_version_never_goes_back(store):
    await put(store, replace(FUND, version=5))
    await put(store, replace(FUND, version=2, title="公积金如何提取"))
    (now,) = await shelf.entries(store)
    assert now.version == 6


async def test_the_book_knows_what_another_process_wrote(store, book):
    assert await book.refresh()
    assert found(book, "公积金怎么提取") == []
    await put(store, FUND)
    assert found(book, "公积金怎么提取") == []
    assert await book.refresh()
    assert found(book, "公积金怎么提取") == ["gjj"]
    assert not await book.refresh()


async def test_a_wake_brings_the_change_at_once(store, book):
    await book.refresh()
    bus = MemoryBus()
    keeping = asyncio.create_task(book.keep_fresh(bus))
    await put(store, FUND)
    bus.wake(TOPIC)
    async with asyncio.timeout(3):
        while not book.listing():
            await asyncio.sleep(0.01)
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping


@pytest.mark.parametrize(
    "change",
    [
        {"status": Status.OFFLINE},
        {"status": Status.RECHECK},
        {"security": Security.AGENTS},
        {"region": "320100"},
        {"valid_until": NOW.date() - timedelta(days=1)},
        {"effective_from": NOW.date() + timedelta(days=1)},
    ],
)
async def test_what_may_not_be_shown_is_nowhere_in_the_book(store, book, change):
    await put(store, replace(FUND, **change))
    await book.refresh()
    assert found(book, "公积金怎么提取") == []
    assert book.entry("gjj") is None
    assert book.listing() == ()


async def test_an_entry_that_ends_is_gone_without_anybody_doing_anything(store, book, clock):
    await put(store, replace(FUND, valid_until=NOW.date()))
    await book.refresh()
    assert book.entry("gjj")
    clock.wait(days=1)
    assert book.entry("gjj") is None
    assert found(book, "公积金怎么提取", now=clock()) == []


async def test_the_book_lists_by_category_field_and_audience(store, book):
    await put(store, FUND, replace(CARD, audience=("企业",)), replace(FUND, id="n", category="C05"))
    await book.refresh()
    assert [entry.id for entry in book.listing("D11")] == ["gjj"]
    assert [entry.id for entry in book.listing("D")] == ["gjj", "sbk"]
    assert [entry.id for entry in book.listing(audience=("老年人",))] == ["gjj", "n"]
    assert found(book, "社保卡怎么补办", audience=("老年人",)) != ["sbk"]


async def test_a_question_is_answered_judged_and_counted(gateway, person):
    await put(gateway.books.store, FUND)
    await gateway.knowledge.refresh()
    answer = await person.says("公积金怎么提取")
    assert "带身份证到公积金中心办理。" in answer
    assert "依据：《住房公积金管理条例》第二十四条 来源：市公积金中心 更新：2026-11-20" in answer
    assert "1 解决了 2 没解决（转人工） 3 我要提交诉求" in answer
    assert "很高兴" in await person.says("1")
    await person.says("公积金怎么提取")
    assert "转人工" in await person.says("2")
    votes = await gateway.books.store.read(rows.votes)
    assert votes == {"gjj": VoteRow("gjj", 1, 1)}
    owner = await gateway.books.store.read(lambda c: c.execute(select(CONVERSATION.c.owner)).scalar_one())
    assert owner == "queued"


async def test_an_answer_becomes_an_order_when_that_is_wished(gateway, person):
    await put(gateway.books.store, FUND)
    await gateway.knowledge.refresh()
    await person.says("公积金怎么提取")
    assert "称呼和手机号" in await person.says("3")


async def test_what_nobody_could_answer_is_noted_masked_sealed_and_counted(
    gateway, person, database, tmp_path
):
    for text in ("请问13812345678怎么查归属地", "请问 13812345678 怎么查归属地？"):
        await person.says(text)
        await person.says("取消")
    (gap,) = await library.gaps(settings(database, tmp_path), 10)
    assert (gap["asked"], gap["question"]) == (2, "请问138****5678怎么查归属地")
    assert gap["first_at"] <= gap["last_at"]
    (row,) = await gateway.books.store.read(lambda c: rows.gaps(c, 10))
    assert "归属地".encode() not in row.body
    assert row.first_at < row.last_at


async def test_a_matter_is_never_answered_from_the_book(gateway, person):
    light = replace(
        FUND, id="light", title="路灯坏了找谁修", variants=(), answer_short="由路灯管理单位维修。"
    )
    await put(gateway.books.store, light)
    await gateway.knowledge.refresh()
    assert "由路灯管理单位维修" not in await person.says("泰山区青年路路灯坏了三盏，影响出行")


async def test_votes_and_gaps_of_one_batch_are_added_up(store):
    async with store.batch() as batch:
        made = rows_of([VoteRow("a", 1, 0), VoteRow("b", 0, 1), VoteRow("a", 1, 0)])
        await batch.write(made)
    async with store.batch() as batch:
        await batch.write(rows_of([VoteRow("a", 0, 1)]))
    assert await store.read(rows.votes) == {"a": VoteRow("a", 2, 1), "b": VoteRow("b", 0, 1)}
    assert await store.read(lambda c: rows.gaps(c, 10)) == [GapRow(b"q" * 16, 4, 1, 1, b"sealed")]


def rows_of(votes):
    return Rows(votes=votes, gaps=[GapRow(b"q" * 16, 1, 1, 1, b"sealed")] * len(votes))


async def test_a_file_goes_in_all_of_it_or_nothing(database, tmp_path):
    there = settings(database, tmp_path)
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(write_csv([FUND]), "utf-8")
    bad.write_text(write_csv([CARD, replace(FUND, id="x", category="Z99")]), "utf-8")
    assert await library.bring_in(there, good) == shelf.Brought(1, 0, 0)
    with pytest.raises(InvalidInput, match="第3行 category"):
        await library.bring_in(there, bad)
    assert [row["id"] for row in await library.listing(there, "", 10)] == ["gjj"]


async def test_what_is_exported_is_imported_unchanged_into_an_empty_base(database, tmp_path):
    there = settings(database, tmp_path)
    entries = (replace(FUND, version=4), CARD)
    (tmp_path / "in.json").write_text(write_json(entries), "utf-8")
    await library.bring_in(there, tmp_path / "in.json")
    for name in ("out.json", "out.csv"):
        assert await library.take_out(there, tmp_path / name) == 2
        assert (await library.bring_in(there, tmp_path / name)).same == 2
    assert read_json((tmp_path / "out.json").read_text("utf-8")) == entries


@pytest.mark.parametrize(
    ("name", "data", "cure"),
    [
        ("a.xlsx", b"", ".csv"),
        ("a.csv", "标题".encode("gb18030"), "UTF-8"),
        ("none.csv", None, "打不开"),
    ],
)
async def test_a_file_that_cannot_be_read_says_why(tmp_path, name, data, cure):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(InvalidInput, match=cure):
        await library.bring_in(settings(f"sqlite:///{tmp_path}/x.sqlite3", tmp_path), tmp_path / name)


async def test_the_list_says_what_citizens_thought(gateway, person, database, tmp_path):
    await put(gateway.books.store, FUND)
    await gateway.knowledge.refresh()
    await person.says("公积金怎么提取")
    await person.says("1")
    (row,) = await library.listing(settings(database, tmp_path), "published", 10)
    assert (row["id"], row["helpful"], row["unhelpful"]) == ("gjj", 1, 0)
    assert await library.listing(settings(database, tmp_path), "draft", 10) == []
    json.dumps(row)


async def test_the_doctor_names_what_ends_soon_and_its_owner(tmp_path):
    there = settings(f"sqlite:///{tmp_path}/x.sqlite3", tmp_path)
    today = datetime.now(UTC).date()
    ends = replace(FUND, owner="王五", valid_until=today + timedelta(days=5))
    (tmp_path / "in.json").write_text(write_json([ends, CARD]), "utf-8")
    await library.bring_in(there, tmp_path / "in.json")
    said = [finding for finding in await doctor.examine(there) if finding.what.startswith("知识库")]
    assert [finding.ok for finding in said] == [True, False]
    assert "已发布 2 条" in said[0].what
    assert all(word in said[1].what for word in ("gjj", "公积金怎么提取", "王五", "7 天内到期"))
    assert said[1].cure


async def test_the_example_entries_fill_an_empty_base_only(store):
    assert (await shelf.starter(store, NOW)).new >= 60
    assert await shelf.starter(store, NOW) == shelf.Brought(0, 0, 0)
    await put(store, replace(FUND, id="own", valid_until=date(2030, 1, 1)))
    assert await shelf.starter(store, NOW) == shelf.Brought(0, 0, 0)


async def test_a_gateway_that_starts_knows_what_was_imported_before(database, tmp_path, clock):
    there = settings(database, tmp_path)
    (tmp_path / "in.json").write_text(write_json([FUND]), "utf-8")
    await library.bring_in(there, tmp_path / "in.json")
    async with running(there, clock=clock) as gateway:
        assert gateway.knowledge.entry("gjj") == FUND
