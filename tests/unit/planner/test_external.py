"""Snapshots that another tool makes: sent, never destroyed where they were made."""

from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from tests.support.shown import blocked, notes, of_verb, steps
from tests.support.worlds import NOW, desired, fs, replica, seen, world

WWW = "backup/alpha/tank/www"
MADE = "@autosnap_1,1,at=20:00 @mine,2,at=20:30 @autosnap_2,3,at=21:00"


def planned(
    versions: str, there: str, words: str = "", to: str = "", matching: str = "^autosnap_"
) -> Plan:
    specs = desired(f"web: alpha tank/www external {matching} {words} -> vault {to}")
    vault = seen("vault", replica(WWW, there) if there else fs("backup/alpha/tank"))
    return plan(specs, world(seen("alpha", fs("tank/www", versions)), vault), NOW)


def test_nothing_is_snapshotted_and_only_what_matches_is_sent() -> None:
    made = planned(MADE, "")

    assert of_verb(made, "snapshot", "send") == [
        "send alpha tank/www full → @autosnap_1",
        "send alpha tank/www @autosnap_1 → @autosnap_2",
    ]
    assert made.next_due is None


def test_the_expression_is_searched_for_and_needs_no_anchor() -> None:
    specs = desired("web: alpha tank/www external _daily$ -> vault")
    alpha = seen("alpha", fs("tank/www", "@autosnap_daily,1 @daily_x,2 @syncoid_daily,3"))

    made = plan(specs, world(alpha, seen("vault", fs("backup/alpha/tank"))), NOW)

    assert of_verb(made, "send") == [
        "send alpha tank/www full → @autosnap_daily",
        "send alpha tank/www @autosnap_daily → @syncoid_daily",
    ]


def test_a_host_on_which_nothing_matches_is_worth_a_word() -> None:
    nothing = planned("@mine,2", "")
    some = planned(MADE, "")

    assert notes(nothing) == ["warning: alpha has no snapshot that matches what web is to send"]
    assert steps(nothing) == []
    assert notes(some) == []


def test_targets_keep_and_destroy_what_was_received_and_nothing_else() -> None:
    made = planned(
        f"{MADE} #cur,3",
        "@autosnap_1,1,at=20:00 @mine,2,at=20:30 @autosnap_2,3,at=21:00,held=base",
        to="keep last 1",
    )

    assert steps(made) == [f"destroy vault {WWW}@autosnap_1"]


def test_what_carries_a_mark_of_ours_is_not_theirs_on_a_receiver() -> None:
    made = planned(
        f"{MADE} #cur,3",
        "@autosnap_0,9,at=19:00 @autosnap_1,1,at=20:00 @mine,2 @autosnap_2,3,at=21:00,held=base",
        to="keep last 1",
    )
    marked = planned(
        f"{MADE} #cur,3",
        "@~19:00,9,spec=db @autosnap_1,1,at=20:00 @mine,2 @autosnap_2,3,at=21:00,held=base",
        matching=".",
        to="keep last 1",
    )

    assert steps(made) == [f"destroy vault {WWW}@autosnap_0@autosnap_1"]
    assert steps(marked) == [f"destroy vault {WWW}@autosnap_1@mine"]


def test_nothing_is_destroyed_on_the_sender_but_our_own_old_cursors() -> None:
    """Rules for the sender are refused when loading; if there were some, the guards look again."""
    made = planned(
        f"{MADE} #cur,1 #cur,3", "@autosnap_1,1 @autosnap_2,3,held=base", words="keep last 1"
    )

    assert steps(made) == ["destroy alpha tank/www#cur/vault"]
    assert blocked(made) == ["alpha tank/www@autosnap_1: foreign"]
