"""Streams that wait for a window: which replications send nothing now, and what is said of it."""

from collections.abc import Mapping
from datetime import UTC, datetime

from reconciler.actions import Send
from reconciler.actions.send import send_id
from reconciler.desired.model import Desired, Replication
from reconciler.desired.schedule import opens_at
from reconciler.planner.context import PairPlan
from reconciler.planner.plan import WINDOW, Blocked, PlannedAction


def closed_windows(desired: Desired, now: int) -> dict[str, int | None]:
    """Return the replications whose windows are closed, and when they open, if that is known."""
    opens = {
        name: opens_at(replication.windows, now)
        for name, replication in sorted(desired.replications.items())
    }
    return {name: at for name, at in opens.items() if at != now}


def waits(pair_plan: PairPlan, closed: Mapping[str, int | None]) -> Blocked:
    """Say what a pair's receiver gets once the windows open; it has something to wait for."""
    pair, versions = pair_plan.pair, pair_plan.waiting
    source, place = pair.source, f"{pair.receiver_host}:{pair.receiver}"
    name = source.replication.name
    newest = versions[-1].of(source.filesystem.name)
    return Blocked(
        action_id=send_id(source.host, newest, place),
        host=pair.receiver_host,
        filesystem=pair.receiver,
        versions=versions,
        guard=WINDOW,
        message=f"the windows of {name} {_until(closed[name])}",
    )


def must_wait(desired: Desired, planned: PlannedAction, now: int) -> str | None:
    """Say why a planned stream is not to be begun at an instant; None when it may be."""
    replication = desired.replications.get(planned.replication)
    if replication is None or not isinstance(planned.action, Send):
        return None
    opens = opens_at(replication.windows, now)
    return None if opens == now else f"the windows of {replication.name} {_until(opens)}"


def next_opening(replication: Replication, now: int) -> int | None:
    """Return when the windows of a replication open that are closed now; else None."""
    opens = None if replication.suspend else opens_at(replication.windows, now)
    return None if opens == now else opens


def _until(opens: int | None) -> str:
    if opens is None:
        return "do not open again"
    return f"are closed until {datetime.fromtimestamp(opens, UTC):%Y-%m-%d %H:%M:%S} UTC"
