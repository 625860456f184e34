"""One person by several ways in: a telephone bound by a code, letters of one thread, and what nobody else is told."""

import asyncio
import re
from dataclasses import replace
from functools import partial
from importlib import resources

import pytest
from sqlalchemy import select, text

from gateway.store.tables import BIND_CODE, BINDING, CASES, INBOX
from normalizer.message import SourceChannel
from outbox import receipts
from tests.kit.gateway import Person
from tests.kit.writer import PHONE, Writer, outgoing, reached

MAIL = "zhang@example.com"
MATTER = "泰山区青年路路灯坏了影响出行"


async def test_what_was_reported_by_wechat_is_found_by_sms_once_bound(gateway, clock):
    person, phone = Person(gateway, clock), Writer(gateway, clock)
    number = await person.reports()
    assert number[-7:] not in await phone.says("CX")
    assert "已绑定" in await phone.says(f"YZ {code_in(await person.says('绑定手机'))}")
    assert number[-7:] in await phone.says("查询")
    told = [words for account, words in await outgoing(gateway) if account == "wx"]
    assert f"尾号{PHONE[-4:]}" in told[-1]


async def test_what_was_reported_by_sms_is_found_by_wechat_once_bound(gateway, clock):
    person, phone = Person(gateway, clock), Writer(gateway, clock)
    await phone.says(MATTER)
    number = case_no_in(await phone.says("张三"))
    assert "没有查到" in await person.says("查进度")
    await phone.says(f"YZ {code_in(await person.says('绑定手机'))}")
    assert number[-7:] in await person.says("查进度")
    assert "已转告" in await person.says("催办")


async def test_two_conversations_may_move_one_case_in_one_batch(gateway, clock):
    person, phone = Person(gateway, clock), Writer(gateway, clock)
    number = await person.reports()
    await phone.says(f"YZ {code_in(await person.says('绑定手机'))}")
    await asyncio.gather(person.says("催办"), phone.accept("BC 又裂开了一块"))
    stored = await gateway.books.store.read(lambda c: c.execute(select(CASES)).one())
    case = gateway.books.cases.read(stored)
    assert (case.case_no, len(case.urges), case.events) == (number, 1, 4)


async def test_a_code_is_good_once_and_for_ten_minutes(gateway, clock):
    person = Person(gateway, clock)
    one, two, late = (Writer(gateway, clock, user=f"1381234567{n}") for n in range(3))
    code = code_in(await person.says("绑定手机"))
    assert "已绑定" in await one.says(f"YZ {code}")
    assert "不对" in await two.says(f"YZ {code}")
    code = code_in(await person.says("绑定手机"))
    clock.wait(minutes=11)
    assert "不对" in await late.says(f"YZ {code}")


async def test_five_wrong_codes_lock_out_the_right_one(gateway, clock):
    code = code_in(await Person(gateway, clock).says("绑定手机"))
    phone = Writer(gateway, clock)
    wrong = [str(n) for n in range(111112, 111119) if str(n) != code]
    answers = [await phone.says(f"YZ {each}") for each in wrong[:5]]
    assert all("不对" in answer for answer in answers)
    assert "一小时后" in await phone.says(f"YZ {code}")


async def test_no_code_and_no_telephone_lies_open(gateway, clock):
    person, phone = Person(gateway, clock), Writer(gateway, clock)
    code = code_in(await person.says("绑定手机"))
    await phone.says("CX")
    kept = await gateway.books.store.read(
        lambda c: (c.execute(select(BIND_CODE)).all(), c.execute(select(BINDING)).all())
    )
    assert code.encode() not in repr(kept).encode()
    assert PHONE not in repr(kept)
    assert len(kept[1]) == 1


async def test_a_letter_s_name_leads_to_its_case(gateway, clock):
    mail = Writer(gateway, clock, "mail", MAIL, SourceChannel.EMAIL)
    number = case_no_in(await mail.says("泰山区青年路的路灯坏了三天没人修", name="<one@example.com>"))
    find = partial(receipts.case_of, account="mail", names=["<one@example.com>"])
    assert await gateway.books.store.read(find) == number
    assert "已记入" in await mail.says("又坏了一盏，在3号楼东边", about=number, name="<two@example.com>")
    find = partial(receipts.case_of, account="mail", names=["<two@example.com>"])
    assert await gateway.books.store.read(find) == number


async def test_a_letter_keeps_the_address_to_answer(gateway, clock):
    mail = Writer(gateway, clock, "mail", MAIL, SourceChannel.EMAIL)
    await mail.says("泰山区青年路的路灯坏了三天没人修")
    stored = await gateway.books.store.read(lambda c: c.execute(select(CASES)).one())
    case = gateway.books.cases.read(stored)
    assert (case.complainant.email, case.source_channel) == (MAIL, "03")


async def test_whoever_answers_our_letter_from_elsewhere_adds_and_sees_nothing(gateway, clock):
    mail = Writer(gateway, clock, "mail", MAIL, SourceChannel.EMAIL)
    son = replace(mail, user="son@example.com", sent=[])
    number = case_no_in(await mail.says("泰山区青年路的路灯坏了三天没人修"))
    assert "已记入" in await son.says("我是她儿子，又坏了一盏路灯", about=number)
    assert "青年路" not in await son.says("查询", about=number)
    case = await gateway.books.store.read(lambda c: c.execute(select(CASES)).one())
    assert gateway.books.cases.read(case).events == 2


async def test_a_machine_s_letter_is_linked_and_not_answered(gateway, clock):
    mail = Writer(gateway, clock, "mail", MAIL, SourceChannel.EMAIL)
    number = case_no_in(await mail.says("泰山区青年路的路灯坏了三天没人修"))
    count = len(await outgoing(gateway))
    await mail.accept("我正在休假", about=number, automatic=True)
    assert len(await outgoing(gateway)) == count
    rows = await gateway.books.store.read(lambda c: c.execute(select(INBOX.c.case_no)).scalars().all())
    assert rows == [number, number]


async def test_one_s_own_cases_are_read_by_their_index(gateway):
    if gateway.books.store.dialect != "sqlite":
        pytest.skip("the plan of the embedded store")
    from gateway.store.statements import SELECT_OWN  # noqa: PLC0415

    query = SELECT_OWN.replace("?1", "x'00'").replace("?2", "5")
    plan = await gateway.books.store.read(
        lambda c: [row[3] for row in c.execute(text(f"EXPLAIN QUERY PLAN {query}"))]
    )
    assert not [step for step in plan if step.startswith("SCAN") and "cases" in step]
    assert any("ix_cases_conversation_created_at" in step for step in plan)


def code_in(said):
    return re.search("YZ ([0-9]{6})", said).group(1)


def case_no_in(said):
    return re.search("[0-9]{17}", said).group()


@pytest.fixture
async def gateway(database, tmp_path, clock):
    profile = tmp_path / "city.toml"
    words = resources.files("gateway").joinpath("profiles", "taian.toml").read_text("utf-8")
    profile.write_text(words.replace('sms_number = ""', 'sms_number = "1069012345"'), "utf-8")
    async with reached(database, tmp_path, clock, profile=profile) as opened:
        yield opened
