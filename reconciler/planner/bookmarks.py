"""What is left of snapshots that are destroyed on a sender: bookmarks under our own name.

A receiver that was away for long, or has lost its newest snapshots, can go on from one. Each is
made right before its snapshot goes. Only those with this replication's name are ever destroyed.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from reconciler.actions import Bookmark, Reason
from reconciler.planner.pairs import Source
from reconciler.zfs.types import Version, version_order

LEAVING = Reason("left-behind", "stays when its snapshot goes")
SURPLUS = Reason("surplus-bookmark", "newer ones are enough")


class Bookmarks(NamedTuple):
    """What is to be done about a source's bookmarks, cursors apart."""

    make: tuple[Bookmark, ...]
    """Each before its snapshot is destroyed."""
    surplus: tuple[Version, ...]
    """Beyond those that are to be kept."""


def left_behind(source: Source, going: Sequence[Version], needed: Collection[int]) -> Bookmarks:
    """Return what is left of the snapshots that are `going`, and what goes of what was left.

    `needed` are the guids that receivers start from: no bookmark of those is ever surplus. Without
    `bookmarks` in the spec those that are there stay as they are.
    """
    wanted, ours = source.replication.bookmarks, source.ours
    if wanted is None:
        return Bookmarks((), ())
    there = [version for version in source.filesystem.bookmarks if ours.is_mark(version)]
    present = {version.guid for version in there}
    all_marks = sorted((*there, *(v for v in going if v.guid not in present)), key=version_order)
    kept = {version.guid for version in all_marks[-(wanted.last or len(all_marks)) :]}
    return Bookmarks(
        tuple(
            Bookmark(source.host, source.filesystem.name, version, ours.mark_prefix, peer="")
            for version in going
            if version.guid in kept - present
        ),
        tuple(v for v in there if v.guid not in kept and v.guid not in needed),
    )
