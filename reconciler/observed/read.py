"""Understand what a probe printed. All of it, or the host is Unseen with the cause.

Whatever is not exactly as expected (a command that failed, a line that does not parse, two
listings that contradict each other) means that nothing is known about the host. The exceptions,
which are answers: a root that does not exist, a pool that is not imported or can't be opened.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import NamedTuple

from reconciler.errors import HostError
from reconciler.hosts.script import Transcript
from reconciler.observed import probe
from reconciler.observed.checks import (
    check_groups,
    check_holds,
    check_pools,
    check_roots,
    check_tree,
    refuse_duplicates,
)
from reconciler.observed.model import Filesystem, Observation, Pool, Seen, Unseen
from reconciler.observed.trouble import HOST_REMEDIES, Trouble, changed, listing, output, parsed
from reconciler.zfs.capabilities import VersionError, parse_zfs_version
from reconciler.zfs.columns import read_filesystems, read_versions
from reconciler.zfs.names import pool_of
from reconciler.zfs.parse import (
    FilesystemRow,
    parse_features,
    parse_holds,
    parse_pools,
)
from reconciler.zfs.piping import parse_programs
from reconciler.zfs.properties import DISABLED, gone_since
from reconciler.zfs.types import Version, in_order

Tags = Mapping[str, tuple[str, ...]]
"""Full name of a snapshot → its hold tags, sorted."""


_CLOCK_DIGITS = 11
_USERREFS = itemgetter(Version._fields.index("userrefs"))


class _Asked(NamedTuple):
    """What a probe was made for."""

    roots: tuple[str, ...]
    properties: Sequence[str]


class _Below(NamedTuple):
    """What was found below the roots."""

    listed: tuple[str, ...]
    filesystems: Mapping[str, Filesystem]


def read_probe(
    host: str,
    roots: Sequence[str],
    transcript: Transcript,
    now: int,
    properties: Sequence[str] = (),
) -> Observation:
    """Return what the transcript of `probe(roots, properties)` says.

    `now` is the controller's clock.
    """
    asked = _Asked(probe.outermost(roots), properties)
    try:
        return _seen(host, asked, transcript, now)
    except Trouble as trouble:
        return Unseen(host, trouble.cause, trouble.remedy)


def probe_failed(host: str, error: HostError) -> Unseen:
    """Return the observation of a host whose probe did not come back, by the class of error."""
    remedy = next((text for kind, text in HOST_REMEDIES if isinstance(error, kind)), "")
    return Unseen(host, error.message, remedy)


def _seen(host: str, asked: _Asked, transcript: Transcript, now: int) -> Seen:
    clock = _clock(transcript)
    release = _release(transcript)
    pools = _pools(transcript)
    below = _below(asked, transcript, pools) if asked.roots else _Below((), {})
    return Seen(
        host, now, clock, release, pools, below.filesystems, below.listed, _programs(transcript)
    )


def _clock(transcript: Transcript) -> int:
    said = output(transcript, probe.CLOCK).removesuffix("\n")
    if not (said.isascii() and said.isdecimal() and len(said) <= _CLOCK_DIGITS):
        raise Trouble(f"date +%s printed {said[:80]!r}")
    return int(said)


def _release(transcript: Transcript) -> str:
    try:
        return str(parse_zfs_version(output(transcript, probe.RELEASE)).userland)
    except VersionError as error:
        raise Trouble(str(error), "OpenZFS 2.1 or later is needed") from error


def _programs(transcript: Transcript) -> frozenset[str]:
    """Return the programs for streams. One that is not known of is one that is not there."""
    found = transcript.get(probe.PROGRAMS)
    return parse_programs(found.stdout) if found is not None else frozenset()


def _pools(transcript: Transcript) -> dict[str, Pool]:
    """Return the imported pools with their features."""
    rows = parsed(probe.POOLS, parse_pools, output(transcript, probe.POOLS))
    refuse_duplicates(probe.POOLS, (row.name for row in rows))
    features: dict[str, dict[str, str]] = {row.name: {} for row in rows}
    for row in parsed(probe.FEATURES, parse_features, output(transcript, probe.FEATURES)):
        if row.pool not in features:
            raise changed(f"pool {row.pool} appeared")
        if row.feature in features[row.pool]:
            raise Trouble(f"feature {row.feature} of pool {row.pool} is listed twice")
        features[row.pool][row.feature] = row.state
    return {
        row.name: Pool(row.name, row.guid, row.health, row.readonly, row.free, features[row.name])
        for row in sorted(rows)
    }


def _below(about: _Asked, transcript: Transcript, pools: Mapping[str, Pool]) -> _Below:
    """Return the filesystems of the roots' pools, with the versions of those below the roots.

    A pool that can't be opened (FAULTED, SUSPENDED ...) may answer in part or not at all: then
    nothing of it is reported, and its health says why.
    """
    roots = about.roots
    shut = frozenset(name for name, pool in pools.items() if not pool.usable)
    asked = probe.pools_of(roots)
    found = listing(transcript, probe.FILESYSTEMS, asked=asked, shut=shut)
    read = partial(read_filesystems, properties=about.properties)
    rows = parsed(probe.FILESYSTEMS, read, found.text)
    names = {row.name for row in rows}
    refuse_duplicates(probe.FILESYSTEMS, (row.name for row in rows))
    check_pools(asked, found.missing, names, pools)
    check_tree(names, asked)

    answer = listing(transcript, probe.VERSIONS, asked=roots, shut=shut)
    groups = parsed(probe.VERSIONS, read_versions, answer.text)
    closed = shut & {pool_of(name) for name in found.missing | answer.missing}
    check_roots([root for root in roots if pool_of(root) not in closed], answer.missing, names)
    check_groups(groups, roots, names)

    tags = _tags(transcript, groups)
    filesystems = {
        row.name: _filesystem(row, groups.get(row.name, ()), tags)
        for row in sorted(rows)
        if pool_of(row.name) not in closed
    }
    listed = tuple(root for root in roots if pool_of(root) in pools.keys() - closed)
    return _Below(listed, filesystems)


def _tags(transcript: Transcript, groups: Mapping[str, Sequence[Version]]) -> Tags:
    """Return the hold tags of the snapshots that have some."""
    tags: dict[str, list[str]] = {}
    for row in parsed(probe.HOLDS, parse_holds, output(transcript, probe.HOLDS)):
        tags.setdefault(row.name, []).append(row.tag)
    check_holds(tags, groups)
    return {name: tuple(sorted(found)) for name, found in tags.items()}


def _filesystem(row: FilesystemRow, versions: Sequence[Version], tags: Tags) -> Filesystem:
    return Filesystem(
        name=row.name,
        kind=row.kind,
        guid=row.guid,
        createtxg=row.createtxg,
        used=row.used,
        written=row.written,
        referenced=row.referenced,
        encryption=row.encryption,
        keystatus=row.keystatus,
        encryptionroot=row.encryptionroot,
        origin=row.origin,
        readonly=row.readonly,
        mounted=row.mounted,
        resume_token=row.resume_token,
        inconsistent=row.inconsistent,
        placeholder=row.placeholder == row.name,
        disabled=row.reconcile == DISABLED,
        properties=row.properties,
        versions=tuple(_completed(versions, row, tags)),
        gone_since=gone_since(row.gone_since, row.name) if row.gone_since else None,
    )


def _completed(versions: Sequence[Version], row: FilesystemRow, tags: Tags) -> Sequence[Version]:
    """Return versions in their order, with hold tags and with specs of their own."""
    ordered = in_order(versions)
    if row.spec is None and not any(map(_USERREFS, ordered)):
        return ordered
    return [_own(version, row, tags) for version in ordered]


def _own(version: Version, row: FilesystemRow, tags: Tags) -> Version:
    """Return a version with its hold tags, and with a spec only where it is its own.

    A snapshot inherits the user properties of its filesystem (zfsprops(7)), and `zfs list` does
    not tell. So a spec that the filesystem has too says nothing about its snapshots: they count
    as made by others, which is the careful reading.
    """
    spec = None if version.spec == row.spec else version.spec
    if not version.userrefs:
        return version if spec == version.spec else version._replace(spec=spec)
    holds = tags.get(version.of(row.name), ())
    return version._replace(spec=spec, holds=holds, userrefs=max(version.userrefs, len(holds)))
