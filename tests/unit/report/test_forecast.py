"""A forecast drawn: with bars of text, and as pictures."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from reconciler.errors import ReconcilerError, UsageError
from reconciler.forecast.forecast import Ask, forecast
from reconciler.forecast.groups import LeftOut
from reconciler.forecast.model import Finding, Forecast
from reconciler.planner.plan import Severity
from reconciler.report import forecast_plot
from reconciler.report.forecast_plot import check_plot, draw
from reconciler.report.forecast_text import bars, forecast_lines
from reconciler.report.lines import text_of
from tests.support.worlds import NOW, desired

DAY = 86_400


@pytest.fixture(scope="module")
def made() -> Forecast:
    """Forecast a week of hourly snapshots."""
    specs = desired("web: alpha tank/www every 1h keep last 2 -> vault keep hourly 24")
    return forecast(specs, None, Ask(NOW, 7 * DAY, rate=100.0, size=2**30))


def test_bars_go_from_nothing_to_the_largest() -> None:
    assert bars([0, 5, 10]) == "▁▅█"
    assert bars([0, 0]) == "▁▁"


def test_many_values_are_drawn_by_few_bars_from_first_to_last() -> None:
    assert bars([*range(1000)], width=8) == "▁▂▃▄▅▆▇█"


def test_nothing_about_streams_of_hosts_is_supposed_silently(made: Forecast) -> None:
    text = text_of(forecast_lines(made))
    assert "made up from the patterns: tank/www." in text
    assert "8.2 MiB a day written and 1.0 GiB in it" in text
    assert "Streams are taken to need no time." in text


def test_a_picture_is_svg_with_a_line_for_each_side_and_no_script(
    made: Forecast, tmp_path: Path
) -> None:
    file = tmp_path / "x.svg"
    draw(made, file)
    root = ET.fromstring(file.read_text())  # noqa: S314 - our own file
    ids = [element.get("id") or "" for element in root.iter()]
    assert {"axes_1", "axes_2"} <= set(ids)
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))


def test_a_picture_is_the_same_each_time(made: Forecast, tmp_path: Path) -> None:
    first, second = tmp_path / "1.svg", tmp_path / "2.svg"
    draw(made, first)
    draw(made, second)
    assert first.read_bytes() == second.read_bytes()


def test_a_picture_is_png_where_the_name_says_so(made: Forecast, tmp_path: Path) -> None:
    file = tmp_path / "x.PNG"
    draw(made, file)
    assert file.read_bytes().startswith(b"\x89PNG")


def test_other_pictures_are_refused() -> None:
    with pytest.raises(UsageError, match=r"has to end with \.svg or \.png"):
        check_plot(Path("x.pdf"))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no directory"):
        check_plot(tmp_path / "none" / "x.svg")


def test_a_library_that_is_not_there_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forecast_plot, "_LIBRARY", "no_such_library")
    with pytest.raises(ReconcilerError, match=r"pip install 'reconciler\[plot\]'"):
        check_plot(Path("x.svg"))


def test_a_file_that_can_not_be_written_is_named(made: Forecast, tmp_path: Path) -> None:
    (tmp_path / "x.svg").mkdir()
    with pytest.raises(ReconcilerError, match=r"x\.svg: it can't be written"):
        draw(made, tmp_path / "x.svg")


def closing(made: Forecast) -> str:
    return text_of(forecast_lines(made)).splitlines()[-1]


def test_the_planner_s_word_comes_last(made: Forecast) -> None:
    assert closing(made) == (
        f"1 filesystem forecast. The planner was asked about {made.checked} slots and agreed."
    )


def test_a_planner_that_was_not_asked_did_not_agree(made: Forecast) -> None:
    assert closing(replace(made, checked=0)) == "1 filesystem forecast."


def test_a_planner_that_decides_otherwise_is_not_said_to_agree(made: Forecast) -> None:
    wrong = Finding("disagreement", Severity.ERROR, "", "it decides otherwise")
    said = closing(replace(made, findings=(wrong,)))
    assert said == "1 filesystem forecast, 1 warning. The planner does not agree."


def test_many_that_are_left_out_are_counted(made: Forecast) -> None:
    left = tuple(LeftOut("web", "alpha", f"tank/{n}", "conflict", "why") for n in range(25))
    text = text_of(forecast_lines(replace(made, left_out=left)))
    assert "  ! web alpha tank/19: why\n  ! and 5 more  # --json has all of them" in text
