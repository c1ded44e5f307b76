"""Receivers whose sender's filesystem is gone, and whether it is there under another name.

A filesystem is gone when its host was seen, its pool is usable, and it is not listed. One that has
versions of a gone one's receiver (by guid) and no receiver of its own was probably renamed. A clone
or a received copy is no such thing: there the old name still exists on the sender.

Of a pool that is not imported nothing is known to be gone, but it may be the pool that was renamed:
then its filesystems are there in another one.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.desired.model import Desired, Replication, Target
from reconciler.observed.model import Filesystem, Observation, Observed, Seen
from reconciler.zfs.names import pool_of

Place = tuple[str, str]
"""Host and filesystem."""

_ASIDE = re.compile(r"\.aside(?:-[^/]*)?(?:/|$)")
"""`onConflict: setAside` names filesystems so, and people are asked to."""


class Absence(NamedTuple):
    """A receiver without a sender, under one replication below whose root it lies."""

    replication: Replication
    target: Target
    sender: str
    """The sender's host, which was seen."""
    name: str
    """What is gone there."""
    there: Filesystem
    """What is left of it: the receiver."""

    @property
    def place(self) -> Place:
        """The receiver."""
        return self.target.host, self.there.name

    @property
    def is_selected(self) -> bool:
        """Whether the replication means the filesystem that is gone."""
        return self.replication.selects(self.sender, self.name)


@dataclass(frozen=True, slots=True)
class Absences:
    """All of them, and those that are explained by a new name."""

    all: tuple[Absence, ...]
    """What is known to be gone."""
    renamed: Mapping[Place, tuple[Absence, ...]]
    """Where a sender's filesystem would be received anew → the receivers of what it seems to have
    been, the likeliest first."""

    @classmethod
    def of(cls, desired: Desired, observed: Observed) -> "Absences":
        """Return what is gone from the senders that were seen."""
        found = tuple(_find(desired, observed))
        gone = tuple(a for a in found if has_pool(observed[a.sender], a.name))
        return cls(gone, _renamed(found, observed))

    @property
    def moved(self) -> frozenset[Place]:
        """The receivers of what seems to have been renamed."""
        return frozenset(a.place for absences in self.renamed.values() for a in absences)


def has_pool(observation: Observation, name: str) -> bool:
    """Tell whether a host that was seen has the pool of a filesystem."""
    return isinstance(observation, Seen) and pool_of(name) in observation.pools


def is_aside(name: str) -> bool:
    """Tell whether a filesystem, or one that it is below of, was set aside."""
    return _ASIDE.search(name) is not None


def _find(desired: Desired, observed: Observed) -> Iterator[Absence]:
    for _, replication in sorted(desired.replications.items()):
        for target in replication.targets:
            there = observed.get(target.host)
            if not isinstance(there, Seen):
                continue
            for sender in replication.senders:
                here = observed.get(sender)
                if isinstance(here, Seen):
                    yield from _below_root(replication, target, here, there)


def _below_root(
    replication: Replication, target: Target, here: Seen, there: Seen
) -> Iterator[Absence]:
    root, listed = target.roots[here.host], there.names
    # What begins with the root and a slash comes before what begins with the root and a 0.
    for full in listed[bisect_left(listed, f"{root}/") : bisect_left(listed, f"{root}0")]:
        name, filesystem = full[len(root) + 1 :], there.filesystems[full]
        if name in here.filesystems:
            continue
        pool = here.pools.get(pool_of(name))
        if pool is not None and not pool.usable:
            continue
        if not filesystem.placeholder and not is_aside(full):
            yield Absence(replication, target, here.host, name, filesystem)


def _renamed(
    absences: Sequence[Absence], observed: Observed
) -> Mapping[Place, tuple[Absence, ...]]:
    by_sender: dict[str, list[Absence]] = defaultdict(list)
    for absence in absences:
        by_sender[absence.sender].append(absence)
    found: dict[Place, dict[Place, Absence]] = defaultdict(dict)
    for sender, gone in by_sender.items():
        here = observed.get(sender)
        if isinstance(here, Seen):
            for place, absence in _successors(here, gone, observed):
                found[place].setdefault(absence.place, absence)
    return {place: _likeliest_first(found[place].values()) for place in sorted(found)}


def _successors(
    here: Seen, gone: Sequence[Absence], observed: Observed
) -> Iterator[tuple[Place, Absence]]:
    """Yield where a filesystem would be received that has a version of a receiver's, and that."""
    wanted: dict[int, list[Absence]] = defaultdict(list)
    for absence in gone:
        for version in absence.there.snapshots:
            wanted[version.guid].append(absence)
    if not wanted:
        return
    for name, filesystem in here.filesystems.items():
        for version in filesystem.versions:
            for absence in wanted.get(version.guid, ()):
                place = absence.target.host, absence.target.receiver_of(here.host, name)
                if absence.replication.selects(here.host, name) and _is_free(place, observed):
                    yield place, absence


def _is_free(place: Place, observed: Observed) -> bool:
    seen = observed.get(place[0])
    return isinstance(seen, Seen) and place[1] not in seen.filesystems


def _likeliest_first(absences: Iterable[Absence]) -> tuple[Absence, ...]:
    """Sort by what was received last: all are in one pool, whose createtxg only grows."""
    return tuple(sorted(absences, key=lambda a: (-a.there.snapshots[-1].createtxg, a.there.name)))
