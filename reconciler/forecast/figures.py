"""From what was written down of groups to figures of replications and sides."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median_high

from reconciler.desired.model import (
    Calendar,
    Grid,
    Keep,
    KeepRule,
    Last,
    Matching,
    Replication,
    Snapshots,
    Target,
    Within,
)
from reconciler.forecast.course import Span
from reconciler.forecast.model import (
    AGES,
    MARKS,
    BusyHour,
    LagForecast,
    Moment,
    ReplicationForecast,
    RuleSpan,
    SideForecast,
)
from reconciler.forecast.track import DAY, HOUR, Load, Sample, Track
from reconciler.planner.marks import snapshot_name
from reconciler.planner.retention import evaluate
from reconciler.zfs.types import Version, VersionKind


def replication_figures(
    replication: Replication, tracks: Sequence[Track], span: Span, slots: Sequence[int]
) -> ReplicationForecast:
    """Return the figures of one replication with at least one group."""
    members = [member for track in tracks for member in track.group.members]
    marks = frozenset(_marks(span))
    sides = [_side(replication, None, 0, tracks, span, marks)]
    sides += [
        _side(replication, target, number, tracks, span, marks)
        for number, target in enumerate(replication.targets, start=1)
    ]
    return ReplicationForecast(
        name=replication.name,
        hosts=tuple(sorted({member.host for member in members})),
        filesystems=len(members),
        rate=sum(member.writes.rate for member in members),
        gap=max((later - earlier for earlier, later in pairwise(slots)), default=None),
        sides=tuple(sides),
    )


def busy_hours(
    tracks: Iterable[Track], start: int
) -> tuple[BusyHour | None, BusyHour | None, BusyHour | None]:
    """Return busiest and heaviest hour after the first day, and the first day's heaviest."""
    hours: dict[int, Load] = {}
    for track in tracks:
        for hour, load in track.hours.items():
            hours.setdefault(hour, Load()).add(load)
    found = [
        BusyHour(hour * HOUR, load.actions, load.streams, load.bytes, load.destroys)
        for hour, load in sorted(hours.items())
    ]
    later = [hour for hour in found if hour.at >= start + DAY]
    first = [hour for hour in found if hour.at < start + DAY]
    return (
        max(later, key=lambda hour: hour.actions, default=None),
        max(later, key=lambda hour: hour.bytes, default=None),
        max(first, key=lambda hour: hour.bytes, default=None),
    )


def rule_text(rule: KeepRule) -> str:
    """Return a rule as specs write it.

    >>> rule_text(Last(3))
    'last 3'
    """
    match rule:
        case Last(count):
            return f"last {count}"
        case Calendar(period, count):
            return f"{period} {count}"
        case Within(_, text):
            return f"within {text}"
        case Matching(pattern):
            return f"matching {pattern}"
        case Grid():
            return "grid"


def _marks(span: Span) -> Iterable[int]:
    yield span.start
    yield from (span.start + mark for mark in MARKS if span.start + mark < span.end)
    yield span.end


def _side(  # noqa: PLR0913, PLR0917 - what one side is made of
    replication: Replication,
    target: Target | None,
    number: int,
    tracks: Sequence[Track],
    span: Span,
    marks: frozenset[int],
) -> SideForecast:
    curve = tuple(
        _moment([(len(track.group.members), track.samples[number][place]) for track in tracks])
        for place in range(len(span.samples))
    )
    largest = max((track.samples[number][-1].versions for track in tracks), key=len)
    keep = replication.keep if target is None else target.keep
    snapshots = replication.snapshots
    usual, most = _destroys(tracks, number, span)
    return SideForecast(
        name="sender" if target is None else target.host,
        under="" if target is None else _under(target),
        filesystems=sum(len(track.group.members) for track in tracks),
        moments=tuple(moment for moment in curve if moment.at in marks),
        curve=curve,
        rules=tuple(
            _rules(keep, largest, snapshots.prefix if isinstance(snapshots, Snapshots) else "")
        ),
        destroys_usual=usual,
        destroys_most=most,
        lag=None if target is None else _lag(target, number - 1, tracks, span),
    )


def _under(target: Target) -> str:
    """Return the common way to say where all senders are received."""
    roots = sorted(set(target.roots.values()))
    return roots[0] if len(roots) == 1 else f"{roots[0]} ... {roots[-1]}"


def _moment(samples: Sequence[tuple[int, Sample]]) -> Moment:
    at = samples[0][1].at
    counts = [len(sample.versions) for _, sample in samples]
    ages: Counter[int] = Counter()
    for members, sample in samples:
        for version in sample.versions:
            ages[bisect_right(AGES, at - version)] += members
    newest = [sample.versions[-1] for _, sample in samples if sample.versions]
    oldest = [sample.versions[0] for _, sample in samples if sample.versions]
    return Moment(
        at=at,
        versions=sum(ages.values()),
        fewest=min(counts),
        most=max(counts),
        newest=at - max(newest) if newest else None,
        oldest=at - min(oldest) if oldest else None,
        ages=tuple(ages[step] for step in range(len(AGES) + 1)),
        bytes=sum(sample.bytes for _, sample in samples),
    )


def _rules(keep: Keep, versions: Sequence[int], prefix: str) -> Iterable[RuleSpan]:
    """Say what each rule by itself holds of what is there."""
    if not versions:
        return
    listed = [
        Version(VersionKind.SNAPSHOT, snapshot_name(prefix, at), at, at, at) for at in versions
    ]
    for rule in keep.rules:
        decisions = evaluate(Keep((rule,), keep.timezone), listed)
        kept = [decision.version.creation for decision in decisions if decision.kept]
        yield RuleSpan(rule_text(rule), len(kept), versions[-1] - kept[0] if kept else 0)


def _destroys(tracks: Sequence[Track], side: int, span: Span) -> tuple[int, int]:
    days = max(1, (span.end - span.start) // DAY)
    total: Counter[int] = Counter()
    for track in tracks:
        found = track.destroyed_there[side - 1] if side else track.destroyed_here
        for day, count in found.items():
            total[day] += count * len(track.group.members)
    each = [total[day] for day in range(days)]
    return median_high(each), max(each)


def _lag(target: Target, copy: int, tracks: Sequence[Track], span: Span) -> LagForecast:
    peaks: Counter[int] = Counter()
    worst: list[int] = []
    for track in tracks:
        lag, base = track.lags[copy], track.group.ledger.copies[copy].base
        for peak, count in lag.peaks.items():
            peaks[peak] += count * len(track.group.members)
        worst += [max(lag.peaks)] if lag.peaks else []
        worst += [span.end - base] if base is not None else []
    return LagForecast(
        goal=target.max_lag,
        usual=_median(peaks),
        worst=max(worst, default=None),
        late=max(track.lags[copy].late for track in tracks) / max(1, span.end - span.start),
        first=_first(copy, tracks, span),
    )


def _first(copy: int, tracks: Sequence[Track], span: Span) -> int | None:
    if any(track.group.ledger.copies[copy].base is None for track in tracks):
        return None
    first = [track.lags[copy].first for track in tracks]
    return max((at - span.start for at in first if at is not None), default=0)


def _median(counts: Mapping[int, int]) -> int | None:
    half, passed = sum(counts.values()) / 2, 0
    for value in sorted(counts):
        passed += counts[value]
        if passed >= half:
            return value
    return None
