"""What plans come to: versions by guid, and what is left of a plan when actions fail."""

from collections.abc import Collection

from reconciler.actions import Destroy
from reconciler.observed.change import filesystem_of
from reconciler.observed.model import Observed
from reconciler.planner.history import Common, compare
from reconciler.planner.plan import Plan, PlannedAction

WWW = "backup/alpha/tank/www"
Place = tuple[str, str]
HERE: Place = ("alpha", "tank/www")
THERE: Place = ("vault", WWW)


def guids(observed: Observed, place: Place) -> list[int]:
    """Return the guids of a filesystem's snapshots, oldest first."""
    filesystem = filesystem_of(observed, *place)
    assert filesystem is not None, f"{place} is not there"
    return [version.guid for version in filesystem.snapshots]


def bookmarks(observed: Observed, place: Place) -> list[int]:
    """Return the guids of a filesystem's bookmarks, oldest first."""
    filesystem = filesystem_of(observed, *place)
    assert filesystem is not None, f"{place} is not there"
    return [version.guid for version in filesystem.bookmarks]


def doomed(plan: Plan, place: Place = HERE) -> list[int]:
    """Return the guids of the snapshots that a plan destroys at a place."""
    return [
        version.guid
        for planned in plan.actions
        if isinstance(planned.action, Destroy) and planned.action.places == (place,)
        for version in planned.action.versions
        if version.is_snapshot
    ]


def have_common(observed: Observed, here: Place = HERE, there: Place = THERE) -> bool:
    """Tell whether an incremental stream is possible between two filesystems."""
    sender, receiver = filesystem_of(observed, *here), filesystem_of(observed, *there)
    assert sender is not None
    assert receiver is not None
    return isinstance(compare(sender.versions, receiver.versions), Common)


def needs(plan: Plan, planned: PlannedAction) -> set[str]:
    """Return the ids of all actions that have to succeed before one is begun."""
    by_id = {other.id: other for other in plan.actions}
    found: set[str] = set()
    waiting = [planned]
    while waiting:
        more = set(waiting.pop().depends_on) - found
        found |= more
        waiting += [by_id[id_] for id_ in more]
    return found


def without(plan: Plan, failing: Collection[str]) -> list[PlannedAction]:
    """Return what is still done when the actions with these ids fail."""
    lost = set(failing)
    return [p for p in plan.actions if p.id not in lost and not needs(plan, p) & lost]
