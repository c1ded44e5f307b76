"""What the kernel's half of ZFS answers when it refuses; the commands make texts of it."""

from enum import StrEnum

from reconciler.simulator import change
from reconciler.simulator.checks import check_space
from reconciler.simulator.inheritance import own
from reconciler.simulator.model import Dataset, Health, Machine, Pool
from reconciler.simulator.numbers import BadNumber, parse_number
from reconciler.simulator.process import Refused
from reconciler.zfs.names import ancestors, pool_of


class Errno(StrEnum):
    """Why a call was refused (errno(3), and those of ZFS from sys/fs/zfs.h)."""

    ENOENT = "dataset does not exist"
    EROFS = "pool is read-only"
    EAGAIN = "pool I/O is currently suspended"
    EBUSY = "dataset is busy"
    EEXIST = "dataset already exists"
    EINVAL = "invalid"
    ENODEV = "no snapshot matches the base"
    ETXTBSY = "modified"
    EACCES = "the key is not loaded"
    ENOTSUP = "the pool lacks a feature"
    EDQUOT = "quota exceeded"
    ENOSPC = "out of space"
    ECKSUM = "checksum mismatch"
    TRUNCATED = "incomplete stream"
    WRONG_PARENT = "parent is not a filesystem"
    LARGE_BLOCK_MISMATCH = "large blocks"
    FROM_IVSET_MISSING = "IV set guid missing"
    FROM_IVSET_MISMATCH = "IV set guid mismatch"
    RESUME_EXISTS = "resuming on an existing dataset without force"


class Failed(Exception):
    """Raised where the kernel refuses."""

    def __init__(self, errno: Errno) -> None:
        super().__init__(errno.value)
        self.errno = errno


def writable_pool(machine: Machine, name: str) -> Pool:
    """Return the pool of a filesystem that is to be changed; raise Failed."""
    pool = machine.pools.get(pool_of(name))
    if pool is None or not pool.imported:
        raise Failed(Errno.ENOENT)
    if pool.health is Health.SUSPENDED:
        raise Failed(Errno.EAGAIN)
    if pool.readonly:
        raise Failed(Errno.EROFS)
    return pool


def check_room_for_blocks(machine: Machine, pool: str, blocks: int) -> None:
    """Raise Failed for a pool that has no space for some more blocks."""
    try:
        check_space(machine, pool, "", blocks)
    except Refused:
        raise Failed(Errno.ENOSPC) from None


def check_room(machine: Machine, name: str) -> None:
    """Raise Failed if a filesystem has grown beyond the quotas above it, or its pool."""
    for above in (*ancestors(name), name):
        quota = limit(machine.datasets[above], "quota")
        if quota and change.used(machine, above) > quota:
            raise Failed(Errno.EDQUOT)
    pool = machine.pools[pool_of(name)]
    if change.used(machine, pool.name) > pool.size:
        raise Failed(Errno.ENOSPC)


def limit(dataset: Dataset, name: str) -> int:
    """Return a limit in bytes, 0 for none."""
    found = own(dataset, name)
    try:
        return parse_number(found.value) if found is not None else 0
    except BadNumber:
        return 0
