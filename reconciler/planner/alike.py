"""Filesystems that a plan can't tell apart: if it has nothing to say of one, so of all.

Snapshots of a pool are taken together, so most of its filesystems have versions of the same names
and times. They differ in their own names, in guids and in transaction groups; of those a pair's
plan asks only which are the same, and which comes first. All else that it rests on (the list is at
the top of `planner.memory`) has to be equal, to the letter.
"""

from collections.abc import Hashable, Iterable, Sequence
from operator import eq, le, lt

from reconciler.actions.bookmark import cursor_name
from reconciler.desired.model import Replication, Snapshots
from reconciler.observed.model import Filesystem, Seen
from reconciler.planner.marks import PairMarks, name_length
from reconciler.zfs.names import MAX_NAME, filesystem_of
from reconciler.zfs.versions import columns_of

_OWN = object()
"""For a name that is the filesystem's own."""


class Likeness:
    """What the filesystems that one replication sends from one host are compared by."""

    def __init__(self, replication: Replication, sender: Seen, receivers: Sequence[Seen]) -> None:
        """`receivers` are the hosts of the replication's targets, in their order."""
        snapshots = replication.snapshots
        labels = [1 + name_length(snapshots.prefix)] if isinstance(snapshots, Snapshots) else []
        for target in replication.targets:
            prefix = PairMarks.of(replication, target, sender.host).cursor_prefix
            labels.append(1 + len(cursor_name(prefix, 0)))
        self._longest = max(labels, default=0)
        self._cloned = [{*map(filesystem_of, seen.origins)} for seen in (sender, *receivers)]
        # Whether something was written is then one more thing that a slot depends on.
        self._asks_for_changes = isinstance(snapshots, Snapshots) and snapshots.if_changed

    def of(self, here: Filesystem, there: Sequence[Filesystem]) -> Hashable:
        """Return what a filesystem and its receivers share with those that are alike.

        None for what has to be planned by itself: it is in parts of clones, has a name that leaves
        little room for others, or is snapshotted for what was written to it.
        """
        ends = (here, *there)
        if self._asks_for_changes or any(map(_is_cloned, ends, self._cloned)):
            return None
        longest = max([self._longest, *map(len, columns_of(here.versions).labels)])
        if max([len(end.name) for end in ends]) + longest > MAX_NAME:
            return None
        numbers: dict[int, int] = {}
        return (here.pool, *(_facts(end, numbers) for end in ends))


def _is_cloned(filesystem: Filesystem, cloned: set[str]) -> bool:
    return filesystem.origin is not None or filesystem.name in cloned


def _facts(filesystem: Filesystem, numbers: dict[int, int]) -> Hashable:
    """Return what is compared of one end; `numbers` are those of guids, and grow."""
    root = filesystem.encryptionroot
    return (
        filesystem.kind,
        filesystem.written > 0,
        filesystem.encryption,
        filesystem.keystatus,
        _OWN if root == filesystem.name else root,
        filesystem.readonly,
        filesystem.mounted,
        filesystem.resume_token,
        filesystem.inconsistent,
        filesystem.placeholder,
        filesystem.disabled,
        filesystem.gone_since,
        frozenset(filesystem.properties.items()),
        *(_history(filesystem, numbers) if filesystem.versions else ()),
    )


def _history(filesystem: Filesystem, numbers: dict[int, int]) -> Iterable[Hashable]:
    labels, guids, createtxgs, creations, userrefs, _, _, specs, holds = columns_of(
        filesystem.versions
    )
    shown = _without_guids(labels, guids) if "#" in "".join(labels) else labels
    return shown, _same(guids, numbers), _order(createtxgs), creations, userrefs, specs, holds


def _without_guids(labels: Sequence[str], guids: Sequence[int]) -> Hashable:
    """Return the labels of versions, of our bookmarks without the guid at the end."""
    shown: list[Hashable] = list(labels)
    for place, label in enumerate(labels):
        if label[0] == "#":
            own = f"{guids[place]:016x}"
            shown[place] = (label[: -len(own)],) if label.endswith(own) else label
    return tuple(shown)


def _same(guids: Sequence[int], numbers: dict[int, int]) -> Hashable:
    """Return which guids are the same as others, on this end and on those before."""
    if not numbers:
        numbers.update(zip(guids, range(len(guids)), strict=True))
        if len(numbers) == len(guids):
            return len(guids)
    found = tuple(map(numbers.get, guids))
    if None not in found:
        return found
    # What comes later has negative numbers: of the first ones some may be missing.
    return tuple([numbers.setdefault(guid, -1 - len(numbers)) for guid in guids])


def _order(numbers: Sequence[int]) -> Hashable:
    """Return which numbers are equal, and which are larger than others."""
    following = numbers[1:]
    if all(map(lt, numbers, following)):
        return len(numbers)
    if all(map(le, numbers, following)):
        return tuple(map(eq, numbers, following))
    ranks = {number: rank for rank, number in enumerate(sorted(set(numbers)))}
    return tuple([ranks[number] for number in numbers])
