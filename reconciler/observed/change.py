"""Observations with something changed, as new values: what an action's effect is made of."""

from dataclasses import replace

from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.zfs.types import Version, version_order


def filesystem_of(observed: Observed, host: str, name: str) -> Filesystem | None:
    """Return a filesystem, or None where it is absent *or its host is unseen*."""
    seen = observed.get(host)
    return seen.filesystems.get(name) if isinstance(seen, Seen) else None


def with_filesystem(observed: Observed, host: str, filesystem: Filesystem) -> Observed:
    """Return the observations with one filesystem added or replaced on a seen host."""
    seen = observed[host]
    if not isinstance(seen, Seen):
        raise TypeError(f"{host} is unseen: nothing can be said to change there")
    filesystems = dict(sorted({**seen.filesystems, filesystem.name: filesystem}.items()))
    return {**observed, host: replace(seen, filesystems=filesystems)}


def without_filesystem(observed: Observed, host: str, name: str) -> Observed:
    """Return the observations without one filesystem of a seen host."""
    seen = observed[host]
    if not isinstance(seen, Seen):
        raise TypeError(f"{host} is unseen: nothing can be said to change there")
    filesystems = {key: value for key, value in seen.filesystems.items() if key != name}
    return {**observed, host: replace(seen, filesystems=filesystems)}


def with_versions(filesystem: Filesystem, *added: Version) -> Filesystem:
    """Return the filesystem with versions added, in version order."""
    versions = tuple(sorted((*filesystem.versions, *added), key=version_order))
    return replace(filesystem, versions=versions)


def without_versions(filesystem: Filesystem, gone: frozenset[tuple[str, int]]) -> Filesystem:
    """Return the filesystem without the versions given as (label, guid)."""
    left = tuple(v for v in filesystem.versions if (v.label, v.guid) not in gone)
    return replace(filesystem, versions=left)


def with_holds(filesystem: Filesystem, version: Version, holds: tuple[str, ...]) -> Filesystem:
    """Return the filesystem with one version's hold tags replaced; unnamed holds stay counted."""
    unnamed = max(0, version.userrefs - len(version.holds))
    held = version._replace(holds=tuple(sorted(holds)), userrefs=len(holds) + unnamed)
    versions = tuple(
        held if (v.label, v.guid) == (version.label, version.guid) else v
        for v in filesystem.versions
    )
    return replace(filesystem, versions=versions)


def next_txg(filesystem: Filesystem) -> int:
    """Return a createtxg later than everything the filesystem has."""
    return max([filesystem.createtxg, *(v.createtxg for v in filesystem.versions)]) + 1


def current(filesystem: Filesystem, version: Version) -> Version | None:
    """Return the filesystem's present form of a version (same label and guid), if it is there."""
    wanted = (version.label, version.guid)
    return next((v for v in filesystem.versions if (v.label, v.guid) == wanted), None)
