"""A crowd that claims the same talks, in one process or several; who won is read from the event log afterwards.

``python -m tests.kit.claims DATABASE NAME TALKS`` is one process of it.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from gateway.desk.moves import Refused
from gateway.store import desk as sql
from gateway.store.rows import DeskEventRow, Rows, WaitRow, new_conversation
from tests.kit.desk import Floor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from sqlalchemy import Connection

    from gateway.store.store import Store

TAKERS = 3
ROOM = 2
PAGE = 500
GO = "go\n"


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


@dataclass(slots=True)
class Tally:
    """What one process did: claims tried, those of them won, and the seconds that each took; the wall clock beside."""

    tried: int = 0
    won: int = 0
    began: float = field(default_factory=time.monotonic)
    ended: float = 0.0
    took: list[float] = field(default_factory=list)

    async def claims(self, claim: Awaitable[Any]) -> Any:
        """Await one claim and count it; None when it was refused."""
        before = time.perf_counter()
        try:
            held = await claim
        except Refused:
            held = None
        self.took.append(time.perf_counter() - before)
        self.tried += 1
        self.won += held is not None
        return held


async def crowd(store: Store, name: str, talks: int) -> Tally:
    """Claim every talk from several sides at once, close what was won, and return what was done.

    Some take by hand, all from the tail on, and a router gives out from the head until they meet.
    """
    floor = Floor(store, offers=False, lease_ms=10**9, grace_ms=10**9)
    mine = [await floor.agent(f"{name}{n}", capacity=ROOM) for n in range(TAKERS)]
    for agent in mine:
        await floor.chose(agent, "busy")
    given = await floor.agent(f"{name}r", capacity=ROOM)
    tally = Tally()
    taken = asyncio.gather(*(_takes(floor, agent, talks, tally) for agent in mine))
    await asyncio.gather(taken, _routes(floor, given, taken, tally))
    tally.ended = time.monotonic()
    return tally


async def _takes(floor: Floor, agent: bytes, talks: int, tally: Tally) -> None:
    for number in reversed(range(talks)):
        if held := await tally.claims(floor.desk.take(agent, talk_of(number), 1)):
            await floor.desk.close(agent, held.conversation, held.epoch)


async def _routes(floor: Floor, given: bytes, taken: asyncio.Future[list[None]], tally: Tally) -> None:
    while not taken.done():
        routed = await floor.desk.route()
        tally.tried += routed
        tally.won += routed
        for talk in await floor.store.read(lambda c: sql.owned(c, given)):
            held = await floor.talk(talk)
            await floor.desk.close(given, talk, held.epoch)
        await asyncio.sleep(0.02)


@dataclass(slots=True)
class Log:
    """What the event log says: how many talks went to an agent, and every rule that was broken on the way."""

    won: int = 0
    broken: list[str] = field(default_factory=list)
    _holders: dict[bytes, bytes] = field(default_factory=dict)
    _epochs: Counter[bytes] = field(default_factory=Counter)
    _loads: Counter[bytes] = field(default_factory=Counter)

    def tell(self, talk: bytes, kind: str, epoch: int, agent: bytes) -> None:
        """Follow what happened to a talk: each epoch comes once, and one agent is rid of it before another has it."""
        if epoch != self._epochs[talk] + 1:
            self.broken.append(f"{talk!r} went from epoch {self._epochs[talk]} to {epoch}")
        self._epochs[talk] = epoch
        if (before := self._holders.pop(talk, None)) is not None:
            self._loads[before] -= 1
        if kind in {"taken", "assigned"}:
            self._given(talk, agent, before)

    def _given(self, talk: bytes, agent: bytes, before: bytes | None) -> None:
        self.won += 1
        self._holders[talk] = agent
        self._loads[agent] += 1
        if before is not None:
            self.broken.append(f"{talk!r} was given to two")
        if self._loads[agent] > ROOM:
            self.broken.append(f"{agent!r} holds {self._loads[agent]}")


async def followed(store: Store) -> Log:
    """Follow the event log from its beginning, and believe nothing else: neither the program nor its other tables."""
    log = Log()
    for number, (id_, talk, *rest) in enumerate(await store.read(_logged), 1):
        if id_ != number:
            log.broken.append(f"a hole in the log before {id_}")
        if talk is not None:
            log.tell(talk, *rest)
    return log


def _logged(connection: Connection) -> Sequence[Any]:
    query = "SELECT id, conversation, kind, epoch, agent FROM desk_event ORDER BY id"
    return connection.execute(text(query)).all()


def figures(tallies: Sequence[Tally]) -> dict[str, Any]:
    """Return how many claims there were a second of the wall clock, who won them, and how long one took."""
    took = sorted(each for tally in tallies for each in tally.took)
    tried = sum(tally.tried for tally in tallies)
    seconds = max(tally.ended for tally in tallies) - min(tally.began for tally in tallies)
    return {
        "claims": tried,
        "won": [tally.won for tally in tallies],
        "seconds": round(seconds, 1),
        "claims_per_second": round(tried / seconds),
        "p50_ms": round(statistics.median(took) * 1000, 2),
        "p99_ms": round(took[len(took) * 99 // 100] * 1000, 2),
    }


class Other:
    """The crowd of another process; ``begin`` when all is ready, then ``ended`` tells what it did."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, database: str, name: str, talks: int) -> Other:
        """Start it, and return when it stands ready."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.kit.claims", database, name, str(talks)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**28,
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        return cls(process)

    async def begin(self) -> None:
        """Let it claim."""
        assert self._process.stdin is not None
        self._process.stdin.write(GO.encode())
        await self._process.stdin.drain()

    async def ended(self) -> Tally:
        """Return what it did."""
        out, _ = await self._process.communicate()
        assert self._process.returncode == 0
        return Tally(**json.loads(out))


async def _main(database: str, name: str, talks: int) -> None:
    from tests.conftest import open_any  # noqa: PLC0415 - only a process of its own needs it

    store = await open_any(database)
    try:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        assert await asyncio.to_thread(sys.stdin.readline) == GO
        sys.stdout.write(json.dumps(asdict(await crowd(store, name, talks))))
    finally:
        await store.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
