"""A link to a carrier's gateway that is kept up: connect, log in, serve, and again when it is lost.

It knows no protocol: a ``Dialect`` says what the frames mean. CMPP, SMGP and their like build on it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from channels.contract import SendError, SendReason
from channels.sms.pace import Pace, backoff
from channels.sms.session import Session, Timers
from normalizer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from channels.sms.session import Dialect

log = structlog.get_logger()

STEADY = 30.0
"""Seconds a link must have lasted before its loss counts as the first failure again."""
REFUSED = 30.0
"""Seconds at least before a refused login is tried again: gateways lock accounts that keep knocking."""
CURE = "check the account's name, secret and protocol version, and that the carrier knows our address"
"""What the log says to do about a refused login."""


class Link:
    """Keeps one session with a gateway; ``handle`` is given each request of the peer (see ``Session``)."""

    def __init__(
        self,
        account: str,
        address: tuple[str, int],
        dialect: Dialect,
        handle: Callable[[bytes], Awaitable[bytes | None]],
        *,
        timers: Timers | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._account = account
        self._host, self._port = address
        self._dialect = dialect
        self._handle = handle
        self._timers = timers or Timers()
        self._pace = pace or Pace()
        self._session: Session | None = None
        self._up = asyncio.Event()
        self._refusal: SendReason | None = None

    async def run(self) -> None:
        """Keep the link up until cancelled; then let what is in hand end and say goodbye."""
        failures = 0
        while True:
            began = self._pace.clock()
            reason = await self._once()
            failures = 1 if self._pace.clock() - began > STEADY else failures + 1
            pause = backoff(failures, self._pace.chance())
            if self._refusal is SendReason.CREDENTIALS:
                pause = max(pause, REFUSED)
                log.error("sms.login_refused", account=self._account, reason=reason, cure=CURE)
            log.warning("sms.link_down", account=self._account, reason=reason, again_in=round(pause, 1))
            await self._pace.sleep(pause)

    async def up(self) -> None:
        """Return once a session is logged in."""
        await self._up.wait()

    async def ask(self, build: Callable[[int], bytes]) -> bytes:
        """Send a request and return its answer; raises SendError (see ``Session.ask``)."""
        if self._session is None:
            refused = self._refusal or SendReason.CONNECTION
            raise SendError(refused, "no link to the gateway")
        return await self._session.ask(build)

    async def check(self) -> None:
        """Prove that the gateway lets us in; raises SendError."""
        if self._session is not None:
            return
        session: Session | None = None
        try:
            session = await self._opened()
        except SendError:
            raise
        except InvalidInput as error:
            raise SendError(SendReason.REFUSED, str(error)) from error
        except OSError as error:
            raise SendError(SendReason.CONNECTION, type(error).__name__) from error
        finally:
            if session is not None:
                await session.close()

    async def _once(self) -> str:
        """Hold one session to its end, and return why it ended."""
        session: Session | None = None
        try:
            session = await self._opened()
            self._session = session
            self._refusal = None
            self._up.set()
            log.info("sms.link_up", account=self._account)
            await session.serve()
        except SendError as error:
            self._refusal = error.reason
            return str(error)
        except (OSError, InvalidInput) as error:
            self._refusal = None
            return f"{type(error).__name__}: {error}"
        except Exception:
            log.exception("sms.link_broke", account=self._account)
            return "broke"
        finally:
            self._session = None
            self._up.clear()
            if session is not None:
                await session.close()
        return "ended"

    async def _opened(self) -> Session:
        """Return a session that is logged in; raises SendError, OSError, InvalidInput."""
        async with asyncio.timeout(self._timers.login):
            streams = await asyncio.open_connection(self._host, self._port)
        session = Session(
            self._account, streams, self._dialect, self._handle, timers=self._timers, pace=self._pace
        )
        try:
            await session.login()
        except BaseException:
            await session.close()
            raise
        return session
