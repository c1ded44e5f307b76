"""What a plan has nothing to say of: neither of what is alike, nor the next one of the same.

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

Of filesystems that are alike (see `planner.alike`) one is planned, and the others are withheld. If
it is quiet, so are they. If it is not, all is planned once more with nothing withheld.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import is_
from typing import cast

from reconciler.desired.model import Desired, Received, Replication, Snapshots
from reconciler.desired.schedule import slot_of
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.alike import Likeness
from reconciler.planner.context import Context, PairPlan
from reconciler.planner.drifting import differences
from reconciler.planner.groups import Ends, Group, HostTerms, Terms, kinds_of
from reconciler.planner.pairs import Source
from reconciler.planner.zrepl import marks_of

Groups = Mapping[tuple[str, str], Group]
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
        return Quiet(desired, observed, now, frozenset(closed), known)

    def keep(self, desired: Desired, quiet: "Quiet") -> None:
        """Take over what was quiet in a plan, in the place of all that was known before."""
        self._desired = desired
        self._groups = {} if quiet.is_chained else quiet.groups


class Quiet:
    """What is quiet in one plan."""

    def __init__(
        self,
        desired: Desired,
        observed: Observed,
        now: int,
        closed: frozenset[str],
        known: Groups,
    ) -> None:
        self.is_chained = any(
            isinstance(one.snapshots, Received) for one in desired.replications.values()
        )
        """Whether something that is received is sent on."""
        self._observed = observed
        self._now = now
        self._closed = closed
        self._known = known
        self._selected: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
        """Host → replication → the filesystems that it selects there."""
        self.groups: dict[tuple[str, str], Group] = {}

    def rest(
        self, replication: Replication, seen: Seen, filesystems: Sequence[Filesystem]
    ) -> Sequence[Filesystem]:
        """Return those of a replication's filesystems on a sender that have to be planned now."""
        names = frozenset([filesystem.name for filesystem in filesystems])
        self._selected[seen.host][replication.name] = names
        key, terms = (replication.name, seen.host), self._terms(replication, seen)
        if terms is None or any(filesystem.origin for filesystem in filesystems):
            return filesystems
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group(terms)
            self._begin(group, replication, seen, filesystems)
        left_out = {end.here.name for others in group.alike.values() for end in others}
        left_out.update(group.known)
        return [filesystem for filesystem in filesystems if filesystem.name not in left_out]

    def _begin(
        self, group: Group, replication: Replication, seen: Seen, filesystems: Iterable[Filesystem]
    ) -> None:
        """Recall what is known of a group, and withhold what is alike of the rest."""
        last = self._known.get((replication.name, seen.host))
        known = last.known if last is not None and last.terms == group.terms else {}
        targets = [
            (f"{target.roots[seen.host]}/", self._filesystems(target.host))
            for target in replication.targets
        ]
        rest: list[Ends] = []
        for filesystem in filesystems:
            name = filesystem.name
            there = tuple([found.get(root + name) for root, found in targets])
            before = known.get(name)
            if (
                before is not None
                and before.here is filesystem
                and all(map(is_, before.there, there))
            ):
                group.known[name] = before
            elif None not in there:
                rest.append(Ends(filesystem, cast("tuple[Filesystem, ...]", there)))
        if len(rest) > 1 and not self.is_chained:
            receivers = [self._seen(target.host) for target in replication.targets]
            kinds = kinds_of(rest, Likeness(replication, seen, receivers))
            # Else planning all anew, where that has to be, would cost too much beside this.
            if 2 * len(kinds) <= len(rest) + 1:
                group.withhold(kinds)

    def learn(self, silent: Iterable[tuple[Source, Sequence[PairPlan]]], context: Context) -> bool:
        """Note what is quiet; of the `silent` sources nothing is to be destroyed.

        Returns whether that goes for all that was withheld; if not, nothing is withheld any more.
        """
        awaited = {host for host, found in context.origins.items() if found != self._origins(host)}
        shared = {host: _in_several(list(found.values())) for host, found in self._selected.items()}
        for source, pairs in silent:
            here = source.filesystem
            group = self.groups.get((source.replication.name, source.host))
            there = [self._received(pair_plan, context) for pair_plan in pairs]
            received = tuple(found for found in there if found is not None)
            if (
                group is not None
                and source.snapshot_id is None
                and here.name not in shared[source.host]
                and awaited.isdisjoint((source.host, *(p.pair.receiver_host for p in pairs)))
                and len(received) == len(source.replication.targets)
                and not any(next(marks_of(end), None) for end in (here, *received))
            ):
                group.known[here.name] = Ends(here, received)
        left = [key for key, group in self.groups.items() if not group.settle(shared[key[1]])]
        return not left

    def _received(self, pair_plan: PairPlan, context: Context) -> Filesystem | None:
        """Return what has been received of a pair that is in order, and has what it was given."""
        pair = pair_plan.pair
        if not pair_plan.is_in_order or (pair.receiver_host, pair.receiver) in context.wary:
            return None
        found = self._filesystems(pair.receiver_host).get(pair.receiver)
        return None if found is None or any(differences(pair, found)) else found

    def _terms(self, replication: Replication, seen: Seen) -> Terms | None:
        """Return the terms; None where a receiver was not seen."""
        there = [self._observed.get(target.host) for target in replication.targets]
        receivers = tuple(HostTerms.of(one) for one in there if isinstance(one, Seen))
        if len(receivers) < len(there):
            return None
        snapshots = replication.snapshots
        slot = slot_of(snapshots.schedule, self._now) if isinstance(snapshots, Snapshots) else None
        return Terms(HostTerms.of(seen), receivers, replication.name in self._closed, slot)

    def _origins(self, host: str) -> frozenset[str]:
        seen = self._observed.get(host)
        return seen.origins if isinstance(seen, Seen) else frozenset()

    def _filesystems(self, host: str) -> Mapping[str, Filesystem]:
        seen = self._observed.get(host)
        return seen.filesystems if isinstance(seen, Seen) else {}

    def _seen(self, host: str) -> Seen:
        seen = self._observed[host]
        if not isinstance(seen, Seen):
            raise TypeError(f"{host} is unseen")
        return seen


def _in_several(sets: Sequence[frozenset[str]]) -> frozenset[str]:
    """Return what is in more than one of some sets."""
    if len(sets) == 1:
        return frozenset()
    times = Counter(chain.from_iterable(sets))
    return frozenset([name for name, count in times.items() if count > 1])


def _same(one: Desired | None, other: Desired) -> bool:
    """Tell whether specs say the same of everything that plans of filesystems rest on."""
    if one is None:
        return False
    return (one.hosts, one.replications) == (other.hosts, other.replications)
