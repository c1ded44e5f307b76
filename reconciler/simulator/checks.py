"""What the kernel looks at before it changes a pool, whatever the change (zfs_ioctl.c).

Each function takes what the command would say it was doing: `cannot create 'tank/a'`.
"""

from reconciler.simulator import change
from reconciler.simulator.items import DOES_NOT_EXIST, SUSPENDED
from reconciler.simulator.model import Health, Machine, Snapshot
from reconciler.simulator.process import Refused

READONLY = "pool is read-only"
BUSY = "dataset is busy"
EXISTS = "dataset already exists"
NO_SPACE = "out of space"

_BLOCK = 3 * 16 * 1024
"""Bytes that ZFS reckons with for each block that a change is to write (dsl_synctask.c)."""


def check_pool(machine: Machine, pool: str, action: str) -> None:
    """Raise Refused for a pool that takes no changes (`pool_status_check`)."""
    found = machine.pools.get(pool)
    if found is None or not found.imported:
        raise Refused(f"{action}: {DOES_NOT_EXIST}")
    if found.health is Health.SUSPENDED:
        raise Refused(f"{action}: {SUSPENDED}")
    if found.readonly:
        raise Refused(f"{action}: {READONLY}")


def check_space(machine: Machine, pool: str, action: str, blocks: int) -> None:
    """Raise Refused for a pool that has no space for some more blocks (dsl_synctask.c)."""
    if change.used(machine, pool) + blocks * _BLOCK > machine.pools[pool].size:
        raise Refused(f"{action}: {NO_SPACE}")


def is_sent(machine: Machine, snapshot: Snapshot) -> bool:
    """Tell whether a `zfs send` of a snapshot runs (a "long hold")."""
    return any(snapshot.object in sending.snapshots for sending in machine.sending)


def is_at_least(machine: Machine, *release: int) -> bool:
    """Tell whether a machine behaves as a release or a later one."""
    parts = (part for part in machine.release.split("-")[0].split("."))
    return tuple(int(part) for part in parts if part.isdecimal()) >= release
