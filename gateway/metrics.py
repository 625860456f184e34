"""What is counted, for Prometheus. No label ever carries a person's data; each process answers for itself."""

from __future__ import annotations

import collections
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 4.0)
_MESSAGES = (1, 2, 5, 10, 20, 50, 100, 256)


class _Spread(Collector):
    """A histogram, counted in plain numbers: the library's own takes a lock for each of a message's three."""

    def __init__(self, name: str, text: str, bounds: Sequence[float], registry: CollectorRegistry) -> None:
        self._name, self._text, self._bounds = name, text, bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        registry.register(self)

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def collect(self) -> Iterator[HistogramMetricFamily]:
        below, buckets = 0, []
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            below += count
            buckets.append((bound, below))
        yield HistogramMetricFamily(self._name, self._text, buckets, self._sum)


class _Tally(Collector):
    """A counter by account and outcome, in plain numbers too."""

    def __init__(self, name: str, text: str, registry: CollectorRegistry) -> None:
        self._name, self._text = name, text
        self.counts: collections.Counter[tuple[str, str]] = collections.Counter()
        registry.register(self)

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(self._name, self._text, labels=["account", "outcome"])
        for labels, count in self.counts.items():
            family.add_metric(labels, count)
        yield family


class Metrics:
    """The counters of one process; implements the meters of channels and outbox."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        labels = ["account", "outcome"]
        self._in = _Tally("jiesu_messages_in", "Messages received", registry)
        self._out = Counter("jiesu_messages_out", "Messages sent or given up", labels, registry=registry)
        self._refused = Counter("jiesu_refused", "Requests refused", ["account", "reason"], registry=registry)
        self._tokens = Counter(
            "jiesu_token_refreshes", "Access tokens fetched", ["account"], registry=registry
        )
        self._cases = Counter(
            "jiesu_case_moves", "Moves of cases off the hot path", ["verb"], registry=registry
        )
        self._ratings = Counter(
            "jiesu_service_ratings", "Services by a person rated", ["score"], registry=registry
        )
        self._gone = Counter(
            "jiesu_forgotten",
            "Rows forgotten or made anonymous because their time was over",
            ["table"],
            registry=registry,
        )
        self._ack = _Spread("jiesu_ack_seconds", "Arrival to commit", _SECONDS, registry)
        self._turn = _Spread("jiesu_batch_seconds", "A batch, read to commit", _SECONDS, registry)
        self._size = _Spread("jiesu_batch_messages", "Messages in a batch", _MESSAGES, registry)
        self._inbox = Gauge("jiesu_inbox_depth", "Messages waiting for a batch", registry=registry)
        self._outbox = Gauge("jiesu_outbox_depth", "Outgoing messages due", registry=registry)
        self._age = Gauge(
            "jiesu_outbox_age_seconds", "Age of the oldest due outgoing message", registry=registry
        )

    def received(self, account: str, outcome: str) -> None:
        """Count a message written down."""
        self._in.counts[account, outcome] += 1

    def acknowledged(self, seconds: float) -> None:
        """Time one message from arrival to commit."""
        self._ack.observe(seconds)

    def batch(self, messages: int, seconds: float) -> None:
        """Time one batch."""
        self._size.observe(messages)
        self._turn.observe(seconds)

    def sent(self, account: str, outcome: str) -> None:
        """Count the end of an outgoing message."""
        self._out.labels(account, outcome).inc()

    def refused(self, account: str, reason: str) -> None:
        """Count an inbound request that was turned away."""
        self._refused.labels(account, reason).inc()

    def token_refreshed(self, account: str) -> None:
        """Count a fetch of a provider's access token."""
        self._tokens.labels(account).inc()

    def moved(self, verb: str) -> None:
        """Count a case's move by a person or the clock."""
        self._cases.labels(verb).inc()

    def rated(self, score: int) -> None:
        """Count a citizen's rating of a service, 5 to 1."""
        self._ratings.labels(str(score)).inc()

    def forgot(self, table: str, count: int) -> None:
        """Count what was forgotten of a table."""
        self._gone.labels(table).inc(count)

    def depths(self, *, inbox: int, outbox: int, outbox_age: float) -> None:
        """Note how much waits now."""
        self._inbox.set(inbox)
        self._outbox.set(outbox)
        self._age.set(outbox_age)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)
