"""Out at the provider's word (OpenID Connect Back-Channel Logout 1.0), and logins that only userinfo tells."""

import base64
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pyotp
import pytest
from aiohttp import ClientSession
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import select
from structlog.testing import capture_logs
from yarl import URL

from gateway.app import listening, running
from gateway.desk.rights import Role
from gateway.store.tables import ACCESS
from tests.gateway.test_desk_sso import house
from tests.kit.agent import PASSWORD, hire
from tests.kit.gateway import settings
from tests.kit.oidc import CLIENT, SECRET, Person, breaks, known, stranger
from tests.kit.ports import free_port

__all__ = ["house"]
EVENT = "http://schemas.openid.net/event/backchannel-logout"


async def test_all_sessions_of_a_person_end_and_nobody_elses(house, database):
    async with (
        house() as (gateway, site, provider),
        Person(site) as one,
        Person(site) as two,
        Person(site) as her,
    ):
        await _entered(gateway, provider, "li", one, two)
        await _entered(gateway, provider, "wang", her)
        assert await _out(site, provider.over_for(sub="s-li")) == (200, "no-store")
        assert [await each.me() == {} for each in (one, two, her)] == [True, True, False]
        assert (await _noted(gateway))[-1] == ("agent:li", "desk.logout", "single sign-on: back-channel")
        # He may come again.
        provider.person = {"sub": "s-li", "preferred_username": "li"}
        await one.enters()
        assert await one.me() != {}


@pytest.mark.parametrize("names", [("sid",), ("sid", "sub")])
async def test_one_session_of_the_provider_ends_what_it_began_and_no_other(house, database, names):
    async with house() as (gateway, site, provider), Person(site) as one, Person(site) as two:
        provider.lies = {"sid": "session-1"}
        await _entered(gateway, provider, "li", one)
        provider.lies = {"sid": "session-2"}
        await two.enters()
        given = {"sid": "session-1", "sub": "s-li"}
        token = provider.over_for(**{name: given[name] for name in names})
        assert (await _out(site, token))[0] == 200
        assert [await each.me() == {} for each in (one, two)] == [True, False]


async def test_a_session_that_came_with_no_sid_may_be_the_one_of_its_person(house):
    async with house() as (gateway, site, provider), Person(site) as one, Person(site) as her:
        await _entered(gateway, provider, "li", one)
        await _entered(gateway, provider, "wang", her)
        assert (await _out(site, provider.over_for(sid="session-1")))[0] == 200
        assert await one.me() != {}
        assert (await _out(site, provider.over_for(sid="session-1", sub="s-li")))[0] == 200
        assert [await each.me() == {} for each in (one, her)] == [True, False]


async def test_the_sid_is_known_where_our_own_second_factor_came_between(house, clock):
    async with house() as (gateway, site, provider), Person(site) as person:  # noqa: SIM117 - of what the first gives
        async with await hire(gateway, site, "li", name="李") as agent:
            secret = (await agent.post("me/totp"))["secret"]
            totp = pyotp.TOTP(secret)
            given = {"secret": secret, "code": totp.at(clock.now), "password": PASSWORD}
            await agent.post("me/totp/confirm", given)
            clock.wait(seconds=30)
            provider.lies = {"sid": "session-1"}
            await person.enters()
            await person.codes(totp.at(clock.now))
            assert await person.me() != {}
            await _out(site, provider.over_for(sid="session-1"))
            assert await person.me() == {}
            # Who came by a password here has no session there.
            await _out(site, provider.over_for(sub="s-li"))
            assert (await agent.get("me"))["agent"]["name"] == "李"


async def test_it_ends_in_another_process_too(house, database, tmp_path, clock):
    async with house() as (gateway, site, provider), Person(site) as person:
        await _entered(gateway, provider, "li", person)
        async with _beside(database, tmp_path, clock, site, provider) as other:
            assert (await _out(other, provider.over_for(sub="s-li")))[0] == 200
        assert await person.me() == {}


async def test_a_token_that_comes_again_ends_no_new_session(house, clock):
    async with house() as (gateway, site, provider), Person(site) as person:
        await _entered(gateway, provider, "li", person)
        token = provider.over_for(sub="s-li")
        assert (await _out(site, token))[0] == 200
        await person.enters()
        clock.wait(seconds=60)
        assert (await _out(site, token))[0] == 200
        assert await person.me() != {}


LIES = {
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "somebody-else"},
    "no audience": {"aud": None},
    "over": {"exp": 1},
    "no end": {"exp": None},
    "an end in a year": {"exp": 4_000_000_000},
    "no beginning": {"iat": None},
    "a beginning to come": {"iat": 4_000_000_000},
    "a beginning long ago": {"iat": 1},
    "no name": {"jti": None},
    "a name that is no word": {"jti": 7},
    "nobody": {"sub": None},
    "nobody, by an empty name": {"sub": ""},
    "somebody who is no word": {"sub": ["s-li"]},
    "a session that is no word": {"sid": 7},
    "no event": {"events": None},
    "another event": {"events": {"http://schemas.openid.net/event/other": {}}},
    "an event that is no object": {"events": {EVENT: True}},
    "events that are a list": {"events": [EVENT]},
    "an ID token": {"nonce": "n", "events": None},
    "a nonce": {"nonce": "n"},
    "a token of another kind": {"header": {"typ": "at+jwt"}},
    "no signature": {"header": {"alg": "none"}},
}


async def test_a_token_that_lies_ends_nothing(house):
    async with house() as (gateway, site, provider), Person(site) as person:
        await _entered(gateway, provider, "li", person)
        for name, lie in LIES.items():
            if lie.get("header", {}).get("alg") == "none":
                body = provider.over_for(sub="s-li").split(".")[1]
                unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
                token = f"{unsigned}.{body}."
            else:
                token = provider.over_for(**({"sub": "s-li"} | lie))
            with capture_logs() as logged:
                assert (name, *await _out(site, token)) == (name, 400, "no-store")
            assert [line["event"] for line in logged] == ["desk.sso_logout_refused"]
            assert token not in str(logged)
        assert await person.me() != {}
        assert (await _out(site, provider.over_for(sub="s-li", aud=[CLIENT, "another"])))[0] == 200
        assert await person.me() == {}


async def test_a_token_that_is_not_the_providers_and_a_form_that_is_none_end_nothing(house):
    async with house() as (gateway, site, provider), Person(site) as person:
        await _entered(gateway, provider, "li", person)
        good = provider.over_for(sub="s-li")
        forged = provider.over_for(sub="s-li", header={"kid": "x"})
        other = RSAKey.generate_key(2048, auto_kid=True)
        stolen = jwt.encode({"alg": "RS256", "kid": other.kid}, jwt.decode(good, provider.key).claims, other)
        for data in (
            {"logout_token": stolen},
            {"logout_token": forged[:-4]},
            {"logout_token": good[:-6] + "AAAAAA"},
            {"logout_token": ""},
            {"logout_token": "x" * 20_000},
            {"token": good},
            [("logout_token", good), ("logout_token", good)],
            "é".encode(),
        ):
            assert (await _out(site, data=data))[0] == 400
        async with (
            ClientSession() as http,
            http.get(f"{site}/desk/sso/out", params={"logout_token": good}) as got,
        ):
            assert got.status == 404
        assert await person.me() != {}


async def test_without_single_sign_on_there_is_no_such_address(gateway):
    async with listening(gateway.app, "127.0.0.1", 0) as port:
        assert (await _out(f"http://127.0.0.1:{port}", "x"))[0] == 403


async def test_a_login_that_the_id_token_lacks_is_asked_of_userinfo(house):
    async with house(claim="employee") as (gateway, site, provider), Person(site) as person:
        await gateway.accounts.add("li", "李", Role.AGENT)
        provider.info = {"employee": "li"}
        assert (await person.enters()).path == "/desk"
        assert (await person.me())["agent"]["name"] == "李"
        assert provider.asked.count("userinfo") == 1


async def test_userinfo_is_not_asked_where_the_id_token_tells_the_login(house):
    async with house() as (gateway, site, provider), Person(site) as person:
        await gateway.accounts.add("li", "李", Role.AGENT)
        provider.info = {"preferred_username": "wang"}
        await person.enters()
        assert (await person.me())["agent"]["name"] == "李"
        assert "userinfo" not in provider.asked


@pytest.mark.parametrize(
    ("info", "broken", "said"),
    [
        pytest.param({"sub": "s-other", "employee": "li"}, {}, "不可信", id="of somebody else"),
        pytest.param({"sub": None, "employee": "li"}, {}, "不可信", id="of nobody"),
        pytest.param({}, {}, "没有说明", id="without the claim"),
        pytest.param({"employee": "li"}, {"userinfo": breaks}, "没有回应", id="that is away"),
    ],
)
async def test_userinfo_that_does_not_hold_lets_nobody_in(house, info, broken, said):
    async with house(claim="employee") as (gateway, site, provider), Person(site) as person:
        await gateway.accounts.add("li", "李", Role.AGENT)
        provider.info, provider.broken = info, broken
        assert said in (await person.enters()).text
        assert await person.me() == {}


async def test_a_mail_address_of_userinfo_counts_only_when_it_was_proved(house):
    async with (
        house(claim="email", domain="city.gov.cn") as (gateway, site, provider),
        Person(site) as person,
    ):
        await gateway.accounts.add("li", "李", Role.AGENT)
        provider.info = {"email": "li@city.gov.cn"}
        assert "没有说明" in (await person.enters()).text
        provider.info = {"email": "li@city.gov.cn", "email_verified": True}
        assert (await person.enters()).path == "/desk"


async def test_a_provider_of_others_tells_of_its_userinfo(database, tmp_path, clock):
    """The provider that the tests in a browser use: its userinfo is asked, answers for the same sub, and names no login."""
    clock.now = datetime.now(UTC)
    with stranger() as issuer:
        known(issuer, "001", preferred_username="li", name="李")
        port = free_port()
        site = f"http://127.0.0.1:{port}"
        oidc = {"issuer": issuer, "client_id": CLIENT, "client_secret": "secret", "claim": "employee"}
        given = settings(database, tmp_path, public_url=site, desk={"oidc": oidc})
        async with running(given, clock=clock) as gateway, listening(gateway.app, "127.0.0.1", port):
            await gateway.accounts.add("li", "李", Role.AGENT)
            async with Person(site) as person:
                assert "没有说明" in await _proves(person, "001")
                known(issuer, "001", preferred_username="li", employee="li")
                await _proves(person, "001")
                assert (await person.me())["agent"]["name"] == "李"


async def _proves(person: Person, sub: str) -> str:
    """Go to the provider of others, be somebody there, and return what the desk says then."""
    url = URL(await person.leaves(), encoded=True)
    async with person.http.post(url, data={"sub": sub}, headers={"Accept": "text/html"}) as answer:
        return await answer.text()


async def _entered(gateway, provider, login: str, *people: Person) -> None:
    """Make an account and let its person in."""
    await gateway.accounts.add(login, login, Role.AGENT)
    provider.person = {"sub": f"s-{login}", "preferred_username": login}
    for person in people:
        await person.enters()
        assert await person.me() != {}


async def _out(site: str, token: str = "", data: object = None) -> tuple[int, str]:
    given = {"logout_token": token} if data is None else data
    async with ClientSession() as http, http.post(f"{site}/desk/sso/out", data=given) as answer:
        return answer.status, answer.headers.get("Cache-Control", "")


async def _noted(gateway) -> list[tuple[str, str, str]]:
    rows = await gateway.books.store.read(lambda c: c.execute(select(ACCESS).order_by(ACCESS.c.id)).all())
    return [(row.actor, row.act, row.subject) for row in rows if row.act.startswith("desk.")]


@asynccontextmanager
async def _beside(database, folder, clock, site, provider):
    """Another process's gateway over the same database; only the store is shared."""
    oidc = {"issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET}
    given = settings(database, folder, public_url=site, desk={"oidc": oidc})
    async with running(given, clock=clock) as other, listening(other.app, "127.0.0.1", free_port()) as port:
        yield f"http://127.0.0.1:{port}"
