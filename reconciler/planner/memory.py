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
from collections.abc import Collection, Container, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import is_
from typing import NamedTuple, cast

from reconciler.desired.model import Desired, Received, Replication, Snapshots
from reconciler.desired.schedule import Slot, slot_of
from reconciler.observed.model import Filesystem, Observed, Pool, Seen, standing
from reconciler.planner.alike import Likeness
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
    """What is quiet of one replication and sender."""

    terms: _Terms
    known: dict[str, _Quiet] = field(default_factory=dict)
    """By name."""
    alike: dict[str, list[_Quiet]] = field(default_factory=dict)
    """One that is planned → those that are quiet if it is, and are withheld until that is known."""

    def withhold(self, kinds: Iterable[Sequence[_Quiet]]) -> None:
        """Plan one of each kind, and withhold the others."""
        self.alike = {first.here.name: others for first, *others in kinds if others}

    def settle(self, shared: Container[str]) -> bool:
        """Take over what was withheld and is quiet, `shared` apart; tell whether that was all."""
        quiet = {
            end.here.name: end
            for name, others in self.alike.items()
            if name in self.known
            for end in others
            if end.here.name not in shared
        }
        self.known |= quiet
        withheld = sum(map(len, self.alike.values()))
        self.alike = {}
        return len(quiet) == withheld


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
        self.groups: dict[tuple[str, str], _Group] = {}

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
            group = self.groups[key] = _Group(terms)
            self._begin(group, replication, seen, filesystems)
        left_out = {end.here.name for others in group.alike.values() for end in others}
        left_out.update(group.known)
        return [filesystem for filesystem in filesystems if filesystem.name not in left_out]

    def _begin(
        self, group: _Group, replication: Replication, seen: Seen, filesystems: Iterable[Filesystem]
    ) -> None:
        """Recall what is known of a group, and withhold what is alike of the rest."""
        last = self._known.get((replication.name, seen.host))
        known = last.known if last is not None and last.terms == group.terms else {}
        targets = [
            (f"{target.roots[seen.host]}/", self._filesystems(target.host))
            for target in replication.targets
        ]
        rest: list[_Quiet] = []
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
                rest.append(_Quiet(filesystem, cast("tuple[Filesystem, ...]", there)))
        if len(rest) > 1 and not self.is_chained:
            receivers = [self._seen(target.host) for target in replication.targets]
            kinds = _kinds(rest, Likeness(replication, seen, receivers))
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
                group.known[here.name] = _Quiet(here, received)
        left = [key for key, group in self.groups.items() if not group.settle(shared[key[1]])]
        return not left

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

    def _seen(self, host: str) -> Seen:
        seen = self._observed[host]
        if not isinstance(seen, Seen):
            raise TypeError(f"{host} is unseen")
        return seen


_TRIED = 16
"""How many filesystems are compared first: if no two of them are alike, few of the others are."""


def _kinds(ends: Iterable[_Quiet], likeness: Likeness) -> Collection[Sequence[_Quiet]]:
    """Return filesystems with those that they are like, in the order of the first of each kind.

    None at all where the first ones are all different: it would cost more than it saves.
    """
    kinds: dict[Hashable, list[_Quiet]] = {}
    for number, end in enumerate(ends):
        if number == _TRIED == len(kinds):
            return ()
        kind = likeness.of(end.here, end.there)
        kinds.setdefault(end.here.name if kind is None else kind, []).append(end)
    return kinds.values()


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
