"""Files that are still coming or lost: seen by the agent and by the citizen, and forgotten when their time is over."""

from __future__ import annotations

import json
from collections import deque
from functools import partial

import pytest
from sqlalchemy import func, select

from gateway import views
from gateway.media.intake import Claim
from gateway.runtime import Ids, millis
from gateway.sandbox.platform import Fault
from gateway.store import conversations, requests
from gateway.store import media as media_rows
from gateway.store.rows import BindingRow
from gateway.store.tables import WANTED
from normalizer.case import Command, Verb
from tests.kit import media
from tests.kit.cases import AGENT
from tests.kit.gateway import settings
from tests.kit.standin import phone, until

GET = "/cgi-bin/media/get"


@pytest.fixture
async def citizen(database, tmp_path, clock):
    async with phone(database, tmp_path, clock) as opened:
        yield opened


async def wanted(citizen) -> int:
    query = select(func.count()).select_from(WANTED)
    return await citizen.gateway.books.store.read(lambda c: c.execute(query).scalar_one())


async def reports_with_a_photo(citizen, *faults) -> str:
    """Report, and add a photo that meets with faults; return the case's number."""
    number = await citizen.reports()
    citizen.platform.faults[GET] = deque(faults)
    await citizen.shows("image", media.photo(), "image/jpeg")
    await citizen.says("1")
    return number


async def test_what_is_still_coming_is_marked_until_it_is_here(citizen):
    number = await reports_with_a_photo(citizen, Fault("status", 502))
    missing = partial(citizen.gateway.media.uploads.missing, number)

    async def tried():
        found = await missing()
        return found and found[0].reason

    await until(tried)
    (found,) = await missing()
    assert (found.kind, found.coming, found.told) == ("image", True, "还在接收，请稍后再看")

    async def here():
        citizen.clock.wait(seconds=11)
        await citizen.gateway.fetching.once()
        return await missing() == ()

    await until(here)


async def test_what_is_lost_is_marked_for_the_agent_with_its_reason(citizen, database, tmp_path):
    number = await reports_with_a_photo(citizen, Fault("code", 40007), Fault("code", 40007))

    async def lost():
        found = await citizen.gateway.media.uploads.missing(number)
        return found and not found[0].coming

    await until(lost)
    (found,) = await citizen.gateway.media.uploads.missing(number)
    assert found.reason in {"expired", "gone"}
    shown = await views.case(settings(database, tmp_path), number, full=False)
    assert [(each["kind"], each["state"]) for each in shown["missing"]] == [("image", "lost")]


async def test_rows_go_with_their_case_and_with_their_talk(citizen):
    number = await reports_with_a_photo(citizen)
    forgets = citizen.gateway.forgetting.only
    citizen.clock.wait(days=4000)
    assert await forgets("wanted") == 0
    await citizen.gateway.office.act(number, Command(Verb.WITHDRAW, AGENT, reason="已自行解决"))
    citizen.clock.wait(days=1096)
    assert (await forgets("wanted"), await wanted(citizen)) == (1, 0)
    await citizen.shows("image", media.photo(), "image/jpeg")
    assert (await forgets("wanted"), await wanted(citizen)) == (0, 1)
    citizen.clock.wait(days=181)
    assert (await forgets("wanted"), await wanted(citizen)) == (1, 0)


@pytest.mark.parametrize(
    ("kind", "state", "left"), [("delete", "done", 0), ("delete", "refused", 1), ("correct", "done", 1)]
)
async def test_rows_go_with_the_erasure_of_a_persons_data(citizen, database, tmp_path, kind, state, left):
    await citizen.shows("image", media.photo(), "image/jpeg")
    sealer, store = citizen.gateway.books.sealer, citizen.gateway.books.store
    here, page = sealer.conversation("wx", citizen.openid), sealer.conversation("web", "x")
    at = millis(citizen.clock())
    for each in (here, page):
        await store.write(partial(conversations.bind, row=BindingRow(each, b"p" * 16, at)))
    add = partial(
        requests.add, row_id=b"r" * 16, at=at, conversation=page, kind=kind, body=sealer.seal(b"{}")
    )
    await store.write(add)
    await views.settle(settings(database, tmp_path), (b"r" * 16).hex(), state)
    assert await wanted(citizen) == left


async def test_the_citizen_sees_on_the_page_and_in_the_app_what_did_not_arrive(browsers, portal, clock):
    browser = browsers()
    await browser.proves(portal)
    number = await browser.reports()
    part = {"kind": "voice", "media_id": "m1"}
    row = {
        "ref": "w1", "account": "wx", "conversation": bytes(16), "case_no": number, "state": "lost", "key": "",
        "reason": "expired", "tries": 1, "next_at": 0, "created_at": millis(clock()),
    }  # fmt: skip
    sealer = portal.books.sealer
    values = row | {"body": sealer.seal(json.dumps(part).encode())}
    await portal.books.store.write(lambda c: c.execute(WANTED.insert().values(values)))
    page = await browser.get(f"/cases/{number}")
    assert "录音：没有收到，原来的已过期，请再发一次" in page.text.replace(" ", "")
    (missing,) = await portal.media.uploads.missing(number)
    assert (missing.kind, missing.coming) == ("voice", False)


async def test_what_was_spoken_stands_beside_its_recording(browsers, portal):
    browser = browsers()
    await browser.proves(portal)
    number = await browser.reports()
    taken = await portal.media.intake.take(media.streamed(media.voice()), Claim(number, "录音.mp3"))
    words = portal.books.sealer.seal("半夜还在放音响".encode())
    note = partial(media_rows.note_words, owner=number, noted=Ids()())
    await portal.books.store.write(partial(note, key=taken.key, words=words))
    page = await browser.get(f"/cases/{number}")
    assert "转写：半夜还在放音响" in page.text
    photo = await portal.media.intake.take(media.streamed(media.photo()), Claim(number, "a.jpg"))
    await portal.books.store.write(partial(note, key=photo.key, words=words))
    assert (await browser.get(f"/cases/{number}")).text.count("转写") == 1
