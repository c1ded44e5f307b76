"""Which filesystems are sources, and what is to be said about the selection."""

from dataclasses import replace

from reconciler.observed.model import Observation
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from tests.support.shown import conflicts, notes, of_verb, steps
from tests.support.worlds import (
    NOW,
    desired,
    fs,
    ours,
    placeholder,
    pool,
    replica,
    seen,
    unseen,
    world,
)


def planned(line: str, *hosts: Observation) -> Plan:
    return plan(desired(line), world(*hosts), NOW)


LOCAL = "web: alpha tank/www/** every 15m keep last 2"
SENT = f"{LOCAL} -> vault"
EMPTY_VAULT = seen("vault", fs("backup"))


def test_selecting_nothing_anywhere_is_an_error() -> None:
    """H09"""
    found = planned(LOCAL, seen("alpha", fs("tank/db")))

    assert notes(found) == ["error: web selects no filesystem on alpha: tank/www/**"]
    assert found.outcome == "error"
    assert steps(found) == []


def test_where_a_pool_is_not_imported_it_is_said_which_are() -> None:
    found = planned(LOCAL, seen("alpha", fs("new/www"), fs("old")))

    (note,) = notes(found)
    assert note == (
        "error: web selects no filesystem on alpha: tank/www/**; not imported there: pool tank;"
        " pools that are: new, old"
    )


def test_selecting_nothing_on_one_of_two_hosts_is_a_warning() -> None:
    line = "web: alpha,beta tank/www/** keep last 2"
    found = planned(line, seen("alpha", fs("tank/www", "@~23:00,1")), seen("beta", fs("tank")))

    assert notes(found) == ["warning: web selects no filesystem on beta: tank/www/**"]


def test_selecting_nothing_on_the_only_host_that_was_seen_is_a_warning() -> None:
    line = "web: alpha,beta tank/www/** keep last 2"
    found = planned(line, unseen("alpha"), seen("beta", fs("tank")))

    assert notes(found) == ["warning: web selects no filesystem on beta: tank/www/**"]


def test_a_suspended_replication_says_so_and_does_nothing() -> None:
    line = "web: alpha tank/www/** every 15m keep last 1 suspended -> vault keep last 1"
    found = planned(
        line,
        seen("alpha", fs("tank/www", "@~20:00,1 @~21:00,2")),
        seen("vault", replica("backup/alpha/tank/www", "@~20:00,1")),
    )

    assert notes(found) == ["notice: web is suspended"]
    assert steps(found) == []
    assert found.next_due is None


def test_filesystems_that_are_switched_off_are_named_and_left_alone() -> None:
    found = planned(
        LOCAL,
        seen(
            "alpha",
            fs("tank/www", disabled=True),
            fs("tank/www/a", "@~20:00,1 @~21:00,2 @~22:00,3", disabled=True),
            fs("tank/www/b"),
        ),
    )

    assert notes(found) == [
        "notice: alpha tank/www and 1 more: switched off by reconciler:reconcile=disabled"
    ]
    assert steps(found) == ["snapshot alpha tank/www/b @~23:15"]


def test_a_receiver_that_is_switched_off_stops_the_pair() -> None:
    found = planned(
        SENT,
        seen("alpha", fs("tank/www", "@~21:00,1 @~22:00,2 @~23:15,3")),
        seen("vault", replica("backup/alpha/tank/www", "@~21:00,1", disabled=True)),
    )

    assert steps(found) == []


def test_a_receiver_whose_source_is_gone_is_kept_and_reported() -> None:
    """H60 H103"""
    found = planned(
        SENT,
        seen("alpha", fs("tank/www", "@~23:15,1")),
        seen(
            "vault",
            placeholder("backup/alpha"),
            placeholder("backup/alpha/tank"),
            replica("backup/alpha/tank/www", "@~23:15,1,held=base"),
            replica("backup/alpha/tank/www/gone", "@~20:00,5 @~21:00,6"),
            replica("backup/alpha/tank/other", "@~20:00,7"),
        ),
    )

    assert notes(found) == [
        "warning: alpha tank/www/gone is gone; vault backup/alpha/tank/www/gone is kept as it is"
    ]
    assert of_verb(found, "destroy", "release") == []


def test_a_source_in_a_pool_that_is_not_imported_is_not_said_to_be_gone() -> None:
    """L5: absent is not gone."""
    replicas = seen("vault", replica("backup/alpha/tank/www", "@~20:00,5 @~21:00,6"))
    without = planned(SENT, seen("alpha", fs("other")), replicas)
    shut = planned(SENT, seen("alpha", pools=[pool("tank", health="SUSPENDED")]), replicas)

    for found in (without, shut):
        (note,) = notes(found)
        assert note.startswith("error: web selects no filesystem on alpha: tank/www/**")
        assert steps(found) == []


def test_an_orphan_is_not_reported_while_its_source_host_is_unseen() -> None:
    """H48"""
    found = planned(
        SENT, unseen("alpha"), seen("vault", replica("backup/alpha/tank/www/x", "@~01:00,5"))
    )

    assert notes(found) == []
    assert steps(found) == []


def test_a_read_only_pool_gets_no_snapshots_and_loses_none() -> None:
    readonly = pool("tank", readonly=True)
    alpha = seen("alpha", fs("tank/www", "@~20:00,1 @~21:00,2 @~22:00,3"), pools=[readonly])

    assert steps(planned(LOCAL, alpha)) == []
    assert conflicts(planned(SENT, alpha, EMPTY_VAULT)) == ["alpha tank/www pool-unusable"]


def test_a_filesystem_whose_name_leaves_no_room_is_reported() -> None:
    long = "tank/www/" + "x" * 240
    found = planned(LOCAL, seen("alpha", fs(long), fs("tank/www")))

    assert notes(found) == [f"warning: alpha {long}: its name leaves no room for snapshots of ours"]
    assert steps(found) == ["snapshot alpha tank/www @~23:15"]


def test_each_host_and_spec_gets_its_own_snapshot_under_its_own_name() -> None:
    specs = desired(
        "web: alpha,beta tank/www every 15m",
        "db: alpha tank/www prefix db- every 1h",
    )
    found = plan(specs, world(seen("alpha", fs("tank/www")), seen("beta", fs("tank/www"))), NOW)

    assert steps(found) == [
        f"snapshot alpha tank/www @{ours('23:15', 'db-')}",
        "snapshot alpha tank/www @~23:15",
        "snapshot beta tank/www @~23:15",
    ]
    assert [planned.reason.message for planned in found.actions] == [
        "due since 2026-11-22 23:00:00 UTC",
        "due since 2026-11-22 23:15:00 UTC",
        "due since 2026-11-22 23:15:00 UTC",
    ]


def test_a_spec_that_is_gone_leaves_its_snapshots_to_themselves() -> None:
    """H44 H63"""
    specs = desired("db: alpha tank/www prefix db- keep last 1", "web: alpha tank/www keep last 1")
    only = replace(specs, replications={"db": specs.replications["db"]})
    alpha = seen("alpha", fs("tank/www", "@~20:00,1 @~21:00,2,held=step #cur,1"))

    assert of_verb(plan(only, world(alpha), NOW), "destroy", "release") == []
    assert of_verb(plan(specs, world(alpha), NOW), "destroy") == ["destroy alpha tank/www@~20:00"]
