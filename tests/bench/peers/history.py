"""The input of every tool: N filesystems with three daily snapshots each, the same on both hosts.

K of them were left out today: each has yesterday's three, and was written to since. The cycle that
is measured takes one snapshot of each of the K, sends it, and destroys the oldest one on both
sides. The next cycle has nothing to do.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import Dataset, Machine
from tests.bench.simulated import copied, sh

DAY = 86400
KEEP = 3
TREE = "tank/data"
TARGET = "backup"

Label = Callable[[int], str]
"""What a tool calls the snapshot of a moment."""


class Size(NamedTuple):
    """How much there is."""

    filesystems: int
    changed: int

    @property
    def names(self) -> list[str]:
        """The filesystems: a tree, its root included."""
        return [TREE, *(f"{TREE}/fs{number:04}" for number in range(1, self.filesystems))]

    @property
    def late(self) -> list[str]:
        """Those that changed and have no snapshot of today."""
        return self.names[len(self.names) - self.changed :]

    @property
    def punctual(self) -> list[str]:
        """The others."""
        return self.names[: len(self.names) - self.changed]


def today() -> int:
    """Return when the day began, in UTC."""
    return int(time.time()) // DAY * DAY


def sender(size: Size, label: Label, release: str, *options: str, until: int = 0) -> Machine:
    """Return a sender with the history of all filesystems up to a day: yesterday."""
    cell = MemoryCell(Machine("sender", release=release))
    start = today() - 10 * DAY
    sh(cell, start, "zpool", "create", "tank", "disk")
    for name in size.names:
        sh(cell, start, "zfs", "create", name)
    newest = until or today() - DAY
    for back in reversed(range(KEEP)):
        snapshot(cell, size.names, label, newest - back * DAY, *options)
    return cell.read()


def punctual(machine: Machine, size: Size, label: Label, *options: str) -> Machine:
    """Return it after what was done today for those that are not late: a snapshot, and one less."""
    cell = MemoryCell(machine)
    snapshot(cell, size.punctual, label, today(), *options)
    for name in size.punctual:
        oldest = cell.read().datasets[name].snapshots[0].name
        sh(cell, today(), "zfs", "destroy", f"{name}@{oldest}")
    return cell.read()


def changed(machine: Machine, size: Size) -> Machine:
    """Return a sender after its late filesystems were written to."""
    cell = MemoryCell(machine)
    for name in size.late:
        sh(cell, today(), "write", name, "file", "64K")
    return cell.read()


def snapshot(cell: MemoryCell, names: list[str], label: Label, at: int, *options: str) -> None:
    """Write to filesystems and take a snapshot of them."""
    for name in names:
        sh(cell, at, "write", name, "file", "64K")
    if names:
        sh(cell, at, "zfs", "snapshot", *options, *(f"{name}@{label(at)}" for name in names))


def receiver(sender: Machine, *options: str) -> Machine:
    """Return a receiver that has all that the sender has, below parents with these options."""
    cell = MemoryCell(Machine("receiver", release=sender.release))
    start = today() - 10 * DAY
    sh(cell, start, "zpool", "create", TARGET, "disk")
    sh(cell, start, "zfs", "create", *options, f"{TARGET}/tank")
    machine = cell.read()
    copies = {copy.name: copy for copy in _copies(sender)}
    pool = replace(machine.pools[TARGET], txg=sender.pools["tank"].txg)
    return replace(
        machine,
        datasets={**machine.datasets, **copies},
        pools={TARGET: pool},
        minted=machine.minted + sender.minted,
    )


def _copies(sender: Machine) -> Iterator[Dataset]:
    for dataset in sender.datasets.values():
        if dataset.snapshots:
            yield copied(dataset, f"{TARGET}/{dataset.name}")
