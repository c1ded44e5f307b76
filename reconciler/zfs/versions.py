"""The versions of one filesystem kept by column, each made when somebody asks for one.

A host has many, and most of them are only compared: with those of the last observation, and with
those of other filesystems. Snapshots that were taken together share all columns but those of guids
and sizes.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from operator import add, lt
from sys import intern
from typing import NamedTuple, overload

from reconciler.zfs.types import Version, VersionKind

_KINDS = {kind.separator: kind for kind in VersionKind}
_version = partial(tuple.__new__, Version)


class Columns(NamedTuple):
    """Versions by column: the fields of `Version`, of which two are one label."""

    labels: tuple[str, ...]
    """`@daily` or `#cursor`."""
    guids: tuple[int, ...]
    createtxgs: tuple[int, ...]
    creations: tuple[int, ...]
    userrefs: tuple[int, ...]
    written: str
    """As they are listed, each with a space after it: `4096 - `. Few are ever looked at."""
    referenced: str
    specs: tuple[str | None, ...]
    holds: tuple[tuple[str, ...], ...]


class Versions(Sequence[Version]):
    """Versions of one filesystem. Equal to others, and to a tuple, that have the same in order."""

    __slots__ = ("_made", "columns")

    def __init__(self, columns: Columns) -> None:
        """All columns are as long as the first."""
        self.columns = columns
        self._made: tuple[Version, ...] | None = None

    @classmethod
    def of(cls, versions: Sequence[Version]) -> "Versions":
        """Return these versions by column."""
        if isinstance(versions, cls):
            return versions
        if not versions:
            return NONE
        kinds, names, *numbers, written, referenced, specs, holds = zip(*versions, strict=True)
        labels = tuple([kind.separator + name for kind, name in zip(kinds, names, strict=True)])
        sizes = _listed(written), _listed(referenced)
        return cls(Columns._make((labels, *numbers, *sizes, specs, holds)))

    def in_order(self) -> "Versions":
        """Return them in version order (see `version_order`)."""
        createtxgs = self.columns.createtxgs
        if all(map(lt, createtxgs, createtxgs[1:])):
            return self
        labels = self.columns.labels
        order = sorted(
            range(len(labels)),
            key=lambda place: (createtxgs[place], labels[place][0] == "@", labels[place]),
        )
        return Versions.of([self[place] for place in order])

    def __add__(self, others: "Versions") -> "Versions":
        """Return these and then the others."""
        return Versions(Columns._make(map(add, self.columns, others.columns)))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.columns.labels)

    @overload
    def __getitem__(self, place: int) -> Version: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Version, ...]: ...
    def __getitem__(self, place: int | slice) -> Version | tuple[Version, ...]:
        """Return one of them, or some."""
        return self._all()[place]

    def __iter__(self) -> Iterator[Version]:
        """Iterate over them."""
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        """Tell whether others are the same, in the same order."""
        if isinstance(other, Versions):
            return self is other or self.columns == other.columns
        return self._all() == other if isinstance(other, tuple) else NotImplemented

    def __hash__(self) -> int:
        """Return what the tuple of them has."""
        return hash(self._all())

    def __repr__(self) -> str:
        """Show them as the tuple of them is."""
        return repr(self._all())

    def _all(self) -> tuple[Version, ...]:
        made = self._made
        if made is None:
            labels, *numbers, written, referenced, specs, holds = self.columns
            kinds = [_KINDS[label[0]] for label in labels]
            names = [intern(label[1:]) for label in labels]
            sizes = map(_size, written.split()), map(_size, referenced.split())
            rows = zip(kinds, names, *numbers, *sizes, specs, holds, strict=True)
            made = self._made = tuple(map(_version, rows))
        return made


def _listed(sizes: Sequence[int | None]) -> str:
    return "".join(["- " if size is None else f"{size} " for size in sizes])


def _size(field: str) -> int | None:
    return None if field == "-" else int(field)


@lru_cache
def no_holds(count: int) -> tuple[tuple[str, ...], ...]:
    """Return the column of holds for so many versions without any."""
    return ((),) * count


NONE = Versions(Columns((), (), (), (), (), "", "", (), ()))


def columns_of(versions: Sequence[Version]) -> Columns:
    """Return versions by column."""
    return Versions.of(versions).columns
