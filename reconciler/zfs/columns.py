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
from reconciler.zfs.versions import Columns, Versions, no_holds

CHUNK = 1 << 14
"""Characters that are taken apart at a time: the columns of a whole listing would be very large."""

_MOST_SHARED = 1 << 16
"""How many different values of a column are remembered, to be one value in all rows."""

_KINDS: dict[str, FilesystemKind] = {kind.value: kind for kind in FilesystemKind}

_columns = partial(tuple.__new__, Columns)
_filesystem_row = partial(tuple.__new__, FilesystemRow)

T = TypeVar("T")

Fields = Sequence[Sequence[str]]
"""By column."""

Groups = dict[str, Versions]
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
            groups: dict[str, list[Version]] = {}
            for filesystem, version in parse.parse_versions(text):
                groups.setdefault(filesystem, []).append(version)
            return {name: Versions.of(versions) for name, versions in groups.items()}


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
            for name, versions in part.items():
                _add(groups, name, versions)
    return groups


def _add(groups: Groups, filesystem: str, versions: Versions) -> None:
    """Add versions to those that a filesystem has."""
    before = groups.get(filesystem)
    groups[filesystem] = versions if before is None else before + versions


class _VersionReader:
    """Reads rows of versions; what they share is one value in all that it ever reads."""

    def __init__(self) -> None:
        self._labels = _Alike(_label)
        self._createtxgs, self._creations = _Alike(parse.number), _Alike(parse.number)
        self._userrefs, self._specs = _Alike(_count), _Alike(parse.optional)

    def read(self, text: str) -> Groups:
        """Return the versions of each filesystem."""
        groups: Groups = {}
        for fields in _chunks(text, len(VERSION_COLUMNS)):
            filesystems, labels = _parted(fields[0])
            guid, createtxg, creation, holds, written, referenced, spec = fields[1:]
            guids = tuple(_numbers(guid))
            _check_sizes(written)
            _check_sizes(referenced)
            for start, end in pairwise(_runs(filesystems)):
                check_listed_filesystem(filesystems[start])
                columns = (
                    self._labels[tuple(labels[start:end])],
                    guids[start:end],
                    self._createtxgs[tuple(createtxg[start:end])],
                    self._creations[tuple(creation[start:end])],
                    self._userrefs[tuple(holds[start:end])],
                    " ".join([*written[start:end], ""]),
                    " ".join([*referenced[start:end], ""]),
                    self._specs[tuple(spec[start:end])],
                    no_holds(end - start),
                )
                _add(groups, filesystems[start], Versions(_columns(columns)))
        return groups


class _Alike(dict[tuple[str, ...], tuple[T, ...]]):
    """What many filesystems have in a column: it is read once, and is one value in all."""

    def __init__(self, read: Callable[[str], T]) -> None:
        super().__init__()
        self._shared = _Shared(read)

    def __missing__(self, fields: tuple[str, ...]) -> tuple[T, ...]:
        if len(self) > _MOST_SHARED:
            self.clear()
        found = self[fields] = tuple(self._shared.of(fields))
        return found


def _parted(names: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Part the names of versions into filesystems and labels; ValueError if that is not sure.

    Where one name has no delimiter and another one too many, there is a filesystem with one.
    """
    parts = "\n".join(names).replace("@", "\n@").replace("#", "\n#").split("\n")
    if len(parts) != 2 * len(names):
        raise ValueError(names)
    return parts[::2], parts[1::2]


def _runs(values: Sequence[str]) -> list[int]:
    """Return where a value differs from the one before, with both ends."""
    changes = compress(range(1, len(values)), map(ne, values, islice(values, 1, None)))
    return [0, *changes, len(values)]


def _rows(columns: Fields, properties: Sequence[str]) -> Iterator[FilesystemRow]:
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


def _chunks(text: str, width: int) -> Iterator[Fields]:
    """Yield the columns of some rows after the other; ValueError if not all rows have `width`.

    The last one says the same as the first, and is left out.
    """
    start = 0
    while start < len(text):
        end = text.find("\n", min(start + CHUNK, len(text) - 1)) + 1
        fields = text[start:end].replace("\n", "\n\t").split("\t")
        *columns, last = [fields[column:-1:width] for column in range(width)]
        # Each line's end is in the last column, and is none of the others' then.
        whole = len(fields) - 1 == width * text.count("\n", start, end)
        if not (end and whole and "".join(last) == "\n".join(columns[0]) + "\n"):
            raise ValueError(text[start : start + CHUNK])
        yield columns
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


def _check_sizes(fields: Sequence[str]) -> None:
    """Check that sizes are numbers as ZFS prints them or `-`; ValueError if that is not sure."""
    joined, none = " ".join(["", *fields]), fields.count("-")
    digits = joined.replace(" ", "")
    lengths = set(map(len, fields))
    if not (
        digits.isascii()
        and digits.replace("-", "0").isdecimal()
        and joined.count(" ") == len(fields)
        and digits.count("-") == none
        and joined.count(" 0") == fields.count("0")
        # So many digits are no number of 64 bits, or one that no pool is as large as.
        and 0 < min(lengths) <= max(lengths) < parse.DIGITS
    ):
        raise ValueError(fields)


def _count(field: str) -> int:
    return 0 if field == "-" else parse.number(field)


def _label(label: str) -> str:
    check_version_name(label[1:])
    return label
