"""The provider's side of a WeChat account, by the provider's own library: the oracle for our codec."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime

import xmltodict
from aiohttp import web
from wechatpy.crypto import WeChatCrypto

from channels.contract import Accepted, Tools
from gateway.bus import MemoryBus
from normalizer.errors import Busy

TOKEN, APP_ID = "token", "wx0123456789abcdef"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OLD_KEY = "zyxwvutsrqponmlkjihgfedcba9876543210GFEDCBA"
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))


@dataclass
class Door:
    """An inbox that keeps what it is brought and answers as it is told."""

    reply: str | None = "已收到"
    busy: bool = False
    messages: list = field(default_factory=list)
    written: int = 0

    async def accept(self, message) -> Accepted:
        if self.busy:
            raise Busy
        self.messages.append(message)
        return Accepted(self.reply, repeat=False, written=self._written)

    def _written(self) -> None:
        self.written += 1


@dataclass
class Counts:
    refusals: list[str] = field(default_factory=list)
    tokens: int = 0

    def refused(self, account: str, reason: str) -> None:
        self.refusals.append(reason)

    def token_refreshed(self, account: str) -> None:
        self.tokens += 1


def tools(http, door=None, counts=None, keys=None, now=lambda: NOW) -> Tools:
    return Tools(inbox=door or Door(), keys=keys or MemoryBus(), http=http, meter=counts or Counts(), now=now)


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
