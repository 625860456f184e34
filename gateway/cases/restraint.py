"""Whom the ladder against abuse holds off: the person, by whatever he proved to be his (domain.md 1.11).

Conversations of one telephone, or of one union of a provider, are one person's; nobody is taken for another by what he
merely says. A talk looks at what its bot remembers, so that is written into each of his talks, and into each that is
found to be his later; a form asks here. Words of danger pass everywhere, and a case that is there may be followed,
urged, withdrawn and rated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bots import state as states
from bots.state import Quiet
from gateway.calendar import ZONE
from gateway.runtime import instant, millis
from gateway.store import conversations
from gateway.store import restrictions as rows
from gateway.store.rows import new_conversation
from normalizer.errors import JiesuError
from normalizer.evolve import evolve

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.store.restrictions import Row
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from normalizer.emergency import Emergency
    from normalizer.message import Address

BOT_ONLY, RESTRICT = 2, 3
"""The steps of the ladder that hold somebody off: from people, and from writing at all."""
_QUIET = {BOT_ONLY: Quiet.BOT_ONLY, RESTRICT: Quiet.ALL}


class HeldOff(JiesuError):
    """The person may not write until an instant."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until.isoformat())
        self.until = until

    @property
    def shown(self) -> str:
        """The end as citizens read it: 11月27日21:00."""
        local = self.until.astimezone(ZONE)
        return f"{local.month}月{local.day}日{local:%H:%M}"


def hold(connection: Connection, sealer: Sealer, conversation: bytes, row: Row | None) -> str:
    """Write into what a bot remembers that a step holds its citizen off, None: that none does; return his language.

    The conversation is locked by the caller. What is written already is left alone, told or untold as it was.
    """
    sealed = rows.state_of(connection, conversation)
    state = states.load(sealer.open(sealed))
    quiet, until = (_QUIET[row.level], instant(row.until)) if row and row.until else (Quiet.NO, None)
    if (state.quiet, state.quiet_until) != (quiet, until):
        changed = evolve(state, quiet=quiet, quiet_until=until, quiet_told=False)
        rows.set_state(connection, conversation, sealer.seal(states.dump(changed)))
    return state.lang


def join(connection: Connection, sealer: Sealer, conversation: bytes, now: int) -> None:
    """Hold somebody off in a conversation that has just proved to be his, if he is held off in another of his."""
    found = rows.holding(connection, conversation, now)
    if found is not None:
        rows.lock_talks(connection, [conversation])
        hold(connection, sealer, conversation, found)


@dataclass(frozen=True, slots=True)
class Restraint:
    """Says who is held off, and holds him off in talks that were found to be his."""

    store: Store
    sealer: Sealer
    now: Callable[[], datetime]

    async def prove(self, reach: Address, danger: Emergency | None) -> None:
        """Raise HeldOff when the person of a conversation may not write; whoever tells of danger may."""
        if danger is None and (found := await self._holding(reach, RESTRICT)) and found.until is not None:
            raise HeldOff(instant(found.until))

    async def carry(self, reach: Address, talk: Address) -> None:
        """Hold off in a page's own talk whoever signed in there, if he is held off in another of his."""
        found = await self._holding(reach) if reach != talk else None
        if found is not None:
            await self.store.write(partial(self._carry, talk=talk, found=found))

    async def _holding(self, reach: Address, least: int = BOT_ONLY) -> Row | None:
        conversation = self.sealer.conversation(reach.account, reach.user)
        now = millis(self.now())
        return await self.store.read(lambda c: rows.holding(c, conversation, now, least))

    def _carry(self, connection: Connection, talk: Address, found: Row) -> None:
        conversation = self.sealer.conversation(talk.account, talk.user)
        address = self.sealer.seal(talk.user.encode())
        state = self.sealer.seal(states.dump(states.State()))
        conversations.begin(connection, new_conversation(conversation, talk.account, address, state))
        rows.lock_talks(connection, [conversation])
        hold(connection, self.sealer, conversation, found)

    async def spread(self) -> int:
        """Hold people off in the talks that were found to be theirs since; return how many were looked at."""
        now = millis(self.now())
        talks = await self.store.read(partial(rows.joined, now=now))
        for conversation in talks:
            await self.store.write(partial(join, sealer=self.sealer, conversation=conversation, now=now))
        return len(talks)
