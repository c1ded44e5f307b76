"""The sections of the page, each from what the status says."""

from collections.abc import Sequence

from reconciler.controller.http.markup import Markup, element
from reconciler.controller.http.tables import aside, bar, card, pill, table
from reconciler.report.figures import bytes_text, count_text
from reconciler.report.lines import Style
from reconciler.report.naming import capped
from reconciler.report.run_text import progress_text
from reconciler.report.status import (
    Blockage,
    ControllerStatus,
    HostStatus,
    Lag,
    PoolStatus,
    ReplicationStatus,
    RunningSend,
    Way,
)
from reconciler.report.status_words import (
    HEALTHY,
    ago_text,
    due_text,
    gravity,
    hearing_text,
    lag_text,
    message_of,
    past_text,
    phase_text,
    ready_style,
    ready_text,
    way_text,
    worst_lag,
)

ROWS = 60
"""Of a table; what is worst comes first, the rest is counted. The JSON has all."""

_GOAL = 2 / 3
"""Where on a bar the goal is: there has to be room beyond it."""


def blocked(status: ControllerStatus) -> Markup | None:
    """Return what waits for a person, why, and what that person can do."""
    found = [(r.name, one) for r in status.replications for one in r.blocked]
    if not found:
        return None
    shown, more = capped(found, ROWS)
    cards = [_blockage(name, one) for name, one in shown]
    note = count_text(len(found), "thing")
    return card("Waits for a person", cards, _more(more), id_="blocked", note=note)


def _blockage(replication: str, one: Blockage) -> Markup:
    evidence = [element("li", line) for line in one.evidence]
    return element(
        "article",
        element(
            "h3",
            element("span", one.host, class_="host"),
            " ",
            one.filesystem,
            " ",
            pill(one.code, Style.WARNING),
        ),
        element("p", one.message),
        element("ul", evidence, class_="evidence") if evidence else None,
        element("p", element("strong", "Remedy: "), one.remedy, class_="remedy")
        if one.remedy
        else None,
        element("p", aside(f"replication {replication}")),
        class_="blockage",
    )


def running(status: ControllerStatus, now: int) -> Markup:
    """Return the streams that are under way, with progress."""
    workers = f"{status.working} of {status.workers} workers busy"
    if not status.running:
        return card("Running", _nothing("No stream is under way."), id_="running", note=workers)
    shown, more = capped(status.running, ROWS)
    rows = [_send(send, now) for send in shown]
    head = ("Stream", "Progress", "Replication")
    return card("Running", table("Streams", head, rows), _more(more), id_="running", note=workers)


def _send(send: RunningSend, now: int) -> Sequence[Markup | str]:
    done = progress_text(send.bytes, send.estimated_bytes, now - send.since)
    share = min(99, 100 * send.bytes // send.estimated_bytes) if send.estimated_bytes else None
    meter = element("progress", max=100, value=share, aria_label=f"{send.filesystem} sent")
    to = f"→ {send.receiver_host} {send.receiver}"
    name = [f"{send.host} {send.filesystem} ", aside(to)]
    return element("span", name), element("span", meter, " ", done), send.replication


def replications(status: ControllerStatus, now: int) -> Markup:
    """Return the replications: whether they are ready, how far behind, when they are due."""
    if not status.replications:
        return card("Replications", _nothing("The specs have none."), id_="replications")
    ordered = sorted(status.replications, key=_gravest)
    shown, more = capped(ordered, ROWS)
    rows = [
        (
            found.name,
            pill(ready_text(found), ready_style(found)),
            _lag_bar(worst_lag(found.lags, now), now),
            due_text(found.next_due, now),
            message_of(found),
        )
        for found in shown
    ]
    head = ("Name", "Ready", "Worst lag", "Next due", "Message")
    return card(
        "Replications",
        table("Replications", head, rows),
        _more(more),
        id_="replications",
        note=count_text(len(ordered), "replication"),
    )


_GRAVITY = {Style.ERROR: 0, Style.WARNING: 1, Style.GOOD: 2, Style.QUIET: 3}


def _gravest(of: ReplicationStatus | HostStatus) -> tuple[int, str]:
    return _GRAVITY[ready_style(of)], of.name


def lags(status: ControllerStatus, now: int) -> Markup | None:
    """Return each receiver's lag against its goal, the worst first."""
    every = [lag for found in status.replications for lag in found.lags]
    if not every:
        return None
    every.sort(key=lambda lag: (-gravity(lag, now), lag.host, lag.filesystem, lag.receiver_host))
    shown, more = capped(every, ROWS)
    rows = [
        (
            element("span", f"{lag.host} {lag.filesystem} ", aside(f"→ {lag.receiver_host}")),
            _lag_bar(lag, now),
        )
        for lag in shown
    ]
    late = sum(lag.is_late(now) for lag in every)
    note = f"{late} of {len(every)} over the goal" if late else f"{len(every)}, none over the goal"
    head = ("Filesystem", "Lag")
    return card(
        "Lag against goal",
        table("Lag of each receiver", head, rows),
        _more(more),
        element("p", aside("The mark on a bar is the goal (maxLag).")),
        id_="lag",
        note=note,
    )


def _lag_bar(lag: Lag | None, now: int) -> Markup | str:
    if lag is None:
        return "-"
    text = lag_text(lag, now)
    if lag.max_lag is None:
        return element("span", text, " ", aside("no goal"))
    share = min(gravity(lag, now) * _GOAL, 1.0)
    style = Style.ERROR if lag.is_late(now) else Style.GOOD
    late = [" ", pill("late", Style.ERROR)] if lag.is_late(now) else None
    return element("span", bar(share, style, _GOAL), element("span", text, late), class_="lag")


def queue(status: ControllerStatus, now: int) -> Markup | None:
    """Return for each replication what the work queue does, and how its last runs ended."""
    found = [r for r in sorted(status.replications, key=_gravest) if r.ways or r.history]
    if not found:
        return None
    shown, more = capped(found, ROWS)
    return card("Queue and history", [_details(r, now) for r in shown], _more(more), id_="queue")


def _details(found: ReplicationStatus, now: int) -> Markup:
    failing = [way for way in found.ways if _fails(way)]
    rows = [
        (way_text(way), element("span", phase_text(way, now)), way.message or "-")
        for way in (*failing, *(way for way in found.ways if not _fails(way)))
    ]
    trouble = pill(f"{len(failing)} failing", Style.ERROR) if failing else None
    past = [element("li", past_text(past, now)) for past in found.history]
    return element(
        "details",
        element("summary", found.name, " ", trouble),
        table(f"Ways of {found.name}", ("Way", "State", "Last failure"), rows[:ROWS]),
        _more(max(0, len(rows) - ROWS)),
        element("ol", past, class_="history") if past else None,
        id=f"queue-{found.name}",
        open=bool(failing),
    )


def _fails(way: Way) -> bool:
    return way.failures > 0


def hosts(status: ControllerStatus, now: int) -> Markup:
    """Return the hosts: whether they are seen, how changes become known, how their pools are."""
    if not status.hosts:
        return card("Hosts", _nothing("The specs have none."), id_="hosts")
    shown, more = capped(sorted(status.hosts, key=_gravest), ROWS)
    rows = [_host(host, now) for host in shown]
    head = ("Name", "Ready", "Last seen", "Hearing", "Pools", "Contents", "Message")
    return card(
        "Hosts",
        table("Hosts", head, rows),
        _more(more),
        id_="hosts",
        note=count_text(len(status.hosts), "host"),
    )


def _host(host: HostStatus, now: int) -> Sequence[Markup | str]:
    version = f", OpenZFS {host.zfs_version}" if host.zfs_version else ""
    contents = (
        f"{count_text(host.filesystems, 'filesystem')}, {count_text(host.snapshots, 'snapshot')},"
        f" {count_text(host.bookmarks, 'bookmark')}"
    )
    return (
        element("span", host.name, " ", aside(f"{host.address}{version}")),
        pill(ready_text(host), ready_style(host)),
        ago_text(host.observed_at, now),
        hearing_text(host),
        element("span", [_pool(pool) for pool in host.pools] or "-", class_="pools"),
        contents,
        message_of(host),
    )


def _pool(pool: PoolStatus) -> Markup:
    style = Style.GOOD if pool.health == HEALTHY else Style.ERROR
    free = f"{bytes_text(pool.free)} free"
    return element(
        "span", pool.name, " ", pill(pool.health, style), " ", aside(free), class_="pool"
    )


def specs(status: ControllerStatus, now: int) -> Markup:
    """Return which specs are in force."""
    found = status.specs
    if not found.digest:
        return card("Specs in force", _nothing(f"None of {found.source}."), id_="specs")
    facts = (
        ("Source", found.source),
        ("Revision", found.revision or "-"),
        ("Digest", found.digest),
        ("Objects", str(found.objects)),
        ("Loaded", ago_text(found.loaded_at, now)),
    )
    rows = [(element("dt", name), element("dd", value)) for name, value in facts]
    return card("Specs in force", element("dl", rows), id_="specs")


def _nothing(text: str) -> Markup:
    return element("p", text, class_="nothing")


def _more(count: int) -> Markup | None:
    if not count:
        return None
    return element("p", f"and {count} more: see the JSON", class_="nothing")
