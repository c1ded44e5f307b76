"""Filesystems that fare alike: what becomes of one of a group becomes of all.

What the planner decides of a filesystem depends on its replication, on its own versions and on
those of its receivers, never on other filesystems (invariant 7). So those of one replication that
have versions of the same times on all sides have the same ones ever after: only bytes differ.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from reconciler.actions import Snapshot
from reconciler.desired.model import Desired, Replication, Target
from reconciler.forecast.ledger import Copy, Ledger, Side
from reconciler.forecast.whole import seen_at
from reconciler.forecast.writes import Writes
from reconciler.observed.model import Filesystem, Observed, Seen, Unseen
from reconciler.planner.history import Common, compare
from reconciler.planner.marks import Ownership, PairMarks
from reconciler.planner.pairs import selected
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from reconciler.planner.retire import foreign_holds
from reconciler.zfs.types import Version

WritesOf = Callable[[str, Filesystem], Writes]
"""Host and filesystem → what is written there."""


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
    changes: bool
    """Whether there is something new in each slot, where that is asked for (`ifChanged`)."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What can't be forecast, and why. Without a filesystem: a whole replication."""

    replication: str
    host: str
    filesystem: str
    code: str
    """suspended, unseen, disabled, conflict, blocked or disorder."""
    why: str


class _Alike(NamedTuple):
    """What the filesystems of a group have in common."""

    replication: str
    due: bool
    changes: bool
    state: object
    pinned: object


class _Unforeseeable(Exception):
    """Raised when a filesystem is not in order; code and text say why."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


def group(
    desired: Desired, observed: Observed, now: int, writes_of: WritesOf
) -> tuple[tuple[Group, ...], tuple[LeftOut, ...]]:
    """Return the groups at an instant, as the planner sees them, and what is left out."""
    finder = _Finder(observed, plan(desired, seen_at(observed, now), now), writes_of)
    found: dict[_Alike, list[tuple[Member, Ledger]]] = {}
    left_out: list[LeftOut] = []
    for name, replication in desired.replications.items():
        for host, filesystem in _sources(replication, observed, left_out):
            try:
                alike, member, ledger = finder.find(replication, host, filesystem)
            except _Unforeseeable as error:
                left_out.append(LeftOut(name, host, filesystem.name, error.code, str(error)))
            else:
                found.setdefault(alike, []).append((member, ledger))
    groups = tuple(
        Group(
            desired.replications[alike.replication],
            tuple(member for member, _ in members),
            members[0][1],
            alike.due,
            alike.changes,
        )
        for alike, members in found.items()
    )
    return groups, tuple(left_out)


def _sources(
    replication: Replication, observed: Observed, left_out: list[LeftOut]
) -> Iterator[tuple[str, Filesystem]]:
    if replication.suspend:
        left_out.append(LeftOut(replication.name, "", "", "suspended", "it is suspended"))
        return
    for host in replication.senders:
        match observed[host]:
            case Unseen(_, cause):
                why = f"not seen: {cause}"
                left_out.append(LeftOut(replication.name, host, "", "unseen", why))
            case Seen() as seen:
                for filesystem in selected(replication, seen):
                    yield host, filesystem


class _Finder:
    """Makes ledgers from observations."""

    def __init__(self, observed: Observed, planned: Plan, writes_of: WritesOf) -> None:
        self._observed = observed
        self._writes_of = writes_of
        self._conflicts = {
            (c.replication, c.host, c.filesystem): f"{c.message}. Remedy: {c.remedy}"
            for c in planned.conflicts
        }
        self._blocked = {
            (b.host, b.filesystem): f"a guard stops a destroy: {b.message}" for b in planned.blocked
        }
        self._due = {
            (action.spec, action.host, filesystem)
            for action in (p.action for p in planned.actions)
            if isinstance(action, Snapshot)
            for filesystem in action.filesystems
        }

    def find(
        self, replication: Replication, host: str, filesystem: Filesystem
    ) -> tuple[_Alike, Member, Ledger]:
        """Return what tells groups apart, the member and its ledger; raise _Unforeseeable."""
        if filesystem.disabled:
            raise _Unforeseeable("disabled", "switched off by reconciler:reconcile=disabled")
        self._check_place(replication, host, filesystem.name)
        ledger = self._ledger(replication, host, filesystem)
        member = Member(host, filesystem.name, self._writes_of(host, filesystem))
        due = (replication.name, host, filesystem.name) in self._due
        asks = replication.snapshots is not None and replication.snapshots.if_changed
        changes = not asks or member.writes.rate > 0
        sides = (ledger.here, *(copy.side for copy in ledger.copies))
        pinned = tuple(side.pinned for side in sides)
        return _Alike(replication.name, due, changes, ledger.state, pinned), member, ledger

    def _check_place(self, replication: Replication, host: str, filesystem: str) -> None:
        conflict = self._conflicts.get((replication.name, host, filesystem))
        if conflict is not None:
            raise _Unforeseeable("conflict", conflict)
        blocked = self._blocked.get((host, filesystem))
        if blocked is not None:
            raise _Unforeseeable("blocked", blocked)

    def _ledger(self, replication: Replication, host: str, filesystem: Filesystem) -> Ledger:
        ours = Ownership.of(replication)
        prefix = ours.prefix or ""
        managed = [version for version in filesystem.snapshots if ours.on_sender(version)]
        copies = [self._copy(replication, host, filesystem, t) for t in replication.targets]
        tags = {PairMarks.of(replication, t, host).step_tag for t in replication.targets}
        here = Side(
            replication.keep,
            prefix,
            _in_order(managed),
            self._pinned(host, filesystem, managed, frozenset(tags)),
        )
        return Ledger(replication, here, copies)

    def _copy(
        self, replication: Replication, host: str, filesystem: Filesystem, target: Target
    ) -> Copy:
        seen = self._observed[target.host]
        if not isinstance(seen, Seen):
            raise _Unforeseeable("unseen", f"{target.host} was not seen: {seen.cause}")
        name = target.receiver_of(host, filesystem.name)
        self._check_place(replication, target.host, name)
        there, prefix = seen.filesystems.get(name), Ownership.of(replication).prefix or ""
        if there is None or there.inconsistent:
            return Copy(Side(target.keep, prefix), target.initial, None)
        found = compare(filesystem.versions, there.versions)
        if not isinstance(found, Common):
            raise _Unforeseeable("conflict", f"{name} on {target.host} has no common version")
        ours = Ownership.of(replication)
        _check_base(found.sender, [v for v in filesystem.snapshots if ours.on_sender(v)])
        managed = [version for version in there.snapshots if ours.on_receiver(version)]
        tags = frozenset({PairMarks.of(replication, target, host).base_tag})
        pinned = self._pinned(target.host, there, managed, tags)
        side = Side(target.keep, prefix, _in_order(managed), pinned)
        return Copy(side, target.initial, found.sender.creation)

    def _pinned(
        self, host: str, filesystem: Filesystem, managed: Sequence[Version], tags: frozenset[str]
    ) -> list[int]:
        origins = self._origins(host)
        return [
            version.creation
            for version in managed
            if foreign_holds(version, tags) or version.of(filesystem.name) in origins
        ]

    @lru_cache  # noqa: B019 - it lives no longer than its finder's work
    def _origins(self, host: str) -> frozenset[str]:
        seen = self._observed[host]
        found = seen.filesystems.values() if isinstance(seen, Seen) else ()
        return frozenset(filesystem.origin for filesystem in found if filesystem.origin)


def _in_order(versions: Sequence[Version]) -> list[int]:
    """Return creations in the order of createtxg; they name versions here, so each is later."""
    for earlier, later in pairwise(versions):
        if earlier.creation >= later.creation:
            raise _Unforeseeable(
                "disorder",
                f"{later.label} came after {earlier.label} but is not younger: a clock was wrong",
            )
    return [version.creation for version in versions]


def _check_base(base: Version, managed: Sequence[Version]) -> None:
    """See to it that what is newer than the base is younger, too."""
    for version in managed:
        if (version.createtxg > base.createtxg) != (version.creation > base.creation):
            raise _Unforeseeable(
                "disorder",
                f"the order of {version.label} and {base.label} is not that of their times",
            )
