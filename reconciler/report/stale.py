"""Whether a saved plan still fits: what a plan made now, for the same instant, has otherwise."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace

from reconciler.actions import Action, Send
from reconciler.planner.plan import Plan, PlannedAction
from reconciler.report.wording import describe
from reconciler.zfs.types import Version

SHOWN = 5


def stale(saved: Plan, fresh: Plan) -> tuple[str, ...]:
    """Return the first differences that matter, one sentence each; none: it can be applied.

    `fresh` is the plan of the specs and hosts as they are now, made for the instant of the saved
    one and restricted as it was. Sizes are estimates and change with every write, so they do not
    count; a version's guid, a hold, a token, the order of things do. A host that is unseen now
    matters only if that changes an action.
    """
    if saved.specs.digest != fresh.specs.digest:
        return ("the specs have changed",)
    found = list(_differences(saved, fresh))
    if found:
        found = [*_lost_hosts(saved, fresh), *found]
    more = len(found) - SHOWN
    return (*found[:SHOWN], *([f"and {more} more differences"] if more > 0 else []))


def _lost_hosts(saved: Plan, fresh: Plan) -> Iterator[str]:
    seen_then = {state.host for state in saved.hosts if state.seen}
    for state in fresh.hosts:
        if not state.seen and state.host in seen_then:
            yield f"{state.host} was seen then and is not now: {state.cause}"


def _differences(saved: Plan, fresh: Plan) -> Iterator[str]:
    then, now = _by_id(saved), _by_id(fresh)
    for id_, planned in then.items():
        if id_ not in now:
            yield f"no longer planned: {describe(planned.action)}"
        elif now[id_] != planned:
            yield f"planned otherwise: {describe(planned.action)}{_how(planned, now[id_])}"
    for id_, planned in now.items():
        if id_ not in then:
            yield f"planned only now: {describe(planned.action)}"


def _by_id(plan: Plan) -> Mapping[str, PlannedAction]:
    return {p.id: replace(p, action=_without_sizes(p.action)) for p in plan.actions}


def _without_sizes(action: Action) -> Action:
    """Return the action without what is only estimated from how much was written."""
    plain = action.resolved(_without_size)
    return replace(plain, estimated_bytes=None) if isinstance(plain, Send) else plain


def _without_size(version: Version) -> Version:
    return version._replace(written=None, referenced=None)


def _how(then: PlannedAction, now: PlannedAction) -> str:
    """Say in what two forms of one action differ."""
    if then.action == now.action:
        return " (for another reason, or after other actions)"
    names = [field.name for field in fields(then.action)]
    changed = [name for name in names if getattr(then.action, name) != getattr(now.action, name)]
    return f" ({', '.join(changed)}: now {describe(now.action)})"
