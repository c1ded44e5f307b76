"""What a plan had nothing to say of, for the next one: as long as all stays, it has nothing to say.

A filesystem is quiet when it is the source of one replication alone, no snapshot of it was due,
all of its pairs were in order, nothing of it was to be destroyed on either end, its receivers have
the properties that they were given, and nothing of zrepl's is left there. The next plan does not
even look for it, and comes to the same, if these are the same:

* all specs, and the slot in which no snapshot was due. That is all that the clock decides here:
  keep rules and pairs do not know it;
* the filesystem on its host and what each target has received, as the very same objects;
* what matters of their hosts besides: pools, programs, clones; and whether windows are closed.

Whatever is not the same in all of this is planned anew, and what a plan does not come to is
forgotten. Nothing is quiet of what is sent together with clones, and nowhere where what is received
is sent on: there the plan of one filesystem rests on those of others.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.desired.model import Desired, Received, Replication, Snapshots
from reconciler.desired.schedule import Slot, slot_of
from reconciler.observed.model import Filesystem, Observed, Pool, Seen, standing
from reconciler.planner.context import Context, PairPlan
from reconciler.planner.drifting import differences
from reconciler.planner.pairs import Source
from reconciler.planner.zrepl import marks_of


class _Host(NamedTuple):
    """What matters of a host beside its filesystems."""

    pools: Mapping[str, Pool]
    programs: frozenset[str]
    origins: frozenset[str]

    @classmethod
    def of(cls, seen: Seen) -> "_Host":
        return cls(standing(seen), seen.programs, seen.origins)


class _Terms(NamedTuple):
    """What the sources of one replication and sender have in common."""

    sender: _Host
    receivers: tuple[_Host, ...]
    is_closed: bool
    slot: Slot | None


class _Quiet(NamedTuple):
    """A filesystem that nothing was said of, and what each target has received of it."""

    here: Filesystem
    there: tuple[Filesystem, ...]


@dataclass(slots=True)
class _Group:
    """What is quiet of one replication and sender, by name."""

    terms: _Terms
    known: dict[str, _Quiet] = field(default_factory=dict)


Groups = Mapping[tuple[str, str], _Group]
"""By replication and sender."""


class Memory:
    """What was quiet in the last plan. One plan at a time may use it."""

    def __init__(self) -> None:
        self._desired: Desired | None = None
        self._groups: Groups = {}

    def recall(
        self, desired: Desired, observed: Observed, now: int, closed: Iterable[str]
    ) -> "Quiet":
        """Return what may be quiet in a plan; `closed` are replications whose windows are."""
        known = self._groups if _same(self._desired, desired) else {}
        return Quiet(observed, now, frozenset(closed), known)

    def keep(self, desired: Desired, quiet: "Quiet") -> None:
        """Take over what was quiet in a plan, in the place of all that was known before."""
        chained = any(isinstance(r.snapshots, Received) for r in desired.replications.values())
        self._desired = desired
        self._groups = {} if chained else quiet.groups


class Quiet:
    """What is quiet in one plan."""

    def __init__(self, observed: Observed, now: int, closed: frozenset[str], known: Groups) -> None:
        self._observed = observed
        self._now = now
        self._closed = closed
        self._known = known
        self.groups: dict[tuple[str, str], _Group] = {}

    def rest(
        self, replication: Replication, seen: Seen, filesystems: Sequence[Filesystem]
    ) -> Sequence[Filesystem]:
        """Return those of a replication's filesystems on a sender that may have to be seen to."""
        key, terms = (replication.name, seen.host), self._terms(replication, seen)
        if terms is None or any(filesystem.origin for filesystem in filesystems):
            return filesystems
        group = self.groups[key] = _Group(terms)
        last = self._known.get(key)
        if last is None or last.terms != terms:
            return filesystems
        targets = [
            (f"{target.roots[seen.host]}/", self._filesystems(target.host))
            for target in replication.targets
        ]
        for filesystem in filesystems:
            name = filesystem.name
            known = last.known.get(name)
            if known is None or known.here is not filesystem:
                continue
            received = zip(targets, known.there, strict=True)
            if all(there.get(root + name) is found for (root, there), found in received):
                group.known[name] = known
        return [filesystem for filesystem in filesystems if filesystem.name not in group.known]

    def learn(
        self,
        sources: Iterable[Source],
        silent: Iterable[tuple[Source, Sequence[PairPlan]]],
        context: Context,
    ) -> None:
        """Note what is quiet of all sources; of the `silent` ones nothing is to be destroyed."""
        places = Counter((source.host, source.filesystem.name) for source in sources)
        awaited = {host for host, found in context.origins.items() if found != self._origins(host)}
        for source, pairs in silent:
            here, place = source.filesystem, (source.host, source.filesystem.name)
            group = self.groups.get((source.replication.name, source.host))
            there = [self._received(pair_plan, context) for pair_plan in pairs]
            received = tuple(found for found in there if found is not None)
            if (
                group is not None
                and source.snapshot_id is None
                and places[place] == 1
                and awaited.isdisjoint((source.host, *(p.pair.receiver_host for p in pairs)))
                and len(received) == len(source.replication.targets)
                and not any(next(marks_of(end), None) for end in (here, *received))
            ):
                group.known[here.name] = _Quiet(here, received)

    def _received(self, pair_plan: PairPlan, context: Context) -> Filesystem | None:
        """Return what has been received of a pair that is in order, and has what it was given."""
        pair = pair_plan.pair
        if not pair_plan.is_in_order or (pair.receiver_host, pair.receiver) in context.wary:
            return None
        found = self._filesystems(pair.receiver_host).get(pair.receiver)
        return None if found is None or any(differences(pair, found)) else found

    def _terms(self, replication: Replication, seen: Seen) -> _Terms | None:
        """Return the terms; None where a receiver was not seen."""
        there = [self._observed.get(target.host) for target in replication.targets]
        receivers = tuple(_Host.of(one) for one in there if isinstance(one, Seen))
        if len(receivers) < len(there):
            return None
        snapshots = replication.snapshots
        slot = slot_of(snapshots.schedule, self._now) if isinstance(snapshots, Snapshots) else None
        return _Terms(_Host.of(seen), receivers, replication.name in self._closed, slot)

    def _origins(self, host: str) -> frozenset[str]:
        seen = self._observed.get(host)
        return seen.origins if isinstance(seen, Seen) else frozenset()

    def _filesystems(self, host: str) -> Mapping[str, Filesystem]:
        seen = self._observed.get(host)
        return seen.filesystems if isinstance(seen, Seen) else {}


def _same(one: Desired | None, other: Desired) -> bool:
    """Tell whether specs say the same of everything that plans of filesystems rest on."""
    if one is None:
        return False
    return (one.hosts, one.replications) == (other.hosts, other.replications)
