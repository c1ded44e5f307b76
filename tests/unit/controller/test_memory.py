"""What is remembered of keys and hosts, what of it is news, and when doing is a failure."""

from dataclasses import replace

import pytest

from reconciler.controller.assess import Report
from reconciler.controller.keys import Key
from reconciler.controller.memory import REPEATS, Memory
from reconciler.report.status import HISTORY, Outcome
from tests.support.statuses import QUIET
from tests.support.worlds import seen, unseen

KEY, OTHER = Key("web", "alpha"), Key("web", "alpha", "vault")
WELL = Report(100, "g1", Outcome.SUCCEEDED, "ReconciliationSucceeded", "the hosts match the specs")
BAD = replace(WELL, outcome=Outcome.FAILED, reason="OutOfSpace", message="vault is full")


@pytest.fixture
def memory() -> Memory:
    return Memory()


# -- news ------------------------------------------------------------------------------------------


def test_the_first_report_is_news_and_the_same_again_is_not(memory: Memory) -> None:
    assert memory.remember(KEY, WELL, did=False)
    assert not memory.remember(KEY, replace(WELL, at=200, seconds=3.0), did=False)
    assert memory.reports[KEY].at == 200


@pytest.mark.parametrize("other", [BAD, replace(WELL, generation="g2")], ids=["outcome", "specs"])
def test_another_outcome_or_other_specs_are_news(memory: Memory, other: Report) -> None:
    memory.remember(KEY, WELL, did=False)
    assert memory.remember(KEY, other, did=False)


def test_runs_that_found_all_as_it_should_be_are_no_history(memory: Memory) -> None:
    for at in range(10):
        memory.remember(KEY, replace(WELL, at=at), did=False)
    (past,) = memory.histories["web"]
    assert (past.first, past.last, past.count) == (0, 0, 1)


def test_runs_that_did_something_are(memory: Memory) -> None:
    for at in range(10):
        memory.remember(KEY, replace(WELL, at=at, done=(("snapshot", 1),)), did=True)
    (past,) = memory.histories["web"]
    assert (past.first, past.last, past.count, past.done) == (0, 9, 10, (("snapshot", 1),))


def test_it_is_told_how_often_it_failed_and_when_last(memory: Memory) -> None:
    for at in range(10):
        memory.remember(KEY, replace(BAD, at=at), did=False)
    (past,) = memory.histories["web"]
    assert (past.first, past.last, past.count) == (0, 9, 10)


def test_history_is_bounded_whatever_happens(memory: Memory) -> None:
    for at in range(100):
        memory.remember(KEY, replace(BAD, at=at, message=f"trouble {at}"), did=False)
        memory.seen(unseen("alpha", f"cause {at}"), at, 1.0)
    assert len(memory.histories["web"]) == HISTORY
    assert len(memory.host_histories["alpha"]) == HISTORY


def test_histories_are_recalled_after_a_restart(memory: Memory) -> None:
    memory.remember(KEY, BAD, did=False)
    memory.seen(unseen("alpha", "no route"), 1, 1.0)
    (host,), (replication,) = memory.host_histories["alpha"], memory.histories["web"]
    left = replace(
        QUIET,
        hosts=(replace(QUIET.hosts[0], name="alpha", history=(host,)),),
        replications=(replace(QUIET.replications[0], name="web", history=(replication,)),),
    )
    later = Memory()
    later.recall(left)
    assert not later.seen(unseen("alpha", "no route"), 2, 1.0), "it is no news"
    assert [past.count for past in later.host_histories["alpha"]] == [2]
    assert later.histories["web"] == (replication,)


# -- hosts -----------------------------------------------------------------------------------------


def test_trouble_with_a_host_is_news_once_for_each_cause(memory: Memory) -> None:
    assert not memory.seen(seen("alpha"), 1, 0.1)
    assert memory.seen(unseen("alpha", "timed out"), 2, 0.1)
    assert not memory.seen(unseen("alpha", "timed out"), 3, 0.1)
    assert memory.seen(unseen("alpha", "no such host"), 4, 0.1)
    assert not memory.seen(seen("alpha"), 5, 0.1)
    assert memory.seen(unseen("alpha", "timed out"), 6, 0.1)
    assert [past.count for past in memory.host_histories["alpha"]] == [1, 1, 1, 2, 1]


def test_a_host_that_is_away_from_the_start_is_news(memory: Memory) -> None:
    assert memory.seen(unseen("alpha"), 1, 0.1)


# -- not converging --------------------------------------------------------------------------------


SAME = ("bookmark:alpha:tank/www", "hold:alpha:tank/www@a")


def weighed(memory: Memory, count: int, *, did: tuple[str, ...] = SAME) -> Report:
    for _ in range(count):
        found = memory.weigh(KEY, WELL, did=did)
    return found


def test_always_doing_the_same_is_a_failure_in_the_end(memory: Memory) -> None:
    assert weighed(memory, REPEATS) == WELL
    found = weighed(memory, 1)
    assert (found.outcome, found.reason) == (Outcome.FAILED, "NotConverging")


def test_what_is_said_of_it_stays_the_same(memory: Memory) -> None:
    assert weighed(memory, REPEATS + 1) == weighed(memory, 5)


def test_one_run_with_nothing_to_do_makes_it_well(memory: Memory) -> None:
    weighed(memory, REPEATS)
    weighed(memory, 1, did=())
    assert weighed(memory, REPEATS) == WELL


def test_doing_something_else_each_time_is_no_failure(memory: Memory) -> None:
    for number in range(3 * REPEATS):
        assert memory.weigh(KEY, WELL, did=(f"snapshot:{number}",)) == WELL


def test_each_key_counts_for_itself(memory: Memory) -> None:
    weighed(memory, REPEATS)
    assert memory.weigh(OTHER, WELL, did=SAME) == WELL


def test_a_failure_is_told_as_what_it_is(memory: Memory) -> None:
    weighed(memory, REPEATS + 1)
    assert memory.weigh(KEY, BAD, did=SAME) == BAD


# -- forgotten -------------------------------------------------------------------------------------


def test_what_the_specs_do_not_have_any_more_leaves_nothing(memory: Memory) -> None:
    weighed(memory, REPEATS)
    memory.remember(KEY, WELL, did=True)
    memory.seen(unseen("alpha"), 1, 0.1)
    memory.forget([KEY, OTHER], ["web", "unknown"], ["alpha", "unknown"])
    assert not memory.reports
    assert not memory.histories
    assert not memory.host_histories
    assert weighed(memory, REPEATS) == WELL
