"""What real ZFS was recorded to say, said again by the simulator."""

from pathlib import Path

import pytest

from tests.support.replay import differences, read

RECORDINGS = sorted((Path(__file__).parent / "data").glob("*.txt"))


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_says_what_was_recorded(recording: Path) -> None:
    assert differences(recording.read_text()) == ""


def test_there_are_many_recorded_commands() -> None:
    recorded = [c for path in RECORDINGS for c in read(path.read_text()) if not c.prepares]

    assert len(recorded) >= 200


def test_another_answer_is_shown_as_a_difference() -> None:
    shown = differences("! zpool create tank disk\n$ zfs destroy tank/a@x\n2> never said\n= 1\n")

    assert shown.splitlines() == [
        "line 2: zfs destroy tank/a@x",
        "--- recorded",
        "+++ simulated",
        "@@ -1,2 +1,2 @@",
        "-2> never said",
        "+2> cannot open 'tank/a': dataset does not exist",
        " = 1",
    ]


def test_what_only_prepares_must_succeed() -> None:
    assert "cannot open 'tank'" in differences("! zfs destroy tank\n")


def test_a_line_that_is_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="line 2 is not of a recording"):
        read("$ zfs list\nwhat\n")
