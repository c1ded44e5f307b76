"""Conflicts between a sender and what is at its receiver's place: evidence and remedy.

A conflict is a value in the plan; inside the planner it travels as an exception, because every
step of planning a pair may find one and none can go on.
"""

from collections.abc import Iterator, Sequence

from reconciler.observed.model import Filesystem
from reconciler.planner.history import Diverged, NoCommonVersion
from reconciler.planner.pairs import Pair
from reconciler.zfs.types import Version


class Conflicted(Exception):
    """Raised when a pair can't be planned until a person has done something."""

    def __init__(
        self,
        code: str,
        message: str,
        remedy: str,
        evidence: Sequence[str] = (),
        *,
        place: tuple[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.remedy = remedy
        self.evidence = tuple(evidence)
        self.place = place
        """Host and filesystem, where that is not the receiver."""


def modified(host: str, there: Filesystem) -> Conflicted:
    """Somebody wrote to the receiver."""
    return Conflicted(
        "receiver-modified",
        f"{there.name} was written to since its newest snapshot",
        f"keep what was written (zfs snapshot and zfs clone), then zfs rollback"
        f" {there.snapshots[-1].of(there.name)} on {host}",
        [f"{there.written} bytes written since {there.snapshots[-1].label}"],
    )


def diverged(pair: Pair, there: Filesystem, found: Diverged) -> Conflicted:
    """The receiver has newer snapshots that the sender does not have."""
    sender, host = pair.source.host, pair.receiver_host
    names = ", ".join(version.label for version in found.receiver_only)
    common = found.common.receiver
    return Conflicted(
        "diverged",
        f"diverged: {_count(found.receiver_only)} there that {sender} does not have ({names}),"
        f" newer than the common {common.label}",
        f"to keep what is there: zfs rename {there.name} {there.name}.aside and start afresh; to"
        f" give it up: zfs rollback -r {common.of(there.name)} on {host} (destroys {names})",
        [
            f"common: {common.label} (guid {common.guid})",
            *(f"only on {host}: {v.label} (guid {v.guid})" for v in found.receiver_only),
            f"newest on {sender}: {_newest(pair.source.filesystem)}",
            *_set_back(pair, found),
        ],
    )


def _set_back(pair: Pair, found: Diverged) -> Iterator[str]:
    """Say that all that the sender lacks came from there, if it did."""
    if all(pair.source.ours.on_receiver(version) for version in found.receiver_only):
        sender = pair.source.host
        yield f"all of it came from {sender}, which was set back to an earlier state or has lost it"


def no_common(pair: Pair, there: Filesystem, found: NoCommonVersion) -> Conflicted:
    """The receiver's snapshots are none of the sender's."""
    sender, host = pair.source.host, pair.receiver_host
    return Conflicted(
        "no-common-version",
        f"no common version: none of the {_count(found.receiver_has)} there is on {sender}, as"
        " snapshot or as bookmark",
        f"zfs rename {there.name} {there.name}.aside on {host} to keep it and start afresh",
        [
            f"newest on {host}: {_newest(there)}",
            f"newest on {sender}: {_newest(pair.source.filesystem)}",
            *_made_anew(pair, found),
        ],
    )


def _made_anew(pair: Pair, found: NoCommonVersion) -> Iterator[str]:
    """Say that the sender's filesystem is another one by now, if what we leave on it is gone."""
    here, marks = pair.source.filesystem, pair.marks
    was_received = any(marks.base_tag in version.holds for version in found.receiver_has)
    if was_received and not any(marks.is_cursor(version) for version in here.bookmarks):
        yield (
            f"{pair.source.host} {here.name} has no cursor of ours any more: it seems to be another"
            " filesystem, made anew under the old name"
        )


def occupied(host: str, there: Filesystem) -> Conflicted:
    """Something without any snapshot is at the receiver's place.

    That may be another tool's placeholder: what is below it is worth being kept.
    """
    aside = (
        f"zfs rename {there.name} on {host} out of the way, let it be received, then rename its"
        " children back below it"
    )
    if there.inconsistent:
        return Conflicted(
            "receive-under-way",
            f"{there.name} is being received by somebody else",
            "wait until that is done, or find out who it is (ps on that host)",
        )
    if there.placeholder:
        return Conflicted(
            "receiver-is-placeholder",
            f"{there.name} is a placeholder made earlier; a full stream would have to replace it",
            f"{aside}; where nothing is below it, `onConflict: setAside` does that",
        )
    return Conflicted(
        "receiver-without-snapshots",
        f"{there.name} exists and has no snapshot; a full stream would have to replace it",
        f"{aside}, if it has any",
        [f"it refers to {there.referenced} bytes"],
    )


def _count(versions: Sequence[Version]) -> str:
    return f"{len(versions)} snapshot{'s' if len(versions) != 1 else ''}"


def _newest(filesystem: Filesystem) -> str:
    """Return what is the newest there now; what the plan would make is no evidence."""
    there = [version for version in filesystem.snapshots if not version.is_planned]
    return f"{there[-1].label} (guid {there[-1].guid})" if there else "no snapshot"
