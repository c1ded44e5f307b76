"""What was read of a host last time, so that what is the same is not read anew.

Only equal texts are taken as read, and only equal values are handed out again: an observation is
the same with and without. That the same value is the same object tells others what has not changed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from operator import is_
from typing import NamedTuple

from reconciler.observed.model import Filesystem
from reconciler.zfs.columns import FilesystemListing, VersionListing
from reconciler.zfs.parse import FilesystemRow, HoldRow, parse_holds
from reconciler.zfs.pieces import Pieces
from reconciler.zfs.versions import NONE, Versions

Tags = Mapping[str, tuple[str, ...]]
"""Full name of a snapshot → its hold tags, sorted."""

_NO_TAGS: Tags = {}


class Parts(NamedTuple):
    """All that a filesystem is made of."""

    row: FilesystemRow
    versions: Versions
    tags: Tags


class Below(NamedTuple):
    """What was found below the roots."""

    listed: tuple[str, ...]
    filesystems: Mapping[str, Filesystem]


class Remembered:
    """The last reading of one host; the next one changes it. Not safe for threads."""

    def __init__(self) -> None:
        self._asked: object = None
        self._begin(())

    def asked(self, roots: Sequence[str], properties: Sequence[str]) -> None:
        """Forget everything unless the same was asked for last time."""
        if self._asked != (roots, properties):
            self._asked = (roots, properties)
            self._begin(properties)

    def _begin(self, properties: Sequence[str]) -> None:
        self.versions = VersionListing()
        self.rows = FilesystemListing(properties)
        self._holds = Pieces(parse_holds, _chained)
        self._made: dict[str, tuple[Parts, Filesystem]] = {}
        self._filesystems: Mapping[str, Filesystem] = {}
        self._last: tuple[tuple[object, ...], object, Below] | None = None

    def holds(self, text: str) -> list[HoldRow]:
        """Return the rows of a listing of holds. Raises ParseError as `parse_holds` does."""
        try:
            return self._holds.of(text)
        except ValueError:
            return parse_holds(text)

    def result(
        self, listings: tuple[object, ...], others: object, work: Callable[[], Below]
    ) -> Below:
        """Return what the work comes to, which depends on listings and others alone.

        Listings are the same if they are the same objects.
        """
        last, self._last = self._last, None
        if last is None or last[1] != others or not all(map(is_, last[0], listings)):
            last = listings, others, work()
        self._last = last
        return last[2]

    def has_versions(self, filesystem: str, versions: Versions) -> bool:
        """Tell whether these are the very versions that a filesystem had last time."""
        made = self._made.get(filesystem)
        return made is not None and made[0].versions is versions

    def filesystems(
        self,
        rows: Iterable[FilesystemRow],
        versions: Mapping[str, Versions],
        tags: Mapping[str, Tags],
        make: Callable[[Parts], Filesystem],
    ) -> Mapping[str, Filesystem]:
        """Return the filesystems that `make` makes of their parts, in the order of the rows."""
        made: dict[str, tuple[Parts, Filesystem]] = {}
        for row in rows:
            name = row.name
            parts = Parts(row, versions.get(name, NONE), tags.get(name, _NO_TAGS))
            made[name] = parts, self._filesystem(parts, make)
        found = {name: filesystem for name, (_, filesystem) in made.items()}
        same = map(is_, found.values(), self._filesystems.values())
        if len(found) != len(self._filesystems) or not all(same):
            self._filesystems = found
        self._made = made
        return self._filesystems

    def _filesystem(self, parts: Parts, make: Callable[[Parts], Filesystem]) -> Filesystem:
        last = self._made.get(parts.row.name)
        if last is None:
            return make(parts)
        before, known = last
        if before == parts:
            return known
        made = make(parts)
        return known if known == made else made


def _chained(parts: Iterable[list[HoldRow]]) -> list[HoldRow]:
    return list(chain.from_iterable(parts))
