"""How a machine becomes another one: lookups and small pure changes that all commands share."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import sha256

from reconciler.simulator.model import Block, Dataset, Files, Machine, Pool, Snapshot
from reconciler.zfs.names import filesystem_of, is_within, parent_of, pool_of

SMALLEST = 512
"""Bytes that any change takes on disk."""

EMPTY_SIZE = 24 * 1024
"""Bytes that a filesystem without files refers to."""


# -- looking ---------------------------------------------------------------------------------------


def find(machine: Machine, name: str) -> Dataset | None:
    """Return a filesystem or volume of an imported pool."""
    found = machine.datasets.get(name)
    return found if found is not None and machine.pools[pool_of(name)].imported else None


def find_snapshot(machine: Machine, full: str) -> tuple[Dataset, Snapshot] | None:
    """Return a snapshot by its full name, with its filesystem."""
    dataset = find(machine, filesystem_of(full))
    if dataset is None or "@" not in full:
        return None
    name = full.partition("@")[2]
    found = next((s for s in dataset.snapshots if s.name == name), None)
    return (dataset, found) if found is not None else None


def within(machine: Machine, root: str) -> Iterator[Dataset]:
    """Yield a filesystem and all below it that can be reached, in the order of their names."""
    names = sorted(name for name in machine.datasets if is_within(name, root))
    yield from (machine.datasets[name] for name in names if find(machine, name) is not None)


def children(machine: Machine, name: str) -> Iterator[Dataset]:
    """Yield the filesystems right below one."""
    for found in sorted(machine.datasets):
        if parent_of(found) == name:
            yield machine.datasets[found]


def clones_of(machine: Machine, snapshot: Snapshot) -> Iterator[Dataset]:
    """Yield the clones of a snapshot."""
    for _, dataset in sorted(machine.datasets.items()):
        if dataset.origin == snapshot.object:
            yield dataset


def by_object(machine: Machine, number: int, *, near: str = "") -> tuple[Dataset, Snapshot] | None:
    """Return the snapshot with an object number; `near` is the filesystem it is likely to be of."""
    likely = machine.datasets.get(near)
    for dataset in (*([likely] if likely is not None else ()), *machine.datasets.values()):
        for snapshot in dataset.snapshots:
            if snapshot.object == number:
                return dataset, snapshot
    return None


def encryption_root(machine: Machine, name: str) -> Dataset | None:
    """Return the encryption root of a filesystem, None for one that is not encrypted."""
    above: str | None = name
    while above is not None:
        found = machine.datasets[above]
        if found.encryption is None:
            return None
        if found.encryption.key is not None:
            return found
        above = parent_of(above)
    return None


def has_key(machine: Machine, name: str) -> bool:
    """Tell whether a filesystem's data can be read: not encrypted, or its key is loaded."""
    root = encryption_root(machine, name)
    return root is None or (root.encryption is not None and root.encryption.loaded)


# -- sizes -----------------------------------------------------------------------------------------


def referenced(files: Files) -> int:
    """Return the bytes that a content refers to."""
    return EMPTY_SIZE + sum(block.size for block in files.values())


def written(files: Files, since: int) -> int:
    """Return the bytes of what was born after a txg."""
    return sum(max(SMALLEST, block.size) for block in files.values() if block.born > since)


def used(machine: Machine, name: str) -> int:
    """Return the bytes that a filesystem, its snapshots and all below it take."""
    below = f"{name}/"
    return sum(
        [
            _own(machine, dataset)
            for found, dataset in machine.datasets.items()
            if found.startswith(below) or found == name
        ]
    )


def used_by_all(machine: Machine) -> dict[str, int]:
    """Return what `used` is for each filesystem."""
    found = {name: _own(machine, dataset) for name, dataset in machine.datasets.items()}
    for name in sorted(found, reverse=True):
        parent = parent_of(name)
        if parent in found:
            found[parent] += found[name]
    return found


_KNOWN_SIZES: dict[int, tuple[Dataset, int]] = {}
"""Sizes that were asked for, by the identity of the filesystem: a frozen value keeps its size."""

_MOST_KNOWN = 20_000


def _own(machine: Machine, dataset: Dataset) -> int:
    """Return the bytes that a filesystem and its snapshots take; a clone shares its origin's."""
    known = _KNOWN_SIZES.get(id(dataset))
    if known is not None and known[0] is dataset:
        return known[1]
    size = _sum_of(machine, dataset)
    if dataset.origin is None:
        if len(_KNOWN_SIZES) >= _MOST_KNOWN:
            _KNOWN_SIZES.clear()
        _KNOWN_SIZES[id(dataset)] = dataset, size
    return size


def _sum_of(machine: Machine, dataset: Dataset) -> int:
    contents = [dataset.files, *(snapshot.files for snapshot in dataset.snapshots)]
    if dataset.partial is not None:
        contents.append(dataset.partial.files)
    different = {id(files): files for files in contents}.values()
    blocks = {block.id: block.size for files in different for block in files.values()}
    origin = by_object(machine, dataset.origin) if dataset.origin is not None else None
    if origin is not None:
        for block in origin[1].files.values():
            blocks.pop(block.id, None)
    return (EMPTY_SIZE if origin is None else 0) + sum(blocks.values())


# -- changing --------------------------------------------------------------------------------------


def with_dataset(machine: Machine, dataset: Dataset, *, was: str | None = None) -> Machine:
    """Return the machine with a filesystem put in place; `was` is its former name."""
    datasets = dict(machine.datasets)
    if was is not None:
        del datasets[was]
    datasets[dataset.name] = dataset
    return replace(machine, datasets=datasets)


def without_dataset(machine: Machine, name: str) -> Machine:
    """Return the machine without a filesystem."""
    return replace(machine, datasets={k: v for k, v in machine.datasets.items() if k != name})


def with_pool(machine: Machine, pool: Pool) -> Machine:
    """Return the machine with a pool put in place."""
    return replace(machine, pools={**machine.pools, pool.name: pool})


def next_txg(machine: Machine, pool: str) -> tuple[Machine, int]:
    """Return the machine one transaction group later, and that group's number.

    Every command that changes a pool happens in a group of its own.
    """
    txg = machine.pools[pool].txg + 1
    return with_pool(machine, replace(machine.pools[pool], txg=txg)), txg


def mint(machine: Machine) -> tuple[Machine, int]:
    """Return the machine and a new guid: of 64 bits, never 0, the same in every run."""
    number = machine.minted + 1
    digest = sha256(f"{machine.seed}:{number}".encode()).digest()
    return replace(machine, minted=number), int.from_bytes(digest[:8]) or 1


def mint_object(machine: Machine) -> tuple[Machine, int]:
    """Return the machine and a number that nothing in it has."""
    number = machine.minted + 1
    return replace(machine, minted=number), number


def write(machine: Machine, name: str, file: str, size: int) -> Machine:
    """Return the machine after a program wrote a file, or the data of a volume, anew."""
    machine, txg = next_txg(machine, pool_of(name))
    machine, id_ = mint(machine)
    dataset = machine.datasets[name]
    files = {**dataset.files, file: Block(id_, size, txg)}
    return with_dataset(machine, replace(dataset, files=files, changed=txg))


def reborn(files: Files, known: Iterable[Files], txg: int) -> Files:
    """Return received files as blocks of this pool: those it has already keep their birth."""
    there = {block.id: block for content in known for block in content.values()}
    return {name: there.get(block.id) or block._replace(born=txg) for name, block in files.items()}
