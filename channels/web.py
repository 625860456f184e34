"""The hotline's own pages as a channel: what is said there is read there, so sending is having written it down.

The pages bring messages to the inbox themselves, and show a conversation from its rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from channels.contract import Capabilities, Finding, SendResult
from channels.settings import read
from normalizer.message import SourceChannel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from channels.contract import Grant, Route, Tools
    from normalizer.message import InboundMessage, OutboundMessage

MAX_BYTES = 8000
"""A page has room; what is longer is split like everywhere."""


class Settings(BaseModel):
    """There is nothing to set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["web"] = "web"


class Web:
    """Delivers by showing."""

    sends_here = True

    capabilities = Capabilities(source=SourceChannel.WEB, max_bytes=MAX_BYTES)

    def __init__(self, account: str) -> None:
        self.account = account

    def routes(self) -> Sequence[Route]:
        """Return nothing: the pages have addresses of their own."""
        return ()

    def grant(self, message: InboundMessage) -> Grant | None:  # noqa: ARG002 - no rule depends on it
        """Change nothing: there is no limit here."""
        return None

    async def run(self) -> None:
        """Return at once: there is nothing to keep."""

    async def send(self, message: OutboundMessage) -> SendResult:  # noqa: ARG002 - its row is what is shown
        """Do nothing: the message is in the conversation already."""
        return SendResult()

    async def check(self) -> Sequence[Finding]:
        """Report that it is well."""
        return [Finding(ok=True, what=f"{self.account}：网页渠道可用")]


def build(account: str, settings: Mapping[str, object], tools: Tools) -> Web:  # noqa: ARG001 - every adapter is built so
    """Make the channel of an account; raises Misconfigured."""
    read(Settings, account, settings)
    return Web(account)
