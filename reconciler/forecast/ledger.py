"""What becomes of the managed versions of one filesystem that nothing disturbs, and of its copies.

The same as the planner decides and the executor does, with less effort: a snapshot in each slot,
sent where a receiver would keep it, the base moved, and on each side what no rule keeps destroyed
unless it is the base or the newest. `check` compares the two. A version is named by its creation.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.desired.model import Initial, Keep, Matching
from reconciler.forecast.keeper import GridKeeper, Keeper
from reconciler.planner.history import runs
from reconciler.planner.marks import snapshot_name
from reconciler.planner.retention import evaluate
from reconciler.zfs.types import Version, VersionKind


class Names:
    """What versions are called: after their creation, unless something else is known."""

    def __init__(self, prefix: str, known: Mapping[int, str]) -> None:
        self._prefix = prefix
        self.known = {at: name for at, name in known.items() if name != self._made(at)}

    def __call__(self, created: int) -> str:
        """Return the name of a version."""
        return self.known.get(created) or self._made(created)

    def _made(self, created: int) -> str:
        return snapshot_name(self._prefix, created)


class Side:
    """The managed versions of a filesystem on one host."""

    def __init__(
        self, keep: Keep, names: Names, versions: Iterable[int] = (), pinned: Collection[int] = ()
    ) -> None:
        self.keep = keep
        self.versions: dict[int, None] = {}
        """Oldest first."""
        self.pinned = frozenset(pinned)
        """What somebody else holds, or what has clones."""
        self.keeps_newest = not keep.rules or any(not isinstance(r, Matching) for r in keep.rules)
        """Whether a version is kept for being the newest, whatever it is called."""
        self._keeper = Keeper(keep, names)
        self.grids = GridKeeper(keep)
        self._unkept: set[int] = set()
        """What no rule keeps, or only a grid."""
        for version in versions:
            self.add(version)

    def add(self, version: int) -> None:
        """Take in a new version."""
        self.versions[version] = None
        self._unkept.update(self._keeper.add(version))

    @property
    def newest(self) -> int | None:
        """The newest version."""
        return next(reversed(self.versions), None)

    def retire(self, needed: Collection[int]) -> int:
        """Destroy what no rule keeps and nobody needs; return how many those are."""
        gone = [
            version
            for version in self._unkept
            if version not in needed and version not in self.pinned and version != self.newest
        ]
        if gone and self.grids:
            kept = self.grids.kept(self.versions)
            gone = [version for version in gone if version not in kept]
        for version in gone:
            del self.versions[version]
        self._unkept.difference_update(gone)
        return len(gone)


class Copy:
    """What one receiver has of it."""

    def __init__(
        self, side: Side, initial: Initial, base: int | None, resumes: int | None = None
    ) -> None:
        self.side = side
        self.initial = initial
        self.base = base
        """The most recent common version."""
        self.resumes = resumes
        """What a partial receive that goes on brings first; older ones are passed over."""


@dataclass(slots=True)
class Step:
    """What was done at an instant for one filesystem."""

    snapshots: int = 0
    streams: int = 0
    actions: int = 0
    destroyed_here: int = 0
    destroyed_there: list[int] = field(default_factory=list)
    """For each copy."""


class Ledger:
    """A filesystem under one replication, with its copies."""

    def __init__(self, names: Names, here: Side, copies: Sequence[Copy]) -> None:
        self.names = names
        self.here = here
        self.copies = tuple(copies)

    @property
    def state(self) -> tuple[object, ...]:
        """What is there, to be compared."""
        return (
            tuple(self.here.versions),
            *((tuple(copy.side.versions), copy.base) for copy in self.copies),
        )

    def settle(self, at: int, *, due: bool, sends: bool = True) -> Step:
        """Do all that is to be done at an instant; streams take no time.

        Without `sends` the windows are closed, and what is to be sent waits.
        """
        step = Step(destroyed_there=[0] * len(self.copies))
        if due:
            self.snapshot(at, step)
        for number, copy in enumerate(self.copies):
            wanted = self.wanted(copy) if sends else ()
            if wanted:
                self.arrive(number, wanted, step, promised=at if due else None)
            self.retire_there(number, step)
        self.retire_here(step, () if sends else self.waiting())
        return step

    def waiting(self) -> set[int]:
        """Return what is to be sent once windows open."""
        return {version for copy in self.copies for version in self.wanted(copy)}

    def snapshot(self, at: int, step: Step) -> None:
        """Make the snapshot of a slot."""
        self.here.add(at)
        step.snapshots += 1
        step.actions += 1

    def wanted(self, copy: Copy) -> tuple[int, ...]:
        """Return what is to be sent now, oldest first."""
        base = copy.base
        newer: list[int] = []
        for version in reversed(self.here.versions):
            if base is not None and version <= base:
                break
            newer.append(version)
        if len(newer) == 1 and copy.side.keeps_newest:
            return (newer[0],)
        newer.reverse()
        # What rules say of the newer ones does not depend on what is older, but for grids.
        older = copy.side.versions if copy.side.grids else ()
        decisions = evaluate(copy.side.keep, [self._version(v) for v in (*older, *newer)])
        kept = {decision.version.guid for decision in decisions if decision.kept}
        wanted = tuple(version for version in newer if version in kept)
        if base is None and copy.initial is Initial.NEWEST:
            wanted = tuple(v for v in wanted if v in {copy.resumes, wanted[-1]})
        return wanted[wanted.index(copy.resumes) :] if copy.resumes in wanted else wanted

    def arrive(
        self, number: int, wanted: Sequence[int], step: Step, promised: int | None = None
    ) -> None:
        """Let versions arrive, and put the base on the newest of them."""
        copy = self.copies[number]
        streams = self._streams(copy, wanted, promised)
        marks = 2 if copy.base is None else 4  # hold and cursor; the old ones go
        step.streams += streams
        step.actions += 3 * streams + marks
        for version in wanted:
            copy.side.add(version)
        copy.base, copy.resumes = wanted[-1], None

    def retire_here(self, step: Step, waiting: Collection[int] = ()) -> None:
        """Destroy what has expired on the sender, but not what waits to be sent."""
        bases = {copy.base for copy in self.copies if copy.base is not None}
        gone = self.here.retire(bases.union(waiting))
        step.destroyed_here += gone
        step.actions += gone

    def retire_there(self, number: int, step: Step) -> None:
        """Destroy what has expired on one receiver."""
        copy = self.copies[number]
        if copy.base is None:
            return
        gone = copy.side.retire((copy.base,))
        step.destroyed_there[number] += gone
        step.actions += gone

    def _streams(self, copy: Copy, wanted: Sequence[int], promised: int | None) -> int:
        if len(wanted) == 1:
            return 1
        there = [self._version(v, promised) for v in self.here.versions]
        sent = [self._version(v, promised) for v in wanted]
        base = None
        if copy.base is not None:
            kind = VersionKind.SNAPSHOT
            if copy.base not in self.here.versions:
                kind = VersionKind.BOOKMARK
            base = self._version(copy.base)._replace(kind=kind)
        return len(runs(there, base, sent))

    def _version(self, created: int, promised: int | None = None) -> Version:
        guid = -created if created == promised else created
        return Version(VersionKind.SNAPSHOT, self.names(created), guid, created, created)
