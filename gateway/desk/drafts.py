"""What agents have begun to write: kept on the server, each agent's his own, whoever has the talk meanwhile (T24)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.runtime import millis
from gateway.store import drafts as sql
from normalizer.errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.store.seal import Sealer
    from gateway.store.store import Store

LONGEST = 5000
"""Characters of a draft."""
KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Draft:
    """What an agent has begun to write: to the citizen, and for the colleagues."""

    text: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Drafts:
    """Keeps drafts, sealed."""

    store: Store
    sealer: Sealer
    now: Callable[[], datetime]

    async def keep(self, agent: bytes, conversation: bytes, draft: Draft) -> None:
        """Keep a draft in place of the one before; an empty one is none. Raises TooLarge."""
        if len(draft.text) + len(draft.note) > LONGEST:
            raise TooLarge(f"a draft has at most {LONGEST} characters")
        if draft == Draft():
            await self.store.write(lambda c: sql.drop(c, conversation, agent))
            return
        body, at = self.sealer.seal(json.dumps(asdict(draft)).encode()), millis(self.now())
        await self.store.write(lambda c: sql.keep(c, conversation, agent, body, at))

    async def find(self, agent: bytes, conversation: bytes) -> Draft:
        """Return an agent's draft in a talk, an empty one for none."""
        body = await self.store.read(lambda c: sql.find(c, conversation, agent))
        return Draft(**json.loads(self.sealer.open(body))) if body is not None else Draft()

    async def talks(self, agent: bytes) -> frozenset[bytes]:
        """Return the talks in which an agent has a draft, for the mark in the list."""
        return await self.store.read(lambda c: sql.of(c, agent))

    async def forget(self) -> int:
        """Forget drafts of long ago; return how many."""
        before = millis(self.now() - KEPT)
        return await self.store.write(lambda c: sql.forget(c, before))
