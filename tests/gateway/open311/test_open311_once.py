"""T33: one incoming Open311 case is told of once, however often and through how many processes it is posted."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from aiohttp import ClientSession
from sqlalchemy import func, select

from gateway.app import listening, running
from gateway.store import cases
from gateway.store.rows import Rows
from gateway.store.tables import ALERT, CASE_EVENT, CASES, DESK_EVENT, OUTGOING
from normalizer.case import Actor, Command, Role, Verb
from outbox.notices import Notice, NoticeKind
from outbox.render import Wording
from tests.gateway.open311.conftest import FREE, RULES
from tests.kit.cases import AGENT
from tests.kit.gateway import settings
from tests.kit.open311 import Client

DANGER = "东岳大街88号三楼着火了，楼上还有人被困"
UNIT = Actor(Role.UNIT, "u1", "370900-zjj")
STEPS = (
    Command(Verb.ACCEPT, AGENT),
    Command(Verb.DISPATCH, AGENT, unit="370900-zjj", unit_name="市住房和城乡建设局"),
    Command(Verb.SIGN, UNIT),
    Command(Verb.REPLY, UNIT, text="已补装。", code="已解决"),
    Command(Verb.FINISH, AGENT),
)


@pytest.fixture
async def doors(client, database, tmp_path, clock):
    """The addresses of the processes that share the database: two on PostgreSQL, on SQLite the one there is."""
    async with AsyncExitStack() as stack:
        found = [client]
        if database.startswith("postgresql"):
            given = settings(
                database, tmp_path, open311=RULES, portal=FREE, public_url="https://12345.example.cn/"
            )
            other = await stack.enter_async_context(running(given, clock=clock))
            port = await stack.enter_async_context(listening(other.app, "127.0.0.1", 0))
            http = await stack.enter_async_context(ClientSession())
            found.append(Client(http, f"http://127.0.0.1:{port}", other, clock))
        yield found


async def test_t33_the_people_on_duty_are_alarmed_once(doors, clock):
    numbers = await _posted(doors)
    clock.wait(minutes=9)
    numbers |= await _posted(doors)
    assert len(numbers) == 1
    assert await _count(doors[0], ALERT) == 1
    assert await _count(doors[0], DESK_EVENT, DESK_EVENT.c.kind == "alert") == 1
    assert await _count(doors[0], CASES) == 1
    assert await _count(doors[0], CASE_EVENT, CASE_EVENT.c.verb == Verb.SUBMIT.value) == 1


async def test_t33_each_step_is_told_once_though_it_is_taken_twice_and_the_case_posted_again(doors):
    (number,) = await _posted(doors)
    for command in STEPS:
        done = await asyncio.gather(
            *(each.gateway.office.act(number, command) for each in (*doors, *doors)), return_exceptions=True
        )
        assert sum(not isinstance(each, Exception) for each in done) == 1
        assert await _posted(doors) == {number}
    query = (
        select(OUTGOING.c.notice, func.count())
        .where(OUTGOING.c.case_no == number)
        .group_by(OUTGOING.c.notice)
    )
    told = {
        row[0]: row[1] for row in await doors[0].gateway.books.store.read(lambda c: c.execute(query).all())
    }
    assert set(told.values()) == {1}
    assert {"accepted", "replied", "rate"} <= set(told)


async def test_t33_a_notice_of_one_step_is_owed_once_whoever_writes_it(doors, clock):
    (number,) = await _posted(doors)
    talk = b"t".ljust(16, b".")
    for door in (*doors, *doors):
        book, notice = door.gateway.books.cases, Notice(number, NoticeKind.OVERDUE)
        rows = Rows(outgoing=book.notices([notice], talk, "wx", clock(), Wording.SHORT))
        await door.gateway.books.store.write(lambda c, rows=rows: cases.save(c, rows))
    assert await _count(doors[0], OUTGOING, OUTGOING.c.notice == "overdue") == 1


async def _posted(doors: list[Client]) -> set[str]:
    return set(await asyncio.gather(*(each.reports(description=DANGER) for each in doors for _ in range(5))))


async def _count(client: Client, table, *where) -> int:
    query = select(func.count()).select_from(table).where(*where)
    return await client.gateway.books.store.read(lambda c: c.execute(query).scalar_one())
