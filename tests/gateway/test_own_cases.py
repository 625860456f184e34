"""Somebody with cases of his own, through the whole gateway: all moved at once, and none reported twice (domain.md 1.11)."""

from __future__ import annotations

import json

from sqlalchemy import select

from gateway.runtime import millis
from gateway.store import requests
from gateway.store.tables import OUTGOING
from normalizer.case import Command, Stage, Verb
from tests.kit.cases import AGENT, STEPS

LAMP = "岱岳区满庄镇政府门口路灯坏了三天了，我叫李四，电话13812345678"


async def verbs(gateway, number):
    return [event.verb for event in await gateway.lookup.log(number)]


async def reported(person, words):
    await person.says(words)
    done = await person.says("1")
    return done.split("单号")[1][:17]


async def test_all_of_ones_cases_are_urged_and_withdrawn_by_one_word(gateway, person, clock):
    hole, lamp = await person.reports(), await reported(person, LAMP)
    assert (await person.says("都催一下")).startswith(f"尾号{lamp[-7:]}、{hole[-7:]}")
    await person.says("两个都撤")
    assert (await person.says("确认")).startswith(f"已撤回尾号{lamp[-7:]}、{hole[-7:]}")
    for number in (hole, lamp):
        assert (await verbs(gateway, number))[-2:] == [Verb.URGE, Verb.WITHDRAW]
        assert (await gateway.lookup.case(number)).stage is Stage.WITHDRAWN


async def test_what_is_reported_once_more_is_urged_and_no_second_case(gateway, person, clock):
    number = await person.reports()
    clock.wait(hours=48)
    assert "是同一件事吗" in await person.says("东岳大街88号门前井盖丢失，怎么还没修")
    assert "第1次" in await person.says("1")
    assert await verbs(gateway, number) == [Verb.SUBMIT, Verb.ACCEPT, Verb.URGE]
    own = await gateway.lookup.own(conversation(gateway, person))
    assert [case.case_no for case in own] == [number]


async def test_what_was_closed_lately_is_handled_anew(gateway, person, clock):
    number = await person.reports()
    await _closed(gateway, number)
    clock.wait(hours=24 * 3)
    assert "是同一件事吗" in await person.says("东岳大街88号门前的井盖又丢失了")
    assert "重新办理" in await person.says("是的")
    case = await gateway.lookup.case(number)
    assert (case.stage, (await verbs(gateway, number))[-1]) == (Stage.REWORK, Verb.REWORK)


async def test_what_was_closed_long_ago_is_a_new_case_beside_it(gateway, person, clock):
    number = await person.reports()
    await _closed(gateway, number)
    clock.wait(hours=24 * 20)
    assert "同一件" not in await person.says(
        "泰山区东岳大街88号门前井盖丢失很危险，我叫李四，电话13812345678"
    )
    done = await person.says("1")
    new = done.split("单号")[1][:17]
    assert new != number
    assert (await gateway.lookup.case(new)).matter.old_case_no == number


async def _closed(gateway, number):
    """Have a case go its course to its end; it was accepted as it was submitted."""
    for command in STEPS[Stage.CLOSED][1:]:
        await gateway.office.act(number, command)


async def test_a_wish_to_be_deleted_stands_in_the_list_of_those_who_settle_it(gateway, person, clock):
    number = await person.reports()
    await person.says("删除我的信息")
    assert "已登记" in await person.says("1")
    (wish,) = await gateway.books.store.read(lambda c: requests.newest(c, 10, requests.OPEN))
    assert (wish.kind, wish.conversation) == (requests.ERASE, conversation(gateway, person))
    assert json.loads(gateway.books.sealer.open(wish.body)) == {"text": "", "cases": [number], "phone": ""}
    assert wish.at <= millis(clock())


async def test_another_telephone_is_told_to_the_unit_and_a_confidential_case_to_a_person(
    gateway, person, clock
):
    hole, lamp = await person.reports(), await reported(person, LAMP)
    await person.says(f"保密 {lamp}")
    await person.says("我要求保密")
    assert "139****1111" in await person.says("改电话13900001111")
    secret = [number for number in (hole, lamp) if (await gateway.lookup.case(number)).secret]
    wishes = await gateway.books.store.read(lambda c: requests.newest(c, 10))
    told = [json.loads(gateway.books.sealer.open(wish.body)) for wish in wishes]
    assert [(wish.kind, each["cases"]) for wish, each in zip(wishes, told, strict=True)] == [
        ("correct", secret)
    ]
    for number in {hole, lamp} - set(secret):
        *_, last = await gateway.lookup.log(number)
        assert (last.verb, last.command.text) == (Verb.SUPPLEMENT, "更正联系方式：备用电话13900001111。")


def conversation(gateway, person):
    return gateway.books.sealer.conversation(person.account, person.user)


async def test_what_is_sent_while_information_is_asked_for_goes_to_its_case(gateway, person, clock):
    number = await _told(gateway, person, Command(Verb.ASK, AGENT, reason="具体地点"))
    assert "已补充到" in await person.says("在那个花园小区3号楼下面")
    assert (await gateway.lookup.case(number)).stage is Stage.SUBMITTED
    *_, last = await gateway.lookup.log(number)
    assert (last.verb, last.command.text) == (Verb.SUPPLEMENT, "在那个花园小区3号楼下面")


async def test_a_refusal_is_objected_to_in_the_talk_as_its_notice_says(gateway, person, clock):
    number = await _told(gateway, person, Command(Verb.REJECT, AGENT, code="R01", reason="诉讼"))
    clock.wait(hours=24)
    assert "另一位工作人员复核" in await person.says("异议，没有打过官司")
    assert (await gateway.lookup.case(number)).stage is Stage.SUBMITTED
    *_, last = await gateway.lookup.log(number)
    assert (last.verb, last.command.text) == (Verb.OBJECT, "没有打过官司")


async def _told(gateway, person, command):
    """Have a matter reported that a person accepts, and moved by him; returns the case's number."""
    await person.says("岱岳区满庄镇中学附近晚上总有人飙车，吵得睡不着")
    for words in ("每天晚上", "管一管", "李四 13812345678", "1", "2"):
        await person.says(words)
    number = (await person.says("1")).split("单号")[1][:17]
    await gateway.office.act(number, command)
    return number


async def test_what_is_not_ours_is_told_where_to_turn_before_and_when_it_is_refused(gateway, person, clock):
    assert "诉讼服务热线12368" in await person.says("我要起诉花园小区的开发商延期交房")
    for words in ("1", "今年六月", "尽快交房", "李四 13812345678", "1", "2"):
        await person.says(words)
    number = (await person.says("1")).split("单号")[1][:17]
    case = await gateway.lookup.case(number)
    assert (case.stage, case.matter.labels) == (Stage.SUBMITTED, ("可能属于诉讼",))
    await gateway.office.act(number, Command(Verb.REJECT, AGENT, code="R01", reason="应由法院审理"))
    rows = await gateway.books.store.read(lambda c: c.execute(select(OUTGOING)).all())
    told = [gateway.books.sealer.open(row.body).decode() for row in rows if row.notice == "rejected"]
    assert len(told) == 1
    assert "原因：应由法院审理。要由法院审理或执行的事" in told[0]
