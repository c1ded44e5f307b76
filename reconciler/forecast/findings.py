"""What in the specs is worth a thought, told from what they come to."""

from collections import Counter
from collections.abc import Iterator, Sequence

from reconciler.desired.model import Calendar, Desired, Keep, Period, Replication
from reconciler.forecast.model import (
    DAY,
    HOUR,
    Finding,
    LagForecast,
    ReplicationForecast,
    RuleSpan,
    SideForecast,
)
from reconciler.planner.plan import Severity

_LENGTHS = {
    Period.HOURLY: HOUR,
    Period.DAILY: DAY,
    Period.WEEKLY: 7 * DAY,
    Period.MONTHLY: 31 * DAY,
    Period.YEARLY: 366 * DAY,
}
_UNHURRIED = 0.5
"""The share of the bandwidth that may be in use all the time before it is worth a word."""


def findings(
    replication: Replication, figures: ReplicationForecast, bandwidth: float | None
) -> Iterator[Finding]:
    """Yield the findings about one replication."""
    sender, *copies = figures.sides
    for side, target in zip(copies, replication.targets, strict=True):
        if side.lag is not None:
            yield from _lag(figures, side, side.lag, bandwidth)
        yield from _shorter(figures, sender, side)
        yield from _spans(figures, target.keep, side)
        yield from _growing(figures, target.keep, side)
    yield from _spans(figures, replication.keep, sender)
    yield from _growing(figures, replication.keep, sender)


def span_text(seconds: float) -> str:
    """Return how far something reaches back, in one or two units.

    >>> [span_text(seconds) for seconds in (900, 5400, 172_800, 34_000_000)]
    ['15m', '1h30m', '2d', '393d12h']
    """
    parts, left = [], round(seconds)
    for name, length in (("d", DAY), ("h", HOUR), ("m", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count}{name}")
        elif parts:
            break
    return "".join(parts[:2]) or "0s"


def _lag(
    figures: ReplicationForecast,
    side: SideForecast,
    lag: LagForecast,
    bandwidth: float | None,
) -> Iterator[Finding]:
    gap = figures.gap
    if lag.goal is not None and gap is not None and gap > lag.goal:
        yield Finding(
            "lag-schedule",
            Severity.WARNING,
            figures.name,
            f"{side.name}: maxLag {span_text(lag.goal)} can't be met: snapshots are up to"
            f" {span_text(gap)} apart, so that it is late {lag.late:.0%} of the time",
            f"make snapshots at least every {span_text(lag.goal)}, or allow a maxLag of"
            f" {span_text(gap)} and the time that a stream takes",
        )
    elif lag.goal is not None and lag.late > 0:
        yield Finding(
            "lag-bandwidth",
            Severity.WARNING,
            figures.name,
            f"{side.name}: maxLag {span_text(lag.goal)} is missed {lag.late:.0%} of the time:"
            f" streams take too long, at worst it is {span_text(lag.worst or 0)} behind",
            "give it more bandwidth, send less, or allow a longer maxLag",
        )
    if bandwidth is not None and lag.first is None:
        yield Finding(
            "never-there",
            Severity.WARNING,
            figures.name,
            f"{side.name}: the first copies are not complete at the end of the forecast",
            "give it more bandwidth, or forecast a longer time",
        )


def crowded(
    desired: Desired, figures: Sequence[ReplicationForecast], bandwidth: float | None
) -> Iterator[Finding]:
    """Yield a finding for each receiver host that is to take in most of what it can, or more."""
    rates: Counter[str] = Counter()
    for found in figures:
        for target in desired.replications[found.name].targets:
            rates[target.host] += round(found.rate)
    for host, rate in sorted(rates.items()):
        if bandwidth is not None and rate > bandwidth * _UNHURRIED:
            share = rate / bandwidth
            said = ": it falls behind for ever" if share > 1 else ""
            yield Finding(
                "bandwidth",
                Severity.WARNING,
                "",
                f"{host}: what is written for it takes {share:.0%} of its bandwidth{said}",
                "give it more bandwidth or send less",
            )


def _shorter(
    figures: ReplicationForecast, sender: SideForecast, side: SideForecast
) -> Iterator[Finding]:
    here, there = sender.moments[-1].oldest, side.moments[-1].oldest
    late = side.lag.worst if side.lag is not None else None
    if here is None or there is None or here - there <= max(DAY, late or 0, here // 20):
        return
    yield Finding(
        "keeps-less",
        Severity.NOTICE,
        figures.name,
        f"{side.name} reaches back {span_text(there)}, the sender {span_text(here)}: what is older"
        " is lost with the sender",
        f"keep more on {side.name}, or keep less on the sender",
    )


def _spans(figures: ReplicationForecast, keep: Keep, side: SideForecast) -> Iterator[Finding]:
    """Say of rules by periods shorter than the time between snapshots what they really hold."""
    gap = figures.gap or 0
    for rule, held in zip(keep.rules, side.rules, strict=False):
        if isinstance(rule, Calendar) and gap > _LENGTHS[rule.period]:
            yield Finding(
                "span",
                Severity.NOTICE,
                figures.name,
                f"{side.name}: `{held.rule}` holds {_holds(held)}, since snapshots are"
                f" {span_text(gap)} apart",
            )


def _holds(held: RuleSpan) -> str:
    return f"{held.keeps} versions over {span_text(held.span)}"


def _growing(figures: ReplicationForecast, keep: Keep, side: SideForecast) -> Iterator[Finding]:
    if not keep.rules:
        yield Finding(
            "keeps-all",
            Severity.NOTICE,
            figures.name,
            f"{side.name} has no keep rules and keeps everything:"
            f" {side.moments[-1].versions} versions at the end",
            "say what is to be kept",
        )
