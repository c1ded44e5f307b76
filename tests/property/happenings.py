"""What people and programs do to ZFS beside us: one small value each, made a command on the spot.

A happening names no filesystem or version, only numbers that choose among those that are there, so
that it means something in every world and shrinks well.
"""

from typing import NamedTuple

from hypothesis import strategies as st

from reconciler.simulator.model import Dataset, Machine
from reconciler.zfs.types import FilesystemKind
from tests.support.stage import Stage

KEEP = "keep"
"""A tag of somebody else's."""


NEW = ("new", "-r", "receive -F")
"""Names that are as good as any to ZFS."""


class Happening(NamedTuple):
    """Something done to some filesystem or version of some host."""

    what: str
    host: int = 0
    filesystem: int = 0
    version: int = 0

    def on(self, stage: Stage) -> None:
        """Let it happen, if there is something for it to happen to."""
        hosts = sorted(stage.world)
        host = hosts[self.host % len(hosts)]
        for line in self.lines(stage.world[host]):
            stage.sh(host, line)

    def lines(self, machine: Machine) -> list[str]:
        """Return the commands for a machine."""
        below = [d for name, d in sorted(machine.datasets.items()) if "/" in name]
        if self.what in _OF_POOLS:
            pools = sorted(machine.pools)
            return [_OF_POOLS[self.what].format(pool=pools[self.filesystem % len(pools)])]
        if not below:
            return []
        dataset = below[self.filesystem % len(below)]
        values = {
            "fs": f"'{dataset.name}'",
            "number": self.version,
            "snapshot": self._one(dataset, "@"),
            "bookmark": self._one(dataset, "#"),
            "new": "'" + dataset.name.rpartition("/")[0] + f"/{NEW[self.version % 3]}'",
            "kind": "-V 1M -s" if dataset.kind is FilesystemKind.VOLUME else "",
        }
        lines = _OF_FILESYSTEMS[self.what]
        if any(values[need] is None for need in ("snapshot", "bookmark") if f"{{{need}}}" in lines):
            return []
        return [line.format(**values) for line in lines.split("; ")]

    def _one(self, dataset: Dataset, delimiter: str) -> str | None:
        found = dataset.snapshots if delimiter == "@" else dataset.bookmarks
        if not found:
            return None
        return f"'{dataset.name}{delimiter}{found[self.version % len(found)].name}'"


_OF_POOLS = {
    "a pool goes away": "zpool export {pool}",
    "a pool comes back": "zpool import {pool}",
}

HARMLESS = {
    "data is written": "write {fs} file{number} 100000",
    "a snapshot is taken": "zfs snapshot {fs}@manual{number}",
    "a snapshot is held": f"zfs hold {KEEP} {{snapshot}}",
    "a snapshot is renamed": "zfs rename {snapshot} {fs}@renamed{number}",
    "a clone is made": "zfs clone {snapshot} {new}",
    "a filesystem is created": "zfs create {kind} {new}",
    "a filesystem is switched off": "zfs set reconciler:reconcile=disabled {fs}",
    "a filesystem is switched on": "zfs inherit reconciler:reconcile {fs}",
    "a filesystem is unlocked and written to": "zfs set readonly=off {fs}; zfs mount {fs};"
    " write {fs} file{number} 5000",
}
"""What takes nothing away."""

HARMFUL = {
    "a snapshot is destroyed": "zfs destroy {snapshot}",
    "a bookmark is destroyed": "zfs destroy {bookmark}",
    "a hold is released": f"zfs release {KEEP} {{snapshot}}",
    "a filesystem is rolled back": "zfs rollback -r {snapshot}",
    "a filesystem is renamed": "zfs rename {fs} {new}",
    "a filesystem is destroyed": "zfs destroy -r {fs}",
    "a filesystem is made anew": "zfs destroy -r {fs}; zfs create {kind} {fs}",
    "a snapshot is made anew": "zfs destroy {snapshot}; zfs snapshot {snapshot}",
    "a partial receive is given up": "zfs receive -A {fs}",
}

_OF_FILESYSTEMS = {**HARMLESS, **HARMFUL}

CALM = (*HARMLESS,)
WILD = (*HARMLESS, *HARMFUL, *_OF_POOLS)


def happenings(what: tuple[str, ...] = WILD) -> st.SearchStrategy[Happening]:
    """Return some happening."""
    small = st.integers(0, 7)
    return st.builds(Happening, st.sampled_from(what), small, small, small)
