"""Filesystems that fare alike: what becomes of one of a group becomes of all.

What the planner decides of a filesystem depends on its replication, on its own versions and on
those of its receivers, never on other filesystems (invariant 7). So those of one replication that
have versions of the same times on all sides have the same ones ever after: only bytes differ.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.desired.model import Desired, Replication
from reconciler.forecast.beginning import Beginning, Found, Unforeseeable, WritesOf
from reconciler.forecast.ledger import Ledger
from reconciler.forecast.writes import Writes
from reconciler.observed.model import Filesystem, Observed, Seen, Unseen
from reconciler.planner.pairs import selected

Place = tuple[str, str]
"""Host and filesystem."""


@dataclass(frozen=True, slots=True)
class Member:
    """A filesystem of a group."""

    host: str
    filesystem: str
    writes: Writes


@dataclass(frozen=True, slots=True)
class Group:
    """Filesystems of one replication that fare alike."""

    replication: Replication
    members: tuple[Member, ...]
    ledger: Ledger
    due: bool
    """Whether a snapshot is due at the beginning."""
    once: bool
    """Whether one is due in the first slot, whatever is written from now on."""
    changes: bool
    """Whether there is something new in each slot, where that is asked for (`ifChanged`)."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What can't be forecast, and why. Without a filesystem: a whole replication or host of it."""

    replication: str
    host: str
    filesystem: str
    code: str
    """suspended, unscheduled, not-modelled, unseen, disabled, conflict, blocked, disorder or
    neighbour."""
    why: str


class _Alike(NamedTuple):
    """What the filesystems of a group have in common."""

    replication: str
    due: bool
    once: bool
    changes: bool
    state: object
    pinned: object
    names: object
    resumes: object


def group(
    desired: Desired, observed: Observed, now: int, writes_of: WritesOf
) -> tuple[tuple[Group, ...], tuple[LeftOut, ...]]:
    """Return the groups at an instant, as the planner sees them, and what is left out."""
    beginning = Beginning(desired, observed, now, writes_of)
    found: list[tuple[_Alike, Member, Ledger]] = []
    left_out: list[LeftOut] = []
    frozen: dict[Place, str] = {}
    """Where retention rests because of a replication that is not in order."""
    for name, replication in desired.replications.items():
        for host, filesystem in _sources(replication, observed, left_out):
            place = (host, filesystem.name)
            try:
                one = beginning.find(replication, host, filesystem)
            except Unforeseeable as error:
                left_out.append(LeftOut(name, *place, error.code, str(error)))
                if error.freezes:
                    frozen[place] = name
            else:
                member = Member(*place, one.writes)
                found.append((_alike(name, one), member, one.ledger))
    for alike, member, _ in found:
        other = frozen.get((member.host, member.filesystem))
        if other is not None:
            why = f"nothing is destroyed there while {other} is not in order"
            left_out.append(
                LeftOut(alike.replication, member.host, member.filesystem, "neighbour", why)
            )
    moving = [one for one in found if (one[1].host, one[1].filesystem) not in frozen]
    return tuple(_grouped(desired, moving)), tuple(left_out)


def _alike(name: str, found: Found) -> _Alike:
    sides = (found.ledger.here, *(copy.side for copy in found.ledger.copies))
    pinned = tuple(side.pinned for side in sides)
    names = tuple(sorted(found.ledger.names.known.items()))
    return _Alike(
        replication=name,
        due=found.due,
        once=found.once,
        changes=found.changes,
        state=found.ledger.state,
        pinned=pinned,
        names=names,
        resumes=tuple(copy.resumes for copy in found.ledger.copies),
    )


def _grouped(desired: Desired, found: list[tuple[_Alike, Member, Ledger]]) -> Iterator[Group]:
    groups: dict[_Alike, list[tuple[Member, Ledger]]] = {}
    for alike, member, ledger in found:
        groups.setdefault(alike, []).append((member, ledger))
    for alike, members in groups.items():
        yield Group(
            replication=desired.replications[alike.replication],
            members=tuple(member for member, _ in members),
            ledger=members[0][1],
            due=alike.due,
            once=alike.once,
            changes=alike.changes,
        )


def _sources(
    replication: Replication, observed: Observed, left_out: list[LeftOut]
) -> Iterator[tuple[str, Filesystem]]:
    for host in replication.senders:
        match observed[host]:
            case Unseen(_, cause):
                why = f"not seen: {cause}"
                left_out.append(LeftOut(replication.name, host, "", "unseen", why))
            case Seen() as seen:
                for filesystem in selected(replication, seen):
                    yield host, filesystem
