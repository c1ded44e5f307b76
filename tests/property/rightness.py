"""What is asked of every single thing that a controller did, with the true world in view."""

from collections.abc import Iterator
from typing import NamedTuple

from reconciler.desired.model import Desired
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.marks import Ownership, PairMarks
from reconciler.simulator import change as changing
from reconciler.simulator.model import Dataset, Machine, Snapshot
from reconciler.zfs.types import Version, VersionKind
from tests.property.questions import common_guid, ends
from tests.support.stage import Change, World


class Gone(NamedTuple):
    """A version that is no longer there, with the filesystem it was of."""

    host: str
    dataset: Dataset
    version: Version


_SEEN: dict[int, tuple[Machine, Seen]] = {}
"""What was made of a machine, by its identity: each is looked at before and after every change."""

_MOST_SEEN = 100


def seen_as(host: str, machine: Machine) -> Seen:
    """Return all that there is to be seen of a machine, without asking it anything."""
    known = _SEEN.get(id(machine))
    if known is not None and known[0] is machine and known[1].host == host:
        return known[1]
    if len(_SEEN) >= _MOST_SEEN:
        _SEEN.clear()
    found = _seen_as(host, machine)
    _SEEN[id(machine)] = machine, found
    return found


def _seen_as(host: str, machine: Machine) -> Seen:
    there = {name: d for name, d in machine.datasets.items() if changing.find(machine, name)}
    filesystems = {name: _filesystem(dataset) for name, dataset in sorted(there.items())}
    return Seen(host, 0, 0, machine.release, {}, filesystems, tuple(machine.pools))


def observed(world: World) -> Observed:
    """Return what there is to be seen of all hosts."""
    return {host: seen_as(host, machine) for host, machine in world.items()}


def _filesystem(dataset: Dataset) -> Filesystem:
    return Filesystem(
        name=dataset.name,
        kind=dataset.kind,
        guid=dataset.guid,
        createtxg=dataset.createtxg,
        used=0,
        written=0,
        referenced=0,
        encryption="off",
        keystatus="none",
        encryptionroot=None,
        origin=None,
        readonly=False,
        mounted=dataset.mounted,
        resume_token=None,
        inconsistent=dataset.inconsistent,
        placeholder=False,
        disabled=False,
        versions=versions_of(dataset),
    )


def versions_of(dataset: Dataset) -> tuple[Version, ...]:
    """Return the versions of a filesystem, in version order."""
    found = [
        Version(
            VersionKind.BOOKMARK,
            bookmark.name,
            bookmark.guid,
            bookmark.createtxg,
            bookmark.creation,
        )
        for bookmark in dataset.bookmarks
    ]
    found += [_version(snapshot) for snapshot in dataset.snapshots]
    return tuple(sorted(found, key=lambda v: (v.createtxg, v.is_snapshot)))


def _version(snapshot: Snapshot) -> Version:
    return Version(
        VersionKind.SNAPSHOT,
        snapshot.name,
        snapshot.guid,
        snapshot.createtxg,
        snapshot.creation,
        spec=snapshot.properties.get("reconciler:spec"),
        holds=tuple(sorted(snapshot.holds)),
        userrefs=len(snapshot.holds),
    )


def gone(change: Change) -> Iterator[Gone]:
    """Yield the versions that a change took away."""
    before, after = change.before[change.host], change.after[change.host]
    for name, dataset in before.datasets.items():
        if after.datasets.get(name) is dataset:
            continue
        left = versions_of(after.datasets[name]) if name in after.datasets else ()
        labels = {(version.label, version.guid) for version in left}
        for version in versions_of(dataset):
            if (version.label, version.guid) not in labels:
                yield Gone(change.host, dataset, version)


# -- the rules -------------------------------------------------------------------------------------


def check_is_managed_and_not_held(desired: Desired, change: Change) -> None:
    """Only what a spec manages goes, and nothing that somebody else holds."""
    for lost in gone(change):
        assert _manages(desired, lost), f"{lost} is foreign"
        assert not lost.version.holds, f"{lost} is held"


def check_common_versions_stay(desired: Desired, change: Change) -> None:
    """Each pair that had a common version has one; a change is one of its own host alone."""
    before, after = observed(change.before), observed(change.after)
    for pair in ends(desired, before):
        if change.host not in {pair.sender[0], pair.receiver[0]}:
            continue
        if common_guid(before, pair) is not None:
            assert common_guid(after, pair) is not None, f"{change.host}: {pair}"


def check_filesystems_stay(_desired: Desired, change: Change) -> None:
    """No filesystem goes, but for what was half received of a first stream."""
    before, after = change.before[change.host], change.after[change.host]
    for name, dataset in before.datasets.items():
        assert name in after.datasets or dataset.inconsistent, f"{change.host} {name} is gone"


def check_nothing_is_rolled_back(_desired: Desired, change: Change) -> None:
    """What is in a filesystem changes by a receive on top of it alone, and on receivers alone."""
    before, after = change.before[change.host], change.after[change.host]
    for name, dataset in before.datasets.items():
        now = after.datasets.get(name)
        if now is None or now.files == dataset.files or dataset.inconsistent:
            continue
        assert len(now.snapshots) == len(dataset.snapshots) + 1, f"{change.host} {name}"
        assert now.files == now.snapshots[-1].files
        newest = dataset.snapshots[-1] if dataset.snapshots else None
        assert newest is not None, f"{change.host} {name} was received over"
        assert dataset.files == newest.files, f"{change.host} {name}: changes were lost"


def check_a_managed_version_stays(desired: Desired, change: Change) -> None:
    """A filesystem that had managed snapshots has one."""
    before, after = change.before[change.host], change.after[change.host]
    for name, dataset in before.datasets.items():
        if after.datasets.get(name) is dataset:
            continue
        had = [v for v in versions_of(dataset) if _counts(desired, change.host, dataset, v)]
        if had and name in after.datasets:
            now = after.datasets[name]
            left = [v for v in versions_of(now) if _counts(desired, change.host, now, v)]
            assert left, f"{change.host} {name} has no managed snapshot any more"


RULES = (
    check_is_managed_and_not_held,
    check_common_versions_stay,
    check_filesystems_stay,
    check_nothing_is_rolled_back,
    check_a_managed_version_stays,
)


def _counts(desired: Desired, host: str, dataset: Dataset, version: Version) -> bool:
    return version.is_snapshot and _manages(desired, Gone(host, dataset, version))


def _manages(desired: Desired, thing: Gone) -> bool:
    """Tell whether any replication manages a version, be its filesystem sender or receiver."""
    for replication in desired.replications.values():
        ours = Ownership.of(replication)
        sends = thing.host in replication.senders and replication.selection.selects(
            thing.dataset.name
        )
        if sends and ours.on_sender(thing.version):
            return True
        for target in replication.targets:
            for sender, root in target.roots.items():
                name = thing.dataset.name.removeprefix(f"{root}/")
                received = target.host == thing.host and thing.dataset.name.startswith(f"{root}/")
                received = received and replication.selection.selects(name)
                if received and ours.on_receiver(thing.version):
                    return True
                marks = PairMarks.of(replication, target, sender)
                if sends and sender == thing.host and marks.is_cursor(thing.version):
                    return True
    return False


# -- what is true of ZFS itself --------------------------------------------------------------------


def check_zfs(world: World) -> None:
    """A guid means one content everywhere, chains are in order, and so on (openzfs facts, 8)."""
    contents: dict[int, dict[str, tuple[int, int]]] = {}
    for host, machine in world.items():
        for name, dataset in machine.datasets.items():
            txgs = [snapshot.createtxg for snapshot in dataset.snapshots]
            assert txgs == sorted(set(txgs)), f"{host} {name}: {txgs}"
            names = [snapshot.name for snapshot in dataset.snapshots]
            assert len(set(names)) == len(names)
            assert not (dataset.inconsistent and dataset.snapshots), f"{host} {name}"
            for snapshot in dataset.snapshots:
                files = {file: (block.id, block.size) for file, block in snapshot.files.items()}
                known = contents.setdefault(snapshot.guid, files)
                assert known == files, f"{host} {name}@{snapshot.name} is not what it was"
