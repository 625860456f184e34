"""Calls with a token: a dead one is renewed once and the call made once more, never in a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channels.http import post_json
from channels.wechat.errors import TOKEN_DEAD, error_of
from channels.wechat.tokens import TokenProvider

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channels.contract import Tools
    from channels.wechat.settings import App

SECONDS = 8.0


class Api:
    """The calls of one account."""

    def __init__(self, account: str, settings: App, tools: Tools) -> None:
        self._base = settings.api_base
        self._tools = tools
        self.tokens = TokenProvider(account, settings, tools)

    async def call(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Post to a path and return the answer; raises SendError."""
        token = await self.tokens.token()
        answer = await self._post(path, token, body)
        if answer.get("errcode") in TOKEN_DEAD:
            answer = await self._post(path, await self.tokens.renewed(token), body)
        if (error := error_of(answer)) is not None:
            raise error
        return answer

    async def _post(self, path: str, token: str, body: Mapping[str, Any]) -> dict[str, Any]:
        query = {"access_token": token}
        return await post_json(self._tools.http, f"{self._base}{path}", body, query=query, seconds=SECONDS)
