"""Photos, films, recordings and places that come by WeChat: fetched, made the case's, or known to be lost."""

import asyncio
from collections import deque

import pytest
from sqlalchemy import select

from gateway.sandbox.platform import Fault
from gateway.store.tables import WANTED
from tests.kit import media
from tests.kit.standin import phone, until

GET = "/cgi-bin/media/get"


@pytest.fixture
async def citizen(database, tmp_path, clock):
    async with phone(database, tmp_path, clock) as opened:
        yield opened


async def wanted(citizen):
    query = select(WANTED.c.state, WANTED.c.reason, WANTED.c.case_no, WANTED.c.tries)
    return await citizen.gateway.books.store.read(lambda c: [tuple(row) for row in c.execute(query)])


async def settled(citizen, count=1):
    async def enough():
        rows = await wanted(citizen)
        return len(rows) == count and all(row[0] != "wanted" for row in rows)

    await until(enough)


async def test_the_whole_course_by_photo_film_recording_and_place(citizen):
    film = await asyncio.to_thread(media.film)
    spoken = await asyncio.to_thread(media.voice, "amr", "libopencore_amrnb", rate=8_000)
    await citizen.shows("image", media.photo(), "image/jpeg")
    await citizen.shows("voice", spoken, "audio/amr")
    await citizen.shows("video", film, "video/mp4")
    await citizen.says("门前井盖丢失，行人很容易掉下去")
    await citizen.driver.stand(citizen.person, 117.12, 36.19, "泰山区东岳大街88号")
    for answer in ("2", "尽快补上井盖", "2", "李四 13812345678", "1"):
        await citizen.says(answer)
    number = (await citizen.says("1")).split("单号")[1][:17]
    await settled(citizen, 3)
    assert {row[2] for row in await wanted(citizen)} == {number}
    files = await citizen.gateway.media.uploads.of(number)
    assert {each.kind.value for each in files} == {"image", "voice", "video"}
    case = await citizen.gateway.lookup.case(number)
    assert len(case.matter.attachments) == 3
    assert (case.matter.lon, case.matter.lat) == (117.12, 36.19)


async def test_a_photo_after_the_case_is_fetched_into_it(citizen):
    number = await citizen.reports()
    await citizen.shows("image", media.photo(), "image/jpeg")
    await settled(citizen)
    await citizen.says("1")
    assert [each.kind.value for each in await citizen.gateway.media.uploads.of(number)] == ["image"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("code", -1),
        Fault("code", 40001),
        Fault("code", 45009),
        Fault("status", 502),
        Fault("truncated"),
        Fault("drop"),
    ],
    ids=lambda fault: f"{fault.kind}{fault.code}",
)
async def test_what_cannot_be_had_now_is_asked_for_again(citizen, fault):
    citizen.platform.faults[GET] = deque([fault])
    await citizen.shows("image", media.photo(), "image/jpeg")

    async def stored():
        citizen.clock.wait(seconds=11)
        await citizen.gateway.fetching.once()
        return [row[0] for row in await wanted(citizen)] == ["stored"]

    await until(stored)


@pytest.mark.parametrize(
    ("spoil", "kind", "content", "said"),
    [
        ("expire", "image", media.photo, "照片没有收到，原来的已经过期"),
        ("", "image", lambda: b"MZ\x90\x00" + bytes(200), "照片没有收下。不能接收这种类型的文件"),
        ("", "image", lambda: b"", "照片没有收下。这个文件是空的"),
        ("", "voice", lambda: b"<html><script>alert(1)</script></html>" * 20, "录音没有收下"),
    ],
    ids=["expired", "a program", "empty", "another kind than named"],
)
async def test_what_is_lost_is_told_once_with_what_to_do(citizen, spoil, kind, content, said):
    if spoil == "expire":
        citizen.platform.media = Forgetful()
    await citizen.shows(kind, content(), "image/jpeg")
    await settled(citizen)
    ((state, reason, _, _),) = await wanted(citizen)
    assert (state, bool(reason)) == ("lost", True)
    await until(lambda: any(said in text for text in citizen.heard))
    await citizen.says("在吗")
    assert sum(said in text for text in citizen.heard) == 1


class Forgetful(dict):
    """A platform that has forgotten what was sent by the time it is asked for."""

    def get(self, key, default=None):
        return default


async def test_one_that_never_comes_is_given_up_after_a_day(citizen):
    citizen.platform.faults[GET] = deque([Fault("status", 502)] * 200)
    await citizen.shows("video", media.photo(), "video/mp4")

    async def lost():
        citizen.clock.wait(hours=1)
        await citizen.gateway.fetching.once()
        return [row[0] for row in await wanted(citizen)] == ["lost"]

    await until(lost)
    citizen.platform.faults.clear()
    await citizen.says("在吗")
    await until(lambda: any("一直没有下载成功" in text for text in citizen.heard))


async def test_one_that_hangs_holds_up_nobody(citizen):
    citizen.platform.faults[GET] = deque([Fault("hang")])
    await citizen.shows("image", media.photo(), "image/jpeg")

    async def taken():
        return [row[3] for row in await wanted(citizen)] == [1]

    await until(taken)
    await citizen.shows("image", media.photo(size=(100, 80)), "image/jpeg")

    async def next_one():
        return "stored" in [row[0] for row in await wanted(citizen)]

    await until(next_one)


async def test_a_message_brought_again_wants_its_file_once(citizen):
    photo = media.photo()
    media_id = citizen.platform.keep(photo, "image/jpeg")
    fields = {"MsgType": "image", "MediaId": media_id, "PicUrl": "https://mmbiz.qpic.cn/x", "MsgId": "77"}
    await asyncio.gather(*(citizen.driver.bring(citizen.person, fields) for _ in range(3)))
    await settled(citizen)
    assert citizen.platform.counts["media"] == 1
