"""A machine as the reading commands see it: what is costly is worked out once for all rows."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cached_property

from reconciler.simulator import change, inheritance
from reconciler.simulator.inheritance import Setting
from reconciler.simulator.items import RECV
from reconciler.simulator.model import Dataset, Files, Machine
from reconciler.zfs.names import parent_of, pool_of


class View:
    """One machine, which does not change, with what was found out about it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._settings: dict[tuple[str, str], Setting | None] = {}

    @cached_property
    def names(self) -> Sequence[str]:
        """The filesystems of imported pools, sorted."""
        pools = self.machine.pools
        return sorted(name for name in self.machine.datasets if pools[pool_of(name)].imported)

    def below(self, name: str, depth: int | None) -> list[Dataset]:
        """Return the filesystems below one, at most `depth` levels down."""
        first = bisect_left(self.names, f"{name}/")
        last = bisect_left(self.names, f"{name}0")  # the character after "/"
        levels = name.count("/") + depth if depth is not None else None
        return [
            self.machine.datasets[found]
            for found in self.names[first:last]
            if levels is None or found.count("/") <= levels
        ]

    def setting(self, filesystem: str, name: str) -> Setting | None:
        """Return what was set of an inheritable property for a filesystem, there or above."""
        key = filesystem, name
        if key not in self._settings:
            dataset = self.machine.datasets.get(filesystem)
            found = inheritance.own(dataset, name) if dataset is not None else None
            above = parent_of(filesystem)
            if found is None and above is not None:
                found = self.setting(above, name)
            self._settings[key] = found
        return self._settings[key]

    @cached_property
    def used(self) -> Mapping[str, int]:
        """Bytes that each filesystem takes with its snapshots and all below it."""
        return change.used_by_all(self.machine)

    @cached_property
    def origins(self) -> Mapping[int, str]:
        """Object number of a snapshot that has clones → its full name."""
        wanted = {dataset.origin for dataset in self.machine.datasets.values()}
        return {
            snapshot.object: f"{dataset.name}@{snapshot.name}"
            for dataset in self.machine.datasets.values()
            for snapshot in dataset.snapshots
            if snapshot.object in wanted or dataset.partial is not None
        }

    @cached_property
    def clones(self) -> Mapping[int, Sequence[str]]:
        """Object number of a snapshot → its clones, the hidden ones of receives too."""
        found: dict[int, list[str]] = {}
        for name in self.names:
            dataset = self.machine.datasets[name]
            if dataset.origin is not None:
                found.setdefault(dataset.origin, []).append(name)
            if dataset.partial is not None and not dataset.inconsistent:
                base = dataset.partial.fromguid
                for snapshot in dataset.snapshots:
                    if snapshot.guid == base:
                        found.setdefault(snapshot.object, []).append(f"{name}/{RECV}")
        return found

    @cached_property
    def limited(self) -> Mapping[str, frozenset[str]]:
        """`snapshot_limit` and `filesystem_limit` → the filesystems where ZFS counts for it."""
        return {
            limit: frozenset(n for n in self.names if self.setting(n, limit) is not None)
            for limit in ("snapshot_limit", "filesystem_limit")
        }


def alone(files: Files, *neighbours: Files) -> int:
    """Return the bytes of a content that none of the others shares."""
    if any(files is other for other in neighbours):
        return 0
    shared = {block.id for other in neighbours for block in other.values()}
    return sum(block.size for block in files.values() if block.id not in shared)
