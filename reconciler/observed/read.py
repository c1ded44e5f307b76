"""Understand what a probe printed. All of it, or the host is Unseen with the cause.

Whatever is not exactly as expected (a command that failed, a line that does not parse, two
listings that contradict each other) means that nothing is known about the host. The exceptions,
which are answers: a root that does not exist, a pool that is not imported or can't be opened.
"""

from collections.abc import Mapping, Sequence
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
from reconciler.observed.remembered import Below, Parts, Remembered, Tags
from reconciler.observed.trouble import HOST_REMEDIES, Trouble, changed, listing, output, parsed
from reconciler.zfs.capabilities import VersionError, parse_zfs_version
from reconciler.zfs.names import filesystem_of, pool_of
from reconciler.zfs.parse import FilesystemRow, HoldRow, parse_features, parse_pools
from reconciler.zfs.piping import parse_programs
from reconciler.zfs.properties import DISABLED, gone_since
from reconciler.zfs.versions import Versions

_CLOCK_DIGITS = 11


class _Asked(NamedTuple):
    """What a probe was made for, and what was read of the one before."""

    roots: tuple[str, ...]
    properties: Sequence[str]
    remembered: Remembered


class _Listed(NamedTuple):
    """What the listings of filesystems, versions and holds say, each by itself."""

    rows: list[FilesystemRow]
    groups: dict[str, Versions]
    holds: list[HoldRow]
    missing: tuple[frozenset[str], frozenset[str]]
    """Of the pools and of the roots that were asked about."""
    usable: Mapping[str, bool]
    """Pool → whether it is, for all that are imported."""


def read_probe(  # noqa: PLR0913 - what was asked, and what is known
    host: str,
    roots: Sequence[str],
    transcript: Transcript,
    now: int,
    properties: Sequence[str] = (),
    *,
    remembered: Remembered | None = None,
) -> Observation:
    """Return what the transcript of `probe(roots, properties)` says.

    `now` is the controller's clock. With what is `remembered` of the host's last probe only what
    has changed is read anew, and all else is the same objects as before.
    """
    asked = _Asked(probe.outermost(roots), properties, remembered or Remembered())
    asked.remembered.asked(asked.roots, tuple(properties))
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
    below = _below(asked, transcript, pools) if asked.roots else Below((), {})
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


def _below(about: _Asked, transcript: Transcript, pools: Mapping[str, Pool]) -> Below:
    """Return the filesystems of the roots' pools, with the versions of those below the roots.

    A pool that can't be opened (FAULTED, SUSPENDED ...) may answer in part or not at all: then
    nothing of it is reported, and its health says why.
    """
    shut = frozenset(name for name, pool in pools.items() if not pool.usable)
    found = listing(transcript, probe.FILESYSTEMS, asked=probe.pools_of(about.roots), shut=shut)
    answer = listing(transcript, probe.VERSIONS, asked=about.roots, shut=shut)
    remembered = about.remembered
    listed = _Listed(
        rows=parsed(probe.FILESYSTEMS, remembered.rows.read, found.text),
        groups=parsed(probe.VERSIONS, remembered.versions.read, answer.text),
        holds=parsed(probe.HOLDS, remembered.holds, output(transcript, probe.HOLDS)),
        missing=(found.missing, answer.missing),
        usable={name: pool.usable for name, pool in pools.items()},
    )
    return remembered.result(listed[:3], listed[3:], lambda: _checked(about, listed, pools))


def _checked(about: _Asked, found: _Listed, pools: Mapping[str, Pool]) -> Below:
    """Return what listings say if they do not contradict each other."""
    asked, roots = probe.pools_of(about.roots), about.roots
    names = {row.name for row in found.rows}
    missing_filesystems, missing_roots = found.missing
    refuse_duplicates(probe.FILESYSTEMS, (row.name for row in found.rows))
    check_pools(asked, missing_filesystems, names, pools)
    check_tree(names, asked)
    shut = {name for name, usable in found.usable.items() if not usable}
    closed = shut & {pool_of(name) for name in missing_filesystems | missing_roots}
    check_roots([root for root in roots if pool_of(root) not in closed], missing_roots, names)
    check_groups(found.groups, roots, names, about.remembered.has_versions)
    tags = _tags(found)
    rows = [row for row in sorted(found.rows) if pool_of(row.name) not in closed]
    filesystems = about.remembered.filesystems(rows, found.groups, tags, _filesystem)
    listed = tuple(root for root in roots if pool_of(root) in pools.keys() - closed)
    return Below(listed, filesystems)


def _tags(found: _Listed) -> Mapping[str, Tags]:
    """Return the hold tags of the snapshots that have some, by filesystem."""
    tags: dict[str, list[str]] = {}
    for row in found.holds:
        tags.setdefault(row.name, []).append(row.tag)
    check_holds(tags, found.groups)
    grouped: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, held in tags.items():
        grouped.setdefault(filesystem_of(name), {})[name] = tuple(sorted(held))
    return grouped


def _filesystem(parts: Parts) -> Filesystem:
    row = parts.row
    return Filesystem(
        *row[:15],  # Up to `inconsistent` the fields are the same.
        placeholder=row.placeholder == row.name,
        disabled=row.reconcile == DISABLED,
        properties=row.properties,
        versions=_completed(parts),
        gone_since=gone_since(row.gone_since, row.name) if row.gone_since else None,
    )


def _completed(parts: Parts) -> Versions:
    """Return versions in their order, with hold tags and with specs of their own.

    A snapshot inherits the user properties of its filesystem (zfsprops(7)), and `zfs list` does
    not tell. So a spec that the filesystem has too says nothing about its snapshots: they count
    as made by others, which is the careful reading.
    """
    name, inherited = parts.row.name, parts.row.spec
    versions = parts.versions.in_order()
    columns = versions.columns
    if inherited is not None:
        columns = columns._replace(
            specs=tuple([None if spec == inherited else spec for spec in columns.specs])
        )
    if any(columns.userrefs):
        counted = list(zip(columns.labels, columns.userrefs, strict=True))
        holds = [parts.tags.get(name + label, ()) if count else () for label, count in counted]
        columns = columns._replace(
            holds=tuple(holds), userrefs=tuple(map(max, columns.userrefs, map(len, holds)))
        )
    return versions if columns is versions.columns else Versions(columns)
