"""The properties that are asked for with `-o` or by `zfs get`, and their cells."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from reconciler.simulator.items import Item
from reconciler.simulator.native import Form, Property
from reconciler.simulator.values import (
    NONE,
    WRITTEN,
    Value,
    applies,
    printing,
    text,
    user_value,
    value,
    written_since,
)
from reconciler.simulator.view import View

_SPACE = (
    *("name", "available", "used", "usedbysnapshots"),
    *("usedbydataset", "usedbyrefreservation", "usedbychildren"),
)
_USER = frozenset("abcdefghijklmnopqrstuvwxyz0123456789:-._")
_NUMBER_WIDTH = 5


class BadColumns(ValueError):
    """Raised for a list of properties that has others than there are; says what ZFS says."""


class Column(NamedTuple):
    """A property that is asked for."""

    name: str
    """As `zfs get` prints it."""
    found: Property | None
    """The row of the table; None for a user property and for `written@SNAPSHOT`."""

    @property
    def heading(self) -> str:
        """What stands above the column."""
        return self.found.column if self.found is not None else self.name.upper()

    @property
    def right(self) -> bool:
        """Whether the column is aligned to the right."""
        return self.found.right if self.found is not None else False

    @property
    def is_written(self) -> bool:
        """Whether it is `written@SNAPSHOT` or `written#BOOKMARK`."""
        return self.name.startswith(WRITTEN)


def column(name: str, known: Mapping[str, Property]) -> Column | None:
    """Return the column of a property's name or its heading in lower case; None for neither."""
    found = known.get(name)
    if found is not None:
        return Column(found.name, found)
    return Column(name, None) if is_user_property(name) or name.startswith(WRITTEN) else None


def is_user_property(name: str) -> bool:
    """Tell whether a name can be a user property's (zfsprops(7))."""
    return ":" in name and _USER.issuperset(name)


def columns(fields: str, known: Mapping[str, Property]) -> tuple[Column, ...]:
    """Return the columns of a list separated by commas; raise BadColumns."""
    if not fields:
        raise BadColumns("bad property list: no properties specified")
    names = fields.removesuffix(",").split(",")
    found: list[Column] = []
    for name in names:
        if not name:
            raise BadColumns("bad property list: empty property name")
        for wanted in _SPACE if name == "space" else (name,):
            one = column(wanted, known)
            if one is None:
                raise BadColumns(f"bad property list: invalid property '{wanted}'")
            found.append(one)
    return tuple(found)


def every(known: Sequence[Property]) -> tuple[Column, ...]:
    """Return the columns that `all` means, without user properties."""
    return tuple(Column(found.name, found) for found in known if not found.hidden)


def column_value(view: View, item: Item, one: Column) -> Value | None:
    """Return the value and source of a column for an item."""
    if one.found is not None:
        return value(view, item, one.found)
    if one.is_written:
        size = written_since(view, item, one.name)
        return Value(size, "local") if size is not None else None
    return user_value(view, item, one.name)


def cells(view: View, items: Sequence[Item], one: Column, *, literal: bool) -> list[str]:
    """Return what stands in a column for each of the items, of which there may be thousands."""
    known = one.found
    if known is None or known.compute is None:
        form = known.form if known is not None else Form.BYTES
        values = [column_value(view, item, one) for item in items]
        return [text(v.raw, form, literal=literal) if v is not None else NONE for v in values]
    compute, show = known.compute, printing(known.form, literal=literal)
    found = [compute(view, item) if applies(known, item) else None for item in items]
    return [NONE if v is None else v if isinstance(v, str) else show(v) for v in found]


def width(one: Column) -> int:
    """Return how wide a column is at least (`zprop_width`)."""
    if one.found is None:
        return len(one.name)
    if one.found.form is Form.CHOICE:
        return max(map(len, (one.found.column, *one.found.values)))
    if one.found.form in {Form.TEXT, Form.MOMENT}:
        return len(one.found.column)
    return max(len(one.found.column), _NUMBER_WIDTH)


def grows(one: Column, *, literal: bool) -> bool:
    """Tell whether a column gets as wide as its widest cell."""
    if one.found is None:
        return not one.is_written
    return literal or one.found.form in {Form.TEXT, Form.DATE, Form.MOMENT}


def sort_key(view: View, item: Item, one: Column) -> tuple[int, str] | None:
    """Return what `-s` compares; None where the column does not apply."""
    found = column_value(view, item, one)
    if found is None:
        if one.found is None or one.found.form is Form.TEXT or not applies(one.found, item):
            return None
        return 0, ""
    if isinstance(found.raw, int):
        return found.raw, ""
    if one.found is not None and found.raw in one.found.values:
        return one.found.values.index(found.raw), ""
    return 0, found.raw
