"""Receivers whose sender's filesystem is gone: kept, and said so."""

from collections.abc import Iterator

from reconciler.desired.model import Desired, Replication, Target
from reconciler.observed.model import Observed, Seen
from reconciler.planner.plan import Note, Severity
from reconciler.zfs.names import is_within, pool_of


def orphan_notes(desired: Desired, observed: Observed) -> Iterator[Note]:
    """Yield a note for each receiver without a sender; only where both hosts were seen."""
    for _, replication in sorted(desired.replications.items()):
        for target in replication.targets:
            for sender in replication.senders:
                here, there = observed.get(sender), observed.get(target.host)
                if isinstance(here, Seen) and isinstance(there, Seen):
                    yield from _orphans(replication, target, here, there)


def _orphans(replication: Replication, target: Target, here: Seen, there: Seen) -> Iterator[Note]:
    root = target.roots[here.host]
    for name, filesystem in sorted(there.filesystems.items()):
        if filesystem.placeholder or not is_within(name, root) or name == root:
            continue
        sender = name[len(root) + 1 :]
        pool = here.pools.get(pool_of(sender))
        gone = pool is not None and pool.usable and sender not in here.filesystems
        if gone and replication.selects(here.host, sender):
            yield Note(
                Severity.WARNING,
                f"{here.host} {sender} is gone; {there.host} {name} is kept as it is",
                replication.name,
            )
