"""What two hosts said, made comparable: guids, transaction groups, times and sizes get names.

A guid is called after the moment at which it was seen first, so both hosts must be asked the same
things in the same order. A createtxg is its rank among those that are listed with it. Sizes count
only as nothing or something, times not at all.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.zfs.names import pool_of
from reconciler.zfs.tokens import TokenError, decode_token
from reconciler.zfs.types import Argv

_SIZES = frozenset(
    {
        "available",
        "free",
        "logicalreferenced",
        "logicalused",
        "referenced",
        "used",
        "usedbychildren",
        "usedbydataset",
        "usedbysnapshots",
        "written",
    }
)
_TOKEN = re.compile(r"\b1-[0-9a-f]+-[0-9a-f]+-[0-9a-f]{16,}")
_GUID = re.compile(r"(?<![\w.])\d{13,20}(?![\w.])")
_HEX = re.compile(r"\b0x[0-9a-f]{9,16}\b")
_AMOUNT = re.compile(r"\b(object|offset|bytes) = 0x[0-9a-f]+")
_PROGRESS = re.compile(r"^(?:TIME +SENT +SNAPSHOT|\d\d:\d\d:\d\d)\s.*\n", re.MULTILINE)
"""What `send -v` says each second: in OpenZFS 2.1 nothing, its heading neither, if it is quick."""
_DATE = re.compile(r"\w{3} \w{3} [ \d]\d [ \d]\d:\d\d \d{4}")
_EPOCH = re.compile(r"(?<![\w.])1[5-9]\d{8}(?![\w.])")
_SIZE_ROW = re.compile(r"^((?:full|incremental|size|reclaim)\b.*\t)(\d+)$", re.MULTILINE)
_SPEED = re.compile(r"received \S+ stream in \S+ seconds \(\S+/sec\)")
_HUMAN = re.compile(r"(would reclaim|will reclaim|estimated size is) (\S+)")


@dataclass
class Names:
    """The names that guids got on one host."""

    given: dict[int, str] = field(default_factory=dict)

    def of(self, guid: int) -> str:
        """Return the name of a guid, a new one for one not seen before."""
        return self.given.setdefault(guid, f"G{len(self.given) + 1}")


def stdout(argv: Argv, text: str, names: Names) -> str:
    """Return the stdout of a command as far as it has to agree."""
    columns = _columns(argv)
    if columns is None:
        return plain(text, names)
    if argv[1] == "get":
        return _properties(columns, text, names)
    rows = [line.split("\t") for line in text.splitlines()]
    if "name" in columns and "createtxg" in columns:
        rows = _ranked(rows, columns.index("name"), columns.index("createtxg"))
    return "".join("\t".join(_row(columns, row, names)) + "\n" for row in rows)


def plain(text: str, names: Names) -> str:
    """Return a text that is no table."""
    text = _PROGRESS.sub("", text)
    text = _TOKEN.sub(lambda found: _token(found[0], names), text)
    text = _AMOUNT.sub(r"\1 = N", text)
    text = _HEX.sub(lambda found: names.of(int(found[0], 16)), text)
    text = _GUID.sub(lambda found: names.of(int(found[0])), text)
    text = _EPOCH.sub("TIME", _DATE.sub("TIME", text))
    text = _SIZE_ROW.sub(lambda found: f"{found[1]}{_size(found[2])}", text)
    text = _HUMAN.sub(lambda found: f"{found[1]} {'0' if found[2] in {'0', '0B'} else 'N'}", text)
    return _SPEED.sub("received N stream", text)


def _columns(argv: Argv) -> list[str] | None:
    """Return the columns of a table for machines, None for another output."""
    if argv[0] not in {"zfs", "zpool"} or argv[1] not in {"list", "get"}:
        return None
    options = list(argv[2:])
    machine = any(word.startswith("-") and "H" in word and "p" in word for word in options)
    machine = machine or ("-H" in options and "-p" in options)
    given = [
        options[at + 1]
        for at, word in enumerate(options[:-1])
        if word.endswith("o") and word.startswith("-")
    ]
    return given[0].split(",") if machine and given else None


def _properties(columns: Sequence[str], text: str, names: Names) -> str:
    """Return the rows of `zfs get`: which column a value belongs to stands in its row."""
    lines = []
    for line in text.splitlines():
        row = line.split("\t")
        if "property" in columns and "value" in columns and len(row) == len(columns):
            about = row[columns.index("property")]
            row[columns.index("value")] = _cell(about, row[columns.index("value")], names)
            lines.append("\t".join(row))
        else:
            lines.append(plain(line, names))
    return "".join(f"{line}\n" for line in lines)


def _ranked(rows: list[list[str]], name: int, createtxg: int) -> list[list[str]]:
    """Return rows with the rank that a createtxg has among those of its pool."""
    found: dict[str, set[int]] = {}
    for row in rows:
        if len(row) > max(name, createtxg) and row[createtxg].isdigit():
            found.setdefault(pool_of(row[name]), set()).add(int(row[createtxg]))
    ranks = {pool: sorted(txgs) for pool, txgs in found.items()}
    return [_with_rank(row, ranks.get(pool_of(row[name]), []), createtxg) for row in rows]


def _with_rank(row: list[str], ranks: list[int], createtxg: int) -> list[str]:
    if len(row) <= createtxg or not row[createtxg].isdigit():
        return row
    rank = ranks.index(int(row[createtxg])) + 1
    return [*row[:createtxg], f"txg{rank}", *row[createtxg + 1 :]]


def _row(columns: Sequence[str], row: Sequence[str], names: Names) -> list[str]:
    if len(row) != len(columns):
        return [plain("\t".join(row), names)]
    return [_cell(column, value, names) for column, value in zip(columns, row, strict=True)]


def _cell(column: str, value: str, names: Names) -> str:
    special = _SPECIAL.get(column)
    if special is not None:
        return special(value, names)
    if column in _SIZES:
        return _size(value)
    return plain(value, names)


def _size(value: str) -> str:
    return value if value in {"-", "0"} else "N"


def _guid(value: str, names: Names) -> str:
    return names.of(int(value)) if value.isdigit() else value


def _time(value: str, _: Names) -> str:
    return "TIME" if value.isdigit() else value


def _clones(value: str, _: Names) -> str:
    return ",".join(sorted(value.split(",")))


def _token(text: str, names: Names) -> str:
    """Return what a token says, without amounts."""
    try:
        token = decode_token(text)
    except TokenError as error:
        return f"TOKEN({error})"
    flags = [
        flag
        for flag in ("compressok", "embedok", "largeblockok", "rawok", "savedok")
        if getattr(token, flag)
    ]
    base = names.of(token.fromguid) if token.fromguid is not None else "nothing"
    return f"TOKEN({base} to {names.of(token.toguid)} {token.toname} {' '.join(flags)})"


_SPECIAL: Mapping[str, Callable[[str, Names], str]] = {
    "guid": _guid,
    "creation": _time,
    "clones": _clones,
}
