"""What goes on a receiver before anything is sent to it, so that a full one gets room."""

from dataclasses import replace

import pytest

from reconciler.actions import Destroy, Send
from reconciler.observed.model import Filesystem, Seen
from reconciler.planner.plan import Plan, PlannedAction
from reconciler.planner.planning import plan
from tests.support.converge import converge
from tests.support.shown import blocked, steps
from tests.support.tokens import token
from tests.support.worlds import NOW, desired, fs, ours, replica, seen, world
from tests.unit.planner.test_chains import MIDDLE, SENT, cursor, hosts
from tests.unit.planner.test_chains import planned as planned_chain

WWW = "backup/alpha/tank/www"
HERE = "@~20:00,10 @~21:00,11 @~22:00,12 #cur,12 @~23:00,13"


def planned(there: str, words: str, here: str = HERE, **facts: object) -> Plan:
    vault = seen("vault", replica(WWW, there, **facts))
    return plan(desired(f"web: alpha tank/www -> vault {words}"), world(sender(here), vault), NOW)


def sender(here: str, *more: Filesystem) -> Seen:
    return seen("alpha", fs("tank/www", here), *more)


def first(made: Plan, host: str = "vault") -> list[str]:
    """What a plan destroys on a host without waiting for anything."""
    return steps(replace(made, actions=tuple(p for p in destroys(made, host) if not p.depends_on)))


def later(made: Plan, host: str = "vault") -> list[str]:
    """What it destroys there after a stream."""
    sends = {p.id for p in made.actions if isinstance(p.action, Send)}
    after = tuple(p for p in destroys(made, host) if sends & set(p.depends_on))
    return steps(replace(made, actions=after))


def destroys(made: Plan, host: str) -> list[PlannedAction]:
    return [p for p in made.actions if isinstance(p.action, Destroy) and p.action.host == host]


def test_what_has_expired_already_goes_before_the_stream_and_the_rest_after_it() -> None:
    """H56"""
    made = planned("@~20:00,10 @~21:00,11 @~22:00,12,held=base", "keep last 2")

    assert first(made) == [f"destroy vault {WWW}@~20:00"]
    assert later(made) == [f"destroy vault {WWW}@~21:00"]
    assert steps(made)[0] == f"destroy vault {WWW}@~20:00"


def test_what_expires_only_because_of_what_is_to_come_waits_for_it() -> None:
    made = planned("@~21:00,11 @~22:00,12,held=base", "keep last 2")

    assert first(made) == []
    assert later(made) == [f"destroy vault {WWW}@~21:00"]


def test_what_is_kept_again_because_of_what_is_to_come_stays() -> None:
    """A clock was set back: `within` counts from a version that is older than the one before."""
    here = "@~20:00,10 @~21:00,11 @~22:00,12 #cur,12 @~20:30,13"
    made = planned("@~20:00,10 @~21:00,11 @~22:00,12,held=base", "keep within 40m", here)

    assert first(made) == later(made) == []


def test_the_base_of_the_stream_stays_until_it_is_through() -> None:
    made = planned("@~20:00,10 @~21:00,11 @~22:00,12", "keep matching rec-.*T23.*")

    assert first(made) == [f"destroy vault {WWW}@~20:00@~21:00"]
    assert later(made) == [f"destroy vault {WWW}@~22:00"]


def test_the_newest_managed_one_stays_until_one_comes_though_the_base_is_another() -> None:
    made = planned(
        "@~20:00,10 @~21:00,11 @manual,12,held=base",
        "keep matching rec-.*T23.*",
        "@manual,12 #cur,12 @~23:00,13",
    )

    assert first(made) == [f"destroy vault {WWW}@~20:00"]
    assert later(made) == [f"destroy vault {WWW}@~21:00"]


def test_what_we_hold_waits_until_it_is_let_go_and_what_others_hold_stays() -> None:
    made = planned("@~19:00,9,held=base @~20:00,10,held=mine @~21:00,11 @~22:00,12", "keep last 1")

    assert first(made) == [f"destroy vault {WWW}@~21:00"]
    assert later(made) == [f"destroy vault {WWW}@~19:00@~22:00"]


def test_what_has_a_clone_stays() -> None:
    there = replica(WWW, "@~20:00,10 @~21:00,11 @~22:00,12,held=base")
    clone = fs("backup/mine", origin=f"{WWW}@{ours('20:00')}")
    made = plan(
        desired("web: alpha tank/www -> vault keep last 1"),
        world(sender(HERE), seen("vault", there, clone)),
        NOW,
    )

    assert first(made) == [f"destroy vault {WWW}@~21:00"]


@pytest.mark.parametrize(("base", "goes"), [(11, ["@~20:00"]), (12, ["@~20:00@~21:00"])])
def test_what_a_partial_receive_rests_on_stays(base: int, goes: list[str]) -> None:
    """ZFS would refuse: what has arrived of it is a clone of that snapshot."""
    made = planned(
        "@~20:00,10 @~21:00,11 @~22:00,12,held=base",
        "keep last 1",
        resume_token=token(13, base),
    )

    assert first(made) == [f"destroy vault {WWW}{names}" for names in goes]


def test_when_nothing_is_sent_all_that_expires_goes_as_ever() -> None:
    made = planned("@~21:00,11 @~22:00,12 @~23:00,13", "keep last 1")

    assert f"destroy vault {WWW}@~21:00@~22:00" in steps(made)
    assert first(made) == []


def test_in_the_middle_of_a_chain_what_is_sent_on_waits_and_what_nobody_needs_goes_first() -> None:
    observed = hosts(
        f"{SENT} @~23:10,14",
        f"@~20:00,10 @~21:00,11 @~22:00,12 {cursor(12)} @~22:30,15 @~23:00,13,held=base",
        "@~21:00,11 @~22:00,12,held=rec-base_onward",
    )
    made = planned_chain(observed, middle="keep last 1")

    assert first(made) == [f"destroy vault {MIDDLE}@~20:00@~21:00"]
    assert later(made) == [
        f"destroy vault {MIDDLE}@~22:00@~22:30@~23:00",
        f"destroy vault {MIDDLE}#cur/north",
    ]
    assert blocked(made) == []


def test_the_next_plan_has_nothing_left_to_do() -> None:
    specs = desired("web: alpha tank/www -> vault keep last 1")
    there = replica(WWW, "@~20:00,10 @~21:00,11 @~22:00,12,held=base")
    after = converge(specs, world(sender(HERE), seen("vault", there)), NOW)

    assert plan(specs, after, NOW).actions == ()
