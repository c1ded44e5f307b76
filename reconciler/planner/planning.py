"""The plan of everything: sources, pairs, retention on senders, guards."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from reconciler.desired.model import Desired
from reconciler.observed.model import Observation, Observed, Seen
from reconciler.planner.absence import Absences
from reconciler.planner.context import PairPlan
from reconciler.planner.departing import departures
from reconciler.planner.departing_guard import guard_departing
from reconciler.planner.deselecting import deselected_notes
from reconciler.planner.drifting import drift_notes
from reconciler.planner.explained import explained
from reconciler.planner.guards import guard
from reconciler.planner.memory import Memory, Quiet
from reconciler.planner.mending_guard import guard_mending
from reconciler.planner.middle import Planned, plan_pairs
from reconciler.planner.pairs import Source, Sources
from reconciler.planner.pipes import piping_notes
from reconciler.planner.plan import HostState, Plan, PlannedAction, Specs
from reconciler.planner.retire import Retention
from reconciler.planner.snapshotting import next_due
from reconciler.planner.source_retention import SourceRetention
from reconciler.planner.unmanaged import unmanaged_notes
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
    at again. Of filesystems that are alike one is looked at, unless there is something to be done
    about it, or `explain`.
    """
    closed = closed_windows(desired, now)
    absences = Absences.of(desired, observed)
    memory = memory or Memory()
    quiet = None if explain else memory.recall(desired, observed, now, closed)
    looked = _Looked.of(desired, observed, now, closed, absences, quiet)
    if quiet is not None:
        if not looked.teach(quiet):
            looked = _Looked.of(desired, observed, now, closed, absences, quiet)
            looked.teach(quiet)
        memory.keep(desired, quiet)
    found, pair_plans, planned = looked.found, looked.pair_plans, looked.planned
    leaving = departures(desired, observed, absences, now, allow_destroy)
    actions = [
        *found.snapshots,
        *(action for pair_plan in pair_plans for action in pair_plan.actions),
        *looked.destroys,
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
    mended = guard_mending(draft, desired, observed)
    guarded = guard(mended, desired, observed, allow_destroy)
    guarded = guard_departing(guarded, desired, observed, allow_destroy)
    if not explain:
        return guarded
    return replace(
        guarded, kept=explained(guarded, desired, observed, pair_plans, looked.retentions)
    )


class _Looked(NamedTuple):
    """What is to be done about all sources and their pairs, but for those that are quiet."""

    planned: Planned
    pair_plans: Sequence[PairPlan]
    destroys: Sequence[PlannedAction]
    """In the middle of chains, and on senders."""
    retentions: Sequence[Retention]
    silent: Sequence[tuple[Source, Sequence[PairPlan]]]
    """The sources of which nothing is to be destroyed, with their pairs."""

    @property
    def found(self) -> Sources:
        """The sources."""
        return self.planned.found

    @classmethod
    def of(  # noqa: PLR0913, PLR0917 - what a plan rests on
        cls,
        desired: Desired,
        observed: Observed,
        now: int,
        closed: Mapping[str, int | None],
        absences: Absences,
        quiet: Quiet | None,
    ) -> "_Looked":
        planned = plan_pairs(desired, observed, now, closed, absences, quiet)
        sources = SourceRetention(planned.pair_plans, planned.context)
        pair_plans, destroys = sources.settle()
        retired = [action for one in planned.found.sources for action in sources.retire(one)]
        return cls(planned, pair_plans, (*destroys, *retired), sources.found, sources.silent)

    def teach(self, quiet: Quiet) -> bool:
        """Note what is quiet; tell whether everything was looked at that has to be."""
        return quiet.learn(self.silent, self.planned.context)


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
