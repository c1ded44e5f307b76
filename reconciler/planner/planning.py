"""The plan of everything: sources, pairs, retention on senders, guards."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.actions import Destroy, Reason
from reconciler.desired.model import Desired
from reconciler.observed.model import Observation, Observed, Seen
from reconciler.planner.context import Context, PairPlan
from reconciler.planner.explained import explained
from reconciler.planner.guards import guard
from reconciler.planner.mending_guard import guard_mending
from reconciler.planner.orphans import orphan_notes
from reconciler.planner.pairs import Source, find_sources, is_writable
from reconciler.planner.pairwise import plan_pair
from reconciler.planner.plan import HostState, Plan, PlannedAction, Specs
from reconciler.planner.retire import Protection, Retention
from reconciler.planner.snapshotting import next_due
from reconciler.planner.verdict import Verdict
from reconciler.planner.waiting import closed_windows, waits
from reconciler.planner.zrepl import zrepl_notes


def plan(
    desired: Desired,
    observed: Observed,
    now: int,
    *,
    explain: bool = False,
    allow_destroy: Collection[str] = (),
) -> Plan:
    """Return everything to be done so that the hosts match the specs at the instant `now`.

    Total: whatever was observed, a plan comes out; what can't be done is a conflict or a note in
    it. `explain` records for each version on both sides why it stays. `allow_destroy` are the
    replications whose destroy budget a person has lifted for this plan.
    """
    found = find_sources(desired, observed, now)
    pairs = found.pairs()
    closed = closed_windows(desired, now)
    context = Context.of(observed, pairs, now, closed)
    pair_plans = [plan_pair(pair, context) for pair in pairs]
    sources = _SourceRetention(pair_plans, context)
    actions = [
        *found.snapshots,
        *(action for pair_plan in pair_plans for action in pair_plan.actions),
        *(action for source in found.sources for action in sources.retire(source)),
    ]
    draft = Plan(
        at=now,
        specs=Specs(desired.revision, desired.digest, desired.objects),
        hosts=tuple(_state(name, observed.get(name)) for name in sorted(desired.hosts)),
        actions=tuple(actions),
        conflicts=tuple(p.conflict for p in pair_plans if p.conflict is not None),
        blocked=tuple(waits(p, closed) for p in pair_plans if p.waiting),
        notes=(
            *found.notes,
            *orphan_notes(desired, observed),
            *zrepl_notes(found.sources, pairs, observed),
        ),
        next_due=next_due(desired.replications.values(), now, _opening(pair_plans, closed)),
        allow_destroy=tuple(sorted(set(allow_destroy))),
    )
    mended = guard_mending(draft, desired, observed)
    guarded = guard(mended, desired, observed, allow_destroy)
    if not explain:
        return guarded
    return replace(guarded, kept=explained(guarded, desired, observed, pair_plans, sources.found))


def _opening(pair_plans: Iterable[PairPlan], closed: Mapping[str, int | None]) -> int | None:
    """Return when the first of the windows opens that something waits for."""
    waiting = (p.pair.source.replication.name for p in pair_plans if p.waiting)
    opens = (closed[name] for name in waiting)
    return min((at for at in opens if at is not None), default=None)


def _state(name: str, observation: Observation | None) -> HostState:
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

    def __init__(self, pair_plans: Iterable[PairPlan], context: Context) -> None:
        self.context = context
        self.found: list[Retention] = []
        self._pairs: dict[tuple[str, str], list[PairPlan]] = defaultdict(list)
        for pair_plan in pair_plans:
            source = pair_plan.pair.source
            self._pairs[source.host, source.filesystem.name].append(pair_plan)

    def retire(self, source: Source) -> Iterator[PlannedAction]:
        """Yield the destroys of one source; none while any of its peers needs a second look."""
        name = source.filesystem.name
        pairs = self._pairs[source.host, name]
        retention = self._retention(source, pairs)
        self.found.append(retention)
        if retention.frozen is not None:
            return
        after = {id_ for pair_plan in pairs for id_ in pair_plan.settled_by}
        after |= {p.id for pair_plan in pairs for p in pair_plan.actions if _on(p, source)}
        if source.snapshot_id is not None:
            after.add(source.snapshot_id)
        depends = tuple(sorted(after))
        for destroy, why in retention.destroys():
            yield PlannedAction(destroy, Reason("expired", why), source.replication.name, depends)
        for destroy in _stale_cursors(source, pairs, retention.protection):
            reason = Reason("cursor-moved", "the cursor has moved on")
            yield PlannedAction(destroy, reason, source.replication.name, depends)

    def _retention(self, source: Source, pairs: Sequence[PairPlan]) -> Retention:
        managed = source.managed
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


def _on(planned: PlannedAction, source: Source) -> bool:
    return (source.host, source.filesystem.name) in planned.action.places
