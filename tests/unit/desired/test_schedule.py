"""Slots of schedules, and when windows open."""

from collections.abc import Sequence

import pytest

from reconciler.desired.model import Cron, Every, Window, Windows
from reconciler.desired.schedule import opens_at, slot_of
from tests.support.worlds import instant

NIGHT = Window(Cron("0 22 * * *"), 8 * 3600)
TAPES = Window(Cron("30 2 * * *"), 2 * 3600)


def windows(allow: Sequence[Window] = (), deny: Sequence[Window] = ()) -> Windows:
    return Windows(tuple(allow), tuple(deny))


def test_a_slot_of_an_interval_is_aligned_to_the_epoch() -> None:
    assert slot_of(Every(900), instant("23:16:40")) == (instant("23:15"), instant("23:30"))


def test_a_slot_of_cron_lasts_from_one_match_to_the_next() -> None:
    daily = Cron("30 2 * * *", "Europe/Vienna")

    begin, end = instant("11-22T01:30"), instant("11-23T01:30")
    assert slot_of(daily, begin) == slot_of(daily, end - 1) == (begin, end)


@pytest.mark.parametrize(
    ("allow", "deny", "at", "opens"),
    [
        pytest.param([], [], "12:00", "12:00", id="without windows"),
        pytest.param([NIGHT], [], "11-22T22:00", "11-22T22:00", id="at its first second"),
        pytest.param([NIGHT], [], "11-23T05:59:59", "11-23T05:59:59", id="at its last second"),
        pytest.param([NIGHT], [], "11-23T06:00", "11-23T22:00", id="when it is over"),
        pytest.param([NIGHT], [], "11-22T12:00", "11-22T22:00", id="before it begins"),
        pytest.param([], [TAPES], "12:00", "12:00", id="outside of what is denied"),
        pytest.param([], [TAPES], "02:30", "04:30", id="inside of what is denied"),
        pytest.param([NIGHT], [TAPES], "11-23T02:30", "11-23T04:30", id="what is denied wins"),
        pytest.param(
            [NIGHT],
            [Window(Cron("0 20 * * *"), 4 * 3600)],
            "11-22T12:00",
            "11-23T00:00",
            id="denied when it begins",
        ),
        pytest.param(
            [NIGHT],
            [Window(Cron("0 22 * * 1-6"), 8 * 3600)],
            "11-23T12:00",  # a Monday
            "11-29T22:00",
            id="denied on all days but Sunday",
        ),
        pytest.param(
            [Window(Cron("0 22 * * *"), 3600), Window(Cron("0 12 * * *"), 3600)],
            [],
            "11-22T13:00",
            "11-22T22:00",
            id="the next of two",
        ),
        pytest.param(
            [Window(Cron("0 * * * *"), 7200)], [], "11-22T13:59:59", "13:59:59", id="overlapping"
        ),
        pytest.param(
            [Window(Cron("0 0 1 1 *"), 3600)],
            [Window(Cron("0 * * * *"), 1800)],
            "11-22T12:00",
            "2027-01-01T00:30",
            id="once a year",
        ),
    ],
)
def test_windows_open(allow: list[Window], deny: list[Window], at: str, opens: str) -> None:
    assert opens_at(windows(allow, deny), instant(at)) == instant(opens)


def test_windows_in_which_everything_is_denied_never_open() -> None:
    assert opens_at(windows([TAPES], [NIGHT]), instant("12:00")) is None
    assert opens_at(windows([], [Window(Cron("* * * * *"), 120)]), instant("12:00")) is None


def test_a_window_lasts_as_long_as_it_says_when_clocks_are_changed_in_it() -> None:
    night = Window(Cron("0 22 * * *", "Europe/Vienna"), 8 * 3600)
    begin = instant("2026-10-24T20:00")

    over = begin + 8 * 3600
    assert opens_at(windows([night]), over - 1) == over - 1
    assert opens_at(windows([night]), over) == instant("2026-10-25T21:00")
