"""The provider's side of a WeChat account, by the provider's own library: the oracle for our codec."""

from __future__ import annotations

import hashlib

import xmltodict
from aiohttp import web
from wechatpy.crypto import WeChatCrypto

from tests.kit.doors import NOW, Counts, Door, tools

__all__ = ["NOW", "Counts", "Door", "tools"]

TOKEN, APP_ID = "token", "wx0123456789abcdef"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OLD_KEY = "zyxwvutsrqponmlkjihgfedcba9876543210GFEDCBA"
STAMP = str(int(NOW.timestamp()))


def raw_settings(**changes):
    base = {
        "kind": "wechat",
        "app_id": APP_ID,
        "secret": "secret",
        "token": TOKEN,
        "aes_key": AES_KEY,
        "mode": "safe",
    }
    return base | changes


def xml(content: str = "井盖丢了", openid: str = "oUser", **fields: str) -> str:
    values = {"ToUserName": "gh_1", "FromUserName": openid, "CreateTime": STAMP, "MsgType": "text"}
    values |= {"Content": content, "MsgId": "10001"} if "MsgType" not in fields else {}
    values |= fields
    return "<xml>" + "".join(f"<{k}><![CDATA[{v}]]></{k}>" for k, v in values.items()) + "</xml>"


def signature(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def request(message: str, *, mode="safe", stamp=STAMP, nonce="n1", key=AES_KEY, app_id=APP_ID, token=TOKEN):
    """Return (query, body) as the provider sends them."""
    query = {
        "signature": signature(token, stamp, nonce),
        "timestamp": stamp,
        "nonce": nonce,
        "openid": "oUser",
    }
    if mode == "plain":
        return query, message
    crypto = WeChatCrypto(token, key, app_id)
    sealed = xmltodict.parse(crypto.encrypt_message(message, nonce, stamp))["xml"]["Encrypt"]
    query |= {"encrypt_type": "aes", "msg_signature": signature(token, stamp, nonce, sealed)}
    part = f"<Encrypt><![CDATA[{sealed}]]></Encrypt>"
    if mode == "compatible":
        return query, message.replace("</xml>", part + "</xml>")
    return query, f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName>{part}</xml>"


def opened(answer: str) -> dict:
    """Open an encrypted reply with the provider's library."""
    outer = xmltodict.parse(answer)["xml"]
    crypto = WeChatCrypto(TOKEN, AES_KEY, APP_ID)
    inner = crypto.decrypt_message(answer, outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"])
    return xmltodict.parse(inner)["xml"]


def app_of(channel) -> web.Application:
    app = web.Application()
    for route in channel.routes():
        app.router.add_route(route.method, f"/channels/wx{route.path}", route.handler)
    return app
