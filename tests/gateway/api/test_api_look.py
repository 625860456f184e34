"""Files that came by a mini-program are looked at by the platform: it fetches them, and what it says marks the case."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import xmltodict

from gateway.store import flags
from gateway.store.tables import LOOK
from tests.gateway.api.test_api import uploaded
from tests.kit.api import matter
from tests.kit.mini import ACCOUNT, opened
from tests.kit.standin import until
from tests.kit.wechat import signature

SITE = "https://12345.example"


@pytest.fixture(params=["json", "xml"])
async def world(tmp_path, request):
    async with opened(tmp_path, request.param, public_url=SITE) as made:
        yield made, request.param


async def reported(world):
    """Report with one photo, and return the app, the case's number and the look's name."""
    reply = await world.app.post(
        "/sessions/wechat", {"account": ACCOUNT, "code": world.platform.code("o-zhang")}
    )
    app = replace(world.app, token=reply.data["token"])
    granted = (await app.post("/uploads")).data
    key = await uploaded(app, granted, "a.jpg", (64, 64))
    number = (await app.post("/cases", matter(files=[key]))).data["case_no"]
    await until(lambda: world.platform.looks)
    await app.gateway.safety.close()
    (name,) = world.platform.looks
    return app, number, name


async def pushed(world, form, event):
    """Push an event as the platform does in plain mode, and return the status."""
    stamp, nonce = str(int(world.app.clock().timestamp())), event["trace_id"][:8]
    query = {"timestamp": stamp, "nonce": nonce, "signature": signature("a-token-of-callbacks", stamp, nonce)}
    body = json.dumps(event) if form == "json" else xmltodict.unparse({"xml": event}, full_document=False)
    address = f"{world.app.base.removesuffix('/api/v1')}/channels/{ACCOUNT}"
    async with world.app.http.post(address, params=query, data=body.encode()) as answer:
        return answer.status


async def marks(world, number):
    store = world.gateway.books.store
    left = await store.read(lambda c: c.execute(LOOK.select()).all())
    return await store.read(lambda c: flags.of(c, number)), len(left)


async def test_what_is_objected_to_marks_the_case_and_the_complaint_goes_on(world):
    made, form = world
    app, number, name = await reported(made)
    asked = made.platform.looks[name]
    assert (asked["media_type"], asked["openid"]) == (2, "o-zhang")
    async with app.http.get(asked["media_url"].replace(SITE, app.base.removesuffix("/api/v1"))) as picture:
        assert (picture.status, picture.content_type) == (200, "image/jpeg")
    assert await pushed(made, form, made.platform.checked(name, "risky", 20002)) == 200
    assert await marks(made, number) == ([f"{ACCOUNT} risky 20002"], 0)
    assert (await app.get(f"/cases/{number}")).status == 200


async def test_what_comes_with_a_supplement_is_looked_at_too(world):
    made, form = world
    app, number, first = await reported(made)
    granted = (await app.post("/uploads")).data
    key = await uploaded(app, granted, "b.jpg", (48, 48))
    added = await app.post(f"/cases/{number}/supplements", {"text": "今天又坏了一处", "files": [key]})
    assert added.status in {200, 201}
    await until(lambda: len(made.platform.looks) == 2)
    await app.gateway.safety.close()
    (name,) = made.platform.looks.keys() - {first}
    assert await pushed(made, form, made.platform.checked(name, "risky", 20002)) == 200
    assert f"{ACCOUNT} risky 20002" in (await marks(made, number))[0]


@pytest.mark.parametrize(
    ("suggest", "errcode"), [("pass", 0), ("risky", -1008)], ids=["nothing", "could not be fetched"]
)
async def test_where_nothing_is_objected_to_there_is_no_mark(world, suggest, errcode):
    made, form = world
    _, number, name = await reported(made)
    assert await pushed(made, form, made.platform.checked(name, suggest, errcode=errcode)) == 200
    assert await marks(made, number) == ([], 0)


async def test_the_first_layout_is_understood_too(world):
    made, form = world
    _, number, name = await reported(made)
    event = made.platform.checked(name, "pass")
    event = {
        key: event[key]
        for key in ("ToUserName", "FromUserName", "CreateTime", "MsgType", "Event", "trace_id")
    }
    assert await pushed(made, form, event | {"isrisky": 1, "status_code": 0}) == 200
    assert await marks(made, number) == ([f"{ACCOUNT} risky"], 0)


async def test_a_word_that_comes_before_the_answer_is_kept_for_its_case(world):
    made, form = world
    assert await pushed(made, form, made.platform.checked("t-1", "review", 21000)) == 200
    store = made.gateway.books.store
    await store.write(lambda c: flags.asked(c, ACCOUNT, "t-1", "37090026112400017", 1))
    assert await marks(made, "37090026112400017") == ([f"{ACCOUNT} review 21000"], 0)


async def test_a_look_that_nobody_answers_is_forgotten_after_a_day(world):
    made, _ = world
    store = made.gateway.books.store
    await store.write(lambda c: flags.asked(c, ACCOUNT, "t-1", "1", 1))
    await store.write(lambda c: flags.asked(c, ACCOUNT, "t-2", "2", flags.FORGOTTEN_MS + 2))
    assert (await marks(made, "1"))[1] == 1
