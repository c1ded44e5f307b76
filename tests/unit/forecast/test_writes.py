"""Rates and sizes as people write them, and bytes as they come of them."""

import pytest

from reconciler.errors import UsageError
from reconciler.forecast.writes import Writes, parse_rate, parse_rules, parse_size

HOUR, DAY = 3600, 86_400
GIB = 2**30


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        pytest.param("1GiB/d", GIB / DAY, id="a day"),
        pytest.param("1.5KiB/s", 1536, id="a fraction"),
        pytest.param("60MiB/h", 2**20 / 60, id="an hour"),
        pytest.param("7B/w", 7 / 604_800, id="a week"),
        pytest.param("0", 0, id="nothing"),
    ],
)
def test_a_rate_is_bytes_in_a_time(text: str, rate: float) -> None:
    assert parse_rate(text) == pytest.approx(rate)


@pytest.mark.parametrize(
    "text", ["", "1", "1GB/d", "1GiB", "1GiB/x", "-1GiB/d", "GiB/d", "1 GiB/d"]
)
def test_what_is_no_rate_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="write it like 1GiB/d"):
        parse_rate(text)


@pytest.mark.parametrize("text", ["", "5", "5G", "5GB", "x"])
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="write it like 512MiB"):
        parse_size(text)


def test_lines_of_a_file_are_about_hosts_and_patterns() -> None:
    first, second = parse_rules(
        "# what we know\n\nweb1:tank/www/** 5GiB/d 200GiB\n*:tank/db 0 # quiet\n", "rates"
    )
    assert first.fits("web1", "tank/www/a")
    assert not first.fits("web2", "tank/www/a")
    assert not first.fits("web1", "tank/wwwx")
    assert first.size == 200 * GIB
    assert second.fits("anything", "tank/db")
    assert (second.rate, second.size) == (0, None)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("tank/www 5GiB/d", "rates:2:3: write `HOST:FILESYSTEM", id="no host"),
        pytest.param("a:tank/www", "rates:2:3: write `HOST:FILESYSTEM", id="no rate"),
        pytest.param("a:tank 1GiB/d 2GiB 3", "rates:2:3: write `HOST:FILESYSTEM", id="too much"),
        pytest.param("a:tank soon", "rates:2:3: 'soon' is no rate", id="wrong rate"),
        pytest.param("a:*/x 1GiB/d", "rates:2:3: '\\*/x': The pool must be named", id="pattern"),
    ],
)
def test_a_wrong_line_is_named_by_its_place(line: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_rules(f"a:tank 1GiB/d\n  {line}\n", "rates")


WRITES = Writes(rate=10.0, size=1000)
"""Nothing is left of what was after 100 seconds."""


def test_a_first_stream_is_the_whole_and_the_next_ones_what_was_written() -> None:
    assert WRITES.sent(None, (0,)) == 1000
    assert WRITES.sent(None, (0, 30)) == 1300
    assert WRITES.sent(0, (30, 50)) == 500


def test_a_stream_is_never_more_than_the_whole() -> None:
    assert WRITES.sent(0, (5000,)) == 1000


def test_a_snapshot_holds_what_was_replaced_since() -> None:
    assert WRITES.held((0,), 0) == 0
    assert WRITES.held((0,), 60) == 600
    assert WRITES.held((0, 30), 60) == 600


def test_a_snapshot_holds_no_more_than_there_was() -> None:
    assert WRITES.held((0,), 5000) == 1000
    assert WRITES.held((0, 4000), 5000) == 2000


def test_where_nothing_is_written_nothing_is_held() -> None:
    assert Writes(0.0, 1000).held((0, 10), 5000) == 0
