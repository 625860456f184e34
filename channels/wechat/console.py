"""Setting up an account from the command line: menu, codes to scan, and whether all is as it must be."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from channels.contract import Finding, SendError, SendReason
from channels.wechat import codec, menu
from channels.wechat.trouble import finding
from normalizer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from aiohttp import ClientSession

    from channels.wechat.api import Api
    from channels.wechat.settings import Settings

LONGEST = 2_592_000
"""Seconds a code to scan lives at most, unless it lives for ever."""
SECONDS = 10.0
LARGEST = 4 * 1024 * 1024
_NO_MENU = "errcode 46003"
_PUBLIC, _PICTURES = "https://api.weixin.qq.com", "https://mp.weixin.qq.com"


class Console:
    """What one account's console is asked for; implements ``channels.contract.Console``."""

    def __init__(
        self, account: str, settings: Settings, api: Api, http: ClientSession, now: Callable[[], datetime]
    ) -> None:
        self._account = account
        self._settings = settings
        self._api = api
        self._http = http
        self._now = now

    async def menu(self) -> Mapping[str, Any]:
        """Return the menu that is shown, empty when there is none; raises SendError."""
        try:
            answer = await self._api.ask("/cgi-bin/menu/get")
        except SendError as error:
            if _NO_MENU in error.detail:
                return {}
            raise
        shown = answer.get("menu")
        return shown if isinstance(shown, dict) else {}

    async def push_menu(self, raw: Mapping[str, Any] | None) -> None:
        """Show a menu, the bot's own when none is given; raises Misconfigured or SendError."""
        await self._api.call("/cgi-bin/menu/create", menu.body_of(menu.DEFAULT if raw is None else raw))

    async def code(self, scene: str, seconds: int | None) -> bytes:
        """Return the picture of a code to scan, for so many seconds or for ever; raises InvalidInput or SendError."""
        if not 1 <= len(scene) <= 64:
            raise InvalidInput("a scene has 1 to 64 characters")
        if seconds is not None and not 60 <= seconds <= LONGEST:
            raise InvalidInput(f"a code lives from 60 to {LONGEST} seconds, or for ever")
        body: dict[str, Any] = {"action_info": {"scene": {"scene_str": scene}}}
        if seconds is None:
            body["action_name"] = "QR_LIMIT_STR_SCENE"
        else:
            # Without it the platform takes half a minute (wechat.md 2.9).
            body |= {"action_name": "QR_STR_SCENE", "expire_seconds": seconds}
        answer = await self._api.call("/cgi-bin/qrcode/create", body)
        return await self._picture(str(answer.get("ticket", "")))

    async def look(self, public_url: str) -> Sequence[Finding]:
        """Say whether the callback can be reached from outside, and whether the templates are there and fit."""
        return [await self._reached(public_url), *await self._templates()]

    async def _picture(self, ticket: str) -> bytes:
        base = _PICTURES if self._settings.api_base == _PUBLIC else self._settings.api_base
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        query = {"ticket": ticket}
        try:
            async with self._http.get(f"{base}/cgi-bin/showqrcode", params=query, timeout=timeout) as answer:
                picture = await answer.content.read(LARGEST)
                if answer.status == 200 and answer.content_type.startswith("image/"):
                    return picture
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SendError(SendReason.CONNECTION, type(error).__name__) from error
        raise SendError(SendReason.BUSY, f"no picture of the code, HTTP {answer.status}")

    async def _reached(self, public_url: str) -> Finding:
        named = f"{self._account}：回调地址"
        if not public_url:
            return Finding(
                ok=False,
                what=f"{named}没有核对",
                cure='在配置里写明 public_url，例如 "https://12345.example.gov.cn"',
            )
        address = URL(public_url) / "channels" / self._account
        stamp, nonce, echo = (
            str(int(self._now().timestamp())),
            secrets.token_hex(8),
            secrets.token_hex(16),
        )
        signed = codec.signature(self._settings.token.get_secret_value(), stamp, nonce)
        query = {"signature": signed, "timestamp": stamp, "nonce": nonce, "echostr": echo}
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        try:
            async with self._http.get(
                address, params=query, timeout=timeout, allow_redirects=False
            ) as answer:
                told, status = await answer.content.read(len(echo) + 1), answer.status
        except (aiohttp.ClientError, TimeoutError) as error:
            cure = "检查域名、证书、防火墙和反向代理；微信只访问 80 和 443 端口"
            return Finding(ok=False, what=f"{named} {address} 连不上（{type(error).__name__}）", cure=cure)
        if told.decode("utf-8", "replace") == echo:
            return Finding(ok=True, what=f"{named} {address} 可以访问，签名相符")
        cure = "401 表示 token 与公众平台上填的不一致；404 表示反向代理没有把 /channels/ 转给接诉"
        return Finding(ok=False, what=f"{named} {address} 答复不对（HTTP {status}）", cure=cure)

    async def _templates(self) -> Sequence[Finding]:
        wanted = {each.id: (notice, each.fields) for notice, each in self._settings.templates.items()}
        if not wanted:
            return []
        try:
            answer = await self._api.ask("/cgi-bin/template/get_all_private_template")
        except SendError as error:
            return [finding(self._account, error)]
        listed = [each for each in answer.get("template_list") or [] if isinstance(each, dict)]
        known = {str(each.get("template_id")): str(each.get("content", "")) for each in listed}
        return [self._template(name, notice, fields, known) for name, (notice, fields) in wanted.items()]

    def _template(
        self, name: str, notice: str, fields: Mapping[str, str], known: Mapping[str, str]
    ) -> Finding:
        what = f"{self._account}：{notice} 的模板 {name}"
        if name not in known:
            return Finding(
                ok=False, what=f"{what} 不存在", cure="在公众平台“模板消息”里核对模板 ID，或重新添加"
            )
        missing = [
            field for field in fields or ("case_no", "text") if f"{{{{{field}.DATA}}}}" not in known[name]
        ]
        if missing:
            cure = "模板里要有这些字段；或在配置里把 fields 改成模板里的字段"
            return Finding(ok=False, what=f"{what} 没有字段 {'、'.join(missing)}", cure=cure)
        return Finding(ok=True, what=f"{what} 存在，字段相符")
