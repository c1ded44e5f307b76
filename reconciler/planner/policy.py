"""What changed keep rules cost: the versions that go by the present rules and not by other ones."""

from collections.abc import Callable
from dataclasses import replace

from reconciler.actions import Destroy
from reconciler.desired.model import Desired, Keep, Replication, Target
from reconciler.observed.model import Observed
from reconciler.planner.plan import Plan, PlannedAction, PolicyChange
from reconciler.planner.planning import plan


def changed_rules(desired: Desired, other: Desired) -> frozenset[str]:
    """Return the replications that both spec sets have, and for which their keep rules differ."""
    return frozenset(
        name
        for name, replication in desired.replications.items()
        if name in other.replications
        and _replication(replication, other.replications[name]) != replication
    )


def policy_change(
    desired: Desired,
    other: Desired,
    observed: Observed,
    now: int,
    *,
    counts: Callable[[PlannedAction], bool] = lambda _: True,
) -> PolicyChange:
    """Compare what goes by the keep rules of two spec sets; all else is as `desired` has it.

    `counts` tells which of the destroys are meant, else all are.

    Destroy budgets are left aside: this is what the rules ask for, whether or not a guard allows it
    at once. What `other` does not have is taken to have had no rules there, which keep everything.
    """
    gone, gone_before = (
        _gone(plan(specs, observed, now, allow_destroy=specs.replications), counts)
        for specs in (desired, _with_keep_of(desired, other))
    )
    places = {place for place, _ in gone ^ gone_before}
    return PolicyChange(
        other.revision or "other specs",
        more=len(gone - gone_before),
        fewer=len(gone_before - gone),
        filesystems=len(places),
    )


def _gone(made: Plan, counts: Callable[[PlannedAction], bool]) -> set[tuple[tuple[str, str], int]]:
    """Return the snapshots that go, by place and guid."""
    destroys = (p.action for p in made.actions if isinstance(p.action, Destroy) and counts(p))
    return {(d.places[0], v.guid) for d in destroys for v in d.versions if v.is_snapshot}


def _with_keep_of(desired: Desired, other: Desired) -> Desired:
    """Return specs with the keep rules that other ones have for the same things."""
    replications = {
        name: _replication(replication, other.replications.get(name))
        for name, replication in desired.replications.items()
    }
    return replace(desired, replications=replications)


def _replication(replication: Replication, other: Replication | None) -> Replication:
    return replace(
        replication,
        keep=other.keep if other is not None else Keep(),
        targets=tuple(
            replace(target, keep=_keep_there(target, other)) for target in replication.targets
        ),
    )


def _keep_there(target: Target, other: Replication | None) -> Keep:
    """Return the rules for the same receivers: those on the same host below the same roots."""
    for candidate in other.targets if other is not None else ():
        if candidate.host == target.host and candidate.roots.items() & target.roots.items():
            return candidate.keep
    return Keep()
