"""One act on many talks or cases: each for itself, and each told how it went."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.desk.moves import Refused as NotAllowed
from gateway.store.rows import Conflict
from normalizer.errors import InvalidInput, NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from gateway.desk.cases import CaseDesk, Staff, Wish
    from gateway.desk.desk import Desk

MOST = 100


class TalkAct(StrEnum):
    """What can be done to many talks at once."""

    TAKE = "take"
    CLOSE = "close"
    BACK = "back"
    HOLD = "hold"
    UNHOLD = "unhold"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went with one: ``why`` is empty when it was done, else the code of what stood in the way."""

    id: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Bulk:
    """Does one thing to many."""

    desk: Desk
    cases: CaseDesk

    async def talks(
        self, by: Staff, talks: Sequence[tuple[bytes, int]], act: TalkAct, skill: str = ""
    ) -> tuple[Outcome, ...]:
        """Do one act to many talks, each at its epoch; raises InvalidInput for too many."""
        _few(talks)
        return tuple(
            [await _tried(talk.hex(), self._talk(by.id, talk, epoch, act, skill)) for talk, epoch in talks]
        )

    async def move(self, by: Staff, cases: Sequence[tuple[str, int]], wish: Wish) -> tuple[Outcome, ...]:
        """Move many cases, each as it was seen; raises InvalidInput for too many."""
        _few(cases)
        return tuple([await _tried(no, self.cases.act(by, no, wish, rev)) for no, rev in cases])

    def _talk(self, agent: bytes, talk: bytes, epoch: int, act: TalkAct, skill: str) -> Awaitable[object]:
        match act:
            case TalkAct.TAKE:
                return self.desk.take(agent, talk, epoch)
            case TalkAct.CLOSE:
                return self.desk.close(agent, talk, epoch)
            case TalkAct.BACK:
                return self.desk.give_back(agent, talk, epoch)
            case TalkAct.TRANSFER:
                return self.desk.transfer(agent, talk, epoch, to_skill=skill)
            case _:
                return self.desk.hold(agent, talk, epoch, held=act is TalkAct.HOLD)


async def _tried(name: str, work: Awaitable[object]) -> Outcome:
    try:
        await work
    except NotAllowed as error:
        return Outcome(name, error.why.value)
    except Refused as error:
        return Outcome(name, error.reason)
    except Conflict:
        return Outcome(name, "changed")
    except NotFound:
        return Outcome(name, "unknown")
    return Outcome(name)


def _few(things: Sequence[object]) -> None:
    if len(things) > MOST:
        raise InvalidInput(f"at most {MOST} at once")
