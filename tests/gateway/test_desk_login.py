"""Who gets in at the desk, how long he stays, and what is noted of it."""

from __future__ import annotations

import asyncio
import re
from functools import partial

import pyotp
import pytest
from argon2 import extract_parameters
from sqlalchemy import select

from gateway.app import listening
from gateway.desk.accounts import LOCK_MS
from gateway.desk.rights import Role
from gateway.store import agents
from gateway.store.tables import ACCESS
from gateway.web import assets
from gateway.web.desk.login import BY_ADDRESS
from tests.kit.agent import PASSWORD, Agent, hire
from tests.kit.gateway import Hand, embedded, running, settings


async def test_a_login_that_is_not_there_is_answered_as_one_that_is(gateway, site):
    await gateway.accounts.add("li", "李", Role.AGENT)
    told = {}
    for login in ("li", "nobody"):
        async with Agent(site, login) as agent:
            answers = [await agent.enters("wrong") for _ in range(6)]
            told[login] = [(each.status, each.body) for each in answers]
    assert told["li"] == told["nobody"]
    assert [status for status, _ in told["li"]] == [401] * 4 + [429] * 2


async def test_a_login_that_is_not_there_is_tried_against_a_hash_as_costly_as_a_real_one(gateway):
    await gateway.accounts.add("li", "李", Role.AGENT)
    row = await gateway.books.store.read(partial(agents.by_login, login="li"))
    assert extract_parameters(gateway.accounts.nobody) == extract_parameters(row["password"])


async def test_a_locked_account_is_closed_to_the_right_password_too_until_the_time_is_over(
    gateway, site, clock
):
    one_time = await gateway.accounts.add("li", "李", Role.AGENT)
    async with Agent(site, "li") as agent:
        for _ in range(5):
            await agent.enters("wrong")
        locked = await agent.enters(one_time)
        assert (locked.status, locked.kind, locked.headers["Retry-After"]) == (429, "locked", "900")
        clock.wait(milliseconds=LOCK_MS)
        assert (await agent.enters(one_time)).status == 200


async def test_one_address_may_not_try_for_ever(gateway, site):
    async with Agent(site, "x") as agent:
        for number in range(BY_ADDRESS):
            agent.login = f"guess{number}"
            assert (await agent.enters("wrong")).status == 401
        assert (await agent.enters("wrong")).status == 429


async def test_the_second_factor_is_asked_for_after_the_password_and_counts_once(gateway, site, clock):
    async with await hire(gateway, site, "li") as agent:
        secret = (await agent.post("me/totp"))["secret"]
        wrong = await agent.asks(
            "POST", "me/totp/confirm", {"secret": secret, "code": "000000", "password": PASSWORD}
        )
        assert wrong.status == 422
        totp = pyotp.TOTP(secret)
        given = {"secret": secret, "code": totp.at(clock.now)}
        assert (await agent.asks("POST", "me/totp/confirm", given)).status == 422
        stranger = await agent.asks("POST", "me/totp/confirm", given | {"password": "wrong"})
        assert stranger.kind == "wrong-login"
        await agent.post("me/totp/confirm", given | {"password": PASSWORD})
        clock.wait(seconds=30)
        assert (await agent.enters(PASSWORD)).kind == "needs-code"
        assert (await agent.enters("wrong")).kind == "wrong-login"
        code = totp.at(clock.now)
        assert (await agent.enters(PASSWORD, code)).status == 200
        assert (await agent.enters(PASSWORD, code)).kind == "wrong-login"


async def test_a_second_factor_that_is_on_is_not_replaced_by_whoever_sits_at_an_open_page(
    gateway, site, clock
):
    async with await hire(gateway, site, "li") as agent:
        secret, other = [(await agent.post("me/totp"))["secret"] for _ in range(2)]
        given = {"secret": secret, "code": pyotp.TOTP(secret).at(clock.now), "password": PASSWORD}
        await agent.post("me/totp/confirm", given)
        mine = {"secret": other, "code": pyotp.TOTP(other).at(clock.now), "password": PASSWORD}
        assert (await agent.asks("POST", "me/totp")).kind == "has-factor"
        assert (await agent.asks("POST", "me/totp/confirm", mine)).kind == "has-factor"
        assert not await gateway.accounts.confirm(bytes.fromhex(agent.id), other, mine["code"])
        clock.wait(seconds=30)
        assert (await agent.enters(PASSWORD, pyotp.TOTP(other).at(clock.now))).kind == "wrong-login"
        assert (await agent.enters(PASSWORD, pyotp.TOTP(secret).at(clock.now))).status == 200


async def test_wrong_passwords_are_counted_by_all_processes_together(postgres_url, tmp_path, clock):
    given = settings(postgres_url, tmp_path)
    async with running(given, clock=clock) as one, running(given, clock=clock) as two:
        one_time = await one.accounts.add("li", "李", Role.AGENT)
        wrong = [each.accounts.verify("li", "wrong") for each in (one, two, one, two, one)]
        outcomes = [outcome for outcome, _ in await asyncio.gather(*wrong)]
        assert sorted(outcomes) == ["locked", *["wrong"] * 4]
        assert (await two.accounts.verify("li", one_time))[0] == "locked"


async def test_who_does_nothing_for_half_an_hour_is_out_though_his_page_beats(gateway, site, clock):
    async with await hire(gateway, site, "li") as agent:
        for _ in range(29):
            clock.wait(minutes=1)
            await agent.beats()
        clock.wait(minutes=1)
        assert (await agent.asks("GET", "me")).status == 401


async def test_who_does_something_stays_and_a_working_day_is_the_longest(gateway, site, clock):
    async with await hire(gateway, site, "li") as agent:
        for _ in range(12 * 60 // 20 - 1):
            clock.wait(minutes=20)
            await agent.post("me/beat", {"tab": "tab", "active": True})
        clock.wait(minutes=20)
        assert (await agent.asks("GET", "me")).status == 401


async def test_the_stream_ends_with_its_session(tmp_path):
    given = settings(f"sqlite:///{tmp_path}/jiesu.sqlite3", tmp_path, desk={"heartbeat_seconds": 0.05})
    async with running(given) as gateway, listening(gateway.app, "127.0.0.1", 0) as port:
        site = f"http://127.0.0.1:{port}"
        async with await hire(gateway, site, "li") as agent, agent.follows() as live:
            await live.hears("beat")
            await gateway.accounts.disable("li")
            await live.ends()
            assert (await agent.asks("GET", "me")).status == 401


async def test_the_stream_is_for_those_who_may_read_talks(gateway, site):
    async with await hire(gateway, site, "li", role=Role.AUDITOR) as agent, agent.follows() as live:
        assert live.status == 403
    async with Agent(site, "li") as stranger, stranger.follows() as live:
        assert live.status == 401


async def test_another_password_ends_every_other_session_and_wants_the_old_one(gateway, site):
    async with await hire(gateway, site, "li") as here, Agent(site, "li") as there:
        assert (await there.enters(PASSWORD)).status == 200
        new = "another long password"
        wrong = await here.asks("POST", "me/password", {"old": "wrong", "new": new})
        assert wrong.kind == "wrong-login"
        assert (await here.asks("POST", "me/password", {"old": PASSWORD, "new": "short"})).status == 422
        here.csrf = (await here.post("me/password", {"old": PASSWORD, "new": new}))["csrf"]
        assert (await here.get("me"))["one_time"] is False
        assert (await there.asks("GET", "me")).status == 401


async def test_who_logs_out_is_out_and_his_cookie_opens_nothing_any_more(gateway, site):
    async with await hire(gateway, site, "li") as agent:
        [kept] = [cookie.value for cookie in agent.session.cookie_jar]
        await agent.post("logout")
        agent.session.cookie_jar.update_cookies({"jiesu-desk": kept})
        assert (await agent.asks("GET", "me")).status == 401


async def test_a_login_gives_a_new_cookie_each_time_and_the_one_before_opens_nothing(gateway, site):
    async with await hire(gateway, site, "li") as agent:
        before = {cookie.value for cookie in agent.session.cookie_jar}
        await agent.enters(PASSWORD)
        assert before.isdisjoint({cookie.value for cookie in agent.session.cookie_jar})
        agent.session.cookie_jar.clear()
        agent.session.cookie_jar.update_cookies({"jiesu-desk": before.pop()})
        assert (await agent.asks("GET", "me")).status == 401


async def test_what_happened_at_the_door_is_noted_and_what_was_typed_is_not(gateway, site):
    async with await hire(gateway, site, "li") as agent:
        await agent.enters("wrong")
        agent.login = "my secret password"
        await agent.enters("wrong")
        agent.login = "li"
        await agent.post("logout")
    rows = await gateway.books.store.read(lambda c: c.execute(select(ACCESS).order_by(ACCESS.c.id)).all())
    noted = [(row.actor, row.act) for row in rows if row.act.startswith("desk.")]
    assert noted == [
        ("agent:li", "desk.login"),
        ("agent:li", "desk.password"),
        ("agent:li", "desk.refused"),
        ("agent:?", "desk.refused"),
        ("agent:li", "desk.logout"),
    ]
    assert not any("secret" in str(row) for row in rows)


@pytest.mark.parametrize(
    ("address", "name", "secure"),
    [("https://12345.example", "__Host-jiesu-desk", True), ("http://127.0.0.1", "jiesu-desk", False)],
)
async def test_the_cookie_is_for_this_site_alone_and_no_script_reads_it(tmp_path, address, name, secure):
    given = settings(embedded(tmp_path), tmp_path, public_url=address)
    async with running(given) as gateway, listening(gateway.app, "127.0.0.1", 0) as port:
        one_time = await gateway.accounts.add("li", "李", Role.AGENT)
        async with Agent(f"http://127.0.0.1:{port}", "li") as agent:
            [cookie] = (await agent.enters(one_time)).headers.getall("Set-Cookie")
    assert cookie.startswith(f"{name}=")
    marks = {mark.strip().lower() for mark in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= marks
    assert ("secure" in marks) == secure
    assert not any(mark.startswith(("domain", "max-age", "expires")) for mark in marks)


async def test_the_page_allows_no_script_but_its_own(gateway, site):
    async with Agent(site, "li") as agent, agent.session.get(f"{site}/desk") as page:
        policy = page.headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["Cache-Control"] == "no-store"


async def test_the_page_comes_packed_and_asks_for_all_its_modules_at_once(gateway, site):
    async with Agent(site, "li") as agent, agent.session.get(f"{site}/desk") as page:
        assert page.headers["Content-Encoding"] == "gzip"
        text = await page.text()
        asked = set(re.findall(r'modulepreload" href="/static/desk@\w{12}/(\w+\.js)', text))
    modules = {path.name for path in (assets.FOLDER / "desk").glob("*.js")}
    assert asked == modules - {"beat.js"}
    plain = {"Accept-Encoding": "identity"}
    async with Agent(site, "li") as agent, agent.session.get(f"{site}/desk", headers=plain) as page:
        assert "Content-Encoding" not in page.headers
        assert await page.text() == text


@pytest.fixture
async def gateway(clock: Hand, tmp_path):
    """What is asked here is the door, not the store."""
    async with running(settings(embedded(tmp_path), tmp_path), clock=clock) as opened:
        yield opened


@pytest.fixture
async def site(gateway):
    async with listening(gateway.app, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"
