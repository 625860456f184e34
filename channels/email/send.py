"""Sending by SMTP over one kept connection; what is not known to have arrived is unknown, never failed (spec 3)."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

from aiosmtplib import SMTP, SMTPException, SMTPResponseException, SMTPTimeoutError
from aiosmtplib.errors import SMTPAuthenticationError, SMTPConnectError, SMTPServerDisconnected

from channels.contract import SendError, SendReason
from channels.email.answers import Step, refusal
from channels.email.settings import Security

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage

    from channels.email.settings import Settings

SECONDS = 12.0
"""For each answer of the relay; shorter than the outbox waits for a whole send."""
KEPT_SECONDS = 240.0
"""A connection older than this is not used again: relays drop idle ones without a word."""
_QUEUED = re.compile(r"queued as ([\w.-]{4,64})", re.IGNORECASE)


class Relay:
    """The account's way out: one connection, used by one mail at a time."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self.seconds = SECONDS
        self._lock = asyncio.Lock()
        self._smtp: SMTP | None = None
        self._since = 0.0

    async def send(self, mail: EmailMessage, content: bytes) -> tuple[str, ...]:
        """Hand a mail over and return the relay's own name for it, if it gave one; raises SendError.

        Until the content is on its way a broken connection is CONNECTION; from then on nobody knows, so TIMEOUT.
        """
        recipient = mail["To"].addresses[0].addr_spec
        async with self._lock:
            smtp = await self._connected()
            try:
                await self._addressed(smtp, recipient)
            except BaseException:
                await self._drop()
                raise
            return await self._content(smtp, content)

    async def check(self) -> None:
        """Prove that the relay lets us in; raises SendError."""
        async with self._lock:
            await self._connected()

    async def close(self) -> None:
        """Say goodbye."""
        async with self._lock:
            await self._drop()

    async def _connected(self) -> SMTP:
        if self._smtp is not None and self._clock() - self._since < KEPT_SECONDS:
            try:
                await self._smtp.noop()
            except (SMTPException, OSError):
                await self._drop()
            else:
                return self._smtp
        await self._drop()
        try:
            self._smtp = await self._opened()
        except SMTPAuthenticationError as error:
            raise SendError(SendReason.CREDENTIALS, f"{error.code}") from error
        except (SMTPException, OSError) as error:
            raise SendError(SendReason.CONNECTION, type(error).__name__) from error
        self._since = self._clock()
        return self._smtp

    async def _opened(self) -> SMTP:
        # A new object each time: one that was connected before may hang (aiosmtplib #243).
        chosen = self._settings
        smtp = SMTP(
            hostname=chosen.smtp_host,
            port=chosen.smtp_port,
            use_tls=chosen.smtp_security is Security.TLS,
            start_tls=chosen.smtp_security is Security.STARTTLS,
            timeout=self.seconds,
        )
        await smtp.connect()
        if chosen.smtp_user and chosen.smtp_secret is not None:
            try:
                await smtp.login(chosen.smtp_user, chosen.smtp_secret.get_secret_value())
            except BaseException:
                smtp.close()
                raise
        return smtp

    async def _addressed(self, smtp: SMTP, recipient: str) -> None:
        step = Step.MAIL
        try:
            await smtp.mail(self._settings.address)
            step = Step.RCPT
            await smtp.rcpt(recipient)
        except SMTPResponseException as error:
            raise refusal(step, error.code, error.message) from error
        except (SMTPException, OSError) as error:
            raise SendError(SendReason.CONNECTION, type(error).__name__) from error

    async def _content(self, smtp: SMTP, content: bytes) -> tuple[str, ...]:
        try:
            answer = await smtp.data(content)
        except SMTPResponseException as error:
            await self._drop()
            raise refusal(Step.DATA, error.code, error.message) from error
        except (SMTPTimeoutError, SMTPServerDisconnected, SMTPConnectError, SMTPException, OSError) as error:
            await self._drop()
            raise SendError(SendReason.TIMEOUT, type(error).__name__) from error
        except BaseException:
            await self._drop()
            raise
        found = _QUEUED.search(answer.message)
        return (found.group(1),) if found else ()

    async def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()
