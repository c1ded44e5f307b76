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
from reconciler.zfs.types import FilesystemKind, Version, VersionKind

CHUNK = 1 << 14
"""Characters that are taken apart at a time: the columns of a whole listing would be very large."""

_MOST_SHARED = 1 << 16
"""How many different values of a column are remembered, to be one value in all rows."""

_KINDS: dict[str, FilesystemKind] = {kind.value: kind for kind in FilesystemKind}

_version = partial(tuple.__new__, Version)
_filesystem_row = partial(tuple.__new__, FilesystemRow)

T = TypeVar("T")

Columns = Sequence[Sequence[str]]

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
        columns = _chunks(text, len(filesystem_columns(self._properties)))
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
        self._kinds, self._names = _Shared(_version_kind), _Shared(_version_name)
        self._createtxgs, self._creations = _Shared(parse.number), _Shared(parse.number)
        self._userrefs, self._specs = _Shared(_count), _Shared(parse.optional)

    def read(self, text: str) -> Groups:
        """Return the versions of each filesystem."""
        groups: Groups = {}
        for columns in _chunks(text, len(VERSION_COLUMNS) + 2, _delimited, named=2):
            filesystems, labels, guid, createtxg, creation = columns[:5]
            holds, written, referenced, spec = columns[5:]
            rows = zip(
                self._kinds.of(labels),
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
    token, inconsistent, spec, reconcile, placeholder, gone, *values = columns[13:]
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


def _delimited(text: str) -> str:
    """Part the names of versions from their filesystems'; ValueError if more could be parted.

    Each row has two of the delimiters: then no other column has one that looks like its end.
    """
    if text.count("@") + text.count("#") != 2 * text.count("\n"):
        raise ValueError(text)
    return text.replace("@", "\t@").replace("#", "\t#")


def _chunks(
    text: str, width: int, part: Callable[[str], str] = str, *, named: int = 1
) -> Iterator[Columns]:
    """Yield the columns of some rows after the other; ValueError if not all rows have `width`.

    The last ones say the same as as many of the first ones, and are left out: `named` of them,
    after what `part` does to the text.
    """
    start = 0
    while start < len(text):
        end = text.find("\n", min(start + CHUNK, len(text) - 1)) + 1
        fields = part(text[start:end]).replace("\n", "\n\t").split("\t")
        columns = [fields[column:-1:width] for column in range(width)]
        *first, name = columns[:named]
        *again, last = columns[-named:]
        # Each line's end is in the last column, and is none of the others' then.
        whole = len(fields) - 1 == width * text.count("\n", start, end)
        if not (end and whole and first == again and "".join(last) == "\n".join(name) + "\n"):
            raise ValueError(text[start : start + CHUNK])
        yield columns[:-named]
        start = end


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


def _version_kind(label: str) -> VersionKind:
    return parse.KINDS[label[:1]]


def _version_name(label: str) -> str:
    name = label[1:]
    check_version_name(name)
    return name
