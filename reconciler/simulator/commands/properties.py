"""`zfs set` and `zfs inherit` (zfs-set(8)); `zfs get` is in `getting`."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

from reconciler.simulator import assignments, change
from reconciler.simulator.checks import check_pool
from reconciler.simulator.columns import is_user_property
from reconciler.simulator.commands.getting import get
from reconciler.simulator.directories import made, mountpoint
from reconciler.simulator.items import DOES_NOT_EXIST, Item
from reconciler.simulator.model import Dataset, Machine, Snapshot
from reconciler.simulator.mounting import (
    NOWHERE,
    canmount,
    is_mountable,
    mounts_by_itself,
    without_directory,
)
from reconciler.simulator.native import Access, Form, Property, table
from reconciler.simulator.process import Commands, Process, Refused
from reconciler.simulator.selection import Wanted, select
from reconciler.simulator.usage import usage
from reconciler.simulator.view import View
from reconciler.zfs.names import pool_of

SHELL_FAILURE = 255
"""The status of what main() returns as -1."""

VOLUME_BLOCK = 8 * 1024

Given = Mapping[str, str]


# -- zfs set ---------------------------------------------------------------------------------------


def set_(process: Process) -> Iterable[bytes]:
    """Set properties, one transaction group for each filesystem or snapshot."""
    given, names = _assignments(process.arguments)
    view = View(process.cell.read())
    for item in select(process, view, names, Wanted()):
        try:
            process.cell.change(partial(_set, item, given))
        except Refused as refused:
            process.fail(*refused.lines)
    return ()


def _assignments(arguments: tuple[str, ...]) -> tuple[Given, list[str]]:
    """Return the assignments and the names after them; raise Refused for a wrong usage."""
    if arguments and arguments[0].startswith("-"):
        raise usage("set", f"invalid option '{arguments[0][1:2]}'")
    if not arguments:
        raise usage("set", "missing arguments")
    if len(arguments) == 1:
        is_assignment = "=" in arguments[0]
        what = "dataset name(s)" if is_assignment else "property=value argument(s)"
        raise usage("set", f"missing {what}")
    first = next((n for n, text in enumerate(arguments) if "=" not in text), None)
    if first is None:
        raise usage("set", "missing dataset name(s)")
    if any("=" in text for text in arguments[first:]):
        raise usage("set", "invalid argument order")
    given: dict[str, str] = {}
    for name, _, value in (text.partition("=") for text in arguments[:first]):
        if name in given:
            raise Refused(f"property '{name}' specified multiple times", status=SHELL_FAILURE)
        given[name] = value
    return given, list(arguments[first:])


def _set(item: Item, given: Given, machine: Machine) -> Machine:
    """Return the machine with properties of a filesystem or snapshot set: all or none."""
    cannot = f"cannot set property for '{item.name}'"
    pool = machine.pools[pool_of(item.name)]
    largest = assignments.largest_record(pool, machine.release)
    target = assignments.Target(table(machine.release), item.kind, largest)
    try:
        kept = dict(assignments.accepted(name, value, target) for name, value in given.items())
    except assignments.Invalid as wrong:
        raise Refused(f"{cannot}: {wrong}") from None
    dataset, snapshot = _still(machine, item, cannot)
    for name, value in kept.items():
        why = _refusal(machine, dataset, name, value)
        if why is not None:
            raise Refused(f"{cannot}: {why}")
    machine, _ = change.next_txg(machine, pool.name)
    if snapshot is not None:
        properties, masked = {**snapshot.properties, **kept}, snapshot.masked - kept.keys()
        changed = replace(snapshot, properties=properties, masked=masked)
        return _with_snapshot(machine, dataset, changed)
    return _mounts(machine, _assigned(machine, dataset, kept), dataset.name, kept.keys())


def _refusal(machine: Machine, dataset: Dataset, name: str, value: str) -> str | None:
    """Return why a value of the right form is refused here."""
    if is_user_property(name):
        too_long = len(value.encode(errors="surrogateescape")) > assignments.MAX_VALUE
        return "property value too long" if too_long else None
    if name == "keylocation":
        return _key_refusal(dataset, value)
    if name == "volsize" and int(value) % VOLUME_BLOCK:
        return "'volsize' must be a multiple of volume block size (8K)"
    used = change.used(machine, dataset.name)
    pool = machine.pools[pool_of(dataset.name)]
    free = pool.size - change.used(machine, pool.name)
    return assignments.refused_by_space(dataset, name, value, used=used, available=free)


def _key_refusal(dataset: Dataset, value: str) -> str | None:
    found = dataset.encryption
    if found is None:
        is_none = value == "none"
        return None if is_none else "keylocation must be 'none' for unencrypted datasets"
    if value == "none":
        return "keylocation must not be 'none' for encrypted datasets"
    is_root = found.key is not None
    return None if is_root else "keylocation may only be set on encryption roots"


def _assigned(machine: Machine, dataset: Dataset, kept: Given) -> Machine:
    local = {**dataset.local, **kept}
    size, place = local.pop("volsize", None), local.pop("keylocation", None)
    if size is not None:
        dataset = replace(dataset, volsize=int(size))
    if place is not None and dataset.encryption is not None:
        dataset = replace(dataset, encryption=replace(dataset.encryption, keylocation=place))
    dataset = replace(dataset, local=local, masked=dataset.masked - kept.keys())
    return change.with_dataset(machine, dataset)


# -- zfs inherit -----------------------------------------------------------------------------------


def inherit(process: Process) -> Iterable[bytes]:
    """Take back what was set; `-S` brings back what was received."""
    options = process.options("rS", usage=lambda said: usage("inherit", said))
    if not options.operands:
        raise usage("inherit", "missing property argument")
    if len(options.operands) < 2:
        raise usage("inherit", "missing dataset argument")
    given, *names = options.operands
    view = View(process.cell.read())
    revert = options.has("S")
    found = table(view.machine.release).get(given)
    _check_inheritable(found, given, revert=revert)
    name = found.name if found is not None else given
    wanted = Wanted(recursive=options.has("r"))
    for item in select(process, view, names, wanted):
        if found is not None and item.kind not in found.kinds:
            if not wanted.recursive:
                said = f"cannot inherit {given} for '{item.name}'"
                process.fail(f"{said}: property doesn't apply to datasets of this type")
            continue
        try:
            process.cell.change(partial(_inherit, item, name, revert=revert))
        except Refused as refused:
            process.fail(*refused.lines)
    return ()


def _check_inheritable(found: Property | None, given: str, *, revert: bool) -> None:
    if found is None:
        if not is_user_property(given):
            raise usage("inherit", f"invalid property '{given}'")
        return
    if found.access is Access.READONLY or found.access is Access.ONCE:
        raise Refused(f"{given} property is read-only")
    if found.access is Access.OWN and not revert:
        lines = [f"'{given}' property cannot be inherited"]
        if found.form is Form.QUOTA:
            lines.append(f"use 'zfs set {given}=none' to clear")
            lines.append(f"use 'zfs inherit -S {given}' to revert to received value")
        raise Refused(*lines)
    if revert and found.name == "volsize":
        raise Refused(f"'{given}' property cannot be reverted to a received value")


def _inherit(item: Item, name: str, machine: Machine, *, revert: bool) -> Machine:
    dataset, snapshot = _still(machine, item, f"cannot inherit {name} for '{item.name}'")
    machine, _ = change.next_txg(machine, pool_of(item.name))
    if snapshot is not None:
        kept = {key: value for key, value in snapshot.properties.items() if key != name}
        masked = _masked(snapshot, name, revert=revert)
        changed = replace(snapshot, properties=kept, masked=masked)
        return _with_snapshot(machine, dataset, changed)
    local = {key: value for key, value in dataset.local.items() if key != name}
    masked = _masked(dataset, name, revert=revert)
    after = change.with_dataset(machine, replace(dataset, local=local, masked=masked))
    return _mounts(machine, after, dataset.name, {name})


def _masked(found: Dataset | Snapshot, name: str, *, revert: bool) -> frozenset[str]:
    """Return the received properties that don't count once one of them was inherited."""
    return found.masked - {name} if revert else found.masked | ({name} & found.received.keys())


# -- both ------------------------------------------------------------------------------------------


def _still(machine: Machine, item: Item, cannot: str) -> tuple[Dataset, Snapshot | None]:
    """Return what an item is about now; raise Refused as the kernel does."""
    check_pool(machine, pool_of(item.name), cannot)
    dataset = change.find(machine, item.dataset.name)
    if dataset is None:
        raise Refused(f"{cannot}: {DOES_NOT_EXIST}")
    if item.snapshot is None:
        return dataset, None
    found = change.find_snapshot(machine, item.name)
    if found is None:
        raise Refused(f"{cannot}: {DOES_NOT_EXIST}")
    return found


def _with_snapshot(machine: Machine, dataset: Dataset, changed: Snapshot) -> Machine:
    snapshots = tuple(changed if s.object == changed.object else s for s in dataset.snapshots)
    return change.with_dataset(machine, replace(dataset, snapshots=snapshots))


def _mounts(before: Machine, after: Machine, root: str, names: Iterable[str]) -> Machine:
    """Return the machine after what a change of `canmount` or `mountpoint` unmounts and mounts.

    That is in a filesystem and below it; others are left as they are.
    """
    changed = {"canmount", "mountpoint"} & set(names)
    for dataset in change.within(after, root) if changed else ():
        name = dataset.name
        former, place = mountpoint(before, name), mountpoint(after, name)
        mounted = dataset.mounted
        if "canmount" in changed and canmount(dataset) == "off":
            mounted = False
        elif place != former:
            mounted = _mounts_there(after, dataset, former)
        if mounted is not dataset.mounted:
            after = change.with_dataset(after, replace(dataset, mounted=mounted))
        if place != former or (dataset.mounted and not mounted):
            after = without_directory(after, before, name)
        after = made(after, name) if mounted else after
    return after


def _mounts_there(machine: Machine, dataset: Dataset, former: str) -> bool:
    """Tell whether a filesystem is mounted at its new place (`changelist_postfix`)."""
    if dataset.mounted:
        return is_mountable(machine, dataset)
    was_nowhere = former in NOWHERE and not dataset.inconsistent
    can = mounts_by_itself(machine, dataset) and change.has_key(machine, dataset.name)
    return was_nowhere and can


COMMANDS: Commands = {("zfs", "get"): get, ("zfs", "set"): set_, ("zfs", "inherit"): inherit}
