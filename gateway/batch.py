"""One batch's decisions: which messages are repeats, which wait, which a person answers, and the bot's turns.

Everything is gathered in ``Rows``; the pipeline writes them in one commit. A turn that raises is noted as failed,
alone, and the batch goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import structlog

from bots.contract import Turn
from gateway.runtime import millis
from gateway.store.bodies import seal_message
from gateway.store.recent import RecentRows
from gateway.store.rows import InboxRow, Rows
from gateway.turns import BOT_HOLDS, PASSIVE_LEASE_MS, Said
from normalizer.message import MEDIA_KINDS
from outbox.tables import OutState

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bots.contract import Ask, Moment
    from channels.contract import Capabilities, Channel, Shape
    from gateway.answers import Answers
    from gateway.store.rows import ConversationRow, Known
    from gateway.store.seal import Sealer
    from gateway.store.store import Batch
    from gateway.turns import Talk, Turns
    from normalizer.message import InboundMessage

log = structlog.get_logger()

ASKS = 4
"""How often the bot may ask before it must answer."""

_GIVEN = frozenset({OutState.PASSIVE.value, OutState.SENT.value, OutState.UNKNOWN.value})


@dataclass(slots=True, eq=False)
class Item:
    """A message on its way.

    ``row_id`` is set when it was written down before and waited; ``later`` when its sender is too fast; ``key`` is
    what makes the message itself and no other, made once for the five who look at it. ``shape`` makes of the reply
    what goes over the network, and ``shaped`` is that.
    """

    message: InboundMessage
    conversation: bytes
    arrived: float
    waiters: list[asyncio.Future[tuple[Answer, bytes | None]]] = field(default_factory=list)
    row_id: bytes | None = None
    later: bool = False
    shape: Shape | None = None
    shaped: bytes | None = None
    key: tuple[bytes, str] = field(init=False)
    asked: float = field(init=False)
    """When it was brought last: whoever brings it again is given as much time as the first."""

    def __post_init__(self) -> None:
        self.asked = self.arrived
        self.key = self.conversation, self.message.external_id


class Answer(NamedTuple):
    """What the provider is told: the passive reply's row and text (None: acknowledge only)."""

    reply: bytes | None = None
    text: str | None = None
    repeat: bool = False


class Fate(NamedTuple):
    """What becomes of one message; ``claim`` is a queued row the answer holds good for only if it is won."""

    outcome: str
    answer: Answer = Answer()
    claim: bytes | None = None


class Decider:
    """Decides a batch."""

    def __init__(
        self,
        *,
        sealer: Sealer,
        turns: Turns,
        answers: Answers,
        channels: Mapping[str, Channel],
        ids: Callable[[], bytes],
        failed_reply: str,
    ) -> None:
        self._sealer = sealer
        self._turns = turns
        self._answers = answers
        self._channels = channels
        self._ids = ids
        self._failed_reply = failed_reply
        self._recent = RecentRows()

    async def decide(
        self,
        batch: Batch,
        items: Sequence[Item],
        rows: Rows,
        moment: Moment,
        clock: float,
        *,
        looks: bool,
    ) -> dict[Item, Fate]:
        """Return each message's fate and fill ``rows``; ``clock`` is the loop's time, to see who is too late.

        Unless it ``looks`` whether they were written down before, a repeat is found when the rows are written, and so
        is a conversation that another has changed since it was remembered; raises Conflict where a repeat must be known
        sooner.
        """
        if not items:
            return {}
        keys = [item.key for item in items if looks or item.row_id is not None]
        conversations = (
            {} if looks else self._recent.find(item.conversation for item in items if _plain(item))
        )
        unknown = [item.conversation for item in items if item.conversation not in conversations]
        loaded, known = await batch.load(unknown, keys) if unknown else ({}, {})
        rows.before = conversations = conversations | loaded
        fates: dict[Item, Fate] = {}
        talks: list[tuple[Item, Talk]] = []
        for item in items:
            before = conversations.get(item.conversation)
            fate = self._repeat(item, known.get(item.key), rows, moment.now)
            fate = fate or self._held(item, before, rows, clock)
            if fate is None:
                talks.append((item, self._begin(item, before, moment.now)))
            else:
                fates[item] = fate
        # Step by step for all, not message by message: what a step needs then stays at hand in the processor.
        for step in (self._turns.read, self._turns.recall):
            talks = [pair for pair in talks if self._stepped(step, *pair, fates, rows)]
        await self._speak(batch, talks, fates, rows, moment, looks=looks)
        return fates

    def wrote(self, rows: Rows) -> None:
        """Remember what was committed, for the next messages of the same conversations."""
        self._recent.wrote(rows)

    def forget(self, items: Sequence[Item]) -> None:
        """Forget what may not stand as it was remembered: the messages' conversations are read anew."""
        self._recent.forget(item.conversation for item in items)

    def _repeat(self, item: Item, seen: Known | None, rows: Rows, now: datetime) -> Fate | None:
        if seen is None:
            return None
        if item.row_id is not None:
            # It waited; unless another process has turned it meanwhile, it is turned now.
            return None if seen.state == "waiting" else Fate("repeat")
        if seen.out_body is None or seen.reply is None or not self._passive(item):
            return Fate("repeat", Answer(repeat=True))
        if seen.out_state == OutState.QUEUED.value and seen.out_attempts == 0:
            rows.claims.append((seen.reply, millis(now) + PASSIVE_LEASE_MS))
            return Fate("repeat", self._stored(seen), claim=seen.reply)
        if seen.out_state in _GIVEN and seen.out_route == "passive":
            return Fate("repeat", self._stored(seen))
        return Fate("repeat", Answer(repeat=True))

    def _stored(self, seen: Known) -> Answer:
        assert seen.out_body is not None
        return Answer(seen.reply, self._sealer.open(seen.out_body).decode(), repeat=True)

    def _held(self, item: Item, before: ConversationRow | None, rows: Rows, clock: float) -> Fate | None:
        """Keep what is not turned now: behind others that wait, too late to answer in time, or a person's."""
        behind = before is not None and before.waiting > 0
        if item.row_id is None and (behind or item.later or self._late(item, clock)):
            self._keep(item, before, rows, "waiting", waiting=1)
            return Fate("waiting")
        if before is None or before.owner in BOT_HOLDS:
            return None
        row_id = item.row_id or self._ids()
        before = self._turns.heard(item.message, row_id, before, rows)
        self._keep(item, before, rows, "done", waiting=0 if item.row_id is None else -1, row_id=row_id)
        return Fate("person")

    def _keep(
        self,
        item: Item,
        before: ConversationRow | None,
        rows: Rows,
        state: str,
        *,
        waiting: int,
        row_id: bytes | None = None,
    ) -> None:
        self._turns.keep(item.message, item.conversation, before, rows, waiting=waiting)
        self._note(item, row_id or item.row_id or self._ids(), rows, state)

    def _late(self, item: Item, clock: float) -> bool:
        return self._passive(item) and clock - item.arrived > self._capable(item).passive_deadline

    def _passive(self, item: Item) -> bool:
        return item.row_id is None and self._capable(item).passive

    def _capable(self, item: Item) -> Capabilities:
        return self._channels[item.message.account].capabilities

    def _begin(self, item: Item, before: ConversationRow | None, now: datetime) -> Talk:
        return self._turns.begin(
            item.message,
            item.row_id or self._ids(),
            item.conversation,
            before,
            now,
            passive=self._passive(item),
            waited=item.row_id is not None,
        )

    def _stepped(
        self, step: Callable[[Talk], None], item: Item, talk: Talk, fates: dict[Item, Fate], rows: Rows
    ) -> bool:
        try:
            step(talk)
        except Exception as error:  # noqa: BLE001 - whatever a turn does, the batch goes on
            fates[item] = self._failed(item, talk, rows, error)
            return False
        return True

    async def _speak(
        self,
        batch: Batch,
        talks: list[tuple[Item, Talk]],
        fates: dict[Item, Fate],
        rows: Rows,
        moment: Moment,
        *,
        looks: bool,
    ) -> None:
        for _ in range(ASKS):
            done: list[tuple[Item, Talk, Turn]] = []
            asked: list[tuple[Item, Talk, Ask]] = []
            for item, talk in talks:
                try:
                    said = self._turns.speak(talk, moment)
                except Exception as error:  # noqa: BLE001 - whatever a turn does, the batch goes on
                    fates[item] = self._failed(item, talk, rows, error)
                    continue
                if isinstance(said, Turn):
                    done.append((item, talk, said))
                else:
                    asked.append((item, talk, said))
            for item, talk, turn in done:
                fates[item] = self._finish(item, talk, turn, rows)
            if not asked:
                return
            pairs = [(talk, ask) for _, talk, ask in asked]
            await self._answers.fill(batch, pairs, moment.now, looks=looks)
            talks = [(item, talk) for item, talk, _ in asked]
        for item, talk in talks:
            fates[item] = self._failed(item, talk, rows, RuntimeError("asks without end"))

    def _finish(self, item: Item, talk: Talk, turn: Turn, rows: Rows) -> Fate:
        length = rows.lengths()
        try:
            said = self._turns.finish(talk, turn, rows)
        except Exception as error:  # noqa: BLE001 - whatever a turn does, the batch goes on
            rows.cut(length)
            return self._failed(item, talk, rows, error)
        self._note(item, talk.row_id, rows, "done", said=said)
        return Fate("turned", Answer(said.reply if said.text is not None else None, said.text))

    def _failed(self, item: Item, talk: Talk, rows: Rows, error: Exception) -> Fate:
        log.error("turn.failed", message=talk.row_id.hex(), exc_info=error)
        said = self._turns.apologise(talk, rows, self._failed_reply)
        self._note(item, talk.row_id, rows, "failed", said=said, error=type(error).__name__)
        return Fate("failed", Answer(said.reply if said.text is not None else None, said.text))

    def _note(
        self,
        item: Item,
        row_id: bytes,
        rows: Rows,
        state: str,
        *,
        said: Said = Said(),  # noqa: B008 - frozen
        error: str = "",
    ) -> None:
        if item.row_id is not None:
            rows.turned.append((state, error, said.reply, said.case_no, row_id))
            return
        message = item.message
        if message.parts and message.parts[0].kind in MEDIA_KINDS:
            rows.wanted += self._turns.wanted(message, item.conversation, rows)
        rows.inbox.append(
            InboxRow(
                row_id,
                item.conversation,
                message.external_id,
                message.account,
                message.source.value,
                millis(message.received_at),
                state,
                error,
                said.reply,
                said.case_no,
                seal_message(self._sealer, message),
            )
        )


def _plain(item: Item) -> bool:
    """Return whether a message is answered by what is remembered of its conversation.

    An event may give no leave to write: what the outbox took off the count then must stand. One that waited is
    counted where others count too.
    """
    return item.row_id is None and item.message.event is None
