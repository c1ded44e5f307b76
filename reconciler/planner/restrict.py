"""A part of a plan: what the given addresses name, and what that depends on."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from reconciler.errors import UsageError
from reconciler.planner.plan import Plan, PlannedAction


def restrict(plan: Plan, targets: Sequence[str], replications: Collection[str]) -> Plan:
    """Return the plan restricted to addresses; without addresses the plan as it is.

    An address is the name of one of the specs' `replications`, a host's name, `host:filesystem`
    (with `*`), or an action's id. It may have nothing to do. Raises UsageError when it names
    nothing that the specs or the plan know.
    """
    if not targets:
        return plan
    known = {*replications, *(state.host for state in plan.hosts)}
    chosen: set[str] = set()
    for target in targets:
        hits = {planned.id for planned in plan.actions if _matches(planned, target)}
        if not hits and target.partition(":")[0] not in known:
            raise UsageError(f"--target {target} names no replication, host or action")
        chosen |= hits
    wanted = _with_followers(plan, _with_dependencies(plan, chosen))
    return replace(
        plan,
        actions=tuple(planned for planned in plan.actions if planned.id in wanted),
        targets=tuple(sorted(set(targets))),
    )


def _matches(planned: PlannedAction, target: str) -> bool:
    names = {planned.replication, planned.id, *(host for host, _ in planned.action.places)}
    places = (f"{host}:{filesystem}" for host, filesystem in planned.action.places)
    return target in names or any(fnmatchcase(place, target) for place in places)


def _with_dependencies(plan: Plan, chosen: set[str]) -> set[str]:
    """Return the chosen ids and all that they depend on; the plan's order makes one pass enough."""
    wanted = set(chosen)
    for planned in reversed(plan.actions):
        if planned.id in wanted:
            wanted.update(planned.depends_on)
    return wanted


def _with_followers(plan: Plan, chosen: set[str]) -> set[str]:
    """Add the holds, cursors and releases that complete what is chosen; never a destroy."""
    wanted = set(chosen)
    for planned in plan.actions:
        completes = planned.action.verb in {"hold", "bookmark", "release"}
        if completes and planned.depends_on and wanted >= set(planned.depends_on):
            wanted.add(planned.id)
    return wanted
