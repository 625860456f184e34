"""A case that a page opens: once, with its number and code, and seen by nobody else."""

import asyncio

from bots.state import Order
from bots.submission import submission
from gateway.cases.office import Matter
from normalizer.case import Command, Stage, Verb
from normalizer.codes import Kind
from normalizer.emergency import detect
from normalizer.message import Address, SourceChannel
from tests.kit.cases import AGENT
from tests.kit.gateway import Person
from tests.kit.standin import until

SESSION = Address("web", "session-1")
WORDS = "泰山区东岳大街88号门前井盖丢失，晚上很危险"


def matter(gateway, key="form-1", *, words=WORDS, reach=SESSION, phone="", sure=False):
    order = Order(
        text=words, place="东岳大街88号", kind=Kind.HELP, category="D05", sure=sure, phone="13812345678"
    )
    city = gateway.cities.city
    return Matter(
        key=key,
        source=SourceChannel.WEB,
        reach=reach,
        fill=lambda number: submission(order, number, city, lang="zh", elderly=False),
        phone=phone,
        danger=detect(words),
    )


async def opened(gateway, *args, **changes):
    return await gateway.office.open(matter(gateway, *args, **changes))


def conversation(gateway, reach=SESSION):
    return gateway.books.sealer.conversation(reach.account, reach.user)


async def test_a_page_opens_a_case_that_is_then_its_own(gateway):
    made = await opened(gateway)
    (case,) = await gateway.lookup.own(conversation(gateway))
    assert (case.case_no, case.stage, case.source_channel) == (made.case_no, Stage.SUBMITTED, "04")
    assert case.matter.original == WORDS
    assert [event.verb for event in await gateway.lookup.log(made.case_no)] == [Verb.SUBMIT]
    assert await gateway.lookup.own(conversation(gateway, Address("web", "stranger"))) == ()


async def test_what_the_city_lets_pass_is_accepted_at_once(gateway):
    assert (await opened(gateway, sure=True)).accepted
    assert not (await opened(gateway, "form-2")).accepted


async def test_a_second_click_is_told_the_same_number_and_code(gateway):
    first = await opened(gateway)
    again = await opened(gateway, words="另一件完全不同的事情也写在这里")
    assert (again.case_no, again.query_code, again.repeat) == (first.case_no, first.query_code, True)
    assert len(await gateway.lookup.own(conversation(gateway))) == 1


async def test_ten_clicks_at_once_open_one_case(gateway):
    made = await asyncio.gather(*(opened(gateway) for _ in range(10)))
    assert len({each.case_no for each in made}) == 1
    assert sorted(each.repeat for each in made) == [False] + [True] * 9


async def test_the_same_form_on_the_next_day_is_a_new_case(gateway, clock):
    first = await opened(gateway)
    clock.wait(hours=25)
    await opened(gateway, "form-2")
    assert (await opened(gateway)).case_no != first.case_no


async def test_the_number_and_the_code_show_a_case_and_wrong_codes_lock_it(gateway):
    made = await opened(gateway)
    right = await gateway.lookup.found(made.case_no, made.query_code, "visitor")
    assert right.case.case_no == made.case_no
    wrong = f"{(int(made.query_code) + 1) % 1_000_000:06}"
    for _ in range(5):
        none = await gateway.lookup.found(made.case_no, wrong, "thief")
        assert (none.case, none.locked) == (None, False)
    assert (await gateway.lookup.found(made.case_no, made.query_code, "visitor")).locked
    nothing = await gateway.lookup.found("37092611240009999", "123456", "visitor-2")
    assert (nothing.case, nothing.locked) == (None, False)


async def test_a_proved_telephone_joins_the_page_with_its_other_conversations(gateway, clock):
    sms, web = Address("web", "13812345678"), Address("web", "session-2")
    first = await opened(gateway, "a", reach=sms, phone="13812345678")
    second = await opened(gateway, "b", reach=web, phone="+86 138-1234-5678")
    seen = await gateway.lookup.own(conversation(gateway, web))
    assert {case.case_no for case in seen} == {first.case_no, second.case_no}


async def test_what_happens_to_the_case_is_owed_to_whoever_opened_it(gateway):
    made = await opened(gateway)
    await gateway.office.act(made.case_no, Command(Verb.ACCEPT, AGENT))
    await until(lambda: gateway.channels["web"].sent)
    (sent,) = gateway.channels["web"].sent
    assert (sent.address, sent.notice) == (SESSION, "accepted")


async def test_danger_in_a_form_alarms_the_people_on_duty(gateway):
    await opened(gateway, words="东岳大街88号三楼着火了，楼上还有人被困")
    count = await gateway.books.store.read(
        lambda connection: connection.exec_driver_sql("SELECT count(*) FROM alert").scalar()
    )
    assert count == 1


async def test_numbers_of_pages_and_of_the_bot_come_from_one_counter(gateway, clock):
    person = Person(gateway, clock)
    made = [
        (await opened(gateway, "a")).case_no,
        await person.reports(),
        (await opened(gateway, "b")).case_no,
    ]
    assert len(set(made)) == 3
