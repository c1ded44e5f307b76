"""What a target's `onConflict` makes of a conflict: the action that clears the way, if any may.

Setting aside loses nothing, and is done once: what was set aside waits for a person before
anything else is. Rolling back gives up what the receiver alone has, because the spec says so, but
not what somebody holds or has cloned, nor what has come from the sender: where that has lost it,
the receiver's is the last copy.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.actions import Reason, Rename, Rollback
from reconciler.desired.model import OnConflict
from reconciler.observed.model import Filesystem, Seen
from reconciler.planner.context import Context
from reconciler.planner.history import Common, Diverged, compare
from reconciler.planner.pairs import Pair
from reconciler.zfs.names import InvalidName, check_filesystem, is_within
from reconciler.zfs.types import Version

ASIDE = ".aside-"
"""What stands between a filesystem's name and the time it was set aside."""

SETS_ASIDE = frozenset(
    {
        "diverged",
        "encryption-mismatch",
        "no-common-version",
        "receiver-is-placeholder",
        "receiver-modified",
        "receiver-without-snapshots",
        "type-mismatch",
    }
)
"""Codes of the conflicts that are over when the receiver is under another name."""

ROLLS_BACK = frozenset({"diverged", "receiver-modified"})
"""Codes of the conflicts that are over when the receiver is as it was at the common version."""


@dataclass(frozen=True, slots=True)
class Mend:
    """How a conflict is cleared."""

    action: Rename | Rollback
    reason: Reason


def mend(pair: Pair, seen: Seen, there: Filesystem, code: str, context: Context) -> Mend | str:
    """Return what clears a conflict as the target says; a text says why nothing does.

    The text is empty where the target asks for nothing or the conflict is of another kind.
    """
    asked = pair.target.on_conflict
    reader = next(context.chains.reading((seen.host, there.name)), None)
    if reader is not None and asked is not OnConflict.STOP:
        return f"it is left as it is, because {reader.name} sends it on"
    if asked is OnConflict.SET_ASIDE and code in SETS_ASIDE:
        return _set_aside(seen, there, code, context)
    if asked is OnConflict.ROLLBACK and code in ROLLS_BACK:
        return _roll_back(pair, seen, there, code, context)
    return ""


def aside_of(filesystem: str, at: int) -> str:
    """Return the name under which a filesystem is set aside at an instant."""
    return f"{filesystem}{ASIDE}{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%SZ}"


def _set_aside(seen: Seen, there: Filesystem, code: str, context: Context) -> Mend | str:
    below = [n for n in seen.filesystems if n != there.name and is_within(n, there.name)]
    if below:
        return f"it is not set aside: {below[0]} below it would go with it"
    earlier = [n for n in seen.filesystems if n.startswith(f"{there.name}{ASIDE}")]
    if earlier:
        return f"it is not set aside: {earlier[0]} still is; keep of it what is needed first"
    name = aside_of(there.name, context.now)
    try:
        check_filesystem(name)
    except InvalidName as error:
        return f"it is not set aside: {error}"
    message = f"{code}, and the spec says `onConflict: setAside`; nothing of it is lost"
    return Mend(Rename(seen.host, there.name, name, there.guid), Reason("set-aside", message))


def _roll_back(
    pair: Pair, seen: Seen, there: Filesystem, code: str, context: Context
) -> Mend | str:
    match compare(pair.source.filesystem.versions, there.versions):
        case Common() as common:
            to, lost = common.receiver, tuple[Version, ...]()
        case Diverged(common, lost):
            to = common.receiver
        case _:
            return ""
    stays = _stays(pair, seen, there, to, lost, context)
    if stays:
        return f"it is not rolled back: {stays}"
    names = ", ".join(version.label for version in lost)
    gone = f"{names} and what was written since" if lost else "what was written since"
    message = f"{code}, and the spec says `onConflict: rollback`; given up: {gone}"
    kept = tuple(v for v in there.snapshots if v.createtxg < to.createtxg)
    return Mend(
        Rollback(seen.host, there.name, to._replace(holds=()), kept, tuple(lost)),
        Reason("rollback", message),
    )


def _stays(  # noqa: PLR0913, PLR0917 - all that may be minded
    pair: Pair,
    seen: Seen,
    there: Filesystem,
    to: Version,
    lost: tuple[Version, ...],
    context: Context,
) -> str:
    """Return what is in the way of a rollback; nothing that somebody else minds is given up."""
    if there.resume_token is not None:
        return "it has a partial receive"
    for version in lost:
        if pair.source.ours.on_receiver(version):
            return f"{version.label} has come from {pair.source.host}, which has lost it"
        if version.userrefs:
            return f"{version.label} is held"
        if version.of(there.name) in context.origins[seen.host]:
            return f"{version.label} has a clone"
    marks = [v for v in there.bookmarks if v.createtxg > to.createtxg]
    return f"{marks[0].label} would go with it" if marks else ""
