"""Where a filesystem stands at the beginning, as a ledger; what is not in order is refused.

The planner is asked once about everything: what it can't go on with, a ledger can't foretell.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from reconciler.actions import Send, SendMode, Snapshot
from reconciler.desired.model import Desired, Replication, Snapshots, Target
from reconciler.forecast.ledger import Copy, Ledger, Names, Side
from reconciler.forecast.whole import seen_at
from reconciler.forecast.writes import Writes
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.chains import Chains
from reconciler.planner.history import Common, compare
from reconciler.planner.marks import Ownership, PairMarks, snapshot_time
from reconciler.planner.objections import MAX_CLOCK_DIFFERENCE
from reconciler.planner.pairs import is_writable
from reconciler.planner.plan import WINDOW, Plan
from reconciler.planner.planning import plan
from reconciler.planner.retire import foreign_holds
from reconciler.planner.snapshotting import next_due
from reconciler.zfs.names import ancestors
from reconciler.zfs.types import FilesystemKind, Version

WritesOf = Callable[[str, Filesystem], Writes]
"""Host and filesystem → what is written there."""


class Unforeseeable(Exception):
    """Raised when a filesystem is not in order; code and text say why."""

    def __init__(self, code: str, why: str, *, freezes: bool = True) -> None:
        super().__init__(why)
        self.code = code
        self.freezes = freezes
        """Whether nothing is destroyed there by other replications, either."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where a filesystem stands under one replication."""

    writes: Writes
    ledger: Ledger
    due: bool
    once: bool
    changes: bool


class Beginning:
    """Makes ledgers from observations."""

    def __init__(self, desired: Desired, observed: Observed, now: int, writes_of: WritesOf) -> None:
        self._observed = observed
        self._now = now
        self._writes_of = writes_of
        self._plan_at = cache(lambda at: plan(desired, seen_at(observed, at), at))
        planned = self._plan_at(now)
        self._conflicts = {
            (c.replication, c.host, c.filesystem): f"{c.message}. Remedy: {c.remedy}"
            for c in planned.conflicts
        }
        self._blocked = {
            (b.host, b.filesystem): f"a guard stops a destroy: {b.message}"
            for b in planned.blocked
            if b.guard != WINDOW
        }
        self._chains = Chains.of(desired, observed)
        self._resumes = {
            send.places: send.versions[0].creation
            for send in (p.action for p in planned.actions)
            if isinstance(send, Send) and send.mode is SendMode.RESUME
        }
        self._due_at = cache(lambda at: _due(self._plan_at(at)))

    def find(self, replication: Replication, host: str, filesystem: Filesystem) -> Found:
        """Return where a filesystem stands; raise Unforeseeable."""
        if replication.suspend:
            freezes = bool(replication.targets)
            raise Unforeseeable("suspended", f"{replication.name} is suspended", freezes=freezes)
        snapshots = replication.snapshots
        if not isinstance(snapshots, Snapshots):
            freezes = bool(replication.targets)
            raise Unforeseeable("unscheduled", "its snapshots have no schedule", freezes=freezes)
        self._check(replication, host, filesystem)
        ledger = self._ledger(replication, host, filesystem)
        writes = self._writes_of(host, filesystem)
        place = (replication.name, host, filesystem.name)
        due = place in self._due_at(self._now)
        changes = not snapshots.if_changed or writes.rate > 0
        soon = next_due([replication], self._now)
        once = not changes and not due and soon is not None and place in self._due_at(soon)
        return Found(writes, ledger, due, once, changes)

    # -- what has to be in order -------------------------------------------------------------------

    def _check(self, replication: Replication, host: str, filesystem: Filesystem) -> None:
        if filesystem.disabled:
            raise Unforeseeable("disabled", "switched off by reconciler:reconcile=disabled")
        seen = self._seen(host)
        if not is_writable(seen, filesystem.name):
            raise Unforeseeable("conflict", f"its pool on {host} takes no changes")
        self._check_place(replication, host, filesystem)

    def _seen(self, host: str) -> Seen:
        seen = self._observed[host]
        if not isinstance(seen, Seen):
            raise Unforeseeable("unseen", f"{host} was not seen: {seen.cause}")
        if abs(seen.clock - seen.at) > MAX_CLOCK_DIFFERENCE:
            raise Unforeseeable("blocked", f"the clock of {host} is wrong: nothing is destroyed")
        return seen

    def _check_place(self, replication: Replication, host: str, filesystem: Filesystem) -> None:
        self._check_settled(replication, host, filesystem.name)
        ours = Ownership.of(replication)
        for version in filesystem.snapshots:
            named = snapshot_time(ours.prefix or "", version.name) or 0
            if ours.on_receiver(version) and max(version.creation, named) > self._now:
                raise Unforeseeable(
                    "disorder", f"{version.label} is from the future: a clock was wrong"
                )

    def _check_settled(self, replication: Replication, host: str, filesystem: str) -> None:
        conflict = self._conflicts.get((replication.name, host, filesystem))
        if conflict is not None:
            raise Unforeseeable("conflict", conflict)
        blocked = self._blocked.get((host, filesystem))
        if blocked is not None:
            raise Unforeseeable("blocked", blocked)

    # -- ledgers -----------------------------------------------------------------------------------

    def _ledger(self, replication: Replication, host: str, filesystem: Filesystem) -> Ledger:
        ours = Ownership.of(replication)
        managed = [version for version in filesystem.snapshots if ours.on_sender(version)]
        names = self._names(replication, host, filesystem)
        copies = [self._copy(replication, host, filesystem, t, names) for t in replication.targets]
        tags = {PairMarks.of(replication, t, host).step_tag for t in replication.targets}
        pinned = self._pinned(host, filesystem, managed, frozenset(tags))
        here = Side(replication.keep, names, _in_order(managed), pinned)
        return Ledger(names, here, copies)

    def _names(self, replication: Replication, host: str, filesystem: Filesystem) -> Names:
        """Return the names of what is there on all sides; one version has one name everywhere."""
        ours = Ownership.of(replication)
        known = {v.creation: v.name for v in filesystem.snapshots if ours.on_sender(v)}
        for target in replication.targets:
            receiver = target.receiver_of(host, filesystem.name)
            there = self._seen(target.host).filesystems.get(receiver)
            versions = there.snapshots if there is not None else ()
            known |= {v.creation: v.name for v in versions if ours.on_receiver(v)}
        return Names(ours.prefix or "", known)

    def _copy(
        self,
        replication: Replication,
        host: str,
        filesystem: Filesystem,
        target: Target,
        names: Names,
    ) -> Copy:
        seen, name = self._seen(target.host), target.receiver_of(host, filesystem.name)
        if self._chains.is_read((target.host, name)):
            why = f"it is sent on from {target.host} {name}: chains are not forecast"
            raise Unforeseeable("not-modelled", why)
        self._check_settled(replication, target.host, name)
        there, ours = seen.filesystems.get(name), Ownership.of(replication)
        above = [seen.filesystems[place] for place in ancestors(name) if place in seen.filesystems]
        if (there or above[-1]).disabled:
            raise Unforeseeable("disabled", f"{name} on {target.host} is switched off")
        if there is not None:
            self._check_place(replication, target.host, there)
        for parent in above:
            # Outside of the windows no plan says so: it tries nothing.
            if parent.kind is FilesystemKind.VOLUME:
                why = f"{parent.name} on {target.host} is a volume: nothing is received below it"
                raise Unforeseeable("conflict", why)
        resumes = self._resumes.get(((host, filesystem.name), (target.host, name)))
        if there is None or there.inconsistent:
            return Copy(Side(target.keep, names), target.initial, None, resumes)
        found = compare(filesystem.versions, there.versions)
        if not isinstance(found, Common):
            raise Unforeseeable("conflict", f"{name} on {target.host} has no common version")
        _check_base(found.sender, [v for v in filesystem.snapshots if ours.on_sender(v)])
        managed = [version for version in there.snapshots if ours.on_receiver(version)]
        tags = frozenset({PairMarks.of(replication, target, host).base_tag})
        pinned = self._pinned(target.host, there, managed, tags)
        side = Side(target.keep, names, _in_order(managed), pinned)
        return Copy(side, target.initial, found.sender.creation, resumes)

    def _pinned(
        self, host: str, filesystem: Filesystem, managed: Sequence[Version], tags: frozenset[str]
    ) -> list[int]:
        origins = {other.origin for other in self._seen(host).filesystems.values()}
        return [
            version.creation
            for version in managed
            if foreign_holds(version, tags) or version.of(filesystem.name) in origins
        ]


def _due(planned: Plan) -> frozenset[tuple[str, str, str]]:
    """Return (replication, host, filesystem) of the snapshots in a plan."""
    snapshots = (p.action for p in planned.actions if isinstance(p.action, Snapshot))
    return frozenset(
        (s.spec, s.host, filesystem) for s in snapshots for filesystem in s.filesystems
    )


def _in_order(versions: Sequence[Version]) -> list[int]:
    """Return creations in the order of createtxg; they name versions here, so each is later."""
    for earlier, later in pairwise(versions):
        if earlier.creation >= later.creation:
            raise Unforeseeable(
                "disorder",
                f"{later.label} came after {earlier.label} but is not younger: a clock was wrong",
                freezes=False,
            )
    return [version.creation for version in versions]


def _check_base(base: Version, managed: Sequence[Version]) -> None:
    """See to it that what is newer than the base is younger, too."""
    for version in managed:
        if (version.createtxg > base.createtxg) != (version.creation > base.creation):
            raise Unforeseeable(
                "disorder",
                f"the order of {version.label} and {base.label} is not that of their times",
                freezes=False,
            )
