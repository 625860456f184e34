"""One person in the public account and in the mini-program: joined by the union id, and never with a stranger."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession, web
from sqlalchemy import func, select

from gateway.app import listening
from gateway.runtime import millis
from gateway.sandbox.mini import Mini, MiniSettings
from gateway.store import erased
from gateway.store.tables import BINDING, SAME_PERSON
from normalizer.message import Address
from tests.kit.standin import Phone, phone

SECRET = "a-secret-of-this-app"


@dataclass
class World:
    """A public account and a mini-program of one owner, or of two."""

    citizen: Phone
    mini: Mini
    http: ClientSession

    @property
    def gateway(self):
        return self.citizen.gateway

    async def signs_in(self, openid: str) -> list[str]:
        """Sign in to the mini-program, and return the cases that are shown there."""
        base = f"{self.citizen.address}/api/v1"
        given = {"account": "mini", "code": self.mini.code(openid)}
        async with self.http.post(f"{base}/sessions/wechat", json=given) as answer:
            assert answer.status == 201, await answer.text()
            headers = {"Authorization": f"Bearer {(await answer.json())['token']}"}
        async with self.http.get(f"{base}/cases", headers=headers) as answer:
            return [case["case_no"] for case in (await answer.json())["cases"]]

    async def own(self, account: str, openid: str) -> list[str]:
        conversation = self.gateway.books.sealer.conversation(account, openid)
        return [case.case_no for case in await self.gateway.lookup.own(conversation)]


@asynccontextmanager
async def opened(database, tmp_path, clock, here="泰安", there="泰安"):
    mini = Mini(MiniSettings("wx-mini", SECRET), lambda: clock().timestamp())
    served = web.Application()
    mini.add(served)
    async with listening(served, "127.0.0.1", 0) as port, ClientSession() as http:
        program = {
            "kind": "miniprogram", "app_id": "wx-mini", "secret": SECRET, "token": "token", "mode": "plain",
            "api_base": f"http://127.0.0.1:{port}", "open_platform": there,
        }  # fmt: skip
        wx = {"open_platform": here}
        async with phone(database, tmp_path, clock, wx=wx, channels={"mini": program}) as citizen:
            yield World(citizen, mini, http)


@pytest.fixture
async def world(database, tmp_path, clock):
    async with opened(database, tmp_path, clock) as made:
        yield made


async def test_what_was_reported_in_one_app_is_seen_in_the_other(world):
    world.mini.unions["oMini"] = world.citizen.visitors.unions["oUser"] = "union-1"
    number = await world.citizen.reports()
    assert await world.signs_in("oMini") == []
    assert await world.gateway.joining.once() == 1
    assert await world.signs_in("oMini") == [number]
    assert await world.gateway.joining.once() == 0


async def test_whichever_is_known_first(world):
    number = await world.citizen.reports()
    assert await world.gateway.joining.once() == 1
    world.mini.unions["oMini"] = world.citizen.visitors.unions["oUser"] = "union-1"
    assert await world.gateway.joining.once() == 0
    assert await world.signs_in("oMini") == []
    world.citizen.clock.wait(days=1, seconds=1)
    assert await world.gateway.joining.once() == 1
    assert await world.signs_in("oMini") == [number]


@pytest.mark.parametrize(
    ("here", "there", "mine", "his"),
    [
        ("泰安", "泰安", "union-1", "union-2"),
        ("泰安", "泰安", "union-1", ""),
        ("泰安", "泰安", "", ""),
        ("泰安", "济南", "union-1", "union-1"),
        ("泰安", "", "union-1", "union-1"),
        ("", "泰安", "union-1", "union-1"),
        ("", "", "union-1", "union-1"),
    ],
    ids=["another", "no id", "none has", "two owners", "app bound to none", "account bound to none", "unset"],
)
async def test_a_stranger_is_never_joined(database, tmp_path, clock, here, there, mine, his):
    async with opened(database, tmp_path, clock, here, there) as world:
        for known, openid, union in (
            (world.citizen.visitors.unions, "oUser", mine),
            (world.mini.unions, "oMini", his),
        ):
            if union:
                known[openid] = union
        number = await world.citizen.reports()
        await world.gateway.joining.once()
        assert await world.signs_in("oMini") == []
        await world.gateway.joining.once()
        assert (await world.own("mini", "oMini"), await world.own("wx", "oUser")) == ([], [number])


async def test_who_has_all_deleted_is_joined_no_more_until_he_writes_again(world):
    world.mini.unions["oMini"] = world.citizen.visitors.unions["oUser"] = "union-1"
    number = await world.citizen.reports()
    await world.signs_in("oMini")
    await world.gateway.joining.once()
    assert await world.own("mini", "oMini") == [number]
    books, at = world.gateway.books, millis(world.citizen.clock())
    talk = books.sealer.conversation("wx", "oUser")
    await books.store.write(lambda c: erased.erase(c, talk, at))
    count = [select(func.count()).select_from(table) for table in (SAME_PERSON, BINDING)]
    assert await books.store.read(lambda c: [c.execute(each).scalar() for each in count]) == [0, 0]
    assert await world.gateway.joining.once() == 0
    assert await world.own("mini", "oMini") == []
    world.citizen.clock.wait(minutes=1)
    await world.citizen.says("你好")
    assert await world.gateway.joining.once() == 1


async def test_a_telephone_that_is_proved_in_one_app_holds_in_the_other(world):
    office = world.gateway.office
    world.mini.unions["oMini"] = world.citizen.visitors.unions["oUser"] = "union-1"
    number = await world.citizen.reports()
    await world.gateway.joining.once()
    await world.signs_in("oMini")
    await office.bind(Address("mini", "oMini"), "13812345678")
    await world.gateway.joining.once()
    await office.bind(Address("sms", "13812345678"), "13812345678")
    assert await world.own("sms", "13812345678") == [number]
    assert await world.own("mini", "oMini") == [number]


async def test_two_telephones_are_two_people_though_the_union_is_one(world):
    office = world.gateway.office
    await office.bind(Address("wx", "oUser"), "13812345678")
    await office.bind(Address("mini", "oMini"), "13912345678")
    world.mini.unions["oMini"] = world.citizen.visitors.unions["oUser"] = "union-1"
    number = await world.citizen.reports()
    await world.gateway.joining.once()
    assert await world.signs_in("oMini") == []
    assert await world.own("wx", "oUser") == [number]


async def test_a_platform_that_is_away_is_asked_in_the_next_round(world):
    world.mini.unions["oMini"] = world.citizen.visitors.unions["oUser"] = "union-1"
    number = await world.citizen.reports()
    await world.signs_in("oMini")
    world.citizen.platform.rotate()
    world.citizen.platform.allowed_ips = frozenset()
    assert await world.gateway.joining.once() == 0
    world.citizen.platform.allowed_ips = None
    assert await world.gateway.joining.once() == 1
    assert await world.own("mini", "oMini") == [number]
