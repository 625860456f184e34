"""One mailbox as a channel."""

from __future__ import annotations

import asyncio
import hashlib
from email.errors import MessageError
from typing import TYPE_CHECKING

from channels.contract import Capabilities, Finding, SendError, SendReason, SendResult
from channels.email.compose import POLICY, compose
from channels.email.imap import Lost, Mailbox
from channels.email.letters import Letters
from channels.email.receive import Receiver
from channels.email.send import Relay
from channels.email.settings import Settings
from channels.lease import Lease
from channels.settings import read
from normalizer.errors import Misconfigured, NotFound
from normalizer.message import SourceChannel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from email.message import EmailMessage

    from channels.contract import Grant, Route, Tools
    from normalizer.message import InboundMessage, OutboundMessage

MAX_BYTES = 200_000
ATTACHED = 15 * 1024 * 1024
"""Bytes of a file that a mail brings: written for mail it has a third more, and many mailboxes take 25 MB."""
HOUR = 3600.0


class Email:
    """Takes in a mailbox by IMAP and answers by SMTP."""

    sends_here = True

    def __init__(self, account: str, settings: Settings, tools: Tools) -> None:
        self.account = account
        self.capabilities = Capabilities(source=SourceChannel.EMAIL, max_bytes=MAX_BYTES)
        self._settings = settings
        self._tools = tools
        self._relay = Relay(settings)
        self._receiver = Receiver(account, settings, tools, Letters(account, settings, tools))
        self._lease = Lease(tools.keys, f"mail:{account}:mailbox")

    def routes(self) -> Sequence[Route]:
        """Return nothing: mail is fetched."""
        return ()

    def grant(self, message: InboundMessage) -> Grant | None:  # noqa: ARG002 - a mail may always be answered
        """Change nothing: there is no window."""
        return None

    async def run(self) -> None:
        """Take mail in until cancelled, while no other process does: two would fetch, and number, each mail twice."""
        try:
            await self._lease.keep(self._receiver.run)
        finally:
            await self._relay.close()

    async def send(self, message: OutboundMessage) -> SendResult:
        """Send one mail, with the file it brings; raises SendError.

        A retry has the same Message-ID, so a copy is known for one.
        """
        stamps = await self._stamps(message.address.user) if message.notice == "reply" else None
        attached, instead = await self._attached(message)
        try:
            mail = compose(message, self._settings, self._tools.sign, self._tools.now(), attached)
        except (ValueError, MessageError) as error:
            raise SendError(SendReason.UNREACHABLE, "no address that mail can go to") from error
        content = await asyncio.to_thread(self._signed, mail)
        queued = await self._relay.send(mail, content)
        if stamps is not None:
            await self._count(message.address.user, stamps)
        return SendResult((str(mail["Message-ID"]), *queued), instead)

    async def _attached(self, message: OutboundMessage) -> tuple[bytes | None, str]:
        """Return the content of the file that a mail brings, or why it goes without; raises SendError."""
        if message.part is None or not message.part.blob:
            return None, ""
        if (message.part.size or 0) > ATTACHED:
            return None, f"file of {message.part.size} bytes, mails take {ATTACHED}"
        try:
            return await self._tools.blobs.get(message.part.blob), ""
        except NotFound:
            return None, "the file is not here any more"

    async def check(self) -> Sequence[Finding]:
        """Log in by IMAP and by SMTP."""
        return [await self._check_mailbox(), await self._check_relay()]

    async def _stamps(self, address: str) -> list[float]:
        """Return when an address was answered within the hour; raises SendError beyond the most.

        It is the backstop where two machines answer each other.
        """
        kept = (await self._tools.keys.get(self._key(address)) or "").split()
        recent = [float(at) for at in kept if float(at) > self._tools.now().timestamp() - HOUR]
        if len(recent) >= self._settings.replies_per_hour:
            raise SendError(SendReason.QUOTA, f"{len(recent)} replies to one address within an hour")
        return recent

    async def _count(self, address: str, earlier: list[float]) -> None:
        """Count a reply that left; one that did not costs nothing."""
        stamps = [*earlier, self._tools.now().timestamp()]
        await self._tools.keys.set(self._key(address), " ".join(map(str, stamps)), HOUR)

    def _key(self, address: str) -> str:
        return f"mail-replies:{self.account}:{hashlib.sha256(address.encode()).hexdigest()[:32]}"

    def _signed(self, mail: EmailMessage) -> bytes:
        content = mail.as_bytes(policy=POLICY)
        key = self._settings.dkim_key
        if key is None:
            return content
        import dkim  # noqa: PLC0415 - an extra of the distribution

        domain = self._settings.address.rpartition("@")[2].encode()
        selector = self._settings.dkim_selector.encode()
        signature: bytes = dkim.sign(content, selector, domain, key.get_secret_value().encode())
        return signature + content

    async def _check_mailbox(self) -> Finding:
        name = f"{self.account}：收信（IMAP）"
        try:
            (await Mailbox.open(self._settings)).close()
        except SendError:
            return Finding(
                ok=False, what=f"{name}登录被拒", cure="核对 imap_user 和 imap_secret（QQ、163 要用授权码）"
            )
        except (Lost, OSError) as error:
            return Finding(
                ok=False,
                what=f"{name}连不上：{error}",
                cure="核对 imap_host、imap_port、imap_security 和防火墙",
            )
        return Finding(ok=True, what=f"{name}可用")

    async def _check_relay(self) -> Finding:
        name = f"{self.account}：发信（SMTP）"
        try:
            await self._relay.check()
        except SendError as error:
            login = error.reason is SendReason.CREDENTIALS
            cure = (
                "核对 smtp_user 和 smtp_secret"
                if login
                else "核对 smtp_host、smtp_port、smtp_security 和防火墙"
            )
            return Finding(ok=False, what=f"{name}不可用：{error}", cure=cure)
        finally:
            await self._relay.close()
        return Finding(ok=True, what=f"{name}可用")


def build(account: str, settings: Mapping[str, object], tools: Tools) -> Email:
    """Make the channel of an account; raises Misconfigured."""
    chosen = read(Settings, account, settings)
    if chosen.dkim_key is not None:
        try:
            import dkim  # noqa: F401, PLC0415 - an extra of the distribution
        except ImportError as error:
            raise Misconfigured(f"channels.{account}.dkim_key", "needs: pip install 'jiesu[dkim]'") from error
    return Email(account, chosen, tools)
