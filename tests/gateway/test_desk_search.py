"""Talks and cases are found by what stands in them, though it is sealed."""

from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import delete, func, select

from gateway.app import running
from gateway.desk.grams import Grams
from gateway.desk.indexing import Indexing
from gateway.desk.search import Kind, Search
from gateway.media.intake import Claim
from gateway.runtime import Ids, millis
from gateway.store import media as media_rows
from gateway.store import requests
from gateway.store.seal import Sealer
from gateway.store.tables import INBOX, SEARCH_DOC, SEARCH_GRAM
from normalizer.case import Command, Verb
from tests.kit import media
from tests.kit.cases import AGENT
from tests.kit.commands import run
from tests.kit.gateway import Person, settings
from tests.kit.process import configure
from tests.kit.staff import FORM, case_desk, staff, taken, talk_of


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
    await indexing.catch_up()
    assert [hit.case_no for hit in await search.find("通信公司")] == [opened.case_no]
    assert len(await search.find("井盖", Kind.CASE)) == 1


async def test_nothing_is_indexed_twice_and_what_was_missed_is_caught_up(gateway, person, clock):
    await person.reports()
    _, indexing = await _indexed(gateway)
    count = select(func.count()).select_from(SEARCH_DOC)
    before = await gateway.books.store.read(lambda c: c.execute(count).scalar())
    await indexing.catch_up()
    assert await gateway.books.store.read(lambda c: c.execute(count).scalar()) == before
    other = Person(gateway, clock, user="oOther")
    await other.says("小区停水三天了")
    await indexing.catch_up()
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
    await gateway.books.store.write(lambda c: c.execute(delete(INBOX)))
    assert await search.find("井盖", Kind.TALK) == ()


async def test_a_file_is_found_by_its_name_and_by_what_was_read_or_spoken_in_it(gateway, person):
    number = await person.reports()
    talk = (await talk_of(gateway, person)).conversation
    await _file(gateway, number, "物业合同.txt", "押金两千元")
    await _file(gateway, media_rows.talk_owner(talk), "录音.txt", "半夜还在放音响")
    await _file(gateway, "draft", "别人的草稿.txt", "押金三千元")
    search, _ = await _indexed(gateway)
    assert [(hit.kind, hit.case_no) for hit in await search.find("物业合同")] == [(Kind.CASE, number)]
    assert [hit.case_no for hit in await search.find("押金")] == [number]
    (heard,) = await search.find("放音响")
    assert (heard.kind, heard.conversation) == (Kind.TALK, talk)
    assert (await search.find("放音响", Kind.CASE), await search.find("草稿")) == ((), ())


async def test_words_that_come_later_are_found_and_a_file_that_becomes_a_cases_is_found_there(
    gateway, person
):
    number = await person.reports()
    talk = (await talk_of(gateway, person)).conversation
    owner = media_rows.talk_owner(talk)
    key = await _file(gateway, owner, "录音.txt")
    search, indexing = await _indexed(gateway)
    assert await search.find("放音响") == ()
    await _words(gateway, owner, key, "半夜还在放音响")
    await indexing.catch_up()
    assert [hit.case_no for hit in await search.find("放音响")] == [""]
    store = gateway.books.store
    await store.write(lambda c: media_rows.attach(c, owner, number, [key]))
    assert [hit.case_no for hit in await search.find("放音响")] == [number]


async def test_who_has_all_deleted_is_found_by_words_no_more(gateway, person, clock):
    number = await person.reports()
    talk = (await talk_of(gateway, person)).conversation
    await _file(gateway, media_rows.talk_owner(talk), "录音.txt", "半夜还在放音响")
    await _file(gateway, number, "物业合同.txt")
    other = Person(gateway, clock, user="oOther")
    await other.says("井盖丢失的事有人管吗")
    search, indexing = await _indexed(gateway)
    await _erased(gateway, talk, clock)
    await indexing.catch_up()
    (left,) = await search.find("井盖")
    assert left.conversation == (await talk_of(gateway, other)).conversation
    assert [await search.find(words) for words in ("东岳大街", "放音响", "物业合同")] == [(), (), ()]
    assert [hit.case_no for hit in await search.find(number)] == [number]
    assert await _stray(gateway) == 0
    await person.says("公园的井盖又丢失了")
    await indexing.catch_up()
    assert len(await search.find("公园")) == 1


async def test_the_index_is_made_anew_from_what_is_kept_and_nothing_erased_comes_back(gateway, person, clock):
    await person.reports()
    other = Person(gateway, clock, user="oOther")
    await other.says("公园的井盖丢失了")
    search, indexing = await _indexed(gateway)
    await _erased(gateway, (await talk_of(gateway, other)).conversation, clock)
    before = await search.find("井盖")
    await indexing.clear()
    assert await search.find("井盖") == ()
    await indexing.catch_up()
    assert set(await search.find("井盖")) == set(before) != set()
    assert await search.find("公园") == ()


async def test_what_is_said_is_forgotten_with_its_time_and_with_its_source(gateway, person, clock):
    number = await person.reports()
    other = Person(gateway, clock, user="oOther")
    await other.says("公园的路灯坏了")
    key = await _file(gateway, "draft", "合同.txt")
    search, _ = await _indexed(gateway)
    forgets = gateway.forgetting.only
    assert await forgets("found", "grams") == 0
    clock.wait(days=181)
    assert await _indexed_as(gateway, key) == 1
    await gateway.books.store.write(partial(media_rows.forget, owner="draft", key=key))
    assert await _indexed_as(gateway, key) == 0
    assert (await forgets("found"), await search.find("路灯")) == (1, ())
    assert (await _stray(gateway), await forgets("grams"), await _stray(gateway)) == (9, 9, 0)
    assert len(await search.find("井盖", Kind.TALK)) == 1
    await gateway.office.act(number, Command(Verb.WITHDRAW, AGENT, reason="已自行解决"))
    clock.wait(days=1096)
    assert await forgets("found") >= 1
    assert await search.find("井盖", Kind.TALK) == ()
    assert [hit.case_no for hit in await search.find("井盖")] == [number]


async def test_where_words_are_not_searched_the_index_is_emptied_and_numbers_are_found(
    database, tmp_path, clock
):
    async with running(settings(database, tmp_path), clock=clock) as gateway:
        number = await Person(gateway, clock).reports()
        await _indexed(gateway)
    off = settings(database, tmp_path, desk={"search": False})
    async with running(off, clock=clock) as gateway:
        books = gateway.books
        search = Search(books.store, books.sealer, books.cases, Grams(books.sealer), by_words=False)
        count = select(func.count()).select_from(SEARCH_GRAM)
        assert await books.store.read(lambda c: c.execute(count).scalar()) == 0
        assert (gateway.indexing, await search.find("井盖")) == (None, ())
        assert [hit.case_no for hit in await search.find(number)] == [number]


@pytest.mark.acceptance
def test_the_command_makes_the_index_anew_and_refuses_where_it_is_off(tmp_path):
    config = configure(tmp_path, f"sqlite:///{tmp_path}/jiesu.sqlite3")
    done = run("search", "rebuild", "--config", str(config))
    assert (done.returncode, "共 0 条" in done.stdout) == (0, True)
    config.write_text(config.read_text().replace("[channels", "[desk]\nsearch = false\n[channels", 1))
    refused = run("search", "rebuild", "--config", str(config))
    assert (refused.returncode, "desk.search" in refused.stderr) == (2, True)


def test_long_numbers_are_not_in_the_index_and_another_key_makes_other_grams():
    one, other = Grams(Sealer(b"k" * 32)), Grams(Sealer(b"j" * 32))
    assert one.of("我的电话13812345678") == one.of("我的电话")
    assert one.of("井盖丢失").isdisjoint(other.of("井盖丢失"))
    assert len(one.of("井盖丢失")) == 3


async def _file(gateway, owner, name, words="") -> str:
    taken = await gateway.media.intake.take(media.streamed(name.encode()), Claim(owner, name))
    if words:
        await _words(gateway, owner, taken.key, words)
    return taken.key


async def _words(gateway, owner, key, words) -> None:
    sealed = gateway.books.sealer.seal(words.encode())
    note = partial(media_rows.note_words, owner=owner, key=key, words=sealed, noted=Ids()())
    await gateway.books.store.write(note)


async def _erased(gateway, talk, clock) -> None:
    """Have a person of the office carry out a citizen's wish to have all deleted."""
    store, at = gateway.books.store, millis(clock())
    add = partial(requests.add, row_id=b"r" * 16, at=at, kind=requests.ERASE, body=b"")
    await store.write(partial(add, conversation=talk))
    assert await store.write(partial(requests.settle, row_id=b"r" * 16, state=requests.DONE, at=at))
    await gateway.forgetting.only("grams")
    clock.wait(milliseconds=1)


async def _indexed_as(gateway, ref) -> int:
    count = select(func.count()).select_from(SEARCH_DOC).where(SEARCH_DOC.c.ref == ref.encode())
    return await gateway.books.store.read(lambda c: c.execute(count).scalar())


async def _stray(gateway) -> int:
    known = select(SEARCH_DOC.c.id)
    count = select(func.count()).select_from(SEARCH_GRAM).where(SEARCH_GRAM.c.doc.not_in(known))
    return await gateway.books.store.read(lambda c: c.execute(count).scalar())


async def _indexed(gateway) -> tuple[Search, Indexing]:
    books = gateway.books
    grams = Grams(books.sealer)
    indexing = Indexing(books.store, books.sealer, books.cases, grams)
    await indexing.catch_up()
    return Search(books.store, books.sealer, books.cases, grams), indexing
