"""What the post office knows: every citizen's mail, and the faults ordered of its SMTP (RFC 5321)."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from types import TracebackType
from typing import Any, Self

from gateway.sandbox.post.imap import Mailboxes
from gateway.sandbox.post.smtp import listening


@dataclass(frozen=True, slots=True)
class PostSettings:
    """The hotline's mailbox at the post office, as user name and password of both SMTP and IMAP."""

    hotline: str = "12345@city.test"
    password: str = "hotline"  # noqa: S105 - the stand-in's own, on loopback
    max_bytes: int = 30 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail in a citizen's list, written by him (``who`` "citizen") or come to him ("service")."""

    who: str
    sender: str
    subject: str
    text: str
    at: float
    headers: dict[str, str]
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a citizen sends along."""

    name: str
    content: bytes
    kind: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Fault:
    """What the next RCPT or DATA shall meet: "code" with an SMTP ``code``, "slow" for ``seconds``, or "cut".

    ``deliver`` says whether a mail whose DATA is refused or cut arrives all the same.
    """

    kind: str
    code: int = 451
    seconds: float = 0.0
    deliver: bool = False


class Post:
    """The post office; ``async with Post() as post`` opens it on free ports ``smtp_port`` and ``imap_port``."""

    def __init__(
        self,
        settings: PostSettings | None = None,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.settings = settings or PostSettings()
        self.clock = clock
        self.pause = pause
        self.citizens: dict[str, list[Mail]] = {}
        self.counts: Counter[str] = Counter()
        self.faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self.watchers: set[Callable[[], None]] = set()
        self.smtp_port = 0
        self.imap_port = 0
        self._mailboxes = Mailboxes()
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open both doors."""
        settings = self.settings
        self.imap_port = await self._open.enter_async_context(self._mailboxes.listening())
        self.smtp_port = await self._open.enter_async_context(_smtp(self))
        await self._mailboxes.add(settings.hotline, settings.password)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close both doors and every connection."""
        await self._open.aclose()

    def mails(self, citizen: str) -> list[Mail]:
        """Return a citizen's list, known from now on."""
        return self.citizens.setdefault(citizen.lower(), [])

    async def write(
        self,
        citizen: str,
        subject: str,
        text: str,
        in_reply_to: Mail | None = None,
        attachments: Sequence[Attachment] = (),
    ) -> str:
        """Let a citizen write to the hotline, new or in answer to a mail; return the Message-ID."""
        mail = EmailMessage(policy=policy.SMTP)
        mail["From"], mail["To"], mail["Subject"] = citizen, self.settings.hotline, subject
        mail["Date"] = format_datetime(datetime.fromtimestamp(self.clock(), UTC))
        mail["Message-ID"] = make_msgid(domain=citizen.rpartition("@")[2])
        if in_reply_to is not None:
            answered = in_reply_to.headers.get("Message-ID", "")
            mail["In-Reply-To"] = answered
            mail["References"] = f"{in_reply_to.headers.get('References', '')} {answered}".strip()
        mail.set_content(text)
        for file in attachments:
            kind, _, detail = file.kind.partition("/")
            mail.add_attachment(file.content, maintype=kind, subtype=detail, filename=file.name)
        await self.bring(mail.as_bytes())
        return str(mail["Message-ID"])

    async def bring(self, raw: bytes) -> None:
        """Bring a mail, of whatever shape, to the hotline's INBOX, and to its writer's list."""
        mail = _read("citizen", raw, self.clock())
        self.counts["to_hotline"] += 1
        self.mails(mail.sender).append(mail)
        await self._mailboxes.append(self.settings.hotline, raw, self.clock())
        self.changed()

    async def deliver(self, recipients: Sequence[str], raw: bytes) -> None:
        """Bring a mail that came over SMTP to its recipients."""
        mail = _read("service", raw, self.clock())
        for recipient in recipients:
            if recipient.lower() == self.settings.hotline.lower():
                await self._mailboxes.append(self.settings.hotline, raw, self.clock())
            else:
                self.mails(recipient).append(mail)
            self.counts["delivered"] += 1
        self.changed()

    def fault(self, step: str) -> Fault | None:
        """Take the next fault ordered for "RCPT" or "DATA"."""
        return self.faults[step].popleft() if self.faults[step] else None

    def changed(self) -> None:
        """Tell whoever watches."""
        for watcher in tuple(self.watchers):
            watcher()

    def shown(self) -> dict[str, Any]:
        """Return every citizen's list and the counts as plain values for a page."""
        return {
            "hotline": self.settings.hotline,
            "citizens": [
                {
                    "address": address,
                    "mails": [
                        {
                            "who": mail.who,
                            "from": mail.sender,
                            "subject": mail.subject,
                            "text": mail.text,
                            "at": mail.at,
                            "headers": dict(mail.headers),
                        }
                        for mail in mails
                    ],
                }
                for address, mails in self.citizens.items()
            ],
            "counts": dict(self.counts),
        }


def _smtp(post: Post) -> AbstractAsyncContextManager[int]:
    settings = post.settings
    return listening(post, settings.hotline, settings.password, settings.max_bytes)


def _read(who: str, raw: bytes, at: float) -> Mail:
    mail = message_from_bytes(raw, policy=policy.default)
    body = mail.get_body(("plain", "html"))
    text = str(body.get_content()).replace("\r\n", "\n").removesuffix("\n") if body is not None else ""
    headers = {name: str(value) for name, value in mail.items()}
    return Mail(
        who, parseaddr(headers.get("From", ""))[1], headers.get("Subject", ""), text, at, headers, raw
    )
