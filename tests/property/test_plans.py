"""The invariants of docs/architecture, each tried on random worlds."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from reconciler.actions import Destroy, Send, Snapshot
from reconciler.desired.model import Desired, Every, Replication, Snapshots, Windows
from reconciler.observed.change import filesystem_of
from reconciler.observed.model import Observation, Observed, Seen
from reconciler.planner.marks import Ownership
from reconciler.planner.plan import Plan, PlannedAction
from reconciler.planner.planning import plan
from reconciler.planner.retention import evaluate
from reconciler.zfs.names import is_within
from tests.property.questions import (
    Doomed,
    common_guid,
    doomed,
    ends,
    let_go,
    managed,
    owners,
    peers,
)
from tests.property.strategies import SENDERS, Scenario, chained, scenarios
from tests.support.converge import converge, stages
from tests.support.worlds import FOR_EVER

T = TypeVar("T")
TREES = ("tank/a", "tank/d", "tank/e")
DECADE = 10 * 365 * 86400
WORLDS = scenarios() | chained()


def troubles(made: Plan) -> set[tuple[str, str, str, str]]:
    return {(c.replication, c.host, c.filesystem, c.code) for c in made.conflicts}


# -- a plan is a function of what it is made from ------------------------------------------------


@given(WORLDS)
def test_a_plan_comes_out_of_whatever_was_observed_and_always_the_same(world: Scenario) -> None:
    assert plan(*world) == plan(*world)


@given(WORLDS)
def test_the_order_of_mappings_changes_nothing(world: Scenario) -> None:
    desired, observed, now = world
    turned = replace(
        desired,
        hosts=reversed_mapping(desired.hosts),
        replications=reversed_mapping(desired.replications),
    )
    seen_turned = {host: turned_around(what) for host, what in reversed_mapping(observed).items()}

    assert plan(turned, seen_turned, now, explain=True) == plan(*world, explain=True)


def reversed_mapping(mapping: Mapping[str, T]) -> dict[str, T]:
    return dict(reversed(list(mapping.items())))


def turned_around(observation: Observation) -> Observation:
    if not isinstance(observation, Seen):
        return observation
    filesystems = reversed_mapping(observation.filesystems)
    return replace(observation, filesystems=filesystems, pools=reversed_mapping(observation.pools))


@given(WORLDS)
def test_no_action_waits_for_a_destroy_so_guards_can_take_any_of_them_out(world: Scenario) -> None:
    made = plan(*world)
    destroys = {p.id for p in made.actions if isinstance(p.action, Destroy)}

    assert not destroys & {id_ for p in made.actions for id_ in p.depends_on}


# -- a plan gets somewhere -------------------------------------------------------------------------


@given(WORLDS)
def test_after_a_plan_was_carried_out_the_next_one_is_empty(world: Scenario) -> None:
    desired, observed, now = world
    first = plan(desired, observed, now)
    second = plan(desired, converge(desired, observed, now), now)

    assert second.actions == ()
    assert troubles(second) == troubles(first)


@given(scenarios(most=1, size=2) | chained(size=1))
def test_a_crash_between_any_two_actions_leaves_a_common_version_and_a_way_on(
    world: Scenario,
) -> None:
    desired, observed, now = world
    first = plan(desired, observed, now)
    for stage in stages(first.actions, observed):
        check_common_versions_stay(desired, observed, stage)
        again = plan(desired, stage, now)
        for later in stages(again.actions, stage):
            check_common_versions_stay(desired, stage, later)
        rest = plan(desired, later, now)
        assert rest.actions == ()
        assert troubles(rest) == troubles(first)


@given(scenarios(most=1) | chained(), st.data())
def test_actions_that_fail_take_along_only_what_depends_on_them_and_leave_a_way_on(
    world: Scenario, data: st.DataObject
) -> None:
    desired, observed, now = world
    first = plan(desired, observed, now)
    ids = [planned.id for planned in first.actions]
    failing = data.draw(st.sets(st.sampled_from(ids), max_size=4)) if ids else set[str]()

    for stage in stages(without(first, failing), observed):
        check_common_versions_stay(desired, observed, stage)
    for later in stages(plan(desired, stage, now).actions, stage):
        check_common_versions_stay(desired, stage, later)
    assert plan(desired, later, now).actions == ()


def without(made: Plan, failing: set[str]) -> list[PlannedAction]:
    """What is left to be done when some actions fail and others are skipped because of them."""
    lost = set(failing)
    for planned in made.actions:
        if lost & set(planned.depends_on):
            lost.add(planned.id)
    return [planned for planned in made.actions if planned.id not in lost]


def check_common_versions_stay(desired: Desired, before: Observed, after: Observed) -> None:
    for pair in ends(desired, before):
        if common_guid(before, pair) is not None:
            assert common_guid(after, pair) is not None, f"{pair.sender} → {pair.receiver}"


# -- unknown is not empty --------------------------------------------------------------------------


@given(WORLDS)
def test_nothing_is_done_on_an_unseen_host_and_nothing_let_go_on_its_peers(
    world: Scenario,
) -> None:
    made = plan(*world)
    unseen = {host for host, what in world.observed.items() if not isinstance(what, Seen)}

    assert not unseen & {host for p in made.actions for host, _ in p.action.places}
    for place in let_go(made):
        assert not unseen & {host for host, _ in peers(world.desired, world.observed, place)}


@given(WORLDS)
def test_nothing_is_destroyed_where_the_clock_is_wrong(world: Scenario) -> None:
    for (host, _), _version in doomed(plan(*world)):
        seen = world.observed[host]
        assert isinstance(seen, Seen)
        assert abs(seen.clock - seen.at) <= 60


@given(WORLDS, st.sampled_from([-DECADE, -3600, 3600, DECADE]))
def test_a_jump_of_the_controllers_clock_destroys_nothing(world: Scenario, jump: int) -> None:
    desired, observed, now = world
    calm = replace(
        desired,
        replications={name: seldom(r) for name, r in desired.replications.items()},
    )

    assert doomed(plan(calm, observed, now + jump)) == doomed(plan(calm, observed, now))


def seldom(replication: Replication) -> Replication:
    """A new snapshot may push out an old one: here one is due only where there is none.

    So may one that is sent since a window has opened: here there are none.
    """
    calm = replication.snapshots
    if isinstance(calm, Snapshots):
        calm = replace(calm, schedule=Every(FOR_EVER))
    return replace(replication, snapshots=calm, windows=Windows())


# -- what is never destroyed -----------------------------------------------------------------------


@given(WORLDS)
def test_only_what_a_spec_manages_and_nobody_holds_is_destroyed(world: Scenario) -> None:
    desired, observed, _ = world
    for thing in doomed(plan(*world)):
        assert owners(desired, observed, thing), f"{thing} is foreign"
        assert "keep" not in thing.version.holds
        assert thing.version.userrefs == len(thing.version.holds)


@given(WORLDS)
def test_each_filesystem_keeps_a_managed_version(world: Scenario) -> None:
    desired, observed, now = world
    before = managed(desired, observed)
    after = managed(desired, converge(desired, observed, now))

    assert before.keys() <= after.keys()


@given(WORLDS)
def test_what_is_destroyed_is_nothing_that_a_rule_keeps(world: Scenario) -> None:
    explained = plan(*world, explain=True).kept
    kept = {(k.host, k.filesystem, k.version.guid) for k in explained if k.version.is_snapshot}
    for (host, name), version in doomed(plan(*world)):
        assert not version.is_snapshot or (host, name, version.guid) not in kept


@given(WORLDS)
def test_of_each_version_on_both_sides_it_is_said_why_it_stays_or_goes(world: Scenario) -> None:
    desired, observed, _ = world
    made = plan(*world, explain=True)
    stays = {(k.host, k.filesystem, k.version.label, k.version.guid) for k in made.kept}
    goes = {(*thing.place, thing.version.label, thing.version.guid) for thing in doomed(made)}
    places = {place for pair in ends(desired, observed) for place in (pair.sender, pair.receiver)}
    there = {
        (*place, version.label, version.guid)
        for place in places
        for filesystem in [filesystem_of(observed, *place)]
        for version in (filesystem.versions if filesystem is not None else ())
    }

    assert not stays & goes
    assert there <= stays | goes
    assert all(kept.rules for kept in made.kept)


@given(WORLDS)
def test_the_planner_leaves_nothing_to_the_guards_but_wrong_clocks(world: Scenario) -> None:
    """So each of the two is whole without the other. Windows are the planner's own."""
    assert {blocked.guard for blocked in plan(*world).blocked} <= {"clock", "future", "window"}


# -- what is sent ----------------------------------------------------------------------------------


@given(WORLDS)
def test_only_what_the_receiver_would_keep_is_sent(world: Scenario) -> None:
    desired, observed, now = world
    after = converge(desired, observed, now)
    targets = {(pair.sender, pair.receiver): pair for pair in ends(desired, after)}
    for send in (p.action for p in plan(*world).actions if isinstance(p.action, Send)):
        here, there_place = send.places
        pair = targets[here, there_place]
        there = filesystem_of(after, *pair.receiver)
        assert there is not None
        ours = Ownership.of(pair.replication)
        decisions = evaluate(pair.target.keep, [v for v in there.snapshots if ours.on_receiver(v)])
        kept = {decision.version.name for decision in decisions if decision.kept}
        assert {version.name for version in send.versions} <= kept


# -- what depends on what --------------------------------------------------------------------------


@given(scenarios(), st.sampled_from(TREES))
def test_what_is_done_for_a_tree_depends_on_that_tree_alone(world: Scenario, tree: str) -> None:
    desired, observed, now = world
    alone = {host: only(tree, what) for host, what in observed.items()}
    here, there = plan(desired, alone, now), plan(*world)

    assert about(tree, here) == about(tree, there)
    assert {t for t in troubles(there) if in_tree(tree, t[2])} == troubles(here)


def in_tree(tree: str, name: str) -> bool:
    roots = [f"{root}/{host}/{tree}" for root in ("backup", "other") for host in SENDERS]
    return any(is_within(name, root) for root in (tree, *roots))


def only(tree: str, observation: Observation) -> Observation:
    """Take away the trees beside this one."""
    if not isinstance(observation, Seen):
        return observation
    others = [other for other in TREES if other != tree]
    left = {
        name: filesystem
        for name, filesystem in observation.filesystems.items()
        if not any(in_tree(other, name) for other in others)
    }
    return replace(observation, filesystems=left)


def about(tree: str, made: Plan) -> dict[str, PlannedAction]:
    """The actions on a tree; of snapshots of several filesystems its share."""
    found = {}
    for planned in made.actions:
        if not any(in_tree(tree, name) for _, name in planned.action.places):
            continue
        action = planned.action
        if isinstance(action, Snapshot):
            names = tuple(name for name in action.filesystems if in_tree(tree, name))
            action = replace(action, filesystems=names)
        found[planned.id] = replace(planned, action=action)
    return found


@given(scenarios(), st.data())
def test_a_replication_that_is_removed_from_the_specs_is_left_alone(
    world: Scenario, data: st.DataObject
) -> None:
    desired, observed, now = world
    gone = data.draw(st.sampled_from(sorted(desired.replications)))
    left = {name: r for name, r in desired.replications.items() if name != gone}
    made = plan(replace(desired, replications=left), observed, now)

    assert gone not in {p.replication for p in made.actions}
    for place, version in doomed(made):
        assert owners(desired, observed, Doomed(place, version)) != {gone}
