"""What goes on receivers before anything is sent to them, on random worlds."""

from dataclasses import replace

from hypothesis import given

from reconciler.actions import Destroy, Send
from reconciler.desired.model import Desired, Window, Windows
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from tests.property.questions import common_guid, doomed, ends
from tests.property.strategies import Scenario, chained, scenarios
from tests.property.test_plans import without
from tests.support.converge import stages
from tests.support.worlds import desired as specs_of

WORLDS = scenarios() | chained()


def first(made: Plan) -> Plan:
    """Return a plan's destroys of snapshots on receivers that wait for none of their streams."""
    sends = [p.action for p in made.actions if isinstance(p.action, Send)]
    return replace(
        made,
        actions=tuple(
            p
            for p in made.actions
            if isinstance(p.action, Destroy)
            and p.action.of_snapshots
            and any(s.places[1] in p.action.places for s in sends)
            and not p.depends_on
        ),
    )


def closed(desired: Desired) -> Desired:
    """Return specs by which nothing may be sent now."""
    never: Window = specs_of("x: a b deny * * * * * 1h -> c").replications["x"].windows.deny[0]
    shut = {
        name: replace(replication, windows=Windows(deny=(never,)))
        for name, replication in desired.replications.items()
    }
    return replace(desired, replications=shut)


@given(WORLDS)
def test_what_goes_before_a_stream_would_go_if_there_were_none(world: Scenario) -> None:
    alone = plan(closed(world.desired), world.observed, world.now)

    assert set(doomed(first(plan(*world)))) <= set(doomed(alone))


@given(WORLDS)
def test_what_goes_before_a_stream_would_go_after_it_as_well(world: Scenario) -> None:
    desired, observed, now = world
    made = plan(*world)
    gone = first(made)
    *_, after = stages(without(made, {p.id for p in gone.actions}), observed)

    left = {(thing.place, thing.version.guid) for thing in doomed(plan(desired, after, now))}
    assert {(thing.place, thing.version.guid) for thing in doomed(gone)} == left


@given(WORLDS)
def test_what_goes_before_a_stream_is_the_common_version_of_no_pair(world: Scenario) -> None:
    going = {(thing.place, thing.version.guid) for thing in doomed(first(plan(*world)))}

    for pair in ends(world.desired, world.observed):
        common = common_guid(world.observed, pair)
        assert not {(pair.sender, common), (pair.receiver, common)} & going
