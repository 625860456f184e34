"""Cases and talks are joined and taken apart; a history shows what a citizen proved and what staff joined."""

from dataclasses import replace

import pytest

from gateway.desk.history import History
from gateway.desk.merge import UNDO_MS, Merging
from gateway.desk.moves import Refused
from gateway.runtime import Ids
from gateway.store import conversations
from gateway.store.rows import BindingRow
from normalizer.case import Stage
from normalizer.errors import NotFound
from tests.kit.gateway import Person
from tests.kit.staff import FORM, case_desk, staff, taken, talk_of


async def test_a_merged_case_keeps_its_number_and_is_taken_apart_again(gateway, merging):
    li, desk = await staff(gateway), case_desk(gateway)
    one, into = [(await desk.open_call(li, FORM, f"k{n}")).case_no for n in (1, 2)]
    merged = await merging.cases(li, one, into, (await desk.case(one)).rev)
    case = await desk.case(one)
    assert (case.stage, case.matter.master_case_no) == (Stage.MERGED, into)
    await merging.undo(li, merged.id)
    case = await desk.case(one)
    assert (case.stage, case.matter.master_case_no) == (Stage.SUBMITTED, "")
    with pytest.raises(Refused, match="state"):
        await merging.undo(li, merged.id)


async def test_no_case_is_merged_into_one_that_is_merged_itself_or_into_itself_or_into_none(gateway, merging):
    li, desk = await staff(gateway), case_desk(gateway)
    a, b, c = [(await desk.open_call(li, FORM, f"k{n}")).case_no for n in (1, 2, 3)]
    await merging.cases(li, a, b, (await desk.case(a)).rev)
    for target, error in ((a, Refused), (c, Refused), ("37092611240001233", NotFound)):
        with pytest.raises(error):
            await merging.cases(li, c, target, (await desk.case(c)).rev)


async def test_a_talk_is_joined_to_one_that_the_agent_has_and_leaves_the_queue(
    gateway, person, clock, merging
):
    li = await staff(gateway)
    into = await taken(gateway, person, li)
    other = Person(gateway, clock, user="oOther")
    await other.says("转人工")
    one = await talk_of(gateway, other)
    merged = await merging.talks(li, one.conversation, into.conversation, one.epoch)
    assert (await talk_of(gateway, other)).owner == "closed"
    history = History(gateway.books.store, gateway.books.cases)
    (talk,) = (await history.of(into.conversation)).talks
    assert (talk.id, talk.bound, talk.merge) == (one.conversation, False, merged.id)
    await merging.undo(li, merged.id)
    assert (await history.of(into.conversation)).talks == ()
    kinds = [event.kind for event in await gateway.desk.events(0)]
    assert kinds[-1] == "unmerged"


async def test_nobody_joins_to_a_talk_that_another_has(gateway, person, clock, merging):
    li, wang = await staff(gateway), await staff(gateway, "wang")
    into = await taken(gateway, person, li)
    other = Person(gateway, clock, user="oOther")
    one = await taken(gateway, other, wang)
    with pytest.raises(Refused) as caught:
        await merging.talks(wang, one.conversation, into.conversation, one.epoch)
    assert caught.value.holder == li.id
    with pytest.raises(Refused):
        await merging.talks(li, one.conversation, into.conversation, one.epoch)
    assert (await talk_of(gateway, other)).agent == wang.id


async def test_a_merge_is_not_taken_apart_after_a_week(gateway, clock, merging):
    li, desk = await staff(gateway), case_desk(gateway)
    one, into = [(await desk.open_call(li, FORM, f"k{n}")).case_no for n in (1, 2)]
    merged = await merging.cases(li, one, into, (await desk.case(one)).rev)
    clock.wait(milliseconds=UNDO_MS + 1)
    with pytest.raises(Refused, match="state"):
        await merging.undo(li, merged.id)


async def test_a_history_has_the_talks_that_were_proved_and_no_others(gateway, person, clock):
    li, desk = await staff(gateway), case_desk(gateway)
    await person.says("你好")
    mine, other = await talk_of(gateway, person), Person(gateway, clock, user="oOther")
    stranger = Person(gateway, clock, user="oStranger")
    await other.says("你好")
    await stranger.says("你好")
    theirs = await talk_of(gateway, other)
    opened = await desk.open_beside(li, theirs.conversation, replace(FORM, title="路灯不亮"), "k1")
    history = History(gateway.books.store, gateway.books.cases)
    assert (await history.of(mine.conversation)).cases == ()
    who = b"person".ljust(16, b".")
    for talk in (mine.conversation, theirs.conversation):
        await gateway.books.store.write(lambda c, talk=talk: conversations.bind(c, BindingRow(talk, who, 1)))
    past = await history.of(mine.conversation)
    assert [(talk.id, talk.bound) for talk in past.talks] == [(theirs.conversation, True)]
    assert [case.case_no for case in past.cases] == [opened.case_no]


@pytest.fixture
def merging(gateway, clock) -> Merging:
    books = gateway.books
    return Merging(books.store, books.cases, gateway.office, gateway.desk, Ids(), clock)
