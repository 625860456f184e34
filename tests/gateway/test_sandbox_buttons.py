"""Photos and places by the menu's buttons, in either order; and sends in bad weather."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from aiohttp import ClientSession
from sqlalchemy import func, select

from gateway.app import listening
from gateway.sandbox.application import PLATFORM, create_sandbox
from gateway.sandbox.platform import SandboxSettings
from gateway.sandbox.weather import KINDS, Weather
from gateway.store.tables import INBOX, OUTGOING
from normalizer.message import Address
from tests.kit import media
from tests.kit.standin import phone
from tests.kit.wechat import APP_ID, TOKEN

SEND = "/cgi-bin/message/custom/send"


@pytest.fixture
async def citizen(database, tmp_path, clock):
    async with phone(database, tmp_path, clock) as made:
        yield made


@pytest.mark.parametrize("late", [False, True], ids=["the event first", "the event last"])
async def test_what_buttons_bring_becomes_the_cases_photo_and_place_once(citizen, late):
    citizen.buttons.late = late
    before = len(citizen.heard)
    await citizen.buttons.photos(citizen.person, "pic_photo_or_album", [media.photo()])
    await citizen.buttons.place(citizen.person, 117.12, 36.19, "泰山区东岳大街88号")
    answers = citizen.heard[before:]
    assert 1 <= len(answers) <= 2
    citizen.clock.wait(seconds=6)
    await citizen.says("门前井盖丢失，行人很容易掉下去")
    for answer in ("2", "尽快补上井盖", "2", "李四 13812345678", "1"):
        await citizen.says(answer)
    number = (await citizen.says("1")).split("单号")[1][:17]
    case = await citizen.gateway.lookup.case(number)
    assert len(case.matter.attachments) == 1
    assert (case.matter.lon, case.matter.lat) == (117.12, 36.19)
    count = select(func.count()).select_from(INBOX).where(INBOX.c.state == "failed")
    assert await citizen.gateway.books.store.read(lambda c: c.execute(count).scalar()) == 0


async def test_the_page_has_the_buttons_and_what_they_call(clock):
    sandbox = create_sandbox(SandboxSettings(APP_ID, "secret", TOKEN), clock=lambda: clock().timestamp())
    async with listening(sandbox, "127.0.0.1", 0) as port, ClientSession() as http:
        base = f"http://127.0.0.1:{port}"
        async with http.get(base) as page:
            text = await page.text()
        for event in ("pic_sysphoto", "pic_photo_or_album", "location_select"):
            assert f'data-event="{event}"' in text
        async with http.post(f"{base}/_sim/menu/photos?openid=o&event=other", data=b"x") as answer:
            assert answer.status == 400
        async with http.post(f"{base}/_sim/platform", json={"do": "weather", "rate": 1.0}) as answer:
            assert answer.status == 200
        assert sandbox[PLATFORM].weather(SEND) is not None


def test_weather_is_the_same_for_the_same_seed_and_as_bad_as_it_is_told():
    drawn = [Weather(0.3, seed=seed).fault for seed in (1, 1, 2)]
    series = [[str(fault(SEND)) for _ in range(1000)] for fault in drawn]
    assert series[0] == series[1] != series[2]
    assert 250 < 1000 - series[0].count("None") < 350
    assert len({each for each in series[0] if each != "None"}) == len(KINDS)
    assert Weather(1.0, paths=frozenset({"/other"})).fault(SEND) is None


async def test_in_bad_weather_nothing_is_said_twice_and_the_record_is_honest(citizen):
    await citizen.says("你好")
    citizen.platform.weather = Weather(0.4, seed=7, paths=frozenset({SEND})).fault
    office = citizen.gateway.office
    for number in range(20):
        citizen.platform.wrote(citizen.person)
        await office.tell(Address("wx", citizen.openid), "reply", f"第{number}条")

    query = (
        select(OUTGOING.c.state, func.count()).where(OUTGOING.c.notice == "reply").group_by(OUTGOING.c.state)
    )

    async def settled():
        citizen.clock.wait(seconds=90)
        citizen.platform.wrote(citizen.person)
        states = dict(await citizen.gateway.books.store.read(lambda c: c.execute(query).all()))
        return states if not set(states) & {"queued", "sending"} else None

    async with asyncio.timeout(20):
        while (states := await settled()) is None:
            await asyncio.sleep(0.05)
    said = Counter(text for text in citizen.heard if text.startswith("第"))
    assert max(said.values()) == 1
    assert states.get("unknown", 0) > 0
    assert 20 - len(said) <= states["unknown"] + states.get("dead", 0)
    assert set(states) <= {"sent", "unknown", "dead"}
