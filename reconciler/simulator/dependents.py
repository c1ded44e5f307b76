"""What depends on a filesystem or snapshot: what is below it, its snapshots, their clones.

Names tell what they are of: those of snapshots have an `@`. ZFS lists children and snapshots in
the order of a hash table (up to 2.2); here children come by name and snapshots by createtxg.
"""

from collections.abc import Iterator

from reconciler.simulator import change
from reconciler.simulator.items import RECV
from reconciler.simulator.model import Dataset, Machine, Snapshot


def dependents(machine: Machine, name: str) -> list[str]:
    """Return all that has to go before a filesystem or snapshot can, in that order.

    As `zfs_iter_dependents` of libzfs: each thing comes after what depends on it, and a clone
    that is also a child comes twice.
    """
    return list(_with_dependents(machine, name, ()))[:-1]


def clones(machine: Machine, dataset: Dataset, snapshot: Snapshot) -> list[str]:
    """Return the clones of a snapshot, with the hidden one that an increment is received into."""
    names = [clone.name for clone in change.clones_of(machine, snapshot)]
    return [hidden, *names] if (hidden := _based_on(dataset, snapshot)) is not None else names


def _based_on(dataset: Dataset, snapshot: Snapshot) -> str | None:
    hidden = hidden_clone(dataset)
    if hidden is None or dataset.partial is None or dataset.partial.fromguid != snapshot.guid:
        return None
    return hidden


def hidden_clone(dataset: Dataset) -> str | None:
    """Return the name of the clone that an increment is received into, None without one."""
    is_there = dataset.partial is not None and not dataset.inconsistent
    return f"{dataset.name}/{RECV}" if is_there else None


def _with_dependents(machine: Machine, name: str, above: tuple[str, ...]) -> Iterator[str]:
    if name in above:
        return
    if "@" in name:
        found = change.find_snapshot(machine, name)
        below = clones(machine, *found) if found is not None else []
    else:
        below = _inside(machine, name)
    for dependent in below:
        yield from _with_dependents(machine, dependent, (*above, name))
    yield name


def _inside(machine: Machine, name: str) -> list[str]:
    """Return what is right in a filesystem; the clone of a receive is no child to ZFS."""
    dataset = change.find(machine, name)
    if dataset is None:
        return []
    return [
        *(child.name for child in change.children(machine, name)),
        *(f"{name}@{snapshot.name}" for snapshot in dataset.snapshots),
    ]
