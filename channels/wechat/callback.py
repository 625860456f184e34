"""The address WeChat calls: GET proves that it is ours, POST brings messages (wechat.md 2.1, 2.2)."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from channels.contract import Accepted, Answered, wanted
from channels.wechat import codec
from channels.wechat.parse import parse
from channels.wechat.replay import Seen
from channels.wechat.results import Agreed, Looked, results
from channels.wechat.settings import Mode, decode_key
from normalizer.errors import Busy, InvalidInput, TooLarge
from normalizer.evolve import evolve
from normalizer.message import MEDIA_KINDS, Address, EventKind, Receipt

if TYPE_CHECKING:
    from channels.contract import Tools
    from channels.wechat.forms import Form
    from channels.wechat.results import Told
    from channels.wechat.settings import App
    from normalizer.message import InboundMessage, SourceChannel

log = structlog.get_logger()

FRESH = 300
"""Seconds a callback's timestamp may differ from our clock."""
_SUCCESS, _BUSY = Answered(b"success"), Answered(b"busy\n", 503, retry_after=1)


class Callback:
    """Answers one account's callbacks."""

    def __init__(self, account: str, settings: App, source: SourceChannel, form: Form, tools: Tools) -> None:
        self._account = account
        self._source = source
        self._form = form
        self._tools = tools
        self._mode = settings.mode
        self._token = settings.token.get_secret_value()
        self._seen = Seen(FRESH)
        self._once = {each.id: each.once for each in settings.subscribe.values()}
        keys = (settings.aes_key, settings.previous_aes_key)
        decoded = [decode_key(key.get_secret_value()) for key in keys if key is not None]
        self._crypter = codec.Crypter(settings.app_id, [key for key in decoded if key is not None])

    async def verify(self, request: web.Request) -> web.Response:
        """Answer the console's GET with its echo string."""
        query = request.query
        stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        if not codec.signed(query.get("signature", ""), self._token, stamp, nonce):
            return web.Response(status=401, body=self._refused(401, "bad_signature").body)
        return web.Response(text=query.get("echostr", ""))

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """Take one message in and answer when it is written down."""
        if (request.content_length or 0) > codec.MAX_BODY:
            return web.Response(status=413, text=self._refused(413, "too_large").body.decode())
        answer = await self.take(request.rel_url.raw_query_string, await request.read())
        headers = {"Content-Type": answer.content_type}
        if answer.retry_after:
            headers["Retry-After"] = str(answer.retry_after)
        response = web.Response(status=answer.status, body=answer.body, headers=headers)
        # Only a reply that was handed to the network counts as written; a connection that is gone will be retried.
        with contextlib.suppress(ConnectionError):
            await response.prepare(request)
            await response.write_eof()
            answer.written()
        return response

    async def take(self, query: str, body: bytes) -> Answered:
        """Take one message in by the query and the body of its call, and return what it is answered."""
        try:
            now = self._tools.now()
            clock = now.timestamp()
            mark, raw, fields = self._opened(query, body, clock)
            message = self._with_files(parse(self._account, self._source, fields, raw, now))
        except TooLarge as error:
            return self._refused(413, str(error))
        except InvalidInput as error:
            return self._refused(STATUS.get(str(error), 400), str(error))
        try:
            if message.parts[0].event is EventKind.OTHER and (told := results(fields)):
                await self._note(message, told)
                accepted = _NOTED
            else:
                shape = partial(self._reply, message.sender, fields, int(clock))
                accepted = await self._tools.inbox.accept(message, shape)
        except Busy:
            return _BUSY
        self._seen.add(mark, clock)
        if accepted.reply is None:
            return _SUCCESS
        # Who brought the same message a moment before may have no shape for it.
        xml = accepted.shaped or self._reply(message.sender, fields, int(clock), accepted.reply)
        return Answered(xml, content_type="application/xml", written=accepted.written)

    def _opened(self, asked: str, body: bytes, clock: float) -> tuple[str, bytes, dict[str, object]]:
        """Return the call's mark, the message's bytes and its fields; raises InvalidInput."""
        query = codec.query_of(asked)
        stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        if self._mode is Mode.PLAIN:
            # In plain mode the signature does not cover the body, so the body makes the mark its own.
            mark = codec.signature(query.get("signature", ""), body.decode("utf-8", "replace"))
            self._prove(query.get("signature", ""), mark, clock, stamp, nonce)
            return mark, body, self._form.fields(body)
        sealed = self._form.sealed(body)
        if not isinstance(sealed, str) or not sealed:
            raise InvalidInput("plaintext_refused")
        mark = query.get("msg_signature", "")
        self._prove(mark, mark, clock, stamp, nonce, sealed)
        raw = self._crypter.decrypt(sealed)
        return mark, raw, self._form.fields(raw)

    def _prove(self, given: str, mark: str, clock: float, stamp: str, nonce: str, *sealed: str) -> None:
        if not codec.signed(given, self._token, stamp, nonce, *sealed):
            raise InvalidInput("bad_signature")
        if not stamp.isdecimal() or len(stamp) > 12 or abs(clock - int(stamp)) > FRESH:
            raise InvalidInput("stale")
        if self._seen.has(mark):
            raise InvalidInput("replayed")

    async def _note(self, message: InboundMessage, told: tuple[Told, ...]) -> None:
        """Write down what the platform tells of our notices; raises Busy."""
        address = Address(self._account, message.sender)
        for each in told:
            if isinstance(each, Agreed):
                once = self._once.get(each.template, True)
                await self._tools.consents.note(address, each.template, given=each.given, once=once)
            elif isinstance(each, Looked):
                await self._tools.opinions.tell(self._account, each.name, each.opinion)
            elif each.name:
                at = message.received_at
                receipt = Receipt(self._account, each.name, each.delivery, at, each.detail)
                await self._tools.receipts.receive(receipt)

    def _with_files(self, message: InboundMessage) -> InboundMessage:
        """Return the message with a reference for every file that is still to be fetched."""
        if message.parts[0].kind not in MEDIA_KINDS:
            return message
        sign = self._tools.sign
        parts = tuple(evolve(part, blob=wanted(message, part, sign)) for part in message.parts)
        return evolve(message, parts=parts)

    def _reply(self, user: str, fields: dict[str, object], at: int, text: str) -> bytes:
        xml = codec.text_reply(user, str(fields["ToUserName"]), at, text)
        if self._mode is not Mode.PLAIN:
            xml = codec.sealed_reply(self._crypter, self._token, xml, at)
        return xml.encode()

    def _refused(self, status: int, reason: str) -> Answered:
        log.warning("wechat.refused", account=self._account, reason=reason)
        self._tools.meter.refused(self._account, reason)
        return Answered(f"{reason}\n".encode(), status)


_NOTED = Accepted(reply=None, repeat=False, written=lambda: None)
STATUS = {"bad_signature": 401, "plaintext_refused": 403, "stale": 403, "replayed": 403}
"""What a refusal is answered with; 400 where nothing stands here."""
