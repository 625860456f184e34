"""Mails at whose fetching the session was lost: one that its server cannot read must not stop the mailbox.

Whatever was asked for when it broke is asked for alone the next time; what breaks it alone comes after all others,
and what breaks it then is left in the folder for an hour. A line that merely broke clears them at the next fetch.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

log = structlog.get_logger()

LAST, LEFT = 2, 3
"""Losses after which a mail comes last, and after which it is left for ``PAUSE``."""
PAUSE = timedelta(hours=1)


class Suspects:
    """The mails of one account, by UID; ``now`` is the clock."""

    def __init__(self, account: str, now: Callable[[], datetime]) -> None:
        self._account = account
        self._now = now
        self._asked: Sequence[int] = ()
        self._losses: dict[int, int] = {}
        self._left: dict[int, datetime] = {}

    def asked(self, uids: Sequence[int]) -> None:
        """Note which mails are being fetched."""
        self._asked = uids

    def came(self) -> None:
        """Note that what was asked for came."""
        for uid in self._asked:
            self._losses.pop(uid, None)
        self._asked = ()

    def lost(self) -> None:
        """Note that the session was lost, and with it what was asked for."""
        for uid in self._asked:
            self._losses[uid] = losses = self._losses.get(uid, 0) + 1
            if losses >= LEFT:
                log.error("mail.unfetchable", account=self._account, uid=uid, losses=losses)
                self._left[uid] = self._now() + PAUSE
        self._asked = ()

    def ordered(self, uids: Iterable[int]) -> list[int]:
        """Return the mails to fetch now: those that broke the session alone last, those that are left not at all."""
        now = self._now()
        tried = [uid for uid in uids if uid not in self._left or self._left[uid] <= now]
        return sorted(tried, key=lambda uid: self._losses.get(uid, 0) >= LAST)

    def alone(self, uid: int) -> bool:
        """Return whether a mail is to be fetched by a command of its own."""
        return uid in self._losses
