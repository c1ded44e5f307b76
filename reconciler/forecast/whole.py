"""Plans carried out on observations alone: each action's effect, one after the other.

The slow way to know what becomes of hosts, and the true one: the planner itself decides.
"""

from dataclasses import replace

from reconciler.actions import Snapshot
from reconciler.desired.model import Desired
from reconciler.observed.change import filesystem_of, with_filesystem
from reconciler.observed.model import Observation, Observed, Seen
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from reconciler.zfs.types import Version


def seen_at(observed: Observed, now: int) -> Observed:
    """Return the observations as if made at an instant; clocks stay as wrong as they were."""
    return {host: _at(observation, now) for host, observation in observed.items()}


def settle(desired: Desired, observed: Observed, now: int) -> tuple[Observed, Plan]:
    """Return the observations after a plan for an instant was carried out, and the plan."""
    observed = seen_at(observed, now)
    made: dict[int, Version] = {}
    planned = plan(desired, observed, now)
    for each in planned.actions:
        action = each.action.resolved(lambda v: made[v.guid] if v.is_planned else v)
        observed = action.effect(observed)
        if isinstance(action, Snapshot):
            observed = _made_real(action, observed, made)
    return observed, planned


def _at(observation: Observation, now: int) -> Observation:
    if not isinstance(observation, Seen):
        return observation
    return replace(observation, at=now, clock=now + observation.clock - observation.at)


def _made_real(action: Snapshot, observed: Observed, made: dict[int, Version]) -> Observed:
    """Give the new snapshots guids as a host would."""
    for name in action.filesystems:
        filesystem = filesystem_of(observed, action.host, name)
        if filesystem is None:
            continue
        versions = tuple(
            version._replace(guid=-version.guid) if version.is_planned else version
            for version in filesystem.versions
        )
        made |= {-version.guid: version for version in versions}
        observed = with_filesystem(observed, action.host, replace(filesystem, versions=versions))
    return observed
