"""The service's figures in Prometheus' form, at ``/metrics`` (docs/operating.md, Watching it).

Counters and histograms are of this process, since it started. Figures of the registry are read when somebody asks, at
most once in a few seconds, whoever asks how often. No figure names a customer, an API client or a path with an id.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import cache
from threading import Lock
from time import monotonic

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from dataops_api.metering import Meter
from dataops_core.errors import UnavailableError
from dataops_core.registry.database import Database
from dataops_core.registry.looking import Looking
from dataops_core.registry.measuring import Figures, figures

#: Figures of the registry are at most so old.
KEPT_SECONDS = 5.0
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SCORES = tuple(Decimal(bound) for bound in ("50", "80", "90", "94.9", "96", "97", "98", "99", "99.5", "100"))
_PREFIX = "dataops"

_log = logging.getLogger("dataops.api")


class Metrics(Meter):
    """Counts, and tells."""

    def __init__(self, database: Database, looking: Looking, *, kept_seconds: float = KEPT_SECONDS) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = _latencies("http_request_duration_seconds", "Requests to the API.", registry)
        self._connector_requests = _latencies("connector_request_duration_seconds", "Requests to connectors.", registry)
        self._rate_limited = _counter("rate_limited_requests", "Requests that came too often.", "limit", registry)
        self._tokens = _counter("token_requests", "Answers of the token endpoint.", "result", registry)
        self._launches = _counter("run_launches", "Launches that the API tried.", "result", registry)
        # To look a histogram up by its labels takes as long as to count in it.
        self._times = cache(self._times_of)
        registry.register(_DatabaseCollector(database, looking, kept_seconds))
        ProcessCollector(registry=registry)

    def request(self, *, method: str, route: str, status: int, seconds: float, connector: bool) -> None:
        """An answered request."""
        self._times(method if method in _METHODS else "other", route, status, connector).observe(seconds)

    def _times_of(self, method: str, route: str, status: int, connector: bool) -> Histogram:
        family = self._connector_requests if connector else self._requests
        return family.labels(method, route, str(status))

    def rate_limited(self, limit: str) -> None:
        """A request that was refused for coming too often."""
        self._rate_limited.labels(limit).inc()

    def token(self, result: str) -> None:
        """An answer of the token endpoint."""
        self._tokens.labels(result).inc()

    def launch(self, result: str) -> None:
        """What became of a launch."""
        self._launches.labels(result).inc()

    def render(self) -> tuple[bytes, str] | None:
        """Everything, in Prometheus' text form."""
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4


def _latencies(name: str, text: str, registry: CollectorRegistry) -> Histogram:
    labels = ("method", "route", "status")
    return Histogram(name, text, labels, namespace=_PREFIX, buckets=_LATENCIES, registry=registry)


def _counter(name: str, text: str, label: str, registry: CollectorRegistry) -> Counter:
    return Counter(name, text, (label,), namespace=_PREFIX, registry=registry)


class _DatabaseCollector(Collector):
    """The registry's figures and the pools of connections to it."""

    def __init__(self, database: Database, looking: Looking, kept_seconds: float) -> None:
        self._database = database
        self._looking = looking
        self._kept_seconds = kept_seconds
        self._lock = Lock()
        self._read_at = -kept_seconds
        self._figures: Figures | None = None

    def collect(self) -> Iterator[Metric]:
        """Called at each scrape."""
        yield from self._pools()
        found = self._current()
        yield _gauge("registry_up", "Whether the registry's figures could be read.", [((), float(found is not None))])
        if found is not None:
            yield from _of_registry(found)

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: it would read the database."""
        return []

    def _pools(self) -> Iterator[Metric]:
        pools = self._database.connections() | {"answering": self._looking.connections()}
        values = [((pool, state), float(number)) for pool, states in pools.items() for state, number in states.items()]
        yield _gauge("database_connections", "Connections of this process.", values, ("pool", "state"))

    def _current(self) -> Figures | None:
        with self._lock:
            if monotonic() - self._read_at >= self._kept_seconds:
                self._figures = self._read()
                self._read_at = monotonic()
            return self._figures

    def _read(self) -> Figures | None:
        try:
            with self._database.reading() as connection:
                return figures(connection)
        except UnavailableError as error:
            _log.warning("the registry's figures were not read: %s", error.message)
            return None


def _of_registry(found: Figures) -> Iterator[Metric]:
    by = ("status", "type")
    yield _gauge("operations", "Operations.", [((s, t), float(n)) for s, t, n in found.operations], by)
    yield _gauge(
        "oldest_pending_operation_seconds",
        "How long the oldest pending operation has waited.",
        [((), found.oldest_pending_seconds)],
    )
    yield _gauge("datasets", "Datasets.", [((s, t), float(n)) for s, t, n in found.datasets], by)
    events = [((status, event), float(number)) for status, event, number in found.journey_events]
    yield _gauge("open_journey_events", "Events of journeys that are not done yet.", events, ("status", "event"))
    yield _gauge(
        "oldest_open_journey_event_seconds",
        "How long the oldest event of a journey that is not done yet has been known.",
        [((), found.oldest_journey_event_seconds)],
    )
    yield _gauge(
        "datasets_below_threshold",
        "Ready datasets whose score, a check or connector is not as it must be.",
        [((), float(found.below))],
    )
    yield _gauge(
        "connectors", "Connectors of ready datasets.", [((s,), float(n)) for s, n in found.connectors], ("status",)
    )
    yield _gauge("notifications", "Notifications.", [((s,), float(n)) for s, n in found.notifications], ("state",))
    orphans = [((verdict, kind), float(number)) for verdict, kind, number in found.orphans]
    yield _gauge("orphans", "Findings of the newest search for orphans.", orphans, ("verdict", "kind"))
    age = found.orphan_search_seconds
    yield _gauge(
        "orphan_search_age_seconds",
        "How long ago the newest search for orphans was.",
        [((), age)] if age is not None else [],
    )
    scores = GaugeHistogramMetricFamily(f"{_PREFIX}_dataset_quality_score", "Scores of the ready datasets.")
    reached = [(str(bound), _up_to(found.scores, bound)) for bound in _SCORES]
    total = float(sum(count for _, count in found.scores))
    scores.add_metric((), [*reached, ("+Inf", total)], float(sum(score * count for score, count in found.scores)))
    yield scores


def _up_to(scores: Sequence[tuple[Decimal, int]], bound: Decimal) -> float:
    return float(sum(count for score, count in scores if score <= bound))


def _gauge(
    name: str, text: str, values: Iterable[tuple[tuple[str, ...], float]], labels: tuple[str, ...] = ()
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{_PREFIX}_{name}", text, labels=labels)
    for given, value in values:
        family.add_metric(given, value)
    return family
