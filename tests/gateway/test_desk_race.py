"""Nobody is given to two: claims from several hands, a router and another process at once.

``JIESU_TEST_CLAIMS=100000`` runs the many of the issue; the suite runs a few of them.
"""

import asyncio
import os
import sys

import pytest

from tests.kit.claims import TAKERS, crowd, doubled, talk_of, wait_in_line
from tests.kit.desk import Floor

CLAIMS = int(os.environ.get("JIESU_TEST_CLAIMS", "150"))


async def test_t01_and_t02_of_many_interleaved_claims_none_is_won_twice(store):
    floor = Floor(store)
    talks = CLAIMS // TAKERS
    await wait_in_line(floor, talks)
    tried = await crowd(store, "one", talks)
    assert tried >= CLAIMS
    assert await doubled(store) == (talks, [])
    assert await floor.broken() == []


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
async def test_t01_and_t02_two_processes_that_claim_the_same_talks_win_none_twice(store, database):
    floor = Floor(store)
    talks = CLAIMS // TAKERS
    await wait_in_line(floor, talks)
    other = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.kit.claims", database, "two", str(talks)),
        stdout=asyncio.subprocess.PIPE,
    )
    tried = await crowd(store, "one", talks)
    out, _ = await other.communicate()
    assert other.returncode == 0
    assert tried + int(out) >= 2 * CLAIMS
    assert await doubled(store) == (talks, [])
    assert await floor.broken() == []
    assert (await floor.talk(talk_of(0))).owner == "closed"
