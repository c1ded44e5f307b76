"""Metrics for Prometheus: the one home of prometheus_client.

Counters and histograms are fed through `report.telemetry` as things happen; gauges are made from
the controller's status when a scrape asks. A part that fails is left out and counted, and the rest
is served: a scrape never fails because of one.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import product

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from reconciler.report import measures
from reconciler.report.gauges import PARTS, PER_FILESYSTEM, Part, Samples
from reconciler.report.lines import clean
from reconciler.report.measure import KNOWN, Measure, Type
from reconciler.report.status import ControllerStatus
from reconciler.report.telemetry import Telemetry
from reconciler.report.under_way import UnderWay

disable_created_metrics()  # type: ignore[no-untyped-call] # they would double the series of every counter and histogram

OPENMETRICS = "application/openmetrics-text"

STATUS, WORK, PROCESS = "status", "work", "process"
"""Parts besides those of `report.gauges`: the status itself, work under way, this process."""

PART_NAMES = (STATUS, *PARTS, *PER_FILESYSTEM, WORK, PROCESS)
"""Whose failures are counted."""


class Metrics(Telemetry):
    """Counts what it hears of, and says so to Prometheus. Safe for threads."""

    def __init__(
        self,
        status: Callable[[], ControllerStatus],
        *,
        per_filesystem: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.registry = CollectorRegistry()
        """A registry of its own: two controllers in one process do not mix."""
        self._under_way = UnderWay(clock)
        parts = {**PARTS, **(PER_FILESYSTEM if per_filesystem else {})}
        guarded: Mapping[str, Callable[[], Iterable[Metric]]] = {
            WORK: self._work,
            PROCESS: ProcessCollector(registry=None).collect,
        }
        self.registry.register(_StatusCollector(status, parts, self._failed))
        for name, collect in guarded.items():
            self.registry.register(_Guarded(name, collect, self._failed))
        # After the others, so that a scrape tells of its own failures.
        self._counters = {m: _counter(m, self.registry) for m in measures.of(Type.COUNTER)}
        self._histograms = {m: _histogram(m, self.registry) for m in measures.of(Type.HISTOGRAM)}
        for part in PART_NAMES:
            self._counters[measures.SCRAPE_ERRORS].labels(part)

    def exposition(self, accept: str | None) -> tuple[bytes, str]:
        """Return all metrics and their content type: OpenMetrics where that is accepted."""
        if OPENMETRICS in (accept or ""):
            text: bytes = openmetrics.generate_latest(self.registry)  # type: ignore[no-untyped-call]
            return text, openmetrics.CONTENT_TYPE_LATEST
        return generate_latest(self.registry), CONTENT_TYPE_PLAIN_0_0_4

    def reconciled(self, kind: str, result: str, seconds: float) -> None:
        """Count a run of a key."""
        self._under_way.ended(kind, seconds)
        self._inc(measures.RECONCILES, kind, result)
        if result in {"error", "terminal"}:
            self._inc(measures.RECONCILE_ERRORS, kind)
        if result == "terminal":
            self._inc(measures.TERMINAL_ERRORS, kind)
        self._observe(measures.RECONCILE_TIME, seconds, kind)
        self._observe(measures.WORK_TIME, seconds, kind)

    def panicked(self, kind: str) -> None:
        """Count a bug."""
        self._inc(measures.PANICS, kind)

    def acted(self, verb: str, result: str, seconds: float) -> None:
        """Count an action; how long it took, only if it was begun."""
        self._inc(measures.STEPS, verb, result)
        if result != "skipped":
            self._observe(measures.STEP_TIME, seconds, verb)

    def sent(self, replication: str, count: int) -> None:
        """Count bytes of streams."""
        self._inc(measures.SENT, replication, count=count)

    def planned(self, verb: str, count: int) -> None:
        """Count what was planned."""
        self._inc(measures.PLANNED, verb, count=count)

    def blocked(self, guard: str, count: int) -> None:
        """Count versions that a guard kept."""
        self._inc(measures.GUARDED, guard, count=count)

    def observed(self, host: str, seconds: float, *, seen: bool) -> None:
        """Count a look at a host."""
        self._inc(measures.ASKED, host, "seen" if seen else "unseen")
        for measure in (measures.EVENTS, measures.DEAF, measures.DISAGREED):
            self._inc(measure, host, count=0)  # a rate needs a zero to begin from
        self._observe(measures.ASK_TIME, seconds)

    def heard(self, host: str, count: int) -> None:
        """Count events."""
        self._inc(measures.EVENTS, host, count=count)

    def deaf(self, host: str) -> None:
        """Count a broken event stream."""
        self._inc(measures.DEAF, host)

    def disagreed(self, host: str, count: int) -> None:
        """Count changes that no event announced."""
        self._inc(measures.DISAGREED, host, count=count)

    def loaded(self, *, ok: bool, at: int) -> None:  # noqa: ARG002 -- the status knows since when
        """Count a reading of the specs."""
        self._inc(measures.LOADS, "success" if ok else "failure")

    def queued(self, kind: str) -> None:
        """Count a key that came into the queue."""
        self._inc(measures.QUEUE_ADDS, kind)

    def taken(self, kind: str, waited: float) -> None:
        """Note that a key is worked on from now on."""
        self._under_way.began(kind)
        self._observe(measures.QUEUE_TIME, waited, kind)

    def retried(self, kind: str) -> None:
        """Count a retry."""
        self._inc(measures.QUEUE_RETRIES, kind)

    def _work(self) -> Iterator[Metric]:
        return (_metric(measure, samples) for measure, samples in self._under_way.gauges())

    def _inc(self, measure: Measure, *labels: str, count: int = 1) -> None:
        counter = self._counters[measure]
        (counter.labels(*map(clean, labels)) if labels else counter).inc(max(0, count))

    def _observe(self, measure: Measure, seconds: float, *labels: str) -> None:
        histogram = self._histograms[measure]
        (histogram.labels(*map(clean, labels)) if labels else histogram).observe(max(0.0, seconds))

    def _failed(self, part: str) -> None:
        self._inc(measures.SCRAPE_ERRORS, part)


def _counter(measure: Measure, registry: CollectorRegistry) -> Counter:
    made = Counter(measure.name, measure.help, measure.labels, registry=registry)
    _begin_at_zero(measure, made)
    return made


def _histogram(measure: Measure, registry: CollectorRegistry) -> Histogram:
    made = Histogram(
        measure.name, measure.help, measure.labels, registry=registry, buckets=measure.buckets
    )
    _begin_at_zero(measure, made)
    return made


def _begin_at_zero(measure: Measure, made: Counter | Histogram) -> None:
    """Make the series that are known to come: a rate needs a zero to begin from."""
    if measure.per and all(per in KNOWN for per in measure.per):
        for values in product(*(KNOWN[per] for per in measure.per)):
            made.labels(*values)


class _StatusCollector(Collector):
    """Makes gauges from one status; a part that fails is told of and left out."""

    def __init__(
        self,
        status: Callable[[], ControllerStatus],
        parts: Mapping[str, Part],
        failed: Callable[[str], None],
    ) -> None:
        self._status = status
        self._parts = parts
        self._failed = failed

    def collect(self) -> Iterator[Metric]:
        """Yield what can be made."""
        try:
            status = self._status()
        except Exception:  # noqa: BLE001 -- whatever it is, the counters can still be served
            self._failed(STATUS)
            return
        for name, part in self._parts.items():
            yield from _safely(name, partial(_metrics, part, status), self._failed)


class _Guarded(Collector):
    """Makes another collector's failure its own business."""

    def __init__(
        self,
        name: str,
        collect: Callable[[], Iterable[Metric]],
        failed: Callable[[str], None],
    ) -> None:
        self._name = name
        self._collect = collect
        self._failed = failed

    def collect(self) -> Iterator[Metric]:
        """Yield what the other does, all or nothing."""
        yield from _safely(self._name, self._collect, self._failed)


def _safely(
    part: str, make: Callable[[], Iterable[Metric]], failed: Callable[[str], None]
) -> list[Metric]:
    try:
        return list(make())
    except Exception:  # noqa: BLE001 -- one that raises would end the whole scrape
        failed(part)
        return []


def _metrics(part: Part, status: ControllerStatus) -> Iterator[Metric]:
    return (_metric(measure, samples) for measure, samples in part(status))


def _metric(measure: Measure, samples: Samples) -> Metric:
    metric = GaugeMetricFamily(measure.name, measure.help, labels=measure.labels)
    cleaned = {tuple(map(clean, labels)): value for labels, value in samples.items()}
    for labels, value in cleaned.items():
        metric.add_metric(labels, float(value))
    return metric
