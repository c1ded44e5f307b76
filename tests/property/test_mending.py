"""`onConflict`, tried on random worlds: nothing but what the spec gives up is ever lost by it."""

from hypothesis import given

from reconciler.actions import Destroy, Rename, Rollback
from reconciler.desired.model import OnConflict
from reconciler.observed.change import filesystem_of
from reconciler.observed.model import Observed, Seen
from reconciler.planner.marks import Ownership
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from tests.property.questions import common_guid, ends
from tests.property.strategies import Scenario, scenarios
from tests.support.converge import converge


def mending(made: Plan) -> list[Rename | Rollback]:
    return [p.action for p in made.actions if isinstance(p.action, Rename | Rollback)]


def snapshots(observed: Observed, host: str) -> set[int]:
    """The guids of all snapshots of a host."""
    seen = observed[host]
    assert isinstance(seen, Seen)
    return {v.guid for fs in seen.filesystems.values() for v in fs.snapshots}


@given(scenarios())
def test_without_being_asked_nothing_is_renamed_or_rolled_back(world: Scenario) -> None:
    assert mending(plan(*world)) == []


@given(scenarios(mends=True))
def test_each_is_done_only_where_a_target_asks_for_it(world: Scenario) -> None:
    asked = {pair.receiver: pair.target.on_conflict for pair in ends(world.desired, world.observed)}
    for action in mending(plan(*world)):
        wanted = OnConflict.SET_ASIDE if isinstance(action, Rename) else OnConflict.ROLLBACK
        assert asked[action.host, action.filesystem] is wanted


@given(scenarios(mends=True))
def test_what_is_lost_is_what_expired_and_what_rollbacks_say(world: Scenario) -> None:
    made = plan(*world)
    after = converge(*world)
    gone = {v.guid for a in mending(made) if isinstance(a, Rollback) for v in a.lost}
    gone |= {
        v.guid for p in made.actions if isinstance(p.action, Destroy) for v in p.action.versions
    }
    for host, seen in world.observed.items():
        if isinstance(seen, Seen):
            assert snapshots(world.observed, host) - gone <= snapshots(after, host)


@given(scenarios(mends=True))
def test_a_rollback_gives_up_nothing_that_the_sender_has_or_had_or_somebody_holds(
    world: Scenario,
) -> None:
    pairs = {pair.receiver: pair for pair in ends(world.desired, world.observed)}
    for action in mending(plan(*world)):
        if isinstance(action, Rollback):
            pair = pairs[action.host, action.filesystem]
            ours = Ownership.of(pair.replication)
            assert not any(ours.on_receiver(version) for version in action.lost)
            sender = filesystem_of(world.observed, *pair.sender)
            assert sender is not None
            have = {version.guid for version in sender.versions}
            assert action.to.guid in have
            assert not any(v.guid in have or v.userrefs for v in action.lost)


@given(scenarios(mends=True))
def test_a_mended_pair_has_a_common_version_and_soon_nothing_more_to_do(world: Scenario) -> None:
    desired, observed, now = world
    first = plan(desired, observed, now)
    after = converge(desired, observed, now)
    mended = {(action.host, action.filesystem) for action in mending(first)}
    for pair in ends(desired, after):
        if pair.receiver in mended:
            assert common_guid(after, pair) is not None
    later = converge(desired, after, now)
    assert mending(plan(desired, after, now)) == []
    assert plan(desired, later, now).actions == ()


@given(scenarios(mends=True))
def test_while_a_pair_is_mended_nothing_is_destroyed_on_either_end(world: Scenario) -> None:
    made = plan(*world)
    mended = {(action.host, action.filesystem) for action in mending(made)}
    frozen = mended | {
        pair.sender for pair in ends(world.desired, world.observed) if pair.receiver in mended
    }
    destroyed = {p.action.places[0] for p in made.actions if isinstance(p.action, Destroy)}
    assert not destroyed & frozen


@given(scenarios(mends=True))
def test_the_guards_have_nothing_against_what_the_planner_mends(world: Scenario) -> None:
    assert "on-conflict" not in {blocked.guard for blocked in plan(*world).blocked}
