"""Hosts as the specs want them, made up: new filesystems, nothing replicated yet."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product

from reconciler.desired.model import Desired, Replication
from reconciler.desired.selection import SUBTREE
from reconciler.observed.model import Filesystem, Observed, Pool, Seen
from reconciler.zfs.names import ancestors, pool_of
from reconciler.zfs.piping import PROGRAMS
from reconciler.zfs.types import FilesystemKind

CHILDREN = ("a", "b", "c")
"""What stands for what `*` and `**` leave open."""

_FREE = 2**60


def invented(desired: Desired, now: int) -> Observed:
    """Return a world with filesystems for all patterns and pools for all that is named."""
    names: dict[str, set[str]] = {host: set() for host in desired.hosts}
    wanted: dict[str, dict[str, str]] = {}
    pools: dict[str, set[str]] = {host: set() for host in desired.hosts}
    for replication in desired.replications.values():
        chosen = names_for(replication)
        for name in chosen:
            conditions = replication.selection.where
            wanted.setdefault(name, {}).update({one.property: one.equals for one in conditions})
        for sender in replication.senders:
            names[sender].update(chosen)
        for target in replication.targets:
            pools[target.host].update(pool_of(root) for root in target.roots.values())
    made = {host: _host(host, names[host], pools[host], now) for host in desired.hosts}
    return {host: _with_properties(seen, wanted) for host, seen in made.items()}


def _with_properties(seen: Seen, wanted: Mapping[str, Mapping[str, str]]) -> Seen:
    """Return a host whose filesystems have the properties that they are selected by."""
    filesystems = {
        name: replace(found, properties=wanted.get(name, {}))
        for name, found in seen.filesystems.items()
    }
    return replace(seen, filesystems=filesystems)


def names_for(replication: Replication) -> tuple[str, ...]:
    """Return the names that are made up for a replication's patterns, sorted."""
    found = {
        name for pattern in replication.selection.include for name in _names(pattern.components)
    }
    return tuple(sorted(name for name in found if replication.selection.selects(name)))


def _names(components: tuple[str, ...]) -> Iterator[str]:
    last = len(components) - 1
    choices = [_choices(part, is_last=at == last) for at, part in enumerate(components)]
    for parts in product(*choices):
        yield "/".join(part for part in parts if part)


def _choices(component: str, *, is_last: bool) -> tuple[str, ...]:
    """Return what a component of a pattern may be; an empty one is left out."""
    if component == SUBTREE:
        return ("", *CHILDREN) if is_last else ("",)
    if "*" in component:
        return tuple(component.replace("*", child) for child in CHILDREN)
    return (component,)


def _host(host: str, chosen: set[str], pools: set[str], now: int) -> Seen:
    names = {above for name in chosen for above in (name, *ancestors(name))} | pools
    return Seen(
        host=host,
        at=now,
        clock=now,
        zfs_version="",
        pools={
            name: Pool(name, guid, "ONLINE", readonly=False, free=_FREE)
            for guid, name in enumerate(sorted({pool_of(name) for name in names}), start=1)
        },
        filesystems={name: blank(name) for name in sorted(names)},
        programs=frozenset(PROGRAMS),
        listed=tuple(sorted({pool_of(name) for name in names})),
    )


def blank(name: str) -> Filesystem:
    """Return a filesystem about which nothing is special."""
    return Filesystem(
        name=name,
        kind=FilesystemKind.FILESYSTEM,
        guid=1,
        createtxg=1,
        used=0,
        written=0,
        referenced=0,
        encryption="off",
        keystatus="none",
        encryptionroot=None,
        origin=None,
        readonly=False,
        mounted=False,
        resume_token=None,
        inconsistent=False,
        placeholder=False,
        disabled=False,
    )
