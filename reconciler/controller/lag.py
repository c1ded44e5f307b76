"""How far receivers are behind, read from what was observed. Pure."""

from collections.abc import Iterator

from reconciler.controller.keys import Key, targets_of
from reconciler.desired.model import Desired, Replication, Target
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.history import Common, Diverged, compare
from reconciler.planner.marks import Ownership
from reconciler.planner.pairs import selected
from reconciler.report.status import Lag
from reconciler.zfs.names import pool_of


def lags(key: Key, desired: Desired, observed: Observed, before: tuple[Lag, ...]) -> Iterator[Lag]:
    """Yield the lags of a pair's key; those from `before` stand where an end was not seen now.

    What is behind on a host that can't be asked gets older all the same.
    """
    replication = desired.replications[key.replication]
    here, there = observed.get(key.sender), observed.get(key.receiver)
    targets = targets_of(key, replication)
    if not isinstance(here, Seen) or not isinstance(there, Seen):
        yield from before
        return
    known = {(lag.filesystem, lag.receiver): lag for lag in before}
    for filesystem in selected(replication, here):
        for target in targets:
            receiver = target.receiver_of(key.sender, filesystem.name)
            last = known.get((filesystem.name, receiver))
            yield _lag(replication, target, here, there, filesystem, last)


def _lag(  # noqa: PLR0913, PLR0917 - both ends and what was known of them
    replication: Replication,
    target: Target,
    here: Seen,
    there: Seen,
    filesystem: Filesystem,
    last: Lag | None,
) -> Lag:
    receiver = target.receiver_of(here.host, filesystem.name)
    pool = there.pools.get(pool_of(receiver))
    if pool is None or not pool.usable:
        replicated = last.replicated if last is not None else None
    else:
        replicated = _replicated(filesystem, there.filesystems.get(receiver))
    ours = Ownership.of(replication)
    managed = [version for version in filesystem.snapshots if ours.on_sender(version)]
    return Lag(
        host=here.host,
        filesystem=filesystem.name,
        receiver_host=there.host,
        receiver=receiver,
        newest=managed[-1].creation if managed else None,
        replicated=replicated,
        max_lag=target.max_lag,
    )


def _replicated(here: Filesystem, there: Filesystem | None) -> int | None:
    """Return the creation of the newest version that both ends have."""
    found = compare(here.versions, there.versions) if there is not None else None
    match found:
        case Common(sender=version) | Diverged(common=Common(sender=version)):
            return version.creation
        case _:
            return None
