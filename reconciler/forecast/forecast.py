"""The forecast of a spec set, from its beginning to its figures."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from reconciler.desired.model import Desired
from reconciler.forecast.course import Course, Disagreement, Span, slots
from reconciler.forecast.figures import busy_hours, replication_figures
from reconciler.forecast.findings import crowded, findings
from reconciler.forecast.groups import Group, LeftOut, group
from reconciler.forecast.invent import invented
from reconciler.forecast.model import MARKS, Basis, Finding, Forecast, Supposed
from reconciler.forecast.writes import Rule, Writes
from reconciler.observed.model import Filesystem, Observed
from reconciler.planner.plan import Severity

POINTS = 120
"""Instants at which curves are known."""

_ENOUGH = 3600
"""Seconds that snapshots have to span before a rate is told from them."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be forecast."""

    start: int
    seconds: int
    rate: float
    """Bytes per second written to each filesystem of which nothing else is known."""
    size: int
    """Bytes of each such filesystem."""
    rules: tuple[Rule, ...] = field(default=())
    """What is known of filesystems; the last rule that fits counts."""
    bandwidth: float | None = None
    """Bytes per second that each receiver host takes in."""


def forecast(desired: Desired, observed: Observed | None, ask: Ask) -> Forecast:
    """Return what comes of specs, from observations or, without any, from nothing."""
    basis = Basis.INVENTED if observed is None else Basis.OBSERVED
    world = invented(desired, ask.start) if observed is None else observed
    span = _span(ask)
    known = _Known(ask, is_observed=observed is not None)
    groups, left_out = group(desired, world, ask.start, known.writes)
    due = {name: slots(replication, span) for name, replication in desired.replications.items()}
    course = Course(groups, span, due, ask.bandwidth)
    course.run()
    figures = []
    found: list[Finding] = []
    for name, replication in desired.replications.items():
        tracks = [track for track in course.tracks if track.group.replication.name == name]
        if tracks:
            figures.append(replication_figures(replication, tracks, span, due[name]))
            found += findings(replication, figures[-1], ask.bandwidth)
    found += crowded(desired, figures, ask.bandwidth)
    busiest, heaviest, first_day = busy_hours(course.tracks, ask.start)
    return Forecast(
        start=ask.start,
        end=span.end,
        basis=basis,
        bandwidth=ask.bandwidth,
        supposed=known.supposed(groups),
        digest=desired.digest,
        revision=desired.revision,
        replications=tuple(figures),
        busiest=busiest,
        heaviest=heaviest,
        first_day=first_day,
        findings=(*_unselected(desired, groups, left_out), *found, *_ours(course.disagreements)),
        left_out=left_out,
        checked=course.checked,
    )


def _span(ask: Ask) -> Span:
    end = ask.start + ask.seconds
    marks = {ask.start + mark for mark in MARKS}
    points = {ask.start + ask.seconds * point // POINTS for point in range(POINTS + 1)}
    return Span(ask.start, end, tuple(sorted(at for at in marks | points if at <= end)))


def _unselected(
    desired: Desired, groups: Sequence[Group], left_out: Sequence[LeftOut]
) -> list[Finding]:
    there = {g.replication.name for g in groups} | {out.replication for out in left_out}
    return [
        Finding("nothing", Severity.WARNING, name, "no filesystem is selected: there is none")
        for name in desired.replications
        if name not in there
    ]


def _ours(disagreements: Sequence[Disagreement]) -> list[Finding]:
    return [
        Finding(
            "disagreement",
            Severity.ERROR,
            "",
            f"the planner decides otherwise than the forecast: {found.what}",
            "do not trust this forecast; please report it",
        )
        for found in disagreements[:1]
    ]


class _Known:
    """What is known of what is written, and what had to be supposed."""

    def __init__(self, ask: Ask, *, is_observed: bool) -> None:
        self._ask = ask
        self._is_observed = is_observed
        self._told = 0
        self._guessed = 0

    def writes(self, host: str, filesystem: Filesystem) -> Writes:
        """Return what is written to a filesystem, and its size."""
        size = filesystem.referenced if self._is_observed else self._ask.size
        rule = next((r for r in reversed(self._ask.rules) if r.fits(host, filesystem.name)), None)
        if rule is not None:
            return Writes(rule.rate, size if rule.size is None else rule.size)
        told = _told_rate(filesystem)
        if told is None:
            self._guessed += 1
            return Writes(self._ask.rate, size)
        self._told += 1
        return Writes(told, size)

    def supposed(self, groups: Sequence[Group]) -> Supposed:
        """Return what was taken for granted."""
        names = {member.filesystem for found in groups for member in found.members}
        return Supposed(
            made_up=() if self._is_observed else tuple(sorted(names)),
            told=self._told,
            guessed=self._guessed,
            rate=self._ask.rate,
            size=self._ask.size,
        )


def _told_rate(filesystem: Filesystem) -> float | None:
    """Return bytes per second as the snapshots say; None when they do not say enough."""
    known = [v for v in filesystem.snapshots if v.written is not None]
    if len(known) < 2 or known[-1].creation - known[0].creation < _ENOUGH:
        return None
    span = known[-1].creation - known[0].creation
    return sum(version.written or 0 for version in known[1:]) / span
