"""A crowd that claims the same talks, in one process or several; who won is read from the event log afterwards.

``python -m tests.kit.claims DATABASE NAME`` is one process of it: it claims each stretch of talks that a line of its
input names, and says ``done`` when it stands ready and after each; at the end of its input it prints what it did.
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
DONE = "done\n"


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


class Crowd:
    """The staff of one process: some take by hand, and a router gives out to one more of them."""

    def __init__(self, floor: Floor, mine: Sequence[bytes], given: bytes) -> None:
        self._floor = floor
        self._mine = mine
        self._given = given
        self.tally = Tally()

    @classmethod
    async def come(cls, store: Store, name: str) -> Crowd:
        """Let them come to work."""
        floor = Floor(store, offers=False, lease_ms=10**9, grace_ms=10**9)
        mine = [await floor.agent(f"{name}{n}", capacity=ROOM) for n in range(TAKERS)]
        for agent in mine:
            await floor.chose(agent, "busy")
        return cls(floor, mine, await floor.agent(f"{name}r", capacity=ROOM))

    async def claims(self, stretch: range) -> None:
        """Claim every talk of a stretch from several sides at once, and close what was won.

        The takers go from the tail on; the router gives out from the head of the whole line until they meet.
        """
        taken = asyncio.gather(*(self._takes(agent, stretch) for agent in self._mine))
        await asyncio.gather(taken, self._routes(taken))
        self.tally.ended = time.monotonic()

    async def _takes(self, agent: bytes, stretch: range) -> None:
        desk = self._floor.desk
        for number in reversed(stretch):
            if held := await self.tally.claims(desk.take(agent, talk_of(number), 1)):
                await desk.close(agent, held.conversation, held.epoch)

    async def _routes(self, taken: asyncio.Future[list[None]]) -> None:
        floor, given = self._floor, self._given
        while not taken.done():
            routed = await floor.desk.route()
            self.tally.tried += routed
            self.tally.won += routed
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
    """The crowd of another process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def come(cls, database: str, name: str) -> Other:
        """Start it, and return when its staff is there."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.kit.claims", database, name),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**28,
        )
        here = cls(process)
        await here._done()
        return here

    async def claims(self, stretch: range) -> None:
        """Let it claim a stretch of talks, and return when it has."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{stretch.start} {stretch.stop}\n".encode())
        await self._process.stdin.drain()
        await self._done()

    async def _done(self) -> None:
        assert self._process.stdout is not None
        assert await self._process.stdout.readline() == DONE.encode()

    async def ended(self) -> Tally:
        """Return what it did."""
        out, _ = await self._process.communicate(b"")
        assert self._process.returncode == 0
        return Tally(**json.loads(out))


async def _main(database: str, name: str) -> None:
    from tests.conftest import open_any  # noqa: PLC0415 - only a process of its own needs it

    store = await open_any(database)
    try:
        crowd = await Crowd.come(store, name)
        sys.stdout.write(DONE)
        sys.stdout.flush()
        while stretch := await asyncio.to_thread(sys.stdin.readline):
            await crowd.claims(range(*map(int, stretch.split())))
            sys.stdout.write(DONE)
            sys.stdout.flush()
        sys.stdout.write(json.dumps(asdict(crowd.tally)))
    finally:
        await store.close()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
