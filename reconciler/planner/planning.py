"""The plan of everything: sources, pairs, retention on senders, guards."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.actions import Destroy, Reason
from reconciler.desired.model import Desired
from reconciler.observed.model import Observation, Observed, Seen
from reconciler.planner.context import Context, PairPlan
from reconciler.planner.guards import guard
from reconciler.planner.orphans import orphan_notes
from reconciler.planner.pairs import Source, find_sources, is_writable
from reconciler.planner.plan import HostState, Kept, Plan, PlannedAction, Specs
from reconciler.planner.replication import plan_pair
from reconciler.planner.retention import Decision, evaluate
from reconciler.planner.retire import Protection, retire
from reconciler.planner.snapshotting import next_due
from reconciler.planner.waiting import closed_windows, waits


def plan(desired: Desired, observed: Observed, now: int, *, explain: bool = False) -> Plan:
    """Return everything to be done so that the hosts match the specs at the instant `now`.

    Total: whatever was observed, a plan comes out; what can't be done is a conflict or a note in
    it. `explain` records for each managed version why it is kept.
    """
    found = find_sources(desired, observed, now)
    pairs = found.pairs()
    closed = closed_windows(desired, now)
    context = Context.of(observed, pairs, closed)
    pair_plans = [plan_pair(pair, context) for pair in pairs]
    sources = _SourceRetention(pair_plans, context, explain=explain)
    actions = [
        *found.snapshots,
        *(action for pair_plan in pair_plans for action in pair_plan.actions),
        *(action for source in found.sources for action in sources.retire(source)),
    ]
    kept = [*_kept_by_receivers(pair_plans), *sources.kept] if explain else []
    draft = Plan(
        at=now,
        specs=Specs(desired.revision, desired.digest, desired.objects),
        hosts=tuple(_state(name, observed.get(name)) for name in sorted(desired.hosts)),
        actions=tuple(actions),
        conflicts=tuple(p.conflict for p in pair_plans if p.conflict is not None),
        blocked=tuple(waits(p, closed) for p in pair_plans if p.waiting),
        notes=(*found.notes, *orphan_notes(desired, observed)),
        kept=tuple(kept),
        next_due=next_due(desired.replications.values(), now, _opening(pair_plans, closed)),
    )
    return guard(draft, desired, observed)


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

    def __init__(self, pair_plans: Iterable[PairPlan], context: Context, *, explain: bool) -> None:
        self.context = context
        self.explain = explain
        self.kept: list[Kept] = []
        self._pairs: dict[tuple[str, str], list[PairPlan]] = defaultdict(list)
        for pair_plan in pair_plans:
            source = pair_plan.pair.source
            self._pairs[source.host, source.filesystem.name].append(pair_plan)

    def retire(self, source: Source) -> Iterator[PlannedAction]:
        """Yield the destroys of one source; none while any of its peers needs a second look."""
        name = source.filesystem.name
        pairs = self._pairs[source.host, name]
        decisions = evaluate(source.replication.keep, source.managed)
        frozen = self._frozen(source, pairs)
        protection = self._protection(source, pairs)
        if self.explain:
            self.kept += _kept(source.host, name, decisions, protection, frozen)
        if frozen is not None:
            return
        after = {id_ for pair_plan in pairs for id_ in pair_plan.settled_by}
        after |= {p.id for pair_plan in pairs for p in pair_plan.actions if _on(p, source)}
        if source.snapshot_id is not None:
            after.add(source.snapshot_id)
        depends = tuple(sorted(after))
        for destroy, why in retire(source.host, name, decisions, protection):
            yield PlannedAction(destroy, Reason("expired", why), source.replication.name, depends)
        for destroy in _stale_cursors(source, pairs, protection):
            reason = Reason("cursor-moved", "the cursor has moved on")
            yield PlannedAction(destroy, reason, source.replication.name, depends)

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


def _kept_by_receivers(pair_plans: Iterable[PairPlan]) -> Iterator[Kept]:
    for pair_plan in pair_plans:
        pair = pair_plan.pair
        bases = frozenset({pair_plan.base.guid} if pair_plan.base is not None else ())
        tags = frozenset({pair.marks.base_tag})
        protection = Protection(base_guids=bases, own_tags=tags, origins=frozenset())
        yield from _kept(
            pair.receiver_host, pair.receiver, pair_plan.decisions, protection, pair_plan.frozen
        )


def _kept(
    host: str,
    filesystem: str,
    decisions: Iterable[Decision],
    protection: Protection,
    frozen: str | None,
) -> Iterator[Kept]:
    for decision in decisions:
        stays = protection.of(filesystem, decision.version)
        rules = (*decision.kept_by, *(why for why in (stays, frozen) if why is not None))
        if rules:
            yield Kept(host, filesystem, decision.version, rules)
