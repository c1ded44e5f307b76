"""Windows: what waits for them, what is done all the same, and what must not be done before."""

import pytest

from reconciler.actions import Send
from reconciler.observed.model import Filesystem, Observation
from reconciler.planner.plan import Outcome, Plan
from reconciler.planner.planning import plan
from reconciler.planner.waiting import must_wait, next_opening
from tests.support.converge import converge
from tests.support.shown import blocked, conflicts, steps
from tests.support.worlds import NOW, desired, fs, instant, replica, seen, unseen, world

WWW = "backup/alpha/tank/www"
CLOSED = "allow 0 2 * * * 4h"
"""NOW is 23:15."""
OPEN = "allow 0 22 * * * 8h"


def planned(
    source: Filesystem,
    *there: Filesystem,
    windows: str = CLOSED,
    keep: str = "",
    to: str = "",
    vault: Observation | None = None,
    now: int = NOW,
) -> Plan:
    """Plan for tank/www of alpha → vault."""
    line = f"web: alpha tank/www {windows} {keep} -> vault {to}"
    return plan(
        desired(line),
        world(seen("alpha", source), vault or seen("vault", fs("backup"), *there)),
        now,
    )


BEHIND = fs("tank/www", "@~21:00,11 #cur,11 @~22:00,12 @~23:00,13")
THERE = replica(WWW, "@~21:00,11,held=base")


def test_outside_of_the_windows_nothing_is_sent_and_it_is_said_until_when() -> None:
    made = planned(BEHIND, THERE)

    assert steps(made) == []
    assert blocked(made) == [f"vault {WWW}@~22:00@~23:00: window"]
    (waiting,) = made.blocked
    assert waiting.message == "the windows of web are closed until 2026-11-23 02:00:00 UTC"
    assert waiting.action_id == f"send:alpha:tank/www@rec-20261122T230000Z:vault:{WWW}"


def test_the_same_id_is_that_of_the_stream_once_they_are_open() -> None:
    (waiting,) = planned(BEHIND, THERE).blocked
    sends = [p.id for p in planned(BEHIND, THERE, windows=OPEN).actions if p.action.verb == "send"]

    assert waiting.action_id in sends


def test_inside_of_the_windows_all_is_as_without() -> None:
    assert steps(planned(BEHIND, THERE, windows=OPEN)) == steps(planned(BEHIND, THERE, windows=""))
    assert planned(BEHIND, THERE, windows=OPEN).blocked == ()


def test_what_waits_needs_nobody() -> None:
    made = planned(BEHIND, THERE)

    assert made.outcome is Outcome.NOTHING
    assert made.waiting == 2


def test_a_plan_says_when_a_window_opens_that_something_waits_for() -> None:
    assert planned(BEHIND, THERE).next_due == instant("11-23T02:00")


def test_a_window_that_nothing_waits_for_is_nothing_to_look_at() -> None:
    level = planned(fs("tank/www", "@~21:00,11 #cur,11"), THERE)

    assert level.blocked == ()
    assert level.next_due is not None
    assert level.next_due > instant("12-01T00:00")


def test_snapshots_are_taken_all_the_same_and_wait_with_the_others() -> None:
    made = planned(BEHIND, THERE, windows=f"every 15m {CLOSED}")

    assert steps(made) == ["snapshot alpha tank/www @~23:15"]
    assert blocked(made) == [f"vault {WWW}@~22:00@~23:00@~23:15: window"]


def test_a_first_replication_waits_and_makes_no_parents() -> None:
    made = planned(fs("tank/www", "@~21:00,11 @~22:00,12"))

    assert steps(made) == []
    assert blocked(made) == [f"vault {WWW}@~21:00@~22:00: window"]


def test_what_waits_for_a_first_replication_is_not_destroyed_before() -> None:
    made = planned(fs("tank/www", "@~20:00,11 @~21:00,12 @~22:00,13"), keep="keep last 1")

    assert steps(made) == []


def test_the_receiver_destroys_by_what_it_has_and_not_by_what_it_is_to_get() -> None:
    source = fs("tank/www", "@~19:00,1 @~20:00,2 @~21:00,11 #cur,11 @~22:00,12 @~23:00,13")
    there = replica(WWW, "@~19:00,1 @~20:00,2 @~21:00,11,held=base")

    made = planned(source, there, to="keep last 2")

    assert steps(made) == [f"destroy vault {WWW}@~19:00"]


def test_the_sender_destroys_what_has_been_sent_and_keeps_what_waits() -> None:
    source = fs("tank/www", "@~19:00,1 @~20:00,2 @~21:00,11 #cur,11 @~22:00,12 @~23:00,13")
    there = replica(WWW, "@~19:00,1 @~20:00,2 @~21:00,11,held=base")

    made = planned(source, there, keep="keep last 1")

    assert steps(made) == ["destroy alpha tank/www@~19:00@~20:00"]


def test_what_the_receiver_would_not_keep_does_not_wait() -> None:
    made = planned(BEHIND, THERE, keep="keep last 1", to="keep last 1")

    assert blocked(made) == [f"vault {WWW}@~23:00: window"]
    assert steps(made) == ["destroy alpha tank/www@~22:00"]


def test_the_hold_on_what_was_begun_stays() -> None:
    source = fs("tank/www", "@~21:00,11 #cur,11 @~22:00,12,held=step @~23:00,13")

    assert steps(planned(source, THERE)) == []


def test_the_hold_on_what_was_begun_stays_when_nothing_has_arrived_yet() -> None:
    assert steps(planned(fs("tank/www", "@~21:00,11,held=step @~22:00,12"))) == []


def test_a_crash_after_a_stream_is_settled_outside_of_the_windows() -> None:
    source = fs("tank/www", "@~21:00,11 #cur,11 @~22:00,12,held=step")
    there = replica(WWW, "@~21:00,11,held=base @~22:00,12")

    assert steps(planned(source, there)) == [
        f"hold vault {WWW}@~22:00 base",
        "cursor alpha tank/www@~22:00 vault",
        f"release vault {WWW}@~21:00 base",
        "release alpha tank/www@~22:00 step",
        "destroy alpha tank/www#cur/vault",
    ]


def test_conflicts_are_told_outside_of_the_windows_too() -> None:
    made = planned(BEHIND, replica(WWW, "@~21:00,11 @mine,99"))

    assert conflicts(made) == [f"vault {WWW} diverged"]
    assert made.outcome is Outcome.BLOCKED


def test_a_receiver_that_was_not_seen_waits_for_nothing() -> None:
    assert planned(BEHIND, vault=unseen("vault")).blocked == ()


def test_applied_outside_of_the_windows_and_planned_again_nothing_is_left_to_do() -> None:
    specs = desired(f"web: alpha tank/www every 15m {CLOSED} keep last 2 -> vault keep last 2")
    after = converge(specs, world(seen("alpha", BEHIND), seen("vault", THERE)), NOW)

    assert plan(specs, after, NOW).actions == ()


@pytest.mark.parametrize(("at", "waits"), [("11-23T05:59:59", False), ("11-23T06:00", True)])
def test_a_stream_whose_turn_comes_late_looks_at_the_windows_again(at: str, waits: bool) -> None:  # noqa: FBT001
    made = planned(BEHIND, THERE, windows=OPEN)
    specs = desired(f"web: alpha tank/www {OPEN} -> vault")

    late = [p.action for p in made.actions if must_wait(specs, p, instant(at))]

    assert late == [p.action for p in made.actions if isinstance(p.action, Send) and waits]


def test_the_next_opening_is_none_while_they_are_open() -> None:
    def web(words: str = "") -> int | None:
        return next_opening(
            desired(f"web: alpha tank/www {words} -> vault").replications["web"], NOW
        )

    assert web() is None
    assert web(OPEN) is None
    assert web(CLOSED) == instant("11-23T02:00")
    assert web(f"{CLOSED} suspended") is None
