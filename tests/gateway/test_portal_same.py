"""已有人反映: one's own open case is offered to be added to, another's to be followed, and nobody's words are told."""

import pytest
from sqlalchemy import func, select, text

from gateway.store import duplicates
from gateway.store.tables import FOLLOW
from normalizer.case import Command, Verb
from tests.kit.browser import browsing, first, outgoing, portal_settings
from tests.kit.cases import AGENT, DISPATCH, REPLY, UNIT
from tests.kit.gateway import running

THEIRS = "我是王小明，住东岳大街88号，门前井盖丢失，晚上很危险，我摔伤了腿"
MINE = "东岳大街88号门前的井盖丢了，晚上很危险"
FINISH = (DISPATCH, Command(Verb.SIGN, UNIT), REPLY, Command(Verb.FINISH, AGENT))


async def test_one_s_own_open_case_is_offered_to_be_added_to(browsers, portal):
    browser = browsers()
    number = await browser.reports()
    page = await browser.writes(text=MINE)
    assert "这件事您好像反映过" in page.text
    assert "仍要提交" in page.text
    form = await browser.get(f"/cases/{number}/supplement?draft=1")
    assert MINE in form.text
    done = await browser.post(f"/cases/{number}/supplement", {"text": MINE, "draft": "1"})
    assert MINE in done.text
    assert "您有一件没写完的" not in (await browser.get("/report")).text


async def test_what_may_not_be_taken_in_is_told_where_to_turn_and_may_be_submitted_all_the_same(
    browsers, portal
):
    browser = browsers()
    page = await browser.writes(text="东岳大街88号的开发商延期交房，我要起诉开发商")
    assert "诉讼服务热线12368" in page.text
    assert "仍要提交" in page.text
    number = await browser.reports(text="东岳大街88号的开发商延期交房，我要起诉开发商")
    assert (await portal.lookup.case(number)).matter.labels == ("可能属于诉讼",)
    assert "专门的地方" not in (await browser.writes(text=MINE)).text


async def test_one_may_submit_all_the_same(browsers):
    browser = browsers()
    first_number = await browser.reports()
    assert await browser.reports(text=MINE) != first_number


async def test_another_s_case_is_offered_by_street_stage_and_day_alone(browsers, portal):
    theirs, mine = browsers(), browsers()
    number = await theirs.reports(text=THEIRS, name="王小明", place="东岳大街88号王家")
    page = await mine.writes(text=MINE)
    assert "已有人反映同一件事" in page.text
    line = first("道路与排水，东岳大街，[^ ]+ ?，11月24日提交", page.text)
    assert line
    for words in ("王", "摔伤", number, number[-7:], "88号王家"):
        assert words not in page.text


@pytest.mark.parametrize(
    ("why", "theirs"),
    [
        ("it is confidential", {"secret": "1"}),
        ("it is anonymous", {"anonymous": "1", "phone": "", "name": ""}),
        ("it is a report of wrongdoing", {"kind": "04", "secret": ""}),
        ("it is elsewhere", {"text": "迎胜路66号门前井盖丢失，晚上很危险", "place": "迎胜路66号"}),
        ("it is another thing", {"text": "东岳大街88号的路灯坏了好几天，晚上很黑"}),
    ],
)
async def test_what_is_never_offered_to_others(browsers, why, theirs):
    await browsers().reports(**theirs)
    assert "已有人反映" not in (await browsers().writes(text=MINE)).text


async def test_who_reports_wrongdoing_is_offered_nothing(browsers):
    await browsers().reports(text=THEIRS)
    assert "已有人反映" not in (await browsers().writes(text=MINE, kind="04")).text


async def test_a_finished_case_is_not_offered(browsers, portal):
    number = await browsers().reports(text=THEIRS)
    await portal.office.act(number, Command(Verb.WITHDRAW, AGENT))
    assert "已有人反映" not in (await browsers().writes(text=MINE)).text


async def test_a_follower_sees_the_least_and_is_told_once_when_it_is_finished(gateway, browsing_any):
    theirs, mine = browsing_any(), browsing_any()
    number = await theirs.reports(text=THEIRS)
    followed = await follow(mine)
    assert (followed.path, "已受理" in followed.text) == ("/followed", True)
    assert number not in followed.html
    for path in (f"/cases/{number}", f"/cases/{number}/urge"):
        assert (await mine.get(path)).status == 404
    for command in FINISH:
        await gateway.office.act(number, command)
    await gateway.office.tell_followers(10)
    told = [words for _, notice, words in await outgoing(gateway) if notice == "followed"]
    assert told == ["您一起关注的“道路与排水”诉求已办结。如果您那里还没有解决，请直接告诉我们，会另外办理。"]
    assert "您一起关注的" in (await mine.get("/chat")).text
    assert "已办结" in (await mine.get("/followed")).text


async def test_a_follower_by_telephone_is_told_by_sms_however_the_case_ended(browsers, portal):
    theirs, mine = browsers(), browsers()
    number = await theirs.reports(text=THEIRS)
    await mine.proves(portal, "13911112222")
    await follow(mine)
    await theirs.post(f"/cases/{number}/withdraw")
    told = [(account, words) for account, notice, words in await outgoing(portal) if notice == "follow_ended"]
    assert told == [("sms", "您关注的“道路与排水”诉求不再办理。您那里问题还在，请直接发文字反映。")]


async def test_what_the_bot_settles_is_told_by_the_clock(browsers, portal):
    theirs, mine = browsers(), browsers()
    await theirs.reports(text=THEIRS)
    await follow(mine)
    await theirs.post("/chat", {"text": "撤回", "token": "a"})
    await theirs.post("/chat", {"text": "Y", "token": "b"})
    await theirs.post("/chat", {"text": "1", "token": "c"})
    assert await portal.office.tell_followers(10) == 1
    assert await portal.office.tell_followers(10) == 0


async def test_following_is_undone(browsers, portal):
    await browsers().reports(text=THEIRS)
    mine = browsers()
    page = await follow(mine)
    await mine.post("/unfollow", {"like": "0" * 32})
    assert await followers(portal) == 1
    assert "您没有关注" in (await mine.post("/unfollow", {"like": token(page)})).text
    assert await followers(portal) == 0


async def test_following_twice_is_once_and_only_what_was_offered_can_be_followed(browsers, portal):
    await browsers().reports(text=THEIRS)
    mine, other = browsers(), browsers()
    given = token(await mine.writes(text=MINE))
    await other.writes(text=MINE)
    assert (await other.post("/follow", {"like": given})).status == 409
    assert (await mine.post("/follow", {"like": given})).path == "/followed"
    await follow(mine)
    assert await followers(portal) == 1


async def test_what_was_followed_before_the_proof_goes_with_the_telephone(browsers, portal):
    await browsers().reports(text=THEIRS)
    mine = browsers()
    await follow(mine)
    await mine.proves(portal)
    assert "道路与排水" in (await mine.get("/followed")).text


async def test_there_is_an_end_to_following(browsers, portal, clock):
    await browsers().reports(text=THEIRS)
    mine = browsers()
    page = None
    for _ in range(20):
        page = await follow(mine)
        await mine.post("/unfollow", {"like": token(page)})
    assert (await follow(mine)).status == 429


async def test_near_cases_are_read_by_their_index(portal):
    query = duplicates.query("D05", 0, 10).compile(compile_kwargs={"literal_binds": True})
    plan = await portal.books.store.read(
        lambda c: [row[3] for row in c.execute(text(f"EXPLAIN QUERY PLAN {query}"))]
    )
    assert any("ix_cases_category_created_at" in step for step in plan)
    assert not any("TEMP B-TREE" in step for step in plan)


async def follow(browser):
    page = await browser.writes(text=MINE)
    return await browser.post("/follow", {"like": token(page)})


def token(page):
    return first('(?<=name="like" value=")[0-9a-f]{32}', page.html)


async def followers(gateway):
    return await gateway.books.store.read(
        lambda c: c.execute(select(func.count()).select_from(FOLLOW)).scalar()
    )


@pytest.fixture
async def gateway(database, tmp_path, clock):
    async with running(portal_settings(database, tmp_path), clock=clock) as opened:
        yield opened


@pytest.fixture
async def browsing_any(gateway):
    async with browsing(gateway) as maker:
        yield maker
