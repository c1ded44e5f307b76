"""What expires on senders and receivers, and what stays whatever the rules say."""

from dataclasses import dataclass

import pytest

from reconciler.actions import Destroy
from reconciler.observed.model import Observation
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from tests.support.shown import blocked, notes, of_verb, short, steps
from tests.support.worlds import NOW, desired, fs, replica, seen, unseen, world

WWW = "backup/alpha/tank/www"
LOCAL = "web: alpha tank/www keep last 1"
SENT = "web: alpha tank/www keep last 1 -> vault keep last 1"
ALPHA = seen("alpha", fs("tank/www", "@~21:00,11 @~22:00,12 #cur,12 @~23:00,13 #cur/x,13"))


def planned(line: str, *hosts: Observation) -> Plan:
    return plan(desired(line), world(*hosts), NOW)


def destroyed(line: str, *hosts: Observation) -> list[str]:
    return of_verb(planned(line, *hosts), "destroy")


@dataclass(frozen=True)
class Case:
    versions: str
    destroyed: str
    rules: str = "last 1"


STAYS = {
    "what no rule keeps goes": Case("@~21:00,1 @~22:00,2 @~23:00,3", "@~21:00@~22:00"),
    "H45 foreign snapshots stay and do not count": Case(
        "@~21:00,1 @manual,2 @~22:00,3 @daily-1,4", "@~21:00"
    ),
    "ours by name alone stays on a sender": Case("@~21:00,1,spec= @~22:00,2", ""),
    "of another spec": Case("@~21:00,1,spec=db @~22:00,2", ""),
    "H62 what somebody holds stays": Case("@~21:00,1,held=keep @~22:00,2 @~23:00,3", "@~22:00"),
    "what is held by nobody knows who stays": Case(
        "@~21:00,1,refs=1 @~22:00,2 @~23:00,3", "@~22:00"
    ),
    "one hold too many stays": Case("@~21:00,1,refs=2,held=step @~22:00,2", ""),
    "H34 the last one of ours stays though no rule keeps it": Case(
        "@~21:00,1 @~22:00,2 @manual,3", "@~21:00", "matching x"
    ),
    "bookmarks of others stay": Case("#mine,1 @~22:00,2", ""),
    "without rules everything stays": Case("@~21:00,1 @~22:00,2", "", ""),
}


@pytest.mark.parametrize("case", STAYS.values(), ids=STAYS.keys())
def test_on_a_host_without_targets(case: Case) -> None:
    """H34 H45 H62"""
    line = f"web: alpha tank/www keep {case.rules}"
    found = destroyed(line, seen("alpha", fs("tank/www", case.versions)))

    assert found == ([f"destroy alpha tank/www{case.destroyed}"] if case.destroyed else [])


def test_a_snapshot_with_a_clone_stays() -> None:
    """L29"""
    alpha = seen(
        "alpha",
        fs("tank/www", "@~21:00,1 @~22:00,2 @~23:00,3"),
        fs("tank/clone", origin="tank/www@rec-20261122T210000Z"),
    )

    assert destroyed(LOCAL, alpha) == ["destroy alpha tank/www@~22:00"]


def test_a_received_snapshot_with_a_clone_stays() -> None:
    """L29"""
    vault = seen(
        "vault",
        replica(WWW, "@~21:00,11 @~22:00,12 @~23:00,13,held=base"),
        fs("backup/restored", origin=f"{WWW}@rec-20261122T210000Z"),
    )

    assert destroyed(SENT, ALPHA, vault)[0] == f"destroy vault {WWW}@~22:00"


def test_the_same_name_on_parent_and_child_is_two_snapshots() -> None:
    """H38: never `-r`."""
    specs = desired("web: alpha tank/www keep last 1", "sub: alpha tank/www/a keep last 9")
    alpha = seen(
        "alpha",
        fs("tank/www", "@~22:00,1 @~23:00,2"),
        fs("tank/www/a", "@~22:00,3,spec=sub @~23:00,4,spec=sub"),
    )

    assert of_verb(plan(specs, world(alpha), NOW), "destroy") == ["destroy alpha tank/www@~22:00"]


def test_each_spec_destroys_its_own_only() -> None:
    """H42"""
    specs = desired("web: alpha tank/www keep last 1", "db: alpha tank/www prefix db- keep last 2")
    alpha = seen("alpha", fs("tank/www", "@~21:00,1 @db-20261122T210000Z,2,spec=db @~22:00,3"))

    assert of_verb(plan(specs, world(alpha), NOW), "snapshot", "destroy") == [
        "destroy alpha tank/www@~21:00"
    ]


def test_a_snapshot_taken_now_counts_now() -> None:
    found = planned(
        "web: alpha tank/www every 15m keep last 2",
        seen("alpha", fs("tank/www", "@~22:00,1 @~23:00,2")),
    )

    assert steps(found) == [
        "snapshot alpha tank/www @~23:15",
        "destroy alpha tank/www@~22:00",
    ]
    assert found.actions[1].depends_on == (found.actions[0].id,)


def test_destroys_come_in_batches() -> None:
    """H40"""
    words = " ".join(f"@~{n // 60:02}:{n % 60:02},{n + 1}" for n in range(251))
    found = planned(LOCAL, seen("alpha", fs("tank/www", words)))

    sizes = [len(p.action.versions) for p in found.actions if isinstance(p.action, Destroy)]
    assert sizes == [100, 100, 50]
    assert found.summary == {"destroy": 250}


def test_the_reason_is_said_once_when_it_is_the_same_for_all() -> None:
    found = planned(LOCAL, seen("alpha", fs("tank/www", "@~21:00,1 @~22:00,2 @~23:00,3")))

    assert [p.reason.message for p in found.actions] == ["no rule keeps it: beyond last 1"]


def test_different_reasons_are_said_for_each() -> None:
    line = "web: alpha tank/www keep hourly 1"
    found = planned(line, seen("alpha", fs("tank/www", "@~21:00,1 @~23:00,2 @~23:05,3")))

    assert short(found.actions[0].reason.message) == (
        "@~21:00 no rule keeps it: beyond hourly 1;"
        " @~23:00 no rule keeps it: hourly 1 keeps @~23:05"
    )


# -- pairs -----------------------------------------------------------------------------------------


def test_the_base_stays_on_both_ends_though_no_rule_keeps_it() -> None:
    """L12"""
    line = "web: alpha tank/www keep last 1 -> vault keep matching nothing"
    vault = seen("vault", replica(WWW, "@~21:00,11 @~22:00,12,held=base @manual,99"))
    behind = seen("vault", replica(WWW, "@~21:00,11 @~22:00,12,held=base"))

    assert destroyed(line, ALPHA, vault) == []
    assert destroyed(line, ALPHA, behind) == [
        f"destroy vault {WWW}@~21:00",
        "destroy alpha tank/www@~21:00",
    ]


def test_the_old_base_goes_when_the_new_one_is_safe() -> None:
    vault = seen("vault", replica(WWW, "@~21:00,11 @~22:00,12,held=base"))
    found = planned(SENT, ALPHA, vault)

    assert of_verb(found, "destroy") == [
        f"destroy vault {WWW}@~21:00",
        f"destroy vault {WWW}@~22:00",
        "destroy alpha tank/www@~21:00@~22:00",
        "destroy alpha tank/www#cur/vault",
    ]
    send = next(p.id for p in found.actions if p.action.verb == "send")
    _, *others = (p for p in found.actions if p.action.verb == "destroy")
    for destroy in others:
        assert send in destroy.depends_on


def test_what_waits_to_be_sent_is_not_destroyed_before() -> None:
    """H55 H58"""
    line = "web: alpha tank/www keep last 1 -> vault keep last 9"
    found = planned(
        line,
        seen("alpha", fs("tank/www", "@~20:00,10 @~21:00,11 @~22:00,12 @~23:00,13")),
        seen("vault", replica(WWW, "@~20:00,10")),
    )
    (send,) = [p for p in found.actions if p.action.verb == "send"]
    (destroy,) = [p for p in found.actions if p.action.verb == "destroy"]

    assert short(send.action.id).endswith("@~23:00:vault:" + WWW)
    assert send.id in destroy.depends_on


def test_nothing_is_destroyed_on_a_filesystem_with_an_unseen_receiver() -> None:
    """H52"""
    assert destroyed(SENT, ALPHA, unseen("vault")) == []


def test_nothing_is_let_go_on_a_filesystem_with_one_unseen_receiver_of_two() -> None:
    """H53"""
    line = "web: alpha tank/www keep last 1 -> vault keep last 1 -> north keep last 1"
    found = planned(
        line,
        ALPHA,
        seen("vault", replica(WWW, "@~21:00,11 @~22:00,12,held=base")),
        unseen("north"),
    )

    assert of_verb(found, "send") == ["send alpha tank/www @~22:00 → @~23:00"]
    assert of_verb(found, "release", "destroy") == [
        f"destroy vault {WWW}@~21:00",
        f"release vault {WWW}@~22:00 base",
        f"destroy vault {WWW}@~22:00",
    ]
    assert blocked(found) == []


def test_nothing_is_destroyed_on_receivers_of_an_unseen_sender() -> None:
    """H48"""
    vault = seen("vault", replica(WWW, "@~21:00,11 @~22:00,12,held=base"))
    found = planned(SENT, unseen("alpha"), vault)

    assert steps(found) == []
    assert notes(found) == []


def test_other_filesystems_go_on_while_one_has_an_unseen_receiver() -> None:
    """H48"""
    specs = desired(SENT, "db: alpha tank/db keep last 1")
    alpha = seen(
        "alpha",
        fs("tank/www", "@~21:00,11 @~22:00,12"),
        fs("tank/db", "@~21:00,21,spec=db @~22:00,22,spec=db"),
    )
    found = plan(specs, world(alpha, unseen("vault")), NOW)

    assert of_verb(found, "destroy") == ["destroy alpha tank/db@~21:00"]


def test_a_cursor_that_moved_on_stays_while_another_receiver_starts_from_its_version() -> None:
    """The snapshot may be gone, and the other receiver's own bookmark not made yet."""
    line = "web: alpha tank/www keep last 1 -> vault keep last 1 -> north keep matching nothing"
    found = planned(
        line,
        seen("alpha", fs("tank/www", "#cur,12 @~23:00,13")),
        seen("vault", replica(WWW, "@~22:00,12,held=base")),
        seen("north", replica(WWW, "@~22:00,12,held=base")),
    )

    assert of_verb(found, "cursor") == [
        "cursor alpha tank/www#cur/vault north",
        "cursor alpha tank/www@~23:00 vault",
    ]
    assert [step for step in of_verb(found, "destroy") if "#" in step] == []
    assert blocked(found) == []


def test_both_cursors_move_on_in_one_plan_when_both_receivers_do() -> None:
    line = "web: alpha tank/www -> vault -> north"
    found = planned(
        line,
        seen("alpha", fs("tank/www", "@~22:00,12 #cur,12 #cur/north,12 @~23:00,13")),
        seen("vault", replica(WWW, "@~22:00,12,held=base")),
        seen("north", replica(WWW, "@~22:00,12,held=base")),
    )

    assert of_verb(found, "destroy") == [
        "destroy alpha tank/www#cur/north",
        "destroy alpha tank/www#cur/vault",
    ]
    assert blocked(found) == []


def test_foreign_snapshots_of_the_receiver_stay() -> None:
    """H88: ones older than the base are its own business."""
    vault = seen("vault", replica(WWW, "@theirs,90 @~21:00,11 @kept,91 @~23:00,13,held=base"))

    assert destroyed(SENT, ALPHA, vault)[0] == f"destroy vault {WWW}@~21:00"


def test_what_another_spec_marked_on_the_receiver_stays() -> None:
    vault = seen("vault", replica(WWW, "@~20:00,90,spec=db @~21:00,11 @~23:00,13,held=base"))

    assert destroyed(SENT, ALPHA, vault)[0] == f"destroy vault {WWW}@~21:00"


def test_a_receiver_keeps_by_its_own_rules() -> None:
    line = "web: alpha tank/www keep last 1 -> vault keep last 3"
    vault = seen("vault", replica(WWW, "@~19:00,9 @~20:00,10 @~21:00,11 @~23:00,13,held=base"))

    assert destroyed(line, ALPHA, vault) == [
        f"destroy vault {WWW}@~19:00",
        "destroy alpha tank/www@~21:00@~22:00",
        "destroy alpha tank/www#cur/vault",
    ]


def test_a_parent_without_snapshots_is_never_touched() -> None:
    """H105"""
    line = "web: alpha tank/** keep last 1 -> vault keep last 1"
    found = planned(line, ALPHA, seen("vault", replica(WWW, "@~21:00,11 @~23:00,13,held=base")))

    places = {p.action.places[0][1] for p in found.actions if p.action.verb == "destroy"}
    assert places <= {WWW, "tank/www"}


def test_a_clock_that_is_wrong_stops_destroys_on_its_host_only() -> None:
    """L14"""
    vault = seen("vault", replica(WWW, "@~21:00,11 @~22:00,12 @~23:00,13,held=base"), skew=61)
    found = planned(SENT, ALPHA, vault)

    assert of_verb(found, "destroy")[0] == "destroy alpha tank/www@~21:00@~22:00"
    assert blocked(found) == [f"vault {WWW}@~21:00@~22:00: clock"]
    assert found.outcome == "blocked"


def test_a_snapshot_from_the_future_stops_destroys_where_it_is() -> None:
    """H33"""
    alpha = seen("alpha", fs("tank/www", "@~21:00,1 @~22:00,2 @~2099-01-01T00:00,3"))
    found = planned(LOCAL, alpha)

    assert steps(found) == []
    assert blocked(found) == ["alpha tank/www@~21:00@~22:00: future"]
