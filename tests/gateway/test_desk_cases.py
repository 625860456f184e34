"""Cases at the desk: filled in beside a talk, typed in during a call, put right and moved."""

import asyncio
import time
from dataclasses import replace

import pytest
from sqlalchemy import func, insert, select, update

from bots import state as states
from channels.contract import WANTED as WANTED_PREFIX
from gateway.desk.cases import TYPED_IN, Faulty, Wish
from gateway.desk.moves import Refused as NotAllowed
from gateway.desk.rights import Role
from gateway.store.rows import Conflict
from gateway.store.tables import CONVERSATION, OUTGOING, WANTED
from normalizer import case as cases
from normalizer.case import Actor, Attachment, Command, Stage, Verb
from normalizer.codes import Kind
from normalizer.errors import NotFound, Refused
from tests.kit.staff import FORM, case_desk, staff, taken, talk_of


async def test_the_form_beside_a_talk_has_what_the_bot_was_told(gateway, person):
    li = await staff(gateway)
    await person.says("泰山区东岳大街88号门前井盖丢失很危险，我叫李四，电话13812345678")
    talk = await taken(gateway, person, li)
    form = (await case_desk(gateway).prefill(talk.conversation)).form
    assert (form.category, form.phone, form.name) == ("D05", "13812345678", "李四")
    assert "东岳大街" in form.text


async def test_what_was_said_in_the_queue_and_to_the_agent_is_in_the_form_and_marked(gateway, person):
    li = await staff(gateway)
    await person.says("转人工")
    for words in ("你好", "东岳大街88号门前井盖丢了", "电话13812345678，我叫李四"):
        await person.says(words)
    talk = await talk_of(gateway, person)
    await gateway.desk.take(li.id, talk.conversation, talk.epoch)
    await person.says("晚上有老人摔倒")
    filled = await case_desk(gateway).prefill(talk.conversation)
    assert filled.form.text == "东岳大街88号门前井盖丢了\n晚上有老人摔倒"
    assert (filled.form.phone, filled.form.name, filled.form.category) == ("13812345678", "李四", "D05")
    assert "东岳大街88号" in filled.form.place
    assert filled.said == ("text", "place", "name", "phone")


async def test_what_the_bot_has_stands_and_what_is_said_later_stands_below_it(gateway, person):
    li = await staff(gateway)
    await person.says("泰山区东岳大街88号门前井盖丢失很危险，我叫李四，电话13812345678")
    talk = await taken(gateway, person, li)
    before = (await case_desk(gateway).prefill(talk.conversation)).form
    await person.says("灵山大街也有一个坏的，打13900000000也行")
    filled = await case_desk(gateway).prefill(talk.conversation)
    assert filled.form.text == f"{before.text}\n灵山大街也有一个坏的，打13900000000也行"
    assert (filled.form.place, filled.form.phone, filled.form.name) == (before.place, "13812345678", "李四")
    assert filled.said == ("text",)


async def test_what_was_said_in_an_earlier_service_is_not_in_the_form(gateway, person):
    li = await staff(gateway)
    talk = await taken(gateway, person, li)
    await person.says("路灯坏了三天没人修")
    held = await talk_of(gateway, person)
    await gateway.desk.close(li.id, held.conversation, held.epoch)
    talk = await taken(gateway, person, li)
    # Messages have ids of the real clock.
    came = update(CONVERSATION).values(enqueued_at=time.time_ns() // 1_000_000 + 1)
    await gateway.books.store.write(lambda c: c.execute(came))
    assert (await case_desk(gateway).prefill(talk.conversation)).form.text == ""


async def test_a_case_opened_beside_the_talk_is_the_citizens_own_and_its_number_is_told_once(gateway, person):
    li = await staff(gateway)
    talk = await taken(gateway, person, li)
    desk = case_desk(gateway)
    opened = await desk.open_beside(li, talk.conversation, FORM, "k1")
    again = await desk.open_beside(li, talk.conversation, FORM, "k1")
    assert (again.case_no, again.repeat) == (opened.case_no, True)
    own = await gateway.lookup.own(talk.conversation)
    assert [(case.case_no, case.stage, case.source_channel) for case in own] == [
        (opened.case_no, Stage.SUBMITTED, "05")
    ]
    (event,) = await gateway.lookup.log(opened.case_no)
    assert event.actor.id == li.id.hex()
    told = await _told(gateway, opened.case_no)
    assert [opened.query_code in text for text in told] == [True]


async def test_a_case_told_on_the_telephone_says_so_and_the_caller_is_to_be_called(gateway):
    li = await staff(gateway)
    desk = case_desk(gateway)
    opened = await desk.open_call(li, FORM, "k1")
    case = await desk.case(opened.case_no)
    assert (case.source_channel, case.matter.labels) == ("01", (TYPED_IN,))
    assert case.complainant.channel_pref == "phone"
    assert await _told(gateway, opened.case_no) == []


async def test_a_caller_with_a_mobile_is_sent_his_number_by_text_message(gateway):
    li = await staff(gateway)
    opened = await case_desk(gateway, sms="wx").open_call(li, FORM, "k1")
    assert opened.case_no in (await _told(gateway, opened.case_no))[0]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"kind": Kind.OTHER}, "kind", id="no kind"),
        pytest.param({"category": "Z99"}, "category", id="no such category"),
        pytest.param({"text": "坏了"}, "text", id="too short"),
        pytest.param({"phone": ""}, "phone", id="nobody to reach"),
        pytest.param({"phone": "12345"}, "phone", id="no telephone"),
        pytest.param({"place": ""}, "place", id="nowhere"),
        pytest.param({"uscc": "91110000802100433X"}, "uscc", id="a wrong check character"),
    ],
)
async def test_a_form_that_cannot_be_submitted_says_which_field(gateway, change, field):
    li = await staff(gateway)
    with pytest.raises(Faulty) as caught:
        await case_desk(gateway).open_call(li, replace(FORM, **change), "k1")
    assert set(caught.value.faults) == {field}


async def test_a_form_is_put_right_and_a_stale_one_changes_nothing(gateway):
    li = await staff(gateway)
    desk = case_desk(gateway)
    opened = await desk.open_call(li, FORM, "k1")
    before = await desk.case(opened.case_no)
    after = await desk.amend(li, opened.case_no, replace(FORM, title="井盖缺失", secret=True), before.rev)
    assert (after.matter.title, after.secret, after.matter.original) == ("井盖缺失", True, FORM.text)
    with pytest.raises(Conflict):
        await desk.amend(li, opened.case_no, FORM, before.rev)
    assert (await desk.case(opened.case_no)).matter.title == "井盖缺失"


async def test_an_agent_moves_a_case_by_the_verbs_of_his_role(gateway):
    li, wang = await staff(gateway), await staff(gateway, "wang", Role.SUPERVISOR)
    desk = case_desk(gateway)
    opened = await desk.open_call(li, FORM, "k1")
    case = await desk.case(opened.case_no)
    assert {Verb.ACCEPT, Verb.REJECT, Verb.ASK} <= set(desk.possible(li, case))
    case = await desk.act(li, case.case_no, Wish(Verb.ACCEPT), case.rev)
    with pytest.raises(Refused, match="not_yours"):
        await desk.act(li, case.case_no, Wish(Verb.SUPERVISE, reason="督办", score=1), case.rev)
    case = await desk.act(wang, case.case_no, Wish(Verb.SUPERVISE, reason="督办", score=1), case.rev)
    assert (case.stage, case.supervision) == (Stage.ACCEPTED, 1)


async def test_files_of_the_talk_become_the_cases_own_those_too_that_are_still_fetched(gateway, person):
    li = await staff(gateway)
    talk = await taken(gateway, person, li)
    row = dict.fromkeys((column.name for column in WANTED.columns), 0) | {
        "ref": f"{WANTED_PREFIX}1",
        "account": "wx",
        "conversation": talk.conversation,
        "case_no": "",
        "state": "wanted",
        "key": "",
        "reason": "",
        "body": b"",
    }
    await gateway.books.store.write(lambda c: c.execute(insert(WANTED).values(row)))
    photo = Attachment("image", "m1", blob=f"{WANTED_PREFIX}1")
    state = gateway.books.sealer.seal(states.dump(states.State(order=states.Order(attachments=(photo,)))))
    await gateway.books.store.write(lambda c: c.execute(update(CONVERSATION).values(state=state)))
    desk = case_desk(gateway)
    form = (await desk.prefill(talk.conversation)).form
    opened = await desk.open_beside(li, talk.conversation, replace(FORM, files=form.files), "k1")
    assert (await desk.case(opened.case_no)).matter.attachments == (photo,)
    query = select(WANTED.c.case_no)
    assert await gateway.books.store.read(lambda c: c.execute(query).scalar()) == opened.case_no


async def test_who_has_no_right_opens_and_moves_nothing(gateway):
    admin = await staff(gateway, "admin", Role.ADMIN)
    with pytest.raises(NotAllowed, match="right"):
        await case_desk(gateway).open_call(admin, FORM, "k1")


async def test_t31_two_agents_who_finish_a_case_at_once_ask_for_one_rating(gateway):
    li, wang, desk = await staff(gateway), await staff(gateway, "wang"), case_desk(gateway)
    number = (await desk.open_call(li, FORM, "k1")).case_no
    unit = Actor(cases.Role.UNIT, "u1", "u1")
    await desk.act(li, number, Wish(Verb.ACCEPT), (await desk.case(number)).rev)
    sent = await desk.act(li, number, Wish(Verb.DISPATCH, unit="u1", unit_name="市城市管理局"), 2)
    assert sent.stage is Stage.DISPATCHED
    await gateway.office.act(number, Command(Verb.SIGN, unit))
    answered = await gateway.office.act(number, Command(Verb.REPLY, unit, text="已装好。", code="已解决"))
    both = [desk.act(who, number, Wish(Verb.FINISH), answered.rev) for who in (li, wang)]
    done = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Case", "Conflict"]
    query = select(func.count()).where(OUTGOING.c.case_no == number, OUTGOING.c.notice == "rate")
    assert await gateway.books.store.read(lambda c: c.execute(query).scalar()) == 1


async def test_a_case_that_is_not_there_is_not_there(gateway):
    with pytest.raises(NotFound):
        await case_desk(gateway).case("37092611240001233")


async def _told(gateway, case_no: str) -> list[str]:
    query = select(OUTGOING.c.body).where(OUTGOING.c.case_no == case_no)
    bodies = await gateway.books.store.read(lambda c: c.execute(query).scalars().all())
    return [gateway.books.sealer.open(body).decode() for body in bodies]
