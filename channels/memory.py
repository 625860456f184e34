"""A channel without a provider: what is sent is kept in a list, and outcomes can be set. For tests and trials."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from channels.contract import Capabilities, Finding, SendResult
from normalizer.message import SourceChannel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from channels.contract import Grant, Route, SendError, Tools
    from normalizer.message import InboundMessage, OutboundMessage


class Memory:
    """Keeps what it is given to send; ``outcomes`` are taken one by one, None meaning success."""

    sends_here = True

    def __init__(self, account: str, capabilities: Capabilities) -> None:
        self.account = account
        self.capabilities = capabilities
        self.sent: list[OutboundMessage] = []
        self.outcomes: deque[SendError | None] = deque()

    def routes(self) -> Sequence[Route]:
        """Return nothing: nobody calls."""
        return ()

    def grant(self, message: InboundMessage) -> Grant | None:  # noqa: ARG002 - no rule depends on it
        """Change nothing: there is no limit here."""
        return None

    async def run(self) -> None:
        """Return at once: there is nothing to keep."""

    async def send(self, message: OutboundMessage) -> SendResult:
        """Keep the message, or raise the next outcome that was set."""
        outcome = self.outcomes.popleft() if self.outcomes else None
        if outcome is not None:
            raise outcome
        self.sent.append(message)
        return SendResult((message.id,))

    async def check(self) -> Sequence[Finding]:
        """Report that it is well."""
        return [Finding(ok=True, what=f"{self.account}：内存渠道可用")]


def build(account: str, settings: Mapping[str, object], tools: Tools) -> Memory:  # noqa: ARG001 - as every adapter
    """Make the channel of an account; with ``phones`` those it reaches are telephones, as by SMS."""
    phones = bool(settings.get("phones"))
    source = SourceChannel.SMS if phones else SourceChannel.WEB
    return Memory(account, Capabilities(source=source, max_bytes=2048, phones=phones))
