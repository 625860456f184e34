"""A mail that breaks the session: alone, then last, then left for an hour; one that comes is cleared."""

from __future__ import annotations

from datetime import timedelta

from channels.email.suspects import PAUSE, Suspects
from tests.kit.doors import NOW


def test_a_mail_that_breaks_the_session_is_found_and_left_for_an_hour():
    clock = [NOW]
    suspects = Suspects("mail", lambda: clock[0])
    lose(suspects, 1, 2, 3)
    assert suspects.ordered([1, 2, 3, 4]) == [1, 2, 3, 4]
    assert [suspects.alone(uid) for uid in (1, 2, 3, 4)] == [True, True, True, False]
    come(suspects, 1)
    lose(suspects, 2)
    assert suspects.ordered([1, 2, 3, 4]) == [1, 3, 4, 2]
    come(suspects, 3)
    lose(suspects, 2)
    assert suspects.ordered([1, 2, 3, 4]) == [1, 3, 4]
    clock[0] += PAUSE
    assert suspects.ordered([1, 2, 3, 4]) == [1, 3, 4, 2]
    lose(suspects, 2)
    assert suspects.ordered([2]) == []
    clock[0] += PAUSE + timedelta(seconds=1)
    come(suspects, 2)
    assert (suspects.ordered([2, 5]), suspects.alone(2)) == ([2, 5], False)


def test_a_session_lost_while_nothing_was_asked_for_suspects_nobody():
    suspects = Suspects("mail", lambda: NOW)
    suspects.lost()
    come(suspects, 1)
    suspects.lost()
    assert not suspects.alone(1)


def lose(suspects, *uids):
    suspects.asked(uids)
    suspects.lost()


def come(suspects, *uids):
    suspects.asked(uids)
    suspects.came()
