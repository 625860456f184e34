"""Callbacks that were changed on their way: nothing breaks, and nothing unsigned is kept. More: JIESU_TEST_CALLBACKS=100000."""

import hashlib
import json
import os
import random
import re

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from wechatpy.crypto import WeChatCrypto

from channels.wechat import channel
from channels.wechat.kf.callback import Callback
from channels.wechat.kf.settings import Settings
from channels.wechat.miniprogram import channel as miniprogram
from gateway.sandbox.kf import Kf, KfSettings
from tests.kit.kf import CORP_ID, KFID, kf_settings
from tests.kit.wechat import (
    AES_KEY,
    APP_ID,
    NOW,
    STAMP,
    TOKEN,
    Door,
    app_of,
    raw_settings,
    request,
    signature,
    tools,
    xml,
)

COUNT = int(os.environ.get("JIESU_TEST_CALLBACKS", "1000"))
MESSAGES = [
    xml(),
    xml(MsgType="image", MediaId="m1", PicUrl="http://mmbiz.qpic.cn/x", MsgId="2"),
    xml(MsgType="location", Location_X="36.19", Location_Y="117.12", Scale="16", Label="岱庙", MsgId="3"),
    xml(MsgType="event", Event="subscribe", EventKey="qrscene_1"),
    xml(MsgType="event", Event="TEMPLATESENDJOBFINISH", MsgID="9", Status="success"),
    xml(MsgType="event", Event="pic_sysphoto").replace(
        "</xml>",
        "<SendPicsInfo><Count>2</Count><PicList><item><PicMd5Sum>a</PicMd5Sum></item>"
        "<item><PicMd5Sum>b</PicMd5Sum></item></PicList></SendPicsInfo></xml>",
    ),
    xml(MsgType="event", Event="subscribe_msg_popup_event").replace(
        "</xml>",
        "<SubscribeMsgPopupEvent><List><TemplateId>T</TemplateId><SubscribeStatusString>accept"
        "</SubscribeStatusString></List></SubscribeMsgPopupEvent></xml>",
    ),
]
WAYS = [(mode, form) for form in ("xml", "json") for mode in ("plain", "compatible", "safe")]


def as_json(message: str) -> str:
    return json.dumps(dict(re.findall(r"<(\w+)><!\[CDATA\[(.*?)\]\]></\1>", message)), ensure_ascii=False)


def written(message: str, mode: str, form: str, nonce: str) -> tuple[dict[str, str], str]:
    """Return a genuine callback."""
    if form == "xml":
        return request(message, mode=mode, nonce=nonce)
    query, body = request(message, mode="plain", nonce=nonce)
    body = as_json(message)
    if mode == "plain":
        return query, body
    outer = WeChatCrypto(TOKEN, AES_KEY, APP_ID).encrypt_message(body, nonce, STAMP)
    (sealed,) = re.findall(r"<Encrypt><!\[CDATA\[(.*?)\]\]>", outer)
    query |= {"encrypt_type": "aes", "msg_signature": signature(TOKEN, STAMP, nonce, sealed)}
    outer = json.loads(body) if mode == "compatible" else {"ToUserName": "gh_1"}
    return query, json.dumps(outer | {"Encrypt": sealed}, ensure_ascii=False)


MARKUP = [b"<a>", b"]]>", b"&x;", b"<!DOCTYPE x>", b"\x00", b"{", b'"']
OF_BODY = [
    lambda chance, body, at: body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :],
    lambda chance, body, at: body[:at],
    lambda chance, body, at: body[:at] + body[max(0, at - 40) :],
    lambda chance, body, at: body[:at] + chance.choice(MARKUP) + body[at:],
    lambda chance, body, at: body.replace(b"gh_1", b"gh_2").replace(b"oUser", b"oThief"),
    lambda chance, body, at: MESSAGES[0].encode(),
]
OF_QUERY = [
    lambda chance, query: query | {chance.choice(list(query)): chance.choice(["", "0", "x" * 40, STAMP])},
    lambda chance, query: dict(chance.sample(list(query.items()), len(query) - 1)),
    lambda chance, query: query | {"timestamp": str(int(STAMP) - chance.choice([0, 301, 10**6]))},
]


def spoiled(chance: random.Random, query: dict[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
    """Return the callback with one to three things wrong."""
    for _ in range(chance.randint(1, 3)):
        if len(query) > 1 and chance.random() < 0.35:
            query = chance.choice(OF_QUERY)(chance, query)
        else:
            body = chance.choice(OF_BODY)(chance, body, chance.randrange(len(body) + 1))
    return query, body


def genuine(mode: str, query: dict[str, str], body: bytes) -> bool:
    """Return whether the platform's secret vouches for a callback, worked out apart from the product."""
    stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if mode == "plain":
        parts, given = [TOKEN, stamp, nonce], query.get("signature", "")
        return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest() == given
    sealed = re.search(rb'<Encrypt>\s*(?:<!\[CDATA\[)?([^\]<]*)|"Encrypt":\s*"([^"]*)"', body)
    if sealed is None:
        return False
    text = (sealed.group(1) or sealed.group(2) or b"").decode("latin-1")
    given = query.get("msg_signature", "")
    return hashlib.sha1("".join(sorted([TOKEN, stamp, nonce, text])).encode()).hexdigest() == given


@pytest.mark.timeout(60 + COUNT // 100)
@pytest.mark.parametrize(("mode", "form"), WAYS)
async def test_whatever_is_changed_on_the_way_breaks_nothing_and_is_not_kept_unsigned(mode, form):
    door, chance = Door(), random.Random(f"{mode} {form}")
    async with ClientSession() as http:
        raw = raw_settings(mode=mode)
        made = (
            channel.build("wx", raw, tools(http, door))
            if form == "xml"
            else miniprogram.build("wx", raw | {"kind": "miniprogram", "format": "json"}, tools(http, door))
        )
        async with TestClient(TestServer(app_of(made))) as client:
            for number in range(COUNT // len(WAYS)):
                query, text = written(chance.choice(MESSAGES), mode, form, f"n{number}")
                query, body = spoiled(chance, query, text.encode())
                before = len(door.messages)
                async with client.post("/channels/wx", params=query, data=body) as answer:
                    said = await answer.text()
                assert answer.status in {200, 400, 401, 403, 413}, said
                kept = len(door.messages) > before
                assert not kept or genuine(mode, query, body), (query, body)


@pytest.mark.timeout(60 + COUNT // 100)
async def test_a_call_of_customer_service_that_was_changed_breaks_nothing_and_fetches_nothing_unsigned():
    chance = random.Random("kf")
    platform = Kf(KfSettings(CORP_ID, "secret", TOKEN, AES_KEY, KFID), NOW.timestamp)
    async with ClientSession() as http:
        called, app = [], web.Application()
        settings = Settings.model_validate(kf_settings(1))
        app.router.add_post("/channels/wx", Callback("kf", settings, tools(http), called.append).receive)
        async with TestClient(TestServer(app)) as client:
            for _ in range(COUNT // len(WAYS)):
                query, text = platform.request()
                query, body = spoiled(chance, query, text.encode())
                before = len(called)
                async with client.post("/channels/wx", params=query, data=body) as answer:
                    said = await answer.text()
                assert answer.status in {200, 400, 401, 403, 413}, said
                assert len(called) == before or genuine("safe", query, body), (query, body)
            query, text = platform.request()
            assert (await client.post("/channels/wx", params=query, data=text)).status == 200
        assert called
