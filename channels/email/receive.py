"""The intake loop: what lies in the folder is read, written down, and only then filed away (sms-email.md 3).

Nothing is remembered between sessions: a mail in the folder is a mail to be taken in, and one that was taken in before
a break is known by its external id. So a changed UIDVALIDITY, a restored mailbox or a long absence lose nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from typing import TYPE_CHECKING

import structlog

from channels.contract import SendError
from channels.email import mime
from channels.email.imap import Declined, Lost, Mailbox
from normalizer.errors import Busy
from normalizer.message import InboundMessage, Part, PartKind, SourceChannel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from channels.contract import Tools
    from channels.email.letter import Letter
    from channels.email.letters import Letters
    from channels.email.settings import Settings

log = structlog.get_logger()

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
BUSY_PAUSE = 2.0
HEAD = 256 * 1024
"""Bytes read of a mail that is larger than allowed: its headers and its first words."""


class Receiver:
    """Takes in the mails of one account until cancelled."""

    def __init__(
        self,
        account: str,
        settings: Settings,
        tools: Tools,
        letters: Letters,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._account = account
        self._settings = settings
        self._tools = tools
        self._letters = letters
        self._pause = pause
        self._failures = 0

    async def run(self) -> None:
        """Keep a session with the mailbox; a lost one is begun again, after a pause that grows."""
        while True:
            try:
                mailbox = await Mailbox.open(self._settings)
                try:
                    log.info("mail.connected", account=self._account, idle=mailbox.pushes)
                    await self._session(mailbox)
                finally:
                    mailbox.close()
            except (Lost, SendError, OSError) as error:
                pause = min(FIRST_PAUSE * 2**self._failures, LONGEST_PAUSE)
                pause *= random.uniform(0.75, 1.25)  # noqa: S311 - jitter
                self._failures += 1
                log.warning("mail.lost", account=self._account, reason=str(error), again_in=round(pause, 1))
                await self._pause(pause)

    async def _session(self, mailbox: Mailbox) -> None:
        late: dict[int, str] = {}
        while True:
            # Until nothing new is found: what comes during a round is told in its commands, and not again by IDLE.
            skipped = set(late)
            while uids := [uid for uid in await mailbox.uids() if uid not in skipped]:
                sizes = await mailbox.sizes(uids)
                skipped.update(uids)
                for uid in uids:
                    if uid in sizes and (folder := await self._take(mailbox, uid, sizes[uid])):
                        late[uid] = folder
            late = {
                uid: folder for uid, folder in late.items() if not await self._filed(mailbox, uid, folder)
            }
            # Only a server that let us work counts as well: one that drops us at once is not asked again at once.
            self._failures = 0
            await mailbox.wait(self._settings.poll_seconds, self._pause)

    async def _take(self, mailbox: Mailbox, uid: int, size: int) -> str:
        """Take one mail in and file it away; return the folder it still has to go to, if any. Raises Lost."""
        most = self._settings.max_size
        raw = await mailbox.fetch(uid, size, HEAD if size > most else most)
        if raw is None:
            return ""
        try:
            await self._accept(raw, whole=size <= most)
            folder = self._settings.processed_folder
        except Exception:
            # Whatever one mail does, the next one is read.
            log.exception("mail.failed", account=self._account, uid=uid, size=size)
            folder = self._settings.failed_folder
        return "" if await self._filed(mailbox, uid, folder) else folder

    async def _filed(self, mailbox: Mailbox, uid: int, folder: str) -> bool:
        """File a mail away; return False when the server will not just now. Raises Lost."""
        try:
            await mailbox.file_away(uid, folder)
        except Declined as declined:
            log.warning("mail.not_filed", account=self._account, uid=uid, folder=folder, reason=str(declined))
            return False
        return True

    async def _accept(self, raw: bytes, *, whole: bool) -> None:
        """Write a mail down, as long as it takes: a database or a disk that is away is no fault of the mail's."""
        letter = mime.read(raw)
        while True:
            try:
                await self._tools.inbox.accept(await self._message(letter, raw, whole=whole))
            except Busy:
                await self._pause(BUSY_PAUSE)
            else:
                return

    async def _message(self, letter: Letter, raw: bytes, *, whole: bool) -> InboundMessage:
        try:
            if (receipt := self._letters.receipt(letter, self._tools.now())) is not None:
                await self._tools.receipts.receive(receipt)
            return await self._letters.message(letter, raw, whole=whole)
        except Busy:
            raise
        except Exception:
            log.exception("mail.unreadable", account=self._account, size=len(raw))
            return await self._unread(raw)

    async def _unread(self, raw: bytes) -> InboundMessage:
        """Return the message of a mail that nothing could be read of: the raw one, for an agent."""
        now = self._tools.now()
        blob = await self._tools.blobs.put(raw)
        return InboundMessage(
            account=self._account,
            sender="unreadable",
            external_id=f"#{hashlib.sha256(raw).hexdigest()[:32]}",
            source=SourceChannel.EMAIL,
            received_at=now,
            sent_at=now,
            parts=(
                Part(PartKind.FILE, name="原始邮件.eml", mime="message/rfc822", size=len(raw), blob=blob),
            ),
            raw=b"",
            raw_blob=blob,
            automatic=True,
            damaged=True,
        )
