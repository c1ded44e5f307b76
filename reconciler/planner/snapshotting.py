"""Which filesystems are due for a snapshot, and under which name."""

from collections.abc import Iterable, Sequence
from itertools import chain, groupby

from reconciler.actions import Snapshot
from reconciler.desired.model import Replication, Snapshots
from reconciler.desired.schedule import slot_of
from reconciler.observed.model import Filesystem
from reconciler.planner.marks import Ownership, name_length, snapshot_name, snapshot_time
from reconciler.zfs.names import MAX_NAME


def is_due(snapshots: Snapshots, ours: Ownership, filesystem: Filesystem, now: int) -> bool:
    """Tell whether a filesystem has no managed snapshot for the current slot.

    Read from the names, which carry the controller's time: a host's clock that is behind would
    otherwise make the same slot due again and again. A managed snapshot of a later slot (the
    clock was wrong, or was set back) says nothing about this one: no storm, and no end of
    snapshots either.
    """
    slot = slot_of(snapshots.schedule, now)
    # The newest first: it is the one where there is one.
    for version in reversed(filesystem.snapshots):
        if ours.on_sender(version):
            at = snapshot_time(snapshots.prefix, version.name)
            if at is not None and slot.start <= at < slot.end:
                return False
    if not snapshots.if_changed or _written_since(filesystem, ours):
        return True
    return not any(map(ours.on_sender, filesystem.snapshots))


def is_namable(snapshots: Snapshots, filesystem: Filesystem) -> bool:
    """Tell whether our snapshots' names fit behind the filesystem's: else ZFS would refuse all."""
    return len(filesystem.name) + 1 + name_length(snapshots.prefix) <= MAX_NAME


def _written_since(filesystem: Filesystem, ours: Ownership) -> bool:
    """Tell whether anything was written since the newest managed snapshot.

    Snapshots of others in between take their share of `written`, so those count as well.
    """
    if filesystem.written:
        return True
    for version in reversed(filesystem.snapshots):
        if ours.on_sender(version):
            return False
        if version.written:
            return True
    return False


def plan_snapshots(
    replication: Replication, host: str, filesystems: Sequence[Filesystem], now: int
) -> tuple[Snapshot, ...]:
    """Return one atomic action per pool with something due; all carry the same name."""
    snapshots = replication.snapshots
    if not isinstance(snapshots, Snapshots):
        return ()
    ours = Ownership.of(replication)
    able = [fs for fs in filesystems if not fs.inconsistent and is_namable(snapshots, fs)]
    due = [fs for fs in able if is_due(snapshots, ours, fs, now)]
    name = _free_name(snapshots, now, due)
    return tuple(
        Snapshot(
            host=host,
            filesystems=tuple(sorted(fs.name for fs in group)),
            name=name,
            spec=replication.name,
            at=now,
            hooks=snapshots.hooks,
        )
        for _pool, group in groupby(sorted(due, key=_pool_and_name), lambda fs: fs.pool)
    )


def _pool_and_name(filesystem: Filesystem) -> tuple[str, str]:
    """Sort key: by name alone, `tank-b/x` would stand between `tank` and `tank/a`."""
    return filesystem.pool, filesystem.name


def _free_name(snapshots: Snapshots, now: int, filesystems: Iterable[Filesystem]) -> str:
    """Return the first name of the slot, from `now` on, that no filesystem has yet."""
    taken = {version.name for fs in filesystems for version in fs.snapshots}
    slot = slot_of(snapshots.schedule, now)
    instants = chain(range(now, slot.end), range(slot.start, now))
    names = (snapshot_name(snapshots.prefix, at) for at in instants)
    return next((name for name in names if name not in taken), snapshot_name(snapshots.prefix, now))


def next_due(
    replications: Iterable[Replication], now: int, also: Iterable[int | None] = ()
) -> int | None:
    """Return when the next slot of any replication begins, None without schedules.

    `also` are other instants at which something comes due: a window opens, a grace ends.
    """
    active = [r.snapshots for r in replications if not r.suspend]
    schedules = [s.schedule for s in active if isinstance(s, Snapshots)]
    ends = (slot_of(schedule, now).end for schedule in schedules)
    return min((*ends, *(at for at in also if at is not None)), default=None)
