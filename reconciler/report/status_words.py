"""How a status is put into words, on a terminal and on the page: both say the same."""

from collections.abc import Iterable

from reconciler.report.figures import bytes_text, count_text, duration_text
from reconciler.report.lines import Style
from reconciler.report.status import (
    ConditionType,
    ControllerStatus,
    Hearing,
    HostStatus,
    Lag,
    PastRun,
    Phase,
    PoolStatus,
    ReplicationStatus,
    SpecsStatus,
    Truth,
    Way,
    condition,
)
from reconciler.report.status_summary import is_ready

STALE_AFTER = 60
"""Seconds after which a heartbeat is too old to believe that the controller goes on."""

HEALTHY = "ONLINE"
"""What zpool calls a pool that has all it needs."""

_READY = {Truth.TRUE: "yes", Truth.FALSE: "no", Truth.UNKNOWN: "unknown"}


def is_stale(status: ControllerStatus, now: int) -> bool:
    """Tell whether the controller was not seen to go on for too long."""
    return now - status.heartbeat > STALE_AFTER


def stale_text(status: ControllerStatus, now: int) -> str:
    """Say what an old heartbeat means."""
    age = duration_text(now - status.heartbeat)
    return (
        f"The controller ({status.identity}) was last seen at work {age} ago: it does not run, or"
        " hangs. What is said here may be out of date."
    )


def specs_text(specs: SpecsStatus, now: int) -> str:
    """Return which specs are in force, and since when."""
    if not specs.digest:
        return f"Specs {specs.source}: none are in force."
    revision = f" at {specs.revision}" if specs.revision else ""
    objects = count_text(specs.objects, "object")
    return f"Specs {specs.source}{revision} ({objects}), loaded {ago_text(specs.loaded_at, now)}."


def remains_text(specs: SpecsStatus) -> str:
    """Return what is in force while the newest specs are not."""
    if specs.digest:
        return "The last good ones stay in force."
    return "No others are either: nothing is done."


def problem_text(specs: SpecsStatus, now: int) -> str:
    """Say that the newest specs are not in force, and for how long."""
    if specs.problem_since is None:
        return "The newest specs are not in force"
    age = duration_text(max(0, now - specs.problem_since))
    return f"For {age} the newest specs are not in force"


def ready_text(of: ReplicationStatus | HostStatus) -> str:
    """Return yes, no, unknown or suspended."""
    if isinstance(of, ReplicationStatus) and of.suspended is not None:
        return "suspended"
    found = condition(of.conditions, ConditionType.READY)
    return _READY[found.status] if found else "unknown"


def ready_style(of: ReplicationStatus | HostStatus) -> Style:
    """Return how grave it is."""
    if is_ready(of):
        return Style.GOOD
    return {"no": Style.ERROR, "suspended": Style.QUIET}.get(ready_text(of), Style.WARNING)


def message_of(of: ReplicationStatus | HostStatus) -> str:
    """Return what is to be said of an object: why it is suspended, not ready, or what it does."""
    if isinstance(of, ReplicationStatus) and of.suspended is not None:
        return of.suspended
    by_type = {found.type: found for found in of.conditions if found.message}
    ready = by_type.get(ConditionType.READY)
    if ready is not None and ready.status is Truth.FALSE:
        return ready.message
    said = by_type.get(ConditionType.RECONCILING, ready)
    return said.message if said is not None else ""


def ago_text(at: int | None, now: int) -> str:
    """Return how long ago an instant was: `40s ago`, `never`."""
    return "never" if at is None else f"{duration_text(max(0, now - at))} ago"


def due_text(at: int | None, now: int) -> str:
    """Return when something will be: `in 10m00s`, `now`, `-` when there is no telling."""
    if at is None:
        return "-"
    return f"in {duration_text(at - now)}" if at > now else "now"


def gravity(lag: Lag, now: int) -> float:
    """Return how bad a lag is: 1 is the goal; what never arrived is worst."""
    seconds = lag.seconds(now)
    if seconds is None:
        return float("inf") if lag.max_lag is not None else 0.5
    return seconds / lag.max_lag if lag.max_lag else 0.0


def worst_lag(lags: Iterable[Lag], now: int) -> Lag | None:
    """Return the lag that is nearest to its goal, or farthest beyond it."""
    return max(lags, key=lambda lag: (gravity(lag, now), lag.seconds(now) or 0), default=None)


def lag_text(lag: Lag | None, now: int) -> str:
    """Return a lag against its goal: `12m00s of 1h00m`, `nothing yet, goal 1h00m`."""
    if lag is None:
        return "-"
    seconds = lag.seconds(now)
    if seconds is None:
        return "nothing yet" + (f", goal {duration_text(lag.max_lag)}" if lag.max_lag else "")
    goal = f" of {duration_text(lag.max_lag)}" if lag.max_lag else ""
    return f"{duration_text(seconds)}{goal}"


def way_text(way: Way) -> str:
    """Return the ends of a way: `web1 → vault`, or the sender alone."""
    return way.sender if way.receiver is None else f"{way.sender} → {way.receiver}"


def phase_text(way: Way, now: int) -> str:
    """Return what the queue does with a way, and how often it failed."""
    failed = f" after {way.failures} failures" if way.failures > 1 else ""
    match way.phase:
        case Phase.QUEUED | Phase.WORKING:
            return str(way.phase)
        case Phase.RETRYING:
            return f"tries again {due_text(way.next_at, now)}{failed}"
        case Phase.WAITING:
            return f"waits for a change{failed}"
        case Phase.IDLE:
            return f"looks again {due_text(way.next_at, now)}"


def hearing_text(host: HostStatus) -> str:
    """Return how changes on a host become known."""
    return {Hearing.EVENTS: "events", Hearing.POLLING: "polling"}[host.hearing]


def pool_text(pool: PoolStatus) -> str:
    """Return a pool's health and space."""
    return f"{pool.name} {pool.health}, {bytes_text(pool.free)} free"


def past_text(past: PastRun, now: int) -> str:
    """Return how runs ended: `12 times blocked, last 12m00s ago: 1 conflict`."""
    times = f"{past.count} times {past.outcome}, last" if past.count > 1 else f"{past.outcome}"
    done = ", ".join(f"{count} {verb}" for verb, count in past.done)
    said = f"{times} {ago_text(past.last, now)}, took {duration_text(past.seconds)}"
    return ": ".join(part for part in (said, past.message, done) if part)
