"""Nobody is given to two: claims from several hands, two routers and two processes at once.

``JIESU_TEST_CLAIMS=100000`` runs the many of the issue, as many from each process; the suite runs a few of them. What is
printed (``-s``) says how fast they were.
"""

import asyncio
import json
import os
import sys

import pytest

from tests.kit.claims import TAKERS, Crowd, Other, figures, followed, talk_of, wait_in_line
from tests.kit.desk import Floor

CLAIMS = int(os.environ.get("JIESU_TEST_CLAIMS", "150"))
TALKS = -(-CLAIMS // TAKERS)
MANY = 10_000
STRETCH = 10 if CLAIMS < MANY else 100
"""After so many talks the two processes wait for one another: the faster one shall not run away."""


@pytest.mark.timeout(60 + CLAIMS // 50)
async def test_t01_and_t02_of_interleaved_claims_by_two_processes_none_is_won_twice(store, database):
    floor = Floor(store)
    await wait_in_line(floor, TALKS)
    other, here = await Other.come(database, "two"), await Crowd.come(store, "one")
    for end in range(TALKS, 0, -STRETCH):
        stretch = range(max(end - STRETCH, 0), end)
        await asyncio.gather(other.claims(stretch), here.claims(stretch))
    tallies = [here.tally, await other.ended()]
    sys.stdout.write(f"{store.dialect}: {json.dumps(figures(tallies))}\n")
    assert all(tally.tried >= CLAIMS for tally in tallies)
    # Of a few talks one process may win them all, on a machine that is busy.
    assert CLAIMS < MANY or all(tally.won > TALKS // 10 for tally in tallies)
    log = await followed(store)
    assert (log.won, log.broken) == (TALKS, [])
    assert sum(tally.won for tally in tallies) == TALKS
    assert await floor.broken() == []
    assert {(await floor.talk(talk_of(n))).owner for n in (0, TALKS // 2, TALKS - 1)} == {"closed"}
