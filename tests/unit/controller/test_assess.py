"""What is said of a run: the gravest first, in words that stay the same while nothing changes."""

from dataclasses import replace

import pytest

from reconciler.actions import Hold
from reconciler.controller.assess import Report, blockages, done, finding
from reconciler.controller.keys import Key, part_of
from reconciler.desired.model import Desired
from reconciler.executor.events import RunResult
from reconciler.observed.model import Observed
from reconciler.planner.plan import Blocked, Note, Plan, PlannedAction, Severity
from reconciler.planner.planning import plan
from reconciler.report.status import Outcome
from reconciler.zfs.errors import Failure, FailureKind, Reaction
from tests.support.worlds import NOW, desired, fs, replica, seen, unseen, world

PAIR = Key("web", "alpha", "vault")
SPECS = desired("web: alpha tank/** !tank keep last 1 -> vault keep last 1")
HELD = "@~22:00,1,held=base"
WELL = world(
    seen("alpha", fs("tank/a", "#cur,1 @~22:00,1")),
    seen("vault", replica("backup/alpha/tank/a", HELD)),
)


def part(observed: Observed, specs: Desired = SPECS) -> Plan:
    return part_of(plan(specs, observed, NOW), PAIR, specs)


def failure(reaction: Reaction = Reaction.RETRY, message: str = "vault is full") -> Failure:
    return Failure(FailureKind.NO_SPACE, reaction, message)


def an_action() -> PlannedAction:
    observed = world(seen("alpha", fs("tank/a", "@~22:00,1")), seen("vault", replica("backup/x")))
    holds = [p for p in part(observed).actions if isinstance(p.action, Hold)]
    return holds[0]


def ran(*failures: Failure, interrupted: bool = False, count: int = 0) -> RunResult:
    action = an_action()
    return RunResult((action,) * count, tuple((action, f) for f in failures), (), interrupted)


def test_a_host_match_is_a_success() -> None:
    found = finding(PAIR, WELL, part(WELL), None)
    assert (found.outcome, found.reason) == (Outcome.SUCCEEDED, "ReconciliationSucceeded")
    assert found.message == "the hosts match the specs"


def test_what_failed_comes_before_all_else() -> None:
    away = world(WELL["alpha"], unseen("vault"))
    found = finding(PAIR, away, part(away), ran(failure(), failure(message="again")))
    assert (found.outcome, found.reason) == (Outcome.FAILED, "NoSpace")
    assert found.message == "hold of alpha tank/a failed: vault is full (and 1 more)"


@pytest.mark.parametrize(
    ("reactions", "hopeless"),
    [
        ([Reaction.PERMANENT], True),
        ([Reaction.PERMANENT, Reaction.PERMANENT], True),
        ([Reaction.PERMANENT, Reaction.RETRY], False),
        ([Reaction.RETRY], False),
        ([Reaction.CONFLICT], False),
    ],
)
def test_no_retry_helps_only_where_nothing_that_failed_may_mend_itself(
    reactions: list[Reaction], *, hopeless: bool
) -> None:
    found = finding(PAIR, WELL, part(WELL), ran(*map(failure, reactions)))
    assert found.hopeless is hopeless


def test_an_interruption_is_no_failure() -> None:
    found = finding(PAIR, WELL, part(WELL), ran(interrupted=True))
    assert found.outcome is Outcome.INTERRUPTED


@pytest.mark.parametrize("host", ["alpha", "vault"])
def test_an_end_that_was_not_seen_is_a_failure_with_its_cause(host: str) -> None:
    away = {**WELL, host: unseen(host, "Connection timed out")}
    found = finding(PAIR, away, part(away), None)
    assert (found.outcome, found.reason) == (Outcome.FAILED, "HostUnreachable")
    assert found.message == f"{host} was not seen: Connection timed out"
    assert not found.hopeless


def test_a_receiver_that_is_away_is_no_failure_of_the_senders_own_key() -> None:
    away = world(WELL["alpha"], unseen("vault"))
    sender = Key("web", "alpha")
    found = finding(sender, away, part_of(plan(SPECS, away, NOW), sender, SPECS), None)
    assert found.outcome is Outcome.SUCCEEDED


def test_specs_that_select_nothing_need_a_person() -> None:
    nothing = world(seen("alpha", fs("tank")), WELL["vault"])
    found = finding(PAIR, nothing, part(nothing), None)
    assert (found.reason, found.hopeless) == ("SpecUnfit", True)
    assert "selects no filesystem on alpha" in found.message


def test_a_conflict_is_blocked_with_its_code_and_place() -> None:
    diverged = world(WELL["alpha"], seen("vault", replica("backup/alpha/tank/a", "@mine,9")))
    blocked = part(diverged)
    found = finding(PAIR, diverged, blocked, None)
    assert found.outcome is Outcome.BLOCKED
    assert found.message.startswith("vault backup/alpha/tank/a: ")
    (blockage,) = blockages(blocked)
    assert found.reason.lower() == blockage.code.replace("-", "")
    assert blockage.remedy


def guarded(guard: str) -> Plan:
    versions = tuple(fs("tank/a", "@x,1 @y,2").versions)
    place = ("vault", "backup/alpha/tank/a")
    blocked = Blocked("id", *place, versions, guard, "the clock is wrong", "set it right")
    return replace(part(WELL), blocked=(blocked,))


def test_what_a_guard_keeps_is_blocked_and_counted() -> None:
    found = finding(PAIR, WELL, guarded("clock"), None)
    assert (found.outcome, found.reason) == (Outcome.BLOCKED, "DestroyBlocked")
    assert found.message == "vault backup/alpha/tank/a: 2 versions kept: the clock is wrong"
    assert [blockage.remedy for blockage in blockages(guarded("clock"))] == ["set it right"]


def test_what_waits_for_a_window_is_told_and_waits_for_no_person() -> None:
    found = finding(PAIR, WELL, guarded("window"), None)
    assert (found.outcome, found.reason) == (Outcome.SUCCEEDED, "OutsideWindows")
    assert found.message == "2 versions not sent now: the clock is wrong"
    assert blockages(guarded("window")) == ()


def test_what_waits_for_a_peer_mends_itself() -> None:
    assert finding(PAIR, WELL, guarded("peer-unseen"), None).outcome is Outcome.SUCCEEDED
    report = Report(1, "g", Outcome.SUCCEEDED, "R", "m", blocked=blockages(guarded("peer-unseen")))
    assert not report.stalled
    assert replace(report, blocked=blockages(guarded("clock"))).stalled
    assert replace(report, blocked=(), hopeless=True).stalled


def test_a_warning_is_no_error() -> None:
    noted = replace(part(WELL), notes=(Note(Severity.WARNING, "look here", "web"),))
    assert finding(PAIR, WELL, noted, None).outcome is Outcome.SUCCEEDED


def test_what_was_done_is_counted_by_verb() -> None:
    assert done(None) == ()
    assert done(ran(count=2)) == (("hold", 2),)
