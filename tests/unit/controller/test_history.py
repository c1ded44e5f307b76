"""The last outcomes of an object: bounded, and what ends alike is one entry."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from reconciler.controller.history import History, continues, grown
from reconciler.report.status import HISTORY, Outcome, PastRun


def run(message: str = "", at: int = 0, **facts: object) -> PastRun:
    outcome = Outcome.FAILED if message else Outcome.SUCCEEDED
    return PastRun("g1", outcome, message, at, at, 1, 0.5, **facts)  # type: ignore[arg-type]


def test_runs_that_end_alike_are_one_entry_that_says_since_when_and_how_often() -> None:
    history: History = ()
    for at in (10, 20, 30):
        history = grown(history, run("disk full", at, done=(("send", at),)))
    assert history == (PastRun("g1", Outcome.FAILED, "disk full", 10, 30, 3, 0.5, (("send", 30),)),)


def test_the_newest_comes_first() -> None:
    history = grown(grown((), run("disk full", 1)), run("", 2))
    assert [past.message for past in history] == ["", "disk full"]


def test_other_specs_begin_another_entry() -> None:
    first = run("disk full", 1)
    other = PastRun("g2", Outcome.FAILED, "disk full", 2, 2, 1, 0.5)
    assert not continues((first,), other)
    assert len(grown((first,), other)) == 2


def test_nothing_continues_a_history_that_is_empty() -> None:
    assert not continues((), run())


@given(st.lists(st.sampled_from(["", "disk full", "no such host", "busy", "cut", "x", "y"])))
def test_it_is_bounded_and_never_has_two_alike_next_to_each_other(messages: list[str]) -> None:
    history: History = ()
    for at, message in enumerate(messages):
        history = grown(history, run(message, at))
        assert history[0].last == at
    assert len(history) <= HISTORY
    assert all(one.message != other.message for one, other in itertools.pairwise(history))
    if len(history) < HISTORY:
        assert sum(past.count for past in history) == len(messages)
