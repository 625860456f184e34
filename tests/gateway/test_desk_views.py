"""Saved views and their counts."""

import pytest

from bots.contract import Owner
from gateway.desk.grams import Grams
from gateway.desk.moves import Refused
from gateway.desk.rights import Role
from gateway.desk.search import Search
from gateway.desk.views import ALL, OWN, Filter, Looker, Views
from gateway.runtime import Ids
from gateway.store import desk_reads
from normalizer.errors import NotFound
from tests.kit.desk import Floor
from tests.kit.staff import staff, taken, talk_of


@pytest.fixture
async def floor(gateway) -> Floor:
    return Floor(gateway.books.store)


@pytest.fixture
def views(gateway, floor) -> Views:
    books = gateway.books
    search = Search(books.store, books.sealer, books.cases, Grams(books.sealer))
    return Views(books.store, Ids(), floor.clock, search)


ME = Looker(b"me".ljust(16, b"."), Role.SUPERVISOR.value, frozenset({"law"}))


@pytest.mark.parametrize(
    ("what", "shown"),
    [
        pytest.param(Filter(), ["first", "law", "mine", "urgent"], id="everything"),
        pytest.param(Filter(owners=(Owner.QUEUED,)), ["first", "law", "urgent"], id="who waits"),
        pytest.param(Filter(skill="law"), ["law"], id="a skill"),
        pytest.param(Filter(skill="la"), [], id="a piece of a skill"),
        pytest.param(Filter(skill="%"), [], id="no pattern of SQL"),
        pytest.param(Filter(urgent=True), ["urgent"], id="what is urgent"),
        pytest.param(Filter(mine=True), ["mine"], id="what is mine"),
        pytest.param(Filter(account="sms"), [], id="another account"),
        pytest.param(Filter(waiting_minutes=10, owners=(Owner.QUEUED,)), ["first"], id="who waits long"),
    ],
)
async def test_t29_a_view_shows_what_its_conditions_say_and_its_count_is_the_same(floor, views, what, shown):
    # The gateway's own router leaves everything to who is busy.
    me = await floor.agent("me", role="supervisor", state="busy")
    mine = await floor.waits("mine")
    await floor.desk.take(me, mine, (await floor.talk(mine)).epoch)
    await floor.waits("first")
    floor.clock.wait(minutes=11)
    await floor.waits("law", skill="law labour")
    await floor.waits("urgent", urgent=True)
    talks = await views.talks(ME, what)
    assert sorted(talk.rstrip(b".").decode() for talk in talks) == shown
    saved = await views.save(ME, "视图", OWN, what)
    assert (await views.counts(ME))[saved.id.hex()] == len(shown)
    where = await views.conditions(saved.filter, me)
    rows = await views.store.read(
        lambda c: desk_reads.page(c, where, placed=False, skip=0, limit=10, now=floor.now)
    )
    assert sorted(row.id.rstrip(b".").decode() for row in rows) == shown


async def test_a_view_holds_a_text_that_stands_in_the_talk(gateway, person, floor, views):
    li = await staff(gateway)
    await floor.waits("other")
    talk = (await taken(gateway, person, li)).conversation
    me = Looker(li.id, li.role, frozenset())
    await gateway.desk.reply(li.id, talk, (await talk_of(gateway, person)).epoch, "请带户口簿原件", "e1")
    await gateway.indexing.catch_up()
    saved = await views.save(me, "户口", OWN, Filter(text="户口簿 原件"))
    assert [view.filter.text for view in await views.seen(me)] == ["户口簿 原件"]
    assert await views.talks(me, saved.filter) == [talk]
    assert (await views.counts(me))[saved.id.hex()] == 1
    assert await views.talks(me, Filter(text="户口簿", owners=(Owner.QUEUED,))) == []
    assert await views.talks(me, Filter(text="公积金")) == []
    await gateway.desk.reply(li.id, talk, (await talk_of(gateway, person)).epoch, "公积金中心在二楼", "e2")
    await gateway.indexing.catch_up()
    floor.clock.wait(seconds=6)
    assert await views.talks(me, Filter(text="公积金")) == [talk]


async def test_the_standing_views_count_from_the_first_day(floor, views):
    await floor.waits("first")
    assert await views.counts(ME) == {"mine": 0, "waiting": 1, "all": 1}


async def test_t26_a_groups_view_is_seen_by_the_group_and_by_nobody_else(views):
    law = await views.save(ME, "法律", "law", Filter(skill="law"))
    every = await views.save(ME, "全部", ALL, Filter())
    own = await views.save(ME, "我的", OWN, Filter(mine=True))
    colleague = Looker(b"other".ljust(16, b"."), Role.AGENT.value, frozenset({"law"}))
    stranger = Looker(b"third".ljust(16, b"."), Role.AGENT.value, frozenset())
    assert {view.id for view in await views.seen(ME)} == {law.id, every.id, own.id}
    assert {view.id for view in await views.seen(colleague)} == {law.id, every.id}
    assert {view.id for view in await views.seen(stranger)} == {every.id}


async def test_an_agent_saves_for_himself_only_and_drops_only_his_own(gateway, views):
    li = await staff(gateway)
    me = Looker(li.id, li.role, frozenset())
    with pytest.raises(Refused, match="right"):
        await views.save(me, "全部", ALL, Filter())
    own = await views.save(me, "我的", OWN, Filter(mine=True))
    with pytest.raises(NotFound):
        await views.drop(ME, own.id)
    await views.drop(me, own.id)
    assert await views.seen(me) == ()
