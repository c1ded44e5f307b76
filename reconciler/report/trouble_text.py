"""What stands in the way, for people: unseen hosts, conflicts, blocked actions, notes."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

from reconciler.planner.plan import WINDOW, Blocked, Conflict, HostState, Note, Plan, Severity
from reconciler.report.figures import count_text
from reconciler.report.lines import Line, Style, section
from reconciler.report.naming import LISTED, capped, names_text, versions_text

_T = TypeVar("_T")

_GRAVITY = (Severity.ERROR, Severity.WARNING, Severity.NOTICE)
_NOTE_STYLES = {Severity.ERROR: Style.ERROR, Severity.WARNING: Style.WARNING}


def trouble_lines(plan: Plan, *, explain: bool) -> Iterator[Line]:
    """Yield a section for each kind of trouble there is."""
    limit = None if explain else LISTED
    conflicts = Line("Conflicts, nothing is done about them", Style.TITLE)
    yield from section(conflicts, _conflicts(plan.conflicts, limit))
    blocked = Line("Blocked by guards", Style.TITLE)
    yield from section(blocked, _blocked(plan.blocked, limit))
    yield from section(Line("Notes", Style.TITLE), _notes(plan.notes, limit))


def unseen_lines(states: Iterable[HostState]) -> Iterator[Line]:
    """Yield for each unseen host why, what to do, and what it means."""
    unseen = [state for state in states if not state.seen]
    for state in unseen:
        yield Line(f"! {state.host} was not seen: {state.cause}", Style.ERROR)
        yield from _remedy(state.remedy, "  ")
    if unseen:
        yield Line(
            "  Nothing is done there, and nothing is destroyed or released elsewhere of which it"
            " has the other end.",
            Style.QUIET,
        )


def _conflicts(conflicts: Iterable[Conflict], limit: int | None) -> Iterator[Line]:
    for group in _grouped(conflicts, lambda c: (c.replication, c.host, c.code)):
        shown, more = capped(group, limit)
        for conflict in shown:
            place = f"{conflict.host} {conflict.filesystem}"
            message = conflict.message.removeprefix(f"{conflict.filesystem} ")
            yield Line(f"  ! {place}  {message}", Style.WARNING, conflict.replication)
            yield from (Line(f"      {evidence}") for evidence in conflict.evidence)
            yield from _remedy(conflict.remedy, "      ")
        yield from _left_out(more, f"on {group[0].host} ({group[0].code})")


def _blocked(blocked: Iterable[Blocked], limit: int | None) -> Iterator[Line]:
    for group in _grouped(blocked, lambda b: (b.host, b.guard, b.message, b.remedy)):
        first = group[0]
        if len({b.filesystem for b in group}) == 1:
            versions = [version for b in group for version in b.versions]
            labels = ", ".join(v.label for v in versions) if limit is None else None
            what = f"{first.filesystem}  {labels or versions_text(versions)}"
        else:
            count = count_text(sum(len(b.versions) for b in group), "version")
            what = f"{names_text((b.filesystem for b in group), limit)}  {count}"
        if first.guard == WINDOW:
            said = f"  ! send       {first.host} {what}  not sent now: {first.message}"
        else:
            said = f"  ! destroy    {first.host} {what}  not destroyed: {first.message}"
        yield Line(said, Style.WARNING, f"guard {first.guard}")
        yield from _remedy(first.remedy, "      ")


def _notes(notes: Iterable[Note], limit: int | None) -> Iterator[Line]:
    ordered = sorted(notes, key=lambda note: _GRAVITY.index(note.severity))
    for group in _grouped(ordered, lambda note: (note.severity, note.replication)):
        severity = group[0].severity
        shown, more = capped(group, None if severity is Severity.ERROR else limit)
        for note in shown:
            style = _NOTE_STYLES.get(severity, Style.PLAIN)
            yield Line(f"  {severity}: {note.summary}", style)
        yield from _left_out(more, f"({severity}s of {group[0].replication})")


def _remedy(remedy: str, indent: str) -> Iterator[Line]:
    if remedy:
        yield Line(f"{indent}remedy: {remedy}")


def _left_out(count: int, of: str) -> Iterator[Line]:
    if count:
        yield Line(f"    and {count} more {of}; --explain shows all", Style.QUIET)


def _grouped(items: Iterable[_T], key: Callable[[_T], Hashable]) -> Iterator[Sequence[_T]]:
    """Yield the items with the same key together, in the order of their first one."""
    groups: dict[Hashable, list[_T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    yield from groups.values()
