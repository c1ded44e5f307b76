"""Where a new filesystem can be put: what libzfs looks at before it asks the kernel."""

from collections.abc import Iterable

from reconciler.simulator import change
from reconciler.simulator.items import SUSPENDED
from reconciler.simulator.model import Health, Machine
from reconciler.simulator.process import Refused
from reconciler.zfs.names import ancestors, parent_of, pool_of
from reconciler.zfs.types import FilesystemKind


def check_parent(machine: Machine, name: str, *, may_be_missing: bool = False) -> str:
    """Return the nearest filesystem above a new one; raise Refused (`check_parents`).

    Without `may_be_missing` that has to be its very parent.
    """
    action = f"cannot create '{name}'"
    if parent_of(name) is None:
        raise Refused(f"{action}: missing dataset name")
    pool = machine.pools.get(pool_of(name))
    if pool is None or not pool.imported:
        raise Refused(f"{action}: no such pool '{pool_of(name)}'")
    if pool.health is Health.SUSPENDED:
        raise Refused(f"{action}: {SUSPENDED}")
    above = [there for there in ancestors(name) if change.find(machine, there) is not None]
    if not above or (above[-1] != parent_of(name) and not may_be_missing):
        raise Refused(f"{action}: parent does not exist")
    if machine.datasets[above[-1]].kind is not FilesystemKind.FILESYSTEM:
        raise Refused(f"{action}: parent is not a filesystem")
    return above[-1]


def missing_ancestors(machine: Machine, name: str) -> Iterable[str]:
    """Return the filesystems that `-p` has to make first, from the top; raise Refused."""
    nearest = check_parent(machine, name, may_be_missing=True)
    return [above for above in ancestors(name) if above.startswith(f"{nearest}/")]
