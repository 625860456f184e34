"""Fetches what people wrote to 微信客服: page by page, as far as it was read before (wechat.md 2.9).

The mark of a page is noted only after all its messages are written down, so a kill anywhere brings them again, and the
inbox knows them by their ids. One process pulls at a time; a second one that was let in does no harm.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from channels.contract import SendError, wanted
from channels.lease import Lease
from channels.wechat.kf import parse
from normalizer.errors import Busy
from normalizer.evolve import evolve
from normalizer.message import MEDIA_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from channels.contract import Tools
    from channels.wechat.api import Api
    from normalizer.message import InboundMessage

log = structlog.get_logger()

PATH = "/cgi-bin/kf/sync_msg"
LIMIT = 1000
TOKEN_LIVES = 600.0
"""Seconds for which the token of a call spares us the limit on calls without one."""
TOKEN_OVER = 95007
ONE_PULLS, WAIT = 60.0, 30.0
PAUSES = (1.0, 5.0, 30.0, 60.0)
"""Seconds between tries after a fault; the last for all that follow."""
EMPTY_PAGES = 50
"""How many pages may follow one another that bring neither a message nor a new mark."""


class Pull:
    """Brings one account's messages to the inbox until cancelled."""

    def __init__(self, account: str, open_kfid: str, seconds: float, api: Api, tools: Tools) -> None:
        self._account = account
        self._open_kfid = open_kfid
        self._seconds = seconds
        self._api = api
        self._tools = tools
        self._called = asyncio.Event()
        self._token, self._token_until = "", 0.0
        self._alone = asyncio.Lock()

    def called(self, token: str) -> None:
        """Note that the provider said there is something to fetch."""
        self._token, self._token_until = token, asyncio.get_running_loop().time() + TOKEN_LIVES
        self._called.set()

    async def run(self) -> None:
        """Fetch when called, and now and then uncalled, until cancelled."""
        lease = Lease(self._tools.keys, f"kf:{self._account}:poll")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._when_called(), name=f"{self._account}: called")
            group.create_task(lease.keep(self._now_and_then), name=f"{self._account}: poll")

    async def once(self) -> None:
        """Fetch all there is; raises SendError or Busy."""
        key = f"kf:{self._account}:pull"
        # Without the lock, as when Redis is away, a page may be read by two: the inbox knows what it has seen.
        async with self._alone, self._tools.keys.lock(key, ONE_PULLS, WAIT):
            cursor, empty = await self._tools.cursors.get(self._account), 0
            while empty < EMPTY_PAGES:
                page = await self._page(cursor)
                entries = [entry for entry in page.get("msg_list") or [] if isinstance(entry, dict)]
                await self._take(entries)
                following = str(page.get("next_cursor") or cursor)
                # A page may be empty and yet have others behind it.
                empty = 0 if entries or following != cursor else empty + 1
                if following != cursor:
                    await self._tools.cursors.put(self._account, following)
                    cursor = following
                if not page.get("has_more"):
                    return
            log.warning("kf.pages_without_end", account=self._account)

    async def _when_called(self) -> None:
        while True:
            await self._called.wait()
            self._called.clear()
            await self._until_done()

    async def _now_and_then(self) -> None:
        while True:
            await self._until_done()
            await asyncio.sleep(self._seconds)

    async def _until_done(self) -> None:
        tries = 0
        while True:
            try:
                return await self.once()
            except (SendError, Busy) as error:
                log.warning("kf.not_pulled", account=self._account, error=str(error) or type(error).__name__)
            except Exception:
                log.exception("kf.pull_broke", account=self._account)
            await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
            tries += 1

    async def _page(self, cursor: str) -> dict[str, Any]:
        body = {"open_kfid": self._open_kfid, "limit": LIMIT, "voice_format": 0}
        if cursor:
            body["cursor"] = cursor
        if not self._token or asyncio.get_running_loop().time() >= self._token_until:
            return await self._api.call(PATH, body)
        try:
            return await self._api.call(PATH, body | {"token": self._token})
        except SendError as error:
            if f"errcode {TOKEN_OVER}" not in error.detail:
                raise
            # A call that was kept waiting on its way brings a token that is over.
            self._token = ""
            return await self._api.call(PATH, body)

    async def _take(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Write a page down: each person's messages in their order, people beside one another; raises Busy."""
        now = self._tools.now()
        people: dict[str, list[InboundMessage]] = {}
        for entry in entries:
            if (told := parse.receipt(self._account, entry, now)) is not None:
                await self._tools.receipts.receive(told)
            elif (message := parse.message(self._account, entry, now)) is not None:
                people.setdefault(message.sender, []).append(self._with_file(message))
            else:
                log.info(
                    "kf.passed_over", account=self._account, origin=entry.get("origin"), kind=_kind(entry)
                )
        done = await asyncio.gather(*(self._bring(each) for each in people.values()), return_exceptions=True)
        for failed in done:
            if failed is not None:
                raise failed

    async def _bring(self, messages: Sequence[InboundMessage]) -> None:
        for message in messages:
            accepted = await self._tools.inbox.accept(message)
            if accepted.reply is not None:
                accepted.written()

    def _with_file(self, message: InboundMessage) -> InboundMessage:
        (part,) = message.parts
        if part.kind not in MEDIA_KINDS:
            return message
        return evolve(message, parts=(evolve(part, blob=wanted(message, part, self._tools.sign)),))


def _kind(entry: Mapping[str, Any]) -> str:
    event = entry.get("event")
    return str(event.get("event_type") if isinstance(event, dict) else entry.get("msgtype"))
