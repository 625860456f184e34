"""A case's whole course at the office's door, and what the citizen is told."""

from functools import partial

import pytest
from sqlalchemy import select

from gateway.store.tables import OUTGOING
from normalizer.case import Command, Stage, Verb
from normalizer.errors import NotFound, Refused
from tests.kit.cases import AGENT, REPLY, UNIT

COURSE = [
    Command(Verb.DISPATCH, AGENT, unit="city", unit_name="市城市管理局"),
    Command(Verb.SIGN, UNIT),
    REPLY,
    Command(Verb.FINISH, AGENT),
]


async def told(gateway):
    query = (
        select(OUTGOING.c.notice, OUTGOING.c.body).where(OUTGOING.c.notice != "reply").order_by(OUTGOING.c.id)
    )
    found = await gateway.books.store.read(lambda c: c.execute(query).all())
    return {row.notice: gateway.books.sealer.open(row.body).decode() for row in found}


async def test_the_citizen_is_told_at_every_step(gateway, person):
    number = await person.reports()
    for command in COURSE:
        await gateway.office.act(number, command)
    notices = await told(gateway)
    assert list(notices) == ["dispatched", "replied", "rate"]
    assert "市城市管理局办理，预计12月1日前答复" in notices["dispatched"]
    assert "已处理完毕" in notices["replied"]
    reply = await person.says("5")
    assert "非常满意" in reply
    stored = await gateway.books.store.read(partial(_stage, number=number))
    assert stored == Stage.CLOSED


async def test_a_low_rating_sends_the_case_back(gateway, person):
    number = await person.reports()
    for command in COURSE:
        await gateway.office.act(number, command)
    await person.says("1")
    assert "重新办理" in await person.says("2")
    assert await gateway.books.store.read(partial(_stage, number=number)) == Stage.REWORK


async def test_a_step_that_is_not_due_is_refused_and_nothing_is_written(gateway, person):
    number = await person.reports()
    with pytest.raises(Refused):
        await gateway.office.act(number, REPLY)
    with pytest.raises(NotFound):
        await gateway.office.act("37092611240009999", REPLY)
    assert await told(gateway) == {}


async def test_the_clock_reminds_and_tells_the_citizen_once(gateway, person, clock):
    number = await person.reports()
    for command in COURSE[:2]:
        await gateway.office.act(number, command)
    clock.wait(days=20)
    for _ in range(12):
        await gateway.office.supervise(10)
        clock.wait(minutes=1)
    notices = await told(gateway)
    assert list(notices) == ["dispatched", "overdue"]
    case = gateway.books.cases.read(await gateway.books.store.read(partial(_row, number=number)))
    assert case.supervision == 3


async def test_a_window_that_was_not_rated_closes_by_itself_unrated(gateway, person, clock):
    number = await person.reports()
    for command in (*COURSE, Command(Verb.VISIT, AGENT)):
        await gateway.office.act(number, command)
    clock.wait(days=12)
    await gateway.office.supervise(10)
    case = gateway.books.cases.read(await gateway.books.store.read(partial(_row, number=number)))
    assert (case.stage, case.ratings) == (Stage.CLOSED, ())


def _row(connection, number):
    from gateway.store import cases  # noqa: PLC0415

    return cases.get(connection, number)


def _stage(connection, number):
    return _row(connection, number).stage
