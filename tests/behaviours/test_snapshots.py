"""6.2 of the list of behaviours: creation of snapshots, and time."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from reconciler.actions import Done, Failed, Snapshot
from reconciler.hosts.script import Outcome
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.marks import snapshot_time
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from reconciler.planner.retention import evaluate
from reconciler.zfs.errors import FailureKind
from reconciler.zfs.types import Version, VersionKind
from tests.behaviours.outcomes import doomed
from tests.support.converge import converge
from tests.support.shown import blocked, of_verb, steps
from tests.support.transcripts import ran, refused, said
from tests.support.worlds import NOW, PREFIX, desired, fs, instant, keep, ours, seen, world

HOUR = 3600
VIENNA = "Europe/Vienna"


def planned(words: str, *filesystems: Filesystem, at: str = "23:15", skew: int = 0) -> Plan:
    """Plan for alpha, which is looked at and taken care of at the same instant."""
    now = instant(at)
    return plan(
        desired(f"web: alpha {words}"), world(seen("alpha", *filesystems, at=now, skew=skew)), now
    )


def snapshotted(words: str, *filesystems: Filesystem, at: str = "23:15") -> list[str]:
    """Return which filesystems get a snapshot."""
    actions = (p.action for p in planned(words, *filesystems, at=at).actions)
    return [name for a in actions if isinstance(a, Snapshot) for _, name in a.places]


def test_h16_each_pool_gets_one_atomic_command_and_all_snapshots_have_one_name() -> None:
    made = planned(
        "tank/** data/** !tank !data every 15m",
        fs("tank/c"),
        fs("data/x"),
        fs("tank/a"),
        fs("tank/b"),
    )

    commands = [
        step.argv
        for p in made.actions
        if isinstance(p.action, Snapshot)
        for step in p.action.script().steps
        if step.argv[1] == "snapshot"
    ]
    name = ours("23:15")
    assert [command[4:] for command in commands] == [
        (f"data/x@{name}",),
        (f"tank/a@{name}", f"tank/b@{name}", f"tank/c@{name}"),
    ]


def test_h18_nothing_is_taken_while_nothing_was_written_since_our_last() -> None:
    quiet, busy = fs("tank/a", "@~23:00,1", written=0), fs("tank/b", "@~23:00,2", written=512)

    assert snapshotted("tank/** !tank every 15m if-changed", quiet, busy) == ["tank/b"]
    assert snapshotted("tank/** !tank every 15m", quiet, busy) == ["tank/a", "tank/b"]


def test_h18_the_first_snapshot_is_taken_though_nothing_was_written() -> None:
    empty = fs("tank/a", written=0)
    with_strangers = fs("tank/b", "@manual,1,written=0", written=0)

    assert snapshotted("tank/** !tank every 15m if-changed", empty, with_strangers) == [
        "tank/a",
        "tank/b",
    ]


def test_h18_a_new_child_of_an_unchanged_parent_gets_its_first_snapshot() -> None:
    parent, child = fs("tank/a", "@~23:00,1", written=0), fs("tank/a/new", written=0)

    assert snapshotted("tank/a/** every 15m if-changed", parent, child) == ["tank/a/new"]


@pytest.mark.parametrize(
    ("versions", "taken"),
    [
        pytest.param("@~22:00,1 @manual,2,written=9", ["tank/a"], id="much before the foreign one"),
        pytest.param(
            "@~22:00,1 @m,2,written=9 @n,3,written=0", ["tank/a"], id="before two of them"
        ),
        pytest.param("@m,2,written=9 @~22:00,1,written=5", [], id="only before our own"),
        pytest.param("@~22:00,1 @m,2,written=0", [], id="nothing at all"),
    ],
)
def test_h19_what_was_written_counts_from_our_last_snapshot_not_from_a_foreign_one(
    versions: str, taken: list[str]
) -> None:
    assert snapshotted("tank/a every 15m if-changed", fs("tank/a", versions, written=0)) == taken


def ticks(words: str, start: int, count: int, every: int) -> Iterator[tuple[int, Observed]]:
    """Apply a plan again and again; yield each instant and what is there then."""
    specs = desired(f"web: alpha {words}")
    observed: Observed = world(seen("alpha", fs("tank/a")))
    for now in range(start, start + count * every, every):
        alpha = observed["alpha"]
        assert isinstance(alpha, Seen)
        observed = converge(specs, {"alpha": replace(alpha, at=now, clock=now)}, now)
        yield now, observed


def names(observed: Observed) -> list[str]:
    """Return what snapshots tank/a has."""
    alpha = observed["alpha"]
    assert isinstance(alpha, Seen)
    return [version.name for version in alpha.filesystems["tank/a"].snapshots]


def test_h20_a_day_with_an_hour_that_comes_twice_has_100_quarters_with_a_name_each() -> None:
    midnight = int(datetime(2026, 10, 25, tzinfo=ZoneInfo(VIENNA)).timestamp())
    next_midnight = int(datetime(2026, 10, 26, tzinfo=ZoneInfo(VIENNA)).timestamp())
    assert next_midnight - midnight == 25 * HOUR

    instants, worlds = zip(*ticks("tank/a every 15m", midnight, 100, 900), strict=True)

    made = names(worlds[-1])
    assert len(set(made)) == len(made) == 100
    assert [snapshot_time(PREFIX, name) for name in made] == list(instants)


def local(zone: str, text: str) -> int:
    """Return the first instant at which clocks in a zone show this."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def test_h20_a_daily_schedule_takes_one_at_the_first_of_two_times() -> None:
    midnight = local(VIENNA, "2026-10-25")
    words = f"tank/a cron 30 2 * * * zone {VIENNA}"

    instants, worlds = zip(*ticks(words, midnight, 25 * 4, 900), strict=True)

    first = local(VIENNA, "2026-10-25T02:30")
    assert [snapshot_time(PREFIX, name) for name in names(worlds[-1])] == [midnight, first]
    assert first + HOUR in instants, "2:30 came twice"


@pytest.mark.parametrize(
    ("zone", "day"), [(VIENNA, "2026-03-29"), ("America/New_York", "2026-03-08")]
)
def test_h21_on_the_day_without_its_time_there_is_one_when_clocks_are_put_forward(
    zone: str, day: str
) -> None:
    midnight = local(zone, day)
    words = f"tank/a cron 30 2 * * * zone {zone}"

    _, worlds = zip(*ticks(words, midnight, 23 * 4, 900), strict=True)

    three = local(zone, f"{day}T03:00")
    assert three == midnight + 2 * HOUR
    assert [snapshot_time(PREFIX, name) for name in names(worlds[-1])] == [midnight, three]


def test_h22_when_the_name_is_taken_the_whole_set_gets_another_one() -> None:
    made = planned(
        "tank/** !tank every 15m",
        fs("tank/a", "@~23:15,1,spec="),
        fs("tank/b"),
        fs("tank/c", "@rec-20261122T231501Z,2,spec="),
    )

    assert steps(made) == ["snapshot alpha tank/a tank/b tank/c @rec-20261122T231502Z"]


EXISTS = refused("cannot create snapshot 'tank/a@rec-x': dataset already exists")
TAKING = Snapshot("alpha", ("tank/a", "tank/b"), "rec-x", "web", NOW)


def listed(spec: str) -> Outcome:
    """Return the listing of both snapshots with a spec on them."""
    return said(
        "".join(
            f"tank/{name}@rec-x\t{guid}\t7\t1001\t0\t512\t4096\t{spec}\ttank/{name}@rec-x\n"
            for guid, name in enumerate("ab", start=21)
        )
    )


def test_h22_snapshots_of_that_name_that_are_ours_count_as_done() -> None:
    verdict = TAKING.judge(ran(TAKING.script(), snapshot=EXISTS, made=listed("web")))

    assert isinstance(verdict, Done)
    assert sorted(version.guid for version in verdict.learned.values()) == [21, 22]


def test_h22_snapshots_of_that_name_that_are_not_ours_are_a_failure() -> None:
    verdict = TAKING.judge(ran(TAKING.script(), snapshot=EXISTS, made=listed("-")))

    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.ALREADY_EXISTS


HISTORY = "@~21:00,1 @~21:15,2 @~21:30,3 @~21:45,4 @~22:00,5 @~22:15,6 @~22:30,7"


def test_h23_a_clock_that_was_set_back_takes_no_snapshot_of_a_slot_that_has_one() -> None:
    line = "tank/a every 15m keep last 2"

    for at in ("21:31", "21:45", "22:00", "22:29"):
        assert of_verb(planned(line, fs("tank/a", HISTORY), at=at), "snapshot") == []


def test_h23_nothing_is_destroyed_until_the_clock_has_passed_the_newest_and_that_is_said() -> None:
    line = "tank/a every 15m keep last 2"
    early = planned(line, fs("tank/a", HISTORY), at="21:31")
    late = planned(line, fs("tank/a", HISTORY), at="22:31")

    assert doomed(early, ("alpha", "tank/a")) == []
    assert blocked(early) == ["alpha tank/a@~21:00@~21:15@~21:30@~21:45@~22:00: future"]
    assert early.blocked[0].message == (
        "@rec-20261122T214500Z is from the future: a clock was wrong"
    )
    assert doomed(late, ("alpha", "tank/a")) == [1, 2, 3, 4, 5]


def test_h23_nothing_is_destroyed_when_only_the_controllers_clock_was_set_back() -> None:
    made = planned("tank/a every 15m keep last 2", fs("tank/a", HISTORY), at="21:31", skew=HOUR)

    assert doomed(made, ("alpha", "tank/a")) == []
    assert [found.message for found in made.blocked] == [
        "the clock of alpha is 3600 s ahead of the controller's"
    ]


def test_h24_after_three_missed_periods_one_snapshot_is_taken_now() -> None:
    before = fs("tank/a", "@~22:30,1")

    assert steps(planned("tank/a every 15m", before, at="23:20")) == [
        "snapshot alpha tank/a @~23:20"
    ]
    after = fs("tank/a", "@~22:30,1 @~23:20,2")
    assert steps(planned("tank/a every 15m", after, at="23:21")) == []


def test_h27_a_year_of_hours_is_8760_hours_365_days_and_12_months_in_vienna() -> None:
    midnight = int(datetime(2026, 1, 1, tzinfo=ZoneInfo(VIENNA)).timestamp())
    year = [
        Version(VersionKind.SNAPSHOT, f"s{n}", n, n, midnight + n * HOUR) for n in range(365 * 24)
    ]

    def kept(rule: str) -> int:
        return sum(decision.kept for decision in evaluate(keep(f"{rule} 9999", VIENNA), year))

    assert (kept("hourly"), kept("daily"), kept("monthly")) == (8760, 365, 12)


def test_h27_hourly_plans_over_a_change_of_clocks_end_with_what_the_rules_count() -> None:
    vienna = ZoneInfo(VIENNA)
    october = int(datetime(2026, 10, 1, tzinfo=vienna).timestamp())
    line = f"tank/a every 1h keep hourly 24 daily 5 monthly 12 in {VIENNA}"
    taken = set()
    for _, observed in ticks(line, october, 92 * 24 + 1, HOUR):
        taken.add(names(observed)[-1])

    hours = [datetime(2026, 12, 31, hour, tzinfo=vienna) for hour in range(24)]
    days = [datetime(2026, 12, day, 23, tzinfo=vienna) for day in range(27, 32)]
    months = [datetime(2026, *end, 23, tzinfo=vienna) for end in ((10, 31), (11, 30), (12, 31))]
    assert len(taken) == 92 * 24 + 1
    assert {snapshot_time(PREFIX, name) for name in names(observed)} == {
        int(at.timestamp()) for at in (*hours, *days, *months)
    }
