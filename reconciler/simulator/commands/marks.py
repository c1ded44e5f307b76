"""`zfs bookmark`, `zfs hold` and `zfs release`."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from reconciler.simulator import change
from reconciler.simulator.checks import BUSY, check_pool, check_space, is_sent
from reconciler.simulator.dependents import clones
from reconciler.simulator.destruction import reap, with_snapshot
from reconciler.simulator.items import DOES_NOT_EXIST, Kind, Kinds, open_item
from reconciler.simulator.model import Bookmark, Dataset, Machine, Pool, Snapshot
from reconciler.simulator.naming import complaint
from reconciler.simulator.process import Commands, Process, Refused
from reconciler.simulator.usage import usage
from reconciler.zfs.names import MAX_TAG, filesystem_of, pool_of

FILESYSTEMS: Kinds = frozenset({Kind.FILESYSTEM, Kind.VOLUME})

_FEATURES = ("bookmarks", "bookmark_v2", "bookmark_written")
"""What the first bookmark of a pool makes active."""

_NOT_ANCESTOR = "source is not an ancestor of the new bookmark's dataset"


# -- bookmarks -------------------------------------------------------------------------------------


def bookmark(process: Process) -> Iterable[bytes]:
    """Make a bookmark of a snapshot, or of a bookmark (zfs-bookmark(8))."""
    options = process.options("", usage=lambda said: usage("bookmark", said))
    if len(options.operands) < 2:
        missing = "bookmark" if options.operands else "source"
        raise usage("bookmark", f"missing {missing} argument")
    source, name = _full_names(*options.operands[:2])
    kind = Kind.SNAPSHOT if "@" in source.partition("#")[0] else Kind.BOOKMARK
    try:
        open_item(process.cell.read(), source, frozenset({kind}))
    except Refused as refused:
        raise usage("bookmark", *refused.lines) from None
    process.cell.change(lambda machine: _bookmarked(machine, source, name))
    return ()


def _full_names(source: str, name: str) -> tuple[str, str]:
    """Return both names with their filesystem: one of them may be without it."""
    if not re.search("[@#]", source):
        raise usage("bookmark", f"invalid source name '{source}': must contain a '@' or '#'")
    if "#" not in name:
        raise usage("bookmark", f"invalid bookmark name '{name}': must contain a '#'")
    if source[0] in "@#" and name[0] == "#":
        raise _without_line_end("either source or bookmark must be specified as full dataset paths")
    if source[0] in "@#":
        source = filesystem_of(name) + source
    elif name[0] == "#":
        name = filesystem_of(source) + name
    return source, name


def _without_line_end(said: str) -> Refused:
    """Return the refusal with the one complaint of ZFS that runs into the usage text."""
    first, *rest = usage("bookmark").lines
    return Refused(f"{said}{first}", *rest, status=usage("bookmark").status)


def _bookmarked(machine: Machine, source: str, name: str) -> Machine:
    action = f"cannot create bookmark '{name}'"
    pool = pool_of(name)
    check_pool(machine, pool, action)
    if machine.pools[pool].features.get("bookmarks") == "disabled":
        raise Refused(f"{action}: bookmark feature not enabled")
    filesystem, _, short = name.partition("#")
    if complaint(name, "@#") is not None or "@" in name:
        raise Refused(f"{action}: invalid argument")
    dataset = change.find(machine, filesystem)
    if dataset is None:
        raise Refused(f"{action}: {DOES_NOT_EXIST}")
    if any(there.name == short for there in dataset.bookmarks):
        raise Refused(f"{action}: bookmark exists")
    made = replace(_source(machine, dataset, source, action), name=short)
    check_space(machine, pool, action, 1)
    machine, _ = change.next_txg(machine, pool)
    machine = change.with_pool(machine, _with_active(machine.pools[pool]))
    bookmarks = sorted((*dataset.bookmarks, made), key=lambda found: found.name)
    return change.with_dataset(machine, replace(dataset, bookmarks=tuple(bookmarks)))


def _source(machine: Machine, dataset: Dataset, source: str, action: str) -> Bookmark:
    """Return what to copy; raise Refused unless it is in the filesystem's own past."""
    if "@" in source:
        return _of_snapshot(machine, dataset, source, action)
    of = change.find(machine, filesystem_of(source))
    found = next((b for b in of.bookmarks if f"{of.name}#{b.name}" == source), None) if of else None
    if of is None or found is None:
        raise Refused(f"{action}: {DOES_NOT_EXIST}")
    if not _is_before(machine, dataset, of, found.createtxg):
        raise Refused(f"{action}: {_NOT_ANCESTOR}")
    return found


def _of_snapshot(machine: Machine, dataset: Dataset, source: str, action: str) -> Bookmark:
    if pool_of(source) != pool_of(dataset.name):
        raise Refused(f"{action}: bookmark is in a different pool")
    found = change.find_snapshot(machine, source)
    if found is None:
        raise Refused(f"{action}: {DOES_NOT_EXIST}")
    of, snapshot = found
    if not _is_before(machine, dataset, of, snapshot.createtxg):
        raise Refused(f"{action}: {_NOT_ANCESTOR}")
    return Bookmark(
        name="",
        guid=snapshot.guid,
        createtxg=snapshot.createtxg,
        creation=snapshot.creation,
        referenced=change.referenced(snapshot.files),
        ivset=snapshot.ivset,
    )


def _is_before(machine: Machine, later: Dataset, earlier: Dataset, createtxg: int) -> bool:
    """Tell whether a point of one filesystem's life is in the past of another one.

    That is its own, or that of its origin up to the snapshot it was cloned of, and so on.
    """
    if later.name == earlier.name:
        return True
    found = change.by_object(machine, later.origin) if later.origin is not None else None
    if found is None:
        return False
    of, origin = found
    if of.name == earlier.name:
        return createtxg <= origin.createtxg
    return _is_before(machine, of, earlier, createtxg)


def _with_active(pool: Pool) -> Pool:
    active = {name: "active" for name in _FEATURES if pool.features.get(name) == "enabled"}
    return replace(pool, features={**pool.features, **active}) if active else pool


# -- holds -----------------------------------------------------------------------------------------


def hold(process: Process) -> Iterable[bytes]:
    """Put a hold on snapshots (zfs-hold(8)): one transaction group for each operand."""
    options = process.options("rt", usage=lambda said: usage("hold", said))
    if len(options.operands) < 2:
        raise usage("hold")
    tag, *snapshots = options.operands
    if tag.startswith("."):
        raise usage("hold", "tag may not start with '.'")
    now = process.now()
    for name in snapshots:
        with _going_on(process):
            _check_filesystem(process, name)
            names = _with_name(process, name, recursive=options.has("r"))
            if not names:
                raise Refused(f"cannot hold snapshot '{name}': {DOES_NOT_EXIST}")
            process.cell.change(partial(_held, names, tag, now))
    return ()


def release(process: Process) -> Iterable[bytes]:
    """Take a hold from snapshots (zfs-release(8)); the last one may destroy a deferred one."""
    options = process.options("r", usage=lambda said: usage("release", said))
    if len(options.operands) < 2:
        raise usage("release")
    tag, *snapshots = options.operands
    for name in snapshots:
        with _going_on(process):
            _check_filesystem(process, name)
            names = _to_release(process, name, tag, recursive=options.has("r"))
            process.cell.change(partial(_released, names, tag))
    return ()


@contextmanager
def _going_on(process: Process) -> Iterator[None]:
    """Complain about what is refused, and go on with the next operand."""
    try:
        yield
    except Refused as refused:
        process.fail(*refused.lines)


def _check_filesystem(process: Process, name: str) -> None:
    filesystem, delimiter, _ = name.partition("@")
    if not delimiter:
        raise Refused(f"'{name}' is not a snapshot")
    open_item(process.cell.read(), filesystem, FILESYSTEMS)


def _with_name(process: Process, name: str, *, recursive: bool) -> list[str]:
    """Return the snapshots of that name that exist, of the filesystem or of all below it too."""
    machine = process.cell.read()
    return [
        full
        for full in _candidates(machine, name, recursive=recursive)
        if change.find_snapshot(machine, full)
    ]


def _candidates(machine: Machine, name: str, *, recursive: bool) -> Iterator[str]:
    filesystem, _, short = name.partition("@")
    if not recursive:
        yield name
        return
    for dataset in change.within(machine, filesystem):
        yield f"{dataset.name}@{short}"


def _held(names: Iterable[str], tag: str, now: int, machine: Machine) -> Machine:
    found = [
        (name, there)
        for name in names
        if (there := change.find_snapshot(machine, name)) is not None
    ]
    if not found:
        return machine
    pool = pool_of(found[0][0])
    check_pool(machine, pool, "cannot hold")
    if not tag:
        raise Refused("cannot hold: operation not applicable to datasets of this type")
    for name, (_, snapshot) in found:
        wrong = _wrong_with_tag(tag, snapshot)
        if wrong is not None:
            raise Refused(f"cannot hold snapshot '{name}': {wrong}")
    machine, _ = change.next_txg(machine, pool)
    for _, (dataset, snapshot) in found:
        made = replace(snapshot, holds={**snapshot.holds, tag: now})
        machine = with_snapshot(machine, dataset, made)
    return machine


def _wrong_with_tag(tag: str, snapshot: Snapshot) -> str | None:
    length = len(tag.encode())
    if length > MAX_TAG + 1:
        return "tag too long"
    if length > MAX_TAG:
        return "dataset name is too long"
    return "tag already exists on this dataset" if tag in snapshot.holds else None


def _to_release(process: Process, name: str, tag: str, *, recursive: bool) -> list[str]:
    """Return the snapshots that have the tag; with none, what is said is of the last one seen."""
    machine = process.cell.read()
    names, why = [], ""
    for full in _candidates(machine, name, recursive=recursive):
        found = change.find_snapshot(machine, full)
        if found is None:
            why = DOES_NOT_EXIST
        elif tag not in found[1].holds:
            why = "no such tag on this dataset"
        else:
            names.append(full)
    if not names:
        raise Refused(f"cannot release hold from snapshot '{name}': {why}")
    return names


def _released(names: Iterable[str], tag: str, machine: Machine) -> Machine:
    found = [
        (name, there)
        for name in names
        if (there := change.find_snapshot(machine, name)) is not None
    ]
    holders = [(name, of, snapshot) for name, (of, snapshot) in found if tag in snapshot.holds]
    if not holders:
        return machine
    pool = pool_of(holders[0][0])
    check_pool(machine, pool, "cannot release")
    for name, of, snapshot in holders:
        if _goes_with_last_hold(machine, of, snapshot) and is_sent(machine, snapshot):
            raise Refused(f"cannot release hold from snapshot '{name}': {BUSY}")
    machine, _ = change.next_txg(machine, pool)
    for _, of, snapshot in holders:
        left = {other: when for other, when in snapshot.holds.items() if other != tag}
        machine = with_snapshot(machine, of, replace(snapshot, holds=left))
        machine = reap(machine, snapshot.object, near=of.name)
    return machine


def _goes_with_last_hold(machine: Machine, of: Dataset, snapshot: Snapshot) -> bool:
    return snapshot.deferred and len(snapshot.holds) == 1 and not clones(machine, of, snapshot)


COMMANDS: Commands = {
    ("zfs", "bookmark"): bookmark,
    ("zfs", "hold"): hold,
    ("zfs", "release"): release,
}
