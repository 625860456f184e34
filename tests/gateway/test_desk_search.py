"""Talks and cases are found by what stands in them, though it is sealed."""

from dataclasses import replace

import pytest
from sqlalchemy import delete, func, select

from gateway.desk.grams import Grams
from gateway.desk.indexing import Indexing
from gateway.desk.search import Kind, Search
from gateway.store.seal import Sealer
from gateway.store.tables import SEARCH_DOC, SEARCH_GRAM
from tests.kit.gateway import Person
from tests.kit.staff import FORM, case_desk, staff, taken


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        pytest.param("井盖", {"talk", "case"}, id="two characters"),
        pytest.param("井盖 东岳大街", {"talk", "case"}, id="two words"),
        pytest.param("東岳大街", {"talk", "case"}, id="traditional characters"),
        pytest.param("大街88号", {"talk", "case"}, id="with a house number"),
        pytest.param("13812345678", {"case"}, id="a telephone, whole"),
        pytest.param("138 1234 5678", {"case"}, id="a telephone with blanks"),
        pytest.param("12345678", set(), id="a piece of a telephone"),
        pytest.param("盖井", set(), id="the characters in another order"),
        pytest.param("井", set(), id="one character"),
        pytest.param("", set(), id="nothing"),
    ],
)
async def test_what_was_said_is_found(gateway, person, query, kinds):
    await person.reports()
    search, _ = await _indexed(gateway)
    assert {hit.kind.value for hit in await search.find(query)} == kinds


async def test_a_case_is_found_by_its_number_however_it_is_written(gateway, person):
    number = await person.reports()
    search, _ = await _indexed(gateway)
    for written in (number, f"{number[:4]}-{number[4:10]}-{number[10:]}"):
        assert [hit.case_no for hit in await search.find(written)] == [number]


async def test_what_is_found_is_masked(gateway, person):
    await person.reports()
    search, _ = await _indexed(gateway)
    hits = await search.find("电话", Kind.TALK)
    assert hits
    assert all("13812345678" not in hit.snippet for hit in hits)


async def test_what_an_agent_wrote_is_found_until_he_takes_it_back(gateway, person):
    li = await staff(gateway)
    talk = await taken(gateway, person, li)
    written = await gateway.desk.reply(li.id, talk.conversation, talk.epoch, "请带户口簿原件", "e1")
    search, _ = await _indexed(gateway)
    (hit,) = await search.find("户口簿")
    assert (hit.conversation, hit.line) == (talk.conversation, written.row)
    await gateway.desk.undo(li.id, talk.conversation, talk.epoch, written.row)
    assert await search.find("户口簿") == ()


async def test_an_amended_case_is_found_by_what_it_says_now(gateway):
    li, desk = await staff(gateway), case_desk(gateway)
    opened = await desk.open_call(li, FORM, "k1")
    search, indexing = await _indexed(gateway)
    rev = (await desk.case(opened.case_no)).rev
    await desk.amend(li, opened.case_no, replace(FORM, reflect_name="某某通信公司"), rev)
    assert await search.find("通信公司") == ()
    assert await indexing.catch_up() == 1
    assert [hit.case_no for hit in await search.find("通信公司")] == [opened.case_no]
    assert len(await search.find("井盖", Kind.CASE)) == 1


async def test_nothing_is_indexed_twice_and_what_was_missed_is_caught_up(gateway, person, clock):
    await person.reports()
    _, indexing = await _indexed(gateway)
    count = select(func.count()).select_from(SEARCH_DOC)
    before = await gateway.books.store.read(lambda c: c.execute(count).scalar())
    assert await indexing.catch_up() == 0
    other = Person(gateway, clock, user="oOther")
    await other.says("小区停水三天了")
    assert await indexing.catch_up() == 1
    assert await gateway.books.store.read(lambda c: c.execute(count).scalar()) == before + 1


async def test_a_gram_that_stands_there_by_chance_shows_nothing(gateway, person):
    await person.reports()
    search, _ = await _indexed(gateway)
    wrong = [{"gram": gram, "doc": 1} for gram in search.grams.of("公积金")]
    await gateway.books.store.write(lambda c: c.execute(SEARCH_GRAM.insert(), wrong))
    assert await search.find("公积金") == ()


async def test_a_talk_that_was_deleted_is_not_found(gateway, person):
    await person.reports()
    search, _ = await _indexed(gateway)
    await gateway.books.store.write(lambda c: c.execute(delete(SEARCH_DOC)))
    assert await search.find("井盖") == ()


def test_long_numbers_are_not_in_the_index_and_another_key_makes_other_grams():
    one, other = Grams(Sealer(b"k" * 32)), Grams(Sealer(b"j" * 32))
    assert one.of("我的电话13812345678") == one.of("我的电话")
    assert one.of("井盖丢失").isdisjoint(other.of("井盖丢失"))
    assert len(one.of("井盖丢失")) == 3


async def _indexed(gateway) -> tuple[Search, Indexing]:
    books = gateway.books
    grams = Grams(books.sealer)
    indexing = Indexing(books.store, books.sealer, books.cases, grams)
    await indexing.catch_up()
    return Search(books.store, books.sealer, books.cases, grams), indexing
