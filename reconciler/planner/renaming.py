"""A sender's filesystem that seems to have been renamed: a conflict, never followed by itself.

Sent anew it would take its whole size once more and leave its history under the old name; and
`onConflict` says nothing of it, for nothing stands at its receiver's place. What was meant only a
person knows.
"""

from reconciler.observed.model import Filesystem, Seen
from reconciler.planner.absence import Absence, has_pool
from reconciler.planner.conflicts import Conflicted
from reconciler.planner.context import Context
from reconciler.planner.history import Common, Diverged, compare
from reconciler.planner.pairs import Pair
from reconciler.zfs.names import parent_of, pool_of
from reconciler.zfs.types import Version


def check_not_renamed(pair: Pair, seen: Seen, context: Context) -> None:
    """Raise Conflicted if what is at no receiver's place yet has one under an older name."""
    found = context.absences.renamed.get((pair.receiver_host, pair.receiver), ())
    for absence in found:
        common = _common(pair.source.filesystem, absence.there)
        if common is not None:
            raise _renamed(pair, seen, absence, common, context, also=found)


def _common(here: Filesystem, there: Filesystem) -> Version | None:
    match compare(here.versions, there.versions):
        case Common(receiver=common) | Diverged(common=Common(receiver=common)):
            return common
    return None


def _renamed(  # noqa: PLR0913 - all that is said
    pair: Pair,
    seen: Seen,
    absence: Absence,
    common: Version,
    context: Context,
    *,
    also: tuple[Absence, ...],
) -> Conflicted:
    sender, name, host = pair.source.host, pair.source.filesystem.name, pair.receiver_host
    old = absence.there.name
    others = [other.there.name for other in also if other.there.name != old]
    pool = pool_of(absence.name)
    away = not has_pool(pair.source.seen, absence.name)
    missing = f"pool {pool} is not imported on" if away else f"{absence.name} is gone from"
    back = f"; if {pool} is only away: zpool import {pool} on {sender}" if away else ""
    return Conflicted(
        "source-renamed",
        f"{name} seems to be {absence.name} under a new name: {old} has versions of it, and"
        f" {missing} {sender}",
        f"{_rename(pair, seen, absence, context)}; to send it anew instead: zfs rename {old}"
        f" {old}.aside there{back}",
        [
            f"common: {common.label} (guid {common.guid})",
            f"{sender} has no {absence.name}; {host} has no {pair.receiver}",
            *(f"{other} has versions of it, too" for other in others),
        ],
    )


def _rename(pair: Pair, seen: Seen, absence: Absence, context: Context) -> str:
    """Return what makes the receiver follow; of a whole tree, what makes all of it follow."""
    old, new = _topmost(pair, seen, absence, context)
    parent = parent_of(new) or new
    if parent in seen.filesystems:
        return f"zfs rename {old} {new} on {seen.host}"
    if (seen.host, parent) in context.declared:
        return f"when {parent} has been received, zfs rename {old} {new} on {seen.host}"
    return f"zfs rename -p {old} {new} on {seen.host}"


def _topmost(pair: Pair, seen: Seen, absence: Absence, context: Context) -> tuple[str, str]:
    """Go up as long as the parents differ as their children do: they were renamed with them."""
    here = context.observed.get(pair.source.host)
    names = here.filesystems if isinstance(here, Seen) else {}
    root = pair.target.roots[pair.source.host]
    old, new = absence.there.name, pair.receiver
    while old.rpartition("/")[2] == new.rpartition("/")[2]:
        old_parent, new_parent = old.rpartition("/")[0], new.rpartition("/")[0]
        moved = (
            old_parent in seen.filesystems
            and new_parent not in seen.filesystems
            and old_parent[len(root) + 1 :] not in names
            and new_parent[len(root) + 1 :] in names
        )
        if not moved:
            break
        old, new = old_parent, new_parent
    return old, new
