"""What a citizen is told of the desk on each channel there is, and that nobody is told anything twice (T17, T32)."""

import asyncio
from dataclasses import dataclass, field

import pytest
from sqlalchemy import func, select

from bots.sms import units
from bots.words_sms import FITS
from channels.memory import Memory
from channels.registry import ADAPTERS
from gateway.store.tables import DESK_EVENT, OUTGOING, SERVICE_RATING
from gateway.whole import Gateway
from normalizer.message import InboundMessage, Part, PartKind, SourceChannel
from tests.channels.test_contract import settings_of
from tests.kit.desk import Floor
from tests.kit.gateway import Hand, running, settings
from tests.kit.staff import staff, talk_of
from tests.kit.standin import until

MOVED = "正在为您转接其他座席，您不用重复说明，请稍等。"
LONG = "让您久等了"


class Provider(Memory):
    """A provider of one kind: what an adapter can carry and the leave it gets are the adapter's own."""

    def __init__(self, adapter):
        super().__init__(adapter.account, adapter.capabilities)
        self.grant = adapter.grant


@dataclass
class Citizen:
    """Somebody on one channel, and all that he was told there."""

    gateway: Gateway
    clock: Hand
    account: str
    told: list[str] = field(default_factory=list)
    sent: int = 0

    @property
    def channel(self) -> Provider:
        found = self.gateway.channels[self.account]
        assert isinstance(found, Provider)
        return found

    @property
    def user(self) -> str:
        if self.channel.capabilities.phones:
            return "13812345678"
        return "li@example.com" if self.channel.capabilities.source is SourceChannel.EMAIL else "u1"

    async def says(self, text: str, *, automatic: bool = False) -> None:
        self.sent += 1
        now, part = self.clock(), Part(PartKind.TEXT, text=text)
        source = self.channel.capabilities.source
        message = InboundMessage(
            self.account, self.user, f"m{self.sent}", source, now, now, (part,), b"", automatic=automatic
        )
        accepted = await self.gateway.inbox.accept(message)
        if accepted.reply is not None:
            accepted.written()
            self.told.append(accepted.reply)
        self.clock.wait(seconds=1)

    async def hears(self, count: int) -> list[str]:
        """Wait until he was told so much since he was last asked, and until nothing more is owed."""
        self.gateway.desk.owed()
        await until(lambda: len(self.told) + len(self.channel.sent) >= count)
        await until(self._nothing_is_owed)
        heard = self.told + [message.text for message in self.channel.sent]
        self.told.clear()
        self.channel.sent.clear()
        return heard

    async def _nothing_is_owed(self) -> bool:
        owed = OUTGOING.c.state.in_(("queued", "sending")), OUTGOING.c.account == self.account
        query = select(func.count()).select_from(OUTGOING).where(*owed)
        return not await self.gateway.books.store.read(lambda c: c.execute(query).scalar_one())


@pytest.mark.parametrize("kind", ADAPTERS)
async def test_each_step_of_a_service_is_told_once_on_every_channel(database, tmp_path, clock, kind):
    async with _at(database, tmp_path, clock, kind) as citizen:
        gateway, brief = citizen.gateway, citizen.channel.capabilities.phones
        # A letter is answered by a letter, and not by one for each change of hands.
        letters = citizen.channel.capabilities.source is SourceChannel.EMAIL
        li, wang = await staff(gateway, "li"), await staff(gateway, "wang")

        await citizen.says("转人工")
        (queued,) = await citizen.hears(1)
        assert "转人工" in queued or "已请工作人员联系您" in queued

        clock.wait(minutes=11)
        await _alive(gateway, li, wang)
        await gateway.line.tell()
        assert [LONG in text for text in await citizen.hears(int(not letters))] == [True] * (not letters)

        held = await gateway.desk.take(li.id, *await _stands(citizen))
        assert await citizen.hears(int(not letters)) == ["座席li号正在为您服务。"] * (not letters)

        await gateway.desk.reply(li.id, held.conversation, held.epoch, "您好，请讲。", "e1")
        clock.wait(seconds=11)
        assert await citizen.hears(1) == ["您好，请讲。"]
        await citizen.says("门前的井盖丢了")
        assert await citizen.hears(0) == []

        held = await gateway.desk.transfer(li.id, held.conversation, held.epoch, to_agent=wang.id)
        assert await citizen.hears(int(not letters)) == [MOVED] * (not letters)
        held = await gateway.desk.take(wang.id, held.conversation, held.epoch)
        assert await citizen.hears(int(not letters)) == ["座席wang号正在为您服务。"] * (not letters)
        await citizen.says("已经三天了")

        # Wang's browser is gone, and so is he.
        await gateway.desk.reply(wang.id, held.conversation, held.epoch, "我来办。", "e2")
        clock.wait(seconds=11)
        assert await citizen.hears(1) == ["我来办。"]
        clock.wait(seconds=130)
        await _alive(gateway, li)
        await gateway.desk.tick()
        assert await citizen.hears(int(not letters)) == [MOVED] * (not letters)

        held = await gateway.desk.take(li.id, *await _stands(citizen))
        assert await citizen.hears(int(not letters)) == ["座席li号正在为您服务。"] * (not letters)
        await gateway.desk.close(li.id, held.conversation, held.epoch)
        (ended,) = await citizen.hears(1)
        assert "人工服务已结束" in ended
        assert "非常满意" in ended
        assert not brief or units(ended) <= FITS

        await citizen.says("5")
        (thanks,) = await citizen.hears(1)
        assert "感谢您的评价“非常满意”" in thanks
        query = select(SERVICE_RATING.c.score, SERVICE_RATING.c.agent)
        said = await gateway.books.store.read(lambda c: c.execute(query).all())
        assert [tuple(row) for row in said] == [(5, li.id)]


async def test_t32_an_answering_machine_starts_no_clock_and_is_answered_nothing(database, tmp_path, clock):
    """It answers to everything it is sent: that the agent took it over, that he is awaited, that it has ended."""
    async with _at(database, tmp_path, clock, "email") as citizen:
        gateway = citizen.gateway
        li = await staff(gateway, "li")
        await citizen.says("人工")
        await citizen.hears(1)
        await citizen.says("我在休假，回来后回复您。", automatic=True)
        assert await citizen.hears(0) == []

        held = await gateway.desk.take(li.id, *await _stands(citizen))
        assert await citizen.hears(0) == []
        await gateway.desk.reply(li.id, held.conversation, held.epoch, "请问门牌号？", "e1")
        clock.wait(seconds=11)
        await citizen.hears(1)
        for _ in range(5):
            await citizen.says("我在休假，回来后回复您。", automatic=True)
            talk = await talk_of(gateway, _Person(citizen))
            assert (talk.clock, talk.waiting_since) == ("idle", None)
            clock.wait(minutes=2)
            await _alive(gateway, li)
            await gateway.desk.tick()
            assert await citizen.hears(0) == []

        held = await gateway.desk.wrap_up(li.id, held.conversation, held.epoch)
        await citizen.says("我在休假，回来后回复您。", automatic=True)
        assert (await talk_of(gateway, _Person(citizen))).owner == "wrap_up"
        await gateway.desk.close(li.id, held.conversation, held.epoch)
        assert len(await citizen.hears(1)) == 1
        await citizen.says("我在休假，回来后回复您。", automatic=True)
        assert await citizen.hears(0) == []


async def test_t32_who_does_not_look_is_not_reminded(store):
    """A text or a mail at every stroke of a chat's clocks would be a stream of them, each of which may be answered."""
    floor = Floor(store)
    floor.unseen.add("wx")
    li = await floor.agent("li")
    talk = await floor.waits("p")
    await floor.desk.take(li, talk, 1)
    for _ in range(8):
        floor.clock.wait(seconds=50)
        await floor.alive(li)
        await floor.desk.tick()
    assert [text for text, _, _ in await floor.told(talk)] == ["座席li号正在为您服务。"]
    # What the desk shows is what was done.
    assert {"silent_untold"} <= set(await floor.kinds())
    assert "silent" not in await floor.kinds()


async def test_t17_a_message_that_comes_three_times_hands_over_once(database, tmp_path, clock):
    """The platform's retries, at once and late, in two turns of the pipeline."""
    async with running(settings(database, tmp_path), clock=clock) as gateway:
        now, part = clock(), Part(PartKind.TEXT, text="转人工")
        message = InboundMessage("wx", "u1", "m1", SourceChannel.WECHAT, now, now, (part,), b"")
        at_once = await asyncio.gather(*(gateway.inbox.accept(message) for _ in range(3)))
        late = await gateway.inbox.accept(message)
        late.written()
        assert {each.reply for each in (*at_once, late)} - {None} == {at_once[0].reply}
        assert await _count(gateway, OUTGOING) == 1
        assert await _count(gateway, DESK_EVENT, DESK_EVENT.c.kind == "queued") == 1


async def test_t17_what_rode_in_the_answer_is_not_sent_again(database, tmp_path, clock):
    async with _at(database, tmp_path, clock, "wechat") as citizen:
        await citizen.says("转人工")
        clock.wait(minutes=2)
        (queued,) = await citizen.hears(1)
        assert "已为您登记转人工" in queued
        assert await citizen.hears(0) == []


async def test_t17_what_the_answer_did_not_carry_is_sent_once(database, tmp_path, clock):
    """The platform hung up before the answer was there: it goes the other way, and only so."""
    async with _at(database, tmp_path, clock, "wechat") as citizen:
        now, part = clock(), Part(PartKind.TEXT, text="转人工")
        message = InboundMessage("wechat", "u1", "m1", SourceChannel.WECHAT, now, now, (part,), b"")
        asked = asyncio.create_task(citizen.gateway.inbox.accept(message))
        await asyncio.sleep(0)
        asked.cancel()
        queued = OUTGOING.c.state == "queued"
        await until(lambda: _count(citizen.gateway, OUTGOING, queued))
        clock.wait(minutes=1)
        (told,) = await citizen.hears(1)
        assert "已为您登记转人工" in told
        clock.wait(minutes=1)
        assert await citizen.hears(0) == []


@pytest.mark.parametrize("word", ["0", "人工", "转人工"])
async def test_t17_asking_again_tells_the_place_and_hands_over_no_second_time(
    database, tmp_path, clock, word
):
    async with _at(database, tmp_path, clock, "web") as citizen:
        await citizen.says("转人工")
        await citizen.says(word)
        first, second = await citizen.hears(2)
        assert "已为您登记转人工" in first
        assert "您已在排队" in second
        assert await _count(citizen.gateway, DESK_EVENT, DESK_EVENT.c.kind == "queued") == 1


@dataclass
class _Person:
    citizen: Citizen

    @property
    def account(self) -> str:
        return self.citizen.account

    @property
    def user(self) -> str:
        return self.citizen.user


class _at:  # noqa: N801 - reads as a word
    """A gateway with one account of a kind, and a citizen on it."""

    def __init__(self, database, folder, clock, kind):
        given = settings(database, folder, channels={kind: {**settings_of(kind), "kind": kind}})
        self._running, self._clock, self._kind = running(given, clock=clock), clock, kind

    async def __aenter__(self) -> Citizen:
        gateway = await self._running.__aenter__()
        gateway.channels[self._kind] = Provider(gateway.channels[self._kind])
        return Citizen(gateway, self._clock, self._kind)

    async def __aexit__(self, *failed):
        return await self._running.__aexit__(*failed)


async def _stands(citizen: Citizen) -> tuple[bytes, int]:
    talk = await talk_of(citizen.gateway, _Person(citizen))
    return talk.conversation, talk.epoch


async def _alive(gateway: Gateway, *these) -> None:
    for each in these:
        await gateway.desk.beat(each.id, "tab")


async def _count(gateway: Gateway, table, *where) -> int:
    query = select(func.count()).select_from(table).where(*where)
    return await gateway.books.store.read(lambda c: c.execute(query).scalar_one())
