"""What the HTTP providers of SMS share inward: who may call, how much, and no thanks before it is written down.

None of them signs its callbacks, so a secret part of the path and the caller's address stand for the signature
(sms-email.md 1.5). An adapter gives two pure functions, from a record to what it says, and its own thanks.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web

from channels.contract import Route
from channels.sms.numbers import bare, machine
from channels.sms.settings import address
from normalizer.errors import Busy, InvalidInput, TooLarge
from normalizer.message import Delivery, InboundMessage, Part, PartKind, Receipt, SourceChannel

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from channels.contract import Tools
    from channels.sms.outgoing import HttpSettings

log = structlog.get_logger()

MAX_BODY = 512 * 1024
"""Bytes of one callback; the largest real one brings 100 reports."""
MAX_RECORDS = 1000
_RETRY = {"Retry-After": "5"}
_STATUS = {"bad_secret": 403, "foreign_address": 403, "too_large": 413}
_CHINA = ZoneInfo("Asia/Shanghai")


class Record(dict[str, Any]):
    """What a provider says of one message: a JSON object, a form or a query."""

    def text(self, name: str) -> str:
        """Return a field that must be there, number or string alike; raises InvalidInput."""
        if (value := self.maybe(name)) == "":
            raise InvalidInput("missing_field")
        return value

    def maybe(self, name: str) -> str:
        """Return a field as text, empty when it is not there or is neither text nor number."""
        value = self.get(name)
        if isinstance(value, bool):
            return str(value).lower()
        return readable(value) if isinstance(value, str) else str(value) if isinstance(value, int) else ""


Take = Callable[[Record, bytes], Awaitable[None]]
"""Takes one record with its own bytes; raises InvalidInput or Busy."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message as the provider tells it; ``sent_at`` is None where it does not say when."""

    sender: str
    text: str
    external_id: str
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Reported:
    """A report as the provider tells it, under the name that ``send`` returned."""

    name: str
    delivery: Delivery
    at: datetime | None
    detail: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one provider calls back: what a record says, where a batch lies in an object, and how it is thanked."""

    received: Callable[[Record], Received]
    reported: Callable[[Record], Reported]
    thanks: str
    batch: str = ""


class Callbacks:
    """Answers one account's callbacks."""

    def __init__(self, account: str, settings: HttpSettings, tools: Tools, dialect: Dialect) -> None:
        self._account = account
        self._settings = settings
        self._tools = tools
        self._dialect = dialect

    def routes(self) -> Sequence[Route]:
        """Return the addresses for messages and for reports."""
        return tuple(
            Route(method, f"/{{secret}}/{path}", handler)
            for path, handler in (("up", self.up), ("report", self.report))
            for method in ("POST", "GET")
        )

    async def up(self, request: web.Request) -> web.Response:
        """Take messages in and thank when all are written down."""
        return await self._taken(request, self._accept)

    async def report(self, request: web.Request) -> web.Response:
        """Take reports in and thank when all are written down."""
        return await self._taken(request, self._receive)

    async def _taken(self, request: web.Request, take: Take) -> web.Response:
        try:
            self._prove(request)
            records = await records_of(request, self._dialect.batch)
            faults = await _faults(records, take)
        except Busy:
            return web.Response(status=503, text="busy\n", headers=_RETRY)
        except InvalidInput as error:
            self._refused(str(error))
            return web.Response(status=_STATUS.get(str(error), 400), text=f"{error}\n")
        for fault in faults:
            self._refused(fault)
        if faults and len(faults) == len(records):
            return web.Response(status=400, text=f"{faults[0]}\n")
        kind = "application/json" if self._dialect.thanks else "text/plain"
        return web.Response(text=self._dialect.thanks, content_type=kind)

    async def _accept(self, record: Record, raw: bytes) -> None:
        said, now = self._dialect.received(record), self._tools.now()
        message = InboundMessage(
            account=self._account,
            sender=proper(said.sender),
            external_id=said.external_id,
            source=SourceChannel.SMS,
            received_at=now,
            sent_at=said.sent_at or now,
            parts=(Part(PartKind.TEXT, text=said.text),),
            raw=raw,
            automatic=machine(said.sender),
        )
        await self._tools.inbox.accept(message)

    async def _receive(self, record: Record, raw: bytes) -> None:  # noqa: ARG002 - both takers have one shape
        said = self._dialect.reported(record)
        at = said.at or self._tools.now()
        await self._tools.receipts.receive(Receipt(self._account, said.name, said.delivery, at, said.detail))

    def _prove(self, request: web.Request) -> None:
        given = request.match_info.get("secret", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._settings.callback_secret.get_secret_value().encode()):
            raise InvalidInput("bad_secret")
        allowed = self._settings.callback_allow
        if allowed and not any(self._caller(request) in network for network in allowed):
            raise InvalidInput("foreign_address")

    def _caller(self, request: web.Request) -> IPv4Address | IPv6Address:
        """Return who calls: the peer, or whom the last of our own proxies names."""
        caller = address(request.remote or "")
        hops = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
        while hops and any(caller in network for network in self._settings.trusted_proxies):
            caller = address(hops.pop().strip())
        return caller

    def _refused(self, reason: str) -> None:
        log.warning("sms.refused", account=self._account, reason=reason)
        self._tools.meter.refused(self._account, reason)


async def _faults(records: Sequence[tuple[Record, bytes]], take: Take) -> list[str]:
    """Take every record and return what is wrong with some: a bad one must not keep its neighbours out."""
    faults = []
    for record, raw in records:
        try:
            await take(record, raw)
        except InvalidInput as error:
            faults.append(str(error))
    return faults


async def records_of(request: web.Request, batch: str) -> list[tuple[Record, bytes]]:
    """Return the records of a callback, each with its own bytes; raises InvalidInput.

    The content type is not asked, for providers name it wrongly: a JSON body begins with a bracket, a form never does.
    """
    if (request.content_length or 0) > MAX_BODY:
        raise TooLarge("too_large")
    body = await request.read() if request.method == "POST" else request.rel_url.raw_query_string.encode()
    if len(body) > MAX_BODY:
        raise TooLarge("too_large")
    if body.lstrip()[:1] not in {b"[", b"{"}:
        return [(form_of(body), body)]
    found = _json(body)
    if isinstance(found, dict):
        found = found[batch] if batch and batch in found else [found]
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InvalidInput("malformed")
    if len(found) > MAX_RECORDS:
        raise TooLarge("too_large")
    return [(Record(one), json.dumps(one, ensure_ascii=False).encode("utf-8", "replace")) for one in found]


def form_of(body: bytes) -> Record:
    """Return the fields of a form or query; bytes that are no UTF-8 are kept as they came (see ``raw_of``)."""
    if not body:
        raise InvalidInput("malformed")
    text = body.decode("ascii", "replace")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="surrogateescape", max_num_fields=100)
    except ValueError as error:
        raise InvalidInput("malformed") from error
    return Record(pairs)


def raw_of(value: str) -> bytes:
    """Return the bytes of a form's field as they came."""
    return value.encode("utf-8", "surrogateescape")


def readable(value: str) -> str:
    """Return a text without broken characters: what is no UTF-8 is read as GB 18030, the rest replaced."""
    try:
        value.encode()
    except UnicodeEncodeError:
        value = _rescued(value)
    return value.replace("\0", "")


def _rescued(value: str) -> str:
    try:
        return raw_of(value).decode("gb18030", "replace")
    except UnicodeEncodeError:  # half an emoji, written as an escape in JSON
        return value.encode("utf-8", "replace").decode()


def proper(number: str) -> str:
    """Return a number as ``bare`` does; raises InvalidInput when it is none."""
    digits = bare(number)
    if not (digits.isascii() and digits.isdecimal() and 3 <= len(digits) <= 21):
        raise InvalidInput("bad_number")
    return digits


def china_time(text: str) -> datetime | None:
    """Return the instant of a wall clock in China (2017-09-01 00:00:00), None when it is not readable."""
    return _instant(text, _CHINA)


def utc_time(text: str) -> datetime | None:
    """Return the instant of a UTC time (2018-04-13T06:31:46Z), None when it is not readable."""
    return _instant(text, UTC)


def _instant(text: str, zone: tzinfo) -> datetime | None:
    try:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("malformed") from error
