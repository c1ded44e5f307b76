import pytest

from reconciler.report.figures import (
    bytes_text,
    count_text,
    duration_text,
    moment_seen_from,
    parse_timestamp,
    rate_text,
    timestamp,
)

AT = 1795389300


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (4_300_000, "4.1 MiB"),
        (99.96 * 1024, "100 KiB"),
        (1023.4 * 1024, "1023 KiB"),
        (1024 * 1024 - 1, "1.0 MiB"),
        (2**70, "1024 EiB"),
    ],
)
def test_bytes_are_binary_with_two_to_four_digits(count: float, text: str) -> None:
    assert bytes_text(count) == text


def test_rates_are_bytes_per_second() -> None:
    assert rate_text(12.3 * 2**20) == "12.3 MiB/s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.0s"),
        (0.04, "0.0s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (59.6, "1m00s"),
        (65, "1m05s"),
        (3599.7, "1h00m"),
        (3661, "1h01m"),
        (86399.9, "1d00h"),
        (183_600, "2d03h"),
    ],
)
def test_durations_have_their_two_largest_units(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_the_date_is_left_out_on_the_same_day() -> None:
    assert moment_seen_from(AT + 900, AT) == "23:30:00 UTC"
    assert moment_seen_from(AT + 3600, AT) == "2026-11-23 00:15:00 UTC"


def test_timestamps_are_read_back() -> None:
    assert timestamp(AT) == "2026-11-22T23:15:00Z"
    assert timestamp(AT + 0.25) == "2026-11-22T23:15:00.250Z"
    assert parse_timestamp(timestamp(AT)) == AT
    assert parse_timestamp("2026-11-23T00:15:00+01:00") == AT


@pytest.mark.parametrize("text", ["", "now", "2026-11-22", "2026-11-22T23:15:00"])
def test_a_time_without_a_zone_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_timestamp(text)


def test_one_thing_is_singular() -> None:
    assert [count_text(count, "host") for count in (0, 1, 2)] == ["0 hosts", "1 host", "2 hosts"]
