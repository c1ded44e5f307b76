"""`onConflict: setAside | rollback`: what is planned, and what keeps it from being planned."""

from dataclasses import replace

import pytest

from reconciler.actions import CreateFilesystem, Reason, Rename, Rollback
from reconciler.desired.model import OnConflict
from reconciler.observed.model import Filesystem, Observation
from reconciler.planner.mending_guard import guard_mending
from reconciler.planner.plan import Outcome, Plan, PlannedAction
from reconciler.planner.planning import plan
from tests.support.shown import conflicts, of_verb, steps
from tests.support.worlds import NOW, desired, fs, replica, seen, volume, world

WWW = "backup/alpha/tank/www"
HERE = fs("tank/www", "@~22:00,11 @~23:00,12")
ASIDE = f"{WWW}.aside-20261122T231500Z"


def specs(way_out: str, more: str = "") -> str:
    return f"web: alpha tank/www keep last 1 -> vault keep last 1 conflict {way_out} {more}"


def planned(way_out: str, *there: Filesystem, here: Filesystem = HERE, more: str = "") -> Plan:
    return plan(
        desired(specs(way_out, more)), world(seen("alpha", here), seen("vault", *there)), NOW
    )


DIVERGED = replica(WWW, "@~22:00,11 @mine,99")


def test_a_diverged_receiver_is_set_aside_and_sent_anew() -> None:
    made = planned("setAside", DIVERGED)

    assert conflicts(made) == []
    assert steps(made) == [
        f"rename vault {WWW} {ASIDE.rpartition('/')[2]}",
        "hold alpha tank/www@~23:00 step",
        "send alpha tank/www full → @~23:00",
        f"hold vault {WWW}@~23:00 base",
        "cursor alpha tank/www@~23:00 vault",
        "release alpha tank/www@~23:00 step",
    ]
    rename, hold, send = made.actions[:3]
    assert rename.id in hold.depends_on
    assert rename.id in send.depends_on
    assert rename.reason.code == "set-aside"


def test_a_diverged_receiver_is_rolled_back_and_goes_on_from_there() -> None:
    made = planned("rollback", DIVERGED)

    assert conflicts(made) == []
    assert steps(made)[:3] == [
        f"rollback vault {WWW}@~22:00 @mine",
        "hold alpha tank/www@~23:00 step",
        "send alpha tank/www @~22:00 → @~23:00",
    ]
    assert made.actions[0].id in made.actions[2].depends_on
    assert of_verb(made, "destroy") == []
    assert "given up: @mine and what was written since" in made.actions[0].reason.message


def test_a_receiver_that_was_written_to_is_rolled_back_without_destroying_a_snapshot() -> None:
    made = planned("rollback", replica(WWW, "@~22:00,11", written=5))

    assert steps(made)[0] == f"rollback vault {WWW}@~22:00"
    assert "send alpha tank/www @~22:00 → @~23:00" in steps(made)


@pytest.mark.parametrize(
    ("way_out", "there", "said"),
    [
        pytest.param(
            "setAside",
            (DIVERGED, replica(f"{WWW}/sub", "@~22:00,21")),
            f"it is not set aside: {WWW}/sub below it would go with it",
            id="what is below would lose its base",
        ),
        pytest.param(
            "setAside",
            (DIVERGED, replica(f"{WWW}.aside-20261101T000000Z", "@~22:00,21")),
            f"it is not set aside: {WWW}.aside-20261101T000000Z still is;"
            " keep of it what is needed first",
            id="once is enough until somebody has looked",
        ),
        pytest.param(
            "rollback",
            (replica(WWW, "@~22:00,11 @mine,99,held=keep"),),
            "it is not rolled back: @mine is held",
            id="held by somebody",
        ),
        pytest.param(
            "rollback",
            (replica(WWW, "@~22:00,11 @~22:30,98 @mine,99"),),
            "it is not rolled back: @rec-20261122T223000Z has come from alpha, which has lost it",
            id="the last copy of what the sender had",
        ),
        pytest.param(
            "rollback",
            (DIVERGED, fs("backup/clone", origin=f"{WWW}@mine")),
            "it is not rolled back: @mine has a clone",
            id="cloned",
        ),
        pytest.param(
            "rollback",
            (replica(WWW, "@~22:00,11 @mine,99 #mark,99"),),
            "it is not rolled back: #mark would go with it",
            id="bookmarked",
        ),
    ],
)
def test_what_somebody_else_minds_stays_a_conflict(
    way_out: str, there: tuple[Filesystem, ...], said: str
) -> None:
    made = planned(way_out, *there)

    assert conflicts(made) == [f"vault {WWW} diverged"]
    assert made.conflicts[0].evidence[-1] == said
    assert of_verb(made, "rename", "rollback", "send", "destroy") == []
    assert made.outcome is Outcome.BLOCKED


def test_nothing_is_set_aside_for_what_can_not_be_begun_anew() -> None:
    made = planned("setAside", DIVERGED, more="initial refuse")

    assert conflicts(made) == [f"vault {WWW} diverged"]
    assert "it is left as it is, because after that" in made.conflicts[0].evidence[-1]


@pytest.mark.parametrize("there", [DIVERGED, replica(WWW, "@mine,99"), volume(WWW)])
def test_nothing_is_set_aside_while_there_is_nothing_to_send_in_its_place(
    there: Filesystem,
) -> None:
    specs = desired("web: alpha tank/www external ^daily- -> vault conflict setAside")
    made = plan(specs, world(seen("alpha", fs("tank/www")), seen("vault", there)), NOW)

    assert of_verb(made, "rename") == []
    (conflict,) = made.conflicts
    assert conflict.evidence[-1].endswith("because after that there would be nothing to send")


def test_without_a_common_version_there_is_nothing_to_roll_back_to() -> None:
    made = planned("rollback", replica(WWW, "@mine,99"))

    assert conflicts(made) == [f"vault {WWW} no-common-version"]
    assert of_verb(made, "rollback") == []


@pytest.mark.parametrize(
    "there",
    [
        pytest.param(replica(WWW, "@mine,99"), id="no common version"),
        pytest.param(fs(WWW), id="no snapshot"),
        pytest.param(replica(WWW, "@~22:00,11", written=5), id="written to"),
    ],
)
def test_other_conflicts_are_set_aside_too(there: Filesystem) -> None:
    made = planned("setAside", there)

    assert steps(made)[0].startswith(f"rename vault {WWW}")
    assert "send alpha tank/www full → @~23:00" in steps(made)


# -- the second look -------------------------------------------------------------------------------


def looked_at(way_out: str, action: Rename | Rollback, *hosts: Observation) -> Plan:
    """Return what is left of a plan with one action, and of another that waits for it."""
    observed = world(*(hosts or (seen("alpha", HERE), seen("vault", DIVERGED))))
    first = PlannedAction(action, Reason("r", "r"), "web")
    create = CreateFilesystem("vault", "backup/x")
    waits = PlannedAction(create, Reason("r", "r"), "web", (first.id,))
    made = plan(desired(specs("stop")), observed, NOW)
    return guard_mending(replace(made, actions=(first, waits)), desired(specs(way_out)), observed)


RENAME = Rename("vault", WWW, ASIDE, DIVERGED.guid)
COMMON, MINE = DIVERGED.snapshots
ROLLBACK = Rollback("vault", WWW, COMMON, (), (MINE,))

WRONG = {
    "nobody asks for a rename": (OnConflict.STOP, RENAME),
    "the spec asks for the other": (OnConflict.ROLLBACK, RENAME),
    "another filesystem": (OnConflict.SET_ASIDE, replace(RENAME, guid=7)),
    "moved elsewhere": (OnConflict.SET_ASIDE, replace(RENAME, to="backup/elsewhere")),
    "nobody asks for a rollback": (OnConflict.STOP, ROLLBACK),
    "not the common version": (OnConflict.ROLLBACK, replace(ROLLBACK, to=MINE)),
    "more than is newer": (OnConflict.ROLLBACK, replace(ROLLBACK, lost=(COMMON, MINE))),
    "less than is newer": (OnConflict.ROLLBACK, replace(ROLLBACK, lost=())),
}


@pytest.mark.parametrize(("way_out", "action"), WRONG.values(), ids=WRONG.keys())
def test_what_no_spec_asks_for_is_taken_out_with_all_that_waits_for_it(
    way_out: OnConflict, action: Rename | Rollback
) -> None:
    left = looked_at(way_out, action)

    assert left.actions == ()
    assert [b.guard for b in left.blocked if b.action_id == action.id] == ["on-conflict"]


def test_a_rename_with_something_below_is_taken_out() -> None:
    below = (seen("alpha", HERE), seen("vault", DIVERGED, replica(f"{WWW}/sub", "@~22:00,21")))
    assert looked_at("setAside", RENAME, *below).actions == ()


def test_a_rollback_over_a_held_snapshot_is_taken_out() -> None:
    held = replica(WWW, "@~22:00,11 @mine,99,held=keep")
    common, mine = held.snapshots
    action = Rollback("vault", WWW, common, (), (mine,))
    hosts = (seen("alpha", HERE), seen("vault", held))
    assert looked_at("rollback", action, *hosts).actions == ()


def test_a_rollback_over_the_last_copy_of_something_is_taken_out() -> None:
    there = replica(WWW, "@~22:00,11 @~22:30,98")
    common, last = there.snapshots
    action = Rollback("vault", WWW, common, (), (last,))
    hosts = (seen("alpha", HERE), seen("vault", there))
    assert looked_at("rollback", action, *hosts).actions == ()


@pytest.mark.parametrize(("way_out", "action"), [("setAside", RENAME), ("rollback", ROLLBACK)])
def test_what_the_spec_asks_for_stays(way_out: str, action: Rename | Rollback) -> None:
    assert len(looked_at(way_out, action).actions) == 2
