"""What the metrics say that is looked at when it is asked for: gauges from a controller's status.

Each part is made on its own, so that one that fails takes no other with it. A series is there
exactly as long as what it is about: nothing stale is left when a host leaves the specs.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from reconciler.report import measures
from reconciler.report.measure import KINDS, Measure
from reconciler.report.status import (
    ConditionType,
    ControllerStatus,
    Hearing,
    HostStatus,
    Phase,
    ReplicationStatus,
    Truth,
    condition,
)
from reconciler.report.status_summary import is_ready

Samples = Mapping[tuple[str, ...], float]
"""Label values → value. As keys, so that no series is there twice: that would end a scrape."""

Gauge = tuple[Measure, Samples]

Part = Callable[[ControllerStatus], Iterator[Gauge]]


def _controller(status: ControllerStatus) -> Iterator[Gauge]:
    yield measures.BUILD, {(status.version,): 1}
    yield measures.HEARTBEAT, {(): status.heartbeat}
    yield measures.STARTED, {(): status.started}
    yield measures.READY, {(): status.ready}
    yield measures.DRY_RUN, {(): status.dry_run}
    yield measures.WORKING, {(): status.working}
    yield measures.WORKERS, {(): status.workers}
    yield (
        measures.RUNNING,
        _counted([found.name for found in status.replications], _running(status)),
    )


def _running(status: ControllerStatus) -> Iterator[str]:
    return (send.replication for send in status.running)


def _specs(status: ControllerStatus) -> Iterator[Gauge]:
    specs = status.specs
    yield measures.SPEC_OBJECTS, {(): specs.objects}
    yield measures.RELOAD_OK, {(): specs.problem is None}
    if specs.digest:  # some are in force
        yield measures.SPECS, {(specs.revision or "", specs.digest): 1}
        yield measures.RELOADED_AT, {(): specs.loaded_at}


def _queue(status: ControllerStatus) -> Iterator[Gauge]:
    ways = [(found.name, way) for found in status.replications for way in found.ways]
    queued = (
        "sender" if way.receiver is None else "pair" for _, way in ways if way.phase is Phase.QUEUED
    )
    yield measures.DEPTH, _counted(KINDS, queued)
    yield (
        measures.FAILURES,
        {(name, way.sender, way.receiver or ""): way.failures for name, way in ways},
    )


def _hosts(status: ControllerStatus) -> Iterator[Gauge]:
    hosts = status.hosts
    yield measures.HOST_UP, {(host.name,): is_ready(host) for host in hosts}
    yield (
        measures.HOST_SEEN_AT,
        {(host.name,): host.observed_at for host in hosts if host.observed_at is not None},
    )
    yield (
        measures.HOST_HEARD,
        {(host.name,): host.hearing is Hearing.EVENTS for host in hosts},
    )
    yield measures.HOST_FILESYSTEMS, {(host.name,): host.filesystems for host in hosts}
    bookmarks: Samples = {(host.name, "bookmark"): host.bookmarks for host in hosts}
    snapshots: Samples = {(host.name, "snapshot"): host.snapshots for host in hosts}
    yield measures.HOST_VERSIONS, {**bookmarks, **snapshots}


def _pools(status: ControllerStatus) -> Iterator[Gauge]:
    pools = [(host.name, pool) for host in status.hosts for pool in host.pools]
    yield measures.POOL_HEALTH, {(host, pool.name, pool.health): 1 for host, pool in pools}
    yield measures.POOL_FREE, {(host, pool.name): pool.free for host, pool in pools}


def _objects(status: ControllerStatus) -> Iterator[Gauge]:
    of_replications = {_object("Replication", found): 1.0 for found in status.replications}
    yield measures.RESOURCE, of_replications | {_object("Host", h): 1.0 for h in status.hosts}
    yield (
        measures.NEXT_DUE,
        {
            (found.name,): found.next_due
            for found in status.replications
            if found.next_due is not None
        },
    )


def _object(kind: str, of: ReplicationStatus | HostStatus) -> tuple[str, ...]:
    ready = condition(of.conditions, ConditionType.READY)
    stalled = condition(of.conditions, ConditionType.STALLED)
    is_stalled = stalled is not None and stalled.status is Truth.TRUE
    suspended = isinstance(of, ReplicationStatus) and of.suspended is not None
    truth = ready.status if ready is not None else Truth.UNKNOWN
    return kind, of.name, str(truth), _word(is_stalled), _word(suspended)


def _word(flag: bool) -> str:  # noqa: FBT001 -- what it is about
    return "true" if flag else "false"


def _blocked(status: ControllerStatus) -> Iterator[Gauge]:
    yield (
        measures.BLOCKED,
        Counter(
            (found.name, blocked.code) for found in status.replications for blocked in found.blocked
        ),
    )


def _lags(status: ControllerStatus) -> Iterator[Gauge]:
    lags = [(found.name, lag) for found in status.replications for lag in found.lags]
    newest: dict[tuple[str, ...], float] = {}
    for _, lag in lags:
        if lag.newest is not None:
            place = (lag.host, lag.filesystem)
            newest[place] = max(lag.newest, newest.get(place, lag.newest))
    yield measures.NEWEST, newest
    where = [
        ((name, lag.host, lag.filesystem, lag.receiver_host, lag.receiver), lag)
        for name, lag in lags
    ]
    yield (
        measures.REPLICATED,
        {labels: lag.replicated for labels, lag in where if lag.replicated is not None},
    )
    yield (
        measures.GOAL,
        {labels: lag.max_lag for labels, lag in where if lag.max_lag is not None},
    )


def _counted(known: Iterator[str] | tuple[str, ...] | list[str], found: Iterator[str]) -> Samples:
    """Return how often each was found, with a zero for those that were not."""
    counts = Counter(found)
    return {(name,): counts[name] for name in dict.fromkeys((*known, *counts))}


PARTS: Mapping[str, Part] = {
    "controller": _controller,
    "specs": _specs,
    "queue": _queue,
    "hosts": _hosts,
    "pools": _pools,
    "objects": _objects,
    "blocked": _blocked,
}
"""Those whose number does not depend on filesystems."""

LAGS = "lags"

PER_FILESYSTEM: Mapping[str, Part] = {LAGS: _lags}
"""Those that can be left out."""
