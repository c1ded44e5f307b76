"""When a snapshot is due, and what it is called."""

from dataclasses import dataclass

import pytest

from reconciler.desired.model import Replication, Snapshots
from reconciler.observed.change import with_versions
from reconciler.planner.marks import Ownership
from reconciler.planner.snapshotting import is_due, next_due, plan_snapshots
from tests.support.shown import short
from tests.support.worlds import desired, fs, instant, ours


def spec(words: str) -> Replication:
    """Return a replication that takes snapshots like this."""
    return desired(f"web: alpha tank/** {words}").replications["web"]


@dataclass(frozen=True)
class Case:
    words: str
    versions: str
    now: str
    due: bool
    written: int = 1


CASES = {
    "without any snapshot": Case("every 15m", "", "23:15", due=True),
    "in the slot of one that is there": Case("every 15m", "@~23:00,1", "23:14", due=False),
    "from the first second of the next slot": Case("every 15m", "@~23:00,1", "23:15", due=True),
    "slots begin at the epoch, not at the last snapshot": Case(
        "every 15m", "@~23:14,1", "23:15", due=True
    ),
    "slots of a week begin on a Thursday": Case(
        "every 7d", "@~11-18T23:59,1", "11-19T00:00", due=True
    ),
    "still the same week": Case("every 7d", "@~11-19T00:00,1", "11-25T23:59", due=False),
    "H24 once after several missed slots": Case("every 15m", "@~20:00,1", "23:20", due=True),
    "a later name in this slot counts": Case("every 15m", "@~23:14,1", "23:05", due=False),
    "H23 not again when the clock was set back": Case(
        "every 15m", "@~22:00,1 @~22:15,2 @~22:30,3 @~22:45,4 @~23:00,5", "22:20", due=False
    ),
    "H33 in spite of a snapshot from the future": Case(
        "every 15m", "@~22:45,1 @~2099-01-01T00:00,2", "23:00", due=True
    ),
    "cron: in the slot of one that is there": Case(
        "cron 0 2 * * *", "@~02:00,1", "11-23T01:59:59", due=False
    ),
    "cron: from the first second of the next slot": Case(
        "cron 0 2 * * *", "@~02:00,1", "11-23T02:00", due=True
    ),
    "cron: by the clocks of its zone": Case(
        "cron 0 2 * * * zone Asia/Kolkata", "@~11-21T20:31,1", "11-22T20:30", due=True
    ),
    "cron: not yet by the clocks of its zone": Case(
        "cron 0 2 * * * zone Asia/Kolkata", "@~11-21T20:31,1", "11-22T20:29:59", due=False
    ),
    "cron: once after several missed slots": Case(
        "cron 0 2 * * *", "@~11-02T02:00,1", "12:00", due=True
    ),
    "cron: a later name in this slot counts": Case(
        "cron 0 2 * * *", "@~12:00,1", "11:00", due=False
    ),
    "H23 cron: not again when the clock was set back": Case(
        "cron 0 * * * *", "@~20:00,1 @~21:00,2 @~22:00,3", "20:30", due=False
    ),
    "H33 cron: in spite of a snapshot from the future": Case(
        "cron 0 2 * * *", "@~11-21T02:00,1 @~2099-01-01T00:00,2", "03:00", due=True
    ),
    "what others made with our name does not count": Case(
        "every 15m", "@~23:00,1,spec=", "23:05", due=True
    ),
    "what another spec made does not count": Case(
        "every 15m", "@~23:00,1,spec=db", "23:05", due=True
    ),
    "what has another name does not count": Case(
        "every 15m", "@manual,1,at=23:00", "23:05", due=True
    ),
    "H18 nothing written since the last of ours": Case(
        "every 15m if-changed", "@~22:00,1", "23:00", due=False, written=0
    ),
    "H18 the first is always taken": Case("every 15m if-changed", "", "23:00", due=True, written=0),
    "something written": Case("every 15m if-changed", "@~22:00,1", "23:00", due=True),
    "nothing written, but it is not asked": Case(
        "every 15m", "@~22:00,1", "23:00", due=True, written=0
    ),
    "H19 written before a foreign snapshot": Case(
        "every 15m if-changed", "@~22:00,1 @manual,2,written=5", "23:00", due=True, written=0
    ),
    "H19 foreign snapshots of nothing": Case(
        "every 15m if-changed",
        "@manual,1,written=5 @~22:00,2 @a,3,written=0 @b,4,written=0",
        "23:00",
        due=False,
        written=0,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_snapshot_is_due(case: Case) -> None:
    """H18 H19 H23 H24 H33"""
    replication = spec(case.words)
    assert isinstance(replication.snapshots, Snapshots)
    filesystem = fs("tank/www", case.versions, written=case.written)

    due = is_due(replication.snapshots, Ownership.of(replication), filesystem, instant(case.now))

    assert due is case.due


def planned(*filesystems: object, words: str = "every 15m", now: str = "23:15:07") -> list[str]:
    """Return the planned snapshots in short."""
    actions = plan_snapshots(spec(words), "alpha", filesystems, instant(now))  # type: ignore[arg-type]
    return [short(f"{' '.join(action.filesystems)} @{action.name}") for action in actions]


def test_all_that_is_due_in_a_pool_is_one_action_and_one_name() -> None:
    """H16"""
    found = planned(
        fs("tank/b"), fs("tank-2/x"), fs("tank/a"), fs("tank"), fs("tank/late", "@~23:15,1")
    )

    name = ours("23:15:07")
    assert found == [f"tank tank/a tank/b @{name}", f"tank-2/x @{name}"]


def test_a_name_that_is_taken_anywhere_is_left_to_who_has_it() -> None:
    """H22"""
    found = planned(
        fs("tank/a", "@~23:15:07,1,spec= @~23:15:08,2,spec="), fs("tank/b"), now="23:15:07"
    )

    assert found == [f"tank/a tank/b @{ours('23:15:09')}"]


def test_a_name_is_of_the_slot_even_if_the_rest_of_the_slot_is_taken() -> None:
    found = planned(fs("tank/a", "@~23:14:59,1,spec="), now="23:14:59")

    assert found == ["tank/a @~23:00"]


def test_a_half_received_filesystem_has_nothing_to_take_a_snapshot_of() -> None:
    assert planned(fs("tank/a", inconsistent=True)) == []


def test_a_name_too_long_for_a_snapshot_does_not_spoil_the_others() -> None:
    long = "tank/" + "x" * 240

    assert planned(fs("tank/a"), fs(long)) == [f"tank/a @{ours('23:15:07')}"]


def test_a_replication_without_snapshots_takes_none() -> None:
    replication = desired("web: alpha tank/**").replications["web"]
    without = Replication(
        replication.name, ("alpha",), replication.selection, None, replication.keep, ()
    )

    assert plan_snapshots(without, "alpha", [fs("tank/a")], instant("23:15")) == ()


def test_a_day_of_25_hours_has_100_quarters_with_100_names() -> None:
    """H20"""
    midnight = instant("2026-10-24T22:00")  # in Vienna
    names: set[str] = set()
    for quarter in range(100):
        (action,) = plan_snapshots(
            spec("every 15m"), "alpha", [fs("tank/a")], midnight + quarter * 900
        )
        names.add(action.name)

    assert len(names) == 100


def test_the_next_instant_at_which_anything_is_due_is_the_next_slot_of_any_active_spec() -> None:
    specs = desired(
        "web: alpha tank/** every 15m",
        "db: alpha tank/db every 1h",
        "off: alpha tank/x every 1m suspended",
    )

    assert next_due(specs.replications.values(), instant("23:16")) == instant("23:30")
    assert next_due([], instant("23:16")) is None


def test_a_schedule_with_cron_begins_its_next_slot_at_the_next_match() -> None:
    specs = desired(
        "web: alpha tank/** cron 30 2 * * * zone Europe/Vienna",
        "db: alpha tank/db cron 0 0 1 * * prefix db-",
        "out: alpha tank/out external ^autosnap_",
    )

    assert next_due(specs.replications.values(), instant("11-22T01:30")) == instant("11-23T01:30")


def test_what_else_comes_due_counts_if_it_comes_first() -> None:
    web = [spec("every 1h")]

    assert next_due(web, instant("23:16"), [None, instant("23:20")]) == instant("23:20")
    assert next_due(web, instant("22:59"), [instant("23:20")]) == instant("23:00")


def test_a_daily_snapshot_is_taken_once_on_a_day_without_its_time() -> None:
    """H21"""
    words = "cron 30 2 * * * zone Europe/Vienna"
    filesystem, names = fs("tank/a"), []
    for minute in range(instant("2026-03-28T12:00"), instant("2026-03-30T12:00"), 60):
        for action in plan_snapshots(spec(words), "alpha", [filesystem], minute):
            names.append(action.name)
            filesystem = with_versions(filesystem, action.promised(filesystem))

    assert names == [
        ours("2026-03-28T12:00"),  # the first one, for the slot of that day
        ours("2026-03-29T01:00"),
        ours("2026-03-30T00:30"),
    ]
