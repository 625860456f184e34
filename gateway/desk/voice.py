"""What the desk says to a citizen, as rows that are owed under the talk's epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bots import state as states
from bots.words import SHORT, ZH, say
from gateway.store import desk as sql
from gateway.store.rows import OutgoingRow
from normalizer.evolve import evolve
from normalizer.message import SourceChannel
from outbox import notices
from outbox.tables import OutState

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from gateway.store.desk import Talk
    from gateway.store.seal import Sealer


UNSAID = frozenset({"desk_taken", "desk_moved", "desk_patience", "desk_idle"})
"""What is not said by mail, where nobody sits and waits: each would be a letter of its own, and may be answered by a
machine (T32)."""


class Voice:
    """Speaks to citizens in their language and in the wording of their channel.

    ``source`` says what kind of channel an account is, None for one that is not there any more.
    """

    def __init__(
        self,
        *,
        sealer: Sealer,
        ids: Callable[[], bytes],
        source: Callable[[str], SourceChannel | None] = lambda _: None,
    ) -> None:
        self._sealer = sealer
        self._ids = ids
        self._source = source

    def lang(self, talk: Talk) -> str:
        """Return the language a citizen is spoken to in."""
        return states.load(self._sealer.open(talk.state)).lang

    def say(self, connection: Connection, talk: Talk, words: str, now: int, **fields: object) -> None:
        """Owe a citizen a sentence, unless his channel is none for it."""
        source = self._source(talk.account)
        if source is SourceChannel.EMAIL and words in UNSAID:
            return
        lang = self.lang(talk)
        if source is SourceChannel.SMS and lang != "en":
            words = SHORT.get(words, words)
        if source is SourceChannel.EMAIL and f"mail_{words}" in ZH:
            words = f"mail_{words}"
        sql.promise(connection, [self.row(talk, say(lang, words, **fields), notices.DESK, now)])

    def offers(self, connection: Connection, talk: Talk) -> bool:
        """Note that choices are offered, which a digit answers; False while another question is open."""
        state = states.load(self._sealer.open(talk.state))
        if state.flow is not states.Flow.NONE:
            return False
        offered = evolve(state, step=states.Step.PICK)
        sql.remember(connection, talk._replace(state=self._sealer.seal(states.dump(offered))))
        return True

    def row(self, talk: Talk, text: str, notice: str, now: int) -> OutgoingRow:
        """Return the row of a text that is to go out now."""
        return OutgoingRow(
            id=self._ids(),
            conversation=talk.conversation,
            account=talk.account,
            case_no="",
            notice=notice,
            notice_key=None,
            epoch=talk.epoch,
            state=OutState.QUEUED.value,
            route="",
            body=self._sealer.seal(text.encode()),
            attempts=0,
            next_at=now,
            lease_until=0,
            created_at=now,
            sent_at=None,
            outcome="",
        )
