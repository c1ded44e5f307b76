"""`onSourceGone: {destroyAfter: 90d}`: marked, waited for, and destroyed, piece by piece."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.actions import DestroyFilesystem, Release
from reconciler.observed.model import Filesystem, Observation, Observed
from reconciler.planner.departing_guard import guard_departing
from reconciler.planner.guards import guard
from reconciler.planner.plan import Outcome, Plan
from reconciler.planner.planning import plan
from tests.support.converge import converge
from tests.support.shown import blocked, notes, of_verb, steps
from tests.support.tokens import token
from tests.support.worlds import (
    NOW,
    desired,
    fs,
    placeholder,
    pool,
    replica,
    seen,
    unseen,
    world,
)

DAY = 86400
ROOT = "backup/alpha/tank"
GONE = f"{ROOT}/gone"
TREE = "web: alpha tank/** !tank -> vault gone 90d"
BUDGET = "web: alpha tank/** !tank max-destroy 50% -> vault gone 90d"
HERE = fs("tank/www", "@~23:00,1 #cur,1")
THERE = replica(f"{ROOT}/www", "@~23:00,1,held=base")
LEFT = "@~20:00,11 @~21:00,12,held=base"
LONG_AGO = NOW - 90 * DAY
SLOT = NOW - NOW % 3600 + 3600


def gone(versions: str = LEFT, since: int | None = LONG_AGO, **facts: object) -> Filesystem:
    return replace(replica(GONE, versions), gone_since=since, **facts)  # type: ignore[arg-type]


def hosts(*there: Filesystem, alpha: Observation | None = None, skew: int = 0) -> Observed:
    parents = (placeholder("backup/alpha"), placeholder(ROOT))
    vault = seen("vault", *parents, THERE, *there, skew=skew)
    return world(alpha or seen("alpha", HERE), vault)


def planned(
    *there: Filesystem,
    specs: str = TREE,
    alpha: Observation | None = None,
    allowed: tuple[str, ...] = (),
    skew: int = 0,
) -> Plan:
    observed = hosts(*there, alpha=alpha, skew=skew)
    return plan(desired(specs), observed, NOW, allow_destroy=allowed)


ALL_OF_IT = [
    f"release vault {GONE}@~21:00 base",
    f"destroy vault {GONE}@~20:00@~21:00",
    f"destroy-filesystem vault {GONE}",
]


def test_when_its_source_is_first_seen_gone_a_receiver_is_marked_and_nothing_else() -> None:
    """H103"""
    made = planned(gone(since=None))

    assert steps(made) == [f"mark vault {GONE}"]
    (said,) = notes(made)
    assert said.startswith(f"warning: alpha tank/gone is gone; vault {GONE} is kept until")
    assert said.endswith("until 2027-02-20 23:15 UTC: first seen gone now")


@pytest.mark.parametrize(
    ("since", "due"),
    [
        (None, NOW + 90 * DAY),
        (LONG_AGO + 1, NOW + 1),
        (LONG_AGO + 3600, SLOT),
    ],
)
def test_the_end_of_a_grace_comes_due_unless_a_slot_begins_before(
    since: int | None, due: int
) -> None:
    specs = TREE.replace(" ->", " every 1h ->") if since else TREE

    assert planned(gone(since=since), specs=specs).next_due == due


def test_until_the_grace_is_over_it_is_kept_and_the_date_is_said() -> None:
    made = planned(gone(since=LONG_AGO + 1))

    assert steps(made) == []
    (said,) = notes(made)
    assert said.partition("; ")[2] == (
        f"vault {GONE} is kept until 2026-11-22 23:15 UTC: known to be gone since 2026-08-24"
        " 23:15 UTC"
    )


def test_then_its_versions_go_by_name_and_the_filesystem_after_them() -> None:
    made = planned(gone())
    release, destroy, itself = made.actions

    assert steps(made) == ALL_OF_IT
    assert release.id in destroy.depends_on
    assert destroy.id in itself.depends_on
    assert "gone since 2026-08-24 23:15 UTC" in itself.reason.message
    assert notes(made) == []


def test_after_it_nothing_is_left_to_do() -> None:
    specs = desired(TREE)
    after = converge(specs, hosts(gone()), NOW)

    assert GONE not in after["vault"].filesystems  # type: ignore[union-attr]
    assert steps(plan(specs, after, NOW)) == []


@pytest.mark.parametrize("specs", [BUDGET, TREE.replace("->", "max-destroy 1 ->")])
def test_it_needs_a_person_unless_the_spec_lets_any_share_go(specs: str) -> None:
    stopped = planned(gone(), specs=specs)
    allowed = planned(gone(), specs=specs, allowed=("web",))

    assert steps(stopped) == []
    assert blocked(stopped) == [f"vault {GONE}@~20:00@~21:00: budget"]
    assert stopped.blocked[0].remedy.endswith("reconciler apply --allow-destroy web")
    assert stopped.outcome is Outcome.BLOCKED
    assert steps(allowed) == ALL_OF_IT


def test_without_the_key_a_receiver_is_kept_for_ever_and_loses_its_mark() -> None:
    made = planned(gone(), specs="web: alpha tank/** !tank -> vault")

    assert steps(made) == [f"unmark vault {GONE}"]
    assert notes(made) == [f"warning: alpha tank/gone is gone; vault {GONE} is kept as it is"]


def test_when_the_source_is_back_the_mark_goes() -> None:
    alpha = seen("alpha", HERE, fs("tank/gone", "@~20:00,11 @~21:00,12 #cur,12"))

    assert steps(planned(gone(), alpha=alpha)) == [f"unmark vault {GONE}"]


def test_a_changed_filter_makes_nothing_gone_and_takes_the_mark_away() -> None:
    specs = "web: alpha tank/www -> vault gone 90d"

    assert steps(planned(gone(since=None), specs=specs)) == []
    assert steps(planned(gone(), specs=specs)) == [f"unmark vault {GONE}"]


@pytest.mark.parametrize(
    "alpha",
    [
        pytest.param(unseen("alpha"), id="unseen host"),
        pytest.param(seen("alpha", fs("other")), id="pool not imported"),
        pytest.param(seen("alpha", pools=[pool("tank", health="SUSPENDED")]), id="suspended pool"),
    ],
)
@pytest.mark.parametrize("since", [None, LONG_AGO])
def test_what_is_not_known_to_be_gone_is_left_alone(alpha: Observation, since: int | None) -> None:
    """L5 L6"""
    assert steps(planned(gone(since=since), alpha=alpha)) == []


@pytest.mark.parametrize("since", [None, LONG_AGO])
@pytest.mark.parametrize(
    "specs",
    ["web: alpha tank/** !tank suspended -> vault gone 90d", "web: beta tank/x -> vault gone 90d"],
)
def test_a_spec_that_is_suspended_or_not_there_touches_nothing(
    specs: str, since: int | None
) -> None:
    made = plan(desired(specs), {**hosts(gone(since=since)), "beta": unseen("beta")}, NOW)

    assert steps(made) == []


@pytest.mark.parametrize("since", [None, LONG_AGO])
@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"disabled": True}, "it is switched off by reconciler:reconcile=disabled"),
        ({"written": 5}, "it was written to"),
        ({"resume_token": token(12, 11)}, "it has a partial receive"),
    ],
)
def test_a_receiver_that_is_not_as_we_left_it_is_kept_with_the_reason(
    changed: dict[str, Any], why: str, since: int | None
) -> None:
    made = planned(gone(since=since, **changed))

    assert steps(made) == []
    assert notes(made)[-1].endswith(f"vault {GONE} is kept as it is: {why}")


def test_where_everything_is_gone_it_is_taken_for_a_mishap() -> None:
    """A pool that was made anew has the old name and none of the old filesystems."""
    made = planned(gone(), alpha=seen("alpha", fs("tank")))

    assert steps(made) == []
    assert "nothing is left on alpha of what web selects" in notes(made)[-1]


@pytest.mark.parametrize("since", [None, LONG_AGO])
def test_with_a_wrong_clock_nothing_is_marked_and_nothing_destroyed(since: int | None) -> None:
    """L14"""
    late = seen("alpha", HERE, skew=-400)

    assert steps(planned(gone(since=since), skew=400)) == []
    assert steps(planned(gone(since=since), alpha=late)) == []
    future = gone("@~20:00,11 @11-23T20:00,12,at=11-25T01:00 @~11-25T01:00,13", since=since)
    assert steps(planned(future)) == []


def test_a_mark_from_the_future_is_made_anew() -> None:
    assert steps(planned(gone(since=NOW + 400 * DAY))) == [f"mark vault {GONE}"]


@pytest.mark.parametrize(
    ("versions", "more", "left", "why"),
    [
        ("@~20:00,11 @mine,12", (), "@~20:00", "@mine is not ours"),
        ("@~20:00,11 @~21:00,12,held=keep", (), "@~20:00", "@rec-20261122T210000Z is held by keep"),
        ("@~20:00,11 @~21:00,12 #mark,12", (), "@~20:00@~21:00", "#mark is not ours"),
        (
            "@~20:00,11 @~21:00,12",
            (fs("backup/clone", origin=f"{GONE}@rec-20261122T210000Z"),),
            "@~20:00",
            "@rec-20261122T210000Z has a clone",
        ),
        (
            "@~20:00,11 @~21:00,12",
            (fs(f"{GONE}/theirs"),),
            "@~20:00@~21:00",
            f"{GONE}/theirs is below it",
        ),
    ],
    ids=["foreign snapshot", "hold", "bookmark", "clone", "child"],
)
def test_the_filesystem_stays_while_anything_else_is_in_it_or_below(
    versions: str, more: tuple[Filesystem, ...], left: str, why: str
) -> None:
    """H104"""
    made = planned(gone(versions), *more)

    assert of_verb(made, "destroy", "destroy-filesystem") == [f"destroy vault {GONE}{left}"]
    assert notes(made)[0].endswith(f"vault {GONE} itself stays: {why}")


def test_what_was_never_received_from_us_is_not_even_marked() -> None:
    """H105"""
    made = planned(gone("@mine,7", since=None))

    assert steps(made) == []
    assert notes(made)[-1].endswith("is kept as it is: it has no version of ours")


def test_a_tree_goes_from_its_leaves() -> None:
    below = replace(replica(f"{GONE}/a", "@~21:00,21"), gone_since=LONG_AGO)
    made = planned(gone(), below)
    actions = [p.action for p in made.actions]
    itself, child = (
        next(p for p in made.actions if p.action == DestroyFilesystem("vault", f.name, f.guid))
        for f in (gone(), below)
    )

    assert actions.index(child.action) < actions.index(itself.action)
    assert child.id in itself.depends_on
    assert len(of_verb(made, "destroy-filesystem")) == 2


def test_a_parent_waits_for_children_whose_grace_is_not_over() -> None:
    below = replace(replica(f"{GONE}/a", "@~21:00,21"), gone_since=NOW - 5)
    made = planned(gone(), below)
    later = planned(gone(""), specs=TREE)

    assert of_verb(made, "destroy", "destroy-filesystem") == [f"destroy vault {GONE}@~20:00@~21:00"]
    assert steps(later) == [f"destroy-filesystem vault {GONE}"]


def test_what_was_renamed_or_set_aside_is_neither_marked_nor_destroyed() -> None:
    renamed = seen("alpha", HERE, fs("tank/new", "@~20:00,11 @~21:00,12"))
    aside = replace(replica(f"{GONE}.aside", LEFT), gone_since=LONG_AGO)

    assert not of_verb(planned(gone(), alpha=renamed), "destroy", "destroy-filesystem", "mark")
    assert not of_verb(planned(gone(since=None), alpha=renamed), "mark")
    assert of_verb(planned(aside), "destroy", "destroy-filesystem", "mark") == []


def test_a_source_of_another_replication_is_kept() -> None:
    chain = "far: vault backup/alpha/** every 1d -> north copies"
    observed = {**hosts(gone()), "north": seen("north", fs("copies"))}
    made = plan(desired(TREE, chain), observed, NOW)

    assert of_verb(made, "destroy", "destroy-filesystem") == []
    assert any("it is a source of far" in note for note in notes(made))


# -- the second look -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("specs", "changed"),
    [
        ("web: alpha tank/** !tank -> vault", {}),
        ("web: alpha tank/** !tank -> vault gone 91d", {}),
        (BUDGET, {}),
        (TREE, {"alpha": unseen("alpha")}),
        (TREE, {"alpha": seen("alpha", fs("tank"))}),
        (TREE, {"alpha": seen("alpha", HERE, skew=-100)}),
        (TREE, {"alpha": seen("alpha", HERE, fs("tank/gone"))}),
        (TREE, {"alpha": seen("alpha", HERE, fs("tank/new", "@~20:00,11"))}),
    ],
)
def test_the_guards_find_by_themselves_that_it_may_not_go(
    specs: str, changed: dict[str, Observation]
) -> None:
    careless = planned(gone())
    observed = {**hosts(gone()), **changed}
    first = guard(careless, desired(specs), observed)
    left = guard_departing(first, desired(specs), observed)

    assert steps(left) == []
    assert [b.action_id for b in left.blocked] == [p.id for p in careless.actions[1:]]


def test_a_filesystem_is_not_destroyed_when_one_of_its_versions_stays() -> None:
    careless = planned(gone())
    held = hosts(gone(f"@~20:00,11,held=keep {LEFT.split()[1]}"))
    first = guard(careless, desired(TREE), held)
    left = guard_departing(first, desired(TREE), held)

    assert of_verb(left, "destroy", "destroy-filesystem") == [f"destroy vault {GONE}@~21:00"]
    assert blocked(left)[-1] == f"vault {GONE}: source-gone"


def test_a_filesystem_is_not_destroyed_with_a_child_that_nobody_planned_for() -> None:
    careless = planned(gone())
    observed = hosts(gone(), fs(f"{GONE}/new"))
    left = guard_departing(careless, desired(TREE), observed)

    assert of_verb(left, "destroy-filesystem") == []
    assert left.blocked[-1].message == f"{GONE}/new is below it"


def test_what_does_not_go_keeps_its_hold() -> None:
    careless = planned(gone())
    without = replace(careless, actions=careless.actions[:1])

    assert isinstance(without.actions[0].action, Release)
    assert guard_departing(without, desired(TREE), hosts(gone())).actions == ()
