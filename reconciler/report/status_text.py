"""A controller's status for people: lines that do not depend on a terminal's width."""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.report.figures import duration_text
from reconciler.report.lines import Line, Style, clean, section
from reconciler.report.naming import capped
from reconciler.report.run_text import progress_text
from reconciler.report.status import (
    Blockage,
    ControllerStatus,
    HostStatus,
    Phase,
    ReplicationStatus,
    RunningSend,
)
from reconciler.report.status_summary import of_status
from reconciler.report.status_words import (
    HEALTHY,
    ago_text,
    due_text,
    hearing_text,
    is_stale,
    lag_text,
    message_of,
    phase_text,
    pool_text,
    problem_text,
    ready_style,
    ready_text,
    specs_text,
    stale_text,
    way_text,
    worst_lag,
)
from reconciler.report.summary import ExitCode

BLOCKED_SHOWN = 20
"""So many of the things that wait for a person are shown in full."""

_Row = tuple[Style, Sequence[str]]


def status_lines(status: ControllerStatus, now: int) -> Iterator[Line]:
    """Yield all that is to be said, what needs a person first among what is not well."""
    yield from _header(status, now)
    yield from section(Line("Replications", Style.TITLE), _replications(status.replications, now))
    yield from section(Line("Hosts", Style.TITLE), _hosts(status.hosts, now))
    yield from section(Line("Running", Style.TITLE), (_send(s, now) for s in status.running))
    yield from section(Line("Waits for a person", Style.TITLE), _blocked(status.replications))
    yield from section(Line("Failing", Style.TITLE), _failing(status.replications, now))
    yield Line()
    yield of_status(status).line


def status_exit(status: ControllerStatus) -> ExitCode:
    """Return what `status` ends with: 0 all is ready, 3 something is not, 4 a person is needed."""
    return of_status(status).code


def _header(status: ControllerStatus, now: int) -> Iterator[Line]:
    dry = ", dry run" if status.dry_run else ""
    up = duration_text(max(0, now - status.started))
    yield Line(f"Controller {status.identity}, version {status.version}, up {up}{dry}.")
    specs = status.specs
    yield Line(specs_text(specs, now))
    if is_stale(status, now):
        yield Line(f"! {stale_text(status, now)}", Style.ERROR)
    if specs.problem is not None:
        yield Line(f"! {problem_text(specs, now)}:", Style.ERROR)
        yield from (Line(f"  {line}", Style.ERROR) for line in specs.problem.splitlines())


def _replications(replications: Iterable[ReplicationStatus], now: int) -> Iterator[Line]:
    head = ("NAME", "READY", "WORST LAG", "NEXT DUE", "MESSAGE")
    rows = [
        (
            ready_style(found),
            (
                found.name,
                ready_text(found),
                lag_text(worst_lag(found.lags, now), now),
                due_text(found.next_due, now),
                message_of(found),
            ),
        )
        for found in replications
    ]
    yield from _table(head, rows)


def _hosts(hosts: Iterable[HostStatus], now: int) -> Iterator[Line]:
    head = ("NAME", "READY", "HEARING", "LAST SEEN", "POOLS", "MESSAGE")
    rows = [
        (
            _host_style(host),
            (
                host.name,
                ready_text(host),
                hearing_text(host),
                ago_text(host.observed_at, now),
                "; ".join(pool_text(pool) for pool in host.pools) or "-",
                message_of(host),
            ),
        )
        for host in hosts
    ]
    yield from _table(head, rows)


def _host_style(host: HostStatus) -> Style:
    style = ready_style(host)
    sick = any(pool.health != HEALTHY for pool in host.pools)
    return Style.WARNING if sick and style is Style.GOOD else style


def _table(head: Sequence[str], rows: Sequence[_Row]) -> Iterator[Line]:
    """Yield the rows below a head, in columns as wide as their widest cell."""
    if not rows:
        return
    cells = [[clean(cell) for cell in row] for _, row in rows]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    yield Line(_row(head, widths), Style.QUIET)
    for (style, _), row in zip(rows, cells, strict=True):
        yield Line(_row(row, widths), Style.PLAIN if style is Style.GOOD else style)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"  {'  '.join(padded)}".rstrip()


def _send(send: RunningSend, now: int) -> Line:
    ends = f"{send.host} {send.filesystem} → {send.receiver_host} {send.receiver}"
    progress = progress_text(send.bytes, send.estimated_bytes, now - send.since)
    return Line(f"  → {ends}  {progress}", Style.SEND, send.replication)


def _blocked(replications: Iterable[ReplicationStatus]) -> Iterator[Line]:
    blocked = [(found.name, blockage) for found in replications for blockage in found.blocked]
    shown, more = capped(blocked, BLOCKED_SHOWN)
    for name, blockage in shown:
        yield from _blockage(blockage, name)
    if more:
        yield Line(f"    and {more} more; --json shows all", Style.QUIET)


def _blockage(blocked: Blockage, replication: str) -> Iterator[Line]:
    said = f"  ! {blocked.host} {blocked.filesystem}  {blocked.message}"
    yield Line(said, Style.WARNING, f"{replication}, {blocked.code}")
    yield from (Line(f"      {evidence}") for evidence in blocked.evidence)
    if blocked.remedy:
        yield Line(f"      remedy: {blocked.remedy}")


def _failing(replications: Iterable[ReplicationStatus], now: int) -> Iterator[Line]:
    for found in replications:
        for way in found.ways:
            if way.phase in {Phase.RETRYING, Phase.WAITING} and way.message:
                yield Line(f"  ! {way_text(way)}  {way.message}", Style.ERROR, found.name)
                yield Line(f"      {phase_text(way, now)}", Style.QUIET)
