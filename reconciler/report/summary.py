"""What it all amounts to: one value from which closing text, JSON and exit code come.

Of several exit codes that would fit, the gravest is taken: 130 interrupted, 1 error, 3 incomplete,
4 blocked, 2 changes (only where asked for), 0.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from reconciler.actions import Destroy
from reconciler.executor.events import RunResult
from reconciler.planner.plan import Outcome, Plan, PlannedAction, Severity, weight
from reconciler.report.figures import bytes_text, count_text, moment_seen_from
from reconciler.report.lines import Line, Style


class ExitCode(IntEnum):
    """What a command ends with. A code that is not here means failure."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    INCOMPLETE = 3
    BLOCKED = 4
    LOCKED = 11
    USAGE = 64
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Summary:
    """The end of a command."""

    code: ExitCode
    text: str

    @property
    def line(self) -> Line:
        """The text in a fitting style."""
        if self.code in {ExitCode.DONE, ExitCode.CHANGES}:
            return Line(self.text, Style.GOOD)
        return Line(self.text, Style.WARNING if self.code is ExitCode.BLOCKED else Style.ERROR)


def of_plan(plan: Plan, *, detailed: bool = False) -> Summary:
    """Return the summary of a plan; `detailed` makes changes an exit code of their own."""
    changes = ExitCode.CHANGES if detailed else ExitCode.DONE
    codes = {
        Outcome.ERROR: ExitCode.ERROR,
        Outcome.INCOMPLETE: ExitCode.INCOMPLETE,
        Outcome.BLOCKED: ExitCode.BLOCKED,
        Outcome.CHANGES: changes,
        Outcome.NOTHING: ExitCode.DONE,
    }
    next_due = _next_due(plan)
    return Summary(codes[plan.outcome], " ".join([_planned(plan), *_trouble(plan), *next_due]))


def of_run(plan: Plan, result: RunResult) -> Summary:
    """Return the summary of a plan that was run."""
    said = [_applied(result), *_trouble(plan), *_next_due(plan)]
    return Summary(_run_code(plan, result), " ".join(said))


def _run_code(plan: Plan, result: RunResult) -> ExitCode:
    if result.interrupted:
        return ExitCode.INTERRUPTED
    of_its_plan = of_plan(plan).code
    if of_its_plan is ExitCode.ERROR or result.ok:
        return of_its_plan
    return ExitCode.INCOMPLETE


def counts_of(actions: Iterable[PlannedAction]) -> Mapping[str, int]:
    """Return how many things some actions do, by verb."""
    counts: Counter[str] = Counter()
    for planned in actions:
        counts[planned.action.verb] += weight(planned.action)
    return dict(sorted(counts.items()))


_TO_DO = {
    "abort-receive": "partial receive to abort",
    "rename": "to set aside",
    "rollback": "to roll back",
    "create-filesystem": "to create",
    "snapshot": "to snapshot",
    "send": "to send",
    "bookmark": "to bookmark",
    "hold": "to hold",
    "release": "to release",
    "set-property": "to mark",
    "destroy": "to destroy",
    "destroy-filesystem": "filesystem to destroy",
}
"""In the order in which they are told."""

_DONE = {
    "abort-receive": "partial receive aborted",
    "rename": "set aside",
    "rollback": "rolled back",
    "create-filesystem": "created",
    "snapshot": "snapshotted",
    "send": "sent",
    "bookmark": "bookmarked",
    "hold": "held",
    "release": "released",
    "set-property": "marked",
    "destroy": "destroyed",
    "destroy-filesystem": "filesystem destroyed",
}


def _planned(plan: Plan) -> str:
    if plan.actions:
        sizes = {"send": _estimate(plan), "destroy": _cursors(plan.actions)}
        return f"Plan: {_counted(plan.summary, _TO_DO, sizes)}."
    if plan.targets:
        return f"Nothing to do for {', '.join(plan.targets)}; the rest was left out."
    if plan.waiting and plan.outcome is Outcome.NOTHING:
        return "Nothing to do now."
    if plan.outcome is Outcome.NOTHING:
        return "Nothing to do. The hosts match the specs."
    some_seen = any(state.seen for state in plan.hosts)
    if plan.outcome is Outcome.INCOMPLETE and some_seen and not plan.conflicts:
        return "Nothing to do on the hosts that were seen."
    return "No actions."


def _applied(result: RunResult) -> str:
    begin = "Interrupted. Done" if result.interrupted else "Done"
    done = _counted(counts_of(result.completed), _DONE, {})
    parts = [f"{begin}: {done or 'nothing'}."]
    if result.failed:
        parts.append(f"{count_text(len(result.failed), 'action')} failed.")
    if result.skipped:
        parts.append(f"{count_text(len(result.skipped), 'action')} not begun.")
    return " ".join(parts)


def _counted(counts: Mapping[str, int], words: Mapping[str, str], more: Mapping[str, str]) -> str:
    return ", ".join(
        f"{counts[verb]} {words[verb]}{more.get(verb, '')}" for verb in words if verb in counts
    )


def _estimate(plan: Plan) -> str:
    return f" (~{bytes_text(plan.estimated_bytes)})" if plan.estimated_bytes else ""


def _cursors(actions: Iterable[PlannedAction]) -> str:
    """Say how many of the destroys are bookmarks: no data goes with those."""
    versions = [v for p in actions if isinstance(p.action, Destroy) for v in p.action.versions]
    bookmarks = sum(not version.is_snapshot for version in versions)
    if not bookmarks:
        return ""
    if bookmarks == len(versions):
        return " (old bookmarks only)"
    return f" ({count_text(bookmarks, 'old bookmark')} among them)"


def _trouble(plan: Plan) -> Iterator[str]:
    errors = sum(note.severity is Severity.ERROR for note in plan.notes)
    unseen = [state.host for state in plan.hosts if not state.seen]
    blocked = sum(len(blocked.versions) for blocked in plan.blocked) - plan.waiting
    if errors:
        yield f"{count_text(errors, 'error')} in the notes."
    if unseen:
        yield f"{count_text(len(unseen), 'host')} not seen: {', '.join(unseen)}."
    if plan.conflicts:
        yield f"{count_text(len(plan.conflicts), 'conflict')} to settle."
    if blocked:
        yield f"{count_text(blocked, 'version')} kept by a guard."
    if plan.waiting:
        yield f"{count_text(plan.waiting, 'version')} to be sent when a window opens."


def _next_due(plan: Plan) -> Iterator[str]:
    if plan.next_due is not None:
        yield f"Next due {moment_seen_from(plan.next_due, plan.at)}."
