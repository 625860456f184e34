"""What was written lately of conversations, so that the next message finds its own without reading it.

A state is found by the sealed bytes it lies in, which differ at every writing: whatever another process wrote
meanwhile is simply not found, and a commit that failed leaves nothing that could be mistaken for what stands.

A row is found by its conversation and may have been overtaken. All who write a conversation count its version up, and
the batch writes only where that is the one it knows: what was overtaken is refused there, and the batch decided anew
from what stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from gateway.store.rows import ConversationRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.store.rows import Rows, TalkRow

V = TypeVar("V")
KEPT = 4_000
"""States, or rows, in one generation: some ten megabytes; whoever is forgotten is read from the database."""
_BOT = "bot"


class Recent(Generic[V]):
    """What was kept last, in the memory of one process; never anything that counts as false."""

    def __init__(self) -> None:
        self._now: dict[bytes, V] = {}
        self._before: dict[bytes, V] = {}

    def get(self, key: bytes) -> V | None:
        """Return what was kept, None when it is remembered no more."""
        return self._now.get(key) or self._before.get(key)

    def keep(self, key: bytes, value: V) -> None:
        """Remember something."""
        if len(self._now) >= KEPT:
            self._before, self._now = self._now, {}
        self._now[key] = value

    def forget(self, key: bytes) -> None:
        """Forget something."""
        self._now.pop(key, None)
        self._before.pop(key, None)


class RecentRows:
    """Rows of the conversations that the bot has, in the memory of one process."""

    def __init__(self) -> None:
        self._rows = Recent[ConversationRow]()

    def find(self, ids: Iterable[bytes]) -> dict[bytes, ConversationRow]:
        """Return those of the conversations that are remembered, without a promise that they still stand so."""
        get = self._rows.get
        return {each: row for each in ids if (row := get(each)) is not None}

    def wrote(self, rows: Rows) -> None:
        """Remember what a batch has written."""
        keep = self._rows.keep
        for talk in rows.talks:
            row = rows.before[talk.id]
            if row.owner == _BOT:
                keep(row.id, _after(row, talk))
        for row in (*rows.new_conversations, *rows.conversations):
            if row.owner == _BOT:
                keep(row.id, row)
            else:
                self._rows.forget(row.id)

    def forget(self, ids: Iterable[bytes]) -> None:
        """Forget rows that may have been overtaken."""
        for each in ids:
            self._rows.forget(each)


def _after(row: ConversationRow, talk: TalkRow) -> ConversationRow:
    return ConversationRow(
        row.id,
        row.account,
        row.address,
        talk.state,
        row.owner,
        row.epoch,
        talk.version,
        talk.waiting,
        talk.window_until,
        talk.window_left,
        row.opted_out,
        talk.last_in_at,
        row.enqueued_at,
        row.skill,
        row.urgent,
        row.note,
        row.thread,
    )
