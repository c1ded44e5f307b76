"""How things go: what the kernel does for `zfs destroy`, each function one ioctl (dsl_destroy.c).

Others use it too: `zfs rollback -r` destroys snapshots, a receive destroys what it replaces, and
whoever takes away the last hold or clone of a deferred snapshot has to `reap` it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import Enum

from reconciler.simulator import change
from reconciler.simulator.checks import BUSY, EXISTS, check_pool, is_at_least, is_sent
from reconciler.simulator.dependents import clones, hidden_clone
from reconciler.simulator.items import RECV
from reconciler.simulator.model import Dataset, Machine, Snapshot
from reconciler.simulator.process import Refused
from reconciler.zfs.names import pool_of


class Obstacle(Enum):
    """Why a snapshot can't be destroyed; the value is the text of its errno."""

    BUSY = BUSY
    CLONED = EXISTS


# -- snapshots -------------------------------------------------------------------------------------


def destroy_snapshots(machine: Machine, names: Iterable[str], *, defer: bool) -> Machine:
    """Return the machine without snapshots of one pool: all go or none does.

    Those that do not exist are passed over. With `defer` those that are held or cloned are only
    marked. Raise Refused with a line for each that can't go.
    """
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return machine
    pool = pool_of(wanted[0])
    check_pool(machine, pool, "cannot destroy snapshots")
    obstacles = {
        name: why for name in wanted if (why := obstacle(machine, name, defer=defer)) is not None
    }
    if obstacles:
        raise Refused(*_complaints(machine, obstacles))
    there = [name for name in wanted if change.find_snapshot(machine, name) is not None]
    if there:
        machine, _ = change.next_txg(machine, pool)
    for name in there:
        machine = _destroyed(machine, name, defer=defer)
    return machine


def obstacle(machine: Machine, name: str, *, defer: bool) -> Obstacle | None:
    """Return why a snapshot can't be destroyed; one that does not exist can."""
    found = change.find_snapshot(machine, name)
    if found is None:
        return None
    dataset, snapshot = found
    if is_sent(machine, snapshot):
        return Obstacle.BUSY
    if defer:
        return None
    if snapshot.holds:
        return Obstacle.BUSY
    return Obstacle.CLONED if clones(machine, dataset, snapshot) else None


def _complaints(machine: Machine, obstacles: dict[str, Obstacle]) -> list[str]:
    """Return the lines of `zfs_destroy_snaps_nvl`, which knows only the first errno."""
    first = next(iter(obstacles.values()))
    return [
        f"cannot destroy snapshot {name}: {_reason(machine, name, why, first)}"
        for name, why in obstacles.items()
    ]


def _reason(machine: Machine, name: str, why: Obstacle, first: Obstacle) -> str:
    if why is Obstacle.CLONED:
        return "snapshot is cloned"
    found = change.find_snapshot(machine, name)
    if found is not None and found[1].holds and is_at_least(machine, 2, 3, 2):
        return f"it's being held. Run 'zfs holds -r {name}' to see holders."
    return first.value


def _destroyed(machine: Machine, name: str, *, defer: bool) -> Machine:
    found = change.find_snapshot(machine, name)
    if found is None:
        return machine
    dataset, snapshot = found
    if defer and (snapshot.holds or clones(machine, dataset, snapshot)):
        return with_snapshot(machine, dataset, replace(snapshot, deferred=True))
    return without_snapshot(machine, dataset, snapshot)


def with_snapshot(machine: Machine, dataset: Dataset, snapshot: Snapshot) -> Machine:
    """Return the machine with a snapshot in the place of the one with its object number."""
    snapshots = (snapshot if s.object == snapshot.object else s for s in dataset.snapshots)
    return change.with_dataset(machine, replace(dataset, snapshots=tuple(snapshots)))


def without_snapshot(machine: Machine, dataset: Dataset, snapshot: Snapshot) -> Machine:
    """Return the machine without a snapshot."""
    snapshots = tuple(s for s in dataset.snapshots if s.object != snapshot.object)
    return change.with_dataset(machine, replace(dataset, snapshots=snapshots))


def reap(machine: Machine, number: int, *, near: str = "") -> Machine:
    """Return the machine without the snapshot of an object number if it waited for that.

    That is: it was marked by `zfs destroy -d` and has no hold and no clone any more. `near` is
    the filesystem it is likely to be of.
    """
    found = change.by_object(machine, number, near=near)
    if found is None:
        return machine
    dataset, snapshot = found
    if not snapshot.deferred or snapshot.holds or clones(machine, dataset, snapshot):
        return machine
    return without_snapshot(machine, dataset, snapshot)


# -- filesystems -----------------------------------------------------------------------------------


def destroy_filesystem(machine: Machine, name: str) -> Machine:
    """Return the machine without a filesystem, a volume, or the hidden clone of a receive.

    One that does not exist is no error. Raise Refused when it is in use or not alone.
    """
    action = f"cannot destroy '{name}'"
    check_pool(machine, pool_of(name), action)
    parent, _, last = name.rpartition("/")
    dataset = change.find(machine, parent if last == RECV else name)
    if dataset is None:
        return machine
    if last == RECV:
        return _without_hidden(machine, dataset, action)
    if _is_busy(dataset):
        raise Refused(f"{action}: {BUSY}")
    if any(change.children(machine, name)):
        raise Refused(f"{action}: {EXISTS}")
    if hidden_clone(dataset) is not None:
        machine = _without_hidden(machine, dataset, action)
    if _keeps_origin(machine, dataset):
        raise Refused(f"{action}: {BUSY}")
    machine, _ = change.next_txg(machine, pool_of(name))
    machine = change.without_dataset(machine, name)
    return reap(machine, dataset.origin) if dataset.origin is not None else machine


def _is_busy(dataset: Dataset) -> bool:
    receiving = dataset.partial is not None and dataset.partial.owner is not None
    return dataset.mounted or bool(dataset.snapshots) or (receiving and dataset.inconsistent)


def _keeps_origin(machine: Machine, dataset: Dataset) -> bool:
    """Tell whether the origin would have to go along but is being sent."""
    found = change.by_object(machine, dataset.origin) if dataset.origin is not None else None
    if found is None:
        return False
    of, snapshot = found
    alone = snapshot.deferred and not snapshot.holds and len(clones(machine, of, snapshot)) == 1
    return alone and is_sent(machine, snapshot)


def _without_hidden(machine: Machine, dataset: Dataset, action: str) -> Machine:
    if dataset.partial is None or dataset.inconsistent:
        return machine
    if dataset.partial.owner is not None:
        raise Refused(f"{action}: {BUSY}")
    base = dataset.partial.fromguid
    machine, _ = change.next_txg(machine, pool_of(dataset.name))
    machine = change.with_dataset(machine, replace(dataset, partial=None))
    numbers: Sequence[int] = [s.object for s in dataset.snapshots if s.guid == base]
    for number in numbers:
        machine = reap(machine, number)
    return machine
