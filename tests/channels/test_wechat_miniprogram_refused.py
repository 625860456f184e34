"""What is not the platform's is refused in every mode and both forms, with its reason, and nothing of it is kept."""

from __future__ import annotations

import json

import pytest
from aiohttp import ClientSession

from channels.wechat.miniprogram.channel import build
from tests.channels.test_wechat_miniprogram import TELLS, URL, as_json
from tests.kit.wechat import OLD_KEY, STAMP, Counts, Door, app_of, raw_settings, request, tools, xml

LATE, EARLY = str(int(STAMP) - 301), str(int(STAMP) + 301)
FORMS = ("xml", "json")
MODES = ("plain", "compatible", "safe")


def made(form, mode, **wrong):
    """Return (query, body) of a message, with something wrong in it."""
    return as_json(mode, **wrong) if form == "json" else request(xml(), mode=mode, **wrong)


def unsigned(query, body, form):
    return {"timestamp": query["timestamp"], "nonce": query["nonce"]}, body


def forged(query, body, form):
    return query | {"signature": "0" * 40, "msg_signature": "0" * 40}, body


def turned(query, body, form):
    """Leave the signature and change the nonce."""
    return query | {"nonce": query["nonce"] + "x"}, body


def tampered(query, body, form):
    """Change what is sealed."""
    if form == "json":
        outer = json.loads(body)
        return query, json.dumps(outer | {"Encrypt": _changed(outer["Encrypt"])})
    sealed = body.partition("<Encrypt><![CDATA[")[2].partition("]]>")[0]
    return query, body.replace(sealed, _changed(sealed))


def emptied(query, body, form):
    return query, body.replace("Encrypt", "Encrypted")


def _changed(sealed: str) -> str:
    middle = len(sealed) // 2
    return sealed[:middle] + ("A" if sealed[middle] != "A" else "B") + sealed[middle + 1 :]


ALL, SEALED = MODES, ("compatible", "safe")
REFUSED = [
    ("unsigned", ALL, {}, unsigned, 401, "bad_signature"),
    ("forged", ALL, {}, forged, 401, "bad_signature"),
    ("signed with another token", ALL, {"token": "other"}, None, 401, "bad_signature"),
    ("signed for another nonce", ALL, {}, turned, 401, "bad_signature"),
    ("stale", ALL, {"stamp": LATE}, None, 403, "stale"),
    ("from the future", ALL, {"stamp": EARLY}, None, 403, "stale"),
    ("tampered", SEALED, {}, tampered, 401, "bad_signature"),
    ("for another app", SEALED, {"app_id": "wxanother"}, None, 400, "other_app_id"),
    ("sealed with another key", SEALED, {"key": OLD_KEY}, None, 400, "bad_"),
    ("without the sealed part", SEALED, {}, emptied, 403, "plaintext_refused"),
]
ROWS = [
    pytest.param(form, mode, *row[2:], id=f"{row[0]}, {mode}, {form}")
    for row in REFUSED
    for mode in row[1]
    for form in FORMS
]


@pytest.mark.parametrize(("form", "mode", "wrong", "change", "status", "reason"), ROWS)
async def test_what_is_not_genuine_is_refused_and_not_kept(
    account, form, mode, wrong, change, status, reason
):
    client, door, counts = await account(mode, form)
    query, body = made(form, mode, **wrong)
    if change is not None:
        query, body = change(query, body, form)
    answer = await client.post(URL, params=query, data=body.encode())
    assert (answer.status, (await answer.text()).startswith(reason)) == (status, True)
    assert (door.messages, len(counts.refusals)) == ([], 1)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mode", SEALED)
async def test_plain_text_is_refused_where_it_must_be_sealed(account, form, mode):
    client, door, counts = await account(mode, form)
    query, body = made(form, "plain")
    answer = await client.post(URL, params=query, data=body.encode())
    assert (answer.status, counts.refusals) == (403, ["plaintext_refused"])
    assert door.messages == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mode", MODES)
async def test_a_replay_is_refused(account, form, mode):
    client, door, counts = await account(mode, form)
    query, body = made(form, mode)
    statuses = [(await client.post(URL, params=query, data=body.encode())).status for _ in range(3)]
    assert (statuses, counts.refusals) == ([200, 403, 403], ["replayed"] * 2)
    assert len(door.messages) == 1


@pytest.mark.parametrize("form", FORMS)
async def test_in_plain_mode_another_body_under_a_used_signature_is_another_message(account, form):
    """The platform signs no body in plain mode: that is why it is only for trials (wechat.md 2.1)."""
    client, door, _ = await account("plain", form)
    query, body = made(form, "plain")
    other = body.replace("井盖丢了", "路灯坏了").replace("10001", "10002")
    for each in (body, other):
        assert (await client.post(URL, params=query, data=each.encode())).status == 200
    assert [message.text for message in door.messages] == ["井盖丢了", "路灯坏了"]


@pytest.mark.parametrize(("form", "body"), [("xml", json.dumps(TELLS)), ("json", xml())], ids=["JSON", "XML"])
async def test_the_other_form_is_refused(account, form, body):
    client, door, _ = await account("plain", form)
    query, _ = made(form, "plain")
    assert (await client.post(URL, params=query, data=body.encode())).status == 400
    assert door.messages == []


@pytest.fixture
async def account(aiohttp_client):
    async with ClientSession() as http:

        async def opened(mode, form):
            door, counts = Door(), Counts()
            given = raw_settings(kind="miniprogram", mode=mode, format=form)
            channel = build("wx", given, tools(http, door, counts))
            return await aiohttp_client(app_of(channel)), door, counts

        yield opened
