"""Clones: sent as what differs from their origin, where the receiver has that.

Only within one replication and target: then origin and clone are received in one pool, side by
side, and what the receiver has of the origin is known. All else goes in full, like any filesystem.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.actions.send import Origin
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.pairs import Pair
from reconciler.zfs.names import ancestors
from reconciler.zfs.types import Version

Place = tuple[str, str]
"""Host and filesystem."""


@dataclass(frozen=True, slots=True)
class CloneBase:
    """What the first stream of a clone starts from."""

    version: Version
    """The sender's snapshot that it is a clone of."""
    origin: Origin
    sent_by: str | None = None
    """The action that brings it to the receiver; None where that has it."""


@dataclass(frozen=True, slots=True)
class _Link:
    """A clone's origin on both ends, be it on the receiver or not."""

    version: Version
    filesystem: str
    receiver: str


def clone_base(
    pair: Pair, there: Filesystem | None, coming: Mapping[Place, Mapping[int, str]]
) -> CloneBase | None:
    """Return what a clone can be sent from; `there` is the origin's receiver, if it stays.

    `coming` says for each receiver which guids arrive by which actions of this plan.
    """
    link = _link(pair)
    if link is None:
        return None
    for version in there.snapshots if there is not None else ():
        if version.guid == link.version.guid:
            origin = Origin(link.filesystem, version.of(link.receiver))
            return CloneBase(link.version, origin)
    sent_by = coming.get((pair.receiver_host, link.receiver), {}).get(link.version.guid)
    if sent_by is None:
        return None
    origin = Origin(link.filesystem, link.version.of(link.receiver))
    return CloneBase(link.version, origin, sent_by)


def origins_receiver(pair: Pair) -> str | None:
    """Return where the origin of a clone is received; None if it is not replicated with it."""
    link = _link(pair)
    return link.receiver if link is not None else None


def awaited_origins(pairs: Sequence[Pair], observed: Observed) -> Iterator[tuple[str, str]]:
    """Yield host and full name of receivers' snapshots that clones are to be received from."""
    for pair in pairs:
        link = _link(pair) if pair.source.filesystem.origin is not None else None
        seen = observed.get(pair.receiver_host)
        if link is None or not isinstance(seen, Seen) or pair.receiver in seen.filesystems:
            continue
        there = seen.filesystems.get(link.receiver)
        for version in there.snapshots if there is not None else ():
            if version.guid == link.version.guid:
                yield pair.receiver_host, version.of(link.receiver)


def origins_first(pairs: Sequence[Pair]) -> list[Pair]:
    """Sort pairs so that parents come before children, and origins before their clones.

    Where both can't be (a clone above its origin), parents count: the clone goes in full.
    """
    waiting = sorted(pairs, key=lambda pair: pair.place)
    if not any(pair.source.filesystem.origin for pair in pairs):
        return waiting
    left = {(pair.receiver_host, pair.receiver) for pair in pairs}
    found: list[Pair] = []
    while waiting:
        later = [pair for pair in waiting if not _take(pair, left, found)]
        if len(later) == len(waiting):
            first = next(pair for pair in later if not _waits_for_parent(pair, left))
            left.discard((first.receiver_host, first.receiver))
            found.append(first)
            later.remove(first)
        waiting = later
    return found


def _take(pair: Pair, left: set[Place], found: list[Pair]) -> bool:
    origin = origins_receiver(pair)
    if (pair.receiver_host, origin) in left or _waits_for_parent(pair, left):
        return False
    left.discard((pair.receiver_host, pair.receiver))
    found.append(pair)
    return True


def _waits_for_parent(pair: Pair, left: set[Place]) -> bool:
    return any((pair.receiver_host, above) in left for above in ancestors(pair.receiver))


def _link(pair: Pair) -> _Link | None:
    source = pair.source
    if source.filesystem.origin is None:
        return None
    name, _, snapshot = source.filesystem.origin.partition("@")
    above = source.seen.filesystems.get(name)
    if above is None or not source.replication.selects(source.host, name):
        return None
    version = next((v for v in above.snapshots if v.name == snapshot), None)
    if version is None:
        return None
    return _Link(version, name, pair.target.receiver_of(source.host, name))
