"""Receivers whose sender's filesystem is gone: kept, and said so."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from reconciler.desired.model import Desired, Replication, Target
from reconciler.observed.model import Observed, Seen
from reconciler.planner.plan import Note, Severity
from reconciler.zfs.names import pool_of


def orphan_notes(desired: Desired, observed: Observed) -> Iterator[Note]:
    """Yield a note for each receiver without a sender; only where both hosts were seen."""
    names: dict[str, list[str]] = {}
    for _, replication in sorted(desired.replications.items()):
        for target in replication.targets:
            for sender in replication.senders:
                here, there = observed.get(sender), observed.get(target.host)
                if isinstance(here, Seen) and isinstance(there, Seen):
                    if target.host not in names:
                        names[target.host] = sorted(there.filesystems)
                    below = _below(target.roots[sender], names[target.host])
                    yield from _orphans(replication, target, here, there, below)


def _below(root: str, names: Sequence[str]) -> Iterator[str]:
    """Yield the names below a root; what begins alike stands together where names are sorted."""
    start = f"{root}/"
    for place in range(bisect_left(names, start), len(names)):
        if not names[place].startswith(start):
            return
        yield names[place]


def _orphans(
    replication: Replication, target: Target, here: Seen, there: Seen, below: Iterable[str]
) -> Iterator[Note]:
    root = target.roots[here.host]
    for name in below:
        sender = name[len(root) + 1 :]
        if sender in here.filesystems or there.filesystems[name].placeholder:
            continue
        pool = here.pools.get(pool_of(sender))
        gone = pool is not None and pool.usable
        if gone and replication.selection.selects(sender):
            yield Note(
                Severity.WARNING,
                f"{here.host} {sender} is gone; {there.host} {name} is kept as it is",
                replication.name,
            )
