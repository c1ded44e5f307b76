"""6.3 of the list of behaviours: retention on one side."""

from calendar import monthrange
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from reconciler.actions import Destroy
from reconciler.observed.model import Filesystem, Seen
from reconciler.planner.plan import Outcome, Plan
from reconciler.planner.planning import plan
from reconciler.planner.retention import evaluate
from reconciler.zfs.commands import MAX_ARGUMENT
from reconciler.zfs.types import Version, VersionKind
from tests.behaviours.fakes import Snapshots, destroy
from tests.behaviours.outcomes import HERE, THERE, WWW, doomed, guids
from tests.behaviours.specs import refused, replication
from tests.support.converge import converge
from tests.support.shown import blocked, of_verb, steps
from tests.support.worlds import (
    NOW,
    desired,
    fs,
    instant,
    keep,
    ours,
    replica,
    seen,
    world,
)
from tests.unit.observed.recording import Recording

HOUR = 3600
DAY = 24 * HOUR
VIENNA = "Europe/Vienna"


def planned(rules: str, *filesystems: Filesystem, at: int = NOW) -> Plan:
    """Plan for tank/www of alpha alone; a new snapshot is not due."""
    line = f"web: alpha tank/www {rules}"
    return plan(desired(line), world(seen("alpha", *filesystems, at=at)), at)


def hourly(count: int, last: str = "23:00") -> str:
    """Return so many snapshots, an hour from one to the next, with guids from 1."""
    start = instant(last) - (count - 1) * HOUR
    stamps = (datetime.fromtimestamp(start + n * HOUR, UTC) for n in range(count))
    return " ".join(f"@~{at:%Y-%m-%dT%H:%M},{guid}" for guid, at in enumerate(stamps, start=1))


def test_h29_a_host_that_was_off_for_days_keeps_as_many_hours_as_the_rule_counts() -> None:
    newest_is_old = planned("keep hourly 24", fs("tank/www", hourly(30)), at=NOW + 5 * DAY)
    with_days = planned("keep within 1d", fs("tank/www", hourly(30)), at=NOW + 5 * DAY)

    assert doomed(newest_is_old) == [1, 2, 3, 4, 5, 6]
    assert doomed(with_days) == [1, 2, 3, 4, 5]


def test_h30_pruning_every_hour_for_400_days_leaves_what_pruning_once_leaves() -> None:
    start = instant("2025-09-01T00:00")
    every = [
        Version(VersionKind.SNAPSHOT, f"s{n}", n, n, start + n * HOUR) for n in range(400 * 24)
    ]
    rules = keep("hourly 6 daily 7 weekly 4 monthly 12", VIENNA)
    left: list[Version] = []
    for version in every:
        left = [d.version for d in evaluate(rules, [*left, version]) if d.kept]
    once = evaluate(rules, every)
    kept_by = Counter(why.split()[0] for decision in once for why in decision.kept_by)

    assert left == [decision.version for decision in once if decision.kept]
    assert kept_by == {"hourly": 6, "daily": 7, "weekly": 4, "monthly": 12}


def test_h31_pruning_a_second_time_destroys_nothing() -> None:
    specs = desired("web: alpha tank/www keep hourly 3 daily 2")
    before = world(seen("alpha", fs("tank/www", hourly(60))))
    after = converge(specs, before, NOW)

    assert len(guids(after, HERE)) == 4
    assert plan(specs, after, NOW).outcome is Outcome.NOTHING


FUTURE = "@~22:00,1 @~22:15,2 @~22:30,3 @~2099-01-01T00:00,4"


def test_h33_snapshots_from_the_future_are_kept_and_stop_destroys_with_a_word() -> None:
    made = planned("keep last 1", fs("tank/www", FUTURE))

    assert steps(made) == []
    assert blocked(made) == ["alpha tank/www@~22:00@~22:15@~22:30: future"]
    assert made.outcome is Outcome.BLOCKED


def test_h33_a_snapshot_from_the_future_does_not_count_as_the_newest_of_the_schedule() -> None:
    assert of_verb(planned("every 15m", fs("tank/www", FUTURE)), "snapshot") == [
        "snapshot alpha tank/www @~23:15"
    ]


def test_h34_the_newest_of_ours_stays_on_each_side_though_no_rule_keeps_it() -> None:
    specs = desired("web: alpha tank/www keep matching x -> vault keep matching x")
    before = world(
        seen("alpha", fs("tank/www", "@~20:00,1 @~21:00,2 #cur,2 @manual,3")),
        seen("vault", replica(WWW, "@theirs,9 @~20:00,1 @~21:00,2,held=base")),
    )

    after = converge(specs, before, NOW)

    assert guids(after, HERE) == [2, 3]
    assert guids(after, THERE) == [9, 2]


def test_h34_the_newest_of_ours_stays_on_each_filesystem_of_its_own() -> None:
    made = plan(
        desired("web: alpha tank/** !tank keep matching x"),
        world(seen("alpha", fs("tank/a", "@~20:00,1 @~21:00,2"), fs("tank/b", "@~22:00,3"))),
        NOW,
    )

    assert of_verb(made, "destroy") == ["destroy alpha tank/a@~20:00"]


@pytest.mark.parametrize(
    "creations",
    [
        pytest.param("20:00 21:00 22:00 23:00", id="in order"),
        pytest.param("23:00 22:00 21:00 20:00", id="the clock ran backwards"),
        pytest.param("21:00 21:00 21:00 21:00", id="all the same"),
        pytest.param("22:00 20:00 23:00 21:00", id="in no order"),
    ],
)
def test_h36_the_two_highest_createtxg_are_kept_whatever_their_creation(creations: str) -> None:
    times = creations.split()
    words = [f"@~20:0{n},{n},at={time}" for n, time in enumerate(times, start=1)]

    assert doomed(planned("keep last 2", fs("tank/www", " ".join(words)))) == [1, 2]


def test_h36_the_order_in_which_snapshots_are_listed_changes_nothing() -> None:
    recording = Recording("alpha")
    rows = recording.outcomes["versions"].stdout.splitlines(keepends=True)
    turned = Recording("alpha").put("versions", stdout="".join(reversed(rows)))

    for name, filesystem in recording.seen().filesystems.items():
        assert turned.seen().filesystems[name].snapshots == filesystem.snapshots
    www = turned.seen().filesystems["tank/grammar/www"].snapshots
    kept = [d.version.name for d in evaluate(keep("last 2"), www) if d.kept]
    assert kept == [v.name for v in sorted(www, key=lambda v: v.createtxg)][-2:] == ["0", "big"]


def test_h38_only_the_parents_snapshot_of_a_name_goes_when_only_its_rule_expires_it() -> None:
    specs = desired("web: alpha tank/www keep last 1", "sub: alpha tank/www/a keep last 2")
    before = world(
        seen(
            "alpha",
            fs("tank/www", "@~22:00,1 @~23:00,2"),
            fs("tank/www/a", "@~22:00,3,spec=sub @~23:00,4,spec=sub"),
        )
    )
    after = converge(specs, before, NOW)

    assert guids(after, HERE) == [2]
    assert guids(after, ("alpha", "tank/www/a")) == [3, 4]
    for made in plan(specs, before, NOW).actions:
        assert isinstance(made.action, Destroy)
        assert all("-r" not in step.argv for step in made.action.script().steps)


def test_h40_350_expired_ones_go_by_hundreds_in_commands_that_are_short_enough() -> None:
    specs = desired("web: alpha tank/www keep last 1")
    before = world(seen("alpha", fs("tank/www", hourly(351))))
    made = plan(specs, before, NOW)

    batches = [p.action for p in made.actions if isinstance(p.action, Destroy)]
    assert [len(batch.versions) for batch in batches] == [100, 100, 100, 50]
    for batch in batches:
        for step in batch.script().steps:
            assert sum(len(word) + 1 for word in step.argv) < MAX_ARGUMENT
    assert guids(converge(specs, before, NOW), HERE) == [351]


FIVE = fs("tank/www", "@a,1 @held,2 @cloned,3 @busy,4 @gone,5").snapshots
REFUSALS = {
    "tank/www@held": "cannot destroy snapshot tank/www@held: it's being held",
    "tank/www@cloned": "cannot destroy 'tank/www@cloned': snapshot has dependent clones",
    "tank/www@busy": "cannot destroy 'tank/www@busy': dataset is busy",
}


def test_h41_held_cloned_and_busy_ones_are_reported_and_the_others_go() -> None:
    there = {version.of("tank/www"): version.guid for version in FIVE if version.name != "gone"}
    zfs = Snapshots(there, REFUSALS)

    (failure,) = destroy(zfs, *FIVE).failures

    assert zfs.there == {"tank/www@held": 2, "tank/www@cloned": 3, "tank/www@busy": 4}
    assert failure.message == "; ".join(REFUSALS.values())


def test_h41_of_many_that_stay_five_are_told_of_and_the_others_counted() -> None:
    many = fs("tank/www", " ".join(f"@s{number},{number}" for number in range(1, 8))).snapshots
    there = {version.of("tank/www"): version.guid for version in many}
    zfs = Snapshots(there, {name: f"cannot destroy '{name}': dataset is busy" for name in there})

    (failure,) = destroy(zfs, *many).failures

    assert [f"@s{number}'" in failure.message for number in range(1, 8)] == [True] * 5 + [False] * 2
    assert failure.message.endswith(" (and 2 more)")


def test_h41_destroying_what_is_already_gone_is_a_success() -> None:
    zfs = Snapshots({"tank/www@a": 1}, {})

    assert destroy(zfs, *FIVE).ok
    assert zfs.there == {}


def test_h42_two_specs_never_own_one_snapshot_so_neither_can_cut_the_others_lifetime() -> None:
    (finding,) = refused(
        replication("short", keep="{last: 1}"),
        replication("long", keep="{last: 9}", under="other/{host}"),
    )

    assert finding.startswith(
        "a.yaml:19:18: `tank/www` on alpha gets snapshots with the prefix `rec-` here and from"
        " replication `short`"
    )


def test_h42_two_specs_on_one_filesystem_prune_each_its_own() -> None:
    specs = desired("web: alpha tank/www keep last 1", "db: alpha tank/www prefix db- keep last 2")
    stamps = ("20", "21", "22")
    theirs = " ".join(f"@db-20261122T{hour}0000Z,{hour},spec=db" for hour in stamps)
    alpha = seen("alpha", fs("tank/www", f"{theirs} @~20:00,1 @~21:00,2 @~22:00,3"))

    assert guids(converge(specs, world(alpha), NOW), HERE) == [21, 22, 3]


def test_h42_within_one_spec_the_rule_that_keeps_longest_wins() -> None:
    assert doomed(planned("keep last 1 hourly 3", fs("tank/www", hourly(5)))) == [1, 2]


def test_h43_under_another_schedule_old_snapshots_are_still_owned_and_what_goes_is_said() -> None:
    quarters = fs("tank/www", "@~22:00,1 @~22:15,2 @~22:30,3 @~22:45,4 @~23:00,5")

    before = planned("every 15m keep last 5", quarters, at=instant("23:01"))
    after = planned("every 1h keep hourly 2", quarters, at=instant("23:01"))

    assert steps(before) == []
    assert steps(after) == ["destroy alpha tank/www@~22:00@~22:15@~22:30"]
    assert after.actions[0].reason.message == "no rule keeps it: hourly 2 keeps @" + ours("22:45")


def test_h44_without_its_keep_rules_a_replication_destroys_nothing() -> None:
    specs = desired("web: alpha tank/www -> vault")
    before = world(
        seen("alpha", fs("tank/www", hourly(40))),
        seen("vault", replica(WWW, hourly(39))),
    )

    assert of_verb(plan(specs, before, NOW), "destroy") == []


def test_h44_a_replication_that_is_gone_from_the_specs_loses_nothing() -> None:
    both = desired("db: alpha tank/db keep last 1", "web: alpha tank/www keep last 1 -> vault")
    left = replace(both, replications={"db": both.replications["db"]})
    before = world(
        seen("alpha", fs("tank/db"), fs("tank/www", "@~20:00,1 @~21:00,2,held=step #cur,1")),
        seen("vault", replica(WWW, "@~19:00,9 @~20:00,1,held=base")),
    )
    after = converge(left, before, NOW)

    for host, name in (HERE, THERE):
        was, now_is = before[host], after[host]
        assert isinstance(was, Seen)
        assert isinstance(now_is, Seen)
        assert now_is.filesystems[name] == was.filesystems[name]


def test_h44_what_is_left_behind_of_a_replication_is_listed_as_not_managed() -> None:
    both = desired("db: alpha tank/db keep last 1", "web: alpha tank/www keep last 1 -> vault")
    left = replace(both, replications={"db": both.replications["db"]})
    before = world(seen("alpha", fs("tank/db"), fs("tank/www", "@~20:00,1 @~21:00,2")))

    said = [note.summary for note in plan(left, before, NOW).notes]

    assert said == [
        "2 snapshots of web, which is not in the specs, stay on alpha as they are: tank/www"
    ]
    assert plan(both, before, NOW).notes == ()


def test_h45_fifty_manual_snapshots_are_neither_counted_nor_destroyed() -> None:
    manual = " ".join(f"@manual-{n},{n}" for n in range(100, 150))
    versions = f"@~20:00,1 @~21:00,2 {manual} @~22:00,3"
    before = world(seen("alpha", fs("tank/www", versions)))

    after = converge(desired("web: alpha tank/www keep last 2"), before, NOW)

    assert guids(after, HERE) == [2, *range(100, 150), 3]


def test_h46_a_snapshot_that_was_recreated_under_its_name_survives_the_destroy() -> None:
    planned_a, planned_b = fs("tank/www", "@a,1 @b,2").snapshots
    zfs = Snapshots({"tank/www@a": 99, "tank/www@b": 2}, {})

    (failure,) = destroy(zfs, planned_a, planned_b).failures

    assert zfs.there == {"tank/www@a": 99}
    assert failure.message == (
        "tank/www@a is not the version that was planned to be destroyed; left"
    )


THREE_YEARS = [date(2027, 1, 1) + timedelta(days=n) for n in range(3 * 365 + 1)]
EACH_DAY = fs(
    "tank/www", " ".join(f"@{day},{n},at={day}T12:00" for n, day in enumerate(THREE_YEARS, start=1))
).versions


def kept_days(rules: str) -> list[str]:
    """Return what is kept of one snapshot a day from 2027 to 2029; 2028 is a leap year."""
    return [d.version.name for d in evaluate(keep(rules), EACH_DAY) if d.kept]


def test_h47_monthly_keeps_the_last_of_each_calendar_month_also_in_a_leap_year() -> None:
    ends = [
        f"{date(year, month, monthrange(year, month)[1])}"
        for year in (2027, 2028, 2029)
        for month in range(1, 13)
    ]

    assert kept_days("monthly 36") == ends
    assert kept_days("monthly 9999") == ends
    assert {"2027-01-31", "2027-02-28", "2028-02-29"} < set(ends)


def test_h47_yearly_keeps_the_last_of_each_calendar_year_however_long_it_was() -> None:
    assert kept_days("yearly 3") == ["2027-12-31", "2028-12-31", "2029-12-31"]


def test_h47_daily_counts_the_29th_of_february_as_a_day() -> None:
    leap = [version for version in EACH_DAY if version.name <= "2028-03-01"]

    kept = [d.version.name for d in evaluate(keep("daily 3"), leap) if d.kept]
    assert kept == ["2028-02-28", "2028-02-29", "2028-03-01"]
