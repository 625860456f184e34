"""What a citizen sees of the desk, on every channel there is: waiting, taken, passed on, agent lost, the end, the rating.

Each adapter of the registry is a case; the words are read where they are owed, as the channel would send them.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from bots.sms import units
from bots.words_sms import FITS
from channels.registry import ADAPTERS
from gateway.desk.cases import Staff
from gateway.store import desk as sql
from gateway.store.tables import INBOX, OUTGOING, SERVICE_RATING
from gateway.whole import Gateway
from normalizer.evolve import evolve
from normalizer.message import SourceChannel
from tests.channels.test_contract import settings_of
from tests.kit.gateway import Hand, Person, embedded, running, settings
from tests.kit.staff import staff, talk_of

ACCOUNT = "acc"
SENDERS = {SourceChannel.SMS: "13812345678", SourceChannel.EMAIL: "li@example.com"}
LETTERS = SourceChannel.EMAIL
QUEUED = "登记转人工", "请工作人员联系您"
MOVED = "转接其他座席"
CODES = ("RG", "首行写“人工”", "回复 0")
SAYS_HOW = {SourceChannel.SMS: ("回复数字",), SourceChannel.EMAIL: ("回复本邮件，首行写“评价”加数字",)}


async def test_who_asks_for_a_person_is_told_what_happens_and_heard_by_whoever_has_him_t28_t32(there):
    li, wang = await staff(there.gateway), await staff(there.gateway, "wang")
    told = await there.says("转人工")
    assert any(words in told for words in QUEUED)
    assert "12345" in told
    there.fits(told)
    waiting = await there.talk()
    await there.gateway.desk.take(li.id, waiting.conversation, waiting.epoch)
    # A letter is answered by a letter, and not by one for each change of hands.
    said = [] if there.source is LETTERS else ["座席li号正在为您服务。"]
    assert await there.told() == said
    talk = await there.talk()
    await there.gateway.desk.reply(li.id, talk.conversation, talk.epoch, "您好，请讲", "e1")
    there.clock.wait(seconds=30)
    assert await there.says("还有一件事") == ""
    after = await there.talk()
    assert (after.owner, after.clock, after.agent) == ("agent", "silent", li.id)
    assert after.due_at == after.waiting_since + there.gateway.desk.rules.silent_ms
    held = await there.gateway.desk.transfer(li.id, talk.conversation, talk.epoch)
    await there.gateway.desk.take(wang.id, talk.conversation, held.epoch)
    told = await there.told()
    assert next(text for text in told if text not in said) == "您好，请讲"
    assert sum(MOVED in text for text in told) == (there.source is not LETTERS)
    assert len(await there.heard()) == 2


async def test_whose_agent_is_lost_is_told_once_and_keeps_his_place(there):
    li = await staff(there.gateway)
    talk = await there.taken(li)
    there.clock.wait(minutes=3)
    for _ in range(3):
        await there.gateway.desk.tick()
    after = await there.talk()
    assert (after.owner, after.enqueued_at, after.agent) == ("queued", talk.enqueued_at, None)
    told = await there.told()
    assert sum(MOVED in text for text in told) == (there.source is not LETTERS)
    assert not [text for text in told if "请评价" in text]


async def test_who_returns_to_the_bot_is_told_how_to_go_on_as_his_channel_does(there):
    li = await staff(there.gateway)
    talk = await there.taken(li)
    await there.gateway.desk.give_back(li.id, talk.conversation, talk.epoch)
    (told,) = [text for text in await there.told() if "智能客服" in text]
    there.fits(told)
    if there.source in SENDERS:
        assert "回复 2" not in told
    assert any(code in told for code in CODES) or "0 转人工" in told


async def test_at_the_end_he_is_asked_how_it_was_and_his_answer_is_taken_t31(there):
    li = await staff(there.gateway)
    for count, answer in enumerate(("5", "非常满意", "评价 5"), 1):
        talk = await there.taken(li)
        await there.gateway.desk.close(li.id, talk.conversation, talk.epoch)
        asked = [text for text in await there.told() if "服务已结束" in text]
        assert len(asked) == count
        there.fits(asked[-1])
        assert all(
            words in asked[-1] for words in ("5", "非常满意", *SAYS_HOW.get(there.source, ("0 转人工",)))
        )
        thanks = await there.says(answer)
        assert "感谢您的评价“非常满意”" in thanks
        there.fits(thanks)
        assert await there.scores() == [5] * count
        assert (await there.talk()).owner == "closed"
        # Only by SMS is the same text within two minutes a second delivery.
        there.clock.wait(minutes=3)
        await there.gateway.desk.beat(li.id, "tab")


@pytest.mark.parametrize("there", ["email"], indirect=True)
async def test_what_a_machine_answers_to_the_desk_is_no_word_of_his_t32(there):
    li = await staff(there.gateway)
    talk = await there.taken(li)
    await there.gateway.desk.reply(li.id, talk.conversation, talk.epoch, "已为您办好", "e1")
    assert await there.says("我在休假，您的邮件稍后处理。", automatic=True) == ""
    after = await there.talk()
    assert (after.owner, after.waiting_since) == ("agent", None)
    for _ in range(3):
        there.clock.wait(minutes=10)
        await there.gateway.desk.beat(li.id, "tab")
        await there.gateway.desk.tick()
    assert await there.told() == ["已为您办好"]
    talk = await there.talk()
    await there.gateway.desk.close(li.id, talk.conversation, talk.epoch)
    before = await there.told()
    assert len(before) == 2
    for text in ("我在休假，您的邮件稍后处理。", "5", "转人工"):
        assert await there.says(text, automatic=True) == ""
    assert await there.told() == before
    assert await there.scores() == [None]
    assert (await there.talk()).owner == "closed"


@dataclass
class There:
    """A citizen of one channel, and the gateway he writes to."""

    gateway: Gateway
    clock: Hand
    person: Person
    source: SourceChannel

    async def says(self, text: str, *, automatic: bool = False) -> str:
        """Write, and return everything that is owed for it."""
        before = await self._owed()
        message = evolve(self.person.message(text), automatic=automatic)
        await self.gateway.inbox.accept(message)
        self.clock.wait(milliseconds=5)
        return "\n".join((await self._owed())[len(before) :])

    async def told(self) -> list[str]:
        """What people at the desk and the desk itself have said."""
        return await self._owed("agent", "desk")

    async def taken(self, by: Staff) -> sql.Talk:
        await self.says("转人工")
        waiting = await self.talk()
        await self.gateway.desk.take(by.id, waiting.conversation, waiting.epoch)
        self.clock.wait(milliseconds=5)
        return await self.talk()

    async def talk(self) -> sql.Talk:
        return await talk_of(self.gateway, self.person)

    async def heard(self) -> list[bytes]:
        query = select(INBOX.c.id).where(INBOX.c.account == ACCOUNT)
        return list(await self.gateway.books.store.read(lambda c: c.execute(query).scalars().all()))

    async def scores(self) -> list[int | None]:
        query = select(SERVICE_RATING.c.score)
        return list(await self.gateway.books.store.read(lambda c: c.execute(query).scalars().all()))

    def fits(self, text: str) -> None:
        """One segment by SMS; elsewhere what the channel carries in one message."""
        if self.source is SourceChannel.SMS:
            assert units(text) <= FITS, text
        assert len(text.encode()) <= self.gateway.channels[ACCOUNT].capabilities.max_bytes

    async def _owed(self, *notices: str) -> list[str]:
        query = select(OUTGOING.c.body).where(OUTGOING.c.account == ACCOUNT).order_by(OUTGOING.c.id)
        query = query.where(OUTGOING.c.notice.in_(notices)) if notices else query
        bodies = await self.gateway.books.store.read(lambda c: c.execute(query).scalars().all())
        return [self.gateway.books.sealer.open(body).decode() for body in bodies]


@pytest.fixture(params=sorted(ADAPTERS))
async def there(request, tmp_path, clock) -> AsyncIterator[There]:
    given = settings(embedded(tmp_path), tmp_path, channels={ACCOUNT: settings_of(request.param)})
    async with running(given, clock=clock) as gateway:
        source = gateway.channels[ACCOUNT].capabilities.source
        user = SENDERS.get(source, "oUser")
        yield There(gateway, clock, Person(gateway, clock, user, ACCOUNT, source=source), source)
