"""Cron expressions as instants, above all when clocks are changed."""

from datetime import UTC, datetime
from itertools import islice, pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from reconciler.desired.cron import InvalidCron, following, latest, normal

VIENNA, NEW_YORK = "Europe/Vienna", "America/New_York"
KOLKATA, LORD_HOWE = "Asia/Kolkata", "Australia/Lord_Howe"


def instant(text: str, zone: str = "UTC") -> int:
    """The first instant at which clocks show this; `...+` the second one."""
    fold = int(text.endswith("+"))
    there = datetime.fromisoformat(text.removesuffix("+"))
    return int(there.replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp())


def walk(expression: str, zone: str, start: str, end: str) -> list[int]:
    """All instants that match, from the first to before the second."""
    found: list[int] = []
    at = following(expression, zone, instant(start, zone) - 1)
    while at is not None and at < instant(end, zone):
        found.append(at)
        at = following(expression, zone, at)
    return found


class Change(NamedTuple):
    expression: str
    zone: str
    start: str
    end: str
    matches: list[str]
    """In UTC."""


CHANGES = {
    "H21 Vienna: 2:30 is left out and comes at 3:00": Change(
        "30 2 * * *",
        VIENNA,
        "2026-03-28",
        "2026-03-31",
        ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"],
    ),
    "H21 New York: 2:30 is left out and comes at 3:00": Change(
        "30 2 * * *",
        NEW_YORK,
        "2026-03-07",
        "2026-03-10",
        ["2026-03-07T07:30", "2026-03-08T07:00", "2026-03-09T06:30"],
    ),
    "H21 two times that are left out are one": Change(
        "15,45 2,3 * * *",
        VIENNA,
        "2026-03-29",
        "2026-03-30",
        ["2026-03-29T01:00", "2026-03-29T01:15", "2026-03-29T01:45"],
    ),
    "H21 what is left out of an interval is left out": Change(
        "*/30 * * * *",
        VIENNA,
        "2026-03-29T01:00",
        "2026-03-29T04:00",
        ["2026-03-29T00:00", "2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T01:30"],
    ),
    "H20 Vienna: of two 2:30 the first one counts": Change(
        "30 2 * * *",
        VIENNA,
        "2026-10-24",
        "2026-10-27",
        ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"],
    ),
    "H20 New York: of two 1:30 the first one counts": Change(
        "30 1 * * *",
        NEW_YORK,
        "2026-10-31",
        "2026-11-03",
        ["2026-10-31T05:30", "2026-11-01T05:30", "2026-11-02T06:30"],
    ),
    "H20 with an interval both count": Change(
        "*/30 * * * *",
        VIENNA,
        "2026-10-25T02:00",
        "2026-10-25T03:00",
        ["2026-10-25T00:00", "2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30"],
    ),
    "Lord Howe puts clocks forward by half an hour": Change(
        "15 2 * * *",
        LORD_HOWE,
        "2026-10-03",
        "2026-10-06",
        ["2026-10-02T15:45", "2026-10-03T15:30", "2026-10-04T15:15"],
    ),
    "Lord Howe puts clocks back by half an hour": Change(
        "*/15 1,2 * * *",
        LORD_HOWE,
        "2026-04-05",
        "2026-04-06",
        [
            *("2026-04-04T14:00", "2026-04-04T14:15", "2026-04-04T14:30", "2026-04-04T14:45"),
            *("2026-04-04T15:00", "2026-04-04T15:15"),
            *("2026-04-04T15:30", "2026-04-04T15:45", "2026-04-04T16:00", "2026-04-04T16:15"),
        ],
    ),
    "Lord Howe: the first of two counts": Change(
        "45 1 * * *",
        LORD_HOWE,
        "2026-04-04",
        "2026-04-07",
        ["2026-04-03T14:45", "2026-04-04T14:45", "2026-04-05T15:15"],
    ),
    "Kolkata is half an hour off": Change(
        "0 2 * * *",
        KOLKATA,
        "2026-03-29",
        "2026-03-31",
        ["2026-03-28T20:30", "2026-03-29T20:30"],
    ),
    "leap years": Change(
        "0 0 29 2 *", "UTC", "2023-01-01", "2033-01-01", ["2024-02-29", "2028-02-29", "2032-02-29"]
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_an_expression_matches_at(change: Change) -> None:
    """H20 H21"""
    found = walk(change.expression, change.zone, change.start, change.end)

    assert found == [instant(text) for text in change.matches]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_way_back_is_the_way_there(change: Change) -> None:
    found = walk(change.expression, change.zone, change.start, change.end)

    for one, next_one in pairwise(found):
        for at in (one, one + 1, (one + next_one) // 2, next_one - 1):
            assert latest(change.expression, change.zone, at) == one
            assert following(change.expression, change.zone, at) == next_one


def test_in_the_second_of_two_hours_the_first_one_is_over() -> None:
    second = instant("2026-10-25T02:10+", VIENNA)

    assert latest("15,45 2 * * *", VIENNA, second) == instant("2026-10-25T02:45", VIENNA)
    assert following("15,45 2 * * *", VIENNA, second) == instant("2026-10-26T02:15", VIENNA)
    assert latest("15,45 * * * *", VIENNA, second) == instant("2026-10-25T02:45", VIENNA)
    assert following("15,45 * * * *", VIENNA, second) == instant("2026-10-25T02:15+", VIENNA)


@pytest.mark.parametrize("zone", [VIENNA, NEW_YORK, KOLKATA])
@pytest.mark.parametrize(
    "expression",
    ["30 2 * * *", "30 1 * * *", "*/15 * * * *", "0 */2 * * *", "10,50 1-3 * * SUN", "* 2 * * *"],
)
@pytest.mark.parametrize("start", ["2026-03-07", "2026-03-28", "2026-10-24", "2026-10-31"])
def test_it_is_what_cronsim_says_in_zones_with_whole_hours(
    expression: str, zone: str, start: str
) -> None:
    begin = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone))
    theirs = [int(at.timestamp()) for at in islice(CronSim(expression, begin), 200)]

    ours = [int(begin.timestamp())]
    while ours[-1] < theirs[-1]:
        at = following(expression, zone, ours[-1])
        assert at is not None
        ours.append(at)

    assert ours[1:] == sorted(set(theirs))


def test_what_is_rare_is_found_far_away() -> None:
    fifth_monday = "0 0 */2 2 MON#5"

    assert latest(fifth_monday, VIENNA, instant("2026-01-01")) == instant("2016-02-29", VIENNA)
    after = following(fifth_monday, VIENNA, instant("2026-01-01"))
    assert after is not None
    assert datetime.fromtimestamp(after, ZoneInfo(VIENNA)).strftime("%a %d %b") == "Mon 29 Feb"


def test_spaces_do_not_matter() -> None:
    assert normal("  0   2 * * mon ") == "0 2 * * mon"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "five fields"),
        ("@daily", "five fields"),
        ("0 2 * *", "five fields"),
        ("0 0 2 * * *", "five fields"),
        ("99 * * * *", "no such minute"),
        ("0 24 * * *", "no such hour"),
        ("0 0 0 * *", "no such day of the month"),
        ("0 0 30 2 *", "no such day of the month"),
        ("0 0 31 4,6,9,11 *", "no such day of the month"),
        ("0 0 1 13 *", "no such month"),
        ("0 0 * * 8", "no such day of the week"),
        ("0 0 * * FUNDAY", "no such day of the week"),
        ("0 0 */3 2 MON#5", "no such day"),
        ("0/0 * * * *", "no such minute"),
        ("5-1 * * * *", "no such minute"),
        ("-1 * * * *", "no such minute"),
        ("٣ * * * *", "no such minute"),
        (f"{'1,' * 200}1 * * * *", "longer than 200"),
    ],
)
def test_h07_what_is_no_expression_or_never_matches_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidCron, match=said):
        normal(text)


def test_seconds_of_an_instant_do_not_matter() -> None:
    at = int(datetime(2026, 11, 22, 2, 0, 59, tzinfo=UTC).timestamp())

    assert latest("0 2 * * *", "UTC", at) == at - 59
    assert following("1 2 * * *", "UTC", at) == at + 1
