"""What channels bring in: the pipeline of files as ``channels.contract.Media``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.media.intake import Claim
from gateway.store.media import talk_owner
from normalizer.media import NotAccepted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.media.intake import Intake
    from gateway.store.seal import Sealer
    from normalizer.message import Address, Part

PIECE = 256 * 1024
KEPT = timedelta(days=180)
"""How long a file stays that came in a talk and became no case's (domain.md 1.10, talks)."""


class Door:
    """Implements ``channels.contract.Media``."""

    def __init__(self, intake: Intake, sealer: Sealer) -> None:
        self._intake = intake
        self._sealer = sealer

    async def take(self, sender: Address, content: bytes, name: str) -> Part | None:
        """Keep a file and return it as a part, None when it is not accepted; raises Busy."""
        owner = talk_owner(self._sealer.conversation(sender.account, sender.user))
        claim = Claim(owner, name, len(content), KEPT)
        try:
            taken = await self._intake.take(_pieces(content), claim)
        except NotAccepted:
            return None
        return taken.part


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(content), PIECE):
        yield content[at : at + PIECE]
