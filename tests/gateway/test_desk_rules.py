"""Who may do what, as one table; and that nobody starves, whatever the boosts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.desk.rights import RIGHTS, Right, Role, may
from gateway.desk.routing import Free, Rules, Waiting, match, rank

R = Right
TALKING = (R.READ_TALKS, R.REPLY, R.NOTE, R.TRANSFER, R.REVEAL, R.ACT_ON_CASES, R.MARK_ABUSE)
MATRIX: dict[Right, set[Role]] = {
    **{right: {Role.AGENT, Role.SUPERVISOR} for right in (*TALKING, R.ACKNOWLEDGE_ALERT)},
    **{right: {Role.SUPERVISOR} for right in (R.TAKE_OVER, R.WHISPER, R.APPROVE_ABUSE, R.SEE_WALL)},
    R.MANAGE_ACCOUNTS: {Role.ADMIN},
    R.READ_AUDIT: {Role.AUDITOR},
}


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("role", Role)
def test_a_role_may_do_what_the_table_says_and_nothing_else(role, right):
    assert may(role.value, right) is (role in MATRIX[right])


def test_an_unknown_role_may_do_nothing():
    assert not any(may("root", right) for right in Right)


def test_whoever_makes_accounts_reads_neither_talks_nor_audit():
    assert not RIGHTS[Role.ADMIN] & (RIGHTS[Role.SUPERVISOR] | RIGHTS[Role.AUDITOR])


RULES = Rules()
MOST = RULES.urgent_boost + RULES.elderly_boost + RULES.returned_boost
SECOND = 1000
boosts = st.tuples(st.booleans(), st.booleans(), st.booleans())


@given(
    late=st.lists(st.tuples(st.integers(0, 4 * MOST), boosts), max_size=40),
    waited=st.integers(0, MOST),
)
def test_nobody_is_overtaken_by_one_who_came_more_than_the_boosts_after_him(late, waited):
    plain = Waiting(b"plain", rank(waited, RULES), waited)
    others = [
        Waiting(b"%06d" % n, rank(came, RULES, urgent=u, elderly=e, returned=r), came)
        for n, (came, (u, e, r)) in enumerate(late)
    ]
    line = sorted([plain, *others], key=lambda each: (each.rank, each.conversation))
    before = line[: line.index(plain)]
    assert all(each.enqueued_at <= waited + MOST for each in before)


@given(arrivals=st.lists(boosts, min_size=1, max_size=30))
def test_under_a_stream_of_urgent_people_the_plain_one_is_served_within_the_bound(arrivals):
    """One seat a minute, one new person a minute who is before him if anybody is: he is served all the same."""
    minute = 60 * SECOND
    line = [Waiting(b"plain", rank(0, RULES), 0)]
    for n in range(1 + MOST // minute + 1):
        now = n * minute
        urgent, elderly, returned = arrivals[n % len(arrivals)]
        place = rank(now, RULES, urgent=urgent, elderly=elderly, returned=returned)
        line.append(Waiting(b"%06d" % n, place, now))
        line.sort(key=lambda each: (each.rank, each.conversation))
        (pair,) = match(line, [Free(b"a", frozenset(), 5, 0, 0)], now, RULES)
        line = [each for each in line if each.conversation != pair.conversation]
        if pair.conversation == b"plain":
            return
    raise AssertionError("he was never served")


def test_a_want_that_nobody_meets_keeps_nobody_behind_it():
    line = [Waiting(b"%04d" % n, n, n, frozenset({"ko"})) for n in range(500)]
    line.append(Waiting(b"plain", 500, 500))
    assert [pair.conversation for pair in match(line, [Free(b"a", frozenset(), 5, 0, 0)], 501, RULES)] == [
        b"plain"
    ]
