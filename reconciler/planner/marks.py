"""The names this project gives to things on hosts, and how they are recognised again.

Names are read back exactly: what does not parse as ours *for this replication and target* is
foreign. Names of replications and hosts contain no underscore, so the parts can't run together.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256

from reconciler.desired.model import External, Received, Replication, Snapshots, Target
from reconciler.zfs.types import Version, VersionKind

_STAMP = "%Y%m%dT%H%M%SZ"
_STAMP_LENGTH = len("20260102T030405Z")
_CURSOR_END = re.compile(r"[0-9a-f]{16}|planned[0-9a-f]{15}")
_SNAPSHOT = VersionKind.SNAPSHOT

_MOST_TIMES = 100_000
"""How many names are remembered for each prefix."""


def base_tag(replication: str) -> str:
    """Return the hold on the last version a receiver has received."""
    return f"rec-base_{replication}"


def snapshot_name(prefix: str, at: int) -> str:
    """Return the name of a snapshot for an instant: `rec-20261122T231500Z`, always UTC."""
    return prefix + datetime.fromtimestamp(at, UTC).strftime(_STAMP)


def name_length(prefix: str) -> int:
    """Return how long the name of a snapshot is."""
    return len(prefix) + _STAMP_LENGTH


def snapshot_time(prefix: str, name: str) -> int | None:
    """Return the instant in a name of exactly this prefix and our format, else None."""
    return _times(prefix)[name]


class _Times(dict[str, int | None]):
    """The instants in names of one prefix. Many filesystems share each, and reading is slow."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def __missing__(self, name: str) -> int | None:
        if len(self) >= _MOST_TIMES:
            self.clear()
        stamp = name.removeprefix(self._prefix)
        at = _stamped(stamp) if len(stamp) + len(self._prefix) == len(name) else None
        self[name] = at
        return at


@lru_cache(maxsize=1024)
def _times(prefix: str) -> _Times:
    return _Times(prefix)


def _stamped(stamp: str) -> int | None:
    if len(stamp) != _STAMP_LENGTH or not stamp.isascii():
        return None
    try:
        at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(at.timestamp()) if at.strftime(_STAMP) == stamp else None


@dataclass(frozen=True, slots=True)
class Ownership:
    """Which snapshots a replication manages, and which ones it sends."""

    replication: str
    prefix: str | None
    matching: str | None = None
    """What names of snapshots match that another tool makes."""
    origins: tuple["Ownership", ...] = ()
    """Whose snapshots it sends on that were received."""

    @classmethod
    def of(cls, replication: Replication) -> "Ownership":
        """Return the ownership of one replication."""
        match replication.snapshots:
            case Snapshots(prefix=prefix):
                return cls(replication.name, prefix)
            case External(matching=matching):
                return cls(replication.name, None, matching)
            case Received(origins=origins):
                made = (cls(o.replication, o.prefix, o.matching) for o in origins)
                return cls(replication.name, None, None, tuple(made))
            case None:
                return cls(replication.name, None)

    def sent(self, versions: Sequence[Version]) -> tuple[Version, ...]:
        """Return those of a sender's versions that are to be sent, in the same order."""
        if self.prefix is None or self.matching is not None:
            return tuple([version for version in versions if self.sends(version)])
        times, name = _times(self.prefix), self.replication
        return tuple(
            [
                version
                for version in versions
                if version.spec == name
                and version.kind is _SNAPSHOT
                and times[version.name] is not None
            ]
        )

    def received(self, versions: Sequence[Version]) -> tuple[Version, ...]:
        """Return those of a receiver's versions that are ours, in the same order."""
        if self.prefix is None or self.matching is not None:
            return tuple([version for version in versions if self.on_receiver(version)])
        times, specs = _times(self.prefix), (None, self.replication)
        return tuple(
            [
                version
                for version in versions
                if version.spec in specs
                and version.kind is _SNAPSHOT
                and times[version.name] is not None
            ]
        )

    def sends(self, version: Version) -> bool:
        """Tell whether a sender's version is one to be sent.

        It is ours, or what another tool made, or what has come there from another replication.
        """
        return self.on_sender(version) or self._named_external(version) or self._has_come(version)

    def on_sender(self, version: Version) -> bool:
        """Tell whether it is ours: by name *and* by the mark set when it was made.

        What another tool made on a sender is never ours to destroy, and what was received there
        is for the replication to decide on that brought it.
        """
        return version.spec == self.replication and self._named_ours(version)

    @property
    def mark_prefix(self) -> str:
        """The name up to the guid of a bookmark that is left of a snapshot."""
        return f"rec-mark_{self.replication}_"

    def is_mark(self, version: Version) -> bool:
        """Tell whether a bookmark is one that was left of a snapshot of ours."""
        pattern = re.escape(self.mark_prefix) + "[0-9a-f]{16}"
        return not version.is_snapshot and re.fullmatch(pattern, version.name) is not None

    def on_receiver(self, version: Version) -> bool:
        """Tell whether it is ours: by name, since plain streams carry no user properties.

        A mark of another replication says that it is not ours.
        """
        return version.spec in {None, self.replication} and (
            self._named_ours(version) or self._named_external(version) or self._has_come(version)
        )

    def _has_come(self, version: Version) -> bool:
        return any(origin.on_receiver(version) for origin in self.origins)

    def _named_ours(self, version: Version) -> bool:
        return (
            version.is_snapshot
            and self.prefix is not None
            and snapshot_time(self.prefix, version.name) is not None
        )

    def _named_external(self, version: Version) -> bool:
        return (
            version.is_snapshot
            and self.matching is not None
            and re.search(self.matching, version.name) is not None
        )


@dataclass(frozen=True, slots=True)
class PairMarks:
    """Names of holds and of the replication cursor for one replication and target."""

    replication: str
    target: str
    cursor_prefix: str = field(init=False, compare=False, repr=False)
    """The cursor's bookmark name up to the guid."""
    step_tag: str = field(init=False, compare=False, repr=False)
    """The sender's hold on a version that is about to be sent."""
    base_tag: str = field(init=False, compare=False, repr=False)
    """The receiver's hold on the last version it received."""

    def __post_init__(self) -> None:
        whole = f"{self.replication}_{self.target}"
        object.__setattr__(self, "cursor_prefix", f"rec-cursor_{whole}_")
        object.__setattr__(self, "step_tag", f"rec-step_{whole}")
        object.__setattr__(self, "base_tag", base_tag(self.replication))

    @classmethod
    def of(cls, replication: Replication, target: Target, sender: str) -> "PairMarks":
        """Return the marks for the filesystems that a sender host sends to a target.

        Two targets may lie on one host below different roots: the root is part of the identity.
        """
        return _marks(replication.name, target.host, target.roots[sender])

    def is_cursor(self, version: Version) -> bool:
        """Tell whether a bookmark is a cursor of this pair, for whatever guid."""
        if version.kind is _SNAPSHOT or not version.name.startswith(self.cursor_prefix):
            return False
        return _CURSOR_END.fullmatch(version.name, len(self.cursor_prefix)) is not None


@lru_cache(maxsize=10_000)
def _marks(replication: str, host: str, root: str) -> PairMarks:
    digest = sha256(root.encode()).hexdigest()[:6]
    return PairMarks(replication, f"{host}-{digest}")
