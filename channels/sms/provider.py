"""What the channels of all HTTP providers do alike: callbacks in, nothing to keep up, a send to nobody as the probe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels.contract import Capabilities, SendError
from channels.sms.callbacks import Callbacks
from channels.sms.outgoing import PATIENCE, probed
from channels.sms.pace import Pace, Rate
from channels.sms.text import MAX_BYTES
from normalizer.message import SourceChannel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from channels.contract import Finding, Grant, Route, Tools
    from channels.sms.callbacks import Dialect
    from channels.sms.outgoing import HttpSettings
    from normalizer.message import InboundMessage


class Provider:
    """One account with an HTTP provider, but for ``send`` and ``_probe``, which each has of its own."""

    sends_here = True

    def __init__(
        self,
        account: str,
        settings: HttpSettings,
        tools: Tools,
        dialect: Dialect,
        templates: Mapping[str, str] | None = None,
    ) -> None:
        self.account = account
        self.capabilities = Capabilities(
            source=SourceChannel.SMS, max_bytes=MAX_BYTES, templates=templates or {}, phones=True
        )
        self._tools = tools
        self._rate = Rate(settings.rate, Pace(), PATIENCE)
        self._callbacks = Callbacks(account, settings, tools, dialect)

    def routes(self) -> Sequence[Route]:
        """Return the callbacks for messages and reports."""
        return self._callbacks.routes()

    def grant(self, message: InboundMessage) -> Grant | None:  # noqa: ARG002 - no rule depends on it
        """Change nothing: SMS knows no window."""
        return None

    async def run(self) -> None:
        """Return at once: the provider calls us."""

    async def check(self) -> Sequence[Finding]:
        """Send to nobody: the complaint about the number proves that key and clock are right."""
        try:
            await self._probe()
        except SendError as error:
            return [probed(self.account, error)]
        return [probed(self.account, None)]

    async def _probe(self) -> None:
        """Send to nobody; raises SendError."""
        raise NotImplementedError
