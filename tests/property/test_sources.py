"""When a receiver whose source is gone may go: exactly when everything that has to be is so."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.actions import Destroy, DestroyFilesystem, MarkGone
from reconciler.observed.model import Observation, Seen
from reconciler.planner.forgetting import forget
from reconciler.planner.planning import plan
from tests.property.strategies import Scenario, scenarios
from tests.support.converge import converge, stages
from tests.support.worlds import NOW, desired, fs, pool, replica, seen, unseen, world

DAY = 86400
GONE = "backup/alpha/tank/gone"
HERE = fs("tank/www", "@~23:00,1 #cur,1")
ALPHAS: dict[str, Observation] = {
    "gone": seen("alpha", HERE),
    "unseen": unseen("alpha"),
    "no pool": seen("alpha", fs("other")),
    "suspended pool": seen("alpha", pools=[pool("tank", health="SUSPENDED")]),
    "wrong clock": seen("alpha", HERE, skew=120),
    "nothing left": seen("alpha", fs("tank")),
    "there": seen("alpha", HERE, fs("tank/gone", "@~20:00,11 @~21:00,12")),
    "renamed": seen("alpha", HERE, fs("tank/new", "@~20:00,11 @~21:00,12")),
}


@given(
    alpha=st.sampled_from(list(ALPHAS)),
    age=st.sampled_from([None, -DAY, 0, 90 * DAY - 1, 90 * DAY, 1000 * DAY]),
    selects=st.booleans(),
    grace=st.booleans(),
    suspended=st.booleans(),
    budget=st.booleans(),
    allowed=st.booleans(),
)
def test_a_receiver_goes_exactly_when_its_source_is_known_to_be_gone_for_long_enough(  # noqa: PLR0917
    alpha: str,
    age: int | None,
    selects: bool,  # noqa: FBT001
    grace: bool,  # noqa: FBT001
    suspended: bool,  # noqa: FBT001
    budget: bool,  # noqa: FBT001
    allowed: bool,  # noqa: FBT001
) -> None:
    what = "tank/** !tank" if selects else "tank/www tank/new"
    more = f"{' max-destroy 50%' * budget}{' suspended' * suspended}"
    specs = desired(f"web: alpha {what}{more} -> vault{' gone 90d' * grace}")
    left = replica(GONE, "@~20:00,11 @~21:00,12,held=base")
    left = replace(left, gone_since=None if age is None else NOW - age)
    vault = seen("vault", replica("backup/alpha/tank/www", "@~23:00,1,held=base"), left)
    observed = world(ALPHAS[alpha], vault)
    made = plan(specs, observed, NOW, allow_destroy=("web",) if allowed else ())
    there = [p.action for p in made.actions if ("vault", GONE) in p.action.places]

    known = alpha == "gone" and selects and not suspended
    overdue = known and grace and age is not None and age >= 90 * DAY
    goes = overdue and (allowed or not budget)
    assert any(isinstance(action, DestroyFilesystem) for action in there) == goes
    assert any(isinstance(action, Destroy) for action in there) == goes
    marks = [a for a in there if isinstance(a, MarkGone) and a.since is not None]
    assert bool(marks) == (known and grace and (age is None or age < 0))
    if isinstance(observed["alpha"], Seen):
        after = converge(specs, observed, NOW) if not budget else observed
        assert budget or plan(specs, after, NOW).actions == ()


@given(scenarios())
def test_forgetting_takes_marks_alone(scenario: Scenario) -> None:
    """Whatever is there: no snapshot, no filesystem, no hold of others."""
    specs = replace(scenario.desired, replications={})
    made = forget(specs, scenario.observed, "web", scenario.now)
    *_, after = stages(made.actions, scenario.observed)

    for host, before in scenario.observed.items():
        now = after[host]
        if not isinstance(before, Seen) or not isinstance(now, Seen):
            assert now == before
            continue
        assert now.filesystems.keys() == before.filesystems.keys()
        for name, filesystem in before.filesystems.items():
            left = now.filesystems[name]
            assert [v.guid for v in left.snapshots] == [v.guid for v in filesystem.snapshots]
            for version, kept in zip(filesystem.snapshots, left.snapshots, strict=True):
                assert {tag for tag in version.holds if not tag.startswith("rec-")} <= set(
                    kept.holds
                )
    assert forget(specs, after, "web", scenario.now).actions == ()
