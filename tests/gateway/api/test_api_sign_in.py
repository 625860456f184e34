"""Signing in to the API with a mini-program's login code: whoever does is that person, in every session."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from gateway.app import listening
from gateway.sandbox.mini import A_MINUTE, LIVES, Mini, MiniSettings
from gateway.store import flags
from tests.gateway.api.conftest import FREE, SMS
from tests.gateway.api.test_api import PHONE, sent_code
from tests.kit.api import App, matter
from tests.kit.gateway import Hand, running, settings
from tests.kit.wechat import raw_settings

OTHER = "mini2"


def _mini(app_id: str, base: str) -> dict[str, object]:
    return {
        "kind": "miniprogram",
        "app_id": app_id,
        "secret": "a-secret-of-this-app",
        "token": "a-token-of-callbacks",
        "mode": "plain",
        "api_base": base,
    }


@dataclass(frozen=True)
class World:
    """A mini-program's platform, and an app that is nobody's yet."""

    platform: Mini
    app: App

    async def asks(self, code: str, account: str = "mini"):
        return await self.app.post("/sessions/wechat", {"account": account, "code": code})

    async def signs_in(self, openid: str) -> App:
        reply = await self.asks(self.platform.code(openid))
        assert reply.status == 201, reply.raw
        return replace(self.app, token=reply.data["token"])


@pytest.fixture
async def world(database: str, tmp_path: Path, clock: Hand) -> AsyncIterator[World]:
    platform = Mini(MiniSettings("wx-mini", "a-secret-of-this-app"), lambda: clock().timestamp())
    served = web.Application()
    platform.add(served)
    async with listening(served, "127.0.0.1", 0) as port:
        base = f"http://127.0.0.1:{port}"
        channels = {
            "wx": raw_settings(),
            "sms": SMS,
            "mini": _mini("wx-mini", base),
            OTHER: _mini("wx-other", base),
            "away": _mini("wx-mini", "http://127.0.0.1:9"),
        }
        made = settings(database, tmp_path, portal=FREE, channels=channels)
        async with (
            running(made, clock=clock) as gateway,
            listening(gateway.app, "127.0.0.1", 0) as own,
            ClientSession() as http,
        ):
            yield World(platform, App(http, f"http://127.0.0.1:{own}", gateway, clock))


async def test_a_report_is_in_the_list_of_its_citizen_in_every_later_session(world):
    app = await world.signs_in("o-zhang")
    number = (await app.post("/cases", matter())).data["case_no"]
    again = await world.signs_in("o-zhang")
    assert again.token != app.token
    for each in (app, again):
        assert [case["case_no"] for case in (await each.get("/cases")).data["cases"]] == [number]
    case = await world.app.gateway.lookup.case(number)
    assert case.source_channel == "06"


async def test_another_citizen_sees_nothing_of_it(world):
    app = await world.signs_in("o-zhang")
    number = (await app.post("/cases", matter())).data["case_no"]
    for stranger in (await world.signs_in("o-li"), await world.app.another()):
        assert (await stranger.get("/cases")).data == {"cases": []}
        assert (await stranger.get(f"/cases/{number}")).wrong == "not-found"


async def test_a_session_that_was_ended_is_nobodys_any_more(world):
    app = await world.signs_in("o-zhang")
    await app.post("/cases", matter())
    assert (await app.ask("DELETE", "/session")).status == 204
    assert (await app.get("/cases")).status == 401
    again = await world.signs_in("o-zhang")
    assert len((await again.get("/cases")).data["cases"]) == 1


async def test_a_token_with_another_name_in_it_opens_nothing(world):
    app = await world.signs_in("o-zhang")
    name, _, rest = app.token.partition(".")
    guessed = replace(app, token=f"{name[:-1]}{'A' if name[-1] != 'A' else 'B'}.{rest}")
    assert (await guessed.get("/cases")).status == 401


async def test_the_answer_holds_a_token_and_nothing_of_the_platform(world):
    reply = await world.asks(world.platform.code("o-zhang"))
    assert set(reply.data) == {"token", "until"}
    assert b"session_key" not in reply.raw
    assert b"o-zhang" not in reply.raw


async def test_a_code_is_good_once(world):
    code = world.platform.code("o-zhang")
    assert (await world.asks(code)).status == 201
    reused = await world.asks(code)
    assert (reused.status, reused.wrong) == (401, "wrong-code")
    assert "已经用过" in reused.data["detail"]


async def test_a_code_is_good_for_five_minutes(world, clock):
    code = world.platform.code("o-zhang")
    clock.wait(seconds=LIVES)
    assert (await world.asks(code)).status == 401


async def test_a_code_of_one_mini_program_opens_nothing_of_another(world):
    reply = await world.asks(world.platform.code("o-zhang"), OTHER)
    assert (reply.status, reply.wrong) == (503, "provider-away")


@pytest.mark.parametrize("account", ["wx", "web", "none"])
async def test_nobody_signs_in_by_an_account_that_knows_no_login(world, account):
    reply = await world.asks("a-code", account)
    assert (reply.status, reply.wrong) == (404, "no-account")


async def test_whom_the_platform_thinks_risky_is_told_to_call(world):
    world.platform.risky.add("o-zhang")
    reply = await world.asks(world.platform.code("o-zhang"))
    assert (reply.status, reply.wrong) == (403, "risky")


async def test_too_many_logins_of_one_person_wait_a_minute(world, clock):
    for _ in range(A_MINUTE):
        world.platform.spent("o-zhang")
    reply = await world.asks(world.platform.code("o-zhang"))
    assert (reply.status, reply.wrong, reply.headers["Retry-After"]) == (429, "too-fast", "60")
    clock.wait(seconds=60)
    assert (await world.asks(world.platform.code("o-zhang"))).status == 201


async def test_a_platform_that_is_away_is_worth_another_try(world):
    reply = await world.asks("a-code", "away")
    assert (reply.status, reply.wrong, reply.headers["Retry-After"]) == (503, "provider-away", "5")


async def test_whoever_proves_a_telephone_stays_signed_in_and_has_its_cases_in_every_session(world):
    other = await world.app.another()
    by_phone = (await other.post("/cases", matter(phone=PHONE))).data["case_no"]
    app = await world.signs_in("o-zhang")
    by_account = (await app.post("/cases", matter())).data["case_no"]
    for each in (other, app):
        assert (await each.post("/session/phone", {"phone": PHONE})).status == 202
        given = await each.post("/session/phone/code", {"code": await sent_code(each)})
        assert given.status == 200
    proved = replace(app, token=given.data["token"])
    for each in (proved, await world.signs_in("o-zhang")):
        found = {case["case_no"] for case in (await each.get("/cases")).data["cases"]}
        assert found == {by_phone, by_account}


async def test_a_telephone_that_wechat_proves_is_the_citizen_s(world):
    app = await world.signs_in("o-zhang")
    reply = await app.post("/session/wechat/phone", {"code": world.platform.phone_code(PHONE)})
    assert (reply.status, reply.data) == (200, {"phone": "138****5678"})
    assert (await app.get("/session")).data["phone"] == "138****5678"
    # What was reported with that telephone elsewhere is his to see, wherever he signs in.
    again = await world.signs_in("o-zhang")
    assert (await again.get("/cases")).status == 200


async def test_a_code_for_a_telephone_is_good_once_and_in_time_and_for_who_is_signed_in(world, clock):
    app = await world.signs_in("o-zhang")
    code = world.platform.phone_code(PHONE)
    assert (await app.post("/session/wechat/phone", {"code": code})).status == 200
    assert (await app.post("/session/wechat/phone", {"code": code})).wrong == "wrong-code"
    late = world.platform.phone_code(PHONE)
    clock.wait(seconds=LIVES + 1)
    assert (await app.post("/session/wechat/phone", {"code": late})).wrong == "wrong-code"
    stranger = await world.app.another()
    assert (await stranger.post("/session/wechat/phone", {"code": "x"})).wrong == "not-signed-in"


async def test_the_templates_to_ask_for_are_those_of_the_account(world):
    assert (await world.app.get("/wechat/templates?account=mini")).data == {"templates": []}
    assert (await world.app.get("/wechat/templates?account=sms")).wrong == "no-account"
    assert (await world.app.get("/wechat/templates?account=none")).wrong == "no-account"


async def test_words_that_the_platform_objects_to_are_marked_and_never_refused(world):
    world.platform.objects.add("赌")
    app = await world.signs_in("o-zhang")
    number = (await app.post("/cases", matter(text="东岳大街88号楼下有人聚众赌博，天天吵到半夜"))).data[
        "case_no"
    ]
    other = (await app.post("/cases", matter())).data["case_no"]
    await app.gateway.safety.close()
    store = app.gateway.books.store
    assert await store.read(lambda c: flags.of(c, number)) == ["mini risky 20002"]
    assert await store.read(lambda c: flags.of(c, other)) == []


async def test_a_look_that_the_platform_refuses_changes_nothing(world):
    app = await world.signs_in("o-zhang")
    world.platform.here.clear()
    number = (await app.post("/cases", matter())).data["case_no"]
    await app.gateway.safety.close()
    assert await app.gateway.books.store.read(lambda c: flags.of(c, number)) == []


async def test_telephones_by_wechat_have_a_limit_a_day(world):
    app = await world.signs_in("o-zhang")
    for _ in range(5):
        reply = await app.post("/session/wechat/phone", {"code": world.platform.phone_code(PHONE)})
        assert reply.status == 200
    reply = await app.post("/session/wechat/phone", {"code": world.platform.phone_code(PHONE)})
    assert (reply.status, reply.wrong) == (429, "too-many-phones")
