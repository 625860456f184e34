"""Single sign-on at the desk: who gets in, who does not, and that no provider can talk anybody in."""

from __future__ import annotations

import base64
import json
import re
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import pyotp
import pytest
from aiohttp import ClientSession
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from sqlalchemy import select
from structlog.testing import capture_logs
from yarl import URL

from gateway.app import listening, running
from gateway.desk.accounts import LOCK_MS
from gateway.desk.rights import Role
from gateway.desk_settings import Oidc
from gateway.store.desk_tables import DESK_SESSION
from gateway.store.tables import ACCESS
from gateway.web.desk import checkup
from gateway.web.desk import provider as providers
from tests.kit.agent import PASSWORD, Agent, hire
from tests.kit.gateway import settings
from tests.kit.oidc import CLIENT, SECRET, Person, Provider, breaks, hangs, huge
from tests.kit.ports import free_port

HANGING = 1.0
"""Seconds that a provider is waited for which never answers."""


async def test_who_has_an_account_is_let_in_without_a_password_of_ours(house, database):
    async with house() as (gateway, site, provider), Person(site) as person:
        await gateway.accounts.add("li", "李", Role.AGENT)
        told = await person.enters()
        assert (told.status, told.path) == (200, "/desk")
        me = await person.me()
        assert (me["agent"]["name"], me["one_time"]) == ("李", False)
        assert provider.wanted["scope"] == "openid profile"
        assert len(provider.wanted["code_challenge"]) == 43
        assert await _noted(gateway) == [("agent:li", "desk.login", "single sign-on")]


async def test_nobody_gets_an_account_by_logging_in(house):
    async with house(contact="信息中心 0538-1234567") as (gateway, site, _), Person(site) as person:
        told = await person.enters()
        assert told.status == 403
        assert "您还没有座席账号" in told.text
        assert "“li”" in told.text
        assert "信息中心 0538-1234567" in told.text
        assert await person.me() == {}
        assert await gateway.accounts.every() == []
        assert await _noted(gateway) == [("agent:?", "desk.refused", "single sign-on: unknown li")]


async def test_a_disabled_account_and_a_locked_one_stay_closed(house, clock):
    async with house() as (gateway, site, _), Person(site) as person:
        await gateway.accounts.add("li", "李", Role.AGENT)
        async with Agent(site, "li") as guesser:
            for _ in range(5):
                await guesser.enters("wrong")
        assert "账号暂时锁定" in (await person.enters()).text
        clock.wait(milliseconds=LOCK_MS)
        await gateway.accounts.disable("li")
        assert "已停用" in (await person.enters()).text
        assert await person.me() == {}


async def test_a_login_that_was_given_to_somebody_else_opens_nothing_until_an_administrator_unlinks_it(
    house, database
):
    async with house() as (gateway, site, provider):
        await gateway.accounts.add("li", "李", Role.AGENT)
        await gateway.accounts.add("wang", "王", Role.AGENT)
        async with Person(site) as first:
            await first.enters()
            assert (await first.me())["agent"]["name"] == "李"
            provider.person = {"sub": "s-new", "preferred_username": "li"}
            async with Person(site) as second:
                assert "属于另一个人" in (await second.enters()).text
                provider.person = {"sub": "s-li", "preferred_username": "wang"}
                assert "属于另一个人" in (await second.enters()).text
                await gateway.accounts.unlink("li")
                assert await first.me() == {}
                provider.person = {"sub": "s-new", "preferred_username": "li"}
                await second.enters()
                assert (await second.me())["agent"]["name"] == "李"


async def test_a_second_factor_of_ours_is_asked_for_and_a_wrong_code_counts(house, clock):
    async with house() as (gateway, site, _), Person(site) as person:
        async with await hire(gateway, site, "li", name="李") as agent:
            secret = (await agent.post("me/totp"))["secret"]
            totp = pyotp.TOTP(secret)
            await agent.post(
                "me/totp/confirm", {"secret": secret, "code": totp.at(clock.now), "password": PASSWORD}
            )
        clock.wait(seconds=30)
        told = await person.enters()
        assert "请输入动态验证码" in told.text
        assert await person.me() == {}
        assert "验证码不对" in (await person.codes("000000")).text
        assert (await person.codes(totp.at(clock.now), **{"Sec-Fetch-Site": "cross-site"})).status == 400
        assert (await person.codes(totp.at(clock.now))).path == "/desk"
        assert (await person.me())["agent"]["name"] == "李"
        await person.enters()
        for _ in range(4):
            await person.codes("000000")
        assert "账号暂时锁定" in (await person.codes("000000")).text


async def test_a_code_after_ten_minutes_or_after_the_account_changed_is_too_late(house, clock):
    async with house() as (gateway, site, _), Person(site) as person:
        async with await hire(gateway, site, "li", name="李") as agent:
            secret = (await agent.post("me/totp"))["secret"]
            totp = pyotp.TOTP(secret)
            await agent.post(
                "me/totp/confirm", {"secret": secret, "code": totp.at(clock.now), "password": PASSWORD}
            )
        await person.enters()
        clock.wait(minutes=10)
        assert "已经失效" in (await person.codes(totp.at(clock.now))).text
        await person.enters()
        await gateway.accounts.unlink("li")
        assert "已经失效" in (await person.codes(totp.at(clock.now))).text
        assert "已经失效" in (await person.codes("")).text
        assert await person.me() == {}


STRENGTH = {
    "the class that is set": ({"acr": ["gold"]}, {"acr": "gold"}, ""),
    "another class": ({"acr": ["gold"]}, {"acr": "0"}, "更强"),
    "no class": ({"acr": ["gold"]}, {}, "更强"),
    "one of the methods that are set": ({"amr": ["mfa", "otp"]}, {"amr": ["pwd", "otp"]}, ""),
    "another method": ({"amr": ["mfa"]}, {"amr": ["pwd"]}, "更强"),
    "no method": ({"amr": ["mfa"]}, {}, "更强"),
    "methods that are no list": ({"amr": ["mfa"]}, {"amr": "mfa"}, "不可信"),
    "proved a minute ago": ({"max_age_minutes": 5}, {"auth_time": -60}, ""),
    "proved long ago": ({"max_age_minutes": 5}, {"auth_time": -600}, "更强"),
    "nobody knows when": ({"max_age_minutes": 5}, {}, "不可信"),
}


@pytest.mark.parametrize("case", list(STRENGTH))
async def test_the_strength_that_is_set_is_insisted_on(house, clock, case):
    given, claims, said = STRENGTH[case]
    if "auth_time" in claims:
        claims = {"auth_time": int(clock.now.timestamp()) + claims["auth_time"]}
    async with house(**given) as (gateway, site, provider), Person(site) as person:
        await gateway.accounts.add("li", "李", Role.AGENT)
        provider.lies = claims
        told = await person.enters()
        assert said in told.text
        assert bool(await person.me()) == (said == "")
        assert provider.wanted.get("acr_values") == (" ".join(given["acr"]) if "acr" in given else None)
        assert provider.wanted.get("max_age") == ("300" if "max_age_minutes" in given else None)


async def test_the_providers_second_factor_stands_for_ours_where_it_is_insisted_on(house, clock):
    async with house(amr=["mfa"]) as (gateway, site, provider), Person(site) as person:
        async with await hire(gateway, site, "li", name="李") as agent:
            secret = (await agent.post("me/totp"))["secret"]
            code = pyotp.TOTP(secret).at(clock.now)
            await agent.post("me/totp/confirm", {"secret": secret, "code": code, "password": PASSWORD})
        provider.lies = {"amr": ["pwd", "mfa"]}
        await person.enters()
        assert (await person.me())["agent"]["name"] == "李"


NAMES = {
    "the domain is cut off": ({"domain": "City.gov.cn"}, {"preferred_username": "li@city.gov.cn"}, ""),
    "another domain": ({"domain": "city.gov.cn"}, {"preferred_username": "li@evil.example"}, "没有说明"),
    "no domain where one is set": ({"domain": "city.gov.cn"}, {"preferred_username": "li"}, "没有说明"),
    "a mail address that was proved": (
        {"claim": "email", "domain": "city.gov.cn"},
        {"email": "li@city.gov.cn", "email_verified": True},
        "",
    ),
    "a mail address that anybody may write": (
        {"claim": "email", "domain": "city.gov.cn"},
        {"email": "li@city.gov.cn"},
        "没有说明",
    ),
    "no such claim": ({"claim": "employee"}, {}, "没有说明"),
    "a claim that is no word": ({}, {"preferred_username": ["li"]}, "没有说明"),
    "a claim without end": ({}, {"preferred_username": "l" * 1000}, "没有说明"),
    "another case": ({}, {"preferred_username": "LI"}, "还没有座席账号"),
    "a claim with marks of HTML": ({}, {"preferred_username": "<b>li"}, "“&lt;b&gt;li”"),
}


@pytest.mark.parametrize("case", list(NAMES))
async def test_the_claim_that_is_set_names_the_account(house, case):
    given, claims, said = NAMES[case]
    async with house(**given) as (gateway, site, provider), Person(site) as person:
        await gateway.accounts.add("li", "李", Role.AGENT)
        provider.lies = claims
        told = await person.enters()
        assert said in told.text
        assert bool(await person.me()) == (said == "")


LIES = {
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "somebody-else"},
    "another audience among ours, and no party": {"aud": [CLIENT, "somebody-else"]},
    "another party": {"azp": "somebody-else"},
    "an audience that is no word": {"aud": {"a": 1}},
    "over": {"exp": -600},
    "no end": {"exp": None},
    "an end that is no number": {"exp": "never"},
    "no beginning": {"iat": None},
    "issued tomorrow": {"iat": 86_400},
    "issued before it was asked for": {"iat": -3600},
    "not yet good": {"nbf": 3600},
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    "an access token's hash that is no word": {"at_hash": 5},
    "nobody": {"sub": None},
    "a nameless one": {"sub": ""},
    "a number": {"sub": 7},
}


async def test_a_token_that_lies_lets_nobody_in(house, clock):
    async with house() as (gateway, site, provider), Person(site) as person:
        await gateway.accounts.add("li", "李", Role.AGENT)
        for case, lies in LIES.items():
            provider.lies = {name: _moment(name, value, clock) for name, value in lies.items()}
            with capture_logs() as logged:
                told = await person.enters()
            assert (told.status, "不可信" in told.text) == (403, True), case
            assert await person.me() == {}, case
            _one_line(logged, "false")
        provider.lies = {}
        assert (await person.enters()).path == "/desk"


def _moment(name: str, value: object, clock) -> object:
    """A claim that is an instant, told by its distance from now."""
    if name in {"exp", "iat", "nbf"} and isinstance(value, int):
        return int(clock.now.timestamp()) + value
    return value


def _unsigned(provider: Provider, claims: str) -> str:
    return f"{_b64(json.dumps({'alg': 'none'}))}.{claims}."


def _by_public_key(provider: Provider, claims: str) -> str:
    """What an HMAC looks like that takes the provider's public key for a secret."""
    body = json.loads(base64.urlsafe_b64decode(claims + "=="))
    modulus = OctKey.import_key({"kty": "oct", "k": provider.key.as_dict(private=False)["n"]})
    return jwt.encode({"alg": "HS256", "kid": provider.key.kid}, body, modulus, algorithms=["HS256"])


def _by_another_key(provider: Provider, claims: str) -> str:
    body = json.loads(base64.urlsafe_b64decode(claims + "=="))
    other = RSAKey.generate_key(2048)
    return jwt.encode({"alg": "RS256", "kid": provider.key.kid}, body, other, algorithms=["RS256"])


def _own_key(provider: Provider, claims: str) -> str:
    """What brings the key along that it is signed with."""
    body, key = json.loads(base64.urlsafe_b64decode(claims + "==")), RSAKey.generate_key(2048)
    header = {"alg": "RS256", "jwk": key.as_dict(private=False)}
    return jwt.encode(header, body, key, algorithms=["RS256"])


FORGED = {
    "no signature": _unsigned,
    "a public key taken for a secret": _by_public_key,
    "a key that is not the provider's": _by_another_key,
    "a key that it brings along": _own_key,
    "another body": lambda provider, claims: f"e30.{claims}.AAAA",
    "no token": lambda provider, claims: "nonsense",
    "a token without end": lambda provider, claims: "a" * 400_000,
}


async def test_a_token_that_is_not_the_providers_lets_nobody_in(house, clock):
    async with house() as (gateway, site, provider), Person(site) as person:
        await gateway.accounts.add("li", "李", Role.AGENT)
        for case, forge in FORGED.items():
            url, now = URL(await person.leaves(), encoded=True), int(clock.now.timestamp())
            body = {"iss": provider.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, **provider.person}
            provider.forged = forge(provider, _b64(json.dumps(body | {"nonce": url.query["nonce"]})))
            async with person.http.get(url) as answer:
                assert (answer.status, "不可信" in await answer.text()) == (403, True), case
            assert await person.me() == {}, case


async def test_an_answer_counts_once_and_only_where_it_was_begun_and_not_for_ever(house, clock):
    async with house() as (gateway, site, provider), Person(site) as person, Person(site) as victim:
        await gateway.accounts.add("li", "李", Role.AGENT)
        back = await person.proves()
        assert "已经失效" in (await victim.goes(back)).text
        await victim.leaves()
        assert "已经失效" in (await victim.goes(back)).text
        kept = {cookie.key: cookie.value for cookie in person.http.cookie_jar}
        assert (await person.goes(back)).path == "/desk"
        person.http.cookie_jar.update_cookies(kept, URL(site))
        asked = list(provider.asked)
        assert "已经失效" in (await person.goes(back)).text
        assert provider.asked == asked
        late = await victim.proves()
        clock.wait(minutes=10)
        assert "已经失效" in (await victim.goes(late)).text
        assert await victim.me() == {}


async def test_what_a_browser_keeps_cannot_be_made_by_anybody_else(house):
    async with house() as (_, site, _), Person(site) as person:
        back = await person.proves()
        [cookie] = person.http.cookie_jar
        name, began, mark = cookie.value.split(".")
        for forged in (
            f"{name}.{int(began) + 1}.{mark}",
            f"x{name}.{began}.{mark}",
            f"{name}.{began}.",
            "é",
            "..",
            "",
        ):
            person.http.cookie_jar.update_cookies({cookie.key: forged}, URL(site))
            assert "已经失效" in (await person.goes(back)).text
            assert "已经失效" in (await person.codes("123456")).text


async def test_a_code_that_the_provider_does_not_know_lets_nobody_in(house):
    async with house() as (_, site, _provider), Person(site) as person:
        back = URL(await person.proves())
        with capture_logs() as logged:
            told = await person.goes(str(back.update_query(code="stolen")))
        assert "没有放行" in told.text
        _one_line(logged, "denied")


async def test_who_says_no_at_the_provider_is_told_so(house):
    async with house() as (_, site, _provider), Person(site) as person:
        back = URL(await person.proves())
        told = await person.goes(str(back.without_query_params("code").update_query(error="access_denied")))
        assert (told.status, "没有放行" in told.text) == (403, True)


@pytest.mark.parametrize("issuer", ["https://evil.example", None])
async def test_an_answer_of_another_provider_is_not_taken(house, issuer):
    async with house() as (_, site, provider), Person(site) as person:
        back = URL(await person.proves()).without_query_params("iss")
        told = await person.goes(str(back.update_query(iss=issuer) if issuer else back))
        assert "不可信" in told.text
        assert "token" not in provider.asked


@pytest.mark.parametrize("name", ["discovery", "token", "keys"])
@pytest.mark.parametrize("broken", [hangs, huge, breaks])
async def test_a_provider_that_does_not_answer_well_leaves_the_door_of_passwords_open(
    house, name, broken, monkeypatch
):
    if broken is hangs:
        monkeypatch.setattr(providers, "SECONDS", HANGING)
    async with house() as (gateway, site, provider), Person(site) as person:
        one_time = await gateway.accounts.add("li", "李", Role.AGENT)
        provider.broken = {name: broken}
        with capture_logs() as logged:
            told = await person.enters()
        assert told.status == 503
        assert "用登录名和密码登录" in told.text
        _one_line(logged, "away")
        async with Agent(site, "li") as agent:
            assert (await agent.enters(one_time)).status == 200


async def test_a_provider_that_is_gone_is_left_alone_for_a_while_and_asked_again_then(house, clock):
    async with house() as (gateway, site, provider), Person(site) as person:
        await gateway.accounts.add("li", "李", Role.AGENT)
        provider.broken = {"discovery": breaks}
        for _ in range(5):
            assert (await person.enters()).status == 503
        assert provider.asked == ["discovery"]
        provider.broken = {}
        clock.wait(seconds=11)
        assert (await person.enters()).path == "/desk"


async def test_a_provider_that_nobody_serves_is_told_of(house):
    async with house(issuer=f"http://127.0.0.1:{free_port()}/realm", passwords=False) as (_, site, _):
        async with Person(site) as person:
            told = await person.enters()
        assert told.status == 503
        assert "密码" not in told.text


SAYS = {
    "another issuer": {"issuer": "https://evil.example"},
    "no way to log in": {"authorization_endpoint": None},
    "a way that is script": {"authorization_endpoint": "javascript:alert(1)"},
    "a way that is not over TLS": {"token_endpoint": "http://evil.example/token"},
    "a way out that is script": {"end_session_endpoint": "javascript:alert(1)"},
    "keys that are nowhere": {"jwks_uri": 5},
}


async def test_a_provider_that_describes_itself_falsely_is_not_gone_to(house, clock):
    async with house() as (_, site, provider), Person(site) as person:
        for case, says in SAYS.items():
            provider.says = says
            assert (await person.enters()).status == 503, case
            clock.wait(seconds=11)
        assert provider.asked == ["discovery"] * len(SAYS)


async def test_a_new_key_is_fetched_once_and_keys_that_nobody_knows_not_without_end(house, clock):
    async with house() as (gateway, site, provider), Person(site) as person:
        await gateway.accounts.add("li", "李", Role.AGENT)
        assert (await person.enters()).path == "/desk"
        clock.wait(minutes=2)
        provider.turns()
        assert (await person.enters()).path == "/desk"
        assert provider.asked.count("keys") == 2
        provider.shown = provider.key
        provider.turns()
        for _ in range(5):
            assert (await person.enters()).status == 403
        assert provider.asked.count("keys") == 2
        clock.wait(minutes=2)
        provider.shown = None
        assert (await person.enters()).path == "/desk"
        assert provider.asked.count("keys") == 3


async def test_keys_of_elliptic_curves_will_do_and_weak_ones_will_not(house, clock):
    async with house() as (gateway, site, provider), Person(site) as person:
        await gateway.accounts.add("li", "李", Role.AGENT)
        provider.turns(ECKey.generate_key("P-256", auto_kid=True))
        assert (await person.enters()).path == "/desk"
        clock.wait(hours=2)
        with pytest.warns(UserWarning, match="2048"):
            provider.turns(RSAKey.generate_key(1024, auto_kid=True))
        assert (await person.enters()).status == 503


async def test_logging_out_here_logs_out_there_too(house):
    async with house() as (gateway, site, _provider), Person(site) as person:
        await gateway.accounts.add("li", "李", Role.AGENT)
        await person.enters()
        csrf = (await person.me())["csrf"]
        sealed = await gateway.books.store.read(lambda c: c.execute(select(DESK_SESSION.c.hint)).scalar_one())
        assert b"eyJ" not in sealed
        status, left = await person.asks("logout", csrf)
        onward = URL(left["onward"])
        assert (status, onward.path) == (200, "/realm/out")
        assert onward.query["of"] == "realm"
        assert onward.query["post_logout_redirect_uri"] == f"{site}/desk"
        assert onward.query["client_id"] == CLIENT
        assert onward.query["id_token_hint"].count(".") == 2
        assert await person.me() == {}


@pytest.mark.parametrize("way", ["no way out", "away"])
async def test_logging_out_needs_no_provider(house, clock, way):
    async with house() as (gateway, site, provider), Person(site) as person:
        provider.says = {"end_session_endpoint": None}
        await gateway.accounts.add("li", "李", Role.AGENT)
        await person.enters()
        csrf = (await person.me())["csrf"]
        if way == "away":
            provider.broken = {"discovery": breaks}
            await gateway.accounts.every()
            gateway.voucher._metadata._at = None
        assert (await person.asks("logout", csrf))[0] == 204
        assert await person.me() == {}


async def test_who_came_by_a_password_is_not_logged_out_elsewhere(house):
    async with house() as (gateway, site, _), await hire(gateway, site, "li") as agent:
        assert (await agent.asks("POST", "logout")).status == 204


async def test_a_session_ends_when_nobody_does_anything_as_with_a_password(house, clock):
    async with house() as (gateway, site, _), Person(site) as person:
        await gateway.accounts.add("li", "李", Role.AGENT)
        await person.enters()
        clock.wait(minutes=30)
        assert await person.me() == {}


async def test_a_login_makes_a_new_session_and_a_cookie_from_before_is_nobodys(house):
    async with house() as (gateway, site, _), Person(site) as person:
        await gateway.accounts.add("li", "李", Role.AGENT)
        person.http.cookie_jar.update_cookies({"jiesu-desk": "planted"}, URL(site))
        await person.enters()
        kept = {cookie.key: cookie.value for cookie in person.http.cookie_jar}
        assert kept.keys() == {"jiesu-desk"}
        assert kept["jiesu-desk"] != "planted"


async def test_passwords_may_be_closed(house):
    async with house(passwords=False) as (gateway, site, _), Person(site) as person:
        one_time = await gateway.accounts.add("li", "李", Role.AGENT)
        async with Agent(site, "li") as agent:
            answer = await agent.enters(one_time)
            assert (answer.status, answer.kind) == (403, "sso-only")
            assert (await agent.enters("wrong")).kind == "sso-only"
        assert 'data-passwords="no"' in (await person.goes(f"{site}/desk")).text
        assert (await person.enters()).path == "/desk"
        assert await person.me()


async def test_the_page_has_the_button_only_where_single_sign_on_is_set(house, tmp_path):
    async with house(button="用泰安政务云登录") as (_, site, _), Person(site) as person:
        assert 'data-sso="用泰安政务云登录"' in (await person.goes(f"{site}/desk")).text
    given = settings(f"sqlite:///{tmp_path}/other.sqlite3", tmp_path)
    async with (
        running(given) as gateway,
        listening(gateway.app, "127.0.0.1", 0) as port,
        Person(f"http://127.0.0.1:{port}") as person,
    ):
        assert "data-sso" not in (await person.goes(f"{person.site}/desk")).text
        assert (await person.enters()).status == 404


async def test_over_tls_the_cookie_of_an_attempt_is_for_this_host_alone(tmp_path):
    provider = Provider()
    async with provider.serving() as issuer:
        oidc = {"issuer": issuer, "client_id": CLIENT}
        given = settings(
            f"sqlite:///{tmp_path}/j.sqlite3",
            tmp_path,
            public_url="https://12345.example",
            desk={"oidc": oidc},
        )
        async with (
            running(given) as gateway,
            listening(gateway.app, "127.0.0.1", 0) as port,
            Person(f"http://127.0.0.1:{port}") as person,
            person.http.get(f"{person.site}/desk/sso", allow_redirects=False) as answer,
        ):
            [cookie] = answer.headers.getall("Set-Cookie")
            sent = URL(answer.headers["Location"], encoded=True)
    assert cookie.startswith("__Host-jiesu-desk-sso=")
    marks = {mark.strip().lower() for mark in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/", "secure", "max-age=600"} <= marks
    assert sent.query["redirect_uri"] == "https://12345.example/desk/sso/back"


async def test_the_doctor_finds_all_well_and_says_what_to_do_where_it_is_not(house):
    async with house() as (_, site, provider), ClientSession() as http:
        oidc = Oidc(issuer=provider.issuer, client_id=CLIENT)

        async def findings(now, at=site, **changed):
            clock = partial(datetime.fromtimestamp, tz=UTC)
            asked = oidc.model_copy(update=changed)
            found = await checkup.examine(asked, http=http, site=at, now=lambda: clock(now()))
            return {each.what: each.cure for each in found if not each.ok}

        wrong = await findings(time.time)
        assert list(wrong) == ["单点登录：public_url 不是 https"]
        other = await findings(time.time, f"{site}/elsewhere")
        assert f"{site}/elsewhere/desk/sso/back" in other["单点登录：统一认证不接受本系统（HTTP 400）"]
        assert any("不接受" in each for each in await findings(time.time, client_id="nobody"))
        assert "单点登录：时钟与统一认证相差 100 秒" in {
            each.replace("99", "100").replace("101", "100")
            for each in await findings(lambda: time.time() - 100)
        }
        provider.says = {"code_challenge_methods_supported": ["plain"]}
        assert any("PKCE" in each for each in await findings(time.time))
        provider.says = {"issuer": "https://evil.example"}
        [(what, cure)] = (await findings(time.time)).items()
        assert "another issuer" in what
        assert f"{provider.issuer}/.well-known/openid-configuration" in cure


def _one_line(logged: list, why: str) -> None:
    """One line, and nothing in it that would let anybody in."""
    lines = [line for line in logged if line["event"].startswith("desk.sso")]
    assert [line["why"] for line in lines] == [why]
    assert lines[0].keys() == {"event", "why", "detail", "log_level"}
    assert re.fullmatch(r"[\w .:(),<>-]{0,80}", lines[0]["detail"])
    assert SECRET not in str(logged)


def _b64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


async def _noted(gateway) -> list[tuple[str, str, str]]:
    rows = await gateway.books.store.read(lambda c: c.execute(select(ACCESS).order_by(ACCESS.c.id)).all())
    return [(row.actor, row.act, row.subject) for row in rows if row.act.startswith("desk.")]


@pytest.fixture
def house(tmp_path, clock, request):
    """Open a gateway before a provider, with some of its settings; on the store that the test asks for."""
    database = (
        request.getfixturevalue("database")
        if "database" in request.fixturenames
        else f"sqlite:///{tmp_path}/jiesu.sqlite3"
    )
    return partial(_house, database, tmp_path, clock)


@asynccontextmanager
async def _house(database, folder, clock, **changes):
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    provider = Provider(redirect=f"{site}/desk/sso/back", now=lambda: clock().timestamp())
    async with provider.serving() as issuer:
        oidc = {"issuer": issuer, "client_id": CLIENT, "client_secret": SECRET} | changes
        given = settings(database, folder, public_url=site, desk={"oidc": oidc})
        async with running(given, clock=clock) as gateway, listening(gateway.app, "127.0.0.1", port):
            yield gateway, site, provider
