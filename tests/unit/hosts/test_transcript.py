"""A transcript is read whole or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import OutputCut
from reconciler.hosts.script import Outcome, Script, Step, Succeeded
from reconciler.hosts.transcript import LiveStderr, exit_status, last_line, read

NONCE = "0123456789abcdef"
SCRIPT = Script(
    (
        Step("first", ("a",)),
        Step("second", ("b",), when=Succeeded("first")),
        Step("third", ("c",), into=("d",)),
    )
)


def mark(words: str) -> str:
    return f"\n{NONCE} {words}\n"


def framed(*sections: tuple[int, str, str]) -> str:
    parts = [mark(f"begin {i}") + text + mark(f"end {i} {status}") for i, text, status in sections]
    return "".join(parts) + mark("done")


WHOLE = framed((0, "one\n", "0 0"), (1, "", "1 0"), (2, "three", "0 141"))


def test_every_step_that_ran_has_its_outcome() -> None:
    errors = framed((0, "", "0 0"), (1, "oh\n", "1 0"), (2, "", "0 141"))
    assert read(NONCE, "noise" + WHOLE, errors, SCRIPT, host="h").outcomes == {
        "first": Outcome(0, "one\n", ""),
        "second": Outcome(1, "", "oh\n"),
        "third": Outcome(0, "three", "", first_status=-13),
    }


def test_a_step_whose_condition_did_not_hold_is_absent() -> None:
    text = framed((0, "", "1 0"), (2, "", "0 0"))
    assert list(read(NONCE, text, text, SCRIPT, host="h").outcomes) == ["first", "third"]


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_an_output_that_is_cut_anywhere_is_refused(length: int) -> None:
    with pytest.raises(OutputCut):
        read(NONCE, WHOLE[:length], WHOLE, SCRIPT, host="h")
    with pytest.raises(OutputCut):
        read(NONCE, WHOLE, WHOLE[:length], SCRIPT, host="h")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(mark("done"), id="steps without condition are missing"),
        pytest.param(framed((0, "", "0 0"), (2, "", "0 0"), (1, "", "0 0")), id="order"),
        pytest.param(framed((0, "", "0 0"), (0, "", "0 0"), (2, "", "0 0")), id="twice"),
        pytest.param(framed((0, "", "0 0"), (2, "", "0 0"), (7, "", "0 0")), id="unknown step"),
        pytest.param(mark("begin 0") + mark("begin 2") + mark("done"), id="nested"),
        pytest.param(mark("begin 0") + mark("end 2 0 0") + mark("done"), id="crossed"),
        pytest.param(mark("begin 0") + mark("done"), id="open at the end"),
        pytest.param(
            framed((0, "", "0 0"))[: -len(mark("done"))] + mark("begin 1") + framed((2, "", "0 0")),
            id="a step that may be missing does not end",
        ),
        pytest.param(
            framed((0, "", "0 0"))[: -len(mark("done"))]
            + mark("begin 1")
            + mark("end 2 0 0")
            + mark("done"),
            id="a step that may be missing ends as another one",
        ),
        pytest.param(
            framed((0, "", "0 0"), (2, "", "0 0"))[: -len(mark("done"))]
            + mark("begin 1")
            + mark("done"),
            id="a step that may be missing is open at the end",
        ),
        pytest.param(mark("end 0 0 0") + mark("done"), id="never begun"),
    ],
)
def test_marks_out_of_order_are_refused(text: str) -> None:
    with pytest.raises(OutputCut):
        read(NONCE, text, text, SCRIPT, host="h")


def test_streams_that_disagree_are_refused() -> None:
    errors = framed((0, "", "0 0"), (1, "", "0 0"), (2, "", "0 141"))
    with pytest.raises(OutputCut):
        read(NONCE, WHOLE, errors, SCRIPT, host="h")


def test_the_message_says_what_came_instead_of_a_script() -> None:
    with pytest.raises(OutputCut, match=r"host: .*all it said: This account is locked"):
        read(NONCE, "This account is locked.\n", "", SCRIPT, host="host")


@pytest.mark.parametrize(
    ("reported", "status"),
    [(0, 0), (1, 1), (128, 128), (137, -9), (141, -13), (255, 255), (271, -15)],
)
def test_an_end_by_a_signal_is_negative(reported: int, status: int) -> None:
    assert exit_status(reported) == status


def test_the_last_line_that_says_something() -> None:
    assert last_line("a\n b \n\n \n") == "b"
    assert last_line(" \n") == ""


PROGRESS = ("12:00:01   1.5M   tank/a@x\n", "12:00:02   3.0M   tank/a@x\r", "end", "\n", "", "\n\n")


@given(
    sections=st.lists(st.lists(st.sampled_from(PROGRESS)).map("".join), max_size=4),
    size=st.integers(1, 60),
)
def test_live_stderr_is_the_text_of_the_sections(sections: list[str], size: int) -> None:
    heard: list[str] = []
    live = LiveStderr(NONCE, heard.append)
    text = "noise\n" + framed(*((i, part, "0 0") for i, part in enumerate(sections)))
    for start in range(0, len(text), size):
        live.feed(text[start : start + size].encode())
    assert "".join("".join(heard).split()) == "".join("".join(sections).split())
    assert NONCE not in "".join(heard)
    assert "noise" not in "".join(heard)


def test_a_line_is_heard_as_soon_as_it_is_there() -> None:
    heard: list[str] = []
    live = LiveStderr(NONCE, heard.append)
    live.feed(mark("begin 0").encode())
    live.feed(b"one\n")
    assert heard == ["one\n"]
    live.feed(mark("end 0 0 0").encode())
    assert heard == ["one\n"]


def test_a_character_may_come_in_two_chunks() -> None:
    heard: list[str] = []
    live = LiveStderr(NONCE, heard.append)
    live.feed(mark("begin 0").encode() + "\u2713".encode()[:1])
    live.feed("\u2713".encode()[1:] + b"\xff.")
    assert "".join(heard) == "\u2713\\xff."
