"""What channels bring in: the pipeline of files as ``channels.contract.Media``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.media.intake import Claim
from normalizer.media import NotAccepted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.media.intake import Intake
    from normalizer.message import Part

PIECE = 256 * 1024


class Door:
    """Implements ``channels.contract.Media``."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def take(self, owner: str, content: bytes, name: str) -> Part | None:
        """Keep a file and return it as a part, None when it is not accepted; raises Busy."""
        try:
            taken = await self._intake.take(_pieces(content), Claim(owner, name, len(content)))
        except NotAccepted:
            return None
        return taken.part


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(content), PIECE):
        yield content[at : at + PIECE]
