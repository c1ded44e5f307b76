"""The events that a host announces: what `zpool events -f -v -H` prints (zpool-events(8)).

Example, one record of many:

    Nov 26 2026 04:51:19.141921080<TAB>sysevent.fs.zfs.history_event
            class = "sysevent.fs.zfs.history_event"
            pool = "tank"
            history_dsname = "tank/www@daily"
            history_internal_name = "snapshot"
            ...
            eid = 0x85
    <an empty line>

Values are printed unescaped: a property with line ends in it can look like records of its own.
What does not fit together is an event that may mean anything. Nothing is decided on events but
where to look again; docs/watch.md has what announces itself and what does not.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.zfs.names import InvalidName, check_listed_filesystem, filesystem_of, pool_of

HISTORY = "sysevent.fs.zfs.history_event"
"""The class of what is written into a pool's history as well."""

_INDENT = " " * 8
_HEADER = re.compile(r"[A-Z][a-z]{2} [ \d]\d \d{4} \d\d:\d\d:\d\d\.\d{9}\t(\S+)")
_ITEM = re.compile(_INDENT + r"(\w+) = (.*)")
_NUMBER = re.compile(r"0x([0-9a-f]{1,16})\b")
_MOST_ITEMS = 200

_OF_ONE_FILESYSTEM = frozenset(
    {
        "bookmark",
        "clone swap",  # a rollback, or an incremental receive that is complete
        "create",
        "defer_destroy",
        "destroy",
        "finish receiving",
        "hold",
        "receive",
        "release",
        "remove bookmark",
        "resume receive",
        "snapshot",
    }
)
_OF_ONE_SNAPSHOT = frozenset({"inherit", "rename", "set"})
"""What on a filesystem changes those below it too."""

_OF_NOTHING_WE_SEE = re.compile(
    r"sysevent\.fs\.zfs\.(scrub|trim|initialize)_\w+"
    r"|ereport\.fs\.zfs\.(authentication|checksum|data|deadman|delay|io)"
)
"""Work on disks, and their single errors: what comes of them for a pool is announced as well."""

_HISTORY_OF_NOTHING_WE_SEE = frozenset({"initialize", "scan done", "scan setup", "trim"})


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a host."""

    kind: str
    """The event's class; empty for what was not understood."""
    pool: str | None = None
    dataset: str | None = None
    """What it happened to: a filesystem, volume or snapshot, by its name before the event."""
    operation: str | None = None
    """The name of an entry of the pool's history: snapshot, destroy, hold, set ..."""
    detail: str | None = None
    """More about that, in ZFS's own words."""
    eid: int | None = None
    """The event's number since the module was loaded."""
    time: int | None = None
    """Seconds since the epoch, by the host's clock."""


NOT_UNDERSTOOD = Event("")


class EventReader:
    """Turns lines into events, one for each record."""

    def __init__(self) -> None:
        self._kind: str | None = None
        self._items: dict[str, str] = {}
        self._fits = True

    def feed(self, line: str) -> Event | None:
        """Take the next line, without its end; return the event that it completes, if any."""
        if not line:
            return self._end()
        if line.startswith(_INDENT) and self._kind is not None:
            self._add(line)
            return None
        header = _HEADER.fullmatch(line)
        if header is None:
            # Also "dropped 7 events", which the kernel could not keep for us.
            self._fits = False
            return NOT_UNDERSTOOD
        is_inside = self._kind is not None
        self._kind, self._items, self._fits = header[1], {}, True
        return NOT_UNDERSTOOD if is_inside else None

    def _add(self, line: str) -> None:
        item = _ITEM.fullmatch(line)
        if item is None:
            return  # Of a list within the list, or the rest of a value.
        key, value = item.groups()
        if key in self._items or len(self._items) == _MOST_ITEMS:
            self._fits = False
        else:
            self._items[key] = value

    def _end(self) -> Event | None:
        kind, self._kind = self._kind, None
        if kind is None:
            return None
        return _event(kind, self._items) if self._fits else NOT_UNDERSTOOD


def filesystems_of(event: Event) -> frozenset[str] | None:
    """Return the filesystems whose own state an event may have changed.

    None means the whole host: pools come and go, something is inherited by other filesystems, or
    nobody knows. Nothing at all is returned for what changes nothing that is observed.
    """
    if event.kind != HISTORY:
        return frozenset() if _OF_NOTHING_WE_SEE.fullmatch(event.kind) else None
    if event.dataset is None:
        return frozenset() if event.operation in _HISTORY_OF_NOTHING_WE_SEE else None
    is_of_one = event.operation in _OF_ONE_FILESYSTEM or (
        "@" in event.dataset and event.operation in _OF_ONE_SNAPSHOT
    )
    filesystem = _filesystem(event.dataset)
    if not is_of_one or filesystem is None or pool_of(filesystem) != event.pool:
        return None
    return frozenset({filesystem})


def _event(kind: str, items: Mapping[str, str]) -> Event:
    try:
        if _text(items, "class") != kind:
            return NOT_UNDERSTOOD
        return Event(
            kind,
            pool=_text(items, "pool"),
            dataset=_text(items, "history_dsname"),
            operation=_text(items, "history_internal_name"),
            detail=_text(items, "history_internal_str"),
            eid=_number(items, "eid"),
            time=_number(items, "time"),
        )
    except ValueError:
        return NOT_UNDERSTOOD


def _text(items: Mapping[str, str], key: str) -> str | None:
    value = items.get(key)
    if value is None:
        return None
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        raise ValueError(f"{key} is no text: {value!r}")
    return value[1:-1]


def _number(items: Mapping[str, str], key: str) -> int | None:
    value = items.get(key)
    if value is None:
        return None
    number = _NUMBER.match(value)
    if number is None:
        raise ValueError(f"{key} is no number: {value!r}")
    return int(number[1], 16)


def _filesystem(dataset: str) -> str | None:
    """Return the filesystem of a dataset; None if nobody can say."""
    name = filesystem_of(dataset)
    parent, _, last = name.rpartition("/")
    if last.startswith("%"):
        # What ZFS hides below a filesystem while it receives into it or rolls it back.
        name = parent
    try:
        check_listed_filesystem(name)
    except InvalidName:
        return None
    return name
