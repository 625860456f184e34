"""Who may post: API keys, each with its own pace and day's measure."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from gateway.pace import Pace
from gateway.runtime import millis
from gateway.store import kept
from gateway.web.open311.faults import KEY, OFTEN, faulty
from gateway.web.open311.shown import ZONE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from gateway.metrics import Metrics
    from gateway.settings import Partner
    from gateway.store.store import Store

log = structlog.get_logger()

ACCOUNT = "open311"
"""The account whose conversations are with Open311 clients; what is owed to them is read here."""
MINUTE, HOUR = 60, 3600


@dataclass(frozen=True, slots=True)
class Client:
    """A partner whose key was right."""

    name: str
    partner: Partner


class Keys:
    """Knows the partners by their keys and counts what they do."""

    def __init__(
        self,
        partners: Mapping[str, Partner],
        *,
        store: Store,
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        self._partners = partners
        self._store = store
        self._metrics = metrics
        self._now = now
        self._pace = {
            name: Pace(per_second=each.requests_per_minute / MINUTE, burst=each.requests_per_minute)
            for name, each in partners.items()
        }

    def right(self, given: str) -> bool:
        """Return whether a key is one of ours; nothing is counted."""
        return self._whose(given) is not None

    def known(self, given: str) -> Client:
        """Return whose key this is, at his pace; raises Faulty for a wrong one and for too many requests a minute."""
        client = self._whose(given)
        if client is None:
            self._metrics.refused(ACCOUNT, "key")
            raise faulty(KEY, "api_key 缺少或不正确")
        if self._pace[client.name].over(b"", millis(self._now()) / 1000):
            self._metrics.refused(ACCOUNT, "pace")
            raise faulty(OFTEN, "请求过于频繁，请一分钟后再试", retry_after=MINUTE)
        return client

    async def count(self, client: Client) -> None:
        """Count a request that is to be opened; raises Faulty beyond the day's measure."""
        today = self._now().astimezone(ZONE).date()
        name = f"open311 {today:%y%m%d} {client.name}"
        if await self._store.write(partial(kept.add, name=name, count=1)) > client.partner.posts_per_day:
            self._metrics.refused(ACCOUNT, "day")
            log.warning("open311.day_is_full", partner=client.name)
            raise faulty(OFTEN, "今天提交的数量已达上限，请明天再试或拨打12345", retry_after=HOUR)

    def _whose(self, given: str) -> Client | None:
        # Every key is compared, and each in constant time, so that nothing is learned from how long it takes.
        right = None
        for name, partner in self._partners.items():
            if hmac.compare_digest(partner.key.get_secret_value().encode(), given.encode()):
                right = Client(name, partner)
        return right
