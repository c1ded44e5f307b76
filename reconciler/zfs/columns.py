"""Long listings, read column by column: what `zfs.parse` reads row by row, several times as quick.

The same comes out. Where anything in a listing is not plainly in order, all of it is left to the
parsers of rows: they alone say what is refused, in which line and why.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, compress, islice, pairwise, repeat
from operator import ne
from typing import Generic, TypeVar

from reconciler.zfs import parse
from reconciler.zfs.names import check_listed_filesystem, check_version_name
from reconciler.zfs.parse import FilesystemRow
from reconciler.zfs.pieces import Pieces
from reconciler.zfs.queries import VERSION_COLUMNS, filesystem_columns
from reconciler.zfs.types import FilesystemKind, Version

CHUNK = 1 << 14
"""Characters that are taken apart at a time: the columns of a whole listing would be very large."""

_MOST_SHARED = 1 << 16
"""How many different values of a column are remembered, to be one value in all rows."""

_KINDS: dict[str, FilesystemKind] = {kind.value: kind for kind in FilesystemKind}

_version = partial(tuple.__new__, Version)
_filesystem_row = partial(tuple.__new__, FilesystemRow)

T = TypeVar("T")

Columns = Sequence[tuple[str, ...]]

Groups = dict[str, list[Version]]
"""Filesystem → its versions."""

_NOTHING: Mapping[str, str] = {}
"""For all filesystems of which nothing more was asked."""


def read_versions(text: str) -> Groups:
    """Read the rows of `list_versions`: the versions of each filesystem, in their order.

    Raises ParseError as `parse_versions` does.
    """
    return VersionListing().read(text)


def read_filesystems(text: str, properties: Sequence[str] = ()) -> list[FilesystemRow]:
    """Read the rows of `list_filesystems`. Raises ParseError as `parse_filesystems` does."""
    return FilesystemListing(properties).read(text)


class VersionListing:
    """The versions of one host, read again and again.

    A filesystem of which nothing has changed has the very list that it had before.
    """

    def __init__(self) -> None:
        self._pieces = Pieces(_VersionReader().read, _joined)

    def read(self, text: str) -> Groups:
        """Return the versions of each filesystem. Raises ParseError as `parse_versions` does."""
        try:
            return self._pieces.of(text)
        except (ValueError, KeyError):
            groups: Groups = {}
            for filesystem, version in parse.parse_versions(text):
                groups.setdefault(filesystem, []).append(version)
            return groups


class FilesystemListing:
    """The filesystems of one host and some of their properties, read again and again."""

    def __init__(self, properties: Sequence[str]) -> None:
        self._properties = properties
        self._pieces = Pieces(self._rows, _chained)

    def read(self, text: str) -> list[FilesystemRow]:
        """Return the rows. Raises ParseError as `parse_filesystems` does."""
        try:
            return self._pieces.of(text)
        except (ValueError, KeyError):
            return parse.parse_filesystems(text, self._properties)

    def _rows(self, text: str) -> list[FilesystemRow]:
        columns = _chunks(text, filesystem_columns(self._properties))
        return [row for chunk in columns for row in _rows(chunk, self._properties)]


def _chained(parts: Iterable[list[FilesystemRow]]) -> list[FilesystemRow]:
    return list(chain.from_iterable(parts))


def _joined(parts: Iterable[Groups]) -> Groups:
    """Return all of some groups, without changing any of them."""
    groups: Groups = {}
    for part in parts:
        if groups.keys().isdisjoint(part):
            groups.update(part)
        else:
            groups.update((name, groups.get(name, []) + more) for name, more in part.items())
    return groups


class _VersionReader:
    """Reads rows of versions; what they share is one value in all that it ever reads."""

    def __init__(self) -> None:
        self._names = _Shared(_version_name)
        self._createtxgs, self._creations = _Shared(parse.number), _Shared(parse.number)
        self._userrefs, self._specs = _Shared(_count), _Shared(parse.optional)

    def read(self, text: str) -> Groups:
        """Return the versions of each filesystem."""
        groups: Groups = {}
        for columns in _chunks(text, VERSION_COLUMNS):
            fulls, guid, createtxg, creation, holds, written, referenced, spec, _ = columns
            parts = [full.partition("@") if "@" in full else full.partition("#") for full in fulls]
            filesystems, delimiters, labels = zip(*parts, strict=True)
            rows = zip(
                map(parse.KINDS.__getitem__, delimiters),
                self._names.of(labels),
                _numbers(guid),
                self._createtxgs.of(createtxg),
                self._creations.of(creation),
                self._userrefs.of(holds),
                _numbers_or_none(written),
                _numbers_or_none(referenced),
                self._specs.of(spec),
                repeat(()),
            )
            versions: list[Version] = list(map(_version, rows))
            for start, end in pairwise(_runs(filesystems)):
                _add(groups, filesystems[start], versions[start:end])
        return groups


def _add(groups: Groups, filesystem: str, versions: list[Version]) -> None:
    """Add versions to those of a filesystem, whose name is looked at when it comes first."""
    before = groups.get(filesystem)
    if before is None:
        check_listed_filesystem(filesystem)
        groups[filesystem] = versions
    else:
        before += versions


def _runs(values: Sequence[str]) -> list[int]:
    """Return where a value differs from the one before, with both ends."""
    changes = compress(range(1, len(values)), map(ne, values, islice(values, 1, None)))
    return [0, *changes, len(values)]


def _rows(columns: Columns, properties: Sequence[str]) -> Iterator[FilesystemRow]:
    name, kind, guid, createtxg, used, written, referenced = columns[:7]
    encryption, keystatus, encryptionroot, origin, readonly, mounted = columns[7:13]
    token, inconsistent, spec, reconcile, placeholder, gone, *values, _ = columns[13:]
    for one in name:
        check_listed_filesystem(one)
    rows = zip(
        name,
        map(_KINDS.__getitem__, kind),
        _numbers(guid),
        _numbers(createtxg),
        _numbers(used),
        _numbers(written),
        _numbers(referenced),
        ("off" if field == "-" else field for field in encryption),
        map(parse.KEY_STATES.__getitem__, keystatus),
        map(parse.optional, encryptionroot),
        map(parse.optional, origin),
        map(parse.FLAGS.__getitem__, readonly),
        map(parse.FLAGS.__getitem__, mounted),
        map(parse.optional, token),
        map(parse.FLAGS.__getitem__, inconsistent),
        map(parse.optional, spec),
        map(parse.optional, reconcile),
        map(parse.optional, placeholder),
        map(parse.optional, gone),
        [_given(properties, row) for row in zip(*values, strict=True)]
        if values
        else repeat(_NOTHING, len(name)),
        strict=True,
    )
    return map(_filesystem_row, rows)


def _given(properties: Sequence[str], row: Sequence[str]) -> Mapping[str, str]:
    """Return the properties that a filesystem has."""
    return {name: value for name, value in zip(properties, row, strict=True) if value != "-"}


def _chunks(text: str, names: Sequence[str]) -> Iterator[Columns]:
    """Yield the columns of some rows after the other; ValueError if rows differ in length.

    The first and the last column say the same.
    """
    start = 0
    while start < len(text):
        end = text.find("\n", min(start + CHUNK, len(text) - 1))
        lines = text[start:end].split("\n")
        columns = list(zip(*[line.split("\t") for line in lines], strict=True))
        if end < 0 or len(columns) != len(names) or columns[0] != columns[-1]:
            raise ValueError(text[start:end])
        yield columns
        start = end + 1


class _Shared(Generic[T]):
    """The values of a column in which fields repeat: each is read once, and is one in all rows."""

    def __init__(self, read: Callable[[str], T]) -> None:
        self._read = read
        self._known: dict[str, T] = {}

    def of(self, fields: Sequence[str]) -> Iterator[T]:
        """Return the values of fields; raises what reading one of them does."""
        if len(self._known) > _MOST_SHARED:
            self._known.clear()
        for field in set(fields).difference(self._known):
            self._known[field] = self._read(field)
        return map(self._known.__getitem__, fields)


def _numbers(fields: Sequence[str]) -> Sequence[int]:
    """Read what `parse.number` reads, all of a column at once."""
    digits = "".join(fields)
    if not (digits.isascii() and digits.isdecimal() and all(fields)):
        raise ValueError(fields)
    numbers = list(map(int, fields))
    if max(numbers) >= parse.U64 or max(map(len, fields)) > parse.DIGITS:
        raise ValueError(fields)
    return numbers


def _numbers_or_none(fields: Sequence[str]) -> Sequence[int | None]:
    if "-" not in fields:
        return _numbers(fields)
    given = [field for field in fields if field != "-"]
    numbers = iter(_numbers(given)) if given else iter(())
    return [None if field == "-" else next(numbers) for field in fields]


def _count(field: str) -> int:
    return 0 if field == "-" else parse.number(field)


def _version_name(name: str) -> str:
    check_version_name(name)
    return name
