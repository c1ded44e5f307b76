"""What a simulated host announces: the text of `zpool events` for what changed between two states.

Found by comparing the two, so things that cancel out are not announced, and the order of things
within one filesystem is lost. What real ZFS does not announce isn't announced here either: content
that is written, mounts, keys that are loaded.
"""

import time
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from reconciler.simulator.model import Dataset, Machine, Pool, Snapshot
from reconciler.zfs.events import HISTORY
from reconciler.zfs.names import pool_of

_SYSTEM = "sysevent.fs.zfs."


class Announced(NamedTuple):
    """One event."""

    pool: str
    kind: str = HISTORY
    dataset: str | None = None
    operation: str | None = None
    detail: str = " "


def kept(machine: Machine) -> Iterator[Announced]:
    """Yield what the kernel still keeps of what happened before anybody listened."""
    for name in sorted(_imported(machine)):
        yield Announced(name, _SYSTEM + "pool_import")


def announced(before: Machine, after: Machine) -> Iterator[Announced]:
    """Yield what happened between two states of one machine."""
    for name in sorted({*before.pools, *after.pools}):
        yield from _of_pool(name, before, after)
    if before.datasets is after.datasets:
        return
    pools = _imported(before) & _imported(after)
    old, new = _datasets(before, pools), _datasets(after, pools)
    renamed = dict(_renamed(old, new))
    for was, name in renamed.items():
        yield Announced(pool_of(was), HISTORY, was, "rename", f"-> {name}")
    before_now = {**old, **{name: old[was] for was, name in renamed.items()}}
    for name in sorted(old.keys() - renamed.keys()):
        if name not in new or new[name].guid != old[name].guid:
            yield Announced(pool_of(name), HISTORY, name, "destroy", "(bptree, mintxg=1)")
            before_now.pop(name)
    for name, dataset in sorted(new.items()):
        if before_now.get(name) is not dataset:
            yield from _of_dataset(before_now.get(name), dataset)


def record(event: Announced, eid: int, moment: float) -> tuple[str, ...]:
    """Return the lines that `zpool events -v -H` prints about an event."""
    seconds, nanoseconds = divmod(int(moment * 1e9), 10**9)
    date = time.strftime("%b %e %Y %H:%M:%S", time.gmtime(seconds))
    items = {"class": event.kind, "pool": event.pool}
    if event.dataset is not None:
        items["history_dsname"] = event.dataset
    if event.operation is not None:
        items |= {"history_internal_str": event.detail, "history_internal_name": event.operation}
    return (
        f"{date}.{nanoseconds:09}\t{event.kind}",
        "        version = 0x0",
        *(f'        {key} = "{value}"' for key, value in items.items()),
        f"        time = {seconds:#x} {nanoseconds:#x} ",
        f"        eid = {eid:#x}",
        "",
    )


def _of_pool(name: str, before: Machine, after: Machine) -> Iterator[Announced]:
    old, new = before.pools.get(name), after.pools.get(name)
    if old is None or new is None:
        yield Announced(name, _SYSTEM + ("pool_create" if old is None else "pool_destroy"))
    elif old.imported != new.imported:
        yield Announced(name, _SYSTEM + ("pool_import" if new.imported else "pool_export"))
    elif old.health != new.health:
        yield Announced(name, "resource.fs.zfs.statechange")
    elif _enabled(old) != _enabled(new):
        yield Announced(name, _SYSTEM + "config_sync")


def _enabled(pool: Pool) -> set[str]:
    """Return the features of a pool that are enabled; that one becomes active isn't announced."""
    return {name for name, state in pool.features.items() if state != "disabled"}


def _imported(machine: Machine) -> set[str]:
    return {name for name, pool in machine.pools.items() if pool.imported}


def _datasets(machine: Machine, pools: Collection[str]) -> Mapping[str, Dataset]:
    return {name: dataset for name, dataset in machine.datasets.items() if pool_of(name) in pools}


def _renamed(old: Mapping[str, Dataset], new: Mapping[str, Dataset]) -> Iterator[tuple[str, str]]:
    """Yield the old and new names of filesystems that are still there under another one."""
    arrived = {(new[name].guid, pool_of(name)): name for name in new.keys() - old.keys()}
    for name in sorted(old.keys() - new.keys()):
        now = arrived.get((old[name].guid, pool_of(name)))
        if now is not None:
            yield name, now


def _of_dataset(old: Dataset | None, new: Dataset) -> Iterator[Announced]:
    """Yield what happened to one filesystem that is there now."""
    pool = pool_of(new.name)
    if old is None:
        operation = "receive" if new.inconsistent else "create" if new.origin is None else "clone"
        yield Announced(pool, HISTORY, new.name, operation)
        old = Dataset(new.name, new.kind, new.guid, new.createtxg, new.creation, origin=new.origin)
    for dataset, operation, detail in (*_of_versions(old, new), *_of_itself(old, new)):
        yield Announced(pool, HISTORY, dataset, operation, detail)


_What = tuple[str, str, str]
"""The dataset, the operation and its detail."""


def _of_versions(old: Dataset, new: Dataset) -> Iterator[_What]:
    name = new.name
    was = {snapshot.object: snapshot for snapshot in old.snapshots}
    now = {snapshot.object: snapshot for snapshot in new.snapshots}
    for number in was.keys() - now.keys():
        yield f"{name}@{was[number].name}", "destroy", " "
    for number, snapshot in now.items():
        if number not in was:
            yield f"{name}@{snapshot.name}", "snapshot", " "
        elif was[number] is not snapshot:
            yield from _of_snapshot(name, was[number], snapshot)
    marks, marks_now = ({mark.name for mark in each.bookmarks} for each in (old, new))
    for mark in sorted(marks_now - marks):
        yield name, "bookmark", f"name={mark}"
    for mark in sorted(marks - marks_now):
        yield name, "remove bookmark", f"name={mark}"


def _of_snapshot(filesystem: str, old: Snapshot, new: Snapshot) -> Iterator[_What]:
    full = f"{filesystem}@{old.name}"
    if old.name != new.name:
        yield full, "rename", f"-> @{new.name}"
    for tag in sorted(new.holds.keys() - old.holds.keys()):
        yield full, "hold", f"tag={tag} temp=0 refs={len(new.holds)}"
    for tag in sorted(old.holds.keys() - new.holds.keys()):
        yield full, "release", f"tag={tag} refs={len(new.holds)}"
    if new.deferred and not old.deferred:
        yield full, "defer_destroy", " "
    if old.properties != new.properties:
        yield full, "set", " "


def _of_itself(old: Dataset, new: Dataset) -> Iterator[_What]:
    name = new.name
    if (old.local, old.received, old.masked) != (new.local, new.received, new.masked):
        yield name, "set", " "
    if old.origin != new.origin:
        yield name, "promote", " "
    if old.partial is None and new.partial is not None:
        yield f"{name}/%recv", "receive", " "
    if old.partial is not None and new.partial is None:
        yield f"{name}/%recv", "destroy", " "
