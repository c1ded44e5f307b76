"""Receivers whose sender's filesystem does not meet the conditions of the spec: kept, and said."""

from collections.abc import Iterator

from reconciler.desired.model import Desired, Replication, Target
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.plan import Note, Severity
from reconciler.zfs.names import is_within


def deselected_notes(desired: Desired, observed: Observed) -> Iterator[Note]:
    """Yield a note for each receiver whose source is there, but not selected by its properties."""
    for _, replication in sorted(desired.replications.items()):
        for target in replication.targets if replication.selection.where else ():
            there = observed.get(target.host)
            for sender in replication.senders:
                here = observed.get(sender)
                if isinstance(there, Seen) and isinstance(here, Seen):
                    yield from _notes(replication, target, here, there)


def _notes(replication: Replication, target: Target, here: Seen, there: Seen) -> Iterator[Note]:
    root = target.roots[here.host]
    for name, filesystem in sorted(there.filesystems.items()):
        if filesystem.placeholder or not filesystem.snapshots or name == root:
            continue
        sender = name[len(root) + 1 :] if is_within(name, root) else ""
        source = here.filesystems.get(sender)
        if source is not None and replication.selects(here.host, sender):
            why = _missing(replication, source)
            if why:
                yield Note(
                    Severity.WARNING,
                    f"{here.host} {sender} has not {why}; {there.host} {name} is kept as it is",
                    replication.name,
                )


def _missing(replication: Replication, source: Filesystem) -> str:
    """Return which conditions a filesystem does not meet."""
    where = replication.selection.where
    missing = [str(one) for one in where if source.properties.get(one.property) != one.equals]
    return " and ".join(missing)
