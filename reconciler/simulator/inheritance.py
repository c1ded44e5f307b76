"""Where the value of a property comes from: set here, received, or from further up.

Only what was set counts here; what holds where nothing was is in `native`.
"""

from typing import NamedTuple

from reconciler.simulator.model import Dataset, Machine, Snapshot
from reconciler.zfs.names import parent_of

LOCAL = "local"
RECEIVED = "received"


class Setting(NamedTuple):
    """A value and how it came to the filesystem that has it."""

    value: str
    filesystem: str
    how: str
    """`local` or `received`."""

    def source(self, name: str) -> str:
        """Return what `zfs get` shows as the source of the value for a filesystem or snapshot."""
        return self.how if name == self.filesystem else f"inherited from {self.filesystem}"


def own(dataset: Dataset, name: str) -> Setting | None:
    """Return what was set on, or received with, a filesystem itself."""
    if name in dataset.local:
        return Setting(dataset.local[name], dataset.name, LOCAL)
    if name in dataset.received and name not in dataset.masked:
        return Setting(dataset.received[name], dataset.name, RECEIVED)
    return None


def of_snapshot(snapshot: Snapshot, name: str) -> Setting | None:
    """Return what was set on, or received with, a snapshot itself."""
    if name in snapshot.properties:
        return Setting(snapshot.properties[name], snapshot.name, LOCAL)
    if name in snapshot.received and name not in snapshot.masked:
        return Setting(snapshot.received[name], snapshot.name, RECEIVED)
    return None


def inherited(machine: Machine, filesystem: str, name: str) -> Setting | None:
    """Return what holds for a filesystem: its own setting or the nearest one above."""
    above: str | None = filesystem
    while above is not None:
        dataset = machine.datasets.get(above)
        found = own(dataset, name) if dataset is not None else None
        if found is not None:
            return found
        above = parent_of(above)
    return None


def user_properties(machine: Machine, filesystem: str) -> dict[str, Setting]:
    """Return the user properties that hold for a filesystem."""
    found: dict[str, Setting] = {}
    above: str | None = filesystem
    while above is not None:
        dataset = machine.datasets.get(above)
        if dataset is not None:
            for name in (*dataset.local, *dataset.received):
                setting = own(dataset, name) if ":" in name else None
                if setting is not None:
                    found.setdefault(name, setting)
        above = parent_of(above)
    return found
