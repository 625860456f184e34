"""What an agent has begun to write survives everybody else's acts."""

import pytest
from sqlalchemy import select

from gateway.app import running
from gateway.desk.drafts import KEPT, LONGEST, Draft, Drafts
from gateway.desk.rights import Role
from gateway.store.tables import DESK_DRAFT
from normalizer.errors import TooLarge
from tests.kit.gateway import settings
from tests.kit.staff import staff, taken
from tests.kit.standin import until


async def test_t24_a_draft_survives_that_somebody_else_takes_the_talk(gateway, person, drafts):
    li, wang = await staff(gateway), await staff(gateway, "wang", Role.SUPERVISOR)
    talk = await taken(gateway, person, li)
    await drafts.keep(li.id, talk.conversation, Draft("您好，已为您", "像是上周那件"))
    await gateway.desk.take_over(wang.id, talk.conversation, talk.epoch)
    await drafts.keep(wang.id, talk.conversation, Draft("我来"))
    assert await drafts.find(li.id, talk.conversation) == Draft("您好，已为您", "像是上周那件")
    assert await drafts.talks(li.id) == {talk.conversation}


async def test_an_emptied_draft_is_none(drafts):
    await drafts.keep(b"a" * 16, b"c" * 16, Draft("您好"))
    await drafts.keep(b"a" * 16, b"c" * 16, Draft())
    assert await drafts.talks(b"a" * 16) == frozenset()
    assert await drafts.find(b"a" * 16, b"c" * 16) == Draft()


async def test_nobody_reads_a_draft_in_the_tables(gateway, drafts):
    await drafts.keep(b"a" * 16, b"c" * 16, Draft("电话13812345678"))
    body = await gateway.books.store.read(lambda c: c.execute(select(DESK_DRAFT.c.body)).scalar())
    assert b"13812345678" not in body


async def test_a_draft_is_forgotten_after_a_month_and_is_never_endless(drafts, clock):
    with pytest.raises(TooLarge):
        await drafts.keep(b"a" * 16, b"c" * 16, Draft("长" * (LONGEST + 1)))
    await drafts.keep(b"a" * 16, b"c" * 16, Draft("您好"))
    await drafts.forget()
    assert await drafts.talks(b"a" * 16) == {b"c" * 16}
    # The gateway beside it may be the one that forgets it.
    clock.wait(seconds=KEPT.total_seconds() + 1)
    await drafts.forget()
    assert await drafts.talks(b"a" * 16) == frozenset()


async def test_a_gateway_that_runs_forgets_them_by_itself(database, tmp_path, clock):
    async with running(settings(database, tmp_path), clock=clock) as gateway:
        await gateway.drafts.keep(b"a" * 16, b"c" * 16, Draft("您好"))
    clock.wait(seconds=KEPT.total_seconds() + 1)
    async with running(settings(database, tmp_path), clock=clock) as gateway:
        await until(lambda: _forgotten(gateway))


async def _forgotten(gateway) -> bool:
    return not await gateway.drafts.talks(b"a" * 16)


@pytest.fixture
def drafts(gateway, clock) -> Drafts:
    return Drafts(gateway.books.store, gateway.books.sealer, clock)
