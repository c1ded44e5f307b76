"""The directories that filesystems are mounted on, where they lie in other filesystems.

ZFS makes such a directory when it mounts and removes it when it destroys, renames or moves
(libzfs_mount.c, `remove_mountpoint`), and that is a change of the filesystem that it lies in. So a
new child can make a received parent "modified". Directories are files whose names end with `/`;
`.` stands for what a filesystem's own directory says, which is written anew with each change.

Only filesystems above the mounted one are looked at: that somebody mounts one into another
branch of the tree is not modelled.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from reconciler.simulator import change
from reconciler.simulator.inheritance import inherited
from reconciler.simulator.model import Block, Dataset, Machine
from reconciler.zfs.names import ancestors, pool_of

ROOT = "."


class Place(NamedTuple):
    """A directory in a filesystem."""

    filesystem: Dataset
    path: str
    """Relative, without the last slash."""


def place(machine: Machine, name: str) -> Place | None:
    """Return where the directory lies that a filesystem is mounted on; None: in no filesystem."""
    point = mountpoint(machine, name)
    for above in reversed(ancestors(name)):
        found = change.find(machine, above)
        if found is not None and found.mounted:
            root = mountpoint(machine, above).rstrip("/")
            is_inside = point.startswith(f"{root}/")
            return Place(found, point[len(root) + 1 :]) if is_inside else None
    return None


def exists(found: Place) -> bool:
    """Tell whether a directory is there."""
    return f"{found.path}/" in found.filesystem.files


def made(machine: Machine, name: str) -> Machine:
    """Return the machine with the directory that a filesystem is mounted on."""
    found = place(machine, name)
    if found is None or exists(found):
        return machine
    parts = found.path.split("/")
    paths = ["/".join(parts[: count + 1]) + "/" for count in range(len(parts))]
    missing = [path for path in paths if path not in found.filesystem.files]
    return modified(machine, found.filesystem.name, missing)


def removed(machine: Machine, before: Machine, name: str) -> Machine:
    """Return the machine without the directory that a filesystem was mounted on before.

    It stays where the mountpoint is the filesystem's own setting, and where it is not empty.
    """
    setting = inherited(before, name, "mountpoint")
    found = place(before, name)
    if found is None or (setting is not None and setting.filesystem == name):
        return machine
    there = change.find(machine, found.filesystem.name)
    inside = f"{found.path}/"
    if there is None or not there.mounted or inside not in there.files:
        return machine
    if any(file != inside and file.startswith(inside) for file in there.files):
        return machine
    return modified(machine, there.name, drop=inside)


def mountpoint(machine: Machine, name: str) -> str:
    """Return the property `mountpoint` of a filesystem: a path, `none` or `legacy`."""
    found = inherited(machine, name, "mountpoint")
    if found is None:
        return f"/{name}"
    below = name[len(found.filesystem) :]
    is_path = found.value.startswith("/")
    return f"{found.value.rstrip('/')}{below}" if is_path and below else found.value


def modified(machine: Machine, name: str, add: Iterable[str] = (), drop: str = "") -> Machine:
    """Return the machine with metadata of a filesystem written, and files without content."""
    dataset = machine.datasets[name]
    machine, txg = change.next_txg(machine, pool_of(name))
    files = {file: block for file, block in dataset.files.items() if file != drop}
    for file in (*add, ROOT):
        machine, id_ = change.mint(machine)
        files[file] = Block(id_, 0, txg)
    return change.with_dataset(machine, replace(dataset, files=files, changed=txg))
