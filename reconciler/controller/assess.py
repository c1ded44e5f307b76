"""What a look at a key's hosts, and the run that followed, came to. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.controller.keys import Key
from reconciler.executor.events import RunResult
from reconciler.observed.model import Observed, Unseen
from reconciler.planner.plan import WINDOW, Plan, Severity
from reconciler.report.figures import count_text
from reconciler.report.status import Blockage, Lag, Outcome
from reconciler.report.summary import counts_of
from reconciler.zfs.errors import Failure, Reaction

MENDS_ITSELF = frozenset({"peer-unseen", WINDOW})
"""Guards that need no person: what they wait for comes back, or is told of as a host's trouble."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a key's last run came to."""

    at: int
    generation: str
    outcome: Outcome
    reason: str
    """CamelCase, one word, for programs."""
    message: str
    seconds: float = 0.0
    done: tuple[tuple[str, int], ...] = ()
    """Verb and how many things, sorted."""
    blocked: tuple[Blockage, ...] = ()
    lags: tuple[Lag, ...] = ()
    hopeless: bool = False
    """Whether only a change can help: trying again would end alike."""
    left: bool = False
    """Whether something was planned and is not done: another look is worth it."""

    @property
    def stalled(self) -> bool:
        """Whether a person is needed."""
        return self.hopeless or any(b.code not in MENDS_ITSELF for b in self.blocked)


@dataclass(frozen=True, slots=True)
class Finding:
    """The word for it."""

    outcome: Outcome
    reason: str
    message: str
    hopeless: bool = False


def finding(key: Key, observed: Observed, part: Plan, result: RunResult | None) -> Finding:
    """Return what is to be said of a run; the gravest first."""
    return next(_findings(key, observed, part, result))


def blockages(part: Plan) -> tuple[Blockage, ...]:
    """Return what in a plan waits for a person, sorted; a window opens without one."""
    conflicts = (
        Blockage(c.host, c.filesystem, c.code, c.message, c.evidence, c.remedy)
        for c in part.conflicts
    )
    blocked = (
        Blockage(
            b.host,
            b.filesystem,
            b.guard,
            b.message,
            tuple(version.label for version in b.versions),
            b.remedy,
        )
        for b in part.blocked
        if b.guard != WINDOW
    )
    return tuple(
        sorted((*conflicts, *blocked), key=lambda b: (b.host, b.filesystem, b.code, b.message))
    )


def done(result: RunResult | None) -> tuple[tuple[str, int], ...]:
    """Return what a run did."""
    return tuple(counts_of(result.completed).items()) if result is not None else ()


def _findings(
    key: Key, observed: Observed, part: Plan, result: RunResult | None
) -> Iterator[Finding]:
    if result is not None and result.failed:
        yield _failed(result)
    if result is not None and result.interrupted:
        yield Finding(Outcome.INTERRUPTED, "Interrupted", "stopped before all was done")
    for host in filter(None, (key.sender, key.receiver)):
        seen = observed[host]
        if isinstance(seen, Unseen):
            yield Finding(Outcome.FAILED, "HostUnreachable", f"{host} was not seen: {seen.cause}")
    errors = [note.summary for note in part.notes if note.severity is Severity.ERROR]
    if errors:
        yield Finding(Outcome.FAILED, "SpecUnfit", _more(errors[0], len(errors)), hopeless=True)
    if part.conflicts:
        first = part.conflicts[0]
        said = _more(f"{first.host} {first.filesystem}: {first.message}", len(part.conflicts))
        yield Finding(Outcome.BLOCKED, camel(first.code), said)
    grave = [b for b in part.blocked if b.guard not in MENDS_ITSELF]
    if grave:
        count = count_text(sum(len(b.versions) for b in grave), "version")
        said = f"{grave[0].host} {grave[0].filesystem}: {count} kept: {grave[0].message}"
        yield Finding(Outcome.BLOCKED, "DestroyBlocked", said)
    if result is None and part.actions:
        verbs = ", ".join(f"{count} {verb}" for verb, count in part.summary.items())
        yield Finding(Outcome.SUCCEEDED, "ChangesPlanned", f"to be done: {verbs}")
    waiting = [b for b in part.blocked if b.guard == WINDOW]
    if waiting:
        said = f"{count_text(part.waiting, 'version')} not sent now: {waiting[0].message}"
        yield Finding(Outcome.SUCCEEDED, "OutsideWindows", said)
    yield Finding(Outcome.SUCCEEDED, "ReconciliationSucceeded", "the hosts match the specs")


def _failed(result: RunResult) -> Finding:
    failures = [failure for _, failure in result.failed]
    planned, first = result.failed[0]
    host, filesystem = planned.action.places[0]
    said = f"{planned.action.verb} of {host} {filesystem} failed: {first.message}"
    hopeless = all(failure.reaction is Reaction.PERMANENT for failure in failures)
    return Finding(Outcome.FAILED, _reason(first), _more(said, len(failures)), hopeless=hopeless)


def _reason(failure: Failure) -> str:
    return camel(str(failure.kind))


def _more(said: str, count: int) -> str:
    return said if count == 1 else f"{said} (and {count - 1} more)"


def camel(code: str) -> str:
    """Return a code as conditions write it.

    >>> camel("no-common-version")
    'NoCommonVersion'
    """
    return "".join(part[:1].upper() + part[1:] for part in code.replace("_", "-").split("-"))
