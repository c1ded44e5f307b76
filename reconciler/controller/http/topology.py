"""Who sends to whom, laid out in columns: senders on the left, receivers on the right. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from reconciler.report.status import ControllerStatus, ReplicationStatus
from reconciler.report.status_summary import is_ready

MOST = 12
"""Hosts of a column that are drawn one by one; the rest is one box with their number."""

COLUMNS = 4
"""A chain of more hosts goes on in the last column."""


Pair = tuple[str, str]
"""Sender and receiver."""


class Mood(IntEnum):
    """How something is, from good to bad."""

    IDLE = 0
    """Suspended, or nothing is known."""
    GOOD = 1
    BUSY = 2
    LATE = 3
    BAD = 4


@dataclass(frozen=True, slots=True)
class Node:
    """A host, or several of a column that are not drawn one by one."""

    name: str
    column: int
    row: int
    mood: Mood


@dataclass(frozen=True, slots=True)
class Edge:
    """What goes from one box to another."""

    sender: Node
    receiver: Node
    mood: Mood
    replications: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topology:
    """The drawing, in columns and rows."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return 1 + max((node.column for node in self.nodes), default=-1)

    @property
    def rows(self) -> int:
        """How many rows the longest column has."""
        return 1 + max((node.row for node in self.nodes), default=-1)


Links = Mapping[Pair, tuple[Mood, tuple[str, ...]]]
"""How it is between two hosts, and which replications go there."""


def topology(status: ControllerStatus, now: int) -> Topology:
    """Return the drawing of what the specs say, with how it is."""
    links = _links(status, now)
    moods = {host.name: Mood.GOOD if is_ready(host) else Mood.BAD for host in status.hosts}
    ends = dict.fromkeys([end for pair in links for end in pair])
    names = [*sorted(moods.keys() & ends.keys()), *sorted(ends.keys() - moods.keys())]
    columns = _columns(names, links)
    placed = _placed(names, columns, moods, links)
    edges: dict[tuple[Node, Node], tuple[Mood, tuple[str, ...]]] = {}
    for (sender, receiver), (mood, replications) in links.items():
        pair = placed[sender], placed[receiver]
        before, named = edges.get(pair, (Mood.IDLE, ()))
        edges[pair] = max(mood, before), tuple(dict.fromkeys(named + replications))
    return Topology(
        tuple(dict.fromkeys(placed.values())),
        tuple(Edge(*pair, *what) for pair, what in edges.items()),
    )


def _links(status: ControllerStatus, now: int) -> Links:
    """Return for each sender and receiver how it is and which replications go there."""
    running = {(s.replication, s.host, s.receiver_host) for s in status.running}
    links: dict[Pair, tuple[Mood, tuple[str, ...]]] = {}
    for found in status.replications:
        troubled = _troubled(found, now)
        for way in found.ways:
            if way.receiver is None or way.receiver == way.sender:
                continue
            pair = way.sender, way.receiver
            sends = Mood.BUSY if (found.name, *pair) in running else Mood.GOOD
            failing = Mood.BAD if way.failures else Mood.GOOD
            mood = max(sends, failing, troubled.get(pair, Mood.GOOD))
            before, names = links.get(pair, (Mood.IDLE, ()))
            shown = mood if found.suspended is None else Mood.IDLE
            links[pair] = max(shown, before), (*names, found.name)
    return dict(sorted(links.items()))


def _troubled(found: ReplicationStatus, now: int) -> Mapping[Pair, Mood]:
    """Return the senders and receivers between which something is late or blocked."""
    blocked = {(one.host, one.filesystem) for one in found.blocked}
    moods: dict[Pair, Mood] = {}
    for lag in found.lags:
        pair = lag.host, lag.receiver_host
        late = Mood.LATE if lag.is_late(now) else Mood.GOOD
        stuck = Mood.BAD if (lag.receiver_host, lag.receiver) in blocked else Mood.GOOD
        moods[pair] = max(late, stuck, moods.get(pair, Mood.GOOD))
    return moods


def _columns(names: Sequence[str], links: Links) -> Mapping[str, int]:
    """Return each host's column: right of all that send to it, as far as there is no circle."""
    columns = dict.fromkeys(names, 0)
    for _ in range(COLUMNS - 1):
        for sender, receiver in links:
            if columns[receiver] <= columns[sender]:
                columns[receiver] = min(columns[sender] + 1, COLUMNS - 1)
    return columns


def _placed(
    names: Iterable[str], columns: Mapping[str, int], moods: Mapping[str, Mood], links: Links
) -> Mapping[str, Node]:
    """Return each host's box; what is in trouble is drawn, of the rest as much as has room."""
    by_column: dict[int, list[str]] = {}
    for name in names:
        by_column.setdefault(columns[name], []).append(name)
    placed: dict[str, Node] = {}
    for column, members in sorted(by_column.items()):
        ordered = sorted(members, key=lambda name: _height(name, links, placed))
        placed.update(_stacked(column, ordered, moods))
    return placed


def _height(name: str, links: Links, placed: Mapping[str, Node]) -> float:
    """Return where a host's senders are on average, so that lines cross less."""
    rows = [placed[a].row for a, b in links if b == name and a in placed]
    return sum(rows) / len(rows) if rows else 0.0


def _stacked(column: int, members: Sequence[str], moods: Mapping[str, Mood]) -> Mapping[str, Node]:
    mood = {name: moods.get(name, Mood.IDLE) for name in members}
    drawn = set(members)
    if len(members) > MOST + 1:
        drawn = set(sorted(members, key=lambda name: -mood[name])[:MOST])
    shown = [name for name in members if name in drawn]
    nodes = {name: Node(name, column, row, mood[name]) for row, name in enumerate(shown)}
    rest = [name for name in members if name not in drawn]
    if rest:
        worst = max(mood[name] for name in rest)
        more = Node(f"{len(rest)} more", column, len(shown), worst)
        nodes |= dict.fromkeys(rest, more)
    return nodes
