"""What a receiver stands on: its pool, its parents and their keys."""

from collections.abc import Iterator

from reconciler.actions import CreateFilesystem
from reconciler.observed.model import Filesystem, Pool, Seen
from reconciler.planner.conflicts import Conflicted
from reconciler.planner.context import Context
from reconciler.planner.pairs import is_writable
from reconciler.zfs.names import ancestors, pool_of
from reconciler.zfs.types import FilesystemKind


class Ground:
    """Where one receiver is, or is to be. What stands in the way is raised as Conflicted."""

    def __init__(self, receiver: str, seen: Seen, context: Context) -> None:
        self._receiver = receiver
        self._seen = seen
        self._context = context

    def pool(self) -> Pool:
        """Return its pool, which can be written to."""
        name, seen = pool_of(self._receiver), self._seen
        if name not in seen.pools:
            raise Conflicted(
                "pool-not-imported",
                f"pool {name} is not imported on {seen.host}",
                f"import it there (zpool import {name}), or correct `under`",
                [f"imported pools: {', '.join(sorted(seen.pools)) or 'none'}"],
            )
        return writable(seen, self._receiver)

    def nearest(self) -> Filesystem | None:
        """Return its closest ancestor that exists."""
        names = reversed(ancestors(self._receiver))
        return next((self._seen.filesystems[n] for n in names if n in self._seen.filesystems), None)

    def check_key(self, name: str) -> None:
        """See to it that something can be written at a place: not so where a key is missing."""
        seen = self._seen
        for above in _upwards(name):
            place, found = (seen.host, above), seen.filesystems.get(above)
            if place in self._context.arriving_raw or (found and found.keystatus == "unavailable"):
                raise Conflicted(
                    "key-not-loaded",
                    f"{above} is encrypted and its key is not loaded on {seen.host}",
                    f"zfs load-key {(found and found.encryptionroot) or above} there",
                )
            if found is not None:
                return

    def parents(self) -> Iterator[CreateFilesystem | str]:
        """Yield what makes its parents, top down: an action, or the id of one of other plans."""
        for name in ancestors(self._receiver):
            place = (self._seen.host, name)
            found = self._seen.filesystems.get(name)
            arrives = self._context.arriving.get(place)
            if arrives is not None:
                yield arrives
            elif found is not None:
                _may_hold_children(found)
            else:
                self._may_create(place)
                self.check_key(name)
                yield CreateFilesystem(*place)

    def _may_create(self, place: tuple[str, str]) -> None:
        if place in self._context.declared:
            raise Conflicted(
                "parent-not-received",
                f"its parent {place[1]} is to be received first, and can't be now",
                "settle what is said of the parent",
            )


def _upwards(name: str) -> Iterator[str]:
    """Yield a filesystem's name and those of its ancestors, the closest first."""
    yield name
    yield from reversed(ancestors(name))


def writable(seen: Seen, filesystem: str) -> Pool:
    """Return the pool of a filesystem if it can be changed; else raise the conflict."""
    name = pool_of(filesystem)
    pool = seen.pools.get(name)
    if pool is None or not is_writable(seen, filesystem):
        state = "not imported" if pool is None else "read-only" if pool.usable else pool.health
        raise Conflicted(
            "pool-unusable",
            f"pool {name} on {seen.host} is {state}",
            f"look at `zpool status {name}` there",
            place=(seen.host, filesystem),
        )
    return pool


def _may_hold_children(found: Filesystem) -> None:
    if found.inconsistent or found.kind is FilesystemKind.VOLUME:
        state = "half received" if found.inconsistent else "a volume"
        raise Conflicted(
            "parent-unusable",
            f"its parent {found.name} is {state}: nothing can be received below it",
            "settle what is said of the parent, or correct `under`",
        )
