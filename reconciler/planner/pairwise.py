"""One pair: planned, left alone, mended as its target says, or a conflict for a person."""

from dataclasses import replace

from reconciler.observed.model import Filesystem, Seen
from reconciler.planner.conflicts import Conflicted
from reconciler.planner.context import Context, PairPlan
from reconciler.planner.mending import Mend, mend
from reconciler.planner.pairs import Pair
from reconciler.planner.plan import Conflict, PlannedAction
from reconciler.planner.renaming import check_not_renamed
from reconciler.planner.replication import PairPlanner


def plan_pair(pair: Pair, context: Context) -> PairPlan:
    """Plan one pair. Parents of its receiver have to be planned before."""
    seen = context.observed.get(pair.receiver_host)
    if pair.source.replication.suspend:
        return PairPlan(pair, frozen=f"{pair.source.replication.name} is suspended")
    if not isinstance(seen, Seen):
        return PairPlan(pair, frozen=f"{pair.receiver_host} is unseen")
    there = seen.filesystems.get(pair.receiver)
    if pair.source.filesystem.disabled or (there is not None and there.disabled):
        return PairPlan(pair, frozen="switched off by reconciler:reconcile=disabled")
    try:
        if there is None:
            check_not_renamed(pair, seen, context)
        return PairPlanner(pair, seen, there, context).plan()
    except Conflicted as found:
        return _after(found, pair, seen, there, context)


def _after(
    found: Conflicted, pair: Pair, seen: Seen, there: Filesystem | None, context: Context
) -> PairPlan:
    """Return what becomes of a pair with a conflict."""
    way_out: Mend | str = ""
    if there is not None and found.place is None:
        way_out = mend(pair, seen, there, found.code, context)
    if isinstance(way_out, Mend) and pair.source.replication.name in context.closed:
        way_out = "it is left as it is until the replication's windows open"
    if isinstance(way_out, Mend):
        try:
            return _mended(way_out, pair, context)
        except Conflicted as further:
            # Clearing the way would lead nowhere: then all stays as it is.
            way_out = f"it is left as it is, because after that {further}"
    host, filesystem = found.place or (pair.receiver_host, pair.receiver)
    conflict = Conflict(
        replication=pair.source.replication.name,
        host=host,
        filesystem=filesystem,
        code=found.code,
        message=str(found),
        evidence=(*found.evidence, *((way_out,) if way_out else ())),
        remedy=found.remedy,
    )
    return PairPlan(pair, conflict=conflict, frozen=f"conflict on {host}")


def _mended(way_out: Mend, pair: Pair, context: Context) -> PairPlan:
    """Plan the pair as it is once the way is clear; nothing is destroyed until that is seen.

    Raises Conflicted when nothing would take the place of what is there.
    """
    action = way_out.action
    seen = action.effect(context.observed)[pair.receiver_host]
    if not isinstance(seen, Seen):
        raise TypeError(f"{pair.receiver_host} is unseen")
    there = seen.filesystems.get(pair.receiver)
    context.mended.add((pair.receiver_host, pair.receiver))
    rest = PairPlanner(pair, seen, there, context, after=action.id).plan()
    if rest.base is None:
        raise Conflicted("nothing-to-send", "there would be nothing to send", "take a snapshot")
    name = pair.source.replication.name
    first = PlannedAction(action, way_out.reason, name)
    said = f"its receiver is being mended ({action.verb})"
    return replace(rest, actions=(first, *rest.actions), frozen=said)
