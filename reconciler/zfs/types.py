"""The values ZFS is made of, as far as snapshots and replication go.

Identity of a filesystem version is its guid, order within one filesystem is its createtxg
(zfsprops(7)). Names are labels. Creation time is for people and for calendars, never for order.
"""

from enum import StrEnum
from typing import NamedTuple

Argv = tuple[str, ...]


class FilesystemKind(StrEnum):
    """What can be snapshotted."""

    FILESYSTEM = "filesystem"
    VOLUME = "volume"


class VersionKind(StrEnum):
    """The two kinds of filesystem versions."""

    SNAPSHOT = "snapshot"
    BOOKMARK = "bookmark"

    @property
    def separator(self) -> str:
        """The character between a filesystem's name and the version's."""
        return "@" if self is VersionKind.SNAPSHOT else "#"


class Version(NamedTuple):
    """A snapshot or a bookmark of one filesystem.

    A negative guid is a promise: a version that an earlier action of the same plan will make
    (see `planned_guid`); real guids are unsigned 64 bit numbers.
    """

    kind: VersionKind
    name: str
    """The part after the separator."""
    guid: int
    createtxg: int
    creation: int
    """Seconds since the epoch, UTC; copied from the sender when received."""
    userrefs: int = 0
    """The number of holds (snapshots only)."""
    written: int | None = None
    """Bytes written since the snapshot before (None for bookmarks)."""
    referenced: int | None = None
    """Bytes reachable from this version."""
    spec: str | None = None
    """The value of the user property `reconciler:spec`, None when not set."""
    holds: tuple[str, ...] = ()
    """The hold tags, sorted."""

    @property
    def label(self) -> str:
        """The version's short name with its separator: `@daily` or `#cursor`."""
        return f"{'@' if self.kind is VersionKind.SNAPSHOT else '#'}{self.name}"

    @property
    def is_snapshot(self) -> bool:
        """Whether this is a snapshot, the only kind that can be sent or received."""
        return self.kind is VersionKind.SNAPSHOT

    @property
    def is_planned(self) -> bool:
        """Whether this version does not exist yet but will be made by the plan it is part of."""
        return self.guid < 0

    def of(self, filesystem: str) -> str:
        """Return the full name: `tank/www@daily`."""
        return f"{filesystem}{self.label}"


def version_order(version: Version) -> tuple[int, bool, str]:
    """Sort key within one filesystem: by createtxg, a bookmark before its snapshot (as zrepl).

    Several bookmarks of one snapshot come by name, so that the order is always the same.
    """
    return version.createtxg, version.is_snapshot, version.name
