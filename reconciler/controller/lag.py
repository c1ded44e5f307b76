"""How far receivers are behind, read from what was observed. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from reconciler.controller.keys import Key, targets_of
from reconciler.desired.model import Desired, Replication, Target
from reconciler.observed.model import Filesystem, Observation, Observed, Seen
from reconciler.planner.history import Common, Diverged, compare
from reconciler.planner.marks import Ownership
from reconciler.planner.pairs import selected
from reconciler.report.status import Lag
from reconciler.zfs.names import pool_of


def lags(key: Key, desired: Desired, observed: Observed, before: tuple[Lag, ...]) -> Iterator[Lag]:
    """Yield the lags of a pair's key; what is known from `before` stands where it was not seen now.

    What is behind on a host that can't be asked, or in a pool that is away, gets older all the
    same. While the receiver is away the sender makes snapshots, and that is told.
    """
    replication = desired.replications[key.replication]
    here, there = observed.get(key.sender), observed.get(key.receiver)
    targets = targets_of(key, replication)
    wanted = [lag for old in before if (lag := _still_wanted(old, key, replication, targets))]
    if not isinstance(here, Seen):
        yield from wanted
        return
    yield from (lag for lag in wanted if not _is_usable(here, lag.filesystem))
    known = {(lag.filesystem, lag.receiver): lag for lag in wanted}
    for filesystem in selected(replication, here):
        for target in targets if _is_usable(here, filesystem.name) else ():
            receiver = target.receiver_of(key.sender, filesystem.name)
            last = known.get((filesystem.name, receiver))
            if last is None and not isinstance(there, Seen):
                continue  # what it has got is not known, not even that it is nothing
            yield _lag(replication, target, here, there, filesystem, last)


def _still_wanted(
    lag: Lag, key: Key, replication: Replication, targets: Iterable[Target]
) -> Lag | None:
    """Return a lag as the specs are now; None when they do not ask for it any more."""
    if not replication.selects(lag.host, lag.filesystem):
        return None
    goals = [
        target.max_lag
        for target in targets
        if target.receiver_of(key.sender, lag.filesystem) == lag.receiver
    ]
    return replace(lag, max_lag=goals[0]) if goals else None


def _is_usable(seen: Seen, filesystem: str) -> bool:
    pool = seen.pools.get(pool_of(filesystem))
    return pool is not None and pool.usable


def _lag(  # noqa: PLR0913, PLR0917 - both ends and what was known of them
    replication: Replication,
    target: Target,
    here: Seen,
    there: Observation | None,
    filesystem: Filesystem,
    last: Lag | None,
) -> Lag:
    receiver = target.receiver_of(here.host, filesystem.name)
    if isinstance(there, Seen) and _is_usable(there, receiver):
        replicated = _replicated(filesystem, there.filesystems.get(receiver))
    else:
        replicated = last.replicated if last is not None else None
    ours = Ownership.of(replication)
    managed = [version for version in filesystem.snapshots if ours.sends(version)]
    return Lag(
        host=here.host,
        filesystem=filesystem.name,
        receiver_host=target.host,
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
