"""`zfs mount` and `zfs unmount` (zfs-mount(8))."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from reconciler.simulator import change
from reconciler.simulator.commands.keying import load, unloaded
from reconciler.simulator.commands.machine import mounts_itself
from reconciler.simulator.directories import mountpoint
from reconciler.simulator.items import Kind, open_item
from reconciler.simulator.model import Dataset, Machine
from reconciler.simulator.mounting import canmount, unmount_all
from reconciler.simulator.mounting import mount as mounted
from reconciler.simulator.process import Commands, Process, Refused, text
from reconciler.simulator.usage import usage

_FILESYSTEM = frozenset({Kind.FILESYSTEM})


# -- mount -----------------------------------------------------------------------------------------


def mount(process: Process) -> Iterable[bytes]:
    """Mount one filesystem, all (`-a`), or list what is mounted."""
    options = process.options("alvo:Of", usage=lambda said: usage("mount", said))
    flags = {word for given in options.all("o") for word in given.split(",")}
    if options.has("a"):
        if options.operands:
            raise usage("mount", "too many arguments")
        return _mount_all(process, readonly="ro" in flags)
    if not options.operands:
        if flags:
            raise usage("mount", "missing filesystem argument (specify -a for all)")
        return _list(process.cell.read())
    if len(options.operands) > 1:
        raise usage("mount", "too many arguments")
    (name,) = options.operands
    dataset = open_item(process.cell.read(), name, _FILESYSTEM).dataset
    if options.has("l"):
        _load_key(process, dataset)
    _check(process.cell.read(), dataset, remount="remount" in flags)
    process.cell.change(partial(mounted, name=name, readonly="ro" in flags))
    return ()


def _list(machine: Machine) -> Iterable[bytes]:
    found = [machine.datasets[name] for name in sorted(machine.datasets)]
    return text([f"{d.name:30}  {mountpoint(machine, d.name)}" for d in found if d.mounted])


def _mount_all(process: Process, *, readonly: bool) -> Iterable[bytes]:
    machine = process.cell.read()
    for name in sorted(machine.datasets):
        dataset = change.find(machine, name)
        if dataset is not None and mounts_itself(machine, dataset):
            try:
                process.cell.change(partial(mounted, name=name, readonly=readonly))
            except Refused as refused:
                process.fail(*refused.lines)
    return ()


def _check(machine: Machine, dataset: Dataset, *, remount: bool) -> None:
    """Raise Refused for what can't be mounted, in the order of `share_mount_one`."""
    name = dataset.name
    action = f"cannot mount '{name}'"
    place = mountpoint(machine, name)
    if place == "legacy":
        raise Refused(f"{action}: legacy mountpoint", "use mount(8) to mount this filesystem")
    if place == "none":
        raise Refused(f"{action}: no mountpoint set")
    if canmount(dataset) == "off":
        raise Refused(f"{action}: 'canmount' property is set to 'off'")
    if not change.has_key(machine, name):
        raise Refused(f"{action}: encryption key not loaded")
    if dataset.inconsistent:
        is_saved = dataset.partial is not None and dataset.partial.resumable
        raise Refused(f"{action}: {_PARTIAL if is_saved else 'mountpoint or dataset is busy'}")
    if dataset.mounted and not remount:
        raise Refused(f"{action}: filesystem already mounted")


_PARTIAL = (
    'Contains partially-completed state from "zfs receive -s", which can be resumed with'
    ' "zfs send -t"'
)


def _load_key(process: Process, dataset: Dataset) -> None:
    """Load the key that a filesystem needs (`-l`)."""
    machine = process.cell.read()
    root = change.encryption_root(machine, dataset.name)
    if root is not None and not change.has_key(machine, dataset.name):
        load(process, root.name, None, verify_only=False)


# -- unmount ---------------------------------------------------------------------------------------


def unmount(process: Process) -> Iterable[bytes]:
    """Unmount a filesystem and what is mounted below it, or all (`-a`)."""
    options = process.options("afu", usage=lambda said: usage("unmount", said))
    if options.has("a"):
        if options.operands:
            raise usage("unmount", "too many arguments")
        process.cell.change(_all_unmounted)
        return ()
    if len(options.operands) != 1:
        too_many = bool(options.operands)
        raise usage("unmount", "too many arguments" if too_many else "missing filesystem argument")
    machine = process.cell.read()
    name = _filesystem(machine, options.operands[0])
    dataset = open_item(machine, name, _FILESYSTEM).dataset
    if mountpoint(machine, name) == "legacy":
        raise Refused(
            f"cannot unmount '{name}': legacy mountpoint",
            "use umount(8) to unmount this filesystem",
        )
    if not dataset.mounted:
        raise Refused(f"cannot unmount '{name}': not currently mounted")
    process.cell.change(partial(unmount_all, root=name))
    if options.has("u") and dataset.encryption is not None and dataset.encryption.key is not None:
        process.cell.change(partial(unloaded, name))
    return ()


def _filesystem(machine: Machine, operand: str) -> str:
    """Return the filesystem that is mounted on a path, or the name that the operand is."""
    if not operand.startswith("/"):
        return operand
    for name, dataset in machine.datasets.items():
        if dataset.mounted and mountpoint(machine, name) == operand:
            return name
    raise Refused(f"cannot unmount '{operand}': not a mountpoint")


def _all_unmounted(machine: Machine) -> Machine:
    for dataset in list(machine.datasets.values()):
        by_hand = canmount(dataset) == "noauto" or mountpoint(machine, dataset.name) == "legacy"
        if dataset.mounted and not by_hand:
            machine = change.with_dataset(machine, replace(dataset, mounted=False))
    return machine


COMMANDS: Commands = {
    ("zfs", "mount"): mount,
    ("zfs", "umount"): unmount,
    ("zfs", "unmount"): unmount,
}
