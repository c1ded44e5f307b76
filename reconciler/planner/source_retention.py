"""Retention on senders, and in the middle of chains: what may go once all pairs are planned."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from reconciler.actions import Destroy, Reason
from reconciler.desired.model import Received
from reconciler.planner.bookmarks import LEAVING, SURPLUS, left_behind
from reconciler.planner.context import Context, PairPlan
from reconciler.planner.middle import retire_middle
from reconciler.planner.pairs import Source, is_writable
from reconciler.planner.plan import PlannedAction
from reconciler.planner.retire import Protection, Retention
from reconciler.planner.verdict import Verdict


class SourceRetention:
    """Knows what every pair of a filesystem needs there."""

    def __init__(self, pair_plans: Sequence[PairPlan], context: Context) -> None:
        self.context = context
        self.silent: list[tuple[Source, Sequence[PairPlan]]] = []
        """The sources of which nothing is to be destroyed, with their pairs."""
        self.found: list[Retention] = []
        self._pairs: dict[tuple[str, str], list[PairPlan]] = defaultdict(list)
        self._all = pair_plans
        for pair_plan in pair_plans:
            source = pair_plan.pair.source
            self._pairs[source.host, source.filesystem.name].append(pair_plan)
        self._bringing: Mapping[tuple[str, str], PairPlan] = {}
        """Where what is received is sent on → the plan of what brings it."""

    def settle(self) -> tuple[Sequence[PairPlan], Sequence[PlannedAction]]:
        """Return all pairs' plans with what was decided in the middle of chains, and the destroys.

        At the ends of chains, which is everywhere without them, that was decided with the pair.
        """
        chains = self.context.chains
        if not chains.readers:
            return self._all, ()
        settled: list[PairPlan] = []
        destroys: list[PlannedAction] = []
        for pair_plan in self._all:
            place = (pair_plan.pair.receiver_host, pair_plan.pair.receiver)
            after, more = pair_plan, tuple[PlannedAction, ...]()
            if chains.is_read(place):
                after, more = retire_middle(pair_plan, self._pairs.get(place, ()), chains)
            settled.append(after)
            destroys += more
        self._bringing = {(p.pair.receiver_host, p.pair.receiver): p for p in settled}
        return settled, destroys

    def retire(self, source: Source) -> Sequence[PlannedAction]:
        """Return the destroys of one source; none while any of its peers needs a second look."""
        pairs = self._pairs[source.host, source.filesystem.name]
        planned = list(self._retire(source, pairs))
        if not planned:
            self.silent.append((source, pairs))
        return planned

    def _retire(self, source: Source, pairs: Sequence[PairPlan]) -> Iterator[PlannedAction]:
        name = source.filesystem.name
        retention = self._retention(source, pairs)
        self.found.append(retention)
        if retention.frozen is not None:
            return
        stale = list(_stale_cursors(source, pairs, retention.protection))
        if retention.verdict.keeps_all and not stale and source.replication.bookmarks is None:
            return
        after = {id_ for pair_plan in pairs for id_ in pair_plan.settled_by}
        after |= {p.id for pair_plan in pairs for p in pair_plan.actions if _on(p, source)}
        if source.snapshot_id is not None:
            after.add(source.snapshot_id)
        if bringing := self._bringing.get((source.host, name)):
            after |= {
                p.id
                for p in bringing.actions
                if _on(p, source) and not isinstance(p.action, Destroy)
            }
        depends = tuple(sorted(after))
        yield from self._destroys(source, retention, depends)
        for destroy in stale:
            reason = Reason("cursor-moved", "the cursor has moved on")
            yield PlannedAction(destroy, reason, source.replication.name, depends)

    def _destroys(
        self, source: Source, retention: Retention, depends: tuple[str, ...]
    ) -> Iterator[PlannedAction]:
        """Yield what expires, the bookmarks that are left of it, and those that are too many."""
        replication = source.replication
        found = list(retention.destroys())
        going = [version for destroy, _ in found for version in destroy.versions]
        bookmarks = left_behind(source, going, retention.protection.base_guids)
        marks: dict[int, str] = {}
        for bookmark in bookmarks.make:
            marks[bookmark.version.guid] = bookmark.id
            yield PlannedAction(bookmark, LEAVING, replication.name, depends)
        for destroy, why in found:
            before = {marks[v.guid] for v in destroy.versions if v.guid in marks}
            after = tuple(sorted({*depends, *before}))
            yield PlannedAction(destroy, Reason("expired", why), replication.name, after)
        for version in bookmarks.surplus:
            destroy = Destroy(source.host, source.filesystem.name, (version,))
            after = tuple(sorted({*depends, *marks.values()}))
            yield PlannedAction(destroy, SURPLUS, replication.name, after)

    def _retention(self, source: Source, pairs: Sequence[PairPlan]) -> Retention:
        # What is received here is for those to decide on who brought it.
        managed = () if _is_received(source) else source.managed
        return Retention(
            source.host,
            source.filesystem.name,
            Verdict.of(source.replication.keep, managed),
            self._protection(source, pairs),
            frozenset([version.guid for version in managed if not version.is_planned]),
            self._frozen(source, pairs),
        )

    def _frozen(self, source: Source, pairs: Sequence[PairPlan]) -> str | None:
        if source.replication.suspend:
            return f"{source.replication.name} is suspended"
        if source.filesystem.disabled:
            return "switched off by reconciler:reconcile=disabled"
        if not is_writable(source.seen, source.filesystem.name):
            return f"its pool on {source.host} takes no changes"
        if _is_received(source):
            bringing = self._bringing.get((source.host, source.filesystem.name))
            if bringing is None:
                return "what it is received from was not seen"
            pairs = (*pairs, bringing)
        return next((p.frozen for p in pairs if p.frozen is not None), None)

    def _protection(self, source: Source, pairs: Sequence[PairPlan]) -> Protection:
        return Protection(
            base_guids=frozenset(p.base.guid for p in pairs if p.base is not None),
            own_tags=frozenset(p.pair.marks.step_tag for p in pairs),
            waiting=frozenset(version.guid for p in pairs for version in p.waiting),
            origins=self.context.origins[source.host],
            newest=source.managed[-1].guid if source.managed else None,
        )


def _stale_cursors(
    source: Source, pairs: Sequence[PairPlan], protection: Protection
) -> Iterator[Destroy]:
    """Yield the destroys of the source's cursors that no receiver needs any more."""
    for pair_plan in pairs:
        if pair_plan.pair.source.replication.name == source.replication.name:
            for version in pair_plan.stale_cursors:
                if version.guid not in protection.base_guids:
                    yield Destroy(source.host, source.filesystem.name, (version,))


def _is_received(source: Source) -> bool:
    return isinstance(source.replication.snapshots, Received)


def _on(planned: PlannedAction, source: Source) -> bool:
    return (source.host, source.filesystem.name) in planned.action.places
