"""The mini-program's own pages, rendered and tapped, over real HTTP to a real gateway: a citizen's whole course."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientSession

from gateway.app import listening, running
from gateway.whole import Gateway
from normalizer.case import Stage
from tests.gateway.api.conftest import CHANNELS, FREE
from tests.kit.api import WORDS, App
from tests.kit.cases import STEPS
from tests.kit.gateway import Hand, settings
from tests.kit.media import film, photo
from tests.kit.phone import Phone, Screen, phone

PLACE = {"name": "岱庙", "address": "泰安市泰山区东岳大街88号", "longitude": 117.13, "latitude": 36.19}


@dataclass
class World:
    """A gateway, and somebody's telephone before it."""

    gateway: Gateway
    app: App
    base: str
    folder: Path

    def phone(self, name: str = "phone", **changes):
        return phone(self.folder / name, self.base, **changes)

    def file(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    async def office(self, number: str, stage: Stage) -> None:
        for command in STEPS[stage]:
            await self.gateway.office.act(number, command)

    async def case(self, number: str):
        case = await self.gateway.lookup.case(number)
        assert case is not None
        return case


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = Hand()
    made = settings(f"sqlite:///{tmp_path}/jiesu.sqlite3", tmp_path, portal=FREE, channels=CHANNELS)
    async with (
        running(made, clock=clock) as gateway,
        listening(gateway.app, "127.0.0.1", 0) as port,
        ClientSession() as http,
    ):
        base = f"http://127.0.0.1:{port}"
        yield World(gateway, App(http, base, gateway, clock), base, tmp_path)


async def begins(held: Phone, text: str = WORDS) -> Screen:
    """Agree to the notice, say what it is, and stand before the place."""
    await held.taps("反映问题")
    screen = await held.taps("同意并继续")
    assert screen.page == "report"
    await held.writes(text=text)
    return await held.taps("下一步")


async def reports(held: Phone, text: str = WORDS) -> str:
    """Report with no files and return the number."""
    await begins(held, text)
    await held.taps("下一步")
    await held.taps("下一步")
    await held.taps("下一步")
    await held.writes(phone="13812345678", name="李四")
    await held.taps("下一步")
    screen = await held.taps("提交")
    assert screen.page == "done", screen.text
    return number_on(screen)


def number_on(screen: Screen) -> str:
    return screen.text.split("单号")[1][:17]


async def test_a_citizen_reports_with_photos_a_film_and_a_place_follows_it_and_rates_it(world):
    async with world.phone() as held:
        screen = await begins(held)
        assert "泰山区东岳大街88号" in screen.text
        await held.has(there=PLACE)
        screen = await held.taps("在地图上选地点")
        assert "已记下位置" in screen.text
        await held.taps("下一步")
        await held.taps("今天")
        await held.taps("求助")
        await held.writes(demand="尽快填好")
        await held.taps("下一步")
        await held.has(camera=[world.file("a.jpg", photo()), world.file("b.png", photo("PNG"))])
        screen = await held.taps("加照片")
        assert screen.text.count("已收到") == 2
        await held.has(camera=[world.file("c.mp4", film())])
        screen = await held.taps("加视频")
        assert screen.text.count("已收到") == 3
        await held.taps("下一步")
        await held.writes(phone="138 1234 5678", name="李四")
        await held.taps("请对我的信息保密")
        screen = await held.taps("下一步")
        for told in (WORDS, "泰安市泰山区东岳大街88号 岱庙", "今天", "尽快填好", "求助", "3 份", "李四"):
            assert told in screen.text
        screen = await held.taps("提交", times=2)
        assert screen.page == "done"
        assert len(screen.asked("POST", "/api/v1/cases")) == 1
        number = number_on(screen)

        case = await world.case(number)
        assert sorted(each.kind for each in case.matter.attachments) == ["image", "image", "video"]
        assert (case.matter.lon, case.matter.lat) == (117.13, 36.19)
        assert (case.secret, case.complainant.phone, case.matter.demand) == (True, "13812345678", "尽快填好")

        screen = await held.taps("看这一件")
        assert "opened" not in held.stored
        assert screen.page == "case"
        assert "已提交" in screen.text
        await held.taps("播放")
        screen = await held.taps("看照片")
        for address in screen.said["previews"]:
            async with world.app.http.get(address) as answer:
                assert answer.status == 200

        await held.taps("补充")
        await held.writes(text="洞口有半米宽")
        await held.has(camera=[world.file("d.jpg", photo(size=(320, 240)))])
        await held.taps("加照片")
        screen = await held.taps("提交补充")
        assert screen.page == "case"
        assert "洞口有半米宽" in screen.text
        screen = await held.taps("催办")
        assert "已转告承办单位" in screen.text
        assert "您催办了一次" in screen.text
        assert "催办" not in screen.taps

        await world.office(number, Stage.VISITED)
        screen = await held.does("pull")
        assert "已处理完毕。" in screen.text
        await held.taps("评价")
        screen = await held.taps("提交评价")
        assert "请选一个评价" in screen.text
        screen = await held.taps("不满意")
        await held.taps("未解决")
        await held.writes(text="没修好")
        screen = await held.taps("提交评价")
        assert screen.page == "case"
        assert "重新办理" in screen.text
        case = await world.case(number)
        assert (case.ratings[-1].score, case.ratings[-1].reasons) == (2, (2,))
        screen = await held.opens("cases")
        assert number in screen.text
