"""A crowd that claims the same talks, in one process or several; who won is read from the event log afterwards.

``python -m tests.kit.claims DATABASE NAME TALKS`` is one process of it.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from gateway.desk.moves import Refused
from gateway.store import desk as sql
from gateway.store.rows import DeskEventRow, Rows, WaitRow, new_conversation
from tests.kit.desk import Floor

if TYPE_CHECKING:
    from gateway.store.store import Store

TAKERS = 3
TAKEN = {"taken", "assigned"}
PAGE = 500


def talk_of(number: int) -> bytes:
    """Return the id of a talk by its number."""
    return b"talk%012d" % number


async def wait_in_line(floor: Floor, talks: int) -> None:
    """Put many in the queue at once."""
    state = floor.sealer.seal(b"{}")
    for first in range(0, talks, PAGE):
        rows = Rows()
        for number in range(first, min(first + PAGE, talks)):
            talk, came = talk_of(number), floor.now + number
            row = new_conversation(talk, "wx", b"", state)
            queued: dict[str, Any] = {"owner": "queued", "epoch": 1, "version": 1, "enqueued_at": came}
            rows.new_conversations.append(row._replace(**queued))
            rows.waits.append(WaitRow(talk, came, 5, came))
            rows.desk.append(DeskEventRow(came, talk, "queued", "queued", 1))
        async with floor.store.batch() as batch:
            await batch.write(rows)


async def crowd(store: Store, name: str, talks: int) -> int:
    """Claim every talk from several sides at once, close what was won, and return how many claims were tried.

    Some take by hand, all from the tail on, and a router gives out from the head until they meet.
    """
    floor = Floor(store, offers=False, lease_ms=10**9, grace_ms=10**9)
    mine = [await floor.agent(f"{name}{n}", capacity=2) for n in range(TAKERS)]
    for agent in mine:
        await floor.chose(agent, "busy")
    given = await floor.agent(f"{name}r", capacity=2)
    taken = asyncio.gather(*(_takes(floor, agent, talks) for agent in mine))
    tried, routed = await asyncio.gather(taken, _routes(floor, given, taken))
    return sum(tried) + routed


async def _takes(floor: Floor, agent: bytes, talks: int) -> int:
    for number in reversed(range(talks)):
        try:
            held = await floor.desk.take(agent, talk_of(number), 1)
        except Refused:
            continue
        await floor.desk.close(agent, held.conversation, held.epoch)
    return talks


async def _routes(floor: Floor, given: bytes, taken: asyncio.Future[list[int]]) -> int:
    routed = 0
    while not taken.done():
        won = await floor.desk.route()
        for talk in await floor.store.read(lambda c: sql.owned(c, given)):
            held = await floor.talk(talk)
            await floor.desk.close(given, talk, held.epoch)
        routed += won
        await asyncio.sleep(0.02)
    return routed


async def doubled(store: Store) -> tuple[int, list[bytes]]:
    """Return how many claims were won, and the talks that were won twice."""
    won: Counter[bytes | None] = Counter()
    after = 0
    while page := await store.read(partial(sql.events, after=after, limit=5000)):
        won.update(event.conversation for event in page if event.kind in TAKEN)
        after = page[-1].id
    return won.total(), [talk for talk, times in won.items() if talk is not None and times > 1]


async def _main(database: str, name: str, talks: int) -> None:
    from tests.conftest import open_any  # noqa: PLC0415 - only a process of its own needs it

    store = await open_any(database)
    try:
        sys.stdout.write(f"{await crowd(store, name, talks)}\n")
    finally:
        await store.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
