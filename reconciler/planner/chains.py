"""Chains: what is received on a host and sent on from there by another replication.

The replications at the beginnings are planned first, then those that they feed, as if what the
first ones bring had arrived. What stays on a host in the middle is for the keep rules of the target
there to say, once it is known what all that is sent on from there needs (`planner.middle`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Self

from reconciler.desired.model import Desired, Received, Replication
from reconciler.observed.model import Observed, Seen
from reconciler.planner.pairs import Pair
from reconciler.planner.roles import Place, Roles


@dataclass(frozen=True, slots=True)
class Chains:
    """Who sends on what others receive."""

    readers: tuple[Replication, ...] = ()
    """The replications of received snapshots."""
    roles: Roles | None = field(default=None, compare=False)

    @classmethod
    def of(cls, desired: Desired, observed: Observed) -> Self:
        """Return the chains of a spec set."""
        found = [r for r in desired.replications.values() if isinstance(r.snapshots, Received)]
        readers = tuple(sorted(found, key=lambda reader: reader.name))
        return cls(readers, Roles(desired, observed) if readers else None)

    def reading(self, place: Place) -> Iterator[Replication]:
        """Yield the replications that send on what is received at a place."""
        host, filesystem = place
        for reader in self.readers:
            if host in reader.senders and reader.selects(host, filesystem):
                yield reader

    def is_read(self, place: Place) -> bool:
        """Tell whether what is received at a place is sent on."""
        return next(self.reading(place), None) is not None

    def wary(self, observed: Observed, pairs: Iterable[Pair]) -> frozenset[Place]:
        """Return the places of pairs in the middle of chains that have an unseen peer.

        There are as many peers as there are parts that the place plays.
        """
        if self.roles is None:
            return frozenset()
        found: set[Place] = set()
        for pair in pairs:
            here = (pair.source.host, pair.source.filesystem.name)
            for place in (here, (pair.receiver_host, pair.receiver)):
                ends = (end for r in self.roles.of(place) for end in (r.sender, r.receiver))
                if any(not isinstance(observed.get(host), Seen) for host, _ in ends):
                    found.add(place)
        return frozenset(found)


def layers(desired: Desired) -> Iterator[Desired]:
    """Yield the replications of a spec set, those that others feed after what feeds them."""
    if not any(isinstance(r.snapshots, Received) for r in desired.replications.values()):
        yield desired
        return
    left = dict(desired.replications)
    while left:
        ready = {name: r for name, r in left.items() if not _fed_by(r) & left.keys()}
        # Who feeds himself is refused when specs are read; here it only has to end.
        layer = ready or left
        left = {name: r for name, r in left.items() if name not in layer}
        yield replace(desired, replications=layer)


def _fed_by(replication: Replication) -> set[str]:
    received = replication.snapshots
    return {f.replication for f in received.feeds} if isinstance(received, Received) else set()
