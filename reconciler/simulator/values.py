"""The value and the source of a property for an item, and how it is printed (`zfs_prop_get`)."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from reconciler.simulator import change, inheritance
from reconciler.simulator.computed import Raw
from reconciler.simulator.directories import mountpoint
from reconciler.simulator.items import HEADS, Item, Kind
from reconciler.simulator.native import Access, Form, Property
from reconciler.simulator.numbers import U64_MAX, BadNumber, nicebytes, nicenum, parse_number
from reconciler.simulator.view import View
from reconciler.zfs.names import filesystem_of

NONE = "-"
"""The value, and the source, of what does not apply or does not exist."""

DEFAULT = "default"

WRITTEN = ("written@", "written#")


class Value(NamedTuple):
    """What a property is for an item."""

    raw: int | str
    source: str
    """As `zfs get` prints it: `local`, `default`, `inherited from tank`, `received` or `-`."""


# -- values ----------------------------------------------------------------------------------------


def applies(found: Property, item: Item) -> bool:
    """Tell whether an item can have a property; that of a volume's snapshot depends on volumes."""
    if item.kind not in found.kinds:
        return False
    if item.snapshot is None or found.form is Form.TEXT:
        return True
    return HEADS[item.dataset.kind] in found.kinds or found.kinds == {Kind.SNAPSHOT}


def value(view: View, item: Item, found: Property) -> Value | None:
    """Return a property of an item, None where `zfs get` prints `-` or leaves it out."""
    if not applies(found, item):
        return None
    if found.compute is None:
        return _set_value(view, item, found)
    raw = found.compute(view, item)
    if raw is None:
        return None
    return Value(raw, DEFAULT if raw == found.default else found.source)


def _set_value(view: View, item: Item, found: Property) -> Value:
    """Return the value of a property that can be set: the nearest setting or the default."""
    if found.access is Access.INHERITED:
        setting = view.setting(item.dataset.name, found.name)
    else:
        setting = inheritance.own(item.dataset, found.name)
    if setting is None:
        raw: int | str = found.default if found.default is not None else ""
        source = DEFAULT
    else:
        raw = number(setting.value, found) if _is_number(found) else setting.value
        source = setting.source(item.name) if found.access is not Access.ONCE else NONE
    if found.form is Form.QUOTA and raw == 0:
        source = DEFAULT
    if found.name == "mountpoint":
        raw = mountpoint(view.machine, item.dataset.name)
    return Value(raw, source)


def number(text: str, found: Property) -> int:
    """Return what was set of a property that is a number."""
    if text == "none":
        return U64_MAX if found.form is Form.LIMIT else 0
    try:
        return parse_number(text)
    except BadNumber:
        return 0


def _is_number(found: Property) -> bool:
    return found.form not in {Form.TEXT, Form.CHOICE}


def user_value(view: View, item: Item, name: str) -> Value | None:
    """Return a user property, which snapshots inherit from their filesystem (zfsprops(7))."""
    if item.bookmark is not None:
        return None
    own = inheritance.of_snapshot(item.snapshot, name) if item.snapshot is not None else None
    if own is not None:
        return Value(own.value, own.how)
    setting = view.setting(item.dataset.name, name)
    return Value(setting.value, setting.source(item.name)) if setting is not None else None


def user_names(view: View, item: Item) -> Iterable[str]:
    """Return the names of the user properties that an item has, sorted."""
    if item.bookmark is not None:
        return ()
    snapshot = item.snapshot
    own: Iterable[str] = ()
    if snapshot is not None:
        own = snapshot.properties.keys() | (snapshot.received.keys() - snapshot.masked)
    return sorted({*own, *inheritance.user_properties(view.machine, item.dataset.name)})


def written_since(view: View, item: Item, name: str) -> int | None:
    """Return `written@SNAPSHOT` or `written#BOOKMARK`: the bytes since; None without such one."""
    since = name.removeprefix("written")
    full = since[1:] if "@" in since[1:] or "#" in since[1:] else f"{item.dataset.name}{since}"
    txg = _createtxg(view, full)
    if txg is None or item.bookmark is not None or filesystem_of(full) != item.dataset.name:
        return None
    if item.snapshot is not None and item.snapshot.createtxg <= txg:
        return None
    return change.written((item.snapshot or item.dataset).files, txg)


def _createtxg(view: View, full: str) -> int | None:
    dataset = change.find(view.machine, filesystem_of(full))
    if dataset is None:
        return None
    versions = dataset.bookmarks if "#" in full else dataset.snapshots
    name = full[len(dataset.name) + 1 :]
    return next((version.createtxg for version in versions if version.name == name), None)


# -- printing --------------------------------------------------------------------------------------


def text(raw: Raw, form: Form, *, literal: bool) -> str:
    """Return a value as it is printed, exactly (`-p`) or for people."""
    if raw is None:
        return NONE
    return raw if isinstance(raw, str) else printing(form, literal=literal)(raw)


def printing(form: Form, *, literal: bool) -> Callable[[int], str]:
    """Return what prints numbers of a form."""
    return (_LITERAL if literal else _READABLE)[form]


def date(seconds: int) -> str:
    """Return a time as `zfs list` prints it; the simulated hosts' time zone is UTC."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%a %b} {moment.day:2} {moment.hour:2}:{moment:%M %Y}"


def _moment(seconds: int) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%a %b} {moment.day:2} {moment.hour:2}:{moment:%M:%S %Y}"


def _ratio(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02}"


_LITERAL: Mapping[Form, Callable[[int], str]] = {
    **dict.fromkeys(Form, str),
    Form.RATIO: _ratio,
}

_READABLE: Mapping[Form, Callable[[int], str]] = {
    **dict.fromkeys(Form, str),
    Form.NUMBER: nicenum,
    Form.BYTES: nicebytes,
    Form.QUOTA: lambda size: nicebytes(size) if size else "none",
    Form.LIMIT: lambda count: nicenum(count) if count < U64_MAX else "none",
    Form.RATIO: lambda hundredths: f"{_ratio(hundredths)}x",
    Form.DATE: date,
    Form.MOMENT: _moment,
}
