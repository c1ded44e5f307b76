"""Random choices among what is on a simulated machine, and among what is not."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from reconciler.simulator.model import Bookmark, Dataset, Machine, Snapshot
from reconciler.zfs.names import filesystem_of, pool_of
from reconciler.zfs.types import FilesystemKind

_T = TypeVar("_T")

SHORT = ("1", "2", "3", "4", "5", "sp ace", "co:lon", "x.y-z_", "rec-20261122T230000Z")
TAGS = ("keep", "rec-step_x", "sp ace", "t:1")
FILES = ("f", "g", "h")
SIZES = (3_000, 70_000, 300_000, 1_200_000)
USER_PROPERTIES = ("x:one", "x:two", "reconciler:spec", "reconciler:reconcile")
VALUES = ("daily", "disabled", "some words", "")


@dataclass
class Chance:
    """Chooses for one step; `machine` is as it is before the step."""

    random: random.Random
    machine: Machine
    pools: tuple[str, ...]
    tokens: Mapping[str, str] = field(default_factory=dict)
    """Resume tokens that were kept, by name."""
    wrong: float = 0.12
    """How often a name is chosen that is not there."""

    def of(self, choices: Sequence[_T]) -> _T:
        """Return one of several."""
        return self.random.choice(choices)

    def some(self, choices: Sequence[_T], most: int) -> list[_T]:
        """Return one to `most` of several, none of them twice."""
        return self.random.sample(choices, min(len(choices), self.random.randint(1, most)))

    def maybe(self, chance: float) -> bool:
        """Return True this often."""
        return self.random.random() < chance

    def errs(self) -> bool:
        """Tell whether this time something is to go wrong."""
        return self.maybe(self.wrong)

    # -- what is there -----------------------------------------------------------------------------

    def datasets(self) -> list[Dataset]:
        """Return all that can be reached, in order."""
        return [
            dataset
            for name, dataset in sorted(self.machine.datasets.items())
            if pool_of(name) in self.pools and self.machine.pools[pool_of(name)].imported
        ]

    def below(self) -> list[Dataset]:
        """Return all but the pools' own filesystems."""
        return [dataset for dataset in self.datasets() if "/" in dataset.name]

    def partial(self) -> list[Dataset]:
        """Return those with a receive that was cut."""
        return [dataset for dataset in self.datasets() if dataset.partial is not None]

    def parents(self) -> list[str]:
        """Return the names of filesystems."""
        return [d.name for d in self.datasets() if d.kind is FilesystemKind.FILESYSTEM]

    def snapshots(self) -> list[str]:
        """Return the names of all snapshots."""
        return [f"{d.name}@{s.name}" for d in self.datasets() for s in d.snapshots]

    def bookmarks(self) -> list[str]:
        """Return the names of all bookmarks."""
        return [f"{d.name}#{b.name}" for d in self.datasets() for b in d.bookmarks]

    def versions_of(self, dataset: Dataset) -> list[tuple[str, Snapshot | Bookmark]]:
        """Return the snapshots and bookmarks of a filesystem with their full names."""
        snapshots = [(f"{dataset.name}@{s.name}", s) for s in dataset.snapshots]
        return [*snapshots, *((f"{dataset.name}#{b.name}", b) for b in dataset.bookmarks)]

    # -- names -------------------------------------------------------------------------------------

    def filesystem(self) -> str:
        """Return the name of a filesystem or volume, now and then of none."""
        return self.missing() if self.errs() else self.of(self.datasets()).name

    def missing(self) -> str:
        """Return the name of a filesystem that is not there, most likely."""
        parent = self.of(self.parents())
        return self.of([f"{parent}/no", f"{self.of(self.pools)}/none", "nopool/x"])

    def snapshot(self) -> str:
        """Return the name of a snapshot, now and then of none."""
        there = self.snapshots()
        if there and not self.errs():
            return self.of(there)
        return f"{self.filesystem()}@{self.of(['no', *SHORT])}"

    def bookmark(self) -> str:
        """Return the name of a bookmark, now and then of none."""
        there = self.bookmarks()
        if there and not self.errs():
            return self.of(there)
        return f"{self.filesystem()}#{self.of(['no', *SHORT])}"

    def version(self) -> str:
        """Return the name of a snapshot or bookmark."""
        return self.snapshot() if self.maybe(0.7) else self.bookmark()

    def new_short(self, filesystem: str) -> str:
        """Return a short name that the filesystem has not used, now and then one that it has."""
        dataset = self.machine.datasets.get(filesystem)
        taken = {s.name for s in dataset.snapshots} if dataset else set()
        free = [name for name in SHORT if name not in taken]
        if self.errs() or not free:
            return self.of(SHORT)
        return free[0] if self.maybe(0.7) else self.of(free)

    def new_filesystem(self) -> str:
        """Return a name for a filesystem that does not exist, now and then of one that does."""
        if self.errs():
            return self.filesystem()
        parent = self.of(self.parents())
        return f"{parent}/{self.of(['n1', 'n2', 'new fs', 'a', 'b', 'n:3'])}"

    def setting(self) -> str:
        """Return a user property with a value."""
        return f"{self.of(USER_PROPERTIES)}={self.of(VALUES)}"

    def siblings(self, full: str) -> list[str]:
        """Return the short names of the snapshots of the same filesystem, by createtxg."""
        dataset = self.machine.datasets.get(filesystem_of(full))
        return [s.name for s in dataset.snapshots] if dataset is not None else []
