"""`zfs get` (zfs-get(8))."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from reconciler.simulator.columns import (
    BadColumns,
    Column,
    column_value,
    columns,
    every,
    width,
)
from reconciler.simulator.items import ALL, Item
from reconciler.simulator.model import Machine
from reconciler.simulator.native import Form, Property, known_to, table
from reconciler.simulator.process import Options, Process, Refused, text
from reconciler.simulator.selection import Wanted, depth, kinds, select
from reconciler.simulator.usage import usage
from reconciler.simulator.values import NONE, number, user_names
from reconciler.simulator.values import text as shown
from reconciler.simulator.view import View

FIELDS = ("name", "property", "value", "received", "source")
DEFAULT_FIELDS = ("name", "property", "value", "source")
SOURCES = ("local", "default", "inherited", "received", "temporary", "none")


class Row(NamedTuple):
    """One property of one item, with the fields that `-o` can ask for."""

    name: str
    property: str
    value: str
    received: str
    source: str


def get(process: Process) -> Iterable[bytes]:
    """Print properties of filesystems, volumes, snapshots and bookmarks."""
    options = process.options("d:o:s:rt:Hp", usage=get_usage)
    view = View(process.cell.read())
    release = view.machine.release
    wanted, fields, sources = _asked(options, view.machine)
    if not options.operands:
        raise get_usage("missing property argument")
    properties, *operands = options.operands
    every_one = properties == "all"
    asked = every(known_to(release)) if every_one else _columns(properties, table(release))
    items = select(process, view, operands, wanted.within_reach(operands))
    literal = options.has("p")
    rows = [
        row
        for item in items
        for row in _rows(view, item, asked, every_one=every_one, literal=literal)
        if _source_kind(row) in sources
    ]
    if options.has("H"):
        return text(["\t".join(_fields(row, fields)) for row in rows])
    names = [one.name for one in asked]
    return text(aligned_rows(rows, fields, names, max(map(width, asked))))


def get_usage(said: str) -> Refused:
    """Return the refusal of a wrong `zfs get`."""
    return usage("get", said)


def _asked(options: Options, machine: Machine) -> tuple[Wanted, Sequence[str], Sequence[str]]:
    """Return what is asked for, the fields and the sources; mistakes in order of the options."""
    wanted = Wanted(kinds=ALL, recursive=options.has("r"), paths=True)
    fields: Sequence[str] = DEFAULT_FIELDS
    sources: Sequence[str] = SOURCES
    for letter, given in options.given:
        if letter == "t":
            wanted = wanted._replace(kinds=kinds(given, machine, get_usage))
        elif letter == "d":
            wanted = wanted._replace(depth=depth(given, get_usage), recursive=True)
        elif letter == "o":
            fields = _given_fields(given)
        elif letter == "s":
            sources = given.split(",")
            _refuse_unknown(sources, SOURCES, "invalid source")
    return wanted, fields, sources


def _given_fields(given: str) -> Sequence[str]:
    fields = given.split(",")
    _refuse_unknown(fields, (*FIELDS, "all"), "invalid column name")
    if fields[0] == "all":
        return FIELDS
    if "all" in fields:
        raise get_usage('"all" conflicts with specific fields given to -o option')
    if len(fields) > len(FIELDS):
        raise get_usage("too many fields given to -o option")
    return fields


def _refuse_unknown(given: Iterable[str], known: Sequence[str], said: str) -> None:
    for name in given:
        if name not in known:
            raise get_usage(f"{said} '{name}'")


def _columns(properties: str, known: Mapping[str, Property]) -> Sequence[Column]:
    try:
        return columns(properties, known)
    except BadColumns as wrong:
        raise get_usage(str(wrong)) from None


def _rows(
    view: View, item: Item, asked: Sequence[Column], *, every_one: bool, literal: bool
) -> Iterator[Row]:
    """Yield the rows of an item; `all` leaves out what it does not have."""
    users = [Column(name, None) for name in user_names(view, item)] if every_one else ()
    for one in (*asked, *users):
        found = column_value(view, item, one)
        if found is None and every_one:
            continue
        form = one.found.form if one.found is not None else Form.BYTES
        value = shown(found.raw, form, literal=literal) if found is not None else NONE
        source = found.source if found is not None else NONE
        yield Row(item.name, one.name, value, _received(item, one, literal=literal), source)


def _received(item: Item, one: Column, *, literal: bool) -> str:
    """Return the value that came with a stream, whether or not it counts."""
    received = (item.snapshot or item.dataset).received.get(one.name)
    if received is None or item.bookmark is not None:
        return NONE
    if one.found is None or one.found.form in {Form.TEXT, Form.CHOICE}:
        return received
    return shown(number(received, one.found), one.found.form, literal=literal)


def _source_kind(row: Row) -> str:
    """Return what `-s` calls the source."""
    return "none" if row.source == NONE else row.source.partition(" ")[0]


def _fields(row: Row, fields: Sequence[str]) -> list[str]:
    return [getattr(row, field) for field in fields]


def aligned_rows(
    rows: Sequence[Row], fields: Sequence[str], properties: Sequence[str], value_width: int = 0
) -> list[str]:
    """Return the lines for people, with headings; the last field has no width."""
    if not rows:
        return []
    widths = _widths(rows, properties, value_width)
    headings = [field.upper() for field in fields]
    return [
        "  ".join([*_padded(line[:-1], fields, widths), line[-1]])
        for line in (headings, *(_fields(row, fields) for row in rows))
    ]


def _padded(cells: Sequence[str], fields: Sequence[str], widths: Mapping[str, int]) -> list[str]:
    return [cell.ljust(widths[field]) for cell, field in zip(cells, fields, strict=False)]


def _widths(rows: Sequence[Row], properties: Sequence[str], value_width: int) -> Mapping[str, int]:
    """Return the widths of the fields: that of the source is guessed from the longest name."""
    widest = {field: max(len(getattr(row, field)) for row in rows) for field in FIELDS}
    name = max(len("NAME"), widest["name"])
    return {
        "name": name,
        "property": max([len("PROPERTY"), widest["property"], *map(len, properties)]),
        "value": max(len("VALUE"), widest["value"], value_width),
        "received": max(len("RECEIVED"), widest["received"]),
        "source": name + len("inherited from") if name > len("NAME") else len("SOURCE"),
    }
