"""The guards against plans that no planner should make: destroy everything, everywhere."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.actions import Destroy, Reason
from reconciler.observed.model import Observed, Seen
from reconciler.planner.guards import guard
from reconciler.planner.plan import Plan, PlannedAction
from reconciler.planner.planning import plan
from reconciler.zfs.types import Version
from tests.property.questions import (
    Doomed,
    common_guid,
    doomed,
    ends,
    managed,
    owners,
    peers,
)
from tests.property.strategies import Scenario, scenarios


def reckless(made: Plan, observed: Observed, *, whole: bool) -> Plan:
    """Add destroys of all that is there, filesystem by filesystem or version by version."""
    destroys = [
        Destroy(host, filesystem.name, versions)
        for host, seen in observed.items()
        if isinstance(seen, Seen)
        for filesystem in seen.filesystems.values()
        for versions in _batches(filesystem.versions, whole=whole)
    ]
    reason = Reason("reckless", "why not")
    last = tuple(p.id for p in made.actions)
    planned = [PlannedAction(destroy, reason, "web", last) for destroy in destroys]
    return replace(made, actions=(*made.actions, *planned))


def _batches(versions: tuple[Version, ...], *, whole: bool) -> list[tuple[Version, ...]]:
    snapshots = tuple(version for version in versions if version.is_snapshot)
    if whole and snapshots:
        return [snapshots]
    return [(version,) for version in versions]


@given(world=scenarios(), whole=st.booleans())
def test_guards_only_remove_destroys_and_list_what_they_removed(
    *, world: Scenario, whole: bool
) -> None:
    desired, observed, _ = world
    bad = reckless(plan(*world), observed, whole=whole)
    good = guard(bad, desired, observed)

    assert others(good) == others(bad)
    assert sorted([*doomed(good), *spared(good)]) == sorted([*doomed(bad), *spared(bad)])


def others(made: Plan) -> list[PlannedAction]:
    return [p for p in made.actions if not isinstance(p.action, Destroy)]


def spared(made: Plan) -> list[Doomed]:
    return [Doomed((b.host, b.filesystem), v) for b in made.blocked for v in b.versions]


@given(world=scenarios(), whole=st.booleans())
def test_guards_let_nothing_through_that_must_stay(*, world: Scenario, whole: bool) -> None:
    desired, observed, now = world
    empty = replace(plan(desired, observed, now), actions=())
    good = guard(reckless(empty, observed, whole=whole), desired, observed)

    for thing in doomed(good):
        seen = observed[thing.place[0]]
        assert isinstance(seen, Seen)
        assert abs(seen.clock - seen.at) <= 60
        assert not seen.filesystems[thing.place[1]].disabled
        assert owners(desired, observed, thing)
        assert "keep" not in thing.version.holds
        assert thing.version.userrefs == len(thing.version.holds)
        for host, _ in peers(desired, observed, thing.place):
            assert isinstance(observed[host], Seen)
    commons = {
        (end, common_guid(observed, pair))
        for pair in ends(desired, observed)
        for end in (pair.sender, pair.receiver)
    }
    assert not commons & {(thing.place, thing.version.guid) for thing in doomed(good)}
    gone = {
        (thing.place, thing.version.guid) for thing in doomed(good) if thing.version.is_snapshot
    }
    for place, guids in managed(desired, observed).items():
        assert {(place, guid) for guid in guids} - gone
