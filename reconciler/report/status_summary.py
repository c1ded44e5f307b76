"""What a controller's status amounts to: closing text and exit code from one value.

A replication that is suspended was meant to stand still: it is named and counts as no failure.
Whether a receiver is late is in its replication's `Ready`, which is the controller's to say.
"""

from collections.abc import Iterator

from reconciler.report.figures import count_text
from reconciler.report.naming import names_text
from reconciler.report.status import (
    ConditionType,
    ControllerStatus,
    HostStatus,
    ReplicationStatus,
    Truth,
    condition,
)
from reconciler.report.summary import ExitCode, Summary

_NAMED = 8
"""Hosts that are named; more are counted."""


def of_status(status: ControllerStatus) -> Summary:
    """Return the summary: 0 all is ready, 3 something is not, 4 only people can go on."""
    return Summary(_code(status), " ".join([_ready(status), *_trouble(status)]))


def is_ready(of: ReplicationStatus | HostStatus) -> bool:
    """Tell whether an object says that it is ready."""
    found = condition(of.conditions, ConditionType.READY)
    return found is not None and found.status is Truth.TRUE


def is_failing(of: ReplicationStatus) -> bool:
    """Tell whether a replication is not ready for another cause than what waits for a person."""
    if of.suspended is not None or is_ready(of):
        return False
    return not of.blocked or any(way.failures for way in of.ways)


def _code(status: ControllerStatus) -> ExitCode:
    incomplete = (
        not status.ready
        or status.specs.problem is not None
        or not all(is_ready(host) for host in status.hosts)
        or any(is_failing(found) for found in status.replications)
    )
    if incomplete:
        return ExitCode.INCOMPLETE
    blocked = any(found.blocked and found.suspended is None for found in status.replications)
    return ExitCode.BLOCKED if blocked else ExitCode.DONE


def _ready(status: ControllerStatus) -> str:
    asked = [found for found in status.replications if found.suspended is None]
    ready = sum(is_ready(found) for found in asked)
    if not status.replications:
        return "No replications."
    if not asked:
        return "All replications are suspended."
    of = "All" if ready == len(asked) else f"{ready} of"
    return f"{of} {len(asked)} replications ready." if len(asked) > 1 else _one_ready(ready)


def _one_ready(ready: int) -> str:
    return "The replication is ready." if ready else "The replication is not ready."


def _trouble(status: ControllerStatus) -> Iterator[str]:
    unready = [host.name for host in status.hosts if not is_ready(host)]
    blocked = sum(len(found.blocked) for found in status.replications)
    late = sum(lag.is_late(status.at) for found in status.replications for lag in found.lags)
    suspended = sum(found.suspended is not None for found in status.replications)
    if not status.ready:
        yield "The controller is not ready yet."
    if status.specs.problem is not None:
        yield "The newest specs are not in force."
    if unready:
        yield f"{count_text(len(unready), 'host')} not ready: {names_text(unready, _NAMED)}."
    if late:
        yield f"{late} over the lag goal."
    if blocked:
        yield f"{blocked} blocked."
    if suspended:
        yield f"{suspended} suspended."
