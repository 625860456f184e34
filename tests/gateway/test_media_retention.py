"""Files whose time is over are forgotten, and nobody's file before."""

from functools import partial

import pytest

from gateway.media.intake import Claim
from gateway.media.links import Variant
from gateway.media.uploads import LIVES
from gateway.store import media as rows
from normalizer.case import Command, Verb
from tests.kit import media
from tests.kit.cases import AGENT

pytestmark = pytest.mark.usefixtures("alone")

TEXT = "路灯坏了".encode()


async def kept(gateway, owner, content=TEXT, lives=None):
    return await gateway.media.intake.take(media.streamed(content), Claim(owner, "a.txt", lives=lives))


async def forgotten(gateway) -> tuple[int, int]:
    """Let the files of ended cases end, and forget what ended; return how many of both."""
    return await gateway.forgetting.only("files"), await gateway.media.retention.forget()


async def test_files_of_a_case_go_when_it_ended_long_enough_ago(gateway, person, clock):
    number = await person.reports()
    file = await kept(gateway, number)
    clock.wait(days=4000)
    assert await forgotten(gateway) == (0, 0)
    await gateway.office.act(number, Command(Verb.WITHDRAW, AGENT, reason="已自行解决"))
    clock.wait(days=1094)
    assert await forgotten(gateway) == (0, 0)
    clock.wait(days=2)
    assert await forgotten(gateway) == (1, 1)
    assert not await gateway.media.blobs.has(file.key)


async def test_what_nobody_attached_goes_after_a_day_with_its_copies(gateway, clock, tmp_path):
    file = await kept(gateway, "draft", media.photo(), LIVES)
    (row,) = await gateway.media.store.read(partial(rows.of, owner="draft"))
    copy = await gateway.media.derive.copy(row, Variant.THUMB)
    clock.wait(hours=23)
    assert await forgotten(gateway) == (0, 0)
    clock.wait(hours=2)
    assert await forgotten(gateway) == (0, 1)
    assert [await gateway.media.blobs.has(key) for key in (file.key, copy.key)] == [False, False]


async def test_a_file_that_another_owner_has_stays_in_the_store(gateway, clock):
    file = await kept(gateway, "draft-1", lives=LIVES)
    await kept(gateway, "draft-2", lives=LIVES)
    await gateway.media.uploads.attach("draft-2", "37090026112400017", [file.key])
    clock.wait(hours=25)
    assert await forgotten(gateway) == (0, 1)
    assert await gateway.media.blobs.get(file.key) == TEXT
    assert await gateway.media.uploads.of("draft-1") == ()


async def test_what_is_taken_in_again_for_good_is_not_forgotten(gateway, clock):
    file = await kept(gateway, "37090026112400017", lives=LIVES)
    await kept(gateway, "37090026112400017")
    clock.wait(hours=25)
    assert await forgotten(gateway) == (0, 0)
    assert await gateway.media.blobs.has(file.key)
