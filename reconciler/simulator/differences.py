"""What one change made of a machine, as JSON: only what became another value.

Values are shared by the machines before and after a change, so what is the same object did not
change, and nothing is compared.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from reconciler.simulator import codec
from reconciler.simulator.model import Dataset, Machine, Pool, Snapshot

T = TypeVar("T")


def difference(before: Machine, after: Machine) -> dict[str, Any]:
    """Return what became another value; what is gone is null."""
    plain = codec.changes(before, after, without={"pools", "datasets"})
    pools = _changed(before.pools, after.pools)
    datasets = _changed(before.datasets, after.datasets)
    return {
        "plain": plain,
        "pools": {name: pool and codec.encode(pool) for name, pool in pools.items()},
        "datasets": {
            name: dataset and _dataset_difference(before.datasets.get(name), dataset)
            for name, dataset in datasets.items()
        },
    }


def applied(machine: Machine, document: Mapping[str, Any]) -> Machine:
    """Return the machine after a change; raise as `codec.decode` does for what is none."""
    pools: dict[str, Pool] = dict(machine.pools)
    datasets: dict[str, Dataset] = dict(machine.datasets)
    for name, change in document["pools"].items():
        _put(pools, name, change and codec.decode(Pool, change))
    for name, change in document["datasets"].items():
        _put(datasets, name, change and _dataset_applied(datasets.get(name), change))
    plain = codec.changed(machine, document["plain"])
    return replace(machine, **plain, pools=pools, datasets=datasets)


def _changed(before: Mapping[str, T], after: Mapping[str, T]) -> dict[str, T | None]:
    if before is after:
        return {}
    gone: dict[str, T | None] = {name: None for name in before if name not in after}
    return gone | {name: new for name, new in after.items() if before.get(name) is not new}


def _put(values: dict[str, T], name: str, value: T | None) -> None:
    if value is None:
        del values[name]
    else:
        values[name] = value


# -- filesystems -----------------------------------------------------------------------------------


def _dataset_difference(before: Dataset | None, after: Dataset) -> dict[str, Any]:
    """Return a new filesystem, or what of it changed, with those snapshots that are other ones."""
    if before is None:
        return {"new": codec.encode(after)}
    changed = codec.changes(before, after, without={"snapshots"})
    if after.snapshots is before.snapshots:
        return {"changed": changed}
    known = {snapshot.object: snapshot for snapshot in before.snapshots}
    others = [found for found in after.snapshots if known.get(found.object) is not found]
    return {
        "changed": changed,
        "order": [snapshot.object for snapshot in after.snapshots],
        "snapshots": [codec.encode(snapshot) for snapshot in others],
    }


def _dataset_applied(before: Dataset | None, document: Mapping[str, Any]) -> Dataset:
    if "new" in document:
        return codec.decode(Dataset, document["new"])
    if before is None:
        raise KeyError("a filesystem that is not there has changed")
    after = replace(before, **codec.changed(before, document["changed"]))
    if "order" not in document:
        return after
    known = {snapshot.object: snapshot for snapshot in before.snapshots}
    for found in document["snapshots"]:
        made = codec.decode(Snapshot, found)
        known[made.object] = made
    return replace(after, snapshots=tuple(known[number] for number in document["order"]))
