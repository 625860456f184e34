"""SGIP's line to a gateway: our visits to send, and our home, where it brings words and reports (sms-email.md 1.2)."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
from typing import TYPE_CHECKING, Literal

import structlog
from pydantic import Field, SecretStr

from channels.contract import SendError, SendReason
from channels.sms import sgip_pdu as pdu
from channels.sms.link import CURE, REFUSED
from channels.sms.pace import backoff
from channels.sms.session import Timers
from channels.sms.settings import Gateway, Networks, address
from normalizer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from channels.sms.pace import Pace
    from channels.sms.session import Session

    Opened = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Session]
    """Makes the session of a connection, not logged in yet."""

log = structlog.get_logger()


class Settings(Gateway):
    """One account with an SMG; ``listen_*`` is where the gateway visits us (0: any free port), ``allow`` from where."""

    kind: Literal["sgip"]
    port: int = Field(default=8801, ge=1, le=65535)
    secret: SecretStr = Field(alias="password")
    login: str = Field(pattern=r"^[\x21-\x7e]{1,16}$")
    node_id: int = Field(ge=1, le=0xFFFFFFFF)
    corp_id: str = Field(pattern=r"^\d{5}$")
    listen_host: str = "0.0.0.0"  # noqa: S104 - the gateway comes from outside; ``allow`` says who may
    listen_port: int = Field(default=8801, ge=0, le=65535)
    allow: Networks = ()
    window: int = Field(default=32, ge=1, le=32)
    idle: float = Field(default=30.0, gt=0, le=60)

    @property
    def timers(self) -> Timers:
        """Thirty seconds for an answer; a link silent for a minute is dropped, for SGIP has no test of it."""
        return Timers(idle=60.0, reply=30.0, tries=0, window=self.window)


class Line:
    """Both ways of one account (``carrier.Line``)."""

    def __init__(self, account: str, settings: Settings, opened: Opened, pace: Pace) -> None:
        self._visits = Visits(account, settings, opened, pace)
        self.home = Home(account, settings, opened, pace)

    async def run(self) -> None:
        """Visit when there is something to send, and be at home, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._visits.run())
            group.create_task(self.home.run())

    async def up(self) -> None:
        """Return once visits are made and the gateway can visit."""
        await self.home.port()

    async def ask(self, build: Callable[[int], bytes]) -> bytes:
        """Send a request and return its answer; raises SendError."""
        return await self._visits.ask(build)

    async def check(self) -> None:
        """Prove that the gateway lets us in; raises SendError."""
        await self._visits.check()


class Visits:
    """Connects when there is something to send and leaves when there is nothing more for ``idle`` seconds."""

    def __init__(self, account: str, settings: Settings, opened: Opened, pace: Pace) -> None:
        self._account = account
        self._settings = settings
        self._opened = opened
        self._pace = pace
        self._lock = asyncio.Lock()
        self._running = False
        self._serving: tuple[Session, asyncio.Task[None]] | None = None
        self._asking = 0
        self._last = 0.0
        self._shut_until = 0.0

    async def ask(self, build: Callable[[int], bytes]) -> bytes:
        """Send a request and return its answer; raises SendError."""
        if not self._running:
            raise SendError(SendReason.CONNECTION, "no line to the gateway")
        self._asking += 1
        try:
            async with self._lock:
                session = await self._current()
            return await session.ask(build)
        finally:
            self._asking -= 1
            self._last = self._pace.clock()

    async def check(self) -> None:
        """Prove that the gateway lets us in; raises SendError."""
        async with self._lock:
            was_there = self._there() is not None
            await self._current()
            if not was_there:
                await self._leave()

    async def run(self) -> None:
        """Leave when idle, and for good when cancelled."""
        self._running = True
        try:
            while True:
                await self._pace.sleep(1.0)
                async with self._lock:
                    if not self._asking and self._pace.clock() - self._last > self._settings.idle:
                        await self._leave()
        finally:
            self._running = False
            await self._leave()

    def _there(self) -> Session | None:
        return self._serving[0] if self._serving is not None and not self._serving[1].done() else None

    async def _current(self) -> Session:
        if session := self._there():
            return session
        if self._pace.clock() < self._shut_until:
            raise SendError(SendReason.CREDENTIALS, "the login was refused a moment ago")
        try:
            session = await self._visit()
        except SendError as error:
            self._refused(error)
            raise
        except InvalidInput as error:
            raise SendError(SendReason.REFUSED, str(error)) from error
        except OSError as error:
            raise SendError(SendReason.CONNECTION, type(error).__name__) from error
        self._last = self._pace.clock()
        self._serving = session, asyncio.create_task(_served(session))
        return session

    def _refused(self, error: SendError) -> None:
        if error.reason is SendReason.CREDENTIALS:
            self._shut_until = self._pace.clock() + REFUSED
            log.error("sms.login_refused", account=self._account, reason=str(error), cure=CURE)

    async def _visit(self) -> Session:
        async with asyncio.timeout(self._settings.timers.login):
            streams = await asyncio.open_connection(self._settings.host, self._settings.port)
        session = self._opened(*streams)
        try:
            await session.login()
        except BaseException:
            await session.close()
            raise
        return session

    async def _leave(self) -> None:
        if self._serving is None:
            return
        session, serving = self._serving
        self._serving = None
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        # A task that is cancelled before it began closes nothing.
        await session.close()


class Home:
    """Where the gateway visits us: it must come from an address that is allowed, and know name and password."""

    def __init__(self, account: str, settings: Settings, opened: Opened, pace: Pace) -> None:
        self._account = account
        self._settings = settings
        self._opened = opened
        self._pace = pace
        self._guests: set[asyncio.Task[None]] = set()
        self._port = 0
        self._ready = asyncio.Event()

    async def port(self) -> int:
        """Return the port we listen on, once we do."""
        await self._ready.wait()
        return self._port

    async def run(self) -> None:
        """Listen until cancelled; a port that is taken is said and tried again, for sending needs none."""
        server = await self._listening()
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        try:
            await asyncio.Event().wait()
        finally:
            self._ready.clear()
            server.close()
            for guest in self._guests:
                guest.cancel()
            await asyncio.gather(*self._guests, return_exceptions=True)

    async def _listening(self) -> asyncio.Server:
        host, port = self._settings.listen_host, self._settings.listen_port
        failures = 0
        while True:
            try:
                return await asyncio.start_server(self._came, host, port)
            except OSError as error:
                failures += 1
                pause = backoff(failures, self._pace.chance())
                log.error(  # noqa: TRY400 - where it was raised says nothing more
                    "sgip.cannot_listen",
                    account=self._account,
                    at=f"{host}:{port}",
                    reason=error.strerror,
                    cure="free the port, or set listen_host and listen_port and tell the carrier",
                    again_in=round(pause, 1),
                )
                await self._pace.sleep(pause)

    def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guest = asyncio.ensure_future(self._guest(reader, writer))
        self._guests.add(guest)
        guest.add_done_callback(self._guests.discard)

    async def _guest(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            admitted = self._known(writer) and await self._bound(reader, writer)
        except (OSError, InvalidInput, asyncio.IncompleteReadError):
            admitted = False
        if not admitted:
            log.warning("sgip.guest_refused", account=self._account)
            writer.close()
            return
        await _served(self._opened(reader, writer))

    def _known(self, writer: asyncio.StreamWriter) -> bool:
        allowed = self._settings.allow
        if not allowed:
            return True
        caller = address((writer.get_extra_info("peername") or ("",))[0])
        return any(caller in network for network in allowed)

    async def _bound(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        async with asyncio.timeout(self._settings.timers.login):
            head = await reader.readexactly(pdu.HEADER.size)
            asked = pdu.decode(head + await reader.readexactly(pdu.length(head) - len(head)))
            if asked.command != pdu.Command.BIND:
                return False
            result = self._judged(pdu.decode_bind(asked.body))
            writer.write(pdu.answer(asked, result))
            await writer.drain()
        return result == pdu.Result.OK

    def _judged(self, bind: pdu.Bind) -> pdu.Result:
        if bind.login_type != pdu.LoginType.TO_SP:
            return pdu.Result.WRONG_TYPE
        right = _digest(self._settings.login, self._settings.secret.get_secret_value())
        same = hmac.compare_digest(right, _digest(bind.name, bind.password))
        return pdu.Result.OK if same else pdu.Result.WRONG_LOGIN


def _digest(name: str, password: str) -> bytes:
    return hashlib.sha256(f"{name}\0{password}".encode()).digest()


async def _served(session: Session) -> None:
    """Serve a session to its end, whatever ends it."""
    try:
        await session.serve()
    except (OSError, InvalidInput) as error:
        log.info("sgip.link_ended", reason=str(error))
    finally:
        await session.close()
