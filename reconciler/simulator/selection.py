"""Which items a command is about, and in which order (zfs_iter.c, `zfs_for_each`)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from reconciler.simulator.checks import is_at_least
from reconciler.simulator.columns import Column, sort_key
from reconciler.simulator.directories import mountpoint
from reconciler.simulator.items import (
    ALL,
    DATASETS,
    Item,
    Kind,
    Kinds,
    bookmark_items,
    dataset_item,
    open_item,
    snapshot_items,
)
from reconciler.simulator.model import Health, Machine
from reconciler.simulator.process import Process, Refused
from reconciler.simulator.view import View

_TYPES: Mapping[str, Kinds] = {
    **{kind.value: frozenset({kind}) for kind in Kind},
    "snap": frozenset({Kind.SNAPSHOT}),
    "all": ALL,
}
_TYPES_SINCE_2_2: Mapping[str, Kinds] = {
    **_TYPES,
    "fs": frozenset({Kind.FILESYSTEM}),
    "vol": frozenset({Kind.VOLUME}),
}
_FILESYSTEMS: Kinds = frozenset({Kind.FILESYSTEM, Kind.VOLUME})
_VERSIONS: Kinds = frozenset({Kind.SNAPSHOT, Kind.BOOKMARK})

Usage = Callable[[str], Refused]


class Wanted(NamedTuple):
    """What a command asks for."""

    kinds: Kinds = DATASETS
    recursive: bool = False
    depth: int | None = None
    """Levels below the operands, None for all."""
    snapshots: bool = True
    """Whether snapshots are found by looking below filesystems, or only by their names."""
    paths: bool = False
    """Whether operands may be paths of mounted filesystems."""

    def within_reach(self, operands: Sequence[str]) -> "Wanted":
        """Return the same with the depth of 1 that one of `-t snapshot` and `bookmark` implies."""
        alone = len(self.kinds) == 1 and self.kinds <= _VERSIONS
        implied = alone and operands and not self.recursive and not self.depth
        return self._replace(recursive=True, depth=1) if implied else self


def kinds(given: str, machine: Machine, usage: Usage) -> Kinds:
    """Return the kinds that `-t` asks for; raise what `usage` makes of an unknown one."""
    known = _TYPES_SINCE_2_2 if is_at_least(machine, 2, 2) else _TYPES
    found: Kinds = frozenset()
    for name in given.split(",") if given else ():
        if name not in known:
            raise usage(f"invalid type '{name}'")
        found = ALL if name == "all" else found | known[name]
    return found


def depth(given: str, usage: Usage) -> int:
    """Return the number of `-d`; raise what `usage` makes of another text."""
    try:
        levels = int(given, 0)
    except ValueError:
        raise usage(f"{given} is not an integer") from None
    if levels < 0:
        raise usage("Depth can not be negative.")
    return levels


def select(process: Process, view: View, operands: Sequence[str], wanted: Wanted) -> list[Item]:
    """Return the items, once each and by name; complain about operands that can't be opened."""
    if operands:
        found = (
            item
            for operand in operands
            for opened in _opened(process, view, operand, wanted)
            for item in _reached(view, opened, wanted)
        )
    else:
        everywhere = wanted._replace(recursive=True)
        found = (item for root in _roots(view) for item in _reached(view, root, everywhere))
    return sorted({item.name: item for item in found}.values(), key=lambda item: item.order)


def in_order(view: View, items: Iterable[Item], by: Sequence[tuple[Column, bool]]) -> list[Item]:
    """Return items sorted by columns, each ascending or (True) descending.

    What a column does not apply to comes last either way.
    """
    ordered = list(items)
    for column, descending in reversed(by):
        keyed = [(sort_key(view, item, column), item) for item in ordered]
        having = [(key, item) for key, item in keyed if key is not None]
        having.sort(key=lambda pair: pair[0], reverse=descending)
        ordered = [item for _, item in having] + [item for key, item in keyed if key is None]
    return ordered


def _roots(view: View) -> Iterator[Item]:
    for name, pool in sorted(view.machine.pools.items()):
        if pool.imported and pool.health is not Health.SUSPENDED:
            yield dataset_item(view.machine.datasets[name])


def _opened(process: Process, view: View, operand: str, wanted: Wanted) -> Iterator[Item]:
    """Yield the item of an operand, or complain."""
    kinds = wanted.kinds
    if wanted.recursive:
        kinds |= {Kind.FILESYSTEM}
        kinds |= {Kind.VOLUME} if kinds & _VERSIONS else frozenset()
    try:
        if wanted.paths and operand.startswith(("/", "./")):
            yield open_item(view.machine, _at(view, operand), frozenset({Kind.FILESYSTEM}))
        else:
            yield open_item(view.machine, operand, kinds)
    except Refused as refused:
        process.fail(*refused.lines)


def _at(view: View, path: str) -> str:
    """Return the filesystem that is mounted at a path: a simulated host has no other paths."""
    wanted = path.rstrip("/") or "/"
    for name in view.names:
        dataset = view.machine.datasets[name]
        if dataset.mounted and mountpoint(view.machine, name) == wanted:
            return name
    raise Refused(f"cannot open '{path}': No such file or directory")


def _reached(view: View, item: Item, wanted: Wanted) -> Iterator[Item]:
    """Yield an item and what is to be listed below it."""
    if item.kind in wanted.kinds:
        yield item
    if not wanted.recursive or item.kind in _VERSIONS:
        return
    levels = wanted.depth
    if levels is None or levels > 0:
        yield from _versions(item, wanted)
    for dataset in view.below(item.name, levels) if item.kind is Kind.FILESYSTEM else ():
        child = dataset_item(dataset)
        if child.kind in wanted.kinds:
            yield child
        if levels is None or dataset.name.count("/") - item.name.count("/") < levels:
            yield from _versions(child, wanted)


def _versions(item: Item, wanted: Wanted) -> Iterator[Item]:
    if Kind.SNAPSHOT in wanted.kinds and wanted.snapshots:
        yield from snapshot_items(item.dataset)
    if Kind.BOOKMARK in wanted.kinds:
        yield from bookmark_items(item.dataset)
