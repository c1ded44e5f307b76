"""What one plan concluded for the next: where nothing has changed since, it is as it was.

All that is remembered is that something was in order: a pair of which nothing was to be done, said
or awaited, and a source of which nothing was to be destroyed. Each rests on the very objects that
were read for it, and on terms that it has in common with others. The clock is not among these: keep
rules and pairs do not know it, whether windows are closed is asked every time, and so is what is
due. Whatever is not the same in all of this is planned anew, and what a plan does not come to is
forgotten.

Not remembered: anything where snapshots that were received are sent on (`planner.chains`), and
anything of a filesystem that has a peer that was not seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, NamedTuple, TypeVar

from reconciler.desired.model import Replication, Target
from reconciler.observed.model import Filesystem, Pool, Seen
from reconciler.planner.conflicts import Conflicted
from reconciler.planner.context import Context, PairPlan
from reconciler.planner.pairs import Pair, Source
from reconciler.planner.pairwise import plan_pair
from reconciler.planner.pipes import piping_of
from reconciler.zfs.piping import Piping
from reconciler.zfs.types import Version

Pools = Mapping[str, Pool]


class _PairTerms(NamedTuple):
    """What the pairs of one target and sender have in common."""

    here: Pools
    there: Pools
    piping: Piping
    is_closed: bool
    """Whether the windows are."""
    origins: frozenset[str]
    """The receiver's snapshots that have clones."""


class _SourceTerms(NamedTuple):
    """What the sources of one replication and sender have in common."""

    pools: Pools
    origins: frozenset[str]


class _Pair(NamedTuple):
    """A pair that was in order."""

    here: Filesystem
    there: Filesystem
    base: Version


class _Source(NamedTuple):
    """A source of which nothing was to be destroyed."""

    here: Filesystem
    needs: Sequence[object]
    """The replication, target and base of each pair of its filesystem, whichever replication's."""


Known = TypeVar("Known")


@dataclass(slots=True)
class _Group(Generic[Known]):
    """What is known of filesystems under one set of terms."""

    replication: Replication
    target: Target | None
    terms: object
    last: Mapping[str, Known]
    """By the filesystem's name, from the plan before."""
    found: dict[str, Known] = field(default_factory=dict)
    """The same from this one."""


Groups = dict[tuple[str, ...], _Group[Known]]


class Memory:
    """What the last plan concluded. One plan at a time may use it."""

    def __init__(self) -> None:
        self._pairs: Groups[_Pair] = {}
        self._sources: Groups[_Source] = {}

    def recall(self) -> "Recall":
        """Return what is known for one plan."""
        return Recall(self._pairs, self._sources)

    def keep(self, recall: "Recall") -> None:
        """Take over what a plan has concluded, in the place of all that was known before."""
        self._pairs, self._sources = recall.pairs, recall.sources
        for pairs in recall.pairs.values():
            pairs.last = {}
        for sources in recall.sources.values():
            sources.last = {}


class Recall:
    """Concludes what is known already, and plans the rest."""

    def __init__(self, pairs: Groups[_Pair], sources: Groups[_Source]) -> None:
        self.pairs: Groups[_Pair] = {}
        self.sources: Groups[_Source] = {}
        self._last_pairs = pairs
        self._last_sources = sources

    def plan_pair(self, pair: Pair, context: Context) -> PairPlan:
        """Plan one pair, as `pairwise.plan_pair` does."""
        seen = context.observed.get(pair.receiver_host)
        there = seen.filesystems.get(pair.receiver) if isinstance(seen, Seen) else None
        if not isinstance(seen, Seen) or there is None or _is_special(pair, context):
            return plan_pair(pair, context)
        group = self._pair_group(pair, seen, context)
        if group is None:
            return plan_pair(pair, context)
        here, place = pair.source.filesystem, (pair.receiver_host, pair.receiver)
        known = group.last.get(here.name)
        if known is None or known.here is not here or known.there is not there:
            found = plan_pair(pair, context)
            if found.base is not None and _is_in_order(found) and not there.inconsistent:
                group.found[here.name] = _Pair(here, there, found.base)
            return found
        group.found[here.name] = known
        context.coming[place] = {}
        return PairPlan(pair, base=known.base)

    def is_kept(self, source: Source, pairs: Sequence[PairPlan], context: Context) -> bool:
        """Tell whether it is known that nothing of a source is to be destroyed."""
        group = self._source_group(source, context)
        known = group.last.get(source.filesystem.name)
        if known is None or known.here is not source.filesystem:
            return False
        if known.needs != _needs(pairs) or not all(map(_is_calm, pairs)):
            return False
        group.found[source.filesystem.name] = known
        return True

    def learn(self, source: Source, pairs: Sequence[PairPlan], context: Context) -> None:
        """Note that nothing of a source is to be destroyed."""
        if all(map(_is_calm, pairs)):
            known = _Source(source.filesystem, _needs(pairs))
            self._source_group(source, context).found[source.filesystem.name] = known

    def _pair_group(self, pair: Pair, seen: Seen, context: Context) -> _Group[_Pair] | None:
        source, target = pair.source, pair.target
        sender = source.host
        key = (source.replication.name, sender, target.host, target.roots[sender])
        group = self.pairs.get(key)
        if group is None:
            try:
                piping = piping_of(pair, seen, context.limits)
            except Conflicted:
                return None
            terms = _PairTerms(
                _standing(source.seen),
                _standing(seen),
                piping,
                source.replication.name in context.closed,
                context.origins[seen.host],
            )
            group = _group(self._last_pairs.get(key), source.replication, target, terms)
            self.pairs[key] = group
        return group if group.target is target else None

    def _source_group(self, source: Source, context: Context) -> _Group[_Source]:
        key = (source.replication.name, source.host)
        group = self.sources.get(key)
        if group is None:
            terms = _SourceTerms(_standing(source.seen), context.origins[source.host])
            group = _group(self._last_sources.get(key), source.replication, None, terms)
            self.sources[key] = group
        return group


def _group(
    last: _Group[Known] | None, replication: Replication, target: Target | None, terms: object
) -> _Group[Known]:
    """Return a group that knows what the last one found, if it was about the same."""
    same = last is not None and (last.replication, last.target) == (replication, target)
    if last is not None and same and last.terms == terms:
        return _Group(replication, target, terms, last.found)
    return _Group(replication, target, terms, {})


def _standing(seen: Seen) -> Pools:
    """Return what there is to know of a host's pools, but for what changes all the time."""
    return {name: replace(pool, free=0) for name, pool in seen.pools.items()}


def _is_special(pair: Pair, context: Context) -> bool:
    """Tell whether a pair's plan rests on more than is looked at here."""
    place = (pair.receiver_host, pair.receiver)
    here = (pair.source.host, pair.source.filesystem.name)
    return bool(
        pair.source.snapshot_id is not None
        or pair.source.brought
        or (context.wary and (place in context.wary or here in context.wary))
        or (context.arriving_raw and place in context.arriving_raw)
    )


def _is_in_order(found: PairPlan) -> bool:
    return not (found.actions or found.conflict or found.frozen or found.waiting or found.notes)


def _is_calm(pair_plan: PairPlan) -> bool:
    """Tell whether all that a source has to know of a pair is its base."""
    return pair_plan.frozen is None and not pair_plan.waiting


def _needs(pairs: Iterable[PairPlan]) -> Sequence[object]:
    return [part for p in pairs for part in (p.pair.source.replication, p.pair.target, p.base)]
