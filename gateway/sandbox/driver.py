"""Brings what people do to the account's callback, as the platform does: signed, sealed, three tries of five seconds."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import secrets
import time
from typing import TYPE_CHECKING, Any

import xmltodict
from aiohttp import ClientError, ClientSession, ClientTimeout
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException

from gateway.sandbox.platform import FAULT, LONGEST_REPLY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.sandbox.platform import Person, Platform

TRIES = 3
_SHOWN = {"image": "（照片）", "voice": "（录音）", "video": "（视频）", "shortvideo": "（小视频）"}
SECONDS = 5.0


class Driver:
    """The inbound half of the stand-in."""

    def __init__(
        self,
        platform: Platform,
        *,
        seconds: float = SECONDS,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._platform = platform
        self.http: ClientSession | None = None
        self._seconds = seconds
        self._pause = pause
        self._numbers = itertools.count(secrets.randbelow(10**9) * 10**6 + 10**15)
        settings = platform.settings
        self._crypto = (
            WeChatCrypto(settings.token, settings.aes_key, settings.app_id) if settings.aes_key else None
        )

    async def write(self, person: Person, text: str) -> None:
        """Let a person write a text."""
        self._platform.said(person, "citizen", text, "")
        self._platform.wrote(person)
        await self.bring(person, {"MsgType": "text", "Content": text, "MsgId": str(next(self._numbers))})

    async def show(self, person: Person, kind: str, content: bytes, mime: str) -> str:
        """Let a person send a photo, a recording or a film; return its media id."""
        media_id = self._platform.keep(content, mime)
        self._platform.said(person, "citizen", _SHOWN[kind], "")
        self._platform.wrote(person)
        fields = {"MsgType": kind, "MediaId": media_id, "MsgId": str(next(self._numbers))}
        if kind == "image":
            fields["PicUrl"] = f"https://mmbiz.qpic.cn/{media_id}"
        if kind == "voice":
            # The platform's own recognition is gone: the field is there and empty (wechat.md 2.7).
            fields |= {"Format": "amr", "Recognition": ""}
        if kind == "video":
            fields["ThumbMediaId"] = self._platform.keep(b"", "image/jpeg")
        await self.bring(person, fields)
        return media_id

    async def stand(self, person: Person, lon: float, lat: float, label: str) -> None:
        """Let a person send where he is, in degrees of Chinese maps (GCJ-02)."""
        self._platform.said(person, "citizen", f"（位置：{label}）", "")
        self._platform.wrote(person)
        fields = {"Location_X": f"{lat:.6f}", "Location_Y": f"{lon:.6f}", "Scale": "16", "Label": label}
        await self.bring(person, {"MsgType": "location", **fields, "MsgId": str(next(self._numbers))})

    async def scan(self, person: Person, scene: str) -> None:
        """Let a person scan a code of the account: a newcomer follows by it."""
        newcomer, person.following = not person.following, True
        self._platform.acted(person)
        self._platform.said(person, "citizen", f"（扫码：{scene}）", "")
        event, key = ("subscribe", f"qrscene_{scene}") if newcomer else ("SCAN", scene)
        ticket = hashlib.sha256(scene.encode()).hexdigest()
        await self.bring(person, {"MsgType": "event", "Event": event, "EventKey": key, "Ticket": ticket})

    async def act(self, person: Person, event: str, key: str = "") -> None:
        """Let a person follow, leave, click or scan."""
        person.following = event != "unsubscribe" and (person.following or event in {"subscribe", "SCAN"})
        if event in {"subscribe", "SCAN", "CLICK"}:
            self._platform.acted(person)
        shown = {"subscribe": "（关注）", "unsubscribe": "（取消关注）"}.get(event, f"（菜单：{key}）")
        self._platform.said(person, "citizen", shown, "")
        await self.bring(person, {"MsgType": "event", "Event": event, "EventKey": key})

    async def bring(self, person: Person, fields: dict[str, str]) -> str:
        """Bring one message, with retries, and put the answer in the chat; return how it was classified."""
        return await self.carry(person, self.message(person.openid, fields))

    async def carry(self, person: Person, message: str) -> str:
        """Bring a message's XML, with retries, and put the answer in the chat; return how it was classified."""
        for attempt in range(TRIES):
            if attempt:
                self._platform.counts["retries"] += 1
            answer = await self._try(message)
            if answer is not None:
                return self._answered(person, answer)
        self._platform.counts["service_faults"] += 1
        self._platform.said(person, "platform", FAULT, "fault")
        return "fault"

    def message(self, openid: str, fields: dict[str, str]) -> str:
        """Return the XML of a message."""
        head = {
            "ToUserName": self._platform.settings.original_id,
            "FromUserName": openid,
            "CreateTime": str(int(self._platform.clock())),
        }
        inside = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in (head | fields).items())
        return f"<xml>{inside}</xml>"

    def request(
        self, message: str, *, stamp: str = "", nonce: str = "", mode: str = ""
    ) -> tuple[dict[str, str], str]:
        """Return the signed query and the body of one try; every part can be set, to make a wrong one."""
        settings = self._platform.settings
        stamp = stamp or str(int(self._platform.clock()))
        nonce = nonce or secrets.token_hex(6)
        query = {"signature": _sign(settings.token, stamp, nonce), "timestamp": stamp, "nonce": nonce}
        mode = mode or settings.mode
        if mode == "plain" or self._crypto is None:
            return query, message
        sealed = xmltodict.parse(self._crypto.encrypt_message(message, nonce, stamp))["xml"]["Encrypt"]
        query |= {"encrypt_type": "aes", "msg_signature": _sign(settings.token, stamp, nonce, sealed)}
        part = f"<Encrypt><![CDATA[{sealed}]]></Encrypt>"
        if mode == "compatible":
            return query, message.replace("</xml>", f"{part}</xml>")
        return query, f"<xml><ToUserName><![CDATA[{settings.original_id}]]></ToUserName>{part}</xml>"

    async def post(self, query: dict[str, str], body: str) -> tuple[int, str] | None:
        """Post once and return (status, answer), None when none came in time."""
        timeout = ClientTimeout(total=self._seconds)
        address = self._platform.settings.callback_url
        started = time.perf_counter()
        try:
            async with self._session().post(
                address, params=query, data=body.encode(), timeout=timeout
            ) as response:
                answer = response.status, await response.text()
        except (ClientError, TimeoutError):
            return None
        self._platform.latencies.append(time.perf_counter() - started)
        return answer

    async def verify(self, echo: str) -> str | None:
        """Call as the console does when the address is set; return the echo."""
        settings = self._platform.settings
        stamp, nonce = str(int(self._platform.clock())), secrets.token_hex(6)
        query = {
            "signature": _sign(settings.token, stamp, nonce),
            "timestamp": stamp,
            "nonce": nonce,
            "echostr": echo,
        }
        async with self._session().get(settings.callback_url, params=query) as response:
            return await response.text() if response.status == 200 else None

    def _session(self) -> ClientSession:
        assert self.http is not None, "the application is not started"
        return self.http

    async def _try(self, message: str) -> str | None:
        started = self._platform.clock()
        answer = await self.post(*self.request(message))
        if answer is not None and answer[0] == 200:
            return answer[1]
        # The platform waits its five seconds out, whether the connection was dropped or answered with an error.
        left = self._seconds - (self._platform.clock() - started)
        await self._pause(max(left, 0.0))
        return None

    def _answered(self, person: Person, answer: str) -> str:
        if answer in {"", "success"}:
            self._platform.counts["silent"] += 1
            return "silent"
        reply = self._opened(answer)
        wrong = reply is None or reply.get("ToUserName") != person.openid
        if reply is None or wrong or reply.get("FromUserName") != self._platform.settings.original_id:
            self._platform.counts["service_faults"] += 1
            self._platform.said(person, "platform", FAULT, "fault")
            return "fault"
        text = str(reply.get("Content") or "")
        if len(text.encode()) > LONGEST_REPLY:
            self._platform.counts["too_long"] += 1
            return "too_long"
        self._platform.counts["passive"] += 1
        self._platform.said(person, "account", text, "passive")
        return "passive"

    def _opened(self, answer: str) -> dict[str, Any] | None:
        try:
            outer = xmltodict.parse(answer)["xml"]
            if "Encrypt" in outer and self._crypto is not None:
                inner = self._crypto.decrypt_message(
                    answer, outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"]
                )
                outer = xmltodict.parse(inner)["xml"]
        except (InvalidSignatureException, InvalidAppIdException, KeyError, ValueError, TypeError):
            return None
        except Exception:  # noqa: BLE001 - expat's error class is not public; whatever it is, it is no reply
            return None
        return outer if isinstance(outer, dict) and outer.get("MsgType") == "text" else None


def _sign(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()
