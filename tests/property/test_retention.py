"""What the planner rests on in keep rules."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.model import (
    Calendar,
    Grid,
    Interval,
    Keep,
    KeepRule,
    Last,
    Matching,
    Period,
    Within,
)
from reconciler.observed.model import Seen
from reconciler.planner.planning import plan
from reconciler.planner.retention import evaluate
from reconciler.zfs.types import Version, VersionKind
from tests.property.questions import doomed, managed
from tests.property.strategies import ZONES, Scenario, scenarios
from tests.support.worlds import NOW

HOUR = 3600
DAY = 24 * HOUR
YEAR = 366 * 24 * HOUR


def versions() -> st.SearchStrategy[list[Version]]:
    """Snapshots in order, whatever their creations say."""
    near = st.integers(-50, 10).map(lambda number: NOW + number * HOUR)
    far = st.integers(NOW - 3 * YEAR, NOW + YEAR)
    anything = st.integers(0, 2**64 - 1)
    creations = st.lists(st.one_of(near, near, far, anything), max_size=12)
    return creations.map(
        lambda found: [
            Version(VersionKind.SNAPSHOT, f"s{number}", number, number, creation)
            for number, creation in enumerate(found, start=1)
        ]
    )


def rules() -> st.SearchStrategy[KeepRule]:
    """Any one rule."""
    counts = st.integers(1, 5)
    return st.one_of(
        st.builds(Last, counts),
        st.builds(Calendar, st.sampled_from(Period), counts),
        st.builds(Within, st.integers(1, 5 * 24 * HOUR), st.just("a while")),
        st.builds(Matching, st.sampled_from(["s1", "s.*", "s[0-4]", "x"])),
        grids(),
    )


def grids() -> st.SearchStrategy[Grid]:
    """Any grid, its buckets growing or not."""
    lengths = st.sampled_from([1, HOUR, 5 * HOUR, DAY, 7 * DAY])
    intervals = st.builds(Interval, st.integers(1, 4), lengths, st.sampled_from([1, 2, None]))
    return st.builds(Grid, st.lists(intervals, min_size=1, max_size=3).map(tuple))


def keeps(least: int = 0) -> st.SearchStrategy[Keep]:
    """Rules in some time zone."""
    some = st.lists(rules(), min_size=least, max_size=3).map(tuple)
    return st.builds(Keep, some, st.sampled_from(ZONES))


def kept(keep: Keep, some: Sequence[Version]) -> set[int]:
    return {decision.version.guid for decision in evaluate(keep, some) if decision.kept}


@given(keeps(), versions(), st.data())
def test_taking_away_what_is_not_kept_changes_nothing_for_what_is(
    keep: Keep, every: list[Version], data: st.DataObject
) -> None:
    stays = kept(keep, every)
    rest = sorted({version.guid for version in every} - stays)
    also = data.draw(st.sets(st.sampled_from(rest))) if rest else set()

    assert kept(keep, [v for v in every if v.guid in stays | also]) == stays


@given(keeps(least=1), rules(), versions())
def test_one_more_rule_never_keeps_less(keep: Keep, more: KeepRule, every: list[Version]) -> None:
    both = Keep((*keep.rules, more), keep.timezone)

    assert kept(keep, every) <= kept(both, every)


@given(keeps(), versions())
def test_every_version_gets_one_decision_that_says_why(keep: Keep, every: list[Version]) -> None:
    decisions = evaluate(keep, every)

    assert [decision.version for decision in decisions] == every
    assert all(bool(d.kept_by) != bool(d.against) for d in decisions)
    assert all(d.why for d in decisions)


@given(keeps(least=1), versions())
def test_rules_that_keep_a_number_keep_the_newest_version_unless_by_calendar_it_is_old(
    keep: Keep, every: list[Version]
) -> None:
    if every and any(isinstance(rule, Last | Within) for rule in keep.rules):
        assert every[-1].guid in kept(keep, every)


@given(keeps(), versions())
def test_keeping_what_was_kept_keeps_all_of_it(keep: Keep, every: list[Version]) -> None:
    stays = kept(keep, every)

    assert kept(keep, [v for v in every if v.guid in stays]) == stays


@given(keeps(least=1), st.lists(st.sampled_from([900, HOUR, DAY, 9 * DAY]), max_size=40))
def test_but_for_grids_thinning_all_along_leaves_just_what_thinning_once_leaves(
    keep: Keep, gaps: list[int]
) -> None:
    rules = tuple(rule for rule in keep.rules if not isinstance(rule, Grid))
    plain = Keep(rules or (Last(2),), keep.timezone)
    creations = accumulate(gaps, initial=NOW)
    every = [
        Version(VersionKind.SNAPSHOT, f"s{number}", number, number, creation)
        for number, creation in enumerate(creations, start=1)
    ]
    there: list[Version] = []
    for version in every:
        there.append(version)
        stays = kept(plain, there)
        there = [v for v in there if v.guid in stays]

    assert {v.guid for v in there} == kept(plain, every)


@given(scenarios())
def test_versions_from_the_future_stay_and_so_does_all_beside_them(world: Scenario) -> None:
    made = plan(*world)
    gone = {thing.place for thing in doomed(made)}
    for (host, name), guids in managed(world.desired, world.observed).items():
        seen = world.observed[host]
        assert isinstance(seen, Seen)
        late = [
            version
            for version in seen.filesystems[name].snapshots
            if version.guid in guids and version.creation > max(seen.at, seen.clock) + 60
        ]
        assert not late or (host, name) not in gone


# -- calendars -------------------------------------------------------------------------------------

ODD_MOMENTS = (
    "2026-03-29T01:00",  # Vienna skips an hour
    "2026-10-25T00:00",  # and has one twice
    "2026-03-08T07:00",  # New York skips an hour
    "2026-11-01T05:00",  # and has one twice
    "2026-04-04T15:00",  # Lord Howe has half an hour twice
    "2026-10-03T15:30",  # and skips it
    "2028-02-29T00:00",
    "2100-03-01T00:00",  # no leap year
    "2026-12-31T23:00",  # in the 53rd ISO week, which ends in 2027
    "2025-12-29T00:00",  # the first ISO week of 2026
    "2026-11-22T18:15",  # midnight in Kathmandu
)

NAMES = {
    Period.HOURLY: "%Y-%m-%d %H %z",
    Period.DAILY: "%Y-%m-%d",
    Period.WEEKLY: "%G-%V",
    Period.MONTHLY: "%Y-%m",
    Period.YEARLY: "%Y",
}
"""What strftime calls the periods."""


@st.composite
def around_odd_moments(draw: st.DrawFn) -> list[Version]:
    """Snapshots one after the other, by and by, before and after a moment of the calendar."""
    odd = datetime.fromisoformat(draw(st.sampled_from(ODD_MOMENTS))).replace(tzinfo=UTC)
    gaps = st.sampled_from([60, 15 * 60, HOUR - 1, HOUR, 11 * HOUR, DAY, 6 * DAY, 30 * DAY])
    distances = draw(st.lists(gaps, min_size=1, max_size=14))
    at = int(odd.timestamp()) - sum(distances[: len(distances) // 2])
    found = []
    for number, distance in enumerate(distances, start=1):
        found.append(Version(VersionKind.SNAPSHOT, f"s{number}", number, number, at))
        at += distance
    return found


@given(around_odd_moments(), st.sampled_from(Period), st.integers(1, 6), st.sampled_from(ZONES))
def test_of_each_of_the_newest_periods_that_have_versions_the_newest_is_kept(
    every: list[Version], period: Period, count: int, zone: str
) -> None:
    last: dict[str, int] = {}
    for version in every:
        at = datetime.fromtimestamp(version.creation, ZoneInfo(zone))
        last[at.strftime(NAMES[period])] = version.guid

    assert kept(Keep((Calendar(period, count),), zone), every) == set(
        sorted(last.values())[-count:]
    )


@given(around_odd_moments(), st.lists(rules(), min_size=1, max_size=3), st.sampled_from(ZONES))
def test_with_one_version_more_counts_and_calendars_keep_no_fewer(
    every: list[Version], some: list[KeepRule], zone: str
) -> None:
    keep = Keep(tuple(rule for rule in some if isinstance(rule, Last | Calendar)), zone)
    before, after = kept(keep, every[:-1]), kept(keep, every)

    assert len(after) >= len(before)


# -- grids -----------------------------------------------------------------------------------------


def zrepls(grid: Grid, every: Sequence[Version]) -> set[int]:
    """What zrepl keeps: bucket by bucket, each with its two edges."""
    left = sorted(every, key=lambda v: -v.creation)
    now, stays = left[0].creation if left else 0, set()
    for interval in grid.intervals:
        for _ in range(interval.repeat):
            edge = now - interval.length
            inside = [v for v in left if edge < v.creation <= now]
            keep = len(inside) if interval.keep is None else interval.keep
            stays |= {version.guid for version in inside[::-1][:keep]}
            now = edge
    return stays


@given(grids(), versions())
def test_a_grid_keeps_what_zrepl_keeps_and_the_newest(grid: Grid, every: list[Version]) -> None:
    newest = {v.guid for v in sorted(every, key=lambda v: (v.creation, v.createtxg))[-1:]}

    assert kept(Keep((grid,)), every) == zrepls(grid, every) | newest


@given(grids(), st.lists(st.sampled_from([600, 900, 1000, HOUR, DAY]), min_size=2, max_size=40))
def test_thinning_all_along_by_a_grid_leaves_gaps_below_the_bound(
    grid: Grid, distances: list[int]
) -> None:
    """H30"""
    at = 0
    left: list[Version] = []
    for number, distance in enumerate(distances, start=1):
        at += distance
        new = Version(VersionKind.SNAPSHOT, f"s{number}", number, number, at)
        stays = kept(Keep((grid,)), [*left, new])
        left = [version for version in [*left, new] if version.guid in stays]
    ages = sorted(at - version.creation for version in left)
    oldest = at - distances[0]

    assert ages[0] == 0
    for younger, older in pairwise([*ages, min(oldest, length(grid) - 1)]):
        assert older - younger <= bound(grid, older, max(distances))


def length(grid: Grid) -> int:
    """Return the age at which the last bucket ends."""
    return sum(interval.repeat * interval.length for interval in grid.intervals)


def bound(grid: Grid, age: int, distance: int) -> int:
    """Return how far neighbours of that age are apart at most: the docstring of planner.grid."""
    start = 0
    for interval in grid.intervals:
        for _ in range(interval.repeat):
            distance += 0 if interval.keep is None else interval.length
            start += interval.length
            if age < start:
                return distance
    return distance
