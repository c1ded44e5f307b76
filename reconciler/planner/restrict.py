"""A part of a plan: what the given addresses name, and what that depends on."""

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from reconciler.errors import UsageError
from reconciler.planner.plan import Plan, PlannedAction


def restrict(plan: Plan, targets: Sequence[str]) -> Plan:
    """Return the plan restricted to addresses; without addresses the plan as it is.

    An address is a replication's name, a host's name, `host:filesystem` (with `*`), or an
    action's id. Raises UsageError when one of them names nothing in the specs' plan.
    """
    if not targets:
        return plan
    known = {state.host for state in plan.hosts}
    chosen: set[str] = set()
    for target in targets:
        hits = {planned.id for planned in plan.actions if _matches(planned, target)}
        if not hits and target not in known and target not in _mentioned(plan):
            raise UsageError(f"--target {target} names no host, replication or action of the plan")
        chosen |= hits
    wanted = _with_dependencies(plan, chosen)
    return replace(
        plan,
        actions=tuple(planned for planned in plan.actions if planned.id in wanted),
        targets=tuple(sorted(set(targets))),
    )


def _matches(planned: PlannedAction, target: str) -> bool:
    names = {planned.replication, planned.id, *(host for host, _ in planned.action.places)}
    places = (f"{host}:{filesystem}" for host, filesystem in planned.action.places)
    return target in names or any(fnmatchcase(place, target) for place in places)


def _mentioned(plan: Plan) -> set[str]:
    """Return the replications and places that have no action but are in the plan."""
    return {
        *(conflict.replication for conflict in plan.conflicts),
        *(f"{conflict.host}:{conflict.filesystem}" for conflict in plan.conflicts),
        *(note.replication for note in plan.notes if note.replication is not None),
    }


def _with_dependencies(plan: Plan, chosen: set[str]) -> set[str]:
    """Return the chosen ids and all that they depend on; the plan's order makes one pass enough."""
    wanted = set(chosen)
    for planned in reversed(plan.actions):
        if planned.id in wanted:
            wanted.update(planned.depends_on)
    return wanted
