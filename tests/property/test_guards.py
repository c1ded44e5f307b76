"""The guards against plans that no planner should make: destroy everything, everywhere."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.actions import Destroy, Reason
from reconciler.observed.change import filesystem_of
from reconciler.observed.model import Observed, Seen
from reconciler.planner.guards import guard
from reconciler.planner.plan import Plan, PlannedAction
from reconciler.planner.planning import plan
from reconciler.zfs.types import Version
from tests.property.questions import common_guid, doomed, ends, managed, owners, peers
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


@given(scenarios(), st.booleans())
def test_guards_only_remove_destroys_and_list_what_they_removed(
    world: Scenario, whole: bool
) -> None:
    desired, observed, _ = world
    bad = reckless(plan(*world), observed, whole=whole)
    good = guard(bad, desired, observed)

    others = [p for p in bad.actions if not isinstance(p.action, Destroy)]
    assert [p for p in good.actions if not isinstance(p.action, Destroy)] == others
    blocked = [(b.host, b.filesystem, v) for b in good.blocked for v in b.versions]
    left = [(*thing.place, thing.version) for thing in doomed(good)]
    before = [(b.host, b.filesystem, v) for b in bad.blocked for v in b.versions]
    all_of_them = [(*thing.place, thing.version) for thing in doomed(bad)]
    assert sorted(map(repr, left + blocked)) == sorted(map(repr, all_of_them + before))


@given(scenarios(), st.booleans())
def test_guards_let_nothing_through_that_must_stay(world: Scenario, whole: bool) -> None:
    desired, observed, now = world
    empty = replace(plan(desired, observed, now), actions=())
    good = guard(reckless(empty, observed, whole=whole), desired, observed)

    kept = managed(desired, observed)
    common = {
        (end, common_guid(observed, pair))
        for pair in ends(desired, observed)
        for end in (pair.sender, pair.receiver)
    }
    for place, version in doomed(good):
        seen = observed[place[0]]
        assert isinstance(seen, Seen)
        assert abs(seen.clock - seen.at) <= 60
        filesystem = filesystem_of(observed, *place)
        assert filesystem is not None
        assert not filesystem.disabled
        assert owners(desired, observed, next(t for t in doomed(good) if t.version == version))
        assert "keep" not in version.holds
        assert version.userrefs == len(version.holds)
        assert (place, version.guid) not in common
        assert all(isinstance(observed[host], Seen) for host, _ in peers(desired, observed, place))
        if version.is_snapshot:
            gone = {t.version.guid for t in doomed(good) if t.place == place}
            assert kept[place] - gone
