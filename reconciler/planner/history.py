"""Two histories of one filesystem compared: what both have, and the way from there.

The common version is found by guid alone; names and times do not count. The receiver's bookmarks
can't be the start of a stream and are not looked at.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.zfs.tokens import ResumeToken
from reconciler.zfs.types import Version, VersionKind

_SNAPSHOT = VersionKind.SNAPSHOT


@dataclass(frozen=True, slots=True)
class Common:
    """The most recent common version, as each side has it."""

    sender: Version
    """The sender's snapshot, or its bookmark when the snapshot is gone."""
    receiver: Version


@dataclass(frozen=True, slots=True)
class NoCommonVersion:
    """The receiver has snapshots, and the sender none of them."""

    receiver_has: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class Diverged:
    """The receiver has snapshots newer than the common one that the sender does not have."""

    common: Common
    receiver_only: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """The receiver has no snapshot."""


History = Common | NoCommonVersion | Diverged | Nothing


def compare(sender: Sequence[Version], receiver: Sequence[Version]) -> History:
    """Compare two version lists, each oldest first.

    Of a snapshot and a bookmark with one guid the snapshot is preferred: it can start an `-I`
    stream, and it is what the sender's keep rules know.
    """
    there = [version for version in receiver if version.kind is _SNAPSHOT]
    if not there:
        return Nothing()
    newest = there[-1]
    for version in reversed(sender):
        if version.guid == newest.guid and version.kind is _SNAPSHOT:
            return Common(version, newest)
    here = {v.guid: v for v in sender if not v.is_snapshot}
    here |= {v.guid: v for v in sender if v.is_snapshot}
    for position in range(len(there) - 1, -1, -1):
        match = here.get(there[position].guid)
        if match is not None:
            common = Common(match, there[position])
            newer = tuple(there[position + 1 :])
            return Diverged(common, newer) if newer else common
    return NoCommonVersion(tuple(there))


@dataclass(frozen=True, slots=True)
class Run:
    """One stream: from `base` (None: a full stream of exactly one version) to the last of them."""

    base: Version | None
    versions: tuple[Version, ...]


def runs(
    snapshots: Sequence[Version], base: Version | None, wanted: Sequence[Version]
) -> tuple[Run, ...]:
    """Cut the way over the wanted versions into streams.

    `snapshots` are all of the sender's, oldest first; `wanted` some of them, newer than `base`.
    Neighbours go together in one stream, which brings everything between its ends: so a run ends
    where an unwanted snapshot lies in between. A bookmark can't start a run of several
    (zfs-send(8)), and a full stream brings one version. A promised version goes alone: others may
    take snapshots before it is made, and a run would bring those along.
    """
    position = {version.guid: number for number, version in enumerate(snapshots)}
    found: list[Run] = []
    for version in wanted:
        last = found[-1].versions[-1] if found else base
        if (
            found
            and found[-1].base is not None
            and found[-1].base.is_snapshot
            and not version.is_planned
            and position[version.guid] == position[found[-1].versions[-1].guid] + 1
            and _starts_next_to(found[-1], position)
        ):
            found[-1] = Run(found[-1].base, (*found[-1].versions, version))
        else:
            found.append(Run(last, (version,)))
    return tuple(found)


def _starts_next_to(run: Run, position: dict[int, int]) -> bool:
    """Tell whether nothing lies between a run's base and its first version."""
    start = position.get(run.base.guid) if run.base is not None else None
    return start is not None and position[run.versions[0].guid] == start + 1


def singly(streams: Iterable[Run]) -> list[Run]:
    """Return streams that bring one version each, in the same order."""
    return [
        Run(base, (version,))
        for run in streams
        for base, version in zip((run.base, *run.versions), run.versions, strict=False)
    ]


def split_first(streams: list[Run]) -> list[Run]:
    """Cut the first version off a run of several: a token resumes exactly one (zfs-send(8))."""
    first = streams[0]
    if len(first.versions) == 1:
        return streams
    head = Run(first.base, first.versions[:1])
    return [head, Run(first.versions[0], first.versions[1:]), *streams[1:]]


def estimate(
    snapshots: Sequence[Version], run: Run, token: ResumeToken | None, *, is_clone: bool
) -> int | None:
    """Estimate a stream's bytes from what a sender's snapshots say was written.

    A clone's first snapshot says so of what was written since the origin.
    """
    if run.base is None:
        size = run.versions[-1].referenced
    else:
        start = 0 if is_clone else run.base.createtxg
        end = run.versions[-1].createtxg
        parts = [v.written for v in snapshots if start < v.createtxg <= end]
        size = None if None in parts else sum(part or 0 for part in parts)
    if size is None or token is None:
        return size
    return max(0, size - token.bytes)
