"""The intake loop: what lies in the folder is read, written down, and only then filed away (sms-email.md 3).

Nothing is remembered between sessions: a mail in the folder is a mail to be taken in, and one that was taken in before
a break is known by its external id. So a changed UIDVALIDITY, a restored mailbox or a long absence lose nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from functools import partial
from typing import TYPE_CHECKING

import structlog

from channels.contract import SendError
from channels.email import mime
from channels.email.hand import Hand
from channels.email.imap import Declined, Lost, Mailbox
from channels.email.suspects import Suspects
from normalizer.errors import Busy
from normalizer.message import InboundMessage, Part, PartKind, SourceChannel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from channels.contract import Tools
    from channels.email.letter import Letter
    from channels.email.letters import Letters
    from channels.email.settings import Settings

log = structlog.get_logger()

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
BUSY_PAUSE = 2.0
AT_ONCE, AT_ONCE_BYTES = 16, 1024 * 1024
"""Letters fetched by one command, and their bytes together; a larger one is fetched alone."""
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
        self._suspects = Suspects(account, tools.now)

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
                self._suspects.lost()
                pause = min(FIRST_PAUSE * 2**self._failures, LONGEST_PAUSE)
                pause *= random.uniform(0.75, 1.25)  # noqa: S311 - jitter
                self._failures += 1
                log.warning("mail.lost", account=self._account, reason=str(error), again_in=round(pause, 1))
                await self._pause(pause)

    async def _session(self, mailbox: Mailbox) -> None:
        late: dict[int, str] = {}
        while True:
            uids = [uid for uid in await mailbox.uids() if uid not in late]
            sizes = await mailbox.sizes(self._suspects.ordered(uids))
            late = await self._file(mailbox, late) | await self._take(mailbox, sizes)
            # Only a server that let us work counts as well: one that drops us at once is not asked again at once.
            self._failures = 0
            await mailbox.wait(self._settings.poll_seconds, self._pause)

    async def _take(self, mailbox: Mailbox, sizes: Mapping[int, int]) -> dict[int, str]:
        """Take mails in and file them away; return those that still have to go to a folder. Raises Lost.

        The next ones are fetched while the last are written down; none is filed before it is.
        """
        hand, late = Hand(), dict[int, str]()
        try:
            for uids in self._groups(sizes):
                size = sum(sizes[uid] for uid in uids)
                while not hand.fits(len(uids), size):
                    await hand.some()
                    late |= await self._file(mailbox, hand.written())
                await self._fetch(mailbox, {uid: sizes[uid] for uid in uids}, hand)
                late |= await self._file(mailbox, hand.written())
            while hand:
                await hand.some()
                late |= await self._file(mailbox, hand.written())
        finally:
            await hand.drop()
        return late

    def _groups(self, sizes: Mapping[int, int]) -> Iterator[list[int]]:
        """Yield the mails in their order, those that are fetched by one command together; a large one is alone."""
        most = min(AT_ONCE_BYTES, self._settings.max_size)
        group: list[int] = []
        for uid, size in sizes.items():
            full = len(group) >= AT_ONCE or sum(sizes[each] for each in group) + size > most
            if group and (full or self._suspects.alone(uid) or self._suspects.alone(group[-1])):
                yield group
                group = []
            group.append(uid)
        if group:
            yield group

    async def _fetch(self, mailbox: Mailbox, sizes: Mapping[int, int], hand: Hand) -> None:
        most, total = self._settings.max_size, sum(sizes.values())
        whole = max(sizes.values()) <= most
        uids = list(sizes)
        self._suspects.asked(uids)
        found = await (mailbox.fetch(uids, total) if whole else mailbox.begin(uids[0], HEAD))
        self._suspects.came()
        for uid, raw in found.items():
            # In a thread, so that a large one holds up nobody else's answer.
            letter = await asyncio.to_thread(mime.read, raw)
            write = partial(self._written, uid, letter, raw, whole=whole)
            hand.take(uid, len(raw), _thread(letter), write)

    async def _file(self, mailbox: Mailbox, folders: Mapping[int, str]) -> dict[int, str]:
        """File mails away; return those that the server will not move just now. Raises Lost."""
        left: dict[int, str] = {}
        for folder in dict.fromkeys(folders.values()):
            uids = [uid for uid, name in folders.items() if name == folder]
            for some in [uids[at : at + AT_ONCE] for at in range(0, len(uids), AT_ONCE)]:
                if not await self._filed(mailbox, some, folder):
                    # One that cannot be moved must not hold the others back.
                    each = [
                        uid for uid in some if len(some) == 1 or not await self._filed(mailbox, [uid], folder)
                    ]
                    left |= dict.fromkeys(each, folder)
        return left

    async def _filed(self, mailbox: Mailbox, uids: Sequence[int], folder: str) -> bool:
        try:
            await mailbox.file_away(uids, folder)
        except Declined as declined:
            log.warning(
                "mail.not_filed", account=self._account, uids=uids, folder=folder, reason=str(declined)
            )
            return False
        return True

    async def _written(self, uid: int, letter: Letter, raw: bytes, *, whole: bool) -> str:
        """Write a mail down and return the folder that it is to be filed in."""
        try:
            await self._accept(letter, raw, whole=whole)
        except Exception:
            # Whatever one mail does, the next one is read.
            log.exception("mail.failed", account=self._account, uid=uid, size=len(raw))
            return self._settings.failed_folder
        return self._settings.processed_folder

    async def _accept(self, letter: Letter, raw: bytes, *, whole: bool) -> None:
        """Write a mail down, as long as it takes: a database or a disk that is away is no fault of the mail's."""
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


def _thread(letter: Letter) -> Iterator[str]:
    """Yield what ties a letter to others: whoever wrote it, and the letters it stands in a thread with."""
    yield letter.sender.address
    yield from (letter.message_id, letter.in_reply_to, *letter.references)
