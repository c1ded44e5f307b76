"""The grid: zrepl's buckets, and what happens when they move."""

import random
from itertools import pairwise

import pytest

from reconciler.planner.retention import evaluate
from reconciler.zfs.types import Version, VersionKind
from tests.support.worlds import keep

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
ORIGIN = 1_795_000_000

EDGES = (
    (0, True),
    (10 * MINUTE, True),
    (20 * MINUTE, True),
    (30 * MINUTE, False),
    (40 * MINUTE, False),
)
OLDEST = ((0, True), (1, False), (2, False), (3, True), (4, True))
ALL = ((0, True), (1, True), (2, True), (60, False), (61, True))
SEVERAL = (
    (0, True),
    (6 * MINUTE, True),
    (8 * MINUTE, True),
    (9 * MINUTE, True),
    (11 * MINUTE, False),
    (19 * MINUTE, True),
    (25 * MINUTE, True),
    (26 * MINUTE, True),
    (30 * MINUTE, False),
    (75 * MINUTE, True),
    (90 * MINUTE, False),
    (91 * MINUTE, False),
    (120 * MINUTE, False),
)

CASES = {
    "the younger edge of a bucket is in it, its older edge in the next": ("3x10m", EDGES),
    "a bucket keeps its oldest": ("1x1m(keep=2)", OLDEST),
    "a bucket may keep all": ("1x1m(keep=all)|1x1m", ALL),
    "buckets of all kinds": ("1x10m(keep=all)|1x10m|1x10m(keep=2)|1x1h", SEVERAL),
    "empty buckets count": (
        "1x1h(keep=all)|2x1h",
        ((0, True), (2 * HOUR, True), (3 * HOUR, False)),
    ),
    "shorter buckets behind keep=all": (
        "1x1d(keep=all)|1x1h",
        ((0, True), (23 * HOUR, True), (24 * HOUR, False), (24 * HOUR + 1, True)),
    ),
}
"""Ages in seconds and whether they are kept; the middle four are those of zrepl's own tests."""


def snapshots(*ages: int) -> list[Version]:
    """Snapshots of these ages, the oldest made first."""
    ordered = sorted(ages, reverse=True)
    return [
        Version(VersionKind.SNAPSHOT, f"s{age}", number, number, ORIGIN - age)
        for number, age in enumerate(ordered, start=1)
    ]


def kept(grid: str, versions: list[Version]) -> list[Version]:
    return [d.version for d in evaluate(keep(f"grid {grid}"), versions) if d.kept]


@pytest.mark.parametrize(("grid", "ages"), CASES.values(), ids=CASES.keys())
def test_a_grid_keeps(grid: str, ages: tuple[tuple[int, bool], ...]) -> None:
    found = kept(grid, snapshots(*(age for age, _ in ages)))

    assert {ORIGIN - version.creation for version in found} == {age for age, stays in ages if stays}


def test_the_newest_stays_though_zrepl_would_not_keep_it() -> None:
    young, old = 10 * MINUTE, 50 * MINUTE

    assert [v.name for v in kept("1x1h", snapshots(0, young, old))] == [f"s{old}", "s0"]


def test_of_versions_of_one_second_the_one_made_last_counts_as_the_oldest() -> None:
    twins = [
        Version(VersionKind.SNAPSHOT, name, txg, txg, ORIGIN) for name, txg in (("a", 1), ("b", 2))
    ]

    assert [v.name for v in kept("1x1h", twins)] == ["b"]


def test_a_grid_counts_from_the_youngest_by_creation_not_by_order() -> None:
    late = Version(VersionKind.SNAPSHOT, "late", 9, 9, ORIGIN - 3 * HOUR)

    assert [v.name for v in kept("1x1h", [*snapshots(0, 2 * HOUR), late])] == ["s0"]


def test_each_decision_of_a_grid_says_why() -> None:
    decisions = evaluate(keep("grid 1x1h|2x2h"), snapshots(0, 10, 20, 2 * HOUR, 6 * HOUR))

    assert [decision.why for decision in decisions] == [
        "no rule keeps it: older than the grid",
        "grid bucket 2 of 3",
        "grid bucket 1 of 3",
        "no rule keeps it: grid bucket 1 keeps @s20",
        "the newest, from which the grid counts",
    ]


# -- thinning all along ----------------------------------------------------------------------------

USUAL = "1x1h(keep=all)|24x1h|30x1d"


def all_along(grid: str, step: int, days: int, jitter: int = 0) -> tuple[list[int], list[int]]:
    """Return the ages of what is left when each new one is thinned with, and when thinned once."""
    chance = random.Random(1)  # noqa: S311 - chance, not secrets
    every = [
        Version(VersionKind.SNAPSHOT, f"s{n}", n, n, n * step + chance.randint(0, jitter))
        for n in range(1, days * DAY // step)
    ]
    left: list[Version] = []
    for version in every:
        left = kept(grid, [*left, version])
    newest = every[-1].creation
    return [newest - v.creation for v in left], [newest - v.creation for v in kept(grid, every)]


def gaps(ages: list[int], since: int, till: int) -> list[int]:
    """Return the distances between neighbours of ages in a range."""
    inside = [age for age in sorted(ages) if since <= age < till]
    return [older - younger for younger, older in pairwise(inside)]


@pytest.mark.parametrize("step", [15 * MINUTE, HOUR])
def test_with_snapshots_at_equal_distances_thinning_all_along_leaves_as_many_as_once(
    step: int,
) -> None:
    """H30"""
    left, once = all_along(USUAL, step, 40)

    assert len(left) == len(once)
    assert set(gaps(left, HOUR, 25 * HOUR)) == {HOUR}
    assert set(gaps(left, 26 * HOUR, 31 * DAY)) == {DAY}


def test_with_jitter_thinning_all_along_leaves_fewer_but_no_gap_of_more_than_three_buckets() -> (
    None
):
    """H30"""
    left, once = all_along(USUAL, 15 * MINUTE, 40, jitter=5)

    assert 40 < len(left) < len(once)
    assert max(gaps(left, HOUR, 25 * HOUR)) < 3 * HOUR
    assert max(gaps(left, 25 * HOUR, 32 * DAY)) < 3 * DAY
