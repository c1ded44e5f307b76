"""`zfs clone` (zfs-clone(8)) and `zfs promote` (zfs-promote(8))."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

from reconciler.simulator import change
from reconciler.simulator.assignments import ENCRYPTION, checked, parsed
from reconciler.simulator.checks import BUSY, EXISTS, check_pool, check_space, is_sent
from reconciler.simulator.commands.creating import BLOCKS, create_ancestors, mount_new
from reconciler.simulator.items import DOES_NOT_EXIST, Kind, Kinds, open_item
from reconciler.simulator.model import Dataset, Encryption, Machine, Snapshot
from reconciler.simulator.naming import complaint
from reconciler.simulator.parents import check_parent
from reconciler.simulator.process import Commands, Process, Refused
from reconciler.simulator.usage import usage
from reconciler.zfs.names import parent_of, pool_of

FILESYSTEMS: Kinds = frozenset({Kind.FILESYSTEM, Kind.VOLUME})


# -- clone -----------------------------------------------------------------------------------------


def clone(process: Process) -> Iterable[bytes]:
    """Make a filesystem, or volume, of a snapshot."""
    options = process.options("o:p", usage=lambda said: usage("clone", said))
    given = parsed(options.all("o"))
    if len(options.operands) != 2:
        missing = "target" if options.operands else "source"
        too_many = len(options.operands) > 2
        raise usage(
            "clone", "too many arguments" if too_many else f"missing {missing} dataset argument"
        )
    source, target = options.operands
    origin = open_item(process.cell.read(), source, frozenset({Kind.SNAPSHOT}))
    if options.has("p") and complaint(target, "") is None:
        if change.find(process.cell.read(), target) is not None:
            return ()
        create_ancestors(process, target)
    action = f"cannot create '{target}'"
    wrong = complaint(target, "")
    if wrong is not None:
        raise Refused(f"{action}: {wrong}")
    check_parent(process.cell.read(), target)
    kind = Kind(origin.dataset.kind.value)
    settings = checked(process.cell.read(), target, given, kind, action)
    if ENCRYPTION & set(settings):
        raise Refused(f"{action}: Encryption properties must inherit from origin dataset.")
    now = process.now()
    process.cell.change(partial(_cloned, source, target, settings, now))
    mount_new(process, target)
    return ()


def _cloned(
    source: str, target: str, settings: Mapping[str, str], now: int, machine: Machine
) -> Machine:
    action = f"cannot create '{target}'"
    pool = pool_of(target)
    check_pool(machine, pool, action)
    if change.find(machine, parent_of(target) or "") is None:
        raise Refused(f"{action}: no such parent '{parent_of(target)}'")
    if change.find(machine, target) is not None:
        raise Refused(f"{action}: {EXISTS}")
    if pool_of(source) != pool:
        raise Refused(f"{action}: source and target pools differ")
    found = change.find_snapshot(machine, source)
    if found is None:
        raise Refused(f"{action}: no such parent '{parent_of(target)}'")
    check_space(machine, pool, action, BLOCKS)
    of, origin = found
    encryption = _encryption(machine, of, target)
    machine, txg = change.next_txg(machine, pool)
    machine, guid = change.mint(machine)
    made = Dataset(
        name=target,
        kind=of.kind,
        guid=guid,
        createtxg=txg,
        creation=now,
        files=origin.files,
        local=dict(settings),
        origin=origin.object,
        encryption=encryption,
        accounted=origin.accounted,
        large_blocks=of.large_blocks,
        volsize=of.volsize,
    )
    return change.with_dataset(machine, made)


def _encryption(machine: Machine, origin: Dataset, target: str) -> Encryption | None:
    """Return the encryption of a clone: its origin's key.

    A clone outside of its origin's encryption root has that as its root in ZFS; here it becomes
    one itself, with the same key.
    """
    root = change.encryption_root(machine, origin.name)
    if origin.encryption is None or root is None:
        return None
    if change.encryption_root(machine, parent_of(target) or target) is root:
        return replace(origin.encryption, key=None, loaded=False)
    return root.encryption


# -- promote ---------------------------------------------------------------------------------------


def promote(process: Process) -> Iterable[bytes]:
    """Make a clone the owner of the snapshots that it shares with its origin."""
    options = process.options("", usage=lambda said: usage("promote", said))
    if len(options.operands) != 1:
        too_many = bool(options.operands)
        raise usage(
            "promote", "too many arguments" if too_many else "missing clone filesystem argument"
        )
    (name,) = options.operands
    open_item(process.cell.read(), name, FILESYSTEMS)
    process.cell.change(partial(_promoted, name))
    return ()


def _promoted(name: str, machine: Machine) -> Machine:
    action = f"cannot promote '{name}'"
    dataset = change.find(machine, name)
    if dataset is None:
        raise Refused(f"{action}: {DOES_NOT_EXIST}")
    found = change.by_object(machine, dataset.origin) if dataset.origin is not None else None
    if found is None:
        raise Refused(f"{action}: not a cloned filesystem")
    check_pool(machine, pool_of(name), action)
    of, origin = found
    moved = [snapshot for snapshot in of.snapshots if snapshot.createtxg <= origin.createtxg]
    if any(is_sent(machine, snapshot) for snapshot in moved):
        raise Refused(f"{action}: {BUSY}")
    _check_names(dataset, of, origin, moved)
    machine, _ = change.next_txg(machine, pool_of(name))
    marks = [bookmark for bookmark in of.bookmarks if bookmark.createtxg <= origin.createtxg]
    promoted = replace(
        dataset,
        origin=of.origin,
        snapshots=(*moved, *dataset.snapshots),
        bookmarks=tuple(sorted((*dataset.bookmarks, *marks), key=lambda found: found.name)),
    )
    former = replace(
        of,
        origin=origin.object,
        snapshots=tuple(snapshot for snapshot in of.snapshots if snapshot not in moved),
        bookmarks=tuple(bookmark for bookmark in of.bookmarks if bookmark not in marks),
    )
    return change.with_dataset(change.with_dataset(machine, promoted), former)


def _check_names(
    dataset: Dataset, of: Dataset, origin: Snapshot, moved: Iterable[Snapshot]
) -> None:
    """Raise Refused where a name is taken; ZFS tells the first one, from the newest on."""
    snapshots = {snapshot.name for snapshot in dataset.snapshots}
    bookmarks = {bookmark.name for bookmark in dataset.bookmarks}
    taken = [snapshot.name for snapshot in reversed(tuple(moved)) if snapshot.name in snapshots]
    taken += [
        bookmark.name
        for bookmark in sorted(of.bookmarks, key=lambda found: (found.createtxg, found.name))
        if bookmark.createtxg <= origin.createtxg and bookmark.name in bookmarks
    ]
    if taken:
        raise Refused(
            f"cannot promote '{dataset.name}': conflicting snapshot '{taken[0]}'"
            f" from parent '{of.name}@{origin.name}'"
        )


COMMANDS: Commands = {("zfs", "clone"): clone, ("zfs", "promote"): promote}
