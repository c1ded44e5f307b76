"""`zfs destroy` of snapshots, bookmarks, filesystems and volumes (zfs-destroy(8))."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from reconciler.simulator import change
from reconciler.simulator.checks import check_pool
from reconciler.simulator.dependents import dependents
from reconciler.simulator.destruction import destroy_filesystem, destroy_snapshots
from reconciler.simulator.items import Item, Kind, Kinds, open_item
from reconciler.simulator.model import Dataset, Machine, Snapshot
from reconciler.simulator.mounting import unmount, without_directory
from reconciler.simulator.numbers import nicebytes
from reconciler.simulator.process import Commands, Process, Refused, text
from reconciler.simulator.usage import usage
from reconciler.zfs.names import filesystem_of, pool_of

FILESYSTEMS: Kinds = frozenset({Kind.FILESYSTEM, Kind.VOLUME})

NOTHING_FOUND = "could not find any snapshots to destroy; check snapshot names."

_NOT_FOR_BOOKMARKS = {"n": "dryrun", "d": "defer destroy", "r": "recursive", "R": "recursive"}
_BAD_USE = 255


class Flags(NamedTuple):
    """What was asked for."""

    recursive: bool
    with_clones: bool
    defer: bool
    dry_run: bool
    verbose: bool
    parsable: bool

    def line(self, name: str) -> Iterator[bytes]:
        """Yield the line that says that something goes."""
        if self.verbose:
            label = "destroy\t" if self.parsable else f"{self._modal} destroy "
            yield from text([f"{label}{name}"])

    def reclaim(self, size: int) -> Iterator[bytes]:
        """Yield the line that says how much space is freed."""
        if self.verbose:
            said = f"reclaim\t{size}" if self.parsable else self._modal_reclaim(size)
            yield from text([said])

    def _modal_reclaim(self, size: int) -> str:
        return f"{self._modal} reclaim {nicebytes(size)}"

    @property
    def _modal(self) -> str:
        return "would" if self.dry_run else "will"


def destroy(process: Process) -> Iterable[bytes]:
    """Destroy what the one operand names."""
    options = process.options("vpndfrR", usage=lambda said: usage("destroy", said))
    if len(options.operands) != 1:
        raise usage(
            "destroy", "too many arguments" if options.operands else "missing dataset argument"
        )
    (operand,) = options.operands
    flags = Flags(
        recursive=options.has("r") or options.has("R"),
        with_clones=options.has("R"),
        defer=options.has("d"),
        dry_run=options.has("n"),
        verbose=options.has("v") or options.has("p"),
        parsable=options.has("p"),
    )
    if "@" in operand:
        return _destroy_snapshots(process, operand, flags)
    if "#" in operand:
        return _destroy_bookmark(process, operand, [letter for letter, _ in options.given])
    return _destroy_filesystem(process, operand, flags)


# -- snapshots -------------------------------------------------------------------------------------


def _destroy_snapshots(process: Process, operand: str, flags: Flags) -> Iterator[bytes]:
    filesystem, _, spec = operand.partition("@")
    machine = process.cell.read()
    root = open_item(machine, filesystem, FILESYSTEMS).dataset
    wanted: dict[str, None] = {}
    reclaimed = 0
    for dataset in _roots(machine, root, flags):
        found = _selected(dataset, spec)
        for snapshot in found:
            if not flags.with_clones and not flags.defer:
                flags = _refuse_cloned(process, machine, f"{dataset.name}@{snapshot.name}", flags)
        chosen = {snapshot.object for snapshot in found}
        names = [f"{dataset.name}@{s.name}" for s in dataset.snapshots if s.object in chosen]
        for name in names:
            yield from flags.line(name)
        reclaimed += _reclaimed(dataset, chosen)
        wanted.update(dict.fromkeys(names))
    if process.status:
        return
    if not wanted:
        raise Refused(NOTHING_FOUND)
    yield from flags.reclaim(reclaimed)
    if flags.dry_run:
        return
    if flags.with_clones:
        yield from _destroy_clones(process, wanted, flags._replace(defer=False))
    names = list(wanted)
    process.cell.change(lambda before: destroy_snapshots(before, names, defer=flags.defer))


def _roots(machine: Machine, root: Dataset, flags: Flags) -> Iterable[Dataset]:
    return change.within(machine, root.name) if flags.recursive else (root,)


def _selected(dataset: Dataset, spec: str) -> list[Snapshot]:
    """Return the snapshots that `a,b%d` names, in its order; missing ones are left out."""
    names = [snapshot.name for snapshot in dataset.snapshots]
    found: list[Snapshot] = []
    for part in spec.split(","):
        first, percent, last = part.partition("%")
        last = last if percent else first
        if (first and first not in names) or (last and last not in names):
            continue
        if percent or first:
            begin = names.index(first) if first else 0
            end = names.index(last) + 1 if last else len(names)
            found += dataset.snapshots[begin:end]
    return found


def _refuse_cloned(process: Process, machine: Machine, name: str, flags: Flags) -> Flags:
    """Complain about the clones of a snapshot; after that the command only says what it would."""
    found = dependents(machine, name)
    if not found:
        return flags
    process.fail(
        f"cannot destroy '{name}': snapshot has dependent clones",
        "use '-R' to destroy the following datasets:",
        *found,
    )
    return flags._replace(dry_run=True)


def _reclaimed(dataset: Dataset, chosen: set[int]) -> int:
    """Return the bytes that only chosen snapshots hold on to, run by run of neighbours."""
    contents = [(s.object in chosen, s.files) for s in dataset.snapshots]
    contents.append((False, dataset.files))
    kept: set[int] = set()
    freed: dict[int, int] = {}
    total = 0
    for is_chosen, files in contents:
        blocks = {block.id: block.size for block in files.values()}
        if is_chosen:
            freed.update(blocks)
            continue
        total += sum(size for id_, size in freed.items() if id_ not in kept and id_ not in blocks)
        kept, freed = set(blocks), {}
    return total


def _destroy_clones(process: Process, names: Iterable[str], flags: Flags) -> Iterator[bytes]:
    """Destroy the clones of snapshots and all that depends on them, going on after errors."""
    batch: list[str] = []
    for name in names:
        for dependent in dependents(process.cell.read(), name):
            yield from _destroy_one(process, dependent, batch, flags)
    _flush(process, batch)


# -- bookmarks -------------------------------------------------------------------------------------


def _destroy_bookmark(process: Process, name: str, letters: Sequence[str]) -> Iterable[bytes]:
    for letter, what in _NOT_FOR_BOOKMARKS.items():
        if letter in letters:
            raise Refused(f"{what} is not supported with bookmark", status=_BAD_USE)
    try:
        open_item(process.cell.read(), name, frozenset({Kind.BOOKMARK}))
    except Refused:
        raise Refused(f"bookmark '{name}' does not exist.") from None
    process.cell.change(partial(without_bookmark, name))
    return ()


def without_bookmark(name: str, machine: Machine) -> Machine:
    """Return the machine without a bookmark; one that does not exist is no error."""
    check_pool(machine, pool_of(name), "cannot destroy bookmark")
    dataset = change.find(machine, filesystem_of(name))
    if dataset is None:
        return machine
    left = tuple(b for b in dataset.bookmarks if f"{dataset.name}#{b.name}" != name)
    if len(left) == len(dataset.bookmarks):
        return machine
    machine, _ = change.next_txg(machine, pool_of(name))
    return change.with_dataset(machine, replace(dataset, bookmarks=left))


# -- filesystems -----------------------------------------------------------------------------------


def _destroy_filesystem(process: Process, name: str, flags: Flags) -> Iterator[bytes]:
    machine = process.cell.read()
    item = open_item(machine, name, frozenset({Kind.SNAPSHOT}) if flags.defer else FILESYSTEMS)
    if not flags.recursive and _is_pool(name):
        raise Refused(
            f"cannot destroy '{name}': operation does not apply to pools",
            f"use 'zfs destroy -r {name}' to destroy all datasets in the pool",
            f"use 'zpool destroy {name}' to destroy the pool itself",
        )
    below = dependents(machine, name)
    if not flags.with_clones:
        _check_dependents(item, below, recursive=flags.recursive)
    batch: list[str] = []
    for dependent in [*below, name]:
        yield from _destroy_one(process, dependent, batch, flags)
    _flush(process, batch)


def _is_pool(name: str) -> bool:
    return "/" not in name and "@" not in name


def _check_dependents(item: Item, below: Sequence[str], *, recursive: bool) -> None:
    """Refuse to destroy what is not alone (`destroy_check_dependent`)."""
    name = item.name
    inside = [found for found in below if found.startswith((f"{name}/", f"{name}@"))]
    if recursive:
        found, what, option = [d for d in below if d not in inside], "dependent clones", "-R"
    else:
        found, what, option = inside, "children", "-r"
    if found:
        raise Refused(
            f"cannot destroy '{name}': {item.kind} has {what}",
            f"use '{option}' to destroy the following datasets:",
            *found,
        )


def _destroy_one(process: Process, name: str, batch: list[str], flags: Flags) -> Iterator[bytes]:
    """Destroy one thing: snapshots are gathered, and go together before their filesystem."""
    if not _is_there(process.cell.read(), name):
        return
    yield from flags.line(name)
    if flags.dry_run or _is_pool(name):
        return
    if "@" in name:
        batch.append(name)
        return
    try:
        _flush(process, batch, strict=True)
        process.cell.change(partial(unmount, name=name))
        process.cell.change(partial(_destroyed_with_directory, name))
    except Refused as refused:
        if not flags.recursive:
            raise
        process.fail(*refused.lines)


def _destroyed_with_directory(name: str, machine: Machine) -> Machine:
    return without_directory(destroy_filesystem(machine, name), machine, name)


def _is_there(machine: Machine, name: str) -> bool:
    try:
        open_item(machine, name, FILESYSTEMS | {Kind.SNAPSHOT})
    except Refused:
        return False
    return True


def _flush(process: Process, batch: list[str], *, strict: bool = False) -> None:
    """Destroy the snapshots gathered so far, in one go."""
    names = list(batch)
    batch.clear()
    if not names:
        return
    try:
        process.cell.change(lambda machine: destroy_snapshots(machine, names, defer=False))
    except Refused as refused:
        if strict:
            raise
        process.fail(*refused.lines)


COMMANDS: Commands = {("zfs", "destroy"): destroy}
