"""Chains: which replications bring what another one is to send on.

A replication with `snapshots: {received: true}` has receivers of others for its source. What they
are called there, and who decides how long they stay, is found here from the patterns.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from reconciler.desired.diagnostics import Diagnostic
from reconciler.desired.model import (
    External,
    Feed,
    Origin,
    Received,
    Replication,
    Snapshots,
)
from reconciler.desired.objects import Replication as ReplicationObject
from reconciler.desired.overlap import common
from reconciler.desired.reading import Item
from reconciler.zfs.names import is_within


def linked(replications: Mapping[str, Replication]) -> dict[str, Replication]:
    """Return the replications, those of received snapshots with what feeds them."""
    feeds = {
        name: tuple(_feeds(replication, replications.values()))
        for name, replication in replications.items()
        if isinstance(replication.snapshots, Received)
    }
    return {
        name: replace(
            replication, snapshots=Received(feeds[name], _origins(name, feeds, replications))
        )
        if name in feeds
        else replication
        for name, replication in replications.items()
    }


def chain_findings(
    resolved: Iterable[tuple[Item[ReplicationObject], Replication]],
    replications: Mapping[str, Replication],
    *,
    complete: bool,
) -> Iterator[Diagnostic]:
    """Report who is to send on what never arrives, or in the end what he sends himself.

    `replications` are linked; `complete` says whether these are all: others could not be read.
    """
    feeds = {
        name: r.snapshots.feeds
        for name, r in replications.items()
        if isinstance(r.snapshots, Received)
    }
    for item, replication in resolved:
        name = replication.name
        if name not in feeds:
            continue
        where = item.at("spec", "source", "snapshots", "received")
        loop = _loop(name, lambda one: _fed_by(feeds.get(one, ())))
        if not feeds[name] and complete:
            hosts = ", ".join(replication.senders)
            advice = "Name receivers of other replications in spec.source.filesystems."
            yield where.error(f"nothing that is selected here is received on {hosts}", advice)
        elif loop:
            said = " ← ".join(f"`{one}`" for one in loop)
            yield where.error(f"this would send on what it sends itself: {said}", "Break the loop.")


def _feeds(replication: Replication, others: Iterable[Replication]) -> Iterator[Feed]:
    """Yield the targets that bring something to a replication's source."""
    stems = [pattern.root for pattern in replication.selection.include]
    for other in others:
        for target in other.targets if other.name != replication.name else ():
            roots = target.roots.values() if target.host in replication.senders else ()
            for root in dict.fromkeys(roots):
                near = any(is_within(root, stem) or is_within(stem, root) for stem in stems)
                receivers = other.selection.below(root)
                if near and common(replication.selection, receivers):
                    yield Feed(other.name, target.host, receivers)


def _origins(
    name: str, feeds: Mapping[str, tuple[Feed, ...]], replications: Mapping[str, Replication]
) -> tuple[Origin, ...]:
    """Return what makes the snapshots at the beginnings of the chains to a replication."""
    found: set[str] = set()
    todo = [name]
    while todo:
        new = _fed_by(feeds.get(todo.pop(), ())) - found
        found |= new
        todo += new
    origins: list[Origin] = []
    for one in sorted(found):
        match replications[one].snapshots:
            case Snapshots(prefix=prefix):
                origins.append(Origin(one, prefix, None))
            case External(matching=matching):
                origins.append(Origin(one, None, matching))
    return tuple(origins)


def _fed_by(feeds: Iterable[Feed]) -> set[str]:
    return {feed.replication for feed in feeds}


def _loop(name: str, fed_by: Callable[[str], set[str]]) -> tuple[str, ...]:
    """Return the shortest way from a replication back to itself, empty when there is none."""
    ways: list[tuple[str, ...]] = [(name,)]
    seen: set[str] = set()
    for way in ways:
        for feeder in sorted(fed_by(way[-1])):
            if feeder == name:
                return (*way, name)
            if feeder not in seen:
                seen.add(feeder)
                ways.append((*way, feeder))
    return ()
