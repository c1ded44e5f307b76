"""Conditions: what they say, in which order, and when they changed."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.controller.assess import Report
from reconciler.controller.conditions import Conditions, Standing, of_host, of_replication
from reconciler.report.status import (
    Blockage,
    Condition,
    ConditionType,
    Lag,
    Outcome,
    Phase,
    Truth,
    condition,
)
from tests.support.worlds import pool, seen, unseen

WAITS = Report(100, "g1", Outcome.SUCCEEDED, "OutsideWindows", "3 versions not sent now")
WELL = Report(100, "g1", Outcome.SUCCEEDED, "ReconciliationSucceeded", "the hosts match the specs")
BAD = replace(WELL, outcome=Outcome.FAILED, reason="OutOfSpace", message="vault is full")
STUCK = replace(
    WELL,
    outcome=Outcome.BLOCKED,
    reason="Diverged",
    message="they differ",
    blocked=(Blockage("vault", "b/a", "diverged", "they differ"),),
)
PEER = replace(WELL, blocked=(Blockage("alpha", "tank/a", "peer-unseen", "its peer was not seen"),))
LATE = Lag("alpha", "tank/a", "vault", "b/a", 1000, 500, 3600)

STANDING = Standing("g1", None, (WELL, WELL), (Phase.IDLE, Phase.IDLE), runs=False, late=())


def found(standing: Standing, before: Conditions = (), now: int = 1000) -> Conditions:
    return of_replication(standing, before, now)


def ready(standing: Standing) -> Condition:
    one = condition(found(standing), ConditionType.READY)
    assert one is not None
    return one


def test_all_is_well() -> None:
    (one,) = found(STANDING)
    assert (one.type, one.status) == (ConditionType.READY, Truth.TRUE)
    assert one.observed_generation == "g1"


@pytest.mark.parametrize(
    ("standing", "status", "reason"),
    [
        (replace(STANDING, suspended="by root", reports=(BAD,)), Truth.UNKNOWN, "Suspended"),
        (replace(STANDING, reports=(STUCK, BAD)), Truth.FALSE, "OutOfSpace"),
        (replace(STANDING, reports=(STUCK, None), late=[LATE]), Truth.FALSE, "Diverged"),
        (replace(STANDING, reports=(WELL, None), late=[LATE]), Truth.FALSE, "LagExceeded"),
        (replace(STANDING, reports=(WELL, None)), Truth.UNKNOWN, "Progressing"),
        (replace(STANDING, reports=(PEER,)), Truth.TRUE, "ReconciliationSucceeded"),
        (replace(STANDING, reports=(WELL, WAITS)), Truth.TRUE, "OutsideWindows"),
        (replace(STANDING, reports=(WELL, WAITS), late=[LATE]), Truth.FALSE, "LagExceeded"),
    ],
)
def test_the_gravest_thing_is_said(standing: Standing, status: Truth, reason: str) -> None:
    one = ready(standing)
    assert (one.status, one.reason) == (status, reason)


def test_a_run_that_was_interrupted_leaves_it_unknown_whether_all_is_well() -> None:
    stopped = replace(WELL, outcome=Outcome.INTERRUPTED, reason="Interrupted", message="stopped")
    assert ready(replace(STANDING, reports=(stopped, WELL))).status is Truth.UNKNOWN


def test_the_same_trouble_of_several_keys_is_said_once_and_others_are_counted() -> None:
    assert ready(replace(STANDING, reports=(BAD, BAD))).message == "vault is full"
    other = replace(BAD, message="north is full")
    assert ready(replace(STANDING, reports=(BAD, other))).message == "vault is full (and 1 more)"


def test_what_is_late_is_named_with_its_goal_and_not_with_its_age() -> None:
    one = ready(replace(STANDING, late=[LATE, LATE]))
    assert one.message == "vault b/a is more than 1h00m behind (and 1 more)"


# -- abnormal while true ---------------------------------------------------------------------------


def types(standing: Standing) -> list[tuple[ConditionType, str]]:
    return [(one.type, one.reason) for one in found(standing)[1:]]


def test_it_is_reconciling_while_something_runs_or_is_retried() -> None:
    assert types(replace(STANDING, runs=True)) == [(ConditionType.RECONCILING, "Progressing")]
    retrying = replace(STANDING, phases=(Phase.IDLE, Phase.RETRYING))
    assert types(retrying) == [(ConditionType.RECONCILING, "ProgressingWithRetry")]


def test_it_is_stalled_while_a_person_is_needed() -> None:
    assert types(replace(STANDING, reports=(STUCK, WELL))) == [(ConditionType.STALLED, "Diverged")]
    hopeless = replace(BAD, hopeless=True)
    assert types(replace(STANDING, reports=(hopeless,))) == [(ConditionType.STALLED, "OutOfSpace")]
    assert types(replace(STANDING, reports=(PEER, BAD))) == []


def test_what_is_suspended_neither_reconciles_nor_stalls() -> None:
    standing = replace(
        STANDING, suspended="by root", reports=(STUCK,), runs=True, phases=(Phase.RETRYING,)
    )
    assert types(standing) == []


# -- when ------------------------------------------------------------------------------------------


def test_the_transition_moves_when_the_status_does_and_only_then() -> None:
    first = found(STANDING, now=1000)
    bad = replace(STANDING, reports=(BAD,))
    second = found(bad, first, 2000)
    third = found(replace(STANDING, reports=(STUCK,)), second, 3000)
    fourth = found(STANDING, third, 4000)
    assert [one[0].last_transition for one in (first, second, third, fourth)] == [
        1000,
        2000,
        2000,
        4000,
    ]
    assert third[0].reason == "Diverged"


REPORTS = st.sampled_from([None, WELL, BAD, STUCK, PEER, replace(WELL, generation="g0")])
STANDINGS = st.builds(
    Standing,
    generation=st.just("g1"),
    suspended=st.sampled_from([None, None, "by root"]),
    reports=st.tuples(REPORTS, REPORTS),
    phases=st.tuples(st.sampled_from(Phase), st.sampled_from(Phase)),
    runs=st.booleans(),
    late=st.sampled_from([(), (LATE,)]),
)


@given(st.lists(STANDINGS, min_size=1))
def test_transitions_are_kept_exactly_as_long_as_the_status_stays(
    standings: list[Standing],
) -> None:
    before: Conditions = ()
    for now, standing in enumerate(standings):
        after = found(standing, before, now)
        for one in after:
            old = condition(before, one.type)
            same = old is not None and old.status is one.status
            assert one.last_transition == (old.last_transition if old and same else now)
            assert re.fullmatch(r"[A-Z][A-Za-z]+", one.reason)
            assert one.message
        assert found(standing, after, now + 1000) == after, "it stays the same value"
        before = after


def test_what_was_seen_under_older_specs_says_so() -> None:
    old = replace(WELL, generation="g0")
    assert ready(replace(STANDING, reports=(WELL, old))).observed_generation == "g0"
    assert ready(replace(STANDING, reports=(None, None))).observed_generation == ""


# -- hosts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("observation", "status", "reason", "message"),
    [
        (None, Truth.UNKNOWN, "NotObserved", "it was not asked yet"),
        (seen("alpha"), Truth.TRUE, "Observed", "it answers"),
        (unseen("alpha", "timed out"), Truth.FALSE, "HostUnreachable", "timed out"),
        (
            seen("alpha", pools=[pool("tank", health="DEGRADED")]),
            Truth.TRUE,
            "PoolDegraded",
            "pool tank is DEGRADED",
        ),
        (
            seen("alpha", pools=[pool("a"), pool("tank", health="SUSPENDED")]),
            Truth.FALSE,
            "PoolUnusable",
            "pool tank is SUSPENDED",
        ),
    ],
)
def test_a_host_is_ready_when_it_answers_and_its_pools_are_usable(
    observation: object, status: Truth, reason: str, message: str
) -> None:
    (one,) = of_host(observation, (), 5)  # type: ignore[arg-type]
    assert (one.status, one.reason, one.message) == (status, reason, message)
    assert of_host(observation, (one,), 99) == (one,)  # type: ignore[arg-type]
