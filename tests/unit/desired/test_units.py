import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.units import DURATION, InvalidDuration, parse_duration

UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("15m", 900),
        ("24h", 86400),
        ("7d", 604800),
        ("3w", 1814400),
        ("1h30m", 5400),
        ("1w1d1h1m1s", 694861),
        ("007d", 604800),
    ],
)
def test_durations_are_read_as_seconds(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "90",
        "0s",
        "0",
        "-1m",
        "+1m",
        "1.5h",
        "PT15M",
        "1h 30m",
        " 1h",
        "1h\n",
        "30m1h",
        "1h1h",
        "1h0m",
        "3y",
        "h",
        "1e3s",
        "１m",
        "15M",
        "",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidDuration, match=r".+"):
        parse_duration(text)


@given(st.dictionaries(st.sampled_from("wdhms"), st.integers(1, 50), min_size=1))
def test_parts_add_up_and_editors_agree(parts: dict[str, int]) -> None:
    text = "".join(f"{parts[unit]}{unit}" for unit in UNITS if unit in parts)
    assert parse_duration(text) == sum(number * UNITS[unit] for unit, number in parts.items())
    assert re.search(DURATION, text)


def test_a_duration_has_an_upper_bound() -> None:
    assert parse_duration("36500d")
    with pytest.raises(InvalidDuration, match="hundred years"):
        parse_duration("36501d")
