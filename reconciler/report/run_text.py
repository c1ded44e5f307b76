"""A run of a plan for people: a line for what happens, and in the end what became of everything."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.actions import Send
from reconciler.executor.events import (
    ActionFailed,
    Completed,
    Event,
    Progressed,
    RunResult,
    Skipped,
    Started,
)
from reconciler.planner.plan import Plan, PlannedAction
from reconciler.report.figures import bytes_text, duration_text, rate_text
from reconciler.report.lines import Line, Style, section
from reconciler.report.naming import LISTED, capped
from reconciler.report.summary import of_run
from reconciler.report.wording import SYMBOLS, describe, what_next

PROGRESS_EVERY = 10.0
"""Seconds between two lines about one long send."""


class RunLog:
    """Turns events into lines. Fed by one thread at a time; the clock comes with the event."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.finished = 0
        self.because: dict[str, str] = {}
        """Action id → why it was not begun."""
        self._begun: dict[str, float] = {}
        self._told: dict[str, float] = {}
        self._sent: dict[str, int] = {}

    def take(self, event: Event, now: float) -> Iterator[Line]:
        """Yield what is to be said of an event."""
        match event:
            case Started():
                self._begun[event.id] = self._told[event.id] = now
                if isinstance(event.action, Send):
                    yield self._line(event, f"begun, {estimate_text(event.action)}")
            case Progressed():
                self._sent[event.id] = event.bytes
                if now - self._told.get(event.id, now) >= PROGRESS_EVERY:
                    self._told[event.id] = now
                    yield self._line(event, self._progress(event, now))
            case Completed():
                self.finished += 1
                yield from map(Line, _indented(event.printed))
                yield self._line(event, self._done(event))
            case ActionFailed():
                self.finished += 1
                yield from map(Line, _indented(event.printed))
                yield self._line(event, f"failed: {event.failure.message}", Style.ERROR)
            case Skipped():
                self.finished += 1
                self.because[event.id] = event.because

    def _line(self, event: Event, said: str, style: Style = Style.PLAIN) -> Line:
        symbol = "!" if style is Style.ERROR else SYMBOLS[event.action.verb]
        width = len(str(self.total))
        count = f"[{self.finished:>{width}}/{self.total}]"
        return Line(f"{count} {symbol} {describe(event.action)}  {said}", style)

    def _progress(self, event: Progressed, now: float) -> str:
        seconds = now - self._begun.get(event.id, now)
        return progress_text(event.bytes, event.estimated_bytes, seconds)

    def _done(self, event: Completed) -> str:
        said = f"done in {duration_text(event.seconds)}"
        sent = self._sent.get(event.id)
        if sent and event.seconds > 0:
            said = f"{bytes_text(sent)}, {said}, {rate_text(sent / event.seconds)}"
        return f"{said} ({event.note})" if event.note else said


def _indented(printed: Iterable[str]) -> Iterator[str]:
    return (f"    {line}" for line in printed)


def estimate_text(send: Send) -> str:
    """Return how much a send is thought to bring."""
    known = send.estimated_bytes
    return "size unknown" if known is None else f"~{bytes_text(known)}"


def progress_text(sent: int, estimate: int | None, seconds: float) -> str:
    """Return bytes, share of the estimate, rate and time left, as far as they are known.

    >>> progress_text(50 * 2**20, 100 * 2**20, 10)
    '50.0 MiB of ~100 MiB (50%), 5.0 MiB/s, 10s left'
    >>> progress_text(2048, None, 0)
    '2.0 KiB'
    """
    rate = sent / seconds if seconds > 0 else 0.0
    parts = [bytes_text(sent)]
    if estimate:
        parts[0] += f" of ~{bytes_text(estimate)} ({min(99, 100 * sent // estimate)}%)"
    if rate:
        parts.append(rate_text(rate))
        if estimate and sent < estimate:
            parts.append(f"{duration_text((estimate - sent) / rate)} left")
    return ", ".join(parts)


def result_lines(plan: Plan, result: RunResult, because: Mapping[str, str]) -> Iterator[Line]:
    """Yield what failed, what was not begun and why, and the closing line: nothing is silent."""
    yield from section(Line("Failed", Style.TITLE), _failed(result))
    yield from section(Line("Not begun", Style.TITLE), _skipped(result.skipped, because))
    yield Line()
    yield of_run(plan, result).line


def _failed(result: RunResult) -> Iterator[Line]:
    for planned, failure in result.failed:
        yield Line(f"  ! {describe(planned.action)}", Style.ERROR, planned.replication)
        yield Line(f"      {failure.message}")
        yield Line(f"      next: {what_next(planned.action, failure)}")


def _skipped(skipped: Sequence[PlannedAction], because: Mapping[str, str]) -> Iterator[Line]:
    groups: dict[str, list[PlannedAction]] = {}
    for planned in skipped:
        groups.setdefault(because.get(planned.id, "interrupted"), []).append(planned)
    for why, group in groups.items():
        yield Line(f"  because {why}:" if why != "interrupted" else "  interrupted:")
        shown, more = capped(group, LISTED)
        for planned in shown:
            yield Line(f"      {describe(planned.action)}", Style.QUIET)
        if more:
            yield Line(f"      and {more} more", Style.QUIET)
