"""The second look at every destroy, taken from specs and observations anew.

The planner already leaves out what must stay. The guards do not ask it: they look at the finished
plan and at the world, and take out each version for which any of the rules is not plainly
fulfilled. Guards only remove.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.actions import Destroy, Send, Snapshot
from reconciler.desired.model import Desired, Replication, Target
from reconciler.observed.change import current
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.history import Common, Nothing, compare
from reconciler.planner.marks import Ownership, PairMarks
from reconciler.planner.plan import Blocked, Plan, PlannedAction
from reconciler.zfs.names import ancestors, pool_of
from reconciler.zfs.types import Version

MAX_CLOCK_DIFFERENCE = 60
"""Seconds between a host's clock and the controller's beyond which nothing is destroyed."""


@dataclass(frozen=True, slots=True)
class _Role:
    """One part a filesystem plays: sender to, or receiver of, its counterpart."""

    replication: Replication
    marks: PairMarks
    sender: tuple[str, str]
    receiver: tuple[str, str]


def guard(plan: Plan, desired: Desired, observed: Observed) -> Plan:
    """Return the plan without the destroys that a guard objects to; they are listed as blocked."""
    eye = _Eye(plan, desired, observed)
    actions: list[PlannedAction] = []
    blocked: list[Blocked] = []
    for planned in plan.actions:
        if not isinstance(planned.action, Destroy):
            actions.append(planned)
            continue
        left, objections = eye.inspect(planned, planned.action)
        blocked += objections
        if left:
            actions.append(replace(planned, action=replace(planned.action, versions=left)))
    return replace(plan, actions=tuple(actions), blocked=(*plan.blocked, *blocked))


class _Eye:
    """Looks at one destroy after the other."""

    def __init__(self, plan: Plan, desired: Desired, observed: Observed) -> None:
        self.observed = observed
        self.senders: dict[str, list[Replication]] = defaultdict(list)
        self.receivers: dict[tuple[str, str], list[tuple[Replication, Target, str]]] = defaultdict(
            list
        )
        for _, replication in sorted(desired.replications.items()):
            for sender in replication.senders:
                self.senders[sender].append(replication)
            for target in replication.targets:
                for sender, root in target.roots.items():
                    self.receivers[target.host, root].append((replication, target, sender))
        self._known_roles: dict[tuple[str, str], tuple[_Role, ...]] = {}
        self.sends: dict[tuple[tuple[str, str], ...], list[Send]] = defaultdict(list)
        self.arrivals: dict[str, tuple[tuple[str, str], ...]] = {}
        """Id of a snapshot or send → the (host, filesystem) pairs that get a version by it."""
        self.doomed: dict[tuple[str, str], set[int]] = defaultdict(set)
        for planned in plan.actions:
            match planned.action:
                case Send() as send:
                    self.sends[send.places].append(send)
                    self.arrivals[send.id] = send.places[1:]
                case Snapshot() as snapshot:
                    self.arrivals[snapshot.id] = snapshot.places
                case Destroy() as destroy:
                    guids = {v.guid for v in destroy.versions if v.is_snapshot}
                    self.doomed[destroy.places[0]] |= guids
        self._something_stays: dict[tuple[str, str], bool] = {}

    def inspect(
        self, planned: PlannedAction, destroy: Destroy
    ) -> tuple[tuple[Version, ...], list[Blocked]]:
        """Return the versions that may go and the objections to the others."""
        objections: dict[Version, tuple[str, str]] = {}
        for version in destroy.versions:
            objection = next(self._objections(planned, destroy, version), None)
            if objection is not None:
                objections[version] = objection
        left = tuple(v for v in destroy.versions if v not in objections)
        return left, _grouped(planned.id, destroy, objections)

    def _objections(
        self, planned: PlannedAction, destroy: Destroy, doomed: Version
    ) -> Iterator[tuple[str, str]]:
        seen = self.observed.get(destroy.host)
        filesystem = seen.filesystems.get(destroy.filesystem) if isinstance(seen, Seen) else None
        if not isinstance(seen, Seen) or filesystem is None:
            yield "unseen", f"{destroy.host} {destroy.filesystem} was not seen"
            return
        version = current(filesystem, doomed)
        if version is None:
            yield "unseen", f"{doomed.label} with guid {doomed.guid} was not seen"
            return
        yield from _clock(seen)
        yield from self._stopped(destroy.host, filesystem)
        roles = self._roles(destroy.host, destroy.filesystem)
        yield from self._foreign(destroy, version, roles)
        yield from _held(version, roles)
        yield from self._future(seen, filesystem, roles)
        yield from self._last(planned, destroy, filesystem, version)
        for role in roles:
            yield from self._common(planned, role, version)

    def _roles(self, host: str, filesystem: str) -> tuple[_Role, ...]:
        """Return the parts that specs give to a filesystem."""
        place = (host, filesystem)
        if place not in self._known_roles:
            found = (*self._sending(host, filesystem), *self._receiving(host, filesystem))
            self._known_roles[place] = found
        return self._known_roles[place]

    def _sending(self, host: str, filesystem: str) -> Iterator[_Role]:
        for replication in self.senders[host]:
            if replication.selection.selects(filesystem):
                for target in replication.targets:
                    marks = PairMarks.of(replication, target, host)
                    there = (target.host, target.receiver_of(host, filesystem))
                    yield _Role(replication, marks, (host, filesystem), there)

    def _receiving(self, host: str, filesystem: str) -> Iterator[_Role]:
        for root in ancestors(filesystem):
            for replication, target, sender in self.receivers[host, root]:
                name = filesystem[len(root) + 1 :]
                if replication.selection.selects(name):
                    marks = PairMarks.of(replication, target, sender)
                    yield _Role(replication, marks, (sender, name), (host, filesystem))

    def _foreign(
        self, destroy: Destroy, version: Version, roles: Sequence[_Role]
    ) -> Iterator[tuple[str, str]]:
        place = (destroy.host, destroy.filesystem)
        if not version.is_snapshot:
            mine = any(r.sender == place and r.marks.is_cursor(version) for r in roles)
        else:
            mine = any(
                Ownership.of(r.replication).on_receiver(version)
                for r in roles
                if r.receiver == place
            ) or any(Ownership.of(r).on_sender(version) for r in self._selecting(*place))
        if not mine:
            yield "foreign", "no spec manages it"

    def _selecting(self, host: str, filesystem: str) -> Iterator[Replication]:
        """Yield the replications a filesystem is a source of, be it sent anywhere or not."""
        for replication in self.senders[host]:
            if replication.selection.selects(filesystem):
                yield replication

    def _stopped(self, host: str, filesystem: Filesystem) -> Iterator[tuple[str, str]]:
        if filesystem.disabled:
            yield "disabled", "switched off by reconciler:reconcile=disabled"
        roles = (role.replication for role in self._roles(host, filesystem.name))
        for replication in (*roles, *self._selecting(host, filesystem.name)):
            if replication.suspend:
                yield "suspended", f"{replication.name} is suspended"

    def _future(
        self, seen: Seen, filesystem: Filesystem, roles: Sequence[_Role]
    ) -> Iterator[tuple[str, str]]:
        limit = max(seen.clock, seen.at) + MAX_CLOCK_DIFFERENCE
        owners = {Ownership.of(role.replication) for role in roles}
        owners.update(map(Ownership.of, self._selecting(seen.host, filesystem.name)))
        for version in filesystem.snapshots:
            if version.creation > limit and any(owner.on_receiver(version) for owner in owners):
                yield "future", f"{version.label} is from the future: a clock was wrong"
                return

    def _last(
        self,
        planned: PlannedAction,
        destroy: Destroy,
        filesystem: Filesystem,
        version: Version,
    ) -> Iterator[tuple[str, str]]:
        """Something managed has to be left, or to have arrived before."""
        place = destroy.places[0]
        if not version.is_snapshot:
            return
        if place not in self._something_stays:
            doomed = self.doomed[place]
            self._something_stays[place] = any(
                v.guid not in doomed and self._managed_here(destroy, v)
                for v in filesystem.snapshots
            )
        arrives = any(place in self.arrivals.get(id_, ()) for id_ in planned.depends_on)
        if not self._something_stays[place] and not arrives:
            yield "last-version", "it would leave no managed version"

    def _managed_here(self, destroy: Destroy, version: Version) -> bool:
        roles = self._roles(destroy.host, destroy.filesystem)
        return next(self._foreign(destroy, version, roles), None) is None

    def _common(
        self, planned: PlannedAction, role: _Role, version: Version
    ) -> Iterator[tuple[str, str]]:
        """The most recent common version stays until a newer one is on both ends."""
        here, there = self._filesystem(role.sender), self._filesystem(role.receiver)
        peer = role.receiver if planned.action.places[0] == role.sender else role.sender
        if not (self._is_seen(role.sender) and self._is_seen(role.receiver)):
            yield "peer-unseen", f"its peer {peer[0]} {peer[1]} was not seen"
            return
        sends = self.sends[role.sender, role.receiver]
        if here is None:
            yield "peer-gone", f"its peer {peer[0]} {peer[1]} is gone"
            return
        before = compare(here.versions, there.versions) if there is not None else Nothing()
        begun = there is None or (there.inconsistent and there.resume_token is not None)
        if not isinstance(before, Common) and not begun:
            yield "conflict", f"it has no undisputed common version with {peer[0]} {peer[1]}"
            return
        if sends and sends[-1].to.guid == version.guid:
            yield "common-version", f"it will be the common version with {peer[0]} {peer[1]}"
        needed = {v.guid for send in sends for v in (send.base, *send.versions) if v is not None}
        if isinstance(before, Common):
            needed.add(before.sender.guid)
        if version.guid in needed and not (sends and sends[-1].id in planned.depends_on):
            yield "common-version", f"it is the common version with {peer[0]} {peer[1]}"

    def _filesystem(self, place: tuple[str, str]) -> Filesystem | None:
        seen = self.observed.get(place[0])
        return seen.filesystems.get(place[1]) if isinstance(seen, Seen) else None

    def _is_seen(self, place: tuple[str, str]) -> bool:
        """Tell whether it would be known if there were something at a place."""
        seen = self.observed.get(place[0])
        pool = seen.pools.get(pool_of(place[1])) if isinstance(seen, Seen) else None
        return pool is not None and pool.usable


def _clock(seen: Seen) -> Iterator[tuple[str, str]]:
    difference = seen.clock - seen.at
    if abs(difference) > MAX_CLOCK_DIFFERENCE:
        way = "ahead of" if difference > 0 else "behind"
        yield (
            "clock",
            f"the clock of {seen.host} is {abs(difference)} s {way} the controller's",
        )


def _held(version: Version, roles: Sequence[_Role]) -> Iterator[tuple[str, str]]:
    own = {tag for role in roles for tag in (role.marks.step_tag, role.marks.base_tag)}
    strangers = [tag for tag in version.holds if tag not in own]
    if strangers or version.userrefs > len(version.holds):
        yield "held", f"held by {', '.join(strangers) or 'somebody'}"


def _grouped(
    action_id: str, destroy: Destroy, objections: dict[Version, tuple[str, str]]
) -> list[Blocked]:
    """Return one entry per distinct objection."""
    distinct = dict.fromkeys(objections.values())
    return [
        Blocked(
            action_id,
            destroy.host,
            destroy.filesystem,
            tuple(v for v, objection in objections.items() if objection == (name, message)),
            name,
            message,
        )
        for name, message in distinct
    ]
