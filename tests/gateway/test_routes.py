"""The way to a citizen is chosen before sending: when one is closed the next is taken, and the record says why."""

import pytest
from sqlalchemy import select

from gateway import views
from gateway.store.tables import ATTEMPT, OUTGOING
from normalizer.case import Command, Verb
from normalizer.errors import Misconfigured, NotFound
from tests.kit.cases import AGENT, CITIZEN, DISPATCH, REPLY, UNIT
from tests.kit.gateway import embedded, running, settings
from tests.kit.standin import phone, until

SUBSCRIBE = {
    "accepted": {"id": "SUB1", "fields": {"character_string1": "{case_no}", "thing2": "{text}"}},
    "dispatched": {"id": "SUB2", "fields": {"character_string1": "{case_no}", "thing2": "{unit}"}},
}
TEMPLATES = {
    "dispatched": {"id": "TPL1", "fields": {"thing1": "{unit}", "phrase2": "已转承办单位"}},
    "extended": {"id": "TPL2", "fields": {"thing1": "{reason}", "thing2": "{text}"}},
}
TEXT = "泰山区东岳大街88号门前积水好几天了，我叫李四，电话13812345678"


@pytest.fixture
async def citizen(database, tmp_path, clock):
    wx = {"subscribe": SUBSCRIBE, "templates": TEMPLATES}
    channels = {"sms": {"kind": "memory", "phones": True}}
    async with phone(database, tmp_path, clock, wx=wx, channels=channels) as opened:
        yield opened


async def record(citizen, number, notice="dispatched"):
    """Return (account, state, outcome, [(route, detail)]) of the case's notices."""

    def read(connection):
        rows = connection.execute(
            select(OUTGOING)
            .where(OUTGOING.c.case_no == number, OUTGOING.c.notice == notice)
            .order_by(OUTGOING.c.id)
        ).all()
        tries = select(ATTEMPT.c.route, ATTEMPT.c.detail)
        return [
            (
                row.account,
                row.state,
                row.outcome,
                [tuple(each) for each in connection.execute(tries.where(ATTEMPT.c.outgoing == row.id))],
            )
            for row in rows
        ]

    return await citizen.gateway.books.store.read(read)


async def dispatched(citizen, number):
    """Dispatch the case and wait until nothing is on its way."""
    await citizen.gateway.office.act(number, DISPATCH)

    async def settled():
        rows = await record(citizen, number)
        return rows and all(row[1] not in {"queued", "sending"} for row in rows)

    await until(settled)
    return await record(citizen, number)


async def used_up(citizen):
    while citizen.person.window_left:
        citizen.platform.custom_send({"touser": citizen.openid, "msgtype": "text", "text": {"content": "x"}})
    await citizen.gateway.books.store.write(
        lambda c: c.exec_driver_sql("UPDATE conversation SET window_left = 0")
    )


async def test_within_the_window_it_is_a_message(citizen):
    number = await citizen.reports(TEXT)
    ((account, state, _, tries),) = await dispatched(citizen, number)
    assert (account, state, [route for route, _ in tries]) == ("wx", "sent", ["custom"])


@pytest.mark.parametrize("why", ["window over", "count used up"])
async def test_a_closed_window_takes_a_template_that_was_agreed_to(citizen, why):
    number = await citizen.reports(TEXT)
    await citizen.notify.agrees(citizen.person, "SUB2")
    if why == "window over":
        citizen.clock.wait(hours=49)
    else:
        await used_up(citizen)
    ((_, _, _, tries),) = await dispatched(citizen, number)
    assert tries == [("subscribe", why)]
    assert citizen.person.lines[-1].way == "subscribe"
    assert number in citizen.person.lines[-1].text
    await until(lambda: delivered(citizen, number))
    assert not citizen.notify.consents[citizen.openid, "SUB2"]


async def delivered(citizen, number):
    return (await record(citizen, number))[0][1] == "delivered"


async def test_without_consent_it_is_a_template_within_its_rules(citizen):
    number = await citizen.reports(TEXT)
    citizen.clock.wait(hours=49)
    ((_, _, _, tries),) = await dispatched(citizen, number)
    assert tries == [("template", "window over; no consent")]
    assert citizen.person.lines[-1].text == "市城市管理局 / 已转承办单"


async def test_a_consent_that_was_used_is_known_to_be_gone_before_the_next_is_sent(citizen):
    first, second = await citizen.reports(TEXT), await citizen.reports(TEXT.replace("88", "90"))
    await citizen.notify.agrees(citizen.person, "SUB2")
    citizen.clock.wait(hours=49)
    ((_, _, _, used),), ((_, _, _, then),) = [await dispatched(citizen, each) for each in (first, second)]
    assert (used, then) == ([("subscribe", "window over")], [("template", "window over; no consent")])


async def test_a_consent_that_the_platform_refuses_is_forgotten(citizen):
    number = await citizen.reports(TEXT)
    await citizen.notify.agrees(citizen.person, "SUB2")
    citizen.notify.consents.clear()
    citizen.clock.wait(hours=49)
    ((_, _, _, tries),) = await dispatched(citizen, number)
    assert [route for route, _ in tries] == ["subscribe", "template"]
    assert "43101" in tries[0][1]
    assert tries[1][1] == "window over; consent refused"


async def test_who_left_is_told_by_text_message(citizen):
    number = await citizen.reports(TEXT)
    await citizen.driver.act(citizen.person, "unsubscribe")
    citizen.clock.wait(seconds=1)
    (here, there) = await dispatched(citizen, number)
    assert (here[0], here[1]) == ("wx", "moved")
    assert here[2].endswith("told by sms")
    ((tried, refused),) = here[3]
    assert (tried, "errcode 43004" in refused) == ("template", True)
    assert (there[0], there[1]) == ("sms", "sent")
    (sent,) = citizen.gateway.channels["sms"].sent
    assert sent.address.user == "13812345678"
    assert number[-7:] in sent.text


@pytest.mark.parametrize("twice", [False, True])
async def test_what_did_not_arrive_is_told_by_text_message_once(citizen, twice):
    number = await citizen.reports(TEXT)
    await citizen.notify.agrees(citizen.person, "SUB2", long=True)
    citizen.platform.blocked.add(citizen.openid)
    citizen.notify.twice = twice
    citizen.clock.wait(hours=49)
    await citizen.gateway.office.act(number, DISPATCH)
    await until(lambda: citizen.gateway.channels["sms"].sent)
    (here, there) = await record(citizen, number)
    assert (here[0], here[1], there[0]) == ("wx", "moved", "sms")
    assert len(citizen.gateway.channels["sms"].sent) == 1


@pytest.mark.parametrize("way", ["subscribe", "template"])
async def test_a_result_that_comes_twice_and_before_its_send_is_answered_is_the_final_word(citizen, way):
    number = await citizen.reports(TEXT)
    if way == "subscribe":
        await citizen.notify.agrees(citizen.person, "SUB2")
    citizen.notify.twice = citizen.notify.early = True
    citizen.clock.wait(hours=49)
    ((_, state, _, tries),) = await dispatched(citizen, number)
    assert (state, [route for route, _ in tries]) == ("delivered", [way])


async def test_nobody_to_tell_is_a_call_to_make_until_somebody_called(database, tmp_path, clock):
    given = settings(database, tmp_path)
    async with phone(database, tmp_path, clock) as citizen:
        number = await citizen.reports(TEXT)
        assert await views.calls(given, limit=9, full=False) == []
        citizen.clock.wait(hours=49)
        ((_, state, outcome, _),) = await dispatched(citizen, number)
        assert (state, outcome) == ("dead", "window over; no template; tell him by phone")
        (call,) = await views.calls(given, limit=9, full=False)
        assert (call["case_no"], call["phone"], call["name"]) == (number, "138****5678", "李*")
        assert call["reason"] == outcome
        assert "市城市管理局" in call["texts"][0]
        await views.called(given, number)
        assert await views.calls(given, limit=9, full=False) == []
        assert (await record(citizen, number))[0][1] == "told"
        with pytest.raises(NotFound):
            await views.called(given, number)


async def test_a_consent_withdrawn_is_used_no_more(citizen):
    number = await citizen.reports(TEXT)
    await citizen.notify.agrees(citizen.person, "SUB2", long=True)
    await citizen.notify.withdraws(citizen.person, "SUB2")
    citizen.clock.wait(hours=49)
    ((_, _, _, tries),) = await dispatched(citizen, number)
    assert tries == [("template", "window over; no consent")]


GUIDED = ["2", "门前路灯不亮好几天了", "泰山区青年路5号", "今天", "尽快修好", "张先生 13812345678"]


async def guided(citizen, wish):
    """Report by the guided order, wishing to be answered in a way, and return the case's number."""
    for text in (*GUIDED, wish, "2"):
        await citizen.says(text)
    return (await citizen.says("1")).split("单号")[1][:17]


async def finished(citizen, number):
    """Let the unit answer, and wait until nothing is on its way."""
    for command in (DISPATCH, Command(Verb.SIGN, UNIT), REPLY, Command(Verb.FINISH, AGENT)):
        await citizen.gateway.office.act(number, command)
    await until(lambda: quiet(citizen, number))
    return await record(citizen, number, "replied")


async def quiet(citizen, number):
    rows = [*await record(citizen, number), *await record(citizen, number, "replied")]
    return all(row[1] not in {"queued", "sending"} for row in rows)


async def test_who_wishes_an_answer_by_text_message_gets_it_there_and_the_news_in_the_talk(citizen):
    number = await guided(citizen, "2")
    ((account, state, _, _),) = await finished(citizen, number)
    assert (account, state) == ("sms", "sent")
    (sent,) = citizen.gateway.channels["sms"].sent
    assert (sent.address.user, "CX" in sent.text) == ("13812345678", True)
    assert [row[0] for row in await record(citizen, number)] == ["wx"]


async def test_who_wishes_to_be_called_stands_on_the_list_of_calls_and_is_told_by_nothing_else(citizen):
    number = await guided(citizen, "3")
    ((_, state, outcome, tries),) = await finished(citizen, number)
    assert (state, outcome, tries) == ("dead", "he wishes to be called; tell him by phone", [])
    assert not citizen.gateway.channels["sms"].sent
    assert not [line for line in citizen.heard if "已处理完毕" in line]


@pytest.mark.parametrize("way", ["template", "sms"])
async def test_of_a_confidential_case_nothing_but_that_there_is_news_leaves_its_talk(citizen, way):
    number = await citizen.reports(TEXT)
    wish = Command(Verb.SUPPLEMENT, CITIZEN, text="本人要求对个人信息保密", flag=True)
    await citizen.gateway.office.act(number, wish)
    if way == "sms":
        await citizen.driver.act(citizen.person, "unsubscribe")
    citizen.clock.wait(hours=49)
    secret, sent = "李四家二楼", citizen.gateway.channels["sms"].sent
    ask, grant = (
        Command(Verb.EXTEND, UNIT, days=3, reason="施工", flag=True),
        Command(Verb.GRANT, AGENT, reason=secret),
    )
    for command in (DISPATCH, Command(Verb.SIGN, UNIT), ask, grant):
        await citizen.gateway.office.act(number, command)
    lines = citizen.person.lines
    await until(lambda: len(sent) == 2 or [line.way for line in lines].count("template") == 2)
    told = [each.text for each in sent] or [line.text for line in lines if line.way == "template"]
    assert "有新进展" in told[1]
    assert not [text for text in told if secret in text or "市城市管理局" in text]
    assert bool(sent) is (way == "sms")


@pytest.mark.parametrize("named", ["nobody", "wx"])
async def test_an_account_that_cannot_tell_by_text_message_is_named_with_its_cure(tmp_path, clock, named):
    given = settings(embedded(tmp_path, "a"), tmp_path, routes={"sms": named})
    with pytest.raises(Misconfigured, match=r"routes\.sms"):
        async with running(given, clock=clock):
            pass
