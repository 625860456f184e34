"""A restriction of the ladder against abuse holds for the person, by every way in that is proved to be his (domain.md 1.11)."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from importlib import resources

import pytest
from aiohttp import ClientSession

from bots import state as states
from bots.state import Quiet
from channels.contract import Capabilities
from gateway.app import listening
from gateway.desk.abuse import Ground, Ladder, Level
from gateway.desk.rights import Role
from gateway.runtime import Ids
from gateway.store import restrictions as rows
from gateway.whole import Gateway
from normalizer.case import Command, Verb
from normalizer.message import Address, SourceChannel
from tests.gateway.api.conftest import FREE
from tests.gateway.api.test_api import sent_code
from tests.gateway.open311.conftest import RULES
from tests.kit.api import App, matter
from tests.kit.browser import browsing, first
from tests.kit.cases import AGENT
from tests.kit.gateway import Hand, Person, running, settings
from tests.kit.open311 import Client, report
from tests.kit.staff import staff, talk_of
from tests.kit.standin import until
from tests.kit.wechat import raw_settings
from tests.kit.writer import PHONE, Writer
from tests.kit.writer import outgoing as _outgoing

DANGER = "我家着火了，东岳大街88号，快来人"
WORDS = "泰山区青年路路灯坏了影响出行"


class Ladders:
    """The ladder, and those who climb it with somebody."""

    def __init__(self, gateway: Gateway, clock: Hand) -> None:
        books = gateway.books
        self.gateway = gateway
        self.steps = Ladder(books.store, books.sealer, books.cases, Ids(), clock, lambda: None)

    async def restricts(self, conversation: bytes):
        """Hold somebody off for a day, as three people did it step by step."""
        if await self.gateway.accounts.by_login("li") is None:
            self.li = await staff(self.gateway)
            self.wang = await staff(self.gateway, "wang", Role.SUPERVISOR)
            self.zhou = await staff(self.gateway, "zhou", Role.SUPERVISOR)
        await self.steps.mark(self.li, conversation, Level.NOTICE, Ground.INSULT)
        await self.steps.mark(self.li, conversation, Level.BOT_ONLY, Ground.INSULT, hours=2)
        step = await self.steps.mark(self.li, conversation, Level.RESTRICT, Ground.INSULT, hours=24)
        return await self.steps.decide(self.wang, step.id, granted=True)


@pytest.fixture
async def bound(gateway, clock):
    """Somebody's WeChat and his telephone, bound by a code."""
    person, phone = Person(gateway, clock), Writer(gateway, clock)
    await phone.says(f"YZ {_code(await person.says('绑定手机'))}")
    return person, phone


async def test_it_holds_in_each_talk_of_the_person_in_its_own_wording(gateway, ladder, bound):
    person, phone = bound
    step = await ladder.restricts((await talk_of(gateway, person)).conversation)
    assert "已登记的诉求照常办理。认为不妥请回复“申诉”" in await person.says(WORDS)
    told = await phone.says(WORDS)
    assert "文字服务暂停到" in told
    assert len(told) <= 70
    assert await phone.says(WORDS) == ""
    assert "119" in await phone.says(DANGER)
    await ladder.steps.lift(ladder.wang, step.id)
    assert "已提交" in await _reported(person)


async def test_an_appeal_in_another_talk_of_his_is_heard_and_answered_there(gateway, ladder, bound):
    person, phone = bound
    step = await ladder.restricts((await talk_of(gateway, person)).conversation)
    assert "复核" in await phone.says("申诉")
    assert [each.appealed for each in await ladder.steps.open()] == [True]
    known = len(phone.sent)
    await ladder.steps.uphold(ladder.zhou, step.id, reason="属实")
    assert known == len(phone.sent)
    account, words = (await _outgoing(gateway))[-1]
    assert account == "sms"
    assert "限制维持到期满" in words
    assert [each.appealed for each in await ladder.steps.open()] == [False]


async def test_an_appeal_and_its_answer_are_of_no_other_person(gateway, ladder, bound, clock):
    mine = await ladder.restricts((await talk_of(gateway, bound[0])).conversation)
    other, phone = Person(gateway, clock, user="oOther"), Writer(gateway, clock, user="13912345678")
    await phone.says(f"YZ {_code(await other.says('绑定手机'))}")
    his = await ladder.restricts((await talk_of(gateway, other)).conversation)
    await phone.says("申诉")
    assert [each.id for each in await ladder.steps.open() if each.appealed] == [his.id]
    await bound[1].says("申诉")
    await ladder.steps.uphold(ladder.zhou, his.id, reason="属实")
    assert [each.id for each in await ladder.steps.open() if each.appealed] == [mine.id]


async def test_the_steps_are_one_ladder_for_all_his_talks(gateway, ladder, bound):
    person, phone = bound
    one, other = [(await talk_of(gateway, each)).conversation for each in bound]
    held = await ladder.restricts(one)
    again = await ladder.steps.mark(ladder.li, other, Level.BOT_ONLY, Ground.THREAT, hours=2)
    states = {each.id: each.state for each in await ladder.steps.of(one)}
    assert (states[held.id], states[again.id]) == ("superseded", "active")
    assert [each.id for each in await ladder.steps.of(other)] == list(states)
    assert "人工服务暂停到" in await person.says("转人工")
    assert "人工服务暂停到" in await phone.says("RG")


async def test_it_follows_him_at_once_into_a_talk_that_he_binds(gateway, ladder, clock):
    person, phone = Person(gateway, clock), Writer(gateway, clock)
    code = _code(await person.says("绑定手机"))
    await ladder.restricts((await talk_of(gateway, person)).conversation)
    clock.wait(seconds=1)
    await phone.says(f"YZ {code}")
    talk = (await talk_of(gateway, phone)).conversation
    await until(lambda: _quiet(gateway, talk))
    assert "文字服务暂停到" in await phone.says(WORDS)


async def test_it_follows_him_into_a_talk_that_is_found_to_be_his_later(gateway, ladder, clock):
    person, phone = Person(gateway, clock), Writer(gateway, clock)
    code = _code(await person.says("绑定手机"))
    await ladder.restricts((await talk_of(gateway, person)).conversation)
    clock.wait(seconds=1)
    await phone.says(f"YZ {code}")
    assert await gateway.office.restraint.spread() == 1
    assert "文字服务暂停到" in await phone.says(WORDS)
    # What he was told stays told.
    await gateway.office.restraint.spread()
    assert await phone.says(WORDS) == ""
    clock.wait(hours=24, seconds=1)
    assert await gateway.office.restraint.spread() == 0
    assert await phone.says(WORDS) != ""


async def test_it_holds_nobody_who_merely_names_the_telephone(gateway, ladder, bound, app):
    await ladder.restricts((await talk_of(gateway, bound[0])).conversation)
    stranger = Person(gateway, app.clock, user="oStranger")
    assert "已提交" in await _reported(stranger)
    assert (await app.post("/cases", matter(phone=PHONE))).status == 201


async def test_it_holds_by_the_json_api_and_danger_and_what_is_open_pass(gateway, ladder, bound, app):
    proved = await _proved(app)
    number = await proved.reports()
    await ladder.restricts((await talk_of(gateway, bound[0])).conversation)
    held = await proved.post("/cases", matter(text=WORDS))
    assert (held.status, held.wrong) == (403, "held-off")
    assert re.search("暂停到11月2[0-9]日[0-9:]{5}，.*回复“申诉”.*110、119、120、12345", held.data["detail"])
    assert (await proved.post(f"/cases/{number}/supplements", {"text": "又裂开了一块"})).wrong == "held-off"
    assert (await proved.post(f"/cases/{number}/urges", {"text": ""})).status == 200
    assert (await proved.get("/cases")).status == 200
    danger = await proved.post("/cases", matter(text=DANGER))
    assert (danger.status, danger.data["danger"]["kind"]) == (201, "fire")
    assert (await proved.post(f"/cases/{number}/supplements", {"text": DANGER})).status == 200
    await proved.post("/messages", {"id": "m1", "text": "我要申诉"})
    assert [each.appealed for each in await ladder.steps.open()] == [True]


async def test_what_a_department_asks_for_may_be_given(gateway, ladder, bound, app):
    proved = await _proved(app)
    number = await proved.reports()
    await gateway.office.act(number, Command(Verb.ASK, AGENT, reason="请补充门牌号"))
    await ladder.restricts((await talk_of(gateway, bound[0])).conversation)
    assert (await proved.post(f"/cases/{number}/supplements", {"text": "门牌号是88号"})).status == 200


async def test_it_holds_who_proved_his_telephone_after_it_began(gateway, ladder, bound, app):
    await ladder.restricts((await talk_of(gateway, bound[0])).conversation)
    proved = await _proved(app)
    assert (await proved.post("/cases", matter())).wrong == "held-off"
    await proved.post("/messages", {"id": "m1", "text": WORDS})
    said = (await proved.get("/messages")).data["messages"]
    assert "文字服务暂停到" in said[-1]["text"]


async def test_it_holds_on_the_pages_and_says_until_when_and_how_to_appeal(gateway, ladder, bound):
    async with browsing(gateway) as browsers:
        browser = browsers()
        number = await browser.reports()
        await browser.proves(gateway)
        await ladder.restricts((await talk_of(gateway, bound[0])).conversation)
        held = await browser.post("/report/what", {"text": WORDS})
        assert held.status == 403
        assert re.search("网上提交暂停到2026年11月2[0-9]日 [0-9:]{5}", held.text)
        assert "回复“申诉”" in held.text
        assert "12345" in held.text
        assert (await browser.post(f"/cases/{number}/supplement", {"text": "又裂开了"})).status == 403
        assert (await browser.post(f"/cases/{number}/urge", {"text": ""})).status == 200
        assert (await browser.post(f"/cases/{number}/supplement", {"text": DANGER})).status == 200
        assert len(await browser.reports(text=DANGER)) == 17
        await browser.post("/view", {"lang": "en"})
        english = await browser.post("/report/what", {"text": WORDS})
        assert "You cannot submit for the moment" in english.text
        await browser.post("/chat", {"text": "我要申诉", "token": "t1"})
        assert "复核" in (await browser.get("/chat")).text
        assert [each.appealed for each in await ladder.steps.open()] == [True]


async def test_it_holds_by_a_partners_way_in_only_whom_a_step_was_taken_against(
    gateway, ladder, bound, client
):
    await ladder.restricts((await talk_of(gateway, bound[0])).conversation)
    # The partner's form says whose telephone it is; that proves nothing.
    await client.reports(phone=PHONE)
    books = gateway.books
    await ladder.restricts(books.sealer.conversation("open311", "cityapp/u1"))
    held = await client.post(**report(description="泰山区迎胜路的井盖丢失了，很危险"))
    assert (held.status, held.faults) == (403, [403])
    assert "文字提交暂停到" in held.data[0]["description"]
    assert "拨打12345申诉" in held.data[0]["description"]
    await client.reports(description=DANGER)


async def test_who_signed_in_is_held_off_in_the_pages_own_talk_too(gateway, ladder, bound):
    person, _ = bound
    await ladder.restricts((await talk_of(gateway, person)).conversation)
    restraint, sealer = gateway.office.restraint, gateway.books.sealer
    own, other = Address("web", "session-1"), Address("web", "session-2")
    await restraint.carry(Address(person.account, person.user), own)
    await restraint.carry(other, other)
    visitor = Person(gateway, person.clock, user="session-1", account="web", source=SourceChannel.WEB)
    assert "文字服务暂停到" in (await _last(gateway, visitor, WORDS))
    found = await gateway.books.store.read(
        lambda c: rows.talks(c, sealer.conversation(other.account, other.user))
    )
    assert found == []


@pytest.fixture
async def gateway(database, tmp_path, clock) -> AsyncIterator[Gateway]:
    channels = {"wx": raw_settings(), "web": {"kind": "web"}, "sms": {"kind": "memory", "phones": True}}
    profile = tmp_path / "city.toml"
    words = resources.files("gateway").joinpath("profiles", "taian.toml").read_text("utf-8")
    profile.write_text(words.replace('sms_number = ""', 'sms_number = "1069012345"'), "utf-8")
    given = settings(database, tmp_path, channels=channels, portal=FREE, open311=RULES, profile=profile)
    async with running(given, clock=clock) as opened:
        opened.channels["sms"].capabilities = Capabilities(SourceChannel.SMS, 2048, phones=True)
        yield opened


@pytest.fixture
def ladder(gateway, clock) -> Ladders:
    return Ladders(gateway, clock)


@pytest.fixture
async def app(gateway, clock) -> AsyncIterator[App]:
    async with listening(gateway.app, "127.0.0.1", 0) as port, ClientSession() as http:
        stranger = App(http, f"http://127.0.0.1:{port}", gateway, clock)
        yield await stranger.another()


@pytest.fixture
async def client(gateway, clock) -> AsyncIterator[Client]:
    async with listening(gateway.app, "127.0.0.1", 0) as port, ClientSession() as http:
        yield Client(http, f"http://127.0.0.1:{port}", gateway, clock)


async def _proved(app: App) -> App:
    """An app whose person proved his telephone."""
    assert (await app.post("/session/phone", {"phone": PHONE})).status == 202
    reply = await app.post("/session/phone/code", {"code": await sent_code(app)})
    return replace(app, token=reply.data["token"])


async def _reported(person: Person) -> str:
    await person.says("泰山区东岳大街88号门前井盖丢失很危险，我叫李四，电话13812345678")
    return await person.says("1") or ""


async def _last(gateway: Gateway, person: Person, words: str) -> str:
    await person.says(words)
    return (await _outgoing(gateway))[-1][1]


def _code(words: str) -> str:
    return first("(?<=YZ )[0-9]{6}", words)


async def _quiet(gateway, talk) -> bool:
    """Return whether the bot of a talk knows that its citizen is held off."""
    sealed = await gateway.books.store.read(partial(rows.state_of, conversation=talk))
    return states.load(gateway.books.sealer.open(sealed)).quiet is Quiet.ALL
