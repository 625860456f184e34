"""China Unicom's SGIP 1.2: we visit the gateway to send, and it visits us to bring words and reports (sms-email.md 1.2)."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import structlog
from pydantic import Field, SecretStr

from channels.contract import SendError, SendReason
from channels.settings import read
from channels.sms import sgip_pdu as pdu
from channels.sms.carrier import Carrier, Outcome, Upward
from channels.sms.pace import Pace
from channels.sms.session import Session, Timers
from channels.sms.settings import Gateway
from channels.sms.text import WIDE
from normalizer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from channels.contract import Tools
    from channels.sms.carrier import Outgoing
    from channels.sms.text import Alphabet

log = structlog.get_logger()

_CHINA = ZoneInfo("Asia/Shanghai")
_STATES = {0: "DELIVRD", 1: "ENROUTE", 2: "UNDELIV"}


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
    allow: tuple[str, ...] = ()
    window: int = Field(default=32, ge=1, le=32)
    idle: float = Field(default=30.0, gt=0, le=60)

    @property
    def timers(self) -> Timers:
        """Thirty seconds for an answer; a link silent for a minute is dropped, for SGIP has no test of it."""
        return Timers(idle=60.0, reply=30.0, tries=0, window=self.window)


class Frames:
    """SGIP's frames for one account (``carrier.Frames``)."""

    header = pdu.HEADER.size
    longest = pdu.MAX_PDU
    alphabets: Sequence[Alphabet] = (WIDE,)
    throttled = frozenset({int(pdu.Result.BUSY), int(pdu.Result.QUEUE_FULL)})
    reasons: Mapping[int, SendReason] = {
        pdu.Result.BAD_NUMBER: SendReason.UNREACHABLE,
        pdu.Result.UNREACHABLE: SendReason.UNREACHABLE,
        pdu.Result.USER_AWAY: SendReason.UNREACHABLE,
        pdu.Result.UNKNOWN_USER: SendReason.UNREACHABLE,
        pdu.Result.SYSTEM_ERROR: SendReason.BUSY,
    }

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._counter = 0

    def key(self, frame: bytes) -> bytes:
        """Return the twelve bytes of the sequence."""
        return pdu.decode(frame).sequence

    def answers(self, frame: bytes) -> bool:
        """Return whether the command has the highest bit set."""
        return bool(pdu.decode(frame).command & pdu.RESPONSE)

    def login(self, sequence: int) -> bytes:  # noqa: ARG002 - see _named
        """Return Bind of the SP to the gateway."""
        who = self._settings
        body = pdu.Bind(pdu.LoginType.TO_GATEWAY, who.login, who.secret.get_secret_value()).encode()
        return self._named(pdu.Command.BIND, body)

    def welcomed(self, frame: bytes) -> None:
        """Read the answer to Bind; raises SendError when we were not let in, InvalidInput."""
        result = pdu.decode_answer(pdu.decode(frame).body)
        if result in {pdu.Result.WRONG_LOGIN, pdu.Result.WRONG_TYPE}:
            raise SendError(SendReason.CREDENTIALS, f"bind result {result}")
        if result:
            raise SendError(SendReason.BUSY, f"bind result {result}")

    def test(self, sequence: int) -> bytes:  # noqa: ARG002 - see _named
        """Return Unbind: SGIP has no test of a link, and ``tries`` is nought."""
        return self._named(pdu.Command.UNBIND)

    def goodbye(self, sequence: int) -> bytes:  # noqa: ARG002 - see _named
        """Return Unbind."""
        return self._named(pdu.Command.UNBIND)

    def routine(self, frame: bytes) -> bytes | None:
        """Return the answer to Unbind."""
        asked = pdu.decode(frame)
        return pdu.Pdu(pdu.Command.UNBIND_RESP, asked.sequence).encode() if self.ends(frame) else None

    def ends(self, frame: bytes) -> bool:
        """Return whether this is Unbind."""
        return pdu.decode(frame).command == pdu.Command.UNBIND

    def submit(self, sequence: int, message: Outgoing) -> bytes:  # noqa: ARG002 - see _named
        """Return Submit that asks for a report; raises InvalidInput."""
        who = self._settings
        fields = pdu.Submit(
            source=who.src_id,
            user="86" + message.receiver.removeprefix("86"),
            corp_id=who.corp_id,
            service_type=who.service_id,
            content=message.content,
            coding=message.coding,
            udhi=int(message.total > 1),
        )
        return self._named(pdu.Command.SUBMIT, fields.encode())

    def submitted(self, frame: bytes) -> tuple[str, int]:
        """Read Submit_Resp; the message's name is the sequence it was sent with."""
        answer = pdu.decode(frame)
        return answer.sequence.hex(), pdu.decode_answer(answer.body)

    def delivered(self, frame: bytes) -> Upward | Outcome | None:
        """Read Deliver or Report; raises InvalidInput."""
        came = pdu.decode(frame)
        if came.command == pdu.Command.REPORT:
            report = pdu.decode_report(came.body)
            return Outcome(report.sequence.hex(), _STATES.get(report.state, "ENROUTE"))
        if came.command != pdu.Command.DELIVER:
            return None
        words = pdu.decode_deliver(came.body)
        return Upward(came.sequence.hex(), words.user, words.coding, words.has_header, words.content)

    def taken(self, frame: bytes) -> bytes:
        """Return the answer with result 0."""
        return answer(pdu.decode(frame), pdu.Result.OK)

    def _named(self, command: int, body: bytes = b"") -> bytes:
        """Return a request under a name no other link of this node gives: the counter runs across links."""
        self._counter = self._counter % 0xFFFFFFFF + 1
        stamp = int(self._now().astimezone(_CHINA).strftime("%m%d%H%M%S"))
        name = pdu.Sequence(self._settings.node_id, stamp, self._counter).encode()
        return pdu.Pdu(command, name, body).encode()


class Visits:
    """Connects when there is something to send and leaves when there is nothing more for ``idle`` seconds."""

    def __init__(self, open_session: Callable[[], Awaitable[Session]], idle: float, pace: Pace) -> None:
        self._open = open_session
        self._idle = idle
        self._pace = pace
        self._lock = asyncio.Lock()
        self._session: Session | None = None
        self._serving: asyncio.Task[None] | None = None
        self._last = 0.0

    async def ask(self, build: Callable[[int], bytes]) -> bytes:
        """Send a request and return its answer; raises SendError."""
        async with self._lock:
            session = await self._current()
        self._last = self._pace.clock()
        return await session.ask(build)

    async def check(self) -> None:
        """Prove that the gateway lets us in; raises SendError."""
        async with self._lock:
            await self._current()

    async def run(self) -> None:
        """Leave when idle, and for good when cancelled."""
        try:
            while True:
                await self._pace.sleep(1.0)
                async with self._lock:
                    if self._pace.clock() - self._last > self._idle:
                        await self._leave()
        finally:
            await self._leave()

    async def _current(self) -> Session:
        if self._session is not None and self._serving is not None and not self._serving.done():
            return self._session
        await self._leave()
        try:
            self._session = await self._open()
        except InvalidInput as error:
            raise SendError(SendReason.REFUSED, str(error)) from error
        except OSError as error:
            raise SendError(SendReason.CONNECTION, type(error).__name__) from error
        self._last = self._pace.clock()
        self._serving = asyncio.create_task(_served(self._session))
        return self._session

    async def _leave(self) -> None:
        if self._serving is not None:
            self._serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._serving
        self._serving = self._session = None


class Sgip(Carrier):
    """One account with an SMG, as a channel; ``listening`` is set to our port once the gateway can visit."""

    def __init__(self, account: str, settings: Settings, tools: Tools, pace: Pace | None = None) -> None:
        pace = pace or Pace()
        frames = Frames(settings, tools.now)
        super().__init__(
            account,
            frames,
            tools,
            address=(settings.host, settings.port),
            signature=settings.signature,
            rate=settings.rate,
            timers=settings.timers,
            pace=pace,
        )
        self._settings = settings
        self._visits = Visits(self._visit, settings.idle, pace)
        self.link = self._visits  # type: ignore[assignment] # the same two verbs, by short visits
        self.listening: asyncio.Future[int] = asyncio.Future()

    async def run(self) -> None:
        """Be at home to the gateway, and deliver what never comes whole, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._visits.run())
            group.create_task(self._concat.run())
            group.create_task(self._home())

    async def _home(self) -> None:
        guests: set[asyncio.Task[None]] = set()

        def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            guest = asyncio.ensure_future(self._guest(reader, writer))
            guests.add(guest)
            guest.add_done_callback(guests.discard)

        server = await asyncio.start_server(came, self._settings.listen_host, self._settings.listen_port)
        self.listening.set_result(server.sockets[0].getsockname()[1])
        try:
            await asyncio.Event().wait()
        finally:
            server.close()
            for guest in guests:
                guest.cancel()
            await asyncio.gather(*guests, return_exceptions=True)

    async def _guest(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            admitted = await self._admitted(reader, writer)
        except (OSError, InvalidInput, asyncio.IncompleteReadError):
            admitted = False
        if not admitted:
            log.warning("sgip.guest_refused", account=self.account)
            writer.close()
            return
        await _served(self._session(reader, writer))

    async def _admitted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if self._settings.allow and writer.get_extra_info("peername")[0] not in self._settings.allow:
            return False
        async with asyncio.timeout(self._settings.timers.login):
            head = await reader.readexactly(pdu.HEADER.size)
            asked = pdu.decode(head + await reader.readexactly(pdu.length(head) - len(head)))
            if asked.command != pdu.Command.BIND:
                return False
            result = self._judged(pdu.decode_bind(asked.body))
            writer.write(answer(asked, result))
            await writer.drain()
        return result == pdu.Result.OK

    def _judged(self, bind: pdu.Bind) -> pdu.Result:
        if bind.login_type != pdu.LoginType.TO_SP:
            return pdu.Result.WRONG_TYPE
        who = self._settings
        right = _digest(who.login, who.secret.get_secret_value())
        return (
            pdu.Result.OK
            if hmac.compare_digest(right, _digest(bind.name, bind.password))
            else pdu.Result.WRONG_LOGIN
        )

    async def _visit(self) -> Session:
        async with asyncio.timeout(self._settings.timers.login):
            streams = await asyncio.open_connection(self._settings.host, self._settings.port)
        session = self._session(*streams)
        try:
            await session.login()
        except BaseException:
            await session.close()
            raise
        return session

    def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Session:
        streams = (reader, writer)
        return Session(
            self.account, streams, self._frames, self._handle, timers=self._settings.timers, pace=self._pace
        )


def build(account: str, settings: Mapping[str, object], tools: Tools, pace: Pace | None = None) -> Sgip:
    """Make the channel of an account; raises Misconfigured. Needs a running loop."""
    return Sgip(account, read(Settings, account, settings), tools, pace)


def answer(asked: pdu.Pdu, result: int) -> bytes:
    """Return the answer to a Bind, Deliver or Report."""
    return pdu.Pdu(asked.command | pdu.RESPONSE, asked.sequence, pdu.encode_answer(result)).encode()


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
