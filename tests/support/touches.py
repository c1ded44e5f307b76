"""Filesystems that are as others are, and what happens to one of them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reconciler.observed.change import with_filesystem
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.zfs.types import FilesystemKind, Version, VersionKind
from tests.support.tokens import token
from tests.support.worlds import NOW


def places(observed: Observed) -> list[tuple[str, Filesystem]]:
    return [
        (host, filesystem)
        for host, seen in sorted(observed.items())
        if isinstance(seen, Seen)
        for filesystem in seen.filesystems.values()
    ]


def with_twins(observed: Observed, count: int) -> Observed:
    """Return a world in which each filesystem has so many others that differ in names and guids."""
    found = places(observed)
    taken = {(host, filesystem.name) for host, filesystem in found}
    for host, filesystem in found:
        for number in range(1, count + 1) if "/" in filesystem.name else ():
            other = twin(filesystem, number)
            if (host, other.name) not in taken:
                observed = with_filesystem(observed, host, other)
    return observed


def twin(filesystem: Filesystem, number: int) -> Filesystem:
    """Return a filesystem with the same history, but for what is never the same of two of them."""

    def other(version: Version) -> Version:
        guid, own = version.guid + number * 10**7, f"{version.guid:016x}"
        name = version.name.removesuffix(own)
        name = name if name == version.name else f"{name}{guid:016x}"
        return version._replace(guid=guid, name=name, createtxg=version.createtxg + 10**5)

    name, root = f"{filesystem.name}{number}", filesystem.encryptionroot
    return replace(
        filesystem,
        name=name,
        guid=filesystem.guid + number,
        encryptionroot=name if root == filesystem.name else root,
        versions=tuple(map(other, filesystem.versions)),
    )


def _more(filesystem: Filesystem, number: int) -> Filesystem:
    """Somebody has taken a snapshot."""
    last = filesystem.versions[-1] if filesystem.versions else None
    txg, at = (last.createtxg, last.creation) if last is not None else (10, 10**9)
    names = {version.name for version in filesystem.versions}
    name = next(f"mine{n}" for n in range(number, number + 100) if f"mine{n}" not in names)
    made = Version(VersionKind.SNAPSHOT, name, 10**15 + number, txg + 1, at + 1, 0, 1, 1)
    return replace(filesystem, versions=(*filesystem.versions, made))


def _fewer(filesystem: Filesystem, number: int) -> Filesystem:
    """Somebody has destroyed a version."""
    versions = list(filesystem.versions)
    if versions:
        del versions[number % len(versions)]
    return replace(filesystem, versions=tuple(versions))


def _held(filesystem: Filesystem, number: int) -> Filesystem:
    """Somebody holds a snapshot, or no longer does."""
    at = number % max(1, len(filesystem.versions))
    versions = list(filesystem.versions)
    if versions and versions[at].is_snapshot:
        tags = () if versions[at].holds else ("mine",)
        versions[at] = versions[at]._replace(holds=tags, userrefs=len(tags))
    return replace(filesystem, versions=tuple(versions))


def _exchanged(filesystem: Filesystem, number: int) -> Filesystem:
    """Two versions are what the other one was."""
    versions = list(filesystem.versions)
    if len(versions) > 1:
        at = number % (len(versions) - 1)
        one, other = versions[at : at + 2]
        versions[at : at + 2] = one._replace(guid=other.guid), other._replace(guid=one.guid)
    return replace(filesystem, versions=tuple(versions))


def _replaced(filesystem: Filesystem, number: int) -> Filesystem:
    """A version was destroyed, and another one of its name was made."""
    return _version(number, guid=10**16 + number)(filesystem)


def _version(number: int, **facts: Any) -> Callable[[Filesystem], Filesystem]:
    def change(filesystem: Filesystem) -> Filesystem:
        versions = list(filesystem.versions)
        if versions:
            at = number % len(versions)
            versions[at] = versions[at]._replace(**facts)
        return replace(filesystem, versions=tuple(versions))

    return change


def _versions(**facts: Any) -> Callable[[Filesystem, int], Filesystem]:
    """Something is else about one version."""
    return lambda filesystem, number: _version(number, **facts)(filesystem)


def _facts(**facts: Any) -> Callable[[Filesystem, int], Filesystem]:
    return lambda filesystem, _: replace(filesystem, **facts)


Touch = Callable[[Filesystem, int], Filesystem]
"""What becomes of a filesystem, given a number to choose by."""

TOUCHES: tuple[Touch, ...] = (
    *(_more, _fewer, _fewer, _held, _exchanged, _replaced),
    _versions(spec="other"),
    _versions(spec=None),
    _versions(userrefs=1),
    _versions(userrefs=0, holds=()),
    _versions(spec="web"),
    _versions(creation=10**9),
    _versions(creation=NOW - 60),
    _versions(name="other"),
    _versions(written=0),
    _versions(written=4096),
    _facts(kind=FilesystemKind.VOLUME),
    _facts(encryptionroot="tank"),
    _facts(readonly=False, mounted=True),
    _facts(written=4096),
    _facts(written=0),
    _facts(disabled=True),
    _facts(disabled=False),
    _facts(encryption="aes-256-gcm", keystatus="unavailable"),
    _facts(keystatus="available"),
    _facts(keystatus="unavailable"),
    _facts(encryption="off"),
    _facts(gone_since=10**9),
    _facts(placeholder=True),
    _facts(inconsistent=True),
    _facts(inconsistent=True, resume_token=token(toguid=1)),
    _facts(resume_token=token(toguid=2, fromguid=3)),
    _facts(properties={"atime": "on"}),
    _facts(properties={"atime": "off"}),
)
