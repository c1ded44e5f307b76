"""The guards against plans that no planner should make: destroy everything, everywhere."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.actions import Destroy, Reason, Send, Snapshot
from reconciler.desired.model import Desired, MaxDestroy
from reconciler.observed.change import filesystem_of
from reconciler.observed.model import Observed, Seen
from reconciler.planner.guards import guard
from reconciler.planner.plan import Plan, PlannedAction
from reconciler.planner.planning import plan
from reconciler.zfs.types import Version
from tests.property.questions import (
    Doomed,
    Place,
    common_guid,
    doomed,
    ends,
    managed,
    owners,
    peers,
)
from tests.property.strategies import Scenario, chained, scenarios

FAR = 2**64
"""A createtxg that comes after all others."""


def budgets() -> st.SearchStrategy[MaxDestroy]:
    """Budgets that are small enough to be exceeded."""
    return st.builds(
        MaxDestroy,
        versions=st.sampled_from([None, None, 1, 2]),
        share=st.sampled_from([None, 20, 50]),
        always=st.sampled_from([0, 0, 1]),
    )


def reckless(made: Plan, observed: Observed, *, whole: bool) -> Plan:
    """Add destroys of all that is there, filesystem by filesystem or version by version."""
    destroys = [
        Destroy(host, filesystem.name, versions)
        for host, seen in observed.items()
        if isinstance(seen, Seen)
        for filesystem in seen.filesystems.values()
        for versions in _batches(tuple(filesystem.versions), whole=whole)
    ]
    reason = Reason("reckless", "why not")
    last = tuple(p.id for p in made.actions)
    planned = [PlannedAction(destroy, reason, "web", last) for destroy in destroys]
    return replace(made, actions=(*made.actions, *planned))


@given(world=scenarios(), whole=st.booleans(), allowed=budgets())
def test_no_more_snapshots_of_a_filesystem_go_than_its_budget_allows(
    *, world: Scenario, whole: bool, allowed: MaxDestroy
) -> None:
    _, observed, now = world
    replications = {
        name: replace(replication, max_destroy=allowed)
        for name, replication in world.desired.replications.items()
    }
    desired = replace(world.desired, replications=replications)
    made = plan(desired, observed, now)
    rash = guard(reckless(made, observed, whole=whole), desired, observed)

    since, ours = _up_to_date(desired, observed), managed(desired, observed)
    for checked in (made, rash):
        for place, guids in ours.items():
            gone = {thing.version for thing in doomed(checked) if thing.place == place}
            going = [version for version in gone if version.is_snapshot]
            counted = sum(version.createtxg <= since.get(place, FAR) for version in going)
            all_there = len(guids) - len(going) + counted + _arriving(checked, place)
            assert allowed.versions is None or len(going) <= allowed.versions
            assert counted <= allowed.always or counted * 100 <= (allowed.share or 100) * all_there


@given(scenarios(), budgets())
def test_a_budget_takes_out_all_snapshots_of_a_filesystem_or_none_and_lifted_it_takes_out_none(
    world: Scenario, allowed: MaxDestroy
) -> None:
    _, observed, now = world
    free = plan(*world)
    replications = {
        name: replace(replication, max_destroy=allowed)
        for name, replication in world.desired.replications.items()
    }
    desired = replace(world.desired, replications=replications)
    tight = plan(desired, observed, now)
    over = {(b.host, b.filesystem) for b in tight.blocked if b.guard == "budget"}

    for thing in doomed(free):
        stays = thing.place in over and thing.version.is_snapshot
        assert (thing in doomed(tight)) == (not stays)
    assert others(tight) == others(free)
    lifted = plan(desired, observed, now, allow_destroy=desired.replications)
    assert (lifted.actions, lifted.blocked) == (free.actions, free.blocked)


def _arriving(made: Plan, place: Place) -> int:
    sends = (p.action for p in made.actions if isinstance(p.action, Send))
    taken = (p.action for p in made.actions if isinstance(p.action, Snapshot))
    return sum(len(send.versions) for send in sends if send.places[1] == place) + sum(
        place in snapshot.places for snapshot in taken
    )


def _up_to_date(desired: Desired, observed: Observed) -> dict[Place, int]:
    """Return for each sender's filesystem the createtxg up to which all its receivers have all.

    All managed snapshots of the worlds here are of the replication `web`.
    """
    found: dict[Place, int] = {}
    for pair in ends(desired, observed):
        guid, here = common_guid(observed, pair), filesystem_of(observed, *pair.sender)
        if here is not None and pair.replication.name == "web":
            txgs = [version.createtxg for version in here.versions if version.guid == guid]
            known = txgs[0] if txgs else FAR
            before = found.get(pair.sender, known)
            found[pair.sender] = FAR if FAR in {known, before} else min(known, before)
    return found


def _batches(versions: tuple[Version, ...], *, whole: bool) -> list[tuple[Version, ...]]:
    snapshots = tuple(version for version in versions if version.is_snapshot)
    if whole and snapshots:
        return [snapshots]
    return [(version,) for version in versions]


@given(world=scenarios() | chained(), whole=st.booleans())
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


@given(world=scenarios() | chained(), whole=st.booleans())
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
