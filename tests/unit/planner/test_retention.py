"""Keep rules: what each keeps of which versions, and the reasons it gives."""

from dataclasses import dataclass

import pytest

from reconciler.desired.model import Period
from reconciler.planner.periods import period_key
from reconciler.planner.retention import evaluate
from reconciler.zfs.types import Version, VersionKind
from tests.support.worlds import fs, instant, keep

HOUR = 3600
VIENNA, NEW_YORK = "Europe/Vienna", "America/New_York"


def kept(rules: str, versions: str, zone: str = "UTC") -> list[int]:
    """Return the guids of what the rules keep."""
    decisions = evaluate(keep(rules, zone), fs("tank/www", versions).versions)
    return [decision.version.guid for decision in decisions if decision.kept]


@dataclass(frozen=True)
class Case:
    rules: str
    versions: str
    kept: list[int]
    zone: str = "UTC"


HOURS = "@a,1,at=20:05 @b,2,at=20:55 @c,3,at=21:10 @d,4,at=23:00"
NEW_YEAR = (
    "@a,1,at=2026-12-27T12:00 @b,2,at=2026-12-31T12:00"
    " @c,3,at=2027-01-03T23:59 @d,4,at=2027-01-04T00:00"
)
LEAP = "@a,1,at=2028-01-31T12:00 @b,2,at=2028-02-28T12:00 @c,3,at=2028-02-29T12:00"
MIDNIGHT = "@a,1,at=11-21T22:30 @b,2,at=11-21T23:30 @c,3,at=11-22T22:00"
FOLD = "@a,1,at=2026-10-25T00:30 @b,2,at=2026-10-25T01:30"
GAP = "@a,1,at=2026-03-29T00:30 @b,2,at=2026-03-29T01:30"
LONG_DAY = "@a,1,at=2026-10-24T22:10 @b,2,at=2026-10-25T22:50 @c,3,at=2026-10-25T23:10"
HALF_FOLD = "@a,1,at=2026-04-04T14:45 @b,2,at=2026-04-04T15:15"

CASES = {
    "last keeps the newest": Case("last 2", HOURS, [3, 4]),
    "last of more than there are keeps all": Case("last 9", HOURS, [1, 2, 3, 4]),
    "H36 last goes by createtxg when creations are equal": Case(
        "last 2", "@a,1,at=20:00 @b,2,at=20:00 @c,3,at=20:00", [2, 3]
    ),
    "H36 last goes by createtxg when creations are out of order": Case(
        "last 1", "@a,1,at=22:00 @b,2,at=20:00", [2]
    ),
    "hourly keeps the newest of an hour": Case("hourly 9", HOURS, [2, 3, 4]),
    "H29 empty hours do not count": Case("hourly 2", HOURS, [3, 4]),
    "H75 in a period the newest is that of the highest createtxg": Case(
        "hourly 1", "@a,1,at=20:55 @b,2,at=20:05", [2]
    ),
    "which periods are recent goes by the calendar": Case(
        "hourly 1", "@a,1,at=22:00 @b,2,at=20:00", [1]
    ),
    "daily in UTC": Case("daily 2", MIDNIGHT, [2, 3]),
    "daily in a time zone": Case("daily 2", MIDNIGHT, [1, 3], VIENNA),
    "a day of 25 hours is one day": Case("daily 9", LONG_DAY, [2, 3], VIENNA),
    "H20 an hour that comes twice is two hours": Case("hourly 2", FOLD, [1, 2], VIENNA),
    "H20 half an hour that comes twice is kept twice": Case(
        "hourly 2", HALF_FOLD, [1, 2], "Australia/Lord_Howe"
    ),
    "H20 in New York too an hour comes twice": Case(
        "hourly 2", "@a,1,at=2026-11-01T05:30 @b,2,at=2026-11-01T06:30", [1, 2], NEW_YORK
    ),
    "H20 and its day has 25 hours": Case(
        "daily 9",
        "@a,1,at=2026-11-01T04:10 @b,2,at=2026-11-02T04:50 @c,3,at=2026-11-02T05:10",
        [2, 3],
        NEW_YORK,
    ),
    "H21 an hour that is left out leaves no gap": Case("hourly 2", GAP, [1, 2], VIENNA),
    "H21 nor does it in New York": Case(
        "hourly 2", "@a,1,at=2026-03-08T06:30 @b,2,at=2026-03-08T07:30", [1, 2], NEW_YORK
    ),
    "where clocks are half an hour off hours end at half past": Case(
        "hourly 9", "@a,1,at=20:20 @b,2,at=20:40 @c,3,at=21:20", [1, 3], "Asia/Kolkata"
    ),
    "where they are three quarters off days end there": Case(
        "daily 9", "@a,1,at=18:10 @b,2,at=18:20 @c,3,at=23:00", [1, 3], "Asia/Kathmandu"
    ),
    "a week is an ISO week, over new year too": Case("weekly 2", NEW_YEAR, [3, 4]),
    "the week before new year's is another": Case("weekly 3", NEW_YEAR, [1, 3, 4]),
    "a year ends at midnight": Case(
        "yearly 2", "@a,1,at=2026-12-31T23:59 @b,2,at=2027-01-01T00:00", [1, 2]
    ),
    "a year ends at midnight there": Case(
        "yearly 2", "@a,1,at=2026-12-31T23:30 @b,2,at=2027-01-01T00:00", [2], VIENNA
    ),
    "H47 the 31st and the 29th are of different months": Case("monthly 2", LEAP, [1, 3]),
    "H47 the 29th of February is a day": Case("daily 2", LEAP, [2, 3]),
    "within counts back from the newest, inclusive": Case(
        "within 2h", "@a,1,at=19:59 @b,2,at=20:00 @c,3,at=22:00", [2, 3]
    ),
    "H29 within does not count back from the clock": Case(
        "within 1h", "@a,1,at=2020-01-01T10:00 @b,2,at=2020-01-01T10:30", [1, 2]
    ),
    "within keeps what claims to be newer than the newest": Case(
        "within 1h", "@a,1,at=23:00 @b,2,at=20:00", [1, 2]
    ),
    "matching is anchored at both ends": Case(
        "matching daily-.*", "@daily-1,1 @my-daily-2,2 @daily-3,3", [1, 3]
    ),
    "matching is no prefix match": Case("matching daily", "@daily,1 @daily2,2", [1]),
    "H33 a version from the future is kept": Case(
        "daily 2", "@a,1,at=11-20T10:00 @b,2,at=11-21T10:00 @c,3,at=2099-01-01T10:00", [2, 3]
    ),
    "rules are united": Case("last 1 hourly 2 matching a", HOURS, [1, 3, 4]),
    "a section without rules keeps everything": Case("", HOURS, [1, 2, 3, 4]),
    "of nothing nothing is kept": Case("last 1 daily 1 within 1h matching x", "", []),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_rules_keep(case: Case) -> None:
    """H29 H33 H36 H47 H75"""
    assert kept(case.rules, case.versions, case.zone) == case.kept


REASONS = {
    "last": ("last 1", ["no rule keeps it: beyond last 1"] * 3 + ["last 1 of 1"]),
    "calendar": (
        "hourly 2",
        [
            "no rule keeps it: beyond hourly 2",
            "no rule keeps it: beyond hourly 2",
            "hourly 2 of 2",
            "hourly 1 of 2",
        ],
    ),
    "calendar, not the newest of its period": (
        "hourly 3",
        ["no rule keeps it: hourly 3 keeps @b", "hourly 3 of 3", "hourly 2 of 3", "hourly 1 of 3"],
    ),
    "within": ("within 2h", ["no rule keeps it: older than 2h"] * 2 + ["within 2h"] * 2),
    "matching": (
        "matching b",
        [
            "no rule keeps it: does not match b",
            "matching b",
            "no rule keeps it: does not match b",
            "no rule keeps it: does not match b",
        ],
    ),
    "several rules for one": (
        "last 2 hourly 1",
        [
            "no rule keeps it: beyond last 2, beyond hourly 1",
            "no rule keeps it: beyond last 2, beyond hourly 1",
            "last 2 of 2",
            "last 1 of 2, hourly 1 of 1",
        ],
    ),
    "none": ("", ["no keep rules"] * 4),
}


@pytest.mark.parametrize(("rules", "reasons"), REASONS.values(), ids=REASONS.keys())
def test_each_decision_says_why(rules: str, reasons: list[str]) -> None:
    decisions = evaluate(keep(rules), fs("tank/www", HOURS).versions)

    assert [decision.why for decision in decisions] == reasons


def test_a_year_of_hours_is_counted_right_where_clocks_are_changed() -> None:
    """H27"""
    start = instant("2025-12-31T23:00")  # midnight in Vienna
    year = [Version(VersionKind.SNAPSHOT, f"s{n}", n, n, start + n * HOUR) for n in range(365 * 24)]
    counts = {
        rule: sum(d.kept for d in evaluate(keep(f"{rule} 9999", VIENNA), year))
        for rule in ("hourly", "daily", "weekly", "monthly", "yearly")
    }

    assert counts == {"hourly": 8760, "daily": 365, "weekly": 53, "monthly": 12, "yearly": 1}


def test_thinning_all_along_leaves_what_thinning_once_leaves() -> None:
    """H30"""
    start = instant("2025-09-01T00:00")
    every = [
        Version(VersionKind.SNAPSHOT, f"s{n}", n, n, start + n * 6 * HOUR) for n in range(400 * 4)
    ]
    rules = keep("last 3 daily 7 weekly 4 monthly 6", VIENNA)
    left: list[Version] = []
    for version in every:
        left = [d.version for d in evaluate(rules, [*left, version]) if d.kept]

    assert left == [d.version for d in evaluate(rules, every) if d.kept]


@pytest.mark.parametrize("creation", [0, 2**40, 2**64 - 1])
def test_a_creation_that_no_calendar_knows_is_no_error(creation: int) -> None:
    for period in Period:
        assert period_key(period, creation, "Pacific/Kiritimati")
