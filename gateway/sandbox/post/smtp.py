"""SMTP by aiosmtpd on the loop of whoever opens it; the hotline logs in, and meets the faults that were ordered."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Ordered(Protocol):
    """A fault, as the office knows it."""

    @property
    def kind(self) -> str: ...
    @property
    def code(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def deliver(self) -> bool: ...


class Office(Protocol):
    """Where mail goes, and where the faults come from."""

    pause: Callable[[float], Awaitable[None]]

    async def deliver(self, recipients: Sequence[str], raw: bytes) -> None:
        """Bring a mail to its recipients."""

    def fault(self, step: str) -> Ordered | None:
        """Take the next fault ordered for a step."""


class Handler:
    """What aiosmtpd asks at each step."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a sender who has logged in; asking here, aiosmtpd does not warn that there is no TLS."""
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, or answer the fault."""
        refused = await self._meet(server, self._office.fault("RCPT"))
        if refused:
            return refused
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take the mail, or answer the fault."""
        fault = self._office.fault("DATA")
        raw = envelope.content
        assert isinstance(raw, bytes), "data is not decoded"
        lost = fault is not None and fault.kind != "slow" and not fault.deliver
        if not lost:
            await self._office.deliver(tuple(map(str, envelope.rcpt_tos)), raw)
        return await self._meet(server, fault) or "250 2.0.0 OK"

    async def _meet(self, server: SMTP, fault: Ordered | None) -> str:
        if fault is None:
            return ""
        match fault.kind:
            case "slow":
                await self._office.pause(fault.seconds)
                return ""
            case "code":
                return f"{fault.code} {fault.code // 100}.0.0 fault on demand"
            case _:
                if server.transport is not None:
                    cast("asyncio.Transport", server.transport).abort()
                return "421 4.3.0 connection cut"


@asynccontextmanager
async def listening(office: Office, user: str, password: str, max_bytes: int) -> AsyncIterator[int]:
    """Serve SMTP on a free loopback port, which is given; only ``user`` may send."""
    loop = asyncio.get_running_loop()
    opened: list[SMTP] = []

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, told: Any) -> AuthResult:
        good = isinstance(told, LoginPassword) and hmac.compare_digest(
            told.login + b"\0" + told.password, f"{user}\0{password}".encode()
        )
        return AuthResult(success=good, handled=good, auth_data=user if good else None)

    def connection() -> SMTP:
        smtp = SMTP(
            Handler(office), data_size_limit=max_bytes, enable_SMTPUTF8=True, hostname="post.test",
            authenticator=check, auth_require_tls=False, loop=loop,
        )  # fmt: skip
        opened.append(smtp)
        return smtp

    server = await loop.create_server(connection, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for smtp in opened:
            if smtp.transport is not None:
                cast("asyncio.Transport", smtp.transport).abort()
        # aborted transports close their sockets in the loop's next turn
        await asyncio.sleep(0)
