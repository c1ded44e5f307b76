"""The second look at every rename and rollback, taken from specs and observations anew.

As in `planner.guards`: the planner is not asked, and what is not plainly allowed is taken out, with
all that waits for it.
"""

from collections.abc import Iterator
from dataclasses import replace

from reconciler.actions import Rename, Rollback
from reconciler.desired.model import Desired, OnConflict
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.chains import Chains
from reconciler.planner.history import Common, Diverged, compare
from reconciler.planner.marks import Ownership
from reconciler.planner.plan import Blocked, Plan, PlannedAction
from reconciler.zfs.names import is_within
from reconciler.zfs.types import Version

GUARD = "on-conflict"


def guard_mending(plan: Plan, desired: Desired, observed: Observed) -> Plan:
    """Return the plan without renames and rollbacks that no spec asks for or that go too far."""
    actions: list[PlannedAction] = []
    blocked: list[Blocked] = []
    out: set[str] = set()
    chains = Chains.of(desired, observed)
    for planned in plan.actions:
        action = planned.action
        if out.intersection(planned.depends_on):
            out.add(planned.id)
            continue
        said = ""
        if isinstance(action, Rename | Rollback):
            said = _objection(action, planned.replication, desired, observed)
            reader = next(chains.reading((action.host, action.filesystem)), None)
            said = f"{reader.name} sends on what is there" if reader is not None else said
        if said and isinstance(action, Rename | Rollback):
            lost = action.lost if isinstance(action, Rollback) else ()
            blocked.append(Blocked(action.id, action.host, action.filesystem, lost, GUARD, said))
            out.add(planned.id)
        else:
            actions.append(planned)
    return replace(plan, actions=tuple(actions), blocked=(*plan.blocked, *blocked))


def _objection(
    action: Rename | Rollback, replication: str, desired: Desired, observed: Observed
) -> str:
    wanted = OnConflict.SET_ASIDE if isinstance(action, Rename) else OnConflict.ROLLBACK
    senders = list(_senders(action, replication, wanted, desired, observed))
    if len(senders) != 1:
        return f"no target asks for it: `onConflict: {wanted}`"
    seen = observed.get(action.host)
    there = seen.filesystems.get(action.filesystem) if isinstance(seen, Seen) else None
    if not isinstance(seen, Seen) or there is None:
        return "what is there was not seen"
    if isinstance(action, Rollback):
        ours = Ownership.of(desired.replications[replication])
        return _against_rollback(action, senders[0], there, ours)
    if there.guid != action.guid or not action.to.startswith(f"{action.filesystem}."):
        return "it is another filesystem, or would be moved elsewhere"
    below = [n for n in seen.filesystems if n != there.name and is_within(n, there.name)]
    return f"{below[0]} would go with it" if below else ""


def _senders(
    action: Rename | Rollback,
    replication: str,
    wanted: OnConflict,
    desired: Desired,
    observed: Observed,
) -> Iterator[Filesystem]:
    """Yield the seen senders of what is received at a place, whose target asks for something."""
    spec = desired.replications.get(replication)
    for target in spec.targets if spec is not None else ():
        for sender, root in target.roots.items():
            seen, name = observed.get(sender), action.filesystem.removeprefix(f"{root}/")
            if target.host == action.host and name != action.filesystem and isinstance(seen, Seen):
                found = seen.filesystems.get(name)
                if found is not None and target.on_conflict is wanted:
                    yield found


def _against_rollback(
    action: Rollback, sender: Filesystem, there: Filesystem, ours: Ownership
) -> str:
    match compare(sender.versions, there.versions):
        case Common() as common:
            newer = tuple[Version, ...]()
        case Diverged(common, newer):
            pass
        case _:
            return "there is no common version to go back to"
    if common.receiver.guid != action.to.guid:
        return f"the common version is {common.receiver.label}, not {action.to.label}"
    if {v.guid for v in newer} != {v.guid for v in action.lost}:
        return "it would destroy other snapshots than those that are newer"
    received = [version.label for version in newer if ours.on_receiver(version)]
    if received:
        return f"{received[0]} has come from the sender, which has lost it"
    held = [version.label for version in newer if version.userrefs]
    return f"{held[0]} is held" if held else ""
