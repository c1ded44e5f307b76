"""Receivers whose source is back, or is no longer selected: their marks are taken away.

So the grace begins anew when it is gone once more, and no changed filter makes anything overdue.
"""

from collections.abc import Iterator
from typing import NamedTuple

from reconciler.actions import MarkGone, Reason
from reconciler.desired.model import Desired, Replication
from reconciler.observed.model import Observed, Seen
from reconciler.planner.absence import Absences, Place
from reconciler.planner.pairs import is_writable
from reconciler.planner.plan import PlannedAction
from reconciler.zfs.names import pool_of

SOURCE_GONE = "source-gone"
"""The reason's code of all that is done about a receiver whose source is gone, or was."""


class _Reading(NamedTuple):
    """What a place below a root stands for under one replication."""

    replication: Replication
    sender: str
    source: str

    @property
    def is_selected(self) -> bool:
        return self.replication.selects(self.sender, self.source)


def returns(desired: Desired, observed: Observed, absences: Absences) -> Iterator[PlannedAction]:
    """Yield what takes the marks away; where anything is not known they stay."""
    gone = frozenset(absence.place for absence in absences.all)
    for host, seen in sorted(observed.items()):
        for filesystem in seen.marked_gone if isinstance(seen, Seen) else ():
            name = filesystem.name
            if filesystem.disabled:
                continue
            readings = list(_readings(desired, (host, name)))
            why = _why(readings, observed, is_gone=(host, name) in gone)
            if why and isinstance(seen, Seen) and is_writable(seen, name):
                mark = MarkGone(host, name, filesystem.guid, None)
                replication = readings[0].replication.name
                yield PlannedAction(mark, Reason(SOURCE_GONE, why), replication)


def _readings(desired: Desired, place: Place) -> Iterator[_Reading]:
    """Yield what a place may stand for, what is selected first."""
    found = [
        _Reading(replication, sender, place[1][len(root) + 1 :])
        for _, replication in sorted(desired.replications.items())
        for target in replication.targets
        for sender, root in target.roots.items()
        if target.host == place[0] and place[1].startswith(f"{root}/")
    ]
    yield from sorted(found, key=lambda reading: not reading.is_selected)


def _why(readings: list[_Reading], observed: Observed, *, is_gone: bool) -> str:
    if not readings or any(reading.replication.suspend for reading in readings):
        return ""
    if not readings[0].is_selected:
        return "its source is no longer selected"
    here = observed.get(readings[0].sender)
    pool = here.pools.get(pool_of(readings[0].source)) if isinstance(here, Seen) else None
    known = pool is not None and pool.usable
    return "its source is there" if known and not is_gone else ""
