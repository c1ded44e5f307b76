"""Whether the places that replications read and write get into each other's way.

On each host there are areas that replications take snapshots in (sources) and areas that they
receive into (receivers). No two receivers may be the same filesystem or lie in one another. No
source may select a receiver or what lies in one (that covers loops through any number of hosts),
unless it is to send on what others receive there: loops of those are found in `desired.chains`. Two
sources with the same prefix may not share a filesystem. All of it is decided from the patterns, so
that it holds for filesystems that do not exist yet.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from reconciler.desired.diagnostics import Diagnostic, Position
from reconciler.desired.model import Received, Replication
from reconciler.desired.objects import Replication as ReplicationObject
from reconciler.desired.overlap import candidates, common, nested
from reconciler.desired.reading import Item
from reconciler.desired.selection import Selection
from reconciler.zfs.names import is_within


@dataclass(frozen=True, slots=True)
class _Area:
    """Filesystems of one host that one replication reads or writes."""

    replication: str
    host: str
    selection: Selection
    where: Position
    prefix: str | None = None
    """Of a source's snapshots; None when another tool makes them."""
    root: str = ""
    """What a receiver is below; empty for a source."""
    sends_on: bool = False
    """Whether a source is of received snapshots."""


MAX_PER_PLACE = 5
"""Findings about one place; a copy of a copy of a replication would get one for each."""

_Check = Callable[[_Area, _Area], Diagnostic | None]


def area_findings(
    resolved: Iterable[tuple[Item[ReplicationObject], Replication]],
) -> Iterator[Diagnostic]:
    """Yield a finding for each pair of replications or targets that get into each other's way."""
    hosts: dict[str, list[_Area]] = defaultdict(list)
    for item, replication in resolved:
        for area in chain(_sources(item, replication), _receivers(item, replication)):
            hosts[area.host].append(area)
    for areas in hosts.values():
        yield from _on_one_host(areas)


def _sources(item: Item[ReplicationObject], replication: Replication) -> Iterator[_Area]:
    prefix = item.spec.spec.source.snapshots.prefix
    where = item.at("spec", "source", "filesystems")
    for sender in replication.senders:
        sends_on = isinstance(replication.snapshots, Received)
        selection = replication.selection
        yield _Area(replication.name, sender, selection, where, prefix, sends_on=sends_on)


def _receivers(item: Item[ReplicationObject], replication: Replication) -> Iterator[_Area]:
    for number, target in enumerate(replication.targets):
        where = item.at("spec", "targets", number, "under")
        # Senders of one target that share a root are reported as such, once.
        for root in dict.fromkeys(target.roots.values()):
            selection = replication.selection.below(root)
            yield _Area(replication.name, target.host, selection, where, root=root)


def _on_one_host(areas: list[_Area]) -> Iterator[Diagnostic]:
    sources = [area for area in areas if _is_source(area)]
    receivers = [area for area in areas if not _is_source(area)]
    yield from _met(receivers, _receivers_meet)
    yield from _met([*sources, *receivers], _source_meets_receiver)
    by_prefix = defaultdict(list)
    for source in sources:
        if source.prefix is not None:  # nothing is made or destroyed in the others
            by_prefix[source.prefix].append(source)
    for same in by_prefix.values():
        yield from _met(same, _sources_meet)


def _met(areas: Sequence[_Area], check: _Check) -> Iterator[Diagnostic]:
    """Check the pairs that can meet, in the order of their places; name two places once."""
    areas = sorted(areas, key=lambda area: (area.where, area.root))
    stems = (
        (pattern.stem, number)
        for number, area in enumerate(areas)
        for pattern in area.selection.include
    )
    done: set[object] = set()
    found: Counter[Position] = Counter()
    for pair in candidates(stems):
        one, other = (areas[number] for number in sorted(pair))
        places = (one.where, other.where)
        if pair in done or places in done or found[_place(one, other)] >= MAX_PER_PLACE:
            continue
        done.add(pair)
        if finding := check(one, other):
            done.add(places)
            found[_place(one, other)] += 1
            yield finding


def _place(one: _Area, other: _Area) -> Position:
    """Return where it is reported that two areas meet: the later one, or the source that reads."""
    if _is_source(one) == _is_source(other):
        return other.where
    source, receiver = (one, other) if _is_source(one) else (other, one)
    return receiver.where if source.replication == receiver.replication else source.where


def _is_source(area: _Area) -> bool:
    return not area.root


def _receivers_meet(one: _Area, other: _Area) -> Diagnostic | None:
    """Report the later of two receivers that are the same or nested."""
    advice = "Give it another `under`, or exclude it in one of the two."
    whose = _whose(one, other)
    if name := common(one.selection, other.selection):
        return other.where.error(f"{_at(one, name)} is received here and by {whose}", advice)
    if name := nested(one.selection, other.selection):
        return other.where.error(f"{_at(one, name)} would lie in a receiver of {whose}", advice)
    if name := nested(other.selection, one.selection):
        summary = f"{_at(one, name)}, received by {whose}, would lie in a receiver of this target"
        return other.where.error(summary, advice)
    return None


def _source_meets_receiver(one: _Area, other: _Area) -> Diagnostic | None:
    """Report a source that reads what is received; who only reads or writes twice is fine."""
    if _is_source(one) == _is_source(other):
        return None
    source, receiver = (one, other) if _is_source(one) else (other, one)
    if source.sends_on and source.replication != receiver.replication:
        return None
    name = common(source.selection, receiver.selection)
    name = name or nested(receiver.selection, source.selection)
    if not name:
        return None
    exclude = f'"!{_excludable(source, receiver)}/**"'
    if source.replication == receiver.replication:
        advice = f"Exclude {exclude} in spec.source.filesystems, or choose another `under`."
        summary = f"{_at(source, name)} would be received here but is in this replication's source"
        return _place(one, other).error(summary, advice)
    summary = f"{_at(source, name)} is selected here but belongs to a receiver of"
    advice = (
        f"What is received can only be sent on: exclude it, {exclude}, or write"
        " `snapshots: {received: true}`."
    )
    return _place(one, other).error(f"{summary} {_whose(receiver, source)}", advice)


def _excludable(source: _Area, receiver: _Area) -> str:
    """Return the tree to exclude: all below the target, unless the source itself lies there."""
    if any(is_within(root, receiver.root) for root in source.selection.roots()):
        return receiver.selection.roots()[0]
    return receiver.root


def _sources_meet(one: _Area, other: _Area) -> Diagnostic | None:
    """Report two sources whose snapshots could not be told apart."""
    name = common(one.selection, other.selection)
    if not name or one.replication == other.replication:
        return None
    summary = f"{_at(one, name)} gets snapshots with the prefix `{one.prefix}` here and from"
    advice = "Use another prefix, or exclude it in one of the two."
    return other.where.error(f"{summary} {_whose(one, other)}", advice)


def _at(area: _Area, name: str) -> str:
    return f"`{name}` on {area.host}"


def _whose(area: _Area, seen_from: _Area) -> str:
    """Name the other side of a finding."""
    if area.replication == seen_from.replication:
        return f"another target of this replication ({area.where})"
    return f"replication `{area.replication}` ({area.where})"
