"""`zfs rename` of snapshots, filesystems and volumes (zfs-rename(8))."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from reconciler.simulator import change
from reconciler.simulator.checks import EXISTS, check_pool
from reconciler.simulator.commands.creating import create_ancestors
from reconciler.simulator.destruction import with_snapshot
from reconciler.simulator.directories import made, mountpoint
from reconciler.simulator.items import DATASETS, DOES_NOT_EXIST, Item, Kind, Kinds, open_item
from reconciler.simulator.model import Dataset, Machine
from reconciler.simulator.mounting import NOWHERE, is_mountable, without_directory
from reconciler.simulator.naming import complaint
from reconciler.simulator.parents import check_parent
from reconciler.simulator.process import Commands, Options, Process, Refused
from reconciler.simulator.usage import usage
from reconciler.zfs.names import MAX_DEPTH, MAX_NAME, is_within, parent_of, pool_of

TOO_LONG = "dataset name is too long"


def rename(process: Process) -> Iterable[bytes]:
    """Rename one thing."""
    options = process.options("pruf", usage=lambda said: usage("rename", said))
    _check_usage(options)
    source, target = options.operands
    item = open_item(process.cell.read(), source, _kinds(options))
    is_snapshot = item.kind is Kind.SNAPSHOT
    if options.has("p") and complaint(target, "@" if is_snapshot else "") is None:
        create_ancestors(process, target)
    if source == target:
        return ()
    if is_snapshot:
        _rename_snapshot(process, item, target, recursive=options.has("r"))
    else:
        _rename_filesystem(process, item, target, mounted_as_is=options.has("u"))
    return ()


def _check_usage(options: Options) -> None:
    if len(options.operands) != 2:
        missing = "target" if options.operands else "source"
        too_many = len(options.operands) > 2
        raise usage(
            "rename", "too many arguments" if too_many else f"missing {missing} dataset argument"
        )
    for other in ("r", "u"):
        if options.has("p") and options.has(other):
            first, second = ("p", "r") if other == "r" else ("u", "p")
            raise usage("rename", f"-{first} and -{second} options are mutually exclusive")
    if options.has("r") and "@" not in options.operands[0]:
        raise usage("rename", "source dataset for recursive rename must be a snapshot")


def _kinds(options: Options) -> Kinds:
    if options.has("u"):
        return frozenset({Kind.FILESYSTEM})
    return frozenset({Kind.FILESYSTEM, Kind.VOLUME}) if options.has("p") else DATASETS


# -- snapshots -------------------------------------------------------------------------------------


def _rename_snapshot(process: Process, item: Item, target: str, *, recursive: bool) -> None:
    filesystem, _, old = item.name.partition("@")
    full = target if "@" in target[1:] else f"{filesystem}@{target.removeprefix('@')}"
    if full.partition("@")[0] != filesystem:
        raise Refused(f"cannot rename to '{target}': snapshots must be part of same dataset")
    wrong = complaint(full, "@")
    if wrong is not None:
        raise Refused(f"cannot rename to '{target}': {wrong}")
    new = full.partition("@")[2]
    process.cell.change(partial(_renamed, filesystem, old, new, recursive=recursive))


def _renamed(filesystem: str, old: str, new: str, machine: Machine, *, recursive: bool) -> Machine:
    """Return the machine with a snapshot renamed, with `recursive` in all filesystems below too."""
    action = f"cannot rename '{filesystem}@{old}'"
    check_pool(machine, pool_of(filesystem), action)
    if change.find_snapshot(machine, f"{filesystem}@{old}") is None:
        raise Refused(f"{action}: {DOES_NOT_EXIST}")
    roots = change.within(machine, filesystem) if recursive else [machine.datasets[filesystem]]
    holders = [dataset for dataset in roots if _has(dataset, old)]
    for dataset in holders:
        if len(f"{dataset.name}@{new}".encode()) > MAX_NAME:
            raise Refused(f"{action}: {TOO_LONG}")
        if _has(dataset, new):
            child = "a child dataset already has a snapshot with the new name"
            raise Refused(f"{action}: {child if recursive else EXISTS}")
    machine, _ = change.next_txg(machine, pool_of(filesystem))
    for dataset in holders:
        snapshot = next(there for there in dataset.snapshots if there.name == old)
        machine = with_snapshot(machine, dataset, replace(snapshot, name=new))
    return machine


def _has(dataset: Dataset, name: str) -> bool:
    return any(snapshot.name == name for snapshot in dataset.snapshots)


# -- filesystems -----------------------------------------------------------------------------------


def _rename_filesystem(process: Process, item: Item, target: str, *, mounted_as_is: bool) -> None:
    machine = process.cell.read()
    source = item.name
    action = f"cannot rename to '{target}'"
    wrong = "invalid character % in name" if "%" in source else complaint(target, "")
    if wrong is not None and wrong != "maximum name nesting depth exceeded":
        raise Refused(f"{action}: {wrong}")
    check_parent(machine, target)
    if not source.startswith(f"{pool_of(target)}/"):
        raise Refused(f"{action}: datasets must be within same pool")
    if target.startswith(f"{source}/"):
        raise Refused(f"{action}: New dataset name cannot be a descendant of current dataset name")
    stays = mounted_as_is or mountpoint(machine, source) in NOWHERE
    process.cell.change(partial(_moved, source, target, remount=not stays))


def _moved(source: str, target: str, machine: Machine, *, remount: bool) -> Machine:
    """Return the machine with a filesystem and all below it under another name."""
    action = f"cannot rename '{source}'"
    pool = pool_of(source)
    check_pool(machine, pool, action)
    if change.find(machine, source) is None:
        raise Refused(f"{action}: {DOES_NOT_EXIST}")
    if change.find(machine, parent_of(target) or "") is None:
        raise Refused(f"{action}: {DOES_NOT_EXIST}")
    if change.find(machine, target) is not None:
        raise Refused(f"{action}: {EXISTS}")
    inside = [dataset for name, dataset in machine.datasets.items() if is_within(name, source)]
    if any(_is_too_long(dataset, source, target) for dataset in inside):
        raise Refused(f"{action}: {TOO_LONG}")
    if _leaves_encryption(machine, source, target):
        raise Refused(f"{action}: cannot move encrypted child outside of its encryption root")
    before = machine
    machine, _ = change.next_txg(machine, pool)
    for dataset in inside:
        moved = replace(dataset, name=target + dataset.name[len(source) :])
        machine = change.with_dataset(machine, moved, was=dataset.name)
    return _remounted(without_directory(machine, before, source), target) if remount else machine


def _is_too_long(dataset: Dataset, source: str, target: str) -> bool:
    name = target + dataset.name[len(source) :]
    longest = max((len(snapshot.name) + 1 for snapshot in dataset.snapshots), default=0)
    is_deeper = target.count("/") > source.count("/") and name.count("/") >= MAX_DEPTH
    return len(name) + longest > MAX_NAME or is_deeper


def _leaves_encryption(machine: Machine, source: str, target: str) -> bool:
    root = change.encryption_root(machine, source)
    parent = parent_of(target) or target
    if root is None or root.name == source or parent == parent_of(source):
        return False
    return change.encryption_root(machine, parent) is not root


def _remounted(machine: Machine, root: str) -> Machine:
    """Return the machine with those mounted elsewhere that have a place in the new surroundings."""
    for dataset in list(change.within(machine, root)):
        if dataset.mounted and not is_mountable(machine, dataset):
            machine = change.with_dataset(machine, replace(dataset, mounted=False))
        elif dataset.mounted:
            machine = made(machine, dataset.name)
    return machine


COMMANDS: Commands = {("zfs", "rename"): rename}
