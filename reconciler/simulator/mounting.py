"""Where filesystems are mounted, and why some can't be (libzfs_mount.c)."""

from dataclasses import replace

from reconciler.simulator import change
from reconciler.simulator.directories import exists, made, modified, mountpoint, place, removed
from reconciler.simulator.inheritance import inherited, own
from reconciler.simulator.model import Dataset, Machine
from reconciler.simulator.process import Refused
from reconciler.zfs.names import is_within, pool_of
from reconciler.zfs.types import FilesystemKind

NOWHERE = ("none", "legacy")
"""Mountpoints of what ZFS does not mount itself."""


def canmount(dataset: Dataset) -> str:
    """Return the property `canmount`, which is not inherited."""
    found = own(dataset, "canmount")
    return found.value if found is not None else "on"


def is_readonly(machine: Machine, name: str) -> bool:
    """Tell whether nothing can be written to a mounted filesystem."""
    found = inherited(machine, name, "readonly")
    is_off = found is None or found.value != "on"
    return machine.pools[pool_of(name)].readonly or not is_off


def mounts_by_itself(machine: Machine, dataset: Dataset) -> bool:
    """Tell whether ZFS mounts a filesystem without being asked (`canmount=on`)."""
    return canmount(dataset) == "on" and is_mountable(machine, dataset)


def is_mountable(machine: Machine, dataset: Dataset) -> bool:
    """Tell whether ZFS knows where to mount a filesystem and may (`zfs_is_mountable`)."""
    return (
        dataset.kind is FilesystemKind.FILESYSTEM
        and canmount(dataset) != "off"
        and mountpoint(machine, dataset.name) not in NOWHERE
    )


def mount(machine: Machine, name: str, *, readonly: bool = False) -> Machine:
    """Return the machine with a filesystem mounted if ZFS knows where (`zfs_mount`).

    Raise Refused when that fails. To mount encrypted content that was received with write access
    changes it: the next raw increment is refused.
    """
    dataset = change.find(machine, name)
    if dataset is None or dataset.mounted or not is_mountable(machine, dataset):
        return machine
    point = mountpoint(machine, name)
    if not change.has_key(machine, name):
        raise Refused(f"cannot mount '{point}': encryption key not loaded")
    if _lies_in_readonly(machine, name):
        raise Refused(f"cannot mount '{point}': failed to create mountpoint: Read-only file system")
    if not dataset.accounted and not readonly and not is_readonly(machine, name):
        machine = change.with_dataset(machine, replace(dataset, accounted=True))
        machine = modified(machine, name)
        dataset = machine.datasets[name]
    machine = change.with_dataset(machine, replace(dataset, mounted=True))
    return made(machine, name)


def _lies_in_readonly(machine: Machine, name: str) -> bool:
    """Tell whether the directory to mount on would have to be made in a read-only filesystem."""
    found = place(machine, name)
    return found is not None and not exists(found) and is_readonly(machine, found.filesystem.name)


def without_directory(machine: Machine, before: Machine, name: str) -> Machine:
    """Return the machine without the directory on which a filesystem was mounted before."""
    dataset = change.find(before, name)
    if dataset is None or not is_mountable(before, dataset):
        return machine
    found = place(before, name)
    if found is not None and is_readonly(before, found.filesystem.name):
        return machine
    return removed(machine, before, name)


def unmount(machine: Machine, name: str) -> Machine:
    """Return the machine with a filesystem unmounted, if it is mounted; raise Refused."""
    dataset = change.find(machine, name)
    if dataset is None or not dataset.mounted:
        return machine
    if any(found.mounted for found in change.within(machine, name) if found.name != name):
        point = mountpoint(machine, name)
        raise Refused(f"cannot unmount '{point}': pool or dataset is busy")
    return change.with_dataset(machine, replace(dataset, mounted=False))


def unmount_all(machine: Machine, root: str) -> Machine:
    """Return the machine with a filesystem and all below it unmounted."""
    for name, dataset in machine.datasets.items():
        if dataset.mounted and is_within(name, root):
            machine = change.with_dataset(machine, replace(dataset, mounted=False))
    return machine
