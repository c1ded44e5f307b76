"""The plan of everything: sources, pairs, retention on senders, guards."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.actions import Destroy, Reason
from reconciler.desired.model import Desired, Received
from reconciler.observed.model import Observation, Observed, Seen
from reconciler.planner.absence import Absences
from reconciler.planner.bookmarks import LEAVING, SURPLUS, left_behind
from reconciler.planner.context import Context, PairPlan
from reconciler.planner.departing import departures
from reconciler.planner.departing_guard import guard_departing
from reconciler.planner.deselecting import deselected_notes
from reconciler.planner.drifting import drift_notes
from reconciler.planner.explained import explained
from reconciler.planner.guards import guard
from reconciler.planner.memory import Memory
from reconciler.planner.mending_guard import guard_mending
from reconciler.planner.middle import plan_pairs, retire_middle
from reconciler.planner.pairs import Source, is_writable
from reconciler.planner.pipes import piping_notes
from reconciler.planner.plan import HostState, Plan, PlannedAction, Specs
from reconciler.planner.retire import Protection, Retention
from reconciler.planner.snapshotting import next_due
from reconciler.planner.unmanaged import unmanaged_notes
from reconciler.planner.verdict import Verdict
from reconciler.planner.waiting import closed_windows, waits
from reconciler.planner.zrepl import zrepl_notes


def plan(  # noqa: PLR0913 - what it is made from, and how
    desired: Desired,
    observed: Observed,
    now: int,
    *,
    explain: bool = False,
    allow_destroy: Collection[str] = (),
    memory: Memory | None = None,
) -> Plan:
    """Return everything to be done so that the hosts match the specs at the instant `now`.

    Total: whatever was observed, a plan comes out; what can't be done is a conflict or a note in
    it. `explain` records for each version on both sides why it stays. `allow_destroy` are the
    replications whose destroy budget a person has lifted for this plan. With a `memory` of the plan
    before the same comes out; what that one found to be in order and has not changed is not looked
    at again.
    """
    closed = closed_windows(desired, now)
    quiet = None
    if memory is not None and not explain:
        quiet = memory.recall(desired, observed, now, closed)
    absences = Absences.of(desired, observed)
    planned = plan_pairs(desired, observed, now, closed, absences, quiet)
    found = planned.found
    sources = _SourceRetention(planned.pair_plans, planned.context)
    pair_plans, destroys = sources.settle()
    retired = [sources.retire(source) for source in found.sources]
    leaving = departures(desired, observed, absences, now, allow_destroy)
    actions = [
        *found.snapshots,
        *(action for pair_plan in pair_plans for action in pair_plan.actions),
        *destroys,
        *(action for actions in retired for action in actions),
        *leaving.actions,
    ]
    draft = Plan(
        at=now,
        specs=Specs(desired.revision, desired.digest, desired.objects),
        hosts=tuple(host_state(name, observed.get(name)) for name in sorted(desired.hosts)),
        actions=tuple(actions),
        conflicts=tuple(p.conflict for p in pair_plans if p.conflict is not None),
        blocked=(*(waits(p, closed) for p in pair_plans if p.waiting), *leaving.blocked),
        notes=(
            *found.notes,
            *(note for pair_plan in pair_plans for note in pair_plan.notes),
            *leaving.notes,
            *deselected_notes(desired, observed),
            *unmanaged_notes(desired, observed),
            *piping_notes(desired, observed),
            *drift_notes(planned.pairs, observed),
            *zrepl_notes(found.sources, planned.pairs, observed),
        ),
        next_due=next_due(
            desired.replications.values(), now, (*_opening(pair_plans, closed), leaving.next_due)
        ),
        allow_destroy=tuple(sorted(set(allow_destroy))),
    )
    if memory is not None and quiet is not None:
        quiet.learn(found.sources, sources.silent, planned.context)
        memory.keep(desired, quiet)
    mended = guard_mending(draft, desired, observed)
    guarded = guard(mended, desired, observed, allow_destroy)
    guarded = guard_departing(guarded, desired, observed, allow_destroy)
    if not explain:
        return guarded
    return replace(guarded, kept=explained(guarded, desired, observed, pair_plans, sources.found))


def _opening(
    pair_plans: Iterable[PairPlan], closed: Mapping[str, int | None]
) -> Iterator[int | None]:
    """Yield when the windows open that something waits for."""
    return (closed[p.pair.source.replication.name] for p in pair_plans if p.waiting)


def host_state(name: str, observation: Observation | None) -> HostState:
    """Return what a plan rests on for one host."""
    match observation:
        case Seen() as seen:
            pools = tuple((name, pool.guid) for name, pool in sorted(seen.pools.items()))
            return HostState(
                name, seen=True, observed_at=seen.at, zfs_version=seen.zfs_version, pools=pools
            )
        case None:
            return HostState(name, seen=False, cause="was not asked")
        case unseen:
            return HostState(name, seen=False, cause=unseen.cause, remedy=unseen.remedy)


class _SourceRetention:
    """Retention on senders: knows what every pair of a filesystem needs there."""

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
