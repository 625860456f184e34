"""One session with a mailbox over aioimaplib, with what that library leaves to its user (sms-email.md 3).

Results other than OK raise; a lost connection ends every wait at once; no command asks for so many answers that the
library's reader would break (its issue 118); IMAP ID is always sent, for NetEase lets nobody in without.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from typing import TYPE_CHECKING, TypeVar

from aioimaplib import AioImapException

from channels.contract import SendError, SendReason
from channels.email.settings import Security
from channels.email.wire import Client, quoted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from channels.email.settings import Settings

T = TypeVar("T")

SECONDS = 20.0
"""For a command; a fetch gets more with its size."""
BYTES_A_SECOND = 100_000
IDLE_SECONDS = 540.0
"""Servers end an IDLE at about ten minutes (spec 3)."""
AT_ONCE = 50
"""Mails whose sizes are asked for in one command."""
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"UID (\d+).*?RFC822\.SIZE (\d+)|RFC822\.SIZE (\d+).*?UID (\d+)", re.DOTALL)


class Lost(Exception):
    """The session is over: the server refused, did not answer, or the connection broke."""


class Declined(Lost):
    """The server said no to a command; the session may go on."""


class Mailbox:
    """A session that is logged in and has its folder open. Made by ``open``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lost = asyncio.Event()
        secure = settings.imap_security is Security.TLS
        # The library's class for TLS tells nobody of a lost connection; this one takes a context as well.
        self._client = Client(
            host=settings.imap_host,
            port=settings.imap_port,
            timeout=SECONDS,
            conn_lost_cb=lambda _: self._lost.set(),
            ssl_context=ssl.create_default_context() if secure else None,
        )

    @classmethod
    async def open(cls, settings: Settings) -> Mailbox:
        """Connect, log in and open the folder; raises Lost, or SendError when we are not let in."""
        mailbox = cls(settings)
        try:
            await mailbox._let_in()
        except BaseException:
            mailbox.close()
            raise
        return mailbox

    @property
    def pushes(self) -> bool:
        """Whether the server tells of new mail by itself."""
        return bool(self._client.has_capability("IDLE"))

    async def uids(self) -> list[int]:
        """Return the mails in the folder, oldest first; raises Lost."""
        self._client.news = False
        lines = await self._ask(lambda: self._client.uid_search("UNDELETED", charset=None))
        return sorted(int(uid) for uid in (lines[0].split() if lines else ()) if uid.isdigit())

    async def sizes(self, uids: list[int]) -> dict[int, int]:
        """Return the bytes of each mail, in the order given; one that is gone has none. Raises Lost."""
        found: dict[int, int] = {}
        for at in range(0, len(uids), AT_ONCE):
            numbers = _set(uids[at : at + AT_ONCE])
            lines = await self._ask(
                lambda numbers=numbers: self._client.uid("fetch", numbers, "(UID RFC822.SIZE)")  # type: ignore[misc]
            )
            for line in lines:
                for a, b, c, d in _SIZE.findall(bytes(line)):
                    found[int(a or d)] = int(b or c)
        return {uid: found[uid] for uid in uids if uid in found}

    async def fetch(self, uids: Sequence[int], size: int) -> dict[int, bytes]:
        """Return mails of ``size`` bytes together; one that is gone is not among them. Raises Lost."""
        return await self._fetched(uids, "BODY.PEEK[]", size)

    async def begin(self, uid: int, most: int) -> dict[int, bytes]:
        """Return the first ``most`` bytes of a mail, or nothing when it is gone; raises Lost."""
        return await self._fetched([uid], f"BODY.PEEK[]<0.{most}>", most)

    async def file_away(self, uids: Sequence[int], folder: str) -> None:
        """Move mails to another folder; raises Lost, or Declined when the server will not just now."""
        numbers, name, client = _set(uids), quoted(folder), self._client
        if client.has_capability("MOVE"):
            await self._ask(lambda: client.uid("move", numbers, name))
            return
        await self._ask(lambda: client.uid("copy", numbers, name))
        await self._ask(lambda: client.uid("store", numbers, "+FLAGS", r"(\Deleted)"))
        # By number where the server can: what somebody else marked deleted is his to expunge.
        if client.has_capability("UIDPLUS"):
            await self._ask(lambda: client.uid("expunge", numbers))
        else:
            await self._ask(client.expunge)

    async def wait(self, poll: float, stop: Callable[[float], Awaitable[None]]) -> None:
        """Return when there may be new mail: told by the server, or after ``poll`` seconds of ``stop``; raises Lost.

        At once when the server told of some in its answer to another command: it will not tell again.
        """
        if self._client.news:
            return
        if not self.pushes:
            await self._unless_lost(stop(poll))
            await self._ask(self._client.noop)
            return
        # What came in the very moment of the last look is not told of again: so never longer than a poll.
        idle = await self._unless_lost(self._client.idle_start(timeout=min(IDLE_SECONDS, poll)))
        try:
            # The library's own timer of ``idle_start`` ends the wait in time.
            await self._unless_lost(self._client.wait_server_push(IDLE_SECONDS + SECONDS))
        finally:
            self._client.idle_done()
        await self._within(idle, SECONDS)

    def close(self) -> None:
        """Drop the connection, or the attempt at one."""
        self._client._client_task.cancel()  # noqa: SLF001 - the library lets nobody else take it back
        if (transport := self._client.protocol.transport) is not None:
            transport.close()

    async def _let_in(self) -> None:
        chosen, client = self._settings, self._client
        await self._within(client.wait_hello_from_server(), SECONDS)
        password = chosen.imap_secret.get_secret_value()
        answer = await self._within(client.login(chosen.imap_user, password), SECONDS)
        if answer.result != "OK":
            raise SendError(SendReason.CREDENTIALS, "IMAP LOGIN refused")
        # Asked anew, for what comes with the login is read wrong; and ID, or NetEase refuses SELECT. Whoever does not
        # know ID says so, and no harm is done.
        await self._within(client.protocol.capability(), SECONDS)
        await self._within(client.id(name="jiesu", version="1", vendor="jiesu"), SECONDS)
        for folder in (chosen.processed_folder, chosen.failed_folder):
            await self._within(client.create(quoted(folder)), SECONDS)
        await self._ask(lambda: client.select(quoted(chosen.folder)))

    async def _fetched(self, uids: Sequence[int], wanted: str, size: int) -> dict[int, bytes]:
        seconds = SECONDS + size / BYTES_A_SECOND
        protocol = self._client.protocol
        command = f"(UID {wanted})"
        lines = await self._ask(
            lambda: protocol.uid("fetch", _set(uids), command, timeout=seconds), seconds + SECONDS
        )
        found: dict[int, bytes] = {}
        for at in (at for at, line in enumerate(lines) if isinstance(line, bytearray)):
            # The number stands before the mail or, with some servers, after it.
            around = _UID.search(lines[at - 1]) or _UID.search(b"".join(lines[at + 1 : at + 2]))
            if around is not None:
                found[int(around.group(1))] = bytes(lines[at])
        return found

    async def _ask(
        self, command: Callable[[], Awaitable[object]], seconds: float = SECONDS + 5
    ) -> list[bytes | bytearray]:
        answer = await self._within(command(), seconds)
        if getattr(answer, "result", "") != "OK":
            raise Declined("the server declined a command")
        return list(getattr(answer, "lines", ()))

    async def _within(self, work: Awaitable[T], seconds: float) -> T:
        try:
            async with asyncio.timeout(seconds):
                return await self._unless_lost(work)
        except (TimeoutError, AioImapException, OSError) as error:
            raise Lost(type(error).__name__) from error

    async def _unless_lost(self, work: Awaitable[T]) -> T:
        """Race work against the loss of the connection, which the library tells nobody who waits."""
        doing, lost = asyncio.ensure_future(work), asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait({doing, lost}, return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                raise Lost("the connection broke")
            return doing.result()
        except (AioImapException, OSError) as error:
            raise Lost(type(error).__name__) from error
        finally:
            for task in (doing, lost):
                task.cancel()
            await asyncio.gather(doing, lost, return_exceptions=True)


def _set(uids: Sequence[int]) -> str:
    return ",".join(map(str, uids))
