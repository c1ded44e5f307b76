"""What `zfs list` and `zfs get` have a row for: filesystems, volumes, snapshots, bookmarks.

`open_item` opens one by its name as libzfs does (libzfs_dataset.c, `zfs_open`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from reconciler.simulator import change
from reconciler.simulator.model import NOTHING, Bookmark, Dataset, Health, Machine, Snapshot
from reconciler.simulator.naming import complaint
from reconciler.simulator.process import Refused
from reconciler.zfs.names import filesystem_of, pool_of
from reconciler.zfs.types import FilesystemKind

RECV = "%recv"
"""The last component of the hidden clone that an increment is received into."""

DOES_NOT_EXIST = "dataset does not exist"
SUSPENDED = "pool I/O is currently suspended"


class Kind(StrEnum):
    """The type of an item, as the property `type` says it."""

    FILESYSTEM = "filesystem"
    VOLUME = "volume"
    SNAPSHOT = "snapshot"
    BOOKMARK = "bookmark"


Kinds = frozenset[Kind]

HEADS: Mapping[FilesystemKind, Kind] = {
    FilesystemKind.FILESYSTEM: Kind.FILESYSTEM,
    FilesystemKind.VOLUME: Kind.VOLUME,
}
DATASETS: Kinds = frozenset({Kind.FILESYSTEM, Kind.VOLUME, Kind.SNAPSHOT})
ALL: Kinds = frozenset(Kind)


class Item(NamedTuple):
    """One row: what it is about, by its full name."""

    name: str
    kind: Kind
    dataset: Dataset
    """The filesystem or volume itself, or that of the snapshot or bookmark."""
    snapshot: Snapshot | None = None
    bookmark: Bookmark | None = None
    position: int = 0
    """Of the snapshot among those of its filesystem."""

    @property
    def order(self) -> tuple[str, bool, int]:
        """Key of the order without `-s`: strcmp of names, a filesystem's snapshots by createtxg."""
        if self.snapshot is None:
            return self.name, False, 0
        return self.dataset.name, True, self.snapshot.createtxg


def dataset_item(dataset: Dataset) -> Item:
    """Return the item of a filesystem or volume."""
    return Item(dataset.name, HEADS[dataset.kind], dataset)


def snapshot_items(dataset: Dataset, named: str | None = None) -> Iterator[Item]:
    """Yield the items of a filesystem's snapshots, or of one of them, by createtxg."""
    prefix = f"{dataset.name}@"
    for position, snapshot in enumerate(dataset.snapshots):
        if named is None or snapshot.name == named:
            yield Item(prefix + snapshot.name, Kind.SNAPSHOT, dataset, snapshot, None, position)


def bookmark_items(dataset: Dataset, named: str | None = None) -> Iterator[Item]:
    """Yield the items of a filesystem's bookmarks, or of one of them, by name."""
    prefix = f"{dataset.name}#"
    for bookmark in dataset.bookmarks:
        if named is None or bookmark.name == named:
            yield Item(prefix + bookmark.name, Kind.BOOKMARK, dataset, None, bookmark)


def open_item(machine: Machine, name: str, kinds: Kinds) -> Item:
    """Return the item of a name, which must be of one of the kinds; raise Refused.

    The checks come in the order of `zfs_open`: the form of the name, whether there is such a
    thing, whether it is of a kind that will do.
    """
    wrong = _invalid(name, kinds)
    if wrong is not None:
        raise Refused(f"cannot open '{name}': {wrong}")
    found = _found(machine, name)
    if found.kind not in kinds:
        raise Refused(f"cannot open '{name}': operation not applicable to datasets of this type")
    return found


def _invalid(name: str, kinds: Kinds) -> str | None:
    """Return what is wrong with the form of a name; `%` may be in it to open what is hidden."""
    for kind, delimiter in ((Kind.SNAPSHOT, "@"), (Kind.BOOKMARK, "#")):
        if kind not in kinds and delimiter in name:
            return f"{kind} delimiter '{delimiter}' is not expected here"
        if kinds == {kind} and delimiter not in name:
            return f"missing '{delimiter}' delimiter in {kind} name"
    wrong = complaint(name.replace("%", "_"), "@#")
    unlooked = ("maximum name nesting depth exceeded", "name must begin with a letter")
    return None if wrong in unlooked else wrong


def _found(machine: Machine, name: str) -> Item:
    pool = machine.pools.get(pool_of(name))
    if pool is not None and pool.imported and pool.health is Health.SUSPENDED:
        raise Refused(f"cannot open '{name}': {SUSPENDED}")
    filesystem = filesystem_of(name)
    dataset = change.find(machine, filesystem) or _hidden(machine, filesystem)
    if dataset is None:
        raise Refused(f"cannot open '{name}': {DOES_NOT_EXIST}")
    if name == filesystem:
        return dataset_item(dataset)
    items = bookmark_items if "#" in name else snapshot_items
    found = next(items(dataset, name[len(filesystem) + 1 :]), None)
    if found is None:
        reason = "no such pool or dataset" if "#" in name else DOES_NOT_EXIST
        raise Refused(f"cannot open '{name}': {reason}")
    return found


def _hidden(machine: Machine, name: str) -> Dataset | None:
    """Return the clone `%recv` that a partial incremental receive keeps its data in."""
    parent, _, last = name.rpartition("/")
    dataset = change.find(machine, parent) if last == RECV else None
    if dataset is None or dataset.partial is None or dataset.inconsistent:
        return None
    base = next((s for s in dataset.snapshots if s.guid == dataset.partial.fromguid), None)
    return replace(
        dataset,
        name=name,
        guid=dataset.guid ^ dataset.partial.toguid or 1,
        files=dataset.partial.files,
        local=NOTHING,
        received=NOTHING,
        masked=frozenset(),
        snapshots=(),
        bookmarks=(),
        origin=base.object if base is not None else None,
        mounted=False,
        inconsistent=True,
    )
