"""Calls with a token: a dead one is renewed once and the call made once more, never in a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import FormData

from channels.http import get_json, post_form, post_json
from channels.wechat.errors import TOKEN_DEAD, error_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp import ClientSession

    from channels.wechat.tokens import TokenProvider
    from channels.wechat.trouble import Troubles

SECONDS = 8.0
UPLOAD = "/cgi-bin/media/upload"
UPLOAD_SECONDS = 10.0
"""With the call that follows it an upload ends before the outbox gives a message up."""


class Api:
    """The calls of one account; ``base`` is where its interfaces are."""

    def __init__(self, base: str, http: ClientSession, tokens: TokenProvider, troubles: Troubles) -> None:
        self.base = base
        self._http = http
        self._troubles = troubles
        self.tokens = tokens

    async def call(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Post to a path and return the answer; raises SendError."""
        return await self._called(
            lambda query: post_json(self._http, self.base + path, body, query=query, seconds=SECONDS)
        )

    async def ask(self, path: str) -> dict[str, Any]:
        """Get a path that only tells, and return the answer; raises SendError."""
        return await self._called(
            lambda query: get_json(self._http, self.base + path, query=query, seconds=SECONDS)
        )

    async def upload(self, kind: str, name: str, mime: str, content: bytes) -> dict[str, Any]:
        """Bring a file of a kind as temporary media and return the answer; raises SendError."""

        def brought(query: Mapping[str, str]) -> Awaitable[dict[str, Any]]:
            # The platform shows the name as it comes, so it is not written as in an address.
            form = FormData(quote_fields=False)
            form.add_field("media", content, filename=name, content_type=mime)
            asked = {**query, "type": kind}
            return post_form(self._http, self.base + UPLOAD, form, query=asked, seconds=UPLOAD_SECONDS)

        return await self._called(brought)

    async def _called(self, call: Callable[[Mapping[str, str]], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        async with self._troubles.noted():
            token = await self.tokens.token()
            answer = await call({"access_token": token})
            if answer.get("errcode") in TOKEN_DEAD:
                answer = await call({"access_token": await self.tokens.renewed(token)})
            if (error := error_of(answer)) is not None:
                raise error
            return answer
