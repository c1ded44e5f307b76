"""docs/benchmarks.md, made of the results: no figure in it is written by hand."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from tests.bench.document import Document, Run

Row = Sequence[str]
Figures = Mapping[tuple[Any, ...], Mapping[str, Any]]

_HEAD = """\
# Benchmarks

Made by `python -m tests.bench page` from [benchmarks.json](benchmarks.json), which has more: each
command line and each verb. `make bench` measures all of it anew, and writes both. Which commands
made what is below is said there.
"""

_PEERS = """\
## What a cycle costs, beside peers

A sender and a receiver behind a real sshd, the tool on a third machine, N filesystems with three
daily snapshots on both sides. K of them are late: the cycle takes a snapshot of each of these,
sends it (one stream, by way of the tool's machine) and destroys the oldest one on both sides. Then
comes a cycle with nothing to do. Afterwards both hosts are compared to what was to be done; where
they differ, the remark says so.

Counted are processes of `zfs` and `zpool`, and remote executions: commands that came through sshd,
over whichever connection. The hosts are [simulated](simulator.md), and their `zfs` and `zpool`
answer from memory. So the counts are exact, and the seconds, on one busy machine for all three,
say nothing about real pools.
"""

_ADDED = """\
### What each changed filesystem adds

The cycle above less the one with nothing to do, divided by K; the stream itself is 1 execution on
each side. In processes peers are ahead on the receiver, and on the sender where very few
filesystems change: before reconciler changes something it asks for the guid, and looks afterwards.
That is little beside what peers ask of all filesystems, changed or not.
"""

_PEERS_READING = """\
What to know when reading it:

* Streams are counted at both ends: 2 K of the executions, the same for all.
* The cycle of sanoid and syncoid is four commands. sanoid runs on the hosts themselves, by cron:
  its processes are counted, and are no remote executions.
* bzfs and reconciler could both run on the receiver and save the executions there.
* bzfs shares connections by itself; zfs-autobackup was given an ssh_config that does. reconciler
  keeps one connection to each host for scripts, and by now one that small streams share; when these
  figures were made each stream opened two.
* zfs-autobackup knows no periods: what has not changed gets no snapshot.
* The cache of bzfs needs OpenZFS 2.2, which tells when snapshots last changed. reconciler asks
  both releases the same.
* reconciler's executions are long: the probe and most actions are scripts of several commands.
  Before each destroy, hold or bookmark it asks for the guid, after it whether it is done: most of
  its `zfs list`. There are two of them on each side beside the look and the streams, for up to 100
  filesystems ([design/004](design/004-executions.md)).
"""

_WALL = """\
## How long a cycle takes on real ZFS, beside peers

Two of the lab's emulated hosts with real ZFS, the tool on this machine, N filesystems with three
daily snapshots on both sides. First K of them are late, as above; then some cycles with nothing to
do, of which the median counts. "prune" is a sender alone, with 17 snapshots of each filesystem too
many. Each tool begins with new pools and with what it left there itself. Afterwards both hosts are
looked at; where something is not as it was to be, the remark says so.

The hosts are emulated: what they do takes fifty times as long as on real ones, and what the tool
itself does on this machine takes as long as ever. So mind the ratios, less than the seconds.
Tools are measured one after the other.

The machine had nothing else to do. With N = 6 all were measured within ten minutes; zfs-autobackup
had to be measured again, in a run of its own. On an emulated processor a login takes as long as
several commands: sharing connections (design/004) is worth more there than on real ones.
"""

_SCALE = """\
## What many versions cost the controller

"read the probe" is one host that has all of them. In the others half of them are on senders with
100 filesystems each, half on one vault. Ten versions a filesystem. Seconds are those of one
processor, the least of some runs, without waiting for hosts. Memory is the peak of the whole
process, what it works on included. In the fleet the hosts share the names of versions, which makes
it smaller than a real one.

"count to ten million" is to compare with other machines; another one of this kind takes twice as
long for it, and for all of this. When hosts were observed over ssh and plans shown as text and
JSON, which is from an earlier run on that one, others kept it busy. Where a sender's filesystems
are alike (their versions have the same names and times, as when one command takes the snapshots of
a pool) one of them is planned; "none alike" is the same fleet with other times for each. With ten
million versions nothing else is measured: that plan as JSON would be 5 GB.

"observe hosts over ssh" is many hosts behind one real sshd on the same machine, ten filesystems of
ten versions on each, over connections that are opened for it. At most 32 are asked at a time (each
takes a connection and up to six threads), and 64 connections stay open idle (each takes a thread):
so there are never more than 96 connections and 256 threads, however many hosts there are. "plan,
one sender in watch" is what `reconciler watch` plans at a time: one sender's part, from what its
own hosts say. It is the first plan after the vault was looked at; what is put together of all of
the vault serves those that follow.

"watch: ..." is one sender and one vault, each with half of the filesystems. Both are read again
and planned for, with what is remembered of the last time
([design/007](design/007-many-versions.md)), after somebody has taken a snapshot of so many of the
sender's filesystems. What is left when nothing has changed: to see that what `zfs` prints is the
same, and that each filesystem is. What both looks printed, some 300 MB, is in the memory, too.
"""

_TIMES = """\
## How long things take

Medians of five runs.
"""


_STREAMS = """\
## How fast streams go

A full stream of noise, on the lab's emulated hosts with real ZFS, beside the same flags in a
`zfs send | ssh | zfs receive` typed by hand. Both in turns, the median of some; what ours takes
includes the login, its lock on the receiver, its progress and the look at what has arrived. The
share is to be 0.95 at least. The hosts are emulated and their processors are what limits: on real
ones the share is rather higher, because what is constant in it is less of the whole.
"""


def page(document: Document) -> str:
    """Return the page."""
    parts = {
        "peers": _peers,
        "wall": _wall,
        "scale": _scale,
        "streams": _streams,
        "times": _times,
    }
    sections = [_HEAD]
    for name, section in parts.items():
        runs = [run for run in document["runs"] if run["part"] == name]
        if runs:
            sections += [*section(runs), _made_by(runs)]
    return "\n".join(sections)


def _peers(runs: Sequence[Run]) -> Iterator[str]:
    found = _latest(runs, "tool", "openzfs", "filesystems", "changed")
    yield _PEERS
    for title, wanted in (("Nothing to do", False), ("K of N changed", True)):
        figures = [figure for figure in found.values() if bool(figure["changed"]) is wanted]
        rows = [_peer(figure) for figure in sorted(figures, key=itemgetter("filesystems"))]
        yield f"### {title}\n"
        yield _table(_PEER_COLUMNS, rows)
    yield _ADDED
    yield _table(_ADDED_COLUMNS, _added(found))
    yield _PEERS_READING
    yield _versions(found.values())


_PEER_COLUMNS = (
    *("N", "K", "tool", "OpenZFS"),
    *("sender: processes", "executions", "receiver: processes", "executions", "of these streams"),
    *("seconds", "remark"),
)


def _peer(figure: Mapping[str, Any]) -> Row:
    size = (f"{figure['filesystems']:,}", f"{figure['changed']:,}")
    name = (figure["tool"], figure["openzfs"])
    remark = figure["remark"].splitlines()[0][:200] if figure["remark"] else ""
    if not figure["hosts"]:
        return (*size, *name, "", "", "", "", "", "", remark)
    sender, receiver = figure["hosts"]["sender"], figure["hosts"]["receiver"]
    counts = [f"{host[what]:,}" for host in (sender, receiver) for what in _COUNTED]
    streams = f"{sender['streams'] + receiver['streams']:,}"
    return (*size, *name, *counts, streams, f"{figure['seconds']:.0f}", remark)


_COUNTED = ("processes", "executions")

_ADDED_COLUMNS = (
    *("N", "K", "tool", "OpenZFS"),
    *("sender: processes", "executions", "receiver: processes", "executions"),
)


def _added(found: Figures) -> Iterator[Row]:
    """Yield what a changed filesystem adds to the cycle in which nothing is to be done."""
    for (tool, openzfs, filesystems, changed), figure in sorted(found.items(), key=_size):
        idle = found.get((tool, openzfs, filesystems, 0))
        if changed and idle and idle["hosts"] and figure["hosts"]:
            counts = [
                f"{(figure['hosts'][host][what] - idle['hosts'][host][what]) / changed:.1f}"
                for host in ("sender", "receiver")
                for what in _COUNTED
            ]
            yield (f"{filesystems:,}", f"{changed:,}", tool, openzfs, *counts)


def _size(item: tuple[tuple[Any, ...], object]) -> tuple[Any, ...]:
    return item[0][2:]


def _versions(figures: Iterable[Mapping[str, Any]]) -> str:
    versions = {f["tool"].split(" --")[0]: f["version"] for f in figures if f["version"]}
    return (
        "Versions: " + ", ".join(f"{tool} {version}" for tool, version in versions.items()) + ".\n"
    )


def _wall(runs: Sequence[Run]) -> Iterator[str]:
    yield _WALL
    found = _latest(runs, "tool", "what", "filesystems")
    ours = {
        (f["what"], f["filesystems"]): f["seconds"]
        for f in found.values()
        if f["tool"] == "reconciler"
    }
    columns = ("what", "N", "K or snapshots", "tool", "seconds", "to reconciler's", "remark")
    order = sorted(found.values(), key=lambda f: (f["filesystems"], f["what"]))
    yield _table(columns, [_wall_row(f, ours.get((f["what"], f["filesystems"]), 0)) for f in order])


def _wall_row(found: Mapping[str, Any], ours: float) -> Row:
    size = (found["what"], f"{found['filesystems']:,}", f"{found['many']:,}", found["tool"])
    share = f"{found['seconds'] / ours:.1f}" if ours and found["seconds"] else ""
    return (*size, f"{found['seconds']:.1f}" if found["seconds"] else "", share, found["remark"])


def _scale(runs: Sequence[Run]) -> Iterator[str]:
    yield _SCALE
    found = _latest(runs, "what", "versions").values()
    columns = ("versions", "what", "seconds", "peak MiB", "before MiB", "how much it was")
    yield _table(columns, [_cost(cost) for cost in sorted(found, key=itemgetter("versions"))])


def _cost(cost: Mapping[str, Any]) -> Row:
    digits = 1 if cost["seconds"] >= 0.1 or not cost["seconds"] else 3
    seconds = f"{cost['seconds']:.{digits}f}"
    numbers = (seconds, f"{cost['peak_mib']:,.0f}", f"{cost['before_mib']:,.0f}")
    return (f"{cost['versions']:,}", cost["what"], *numbers, cost["remark"])


def _streams(runs: Sequence[Run]) -> Iterator[str]:
    yield _STREAMS
    columns = ("way", "MiB", "reconciler, MiB/s", "by hand, MiB/s", "share", "runs", "remark")
    yield _table(columns, [_way(found) for found in _latest(runs, "way").values()])


def _way(found: Mapping[str, Any]) -> Row:
    speeds = (f"{found['ours']:.1f}", f"{found['by_hand']:.1f}")
    share = f"{found['ours'] / found['by_hand']:.2f}" if found["by_hand"] else ""
    size = (found["way"], f"{found['mebibytes']:,}")
    return (*size, *speeds, share, str(found["runs"]), found["remark"])


def _times(runs: Sequence[Run]) -> Iterator[str]:
    yield _TIMES
    rows = [(t["what"], t["figure"], t["remark"]) for t in _latest(runs, "what").values()]
    yield _table(("what", "median", "compare"), rows)


def _latest(runs: Sequence[Run], *keys: str) -> Figures:
    """Return the latest figure of each kind, in the order in which they first came."""
    return {
        tuple(figure[key] for key in keys): figure
        for run in sorted(runs, key=lambda run: str(run["made"]))
        for figure in run["figures"]
    }


def _table(columns: Row, rows: Iterable[Row]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _made_by(runs: Sequence[Run]) -> str:
    """Tell the commands and the conditions of a part."""
    lines = []
    for run in runs:
        machine = run["machine"]
        where = f"{machine['cores']} cores of {machine['processor']}, {machine['memory_gib']} GiB"
        what = f"Linux {machine['kernel']}, Python {machine['python']}"
        lines.append(f"* `{run['command']}`: {run['made']}, {run['revision']}, {where}, {what}")
    return "\n".join(["Made by:", "", *lines, ""])
