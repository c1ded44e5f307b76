"""`zfs list` and `zfs holds` (zfs-list(8), zfs-hold(8))."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from reconciler.simulator.checks import is_at_least
from reconciler.simulator.columns import (
    BadColumns,
    Column,
    cells,
    column,
    columns,
    every,
    grows,
    width,
)
from reconciler.simulator.items import DATASETS, Item, Kind
from reconciler.simulator.model import Machine
from reconciler.simulator.native import Property, known_to, table
from reconciler.simulator.process import Commands, Options, Process, Refused, text
from reconciler.simulator.selection import Wanted, depth, in_order, kinds, select
from reconciler.simulator.usage import usage
from reconciler.simulator.view import View

NO_DATASETS = "no datasets available"

DEFAULT_FIELDS = "name,used,available,referenced,mountpoint"

Sorting = list[tuple[Column, bool]]


def list_(process: Process) -> Iterable[bytes]:
    """List filesystems, volumes, snapshots and bookmarks."""
    options = process.options("HS:d:o:prs:t:", usage=_list_usage)
    view = View(process.cell.read())
    known = table(view.machine.release)
    wanted, sorting = _wanted(options, known, view.machine)
    shown = _shown(options, known, view.machine)
    items = select(process, view, options.operands, wanted.within_reach(options.operands))
    literal, scripted = options.has("p"), options.has("H")
    rows = _rows(view, in_order(view, items, sorting), shown, literal=literal)
    if not rows and not scripted and process.status == 0:
        process.complain(NO_DATASETS)
    if scripted:
        return text(["\t".join(row) for row in rows])
    return text(_table(rows, shown, literal=literal))


def _list_usage(said: str) -> Refused:
    return usage("list", said)


def _wanted(
    options: Options, known: Mapping[str, Property], machine: Machine
) -> tuple[Wanted, Sorting]:
    """Return what is asked for; mistakes are found in the order of the options."""
    wanted = Wanted(recursive=options.has("r"), snapshots=False, paths=True)
    if options.last("o") == "space":
        wanted = wanted._replace(kinds=DATASETS - {Kind.SNAPSHOT})
    sorting: Sorting = []
    for letter, given in options.given:
        if letter == "t":
            found = kinds(given, machine, _list_usage)
            wanted = wanted._replace(kinds=found, snapshots=True)
        elif letter == "d":
            wanted = wanted._replace(depth=depth(given, _list_usage), recursive=True)
        elif letter in "sS":
            by = column(given, known)
            if by is None:
                raise _list_usage(f"invalid property '{given}'")
            sorting.append((by, letter == "S"))
    return wanted, sorting


def _shown(options: Options, known: Mapping[str, Property], machine: Machine) -> Sequence[Column]:
    fields = options.last("o")
    if fields == "all":
        return (Column("name", known["name"]), *every(known_to(machine.release)))
    try:
        return columns(DEFAULT_FIELDS if fields is None else fields, known)
    except BadColumns as wrong:
        raise _list_usage(str(wrong)) from None


def _rows(
    view: View, items: Sequence[Item], shown: Sequence[Column], *, literal: bool
) -> list[tuple[str, ...]]:
    """Return the cells of each item."""
    return list(zip(*(cells(view, items, one, literal=literal) for one in shown), strict=True))


def _table(rows: Sequence[Sequence[str]], shown: Sequence[Column], *, literal: bool) -> list[str]:
    """Return the lines for people: with headings, and every column as wide as it has to be."""
    if not rows:
        return []
    widths = [
        max(width(one), *(len(row[n]) for row in rows))
        if grows(one, literal=literal)
        else width(one)
        for n, one in enumerate(shown)
    ]
    headings = [one.heading for one in shown]
    return [
        _aligned(headings, widths, [one.right for one in shown]),
        *(_aligned(row, widths, [one.right or one.is_written for one in shown]) for row in rows),
    ]


def _aligned(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = [
        found.rjust(wide) if to_right else found.ljust(wide)
        for found, wide, to_right in zip(cells, widths, right, strict=True)
    ]
    if not right[-1]:
        padded[-1] = cells[-1]
    return "  ".join(padded)


# -- holds -----------------------------------------------------------------------------------------


class _Hold(NamedTuple):
    snapshot: str
    tag: str
    since: int


def holds(process: Process) -> Iterable[bytes]:
    """List the holds on snapshots, by name or (`-r`) on all of that name below a filesystem."""
    view = View(process.cell.read())
    exact = is_at_least(view.machine, 2, 2)
    options = process.options("rHp" if exact else "rH", usage=lambda said: usage("holds", said))
    if not options.operands:
        raise usage("holds")
    found: dict[str, Item] = {}
    for operand in options.operands:
        for item in _held(process, view, operand, recursive=options.has("r")):
            found.pop(item.name, None)
            found[item.name] = item
    if not found:
        process.complain(NO_DATASETS)
    rows = [hold for item in found.values() for hold in _holds(item)]
    when = str if options.has("p") else _timestamp
    if options.has("H"):
        return text([f"{hold.snapshot}\t{hold.tag}\t{when(hold.since)}" for hold in rows])
    return text(_holds_table(list(found), rows, when))


def _held(process: Process, view: View, operand: str, *, recursive: bool) -> Iterable[Item]:
    """Return the snapshots of an operand, or complain."""
    filesystem, delimiter, short = operand.partition("@")
    if not delimiter:
        process.fail(f"'{operand}' is not a snapshot")
        return ()
    if not recursive:
        return select(process, view, (operand,), Wanted(frozenset({Kind.SNAPSHOT})))
    items = select(process, view, (filesystem,), Wanted(recursive=True))
    return [item for item in items if item.snapshot is not None and item.snapshot.name == short]


def _holds(item: Item) -> list[_Hold]:
    tags = item.snapshot.holds if item.snapshot is not None else {}
    return [_Hold(item.name, tag, tags[tag]) for tag in sorted(tags)]


def _holds_table(
    names: Sequence[str], rows: Sequence[_Hold], when: Callable[[int], str]
) -> list[str]:
    """Return the lines for people; columns are not widened for their headings."""
    wide = max(map(len, names), default=0)
    tag = max((len(hold.tag) for hold in rows), default=0)
    cells = [("NAME", "TAG", "TIMESTAMP")]
    cells += [(hold.snapshot, hold.tag, when(hold.since)) for hold in rows]
    return [f"{name.ljust(wide)}  {mark.ljust(tag)}  {since}" for name, mark, since in cells]


def _timestamp(seconds: int) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%a %b} {moment.day:2} {moment:%H:%M %Y}"


COMMANDS: Commands = {("zfs", "list"): list_, ("zfs", "holds"): holds}
