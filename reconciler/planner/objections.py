"""What guards object to, each by itself. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.actions import Destroy
from reconciler.desired.model import Replication
from reconciler.observed.model import Filesystem, Seen
from reconciler.planner.marks import Ownership
from reconciler.planner.plan import Blocked, PlannedAction
from reconciler.planner.roles import Place, Role
from reconciler.zfs.types import Version

MAX_CLOCK_DIFFERENCE = 60
"""Seconds between a host's clock and the controller's beyond which nothing is destroyed."""


class Objection(NamedTuple):
    """What stands against destroying a version."""

    guard: str
    message: str
    remedy: str = ""
    """What a person can do, where there is more to it than to see to what the message says."""


@dataclass(frozen=True, slots=True)
class Need:
    """What one pair needs of a filesystem."""

    peer: Place
    future: int | None
    """The guid of the common version once the plan is done, if that is another one then."""
    until: str | None
    """The id of the last send."""
    guids: frozenset[int]
    """What has to stay until then."""


def needed(planned: PlannedAction, need: Need, version: Version) -> Iterator[Objection]:
    """Object to destroying what is, or is to be, the most recent common version."""
    peer = " ".join(need.peer)
    if version.guid == need.future:
        yield Objection("common-version", f"it will be the common version with {peer}")
    if version.guid in need.guids and need.until not in planned.depends_on:
        yield Objection("common-version", f"it is the common version with {peer}")


def stopped(filesystem: Filesystem, replications: Sequence[Replication]) -> Iterator[Objection]:
    """Object to destroying anything where people said that nothing is to be done."""
    if filesystem.disabled:
        yield Objection("disabled", "switched off by reconciler:reconcile=disabled")
    for replication in replications:
        if replication.suspend:
            yield Objection("suspended", f"{replication.name} is suspended")


def future(
    seen: Seen, filesystem: Filesystem, replications: Sequence[Replication]
) -> Iterator[Objection]:
    """Object to destroying anything beside a managed version from the future."""
    limit = max(seen.clock, seen.at) + MAX_CLOCK_DIFFERENCE
    owners = {Ownership.of(replication) for replication in replications}
    for version in filesystem.snapshots:
        if version.creation > limit and any(owner.on_receiver(version) for owner in owners):
            yield Objection("future", f"{version.label} is from the future: a clock was wrong")


def clock(seen: Seen) -> Iterator[Objection]:
    """Object to destroying anything on a host whose clock is not the controller's."""
    difference = seen.clock - seen.at
    if abs(difference) > MAX_CLOCK_DIFFERENCE:
        way = "ahead of" if difference > 0 else "behind"
        said = f"the clock of {seen.host} is {abs(difference)} s {way} the controller's"
        yield Objection("clock", said)


def held(version: Version, roles: Sequence[Role]) -> Iterator[Objection]:
    """Object to destroying what others hold."""
    own = {tag for role in roles for tag in (role.marks.step_tag, role.marks.base_tag)}
    strangers = [tag for tag in version.holds if tag not in own]
    if strangers or version.userrefs > len(version.holds):
        yield Objection("held", f"held by {', '.join(strangers) or 'somebody'}")


def grouped(
    action_id: str, destroy: Destroy, objections: Mapping[Version, Objection]
) -> list[Blocked]:
    """Return one entry per distinct objection."""
    return [
        Blocked(
            action_id,
            destroy.host,
            destroy.filesystem,
            tuple(v for v, objection in objections.items() if objection == distinct),
            *distinct,
        )
        for distinct in dict.fromkeys(objections.values())
    ]
