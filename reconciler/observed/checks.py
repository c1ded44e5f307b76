"""Contradictions between the listings of one probe, each of which makes a host Unseen.

The listings are taken one after the other, so something may change between them; then the next
observation will do. Everything else here should not happen, and is not explained away.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import compress

from reconciler.observed.model import Pool
from reconciler.observed.trouble import Trouble, changed
from reconciler.zfs.names import ancestors, filesystem_of, parent_of
from reconciler.zfs.versions import NONE, Versions


def refuse_duplicates(where: str, names: Iterable[Hashable]) -> None:
    """Refuse a listing that has something twice."""
    seen: set[Hashable] = set()
    for name in names:
        if name in seen:
            raise Trouble(f"the listing of {where} has {name!r} twice")
        seen.add(name)


def check_pools(
    asked: Iterable[str],
    missing: frozenset[str],
    names: set[str],
    pools: Mapping[str, Pool],
) -> None:
    """Refuse a listing of filesystems that does not fit the list of imported pools."""
    for pool in asked:
        if (pool in names) == (pool in missing):
            raise Trouble(f"the listing of filesystems is in two minds about pool {pool}")
        if (pool in names) != (pool in pools) and not (pool in pools and not pools[pool].usable):
            raise changed(f"pool {pool} was {'imported' if pool in names else 'exported'}")


def check_tree(names: set[str], asked: Sequence[str]) -> None:
    """Refuse filesystems without their parent or of a pool that was not asked about."""
    for name in names:
        parent = parent_of(name)
        if (parent not in names) if parent else (name not in asked):
            raise Trouble(f"the listing of filesystems has {name} but not what is above it")


def check_roots(roots: Iterable[str], missing: frozenset[str], names: set[str]) -> None:
    """Refuse listings that disagree on whether a root exists."""
    for root in roots:
        if (root in names) == (root in missing):
            raise changed(f"{root} was {'destroyed' if root in names else 'created'}")


def check_groups(
    groups: Mapping[str, Versions],
    roots: Sequence[str],
    names: set[str],
    is_checked: Callable[[str, Versions], bool],
) -> None:
    """Refuse versions that were not asked for, and any that are there twice.

    `is_checked` tells which were let pass before, when the same was asked for.
    """
    wanted = frozenset(roots)
    inside: set[str | None] = set()
    for filesystem, versions in groups.items():
        if filesystem not in names:
            raise changed(f"{filesystem} was created")
        if is_checked(filesystem, versions):
            continue
        parent = parent_of(filesystem)
        if parent not in inside and filesystem not in wanted:
            if wanted.isdisjoint(ancestors(filesystem)):
                raise Trouble(f"versions of {filesystem} were listed unasked")
            inside.add(parent)
        labels = versions.columns.labels
        if len(set(labels)) < len(labels):
            refuse_duplicates(filesystem, labels)


def check_holds(tags: Mapping[str, Sequence[str]], groups: Mapping[str, Versions]) -> None:
    """Refuse holds of snapshots that were not asked about, and any that are there twice."""
    held = set()
    for filesystem in {filesystem_of(name) for name in tags}:
        columns = groups.get(filesystem, NONE).columns
        held |= {filesystem + label for label in compress(columns.labels, columns.userrefs)}
    for name, found in tags.items():
        if name not in held:
            raise Trouble(f"holds of {name} were listed unasked")
        refuse_duplicates(name, found)
