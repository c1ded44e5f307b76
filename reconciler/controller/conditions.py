"""Conditions of replications and hosts, from what is known of them. Pure.

As in the Kubernetes API conventions a condition's transition time moves only when its status does.
Messages name no ages or other things that change by themselves, so that a state that stays the
same is the same value.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.controller.assess import Report
from reconciler.observed.model import Observation, Seen
from reconciler.report.figures import count_text, duration_text
from reconciler.report.status import (
    Condition,
    ConditionType,
    Lag,
    Outcome,
    Phase,
    Truth,
    condition,
)

Conditions = tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a replication."""

    generation: str
    suspended: str | None
    reports: Sequence[Report | None]
    """One for each of its keys; None: it was not looked at yet."""
    phases: Sequence[Phase]
    runs: bool
    """Whether something is being done."""
    late: Sequence[Lag]
    """Those that miss their goal."""


@dataclass(frozen=True, slots=True)
class _Word:
    status: Truth
    reason: str
    message: str


def of_replication(standing: Standing, before: Conditions, now: int) -> Conditions:
    """Return a replication's conditions; `before` are those it had."""
    generations = [r.generation for r in standing.reports if r is not None]
    older = [generation for generation in generations if generation != standing.generation]
    seen = older[0] if older else standing.generation if generations else ""
    words = {
        ConditionType.READY: next(_ready(standing)),
        ConditionType.RECONCILING: _reconciling(standing),
        ConditionType.STALLED: _stalled(standing),
    }
    return tuple(_since(type_, word, before, seen, now) for type_, word in words.items() if word)


def of_host(observation: Observation | None, before: Conditions, now: int) -> Conditions:
    """Return a host's conditions."""
    return (_since(ConditionType.READY, _host_ready(observation), before, "", now),)


def _since(
    type_: ConditionType, word: _Word, before: Conditions, generation: str, now: int
) -> Condition:
    old = condition(before, type_)
    kept = old is not None and old.status is word.status
    at = old.last_transition if old is not None and kept else now
    return Condition(type_, word.status, word.reason, word.message, generation, at)


def _ready(standing: Standing) -> Iterator[_Word]:
    if standing.suspended is not None:
        yield _Word(Truth.UNKNOWN, "Suspended", standing.suspended)
    reports = [report for report in standing.reports if report is not None]
    for outcome in (Outcome.FAILED, Outcome.BLOCKED):
        bad = list(dict.fromkeys((r.reason, r.message) for r in reports if r.outcome is outcome))
        if bad:
            more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
            yield _Word(Truth.FALSE, bad[0][0], bad[0][1] + more)
    if standing.late:
        first = standing.late[0]
        more = f" (and {len(standing.late) - 1} more)" if len(standing.late) > 1 else ""
        goal = duration_text(first.max_lag or 0)
        said = f"{first.receiver_host} {first.receiver} is more than {goal} behind{more}"
        yield _Word(Truth.FALSE, "LagExceeded", said)
    stopped = [r for r in reports if r.outcome is Outcome.INTERRUPTED]
    if stopped:
        yield _Word(Truth.UNKNOWN, stopped[0].reason, stopped[0].message)
    waiting = len(standing.reports) - len(reports)
    if waiting:
        yield _Word(Truth.UNKNOWN, "Progressing", "not everything was looked at yet")
    for reason in ("ChangesPlanned", "OutsideWindows"):
        said = "; ".join(dict.fromkeys(r.message for r in reports if r.reason == reason))
        if said:
            yield _Word(Truth.TRUE, reason, said)
    yield _Word(Truth.TRUE, "ReconciliationSucceeded", "the hosts match the specs")


def _reconciling(standing: Standing) -> _Word | None:
    if standing.suspended is not None:
        return None
    if Phase.RETRYING in standing.phases:
        return _Word(Truth.TRUE, "ProgressingWithRetry", "it is tried again after a failure")
    if standing.runs:
        return _Word(Truth.TRUE, "Progressing", "actions are being done")
    return None


def _stalled(standing: Standing) -> _Word | None:
    stalled = [r for r in standing.reports if r is not None and r.stalled]
    if not stalled or standing.suspended is not None:
        return None
    count = count_text(sum(max(1, len(r.blocked)) for r in stalled), "thing")
    return _Word(Truth.TRUE, stalled[0].reason, f"{count} waiting for a person")


def _host_ready(observation: Observation | None) -> _Word:
    match observation:
        case None:
            return _Word(Truth.UNKNOWN, "NotObserved", "it was not asked yet")
        case Seen() as seen:
            bad = [f"{p.name} is {p.health}" for p in seen.pools.values() if p.health != "ONLINE"]
            unusable = any(not pool.usable for pool in seen.pools.values())
            if unusable:
                return _Word(Truth.FALSE, "PoolUnusable", f"pool {', '.join(bad)}")
            if bad:
                return _Word(Truth.TRUE, "PoolDegraded", f"pool {', '.join(bad)}")
            return _Word(Truth.TRUE, "Observed", "it answers")
        case unseen:
            return _Word(Truth.FALSE, "HostUnreachable", unseen.cause)
