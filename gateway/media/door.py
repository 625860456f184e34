"""What channels bring in: the pipeline of files as ``channels.contract.Media``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.media.intake import Claim
from gateway.store.media import talk_owner
from normalizer.media import NotAccepted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import timedelta

    from gateway.media.intake import Intake
    from gateway.store.seal import Sealer
    from normalizer.message import Address, Part

PIECE = 256 * 1024


class Door:
    """Implements ``channels.contract.Media``; ``kept`` is how long a file stays that became no case's."""

    def __init__(self, intake: Intake, sealer: Sealer, kept: timedelta) -> None:
        self._intake = intake
        self._sealer = sealer
        self._kept = kept

    async def take(self, sender: Address, content: bytes, name: str) -> Part | None:
        """Keep a file and return it as a part, None when it is not accepted; raises Busy."""
        owner = talk_owner(self._sealer.conversation(sender.account, sender.user))
        claim = Claim(owner, name, len(content), self._kept)
        try:
            taken = await self._intake.take(_pieces(content), claim)
        except NotAccepted:
            return None
        return taken.part


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(content), PIECE):
        yield content[at : at + PIECE]
