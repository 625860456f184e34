"""Nobody is given to two: claims from several hands, two routers and two processes at once.

``JIESU_TEST_CLAIMS=100000`` runs the many of the issue, as many from each process; the suite runs a few of them. What is
printed (``-s``) says how fast they were.
"""

import json
import os
import sys

import pytest

from tests.kit.claims import TAKERS, Other, crowd, figures, followed, talk_of, wait_in_line
from tests.kit.desk import Floor

CLAIMS = int(os.environ.get("JIESU_TEST_CLAIMS", "150"))


@pytest.mark.timeout(60 + CLAIMS // 50)
async def test_t01_and_t02_of_interleaved_claims_by_two_processes_none_is_won_twice(store, database):
    floor, talks = Floor(store), -(-CLAIMS // TAKERS)
    await wait_in_line(floor, talks)
    other = await Other.start(database, "two", talks)
    await other.begin()
    tallies = [await crowd(store, "one", talks), await other.ended()]
    told = figures(tallies)
    sys.stdout.write(f"{store.dialect}: {json.dumps(told)}\n")
    assert all(tally.tried >= CLAIMS for tally in tallies)
    log = await followed(store)
    assert (log.won, log.broken) == (talks, [])
    assert sum(tally.won for tally in tallies) == talks
    assert await floor.broken() == []
    assert {(await floor.talk(talk_of(n))).owner for n in (0, talks // 2, talks - 1)} == {"closed"}
