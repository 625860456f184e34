"""The way to a person is told once and taken once, however often and for however many reasons it is asked for (T17)."""

import asyncio

import pytest
from sqlalchemy import select

from gateway.app import running
from gateway.store.tables import OUTGOING
from normalizer.message import SourceChannel
from tests.channels.test_contract import settings_of
from tests.kit.gateway import Person, settings
from tests.kit.staff import talk_of

MAIL = {"mail": settings_of("email")}


async def test_t17_one_message_brought_many_times_to_two_processes_is_one_handoff(
    gateway, person, clock, database, tmp_path
):
    await person.says("你好")
    before = await _told(gateway, person)
    message = person.message("转人工")
    async with running(settings(database, tmp_path), clock=clock) as other:
        brought = [each.inbox.accept(message) for each in (gateway, other) * 3]
        await asyncio.gather(*brought)
    told = (await _told(gateway, person))[len(before) :]
    assert len(told) == 1
    assert "登记转人工" in told[0]
    assert await _queued(gateway) == 1


async def test_t17_who_asks_again_is_told_his_place_and_keeps_it(gateway, person, clock):
    await person.says("转人工")
    place = (await talk_of(gateway, person)).enqueued_at
    clock.wait(minutes=2)
    assert "已在排队" in (await person.says("转人工") or "")
    after = await talk_of(gateway, person)
    assert (after.enqueued_at, after.epoch) == (place, 1)
    assert await _queued(gateway) == 1


@pytest.mark.parametrize("words", ["我家着火了，快来人，转人工", "转人工，我家着火了"])
async def test_t17_danger_and_the_wish_for_a_person_in_one_message_are_one_handoff(gateway, person, words):
    told = await person.says(words)
    assert "119" in (told or "")
    assert len(await _told(gateway, person)) == 1
    assert await _queued(gateway) == 1
    assert (await talk_of(gateway, person)).urgent


async def test_t17_a_letter_of_danger_that_asks_for_a_person_is_one_handoff_and_one_letter(
    database, tmp_path, clock
):
    async with running(settings(database, tmp_path, channels=MAIL), clock=clock) as gateway:
        writer = Person(gateway, clock, "li@example.com", "mail", source=SourceChannel.EMAIL)
        await gateway.inbox.accept(writer.message("人工\n我家着火了，快来人"))
        assert len(await _told(gateway, writer)) == 1
        assert await _queued(gateway) == 1
        assert (await talk_of(gateway, writer)).urgent


async def _queued(gateway) -> int:
    return [event.kind for event in await gateway.desk.events(0)].count("queued")


async def _told(gateway, person) -> list[str]:
    mine = gateway.books.sealer.conversation(person.account, person.user)
    query = select(OUTGOING.c.body).where(OUTGOING.c.conversation == mine).order_by(OUTGOING.c.id)
    bodies = await gateway.books.store.read(lambda c: c.execute(query).scalars().all())
    return [gateway.books.sealer.open(body).decode() for body in bodies]
