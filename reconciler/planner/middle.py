"""The middle of chains: what arrives there as if it had, and what may be destroyed there."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.actions import Destroy, Send
from reconciler.desired.model import Desired
from reconciler.observed.change import filesystem_of
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.absence import Absences
from reconciler.planner.chains import Chains, layers
from reconciler.planner.cloning import origins_first
from reconciler.planner.context import Context, PairPlan
from reconciler.planner.pairs import Brought, Known, Pair, Sources, find_sources
from reconciler.planner.pairwise import plan_pair
from reconciler.planner.plan import PlannedAction
from reconciler.planner.retire import Retention, expired
from reconciler.planner.roles import Place
from reconciler.zfs.names import ancestors, parent_of


@dataclass(frozen=True, slots=True)
class Planned:
    """All pairs of all replications, planned."""

    found: Sources
    pairs: tuple[Pair, ...]
    pair_plans: tuple[PairPlan, ...]
    context: Context


def plan_pairs(  # noqa: PLR0913, PLR0917 - what a plan rests on
    desired: Desired,
    observed: Observed,
    now: int,
    closed: Mapping[str, int | None],
    absences: Absences,
    known: Known | None = None,
) -> Planned:
    """Find and plan all pairs, each replication after those that feed it.

    What is `known` to need nothing is left out.
    """
    chains = Chains.of(desired, observed)
    limits = {name: host.limits for name, host in desired.hosts.items()}
    found = Sources((), (), ())
    pair_plans: list[PairPlan] = []
    context: Context | None = None
    brought: Brought = {}
    for layer in layers(desired):
        more = find_sources(layer, observed, now, brought, known)
        found = found.and_more(more)
        pairs = origins_first(more.pairs())
        following = Context.of(observed, pairs, now, closed, absences, limits, chains)
        if context is not None:
            following = replace(
                following,
                arriving=context.arriving,
                arriving_raw=context.arriving_raw,
                coming=context.coming,
                mended=context.mended,
            )
        context = following
        planned = [plan_pair(pair, context) for pair in pairs]
        pair_plans += planned
        observed, brought = _arrived(planned, observed, brought, chains)
    if context is None:
        context = Context.of(observed, (), now, closed, absences, limits)
    return Planned(found, tuple(p.pair for p in pair_plans), tuple(pair_plans), context)


# -- what arrives ----------------------------------------------------------------------------------


def _arrived(
    pair_plans: Iterable[PairPlan], observed: Observed, brought: Brought, chains: Chains
) -> tuple[Observed, Brought]:
    """Return the hosts with what these plans bring to where it is sent on, and the sends."""
    if not chains.readers:
        return observed, brought
    arrived: dict[str, dict[str, Filesystem]] = defaultdict(dict)
    sends = dict(brought)
    for pair_plan in pair_plans:
        pair = pair_plan.pair
        place = (pair.receiver_host, pair.receiver)
        if not pair_plan.actions or not chains.is_read(place):
            continue
        there = _there_after(pair_plan, observed, arrived[place[0]])
        if there is not None:
            arrived[place[0]][there.name] = there
            sends[place] = _brought_by(pair_plan)
    grown = dict(observed)
    for host, filesystems in arrived.items():
        seen = observed[host]
        if isinstance(seen, Seen):
            whole = dict(sorted({**seen.filesystems, **filesystems}.items()))
            grown[host] = replace(seen, filesystems=whole)
    return grown, sends


def _there_after(
    pair_plan: PairPlan, observed: Observed, arrived: Mapping[str, Filesystem]
) -> Filesystem | None:
    """Return the receiver's filesystem once the pair's actions but its destroys are done."""
    place = (pair_plan.pair.receiver_host, pair_plan.pair.receiver)
    small = _small(pair_plan.pair, observed, arrived)
    for planned in pair_plan.actions:
        if place in planned.action.places and not isinstance(planned.action, Destroy):
            small = planned.action.effect(small)
    return filesystem_of(small, *place)


def _small(pair: Pair, observed: Observed, arrived: Mapping[str, Filesystem]) -> Observed:
    """Return the two ends of a pair without all else, so that effects cost little."""
    source, receiver = pair.source, pair.receiver
    there = observed[pair.receiver_host]
    if not isinstance(there, Seen):
        return observed
    known = {
        name: found
        for name in (receiver, *ancestors(receiver))
        if (found := arrived.get(name) or there.filesystems.get(name)) is not None
    }
    parent = parent_of(receiver)
    nearest = next((known[n] for n in reversed(ancestors(receiver)) if n in known), None)
    if parent is not None and parent not in known and nearest is not None:
        known[parent] = replace(nearest, name=parent)  # a placeholder is encrypted as its parent
    here = {source.filesystem.name: source.filesystem}
    if source.host == pair.receiver_host:
        return {source.host: replace(there, filesystems={**known, **here})}
    return {
        source.host: replace(source.seen, filesystems=here),
        pair.receiver_host: replace(there, filesystems=known),
    }


def _brought_by(pair_plan: PairPlan) -> dict[int, str]:
    sends = [p.action for p in pair_plan.actions if isinstance(p.action, Send)]
    return {version.guid: send.id for send in sends for version in send.versions}


# -- what may go -----------------------------------------------------------------------------------


def retire_middle(
    pair_plan: PairPlan, onward: Sequence[PairPlan], chains: Chains
) -> tuple[PairPlan, tuple[PlannedAction, ...]]:
    """Return a pair's plan and the destroys at its receiver, from where others send on.

    `onward` are the plans of what is sent on: the rules of the target decide, but nothing goes that
    any of those needs, nothing while one of them needs a second look, and nothing before they are
    through; what goes first is nothing that is sent on now.
    """
    if pair_plan.retention is None:
        return pair_plan, ()
    retention = _minding(pair_plan.retention, onward, _stopped(pair_plan, onward, chains))
    after = {p.id for p in pair_plan.actions}
    place = (retention.host, retention.filesystem)
    for plan in onward:
        after.update(plan.settled_by, (p.id for p in plan.actions if place in p.action.places))
    name = pair_plan.pair.source.replication.name
    destroys = tuple(expired(name, *found, after) for found in retention.destroys())
    first = tuple(expired(name, *found) for found in retention.goes_first())
    actions = (*first, *pair_plan.actions)
    return replace(pair_plan, actions=actions, retention=retention), destroys


def _minding(retention: Retention, onward: Sequence[PairPlan], stopped: str | None) -> Retention:
    protection = retention.protection
    bases = {p.base.guid for p in onward if p.base is not None}
    waiting = {version.guid for p in onward for version in p.waiting}
    sends = [p.action for plan in onward for p in plan.actions if isinstance(p.action, Send)]
    sent = {v.guid for send in sends for v in (send.base, *send.versions) if v is not None}
    return replace(
        retention,
        first=retention.first - sent,
        protection=replace(
            protection,
            base_guids=protection.base_guids | bases,
            own_tags=protection.own_tags | {p.pair.marks.step_tag for p in onward},
            waiting=protection.waiting | waiting,
        ),
        frozen=retention.frozen or stopped,
    )


def _stopped(pair_plan: PairPlan, onward: Sequence[PairPlan], chains: Chains) -> str | None:
    """Return why nothing may be destroyed in the middle for the sake of what is sent on."""
    place: Place = (pair_plan.pair.receiver_host, pair_plan.pair.receiver)
    reasons: Iterator[str] = (
        f"{reader.name} is suspended" for reader in chains.reading(place) if reader.suspend
    )
    return next(reasons, None) or next((p.frozen for p in onward if p.frozen is not None), None)
