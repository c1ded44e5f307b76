"""Parsers for what the commands of `zfs.queries` print. What is not understood is an error.

ZFS prints one row per line, tabs between the columns, nothing escaped, `-` for what does not
apply. Rows end with a newline; the other line ends that Python knows are part of a value.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from reconciler.zfs.names import (
    InvalidName,
    check_listed_filesystem,
    check_snapshot,
    check_version,
    check_version_name,
)
from reconciler.zfs.queries import POOL_COLUMNS, VERSION_COLUMNS, filesystem_columns
from reconciler.zfs.types import FilesystemKind, Version, VersionKind

U64 = 1 << 64
KINDS = {"@": VersionKind.SNAPSHOT, "#": VersionKind.BOOKMARK}
FLAGS = {"on": True, "off": False, "yes": True, "no": False, "1": True, "0": False, "-": False}
KEY_STATES = {"none": "none", "available": "available", "unavailable": "unavailable", "-": "none"}
_FEATURE_STATES = {state: state for state in ("disabled", "enabled", "active", "-")}
_MADE_UP = "the row does not end with the name it begins with"
DIGITS = 20
_PROGRESS = re.compile(r"\d\d:\d\d:\d\d\t(\d+)\t[^\t]+")

T = TypeVar("T")


class ParseError(ValueError):
    """Raised for a line that is not as ZFS prints it; nothing of the output is to be trusted."""

    def __init__(self, line_number: int, line: str, reason: str) -> None:
        super().__init__(f"line {line_number}: {reason}: {line[:200]!r}")
        self.line_number = line_number
        self.line = line
        self.reason = reason


class ChangeRow(NamedTuple):
    """When the snapshots of a filesystem or volume last changed."""

    name: str
    changed: int | None
    """Seconds since the epoch, None for never."""


class VersionRow(NamedTuple):
    """A snapshot or bookmark and the filesystem it belongs to."""

    filesystem: str
    version: Version


class GuidRow(NamedTuple):
    """The identity of a snapshot or bookmark."""

    name: str
    """The full name."""
    guid: int


class HoldRow(NamedTuple):
    """One hold tag on one snapshot."""

    name: str
    """The snapshot's full name."""
    tag: str


class FilesystemRow(NamedTuple):
    """A filesystem or volume, its columns in the order of `filesystem_columns`."""

    name: str
    kind: FilesystemKind
    guid: int
    createtxg: int
    used: int
    written: int
    referenced: int
    encryption: str
    keystatus: str
    encryptionroot: str | None
    origin: str | None
    readonly: bool
    mounted: bool
    resume_token: str | None
    inconsistent: bool
    spec: str | None
    reconcile: str | None
    placeholder: str | None
    gone_since: str | None
    properties: Mapping[str, str]
    """Those that were asked for beside, without those it does not have."""


class PoolRow(NamedTuple):
    """An imported pool, its columns in the order of `POOL_COLUMNS`."""

    name: str
    guid: int
    free: int
    health: str
    readonly: bool


class FeatureRow(NamedTuple):
    """The state of one feature of one pool."""

    pool: str
    feature: str
    """Without `feature@`."""
    state: str
    """disabled | enabled | active, or `-` for a pool that can't be opened."""


def parse_versions(text: str) -> list[VersionRow]:
    """Read the rows of `list_versions` and `list_versions_within`."""
    checked: dict[str, str] = {}
    return _rows(text, partial(_version_row, checked))


def parse_guids(text: str) -> list[GuidRow]:
    """Read the rows of `list_guids`."""
    return _rows(text, _guid_row)


def parse_holds(text: str) -> list[HoldRow]:
    """Read the rows of `zfs holds -H`: snapshot, tag, date. A tag may contain tabs and spaces."""
    return _rows(text, _hold_row)


def parse_filesystems(text: str, properties: Sequence[str] = ()) -> list[FilesystemRow]:
    """Read the rows of `list_filesystems` with the same properties."""
    return _rows(text, partial(_filesystem_row, properties))


def parse_pools(text: str) -> list[PoolRow]:
    """Read the rows of `list_pools`. A pool that can't be opened has `-` for most columns."""
    return _rows(text, _pool_row)


def parse_features(text: str) -> list[FeatureRow]:
    """Read the rows of `get_features`."""
    return _rows(text, _feature_row)


def parse_changes(text: str) -> list[ChangeRow]:
    """Read the rows of `list_changes`."""
    return _rows(text, _change_row)


def parse_progress(line: str) -> int | None:
    """Return the bytes sent so far if a line is a progress line of `zfs send -v -P`.

    Example: `14:03:22<TAB>1048576<TAB>tank/www@daily`.
    """
    found = _PROGRESS.fullmatch(line.rstrip("\n"))
    return int(found[1]) if found else None


def parse_stream_estimate(text: str) -> int | None:
    """Return the estimated size of a stream, from the `size` line that `zfs send -v -P` prints.

    It is an estimate: streams have been seen to be larger. None when there is no such line.
    """
    for line in text.split("\n"):
        label, _, size = line.partition("\t")
        if label == "size" and size.isascii() and size.isdecimal():
            return int(size)
    return None


def _rows(text: str, row: Callable[[str], T]) -> list[T]:
    """Parse each line; a line that is cut (no line end) is an error like any other."""
    lines = text.split("\n")
    if lines.pop():
        raise ParseError(len(lines) + 1, text.rpartition("\n")[2], "the line has no end")
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(row(line))
        except InvalidName as error:
            raise ParseError(number, line, f"{error.name!r}: {error.reason}") from None
        except ValueError as error:
            raise ParseError(number, line, str(error)) from None
    return rows


def _version_row(checked: dict[str, str], line: str) -> VersionRow:
    """Read one version. Names repeat from row to row: each is checked, and kept, once.

    `checked` has filesystems by their name, and names of versions by what the row calls them.
    """
    row = _fields(line, VERSION_COLUMNS)
    full, guid, createtxg, creation, userrefs, written, referenced, spec, again = row
    if full != again:
        raise ValueError(_MADE_UP)
    filesystem, delimiter, name = full.partition("@" if "@" in full else "#")
    if delimiter not in KINDS:
        raise ValueError("this is no snapshot and no bookmark")
    if filesystem not in checked:
        check_listed_filesystem(filesystem)
        checked[filesystem] = filesystem
    label = delimiter + name
    if label not in checked:
        check_version_name(name)
        checked[label] = name
    version = Version(
        KINDS[delimiter],
        checked[label],
        number(guid),
        number(createtxg),
        number(creation),
        0 if userrefs == "-" else number(userrefs),
        None if written == "-" else number(written),
        None if referenced == "-" else number(referenced),
        None if spec == "-" else spec,
    )
    return VersionRow(checked[filesystem], version)


def _guid_row(line: str) -> GuidRow:
    name, guid = _fields(line, ("name", "guid"))
    check_version(name)
    return GuidRow(name, number(guid))


def _hold_row(line: str) -> HoldRow:
    name, _, rest = line.partition("\t")
    tag, tab, date = rest.rpartition("\t")
    if not (tag and tab and date):
        raise ValueError("not a snapshot, a tag and a date")
    check_snapshot(name)
    return HoldRow(name, tag)


def _filesystem_row(properties: Sequence[str], line: str) -> FilesystemRow:
    row = _fields(line, filesystem_columns(properties))
    name, kind, guid, createtxg, used, written, referenced = row[:7]
    encryption, keystatus, encryptionroot, origin, readonly, mounted = row[7:13]
    token, inconsistent, spec, reconcile, placeholder, gone, *values, again = row[13:]
    if name != again:
        raise ValueError(_MADE_UP)
    check_listed_filesystem(name)
    return FilesystemRow(
        name,
        FilesystemKind(kind),
        number(guid),
        number(createtxg),
        number(used),
        number(written),
        number(referenced),
        "off" if encryption == "-" else encryption,
        _word(keystatus, KEY_STATES),
        optional(encryptionroot),
        optional(origin),
        _word(readonly, FLAGS),
        _word(mounted, FLAGS),
        optional(token),
        _word(inconsistent, FLAGS),
        optional(spec),
        optional(reconcile),
        optional(placeholder),
        optional(gone),
        {name: value for name, value in zip(properties, values, strict=True) if value != "-"},
    )


def _pool_row(line: str) -> PoolRow:
    name, guid, free, health, readonly = _fields(line, POOL_COLUMNS)
    check_listed_filesystem(name)
    if "/" in name:
        raise ValueError("this is no pool")
    if not (health.isascii() and health.isalpha() and health.isupper()):
        raise ValueError(f"{health!r} is no health of a pool")
    unusable = 0 if free == "-" else number(free)
    return PoolRow(name, number(guid), unusable, health, _word(readonly, FLAGS))


def _feature_row(line: str) -> FeatureRow:
    pool, feature, state = _fields(line, ("name", "property", "value"))
    check_listed_filesystem(pool)
    if not feature.startswith("feature@"):
        raise ValueError("this is no feature")
    return FeatureRow(pool, feature.removeprefix("feature@"), _word(state, _FEATURE_STATES))


def _change_row(line: str) -> ChangeRow:
    name, changed = _fields(line, ("name", "snapshots_changed"))
    check_listed_filesystem(name)
    return ChangeRow(name, None if changed == "-" else number(changed))


def _fields(line: str, columns: Sequence[str]) -> list[str]:
    fields = line.split("\t")
    if len(fields) != len(columns):
        raise ValueError(f"{len(fields)} columns instead of {len(columns)}")
    return fields


def number(field: str) -> int:
    """Read a number as ZFS prints it: digits only, 64 bits, no sign."""
    if field.isdecimal() and field.isascii() and len(field) <= DIGITS:
        value = int(field)
        if value < U64:
            return value
    raise ValueError(f"{field!r} is no whole number of 64 bits")


def _word(field: str, words: Mapping[str, T]) -> T:
    if field not in words:
        raise ValueError(f"{field!r} is not one of {', '.join(words)}")
    return words[field]


def optional(field: str) -> str | None:
    """Read a text that may not apply."""
    return None if field == "-" else field
