"""Signing in by WeChat on our pages: known when he comes back as he was sent, and nobody by another's code."""

from __future__ import annotations

from collections import deque
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession, CookieJar
from yarl import URL

from gateway.sandbox.platform import Fault
from tests.kit.standin import Phone, phone

SITE = "http://12345.example"
IN_WECHAT = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.50"}
TOKEN = "/sns/oauth2/access_token"


class Page:
    """A browser inside WeChat, on a citizen's phone."""

    def __init__(self, http: ClientSession, citizen: Phone) -> None:
        self.http, self.citizen = http, citizen

    async def get(self, path: str) -> tuple[int, str, str]:
        """Return status, where it leads, and what it says."""
        path = path.removeprefix(SITE)
        address = path if path.startswith("http") else self.citizen.address + path
        async with self.http.get(address, allow_redirects=False, headers=IN_WECHAT) as answer:
            return answer.status, answer.headers.get("Location", ""), await answer.text()

    async def leaves(self) -> str:
        """Leave for the platform, and return the address by which it sends him back."""
        _, away, _ = await self.get("/login/wechat")
        status, back, text = await self.get(away)
        assert status == 302, text
        return back

    async def signs_in(self) -> str:
        """Sign in, and return what the page of cases says."""
        status, to, text = await self.get(await self.leaves())
        assert (status, to) == (303, "/cases"), text
        return (await self.get(to))[2]


@pytest.fixture
async def citizen(database, tmp_path, clock):
    async with phone(database, tmp_path, clock, public_url=SITE) as made:
        made.visitors.browsing = made.openid
        made.visitors.domain = "12345.example"
        yield made


@asynccontextmanager
async def browser(citizen):
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
        yield Page(http, citizen)


async def test_who_opens_the_page_in_wechat_sees_his_cases_and_nobody_elses(citizen):
    number = await citizen.reports()
    async with browser(citizen) as page:
        assert "用微信查" in (await page.get("/cases"))[2]
        said = await page.signs_in()
        assert "已用微信登录" in said
        assert number in said
        assert (await page.get(f"/cases/{number}"))[0] == 200
    citizen.visitors.browsing = citizen.platform.person("oStranger").openid
    async with browser(citizen) as page:
        assert number not in await page.signs_in()
        assert (await page.get(f"/cases/{number}"))[0] == 404


async def test_the_platform_is_asked_for_nothing_but_who_it_is(citizen):
    async with browser(citizen) as page:
        _, away, _ = await page.get("/login/wechat")
    asked = parse_qs(urlsplit(away).query)
    assert urlsplit(away).fragment == "wechat_redirect"
    assert (asked["scope"], asked["response_type"]) == (["snsapi_base"], ["code"])
    assert asked["redirect_uri"] == [f"{SITE}/login/wechat/back"]
    assert len(asked["state"][0]) >= 32


async def test_the_session_from_before_opens_nothing_of_what_came_after(citizen):
    number = await citizen.reports()
    async with browser(citizen) as page, browser(citizen) as thief:
        await page.get("/cases")
        thief.http.cookie_jar.update_cookies(
            {each.key: each.value for each in page.http.cookie_jar}, URL(citizen.address)
        )
        await page.signs_in()
        assert number not in (await thief.get("/cases"))[2]


async def test_a_state_that_is_wrong_or_another_browsers_or_missing_lets_nobody_in(citizen):
    number = await citizen.reports()
    async with browser(citizen) as owner, browser(citizen) as victim:
        back = await owner.leaves()
        wrong = back.replace("state=", "state=x")
        for page, address in (
            (owner, wrong),
            (owner, back.partition("&state")[0]),
            (victim, back),
            (owner, "/login/wechat/back"),
            (owner, "/login/wechat/back?state=%ff%00&code=1"),
        ):
            status, _, text = await page.get(address)
            assert (status, "登录没有完成" in text) == (403, True)
            assert number not in (await page.get("/cases"))[2]
        await victim.leaves()
        assert (await victim.get(back))[0] == 403
        assert (await owner.get(back))[0] == 303


async def test_a_state_is_good_once_and_for_ten_minutes(citizen):
    async with browser(citizen) as page:
        back = await page.leaves()
        assert (await page.get(back))[0] == 303
        assert (await page.get(back))[0] == 403
        late = await page.leaves()
        citizen.clock.wait(minutes=11)
        assert (await page.get(late))[0] == 403


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault("code", 40029), 403),
        (Fault("code", 40163), 403),
        (Fault("code", 45011), 429),
        (Fault("code", 40125), 503),
        (Fault("status", 502), 503),
        (Fault("truncated"), 503),
    ],
    ids=lambda value: str(getattr(value, "code", value)),
)
async def test_what_the_platform_does_not_say_lets_nobody_in_and_the_state_is_used(citizen, fault, status):
    async with browser(citizen) as page:
        back = await page.leaves()
        citizen.platform.faults[TOKEN] = deque([fault])
        assert (await page.get(back))[0] == status
        assert (await page.get(back))[0] == 403
        assert "已用微信登录" in await page.signs_in()


async def test_what_was_begun_here_goes_on_and_leaving_ends_it(citizen):
    async with browser(citizen) as page:
        said = await page.signs_in()
        csrf = said.partition('name="csrf" value="')[2].partition('"')[0]
        async with page.http.post(
            f"{citizen.address}/logout", data={"csrf": csrf}, allow_redirects=False
        ) as left:
            assert left.status == 303
        assert "已用微信登录" not in (await page.get("/cases"))[2]


@pytest.mark.parametrize(("site", "account"), [("", ""), (SITE, "none")])
async def test_where_nobody_could_come_back_the_way_is_not_there(database, tmp_path, clock, site, account):
    async with phone(database, tmp_path, clock, public_url=site) as citizen, browser(citizen) as page:
        assert (await page.get(f"/login/wechat?account={account}"))[0] == 404


async def test_another_browser_is_not_offered_it(citizen):
    async with ClientSession() as http, http.get(f"{citizen.address}/cases") as answer:
        assert "用微信查" not in await answer.text()
