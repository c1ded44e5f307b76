"""A forecast as text for people."""

from collections.abc import Iterator, Sequence

from reconciler.forecast.findings import span_text
from reconciler.forecast.model import (
    Basis,
    BusyHour,
    Finding,
    Forecast,
    LagForecast,
    Moment,
    ReplicationForecast,
    SideForecast,
)
from reconciler.planner.plan import Severity
from reconciler.report.figures import bytes_text, count_text, moment_text, rate_text
from reconciler.report.lines import Line, Style, section

DAY = 86_400
BARS = "▁▂▃▄▅▆▇█"
WIDTH = 60
"""Bars of a drawing."""

_AGES = ("<1h", "<1d", "<7d", "<30d", "<1y", "older")
_HEAD = ("after", "versions", "each", "newest", "oldest", *_AGES, "bytes")
_SHOWN = 6
_LEFT_OUT = 20


def forecast_lines(forecast: Forecast) -> Iterator[Line]:
    """Yield all that is to be said of a forecast."""
    yield from _opening(forecast)
    for replication in forecast.replications:
        yield from _replication(replication, forecast.start)
    yield from section(Line("Work", Style.TITLE), _work(forecast))
    yield from section(Line("Left out", Style.TITLE), _left_out(forecast))
    yield from section(Line("Worth a thought", Style.TITLE), _findings(forecast.findings))
    yield Line()
    yield _closing(forecast)


# -- what it rests on ------------------------------------------------------------------------------


def _opening(forecast: Forecast) -> Iterator[Line]:
    length, specs = span_text(forecast.end - forecast.start), forecast.revision
    at = f"Specs at {specs}." if specs else ""
    yield Line(f"Forecast of {length} from {moment_text(forecast.start)}. {at}".rstrip())
    supposed = forecast.supposed
    if forecast.basis is Basis.INVENTED:
        names = ", ".join(supposed.made_up[:_SHOWN])
        more = len(supposed.made_up) - _SHOWN
        rest = f" and {more} more" if more > 0 else ""
        yield Line("No host was asked. Nothing is replicated yet at the beginning.")
        yield Line(f"Filesystems are made up from the patterns: {names or 'none'}{rest}.")
    else:
        yield Line("It begins with what the hosts have now; nothing was changed there.")
    yield from _supposed(forecast)


def _supposed(forecast: Forecast) -> Iterator[Line]:
    supposed = forecast.supposed
    if supposed.told:
        said = count_text(supposed.told, "filesystem")
        yield Line(f"What is written to {said} is told from the snapshots there (at least that).")
    if supposed.guessed:
        said = count_text(supposed.guessed, "filesystem")
        size = f" and {bytes_text(supposed.size)} in it" if supposed.made_up else ""
        yield Line(f"Taken for {said}: {_daily(supposed.rate)} written{size}.", aside=_OPTIONS)
    if forecast.bandwidth is None:
        yield Line("Streams are taken to need no time.", aside="--bandwidth says otherwise")
    else:
        yield Line(f"Each receiver takes in {rate_text(forecast.bandwidth)}.")


_OPTIONS = "--rate, --size, --rates FILE or --observe say otherwise"


def _daily(rate: float) -> str:
    return f"{bytes_text(rate * DAY)} a day"


# -- replications ----------------------------------------------------------------------------------


def _replication(found: ReplicationForecast, start: int) -> Iterator[Line]:
    hosts = ", ".join(found.hosts[:_SHOWN]) + (" ..." if len(found.hosts) > _SHOWN else "")
    targets = ", ".join(side.name for side in found.sides[1:])
    arrow = f" → {targets}" if targets else ""
    yield Line()
    yield Line(f"{found.name}  {hosts}{arrow}", Style.TITLE)
    apart = "" if found.gap is None else f", slots up to {span_text(found.gap)} apart"
    filesystems = count_text(found.filesystems, "filesystem")
    yield Line(f"  {filesystems}, {_daily(found.rate)} written{apart}")
    for side in found.sides:
        yield from _side(side, start)


def _side(side: SideForecast, start: int) -> Iterator[Line]:
    place = f"→ {side.name} {side.under}" if side.under else side.name
    yield Line()
    yield Line(f"  {place}")
    rows = [_HEAD, *(_row(moment, start) for moment in side.moments)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        cells = (text.rjust(width) for text, width in zip(row, widths, strict=True))
        yield Line(f"    {'  '.join(cells)}", Style.QUIET if row is _HEAD else Style.PLAIN)
    yield from _drawing(side)
    for rule in side.rules:
        versions = count_text(rule.keeps, "version")
        yield Line(f"    {rule.rule} holds {versions} over {span_text(rule.span)}")
    usual, most = side.destroys_usual, side.destroys_most
    yield Line(f"    destroys a day: usually {usual}, at most {most}")
    if side.lag is not None:
        yield _lag(side.lag)


def _row(moment: Moment, start: int) -> Sequence[str]:
    each = str(moment.most)
    if moment.fewest != moment.most:
        each = f"{moment.fewest}-{moment.most}"
    after = span_text(moment.at - start) if moment.at > start else "now"
    return (
        after,
        str(moment.versions),
        each,
        _age(moment.newest),
        _age(moment.oldest),
        *map(str, moment.ages),
        bytes_text(moment.bytes),
    )


def _age(seconds: int | None) -> str:
    return "-" if seconds is None else span_text(seconds)


def _drawing(side: SideForecast) -> Iterator[Line]:
    counts = [float(moment.versions) for moment in side.curve]
    sizes = [moment.bytes for moment in side.curve]
    yield Line(f"    versions {bars(counts)} up to {max(counts):.0f}")
    yield Line(f"    bytes    {bars(sizes)} up to {bytes_text(max(sizes))}")


def bars(values: Sequence[float], width: int = WIDTH) -> str:
    """Return values as bars of text, from nothing to the largest of them.

    >>> bars([0, 1, 2, 3, 4, 5, 6, 7])
    '▁▂▃▄▅▆▇█'
    """
    width = min(width, len(values))
    picked = [values[place * (len(values) - 1) // max(1, width - 1)] for place in range(width)]
    top = max(picked, default=0.0) or 1.0
    return "".join(BARS[round(value / top * (len(BARS) - 1))] for value in picked)


def _lag(lag: LagForecast) -> Line:
    if lag.usual is None and lag.worst is None:
        return Line("    lag: nothing has arrived", Style.WARNING)
    usual = "-" if lag.usual is None else span_text(lag.usual)
    said = f"    lag: usually up to {usual}, at worst {span_text(lag.worst or 0)}"
    if lag.first:
        said += f", first copies after {span_text(lag.first)}"
    if lag.goal is None:
        return Line(f"{said}; no maxLag")
    if lag.late > 0:
        return Line(f"{said}; maxLag {span_text(lag.goal)} missed {lag.late:.0%}", Style.WARNING)
    return Line(f"{said}; maxLag {span_text(lag.goal)} met", Style.GOOD)


# -- work, what is left out, findings --------------------------------------------------------------


def _work(forecast: Forecast) -> Iterator[Line]:
    if forecast.first_day is not None:
        yield _hour("heaviest of the first day", forecast.first_day)
    if forecast.busiest is not None:
        yield _hour("busiest after it", forecast.busiest)
    if forecast.heaviest is not None and forecast.heaviest != forecast.busiest:
        yield _hour("heaviest after it", forecast.heaviest)


def _hour(which: str, hour: BusyHour) -> Line:
    return Line(
        f"  {which}: hour from {moment_text(hour.at)}: {count_text(hour.actions, 'action')},"
        f" {count_text(hour.streams, 'stream')}, {bytes_text(hour.bytes)},"
        f" {count_text(hour.destroys, 'destroy')}"
    )


def _left_out(forecast: Forecast) -> Iterator[Line]:
    for left in forecast.left_out[:_LEFT_OUT]:
        place = " ".join(part for part in (left.host, left.filesystem) if part)
        yield Line(f"  ! {left.replication} {place}: {left.why}", Style.WARNING)
    more = len(forecast.left_out) - _LEFT_OUT
    if more > 0:
        yield Line(f"  ! and {more} more", Style.WARNING, aside="--json has all of them")


def _findings(findings: Sequence[Finding]) -> Iterator[Line]:
    for finding in sorted(findings, key=lambda found: _ORDER[found.severity]):
        style = Style.PLAIN if finding.severity is Severity.NOTICE else Style.WARNING
        name = f"{finding.replication}  " if finding.replication else ""
        mark = "·" if finding.severity is Severity.NOTICE else "!"
        yield Line(f"  {mark} {name}{finding.message}", style)
        if finding.remedy:
            yield Line(f"      {finding.remedy}", Style.QUIET)


_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTICE: 2}


def _closing(forecast: Forecast) -> Line:
    filesystems = sum(found.filesystems for found in forecast.replications)
    said = f"{count_text(filesystems, 'filesystem')} forecast"
    left = len(forecast.left_out)
    more = f", {left} left out" if left else ""
    warnings = sum(found.severity is not Severity.NOTICE for found in forecast.findings)
    what = f", {count_text(warnings, 'warning')}" if warnings else ""
    return Line(f"{said}{more}{what}.{_asked(forecast)}")


def _asked(forecast: Forecast) -> str:
    if any(found.severity is Severity.ERROR for found in forecast.findings):
        return " The planner does not agree."
    if not forecast.checked:
        return ""
    return f" The planner was asked about {count_text(forecast.checked, 'slot')} and agreed."
