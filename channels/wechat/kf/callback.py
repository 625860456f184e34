"""The address 微信客服 calls: it says only that there is something to fetch (wechat.md 2.1, 2.9).

Nothing is lost when a call is: what people wrote stays with the provider until it is asked for, and is asked for now
and then without a call. So a call is thanked for at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from channels.wechat import codec
from channels.wechat.callback import FRESH, STATUS
from channels.wechat.replay import Seen
from channels.wechat.settings import decode_key
from normalizer.errors import InvalidInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable

    from channels.contract import Tools
    from channels.wechat.kf.settings import Settings

log = structlog.get_logger()

_EVENT = "kf_msg_or_event"


class Callback:
    """Answers one account's callbacks; ``called`` is given the token that each brings."""

    def __init__(self, account: str, settings: Settings, tools: Tools, called: Callable[[str], None]) -> None:
        self._account = account
        self._open_kfid = settings.open_kfid
        self._tools = tools
        self._called = called
        self._token = settings.token.get_secret_value()
        key = decode_key(settings.aes_key.get_secret_value())
        self._crypter = codec.Crypter(settings.corp_id, [key] if key is not None else [])
        self._seen = Seen(FRESH)

    async def verify(self, request: web.Request) -> web.Response:
        """Answer the console's GET with what its sealed echo string holds."""
        try:
            echo = self._opened(request, codec.query_of(request.rel_url.raw_query_string).get("echostr", ""))
        except InvalidInput as error:
            return self._refused(STATUS.get(str(error), 400), str(error))
        if echo.lstrip().startswith(b"<"):
            # A call is sealed and signed as an echo is: nobody shall have one opened here.
            return self._refused(400, "not_an_echo")
        return web.Response(body=echo, content_type="text/plain")

    async def receive(self, request: web.Request) -> web.Response:
        """Take one call and answer at once."""
        if (request.content_length or 0) > codec.MAX_BODY:
            return self._refused(413, "too_large")
        try:
            sealed = codec.sealed_part(await request.read())
            fields = codec.parse_xml(self._opened(request, sealed if isinstance(sealed, str) else ""))
        except TooLarge as error:
            return self._refused(413, str(error))
        except InvalidInput as error:
            return self._refused(STATUS.get(str(error), 400), str(error))
        mark = codec.query_of(request.rel_url.raw_query_string)["msg_signature"]
        self._seen.add(mark, self._tools.now().timestamp())
        # A corporation may have several accounts with one address.
        if fields.get("Event") == _EVENT and fields.get("OpenKfId") == self._open_kfid:
            self._called(str(fields.get("Token", "")))
        return web.Response(text="success")

    def _opened(self, request: web.Request, sealed: str) -> bytes:
        query = codec.query_of(request.rel_url.raw_query_string)
        stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        mark = query.get("msg_signature", "")
        if not sealed:
            raise InvalidInput("plaintext_refused")
        if not codec.signed(mark, self._token, stamp, nonce, sealed):
            raise InvalidInput("bad_signature")
        clock = self._tools.now().timestamp()
        if not stamp.isdecimal() or len(stamp) > 12 or abs(clock - int(stamp)) > FRESH:
            raise InvalidInput("stale")
        if self._seen.has(mark):
            raise InvalidInput("replayed")
        return self._crypter.decrypt(sealed)

    def _refused(self, status: int, reason: str) -> web.Response:
        log.warning("wechat.refused", account=self._account, reason=reason)
        self._tools.meter.refused(self._account, reason)
        return web.Response(status=status, text=f"{reason}\n")
