"""The whole course by 微信客服, on a gateway that runs before the stand-in, and what a kill leaves of it."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import func, select

from channels.wechat.kf import pull
from gateway.app import listening
from gateway.sandbox.kf import Client, Kf
from gateway.sandbox.weather import Weather
from gateway.store.tables import INBOX, OUTGOING
from gateway.whole import Gateway
from tests.kit import media
from tests.kit.gateway import Hand, running, settings
from tests.kit.kf import kf_settings, platform
from tests.kit.standin import until


@dataclass
class Talk:
    gateway: Gateway
    kf: Kf
    clock: Hand

    @property
    def person(self) -> Client:
        return self.kf.person("wmZhang")

    async def says(self, text: str, hears: str) -> str:
        """Write, and return the answer that holds certain words."""
        before = len(self.kf.heard("wmZhang"))
        await self.kf.write(self.person, text)
        self.clock.wait(seconds=1)
        answers: list[str] = []

        def heard() -> bool:
            answers[:] = [each for each in self.kf.heard("wmZhang")[before:] if hears in each]
            return bool(answers)

        await until(heard)
        return answers[0]


@asynccontextmanager
async def talking(database, folder, clock, kf, port, **changes):
    given = settings(database, folder, channels={"kf": kf_settings(port, **changes)})
    async with (
        running(given, clock=clock) as gateway,
        listening(gateway.app, "127.0.0.1", 0) as own,
    ):
        kf.settings.callback_url = f"http://127.0.0.1:{own}/channels/kf"
        yield Talk(gateway, kf, clock)


@pytest.fixture
async def stand(clock):
    async with platform(lambda: clock().timestamp()) as opened:
        yield opened


@pytest.fixture
async def talk(database, tmp_path, clock, stand):
    async with talking(database, tmp_path, clock, *stand) as opened:
        yield opened


async def received(talk: Talk) -> int:
    query = select(func.count()).select_from(INBOX)
    return await talk.gateway.books.store.read(lambda c: c.execute(query).scalar_one())


async def test_the_whole_course_report_number_progress_and_a_person(talk):
    await talk.kf.come(talk.person)
    await until(lambda: talk.kf.heard("wmZhang"))
    assert talk.person.lines[-1].way == "greeting"
    await talk.says("泰山区东岳大街88号门前井盖丢失很危险，我叫李四，电话13812345678", "1")
    number = (await talk.says("1", "单号")).split("单号")[1][:17]
    assert (await talk.gateway.lookup.case(number)).case_no == number
    assert number[-7:] in await talk.says("查进度", number[-7:])
    await talk.says("0", "人工")
    assert await received(talk) == 5


async def test_a_photo_is_fetched_from_the_corporations_interface(talk):
    await talk.says("泰山区东岳大街88号门前井盖丢失很危险，我叫李四，电话13812345678", "1")
    number = (await talk.says("1", "单号")).split("单号")[1][:17]
    await talk.kf.show(talk.person, "image", media.photo(), "image/jpeg")
    talk.clock.wait(seconds=6)
    await talk.says("1", "")

    async def kept():
        return [each.kind.value for each in await talk.gateway.media.uploads.of(number)] == ["image"]

    await until(kept)


async def test_three_calls_at_once_make_one_turn(talk):
    talk.kf.silent = True
    await talk.kf.write(talk.person, "你好")
    talk.kf.silent = False
    await asyncio.gather(*(talk.kf.call() for _ in range(3)))
    await until(lambda: talk.kf.heard("wmZhang"))
    await talk.says("查进度", "")
    assert await received(talk) == 2
    assert len(talk.kf.heard("wmZhang")) == 2


async def test_what_was_read_stays_read_over_a_new_start_and_what_came_meanwhile_is_found(
    database, tmp_path, clock, stand
):
    kf, port = stand
    async with talking(database, tmp_path, clock, kf, port) as first:
        await first.says("你好", "")
    kf.settings.callback_url = ""
    await kf.write(kf.person("wmZhang"), "查进度")
    before, asked = len(kf.heard("wmZhang")), kf.counts["sync_msg"]
    async with talking(database, tmp_path, clock, kf, port) as second:
        await until(lambda: len(kf.heard("wmZhang")) > before)
        assert await received(second) == 2
    assert len(kf.heard("wmZhang")) == before + 1
    assert kf.counts["sync_msg"] > asked


async def test_two_gateways_on_one_account_take_each_message_once(postgres_url, tmp_path, clock, stand):
    kf, port = stand
    async with (
        talking(postgres_url, tmp_path, clock, kf, port, poll_seconds=1) as first,
        talking(postgres_url, tmp_path, clock, kf, port, poll_seconds=1) as second,
    ):
        for text in ("你好", "查进度", "你好"):
            await kf.write(kf.person("wmZhang"), text)
            await asyncio.gather(
                first.gateway.channels["kf"].pull.once(), second.gateway.channels["kf"].pull.once()
            )
        await until(lambda: len(kf.heard("wmZhang")) >= 3)
        assert await received(first) == 3
        assert len(kf.heard("wmZhang")) == 3


async def test_a_message_that_did_not_arrive_is_written_down_as_such(talk):
    talk.kf.fails.add("wmZhang")
    await talk.kf.write(talk.person, "你好")

    async def undelivered():
        await talk.kf.call()
        rows = await talk.gateway.books.store.read(
            lambda c: c.exec_driver_sql("SELECT state FROM outgoing").all()
        )
        return [row[0] for row in rows] == ["undelivered"]

    await until(undelivered)


@pytest.mark.parametrize("seed", range(3))
async def test_in_bad_weather_all_is_received_once_answered_once_and_the_record_is_honest(
    talk, seed, monkeypatch
):
    # Three failures in a row, which the weather has now and then, would be waited for longer than a test may take.
    monkeypatch.setattr(pull, "PAUSES", (0.05,))
    await talk.says("你好", "")
    heard, before = len(talk.kf.heard("wmZhang")), await received(talk)
    talk.kf.weather = Weather(0.4, seed=seed).fault
    for _ in range(10):
        await talk.kf.write(talk.person, "查进度")
        talk.clock.wait(seconds=1)
    await until(lambda: _settled(talk, before + 10))
    states = Counter(await _states(talk))
    said = len(talk.kf.heard("wmZhang")) - heard
    assert await received(talk) == before + 10
    assert set(states) <= {"sent", "unknown", "dead", "undelivered"}
    # What is said to be sent was heard, and nothing twice: an id of ours is taken once.
    assert states["sent"] - heard <= said <= 10
    assert 10 - said <= states["unknown"] + states["dead"]


async def _states(talk) -> list[str]:
    return await talk.gateway.books.store.read(
        lambda c: [row[0] for row in c.execute(select(OUTGOING.c.state))]
    )


async def _settled(talk, messages) -> bool:
    """Let time pass and the account be called, and return whether all was taken and nothing is owed any more."""
    talk.clock.wait(seconds=90)
    await talk.kf.call()
    states = await _states(talk)
    return await received(talk) >= messages and not set(states) & {"queued", "sending"}
