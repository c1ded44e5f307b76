"""`zfs rollback` (zfs-rollback(8))."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from reconciler.simulator import change
from reconciler.simulator.checks import check_pool
from reconciler.simulator.commands.destroying import without_bookmark
from reconciler.simulator.dependents import dependents
from reconciler.simulator.destruction import destroy_filesystem, destroy_snapshots, obstacle
from reconciler.simulator.items import DOES_NOT_EXIST, Item, Kind, open_item
from reconciler.simulator.model import Bookmark, Dataset, Machine
from reconciler.simulator.mounting import unmount_all
from reconciler.simulator.process import Commands, Process, Refused
from reconciler.simulator.usage import usage
from reconciler.zfs.names import pool_of

_MOST_SHOWN = 32


def rollback(process: Process) -> Iterable[bytes]:
    """Bring a filesystem back to a snapshot, which has to be its newest one.

    With `-r` newer snapshots and bookmarks are destroyed one by one before that, with `-R` their
    clones too: what is gone stays gone when a later step is refused.
    """
    options = process.options("rRf", usage=lambda said: usage("rollback", said))
    if len(options.operands) != 1:
        raise usage(
            "rollback", "too many arguments" if options.operands else "missing dataset argument"
        )
    (name,) = options.operands
    item = open_item(process.cell.read(), name, frozenset({Kind.SNAPSHOT}))
    if options.has("r") or options.has("R"):
        if not options.has("R"):
            _check_clones(process.cell.read(), item)
        _destroy_newer(process, item)
    else:
        _check_newest(item)
    process.cell.change(partial(_rolled_back, name))
    return ()


def _newer(item: Item) -> tuple[list[str], list[Bookmark]]:
    """Return the snapshots, by full name, and bookmarks that came after a snapshot."""
    dataset, snapshot = item.dataset, item.snapshot
    since = snapshot.createtxg if snapshot is not None else 0
    snapshots = [f"{dataset.name}@{s.name}" for s in dataset.snapshots if s.createtxg > since]
    bookmarks = sorted(
        (b for b in dataset.bookmarks if b.createtxg > since), key=lambda b: (b.createtxg, b.name)
    )
    return snapshots, bookmarks


def _check_newest(item: Item) -> None:
    snapshots, bookmarks = _newer(item)
    newer = [*snapshots, *(f"{item.dataset.name}#{found.name}" for found in bookmarks)]
    if not newer:
        return
    more = f"Output limited to {_MOST_SHOWN} snapshots/bookmarks"
    raise Refused(
        f"cannot rollback to '{item.name}': more recent snapshots or bookmarks exist",
        "use '-r' to force deletion of the following snapshots and bookmarks:",
        *newer[:_MOST_SHOWN],
        *([more] if len(newer) >= _MOST_SHOWN else []),
    )


def _check_clones(machine: Machine, item: Item) -> None:
    found = [name for snapshot in _newer(item)[0] for name in dependents(machine, snapshot)]
    if found:
        raise Refused(
            f"cannot rollback to '{item.name}': clones of previous snapshots exist",
            "use '-R' to force deletion of the following clones and dependents:",
            *found,
        )


def _destroy_newer(process: Process, item: Item) -> None:
    """Destroy what is newer, each by itself, as far as that goes; raise Refused at the end."""
    snapshots, bookmarks = _newer(item)
    complaints: list[str] = []
    for snapshot in snapshots:
        for name in (*dependents(process.cell.read(), snapshot), snapshot):
            try:
                process.cell.change(partial(_without, name))
            except Refused as refused:
                complaints += refused.lines
    for found in bookmarks:
        process.cell.change(partial(without_bookmark, f"{item.dataset.name}#{found.name}"))
    if complaints:
        raise Refused(*complaints)


def _without(name: str, machine: Machine) -> Machine:
    if "@" not in name:
        return destroy_filesystem(unmount_all(machine, name), name)
    check_pool(machine, pool_of(name), f"cannot destroy '{name}'")
    why = obstacle(machine, name, defer=False)
    if why is not None:
        raise Refused(f"cannot destroy '{name}': {why.value}")
    return destroy_snapshots(machine, [name], defer=False)


def _rolled_back(name: str, machine: Machine) -> Machine:
    filesystem, _, short = name.partition("@")
    action = f"cannot rollback '{filesystem}'"
    check_pool(machine, pool_of(name), action)
    dataset = change.find(machine, filesystem)
    if dataset is None:
        raise Refused(f"{action}: {DOES_NOT_EXIST}")
    if change.find_snapshot(machine, name) is None:
        raise Refused(f"{action}: '{name}' is not found among snapshots of '{filesystem}'")
    newest = dataset.snapshots[-1]
    if newest.name != short or _has_newer_bookmark(dataset):
        raise Refused(f"{action}: there is a snapshot or bookmark more recent than '{name}'")
    machine, _ = change.next_txg(machine, pool_of(name))
    rolled = replace(
        dataset, files=newest.files, changed=newest.createtxg, accounted=newest.accounted
    )
    return change.with_dataset(machine, rolled)


def _has_newer_bookmark(dataset: Dataset) -> bool:
    newest = dataset.snapshots[-1].createtxg
    return any(bookmark.createtxg > newest for bookmark in dataset.bookmarks)


COMMANDS: Commands = {("zfs", "rollback"): rollback}
