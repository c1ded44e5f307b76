"""What the properties ask of plans and worlds, in the words of the invariants."""

from collections.abc import Iterator
from typing import NamedTuple

from reconciler.actions import Destroy, Release
from reconciler.desired.model import Desired, Replication, Target
from reconciler.observed.change import filesystem_of
from reconciler.observed.model import Observed, Seen
from reconciler.planner.history import Common, compare
from reconciler.planner.marks import Ownership, PairMarks
from reconciler.planner.plan import Plan
from reconciler.zfs.types import Version

Place = tuple[str, str]
"""Host and filesystem."""


class Doomed(NamedTuple):
    """One version that a plan destroys."""

    place: Place
    version: Version


class Ends(NamedTuple):
    """A declared pair, whatever is there."""

    replication: Replication
    target: Target
    sender: Place
    receiver: Place


def doomed(plan: Plan) -> list[Doomed]:
    """Every version that a plan destroys."""
    return [
        Doomed((p.action.host, p.action.filesystem), version)
        for p in plan.actions
        if isinstance(p.action, Destroy)
        for version in p.action.versions
    ]


def let_go(plan: Plan) -> set[Place]:
    """The filesystems on which a plan destroys or releases something."""
    actions = [p.action for p in plan.actions if isinstance(p.action, Destroy | Release)]
    return {(action.host, action.filesystem) for action in actions}


def ends(desired: Desired, observed: Observed) -> Iterator[Ends]:
    """All pairs of filesystems that the specs declare and of which one end can be seen."""
    for replication in desired.replications.values():
        for target in replication.targets:
            for sender in replication.senders:
                for name in sorted(_names(replication, target, sender, observed)):
                    there = target.receiver_of(sender, name)
                    yield Ends(replication, target, (sender, name), (target.host, there))


def _names(replication: Replication, target: Target, sender: str, observed: Observed) -> set[str]:
    root = f"{target.roots[sender]}/"
    here, there = observed[sender], observed[target.host]
    names = set(here.filesystems) if isinstance(here, Seen) else set()
    if isinstance(there, Seen):
        names |= {name.removeprefix(root) for name in there.filesystems if name.startswith(root)}
    return {name for name in names if replication.selects(sender, name)}


def peers(desired: Desired, observed: Observed, place: Place) -> set[Place]:
    """The filesystems at the other ends of all pairs that one is part of."""
    found = [(pair.sender, pair.receiver) for pair in ends(desired, observed)]
    return {b for a, b in found if a == place} | {a for a, b in found if b == place}


def owners(desired: Desired, observed: Observed, thing: Doomed) -> set[str]:
    """The replications that manage a version, by the rules for sender and receiver."""
    host, name = thing.place
    found = {
        replication.name
        for replication in desired.replications.values()
        if host in replication.senders
        and replication.selects(host, name)
        and (
            Ownership.of(replication).on_sender(thing.version)
            or Ownership.of(replication).is_mark(thing.version)
        )
    }
    for pair in ends(desired, observed):
        ours = Ownership.of(pair.replication)
        marks = PairMarks.of(pair.replication, pair.target, pair.sender[0])
        received = pair.receiver == thing.place and ours.on_receiver(thing.version)
        if received or (pair.sender == thing.place and marks.is_cursor(thing.version)):
            found.add(pair.replication.name)
    return found


def common_guid(observed: Observed, pair: Ends) -> int | None:
    """The guid of the undisputed most recent common version of a pair."""
    here, there = filesystem_of(observed, *pair.sender), filesystem_of(observed, *pair.receiver)
    if here is None or there is None:
        return None
    found = compare(here.versions, there.versions)
    return found.sender.guid if isinstance(found, Common) else None


def managed(desired: Desired, observed: Observed) -> dict[Place, set[int]]:
    """For each filesystem with managed snapshots their guids."""
    found: dict[Place, set[int]] = {}
    for host, seen in observed.items():
        filesystems = seen.filesystems.items() if isinstance(seen, Seen) else ()
        for name, filesystem in filesystems:
            place = (host, name)
            guids = {
                version.guid
                for version in filesystem.snapshots
                if owners(desired, observed, Doomed(place, version))
            }
            if guids:
                found[place] = guids
    return found
