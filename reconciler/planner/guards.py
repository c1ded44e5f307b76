"""The second look at every destroy, taken from specs and observations anew.

The planner already leaves out what must stay. The guards do not ask it: they look at the finished
plan and at the world, and take out each version for which any of the rules is not plainly
fulfilled. Guards only remove.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.actions import Destroy, Send, Snapshot
from reconciler.desired.model import Desired, Replication, Target
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.history import Common, History, Nothing, compare
from reconciler.planner.marks import Ownership, PairMarks
from reconciler.planner.plan import Blocked, Plan, PlannedAction
from reconciler.zfs.names import ancestors, pool_of
from reconciler.zfs.types import Version

MAX_CLOCK_DIFFERENCE = 60
"""Seconds between a host's clock and the controller's beyond which nothing is destroyed."""


Place = tuple[str, str]
"""Host and filesystem."""

Objection = tuple[str, str]
"""The guard's name and what it says."""


@dataclass(frozen=True, slots=True)
class _Role:
    """One part a filesystem plays: sender to, or receiver of, its counterpart."""

    replication: Replication
    marks: PairMarks
    sender: Place
    receiver: Place


@dataclass(frozen=True, slots=True)
class _Need:
    """What one pair needs of a filesystem."""

    peer: Place
    future: int | None
    """The guid of the common version once the plan is done, if that is another one then."""
    until: str | None
    """The id of the last send."""
    guids: frozenset[int]
    """What has to stay until then."""


@dataclass(frozen=True, slots=True)
class _Scene:
    """What is the same for all versions of one filesystem."""

    objection: Objection | None
    """What stands against any destroy there."""
    roles: tuple[_Role, ...] = ()
    known: Mapping[tuple[str, int], Version] = field(default_factory=dict)
    """The versions that were seen, by label and guid."""
    something_stays: bool = False
    needs: tuple[_Need, ...] = ()


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
        self.receivers: dict[Place, list[tuple[Replication, Target, str]]] = defaultdict(list)
        for _, replication in sorted(desired.replications.items()):
            for sender in replication.senders:
                self.senders[sender].append(replication)
            for target in replication.targets:
                for sender, root in target.roots.items():
                    self.receivers[target.host, root].append((replication, target, sender))
        self.sends: dict[tuple[Place, ...], list[Send]] = defaultdict(list)
        self.arrivals: dict[str, tuple[Place, ...]] = {}
        """Id of a snapshot or send → where versions arrive by it."""
        self.doomed: dict[Place, set[int]] = defaultdict(set)
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
        self._scenes: dict[Place, _Scene] = {}

    def inspect(
        self, planned: PlannedAction, destroy: Destroy
    ) -> tuple[tuple[Version, ...], list[Blocked]]:
        """Return the versions that may go and the objections to the others."""
        place = destroy.places[0]
        if place not in self._scenes:
            self._scenes[place] = self._scene(*place)
        scene = self._scenes[place]
        objections: dict[Version, Objection] = {}
        for version in destroy.versions:
            objection = next(self._objections(planned, place, scene, version), None)
            if objection is not None:
                objections[version] = objection
        left = tuple(v for v in destroy.versions if v not in objections)
        return left, _grouped(planned.id, destroy, objections)

    def _objections(
        self, planned: PlannedAction, place: Place, scene: _Scene, doomed: Version
    ) -> Iterator[Objection]:
        if scene.objection is not None:
            yield scene.objection
            return
        version = scene.known.get((doomed.label, doomed.guid))
        if version is None:
            yield "unseen", f"{doomed.label} with guid {doomed.guid} was not seen"
            return
        if not self._is_managed(place, version, scene.roles):
            yield "foreign", "no spec manages it"
        yield from _held(version, scene.roles)
        arrives = any(place in self.arrivals.get(id_, ()) for id_ in planned.depends_on)
        if version.is_snapshot and not scene.something_stays and not arrives:
            yield "last-version", "it would leave no managed version"
        for need in scene.needs:
            yield from _needed(planned, need, version)

    # -- what is the same for all versions of a filesystem -----------------------------------------

    def _scene(self, host: str, name: str) -> _Scene:
        seen, filesystem = self.observed.get(host), self._filesystem((host, name))
        if not isinstance(seen, Seen) or filesystem is None:
            return _Scene(("unseen", f"{host} {name} was not seen"))
        roles = (*self._sending(host, name), *self._receiving(host, name))
        place, doomed = (host, name), self.doomed[host, name]
        return _Scene(
            objection=next(self._against_all(seen, filesystem, roles), None),
            roles=roles,
            known={(version.label, version.guid): version for version in filesystem.versions},
            something_stays=any(
                version.guid not in doomed and self._is_managed(place, version, roles)
                for version in filesystem.snapshots
            ),
            needs=tuple(self._need(role, place) for role in roles),
        )

    def _against_all(
        self, seen: Seen, filesystem: Filesystem, roles: Sequence[_Role]
    ) -> Iterator[Objection]:
        selecting = tuple(self._selecting(seen.host, filesystem.name))
        replications = (*(role.replication for role in roles), *selecting)
        yield from _clock(seen)
        yield from _stopped(filesystem, replications)
        yield from _future(seen, filesystem, replications)
        for role in roles:
            yield from self._peer(role, (seen.host, filesystem.name))

    def _selecting(self, host: str, filesystem: str) -> Iterator[Replication]:
        """Yield the replications a filesystem is a source of, be it sent anywhere or not."""
        for replication in self.senders[host]:
            if replication.selection.selects(filesystem):
                yield replication

    def _sending(self, host: str, filesystem: str) -> Iterator[_Role]:
        for replication in self._selecting(host, filesystem):
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

    def _is_managed(self, place: Place, version: Version, roles: Sequence[_Role]) -> bool:
        if not version.is_snapshot:
            return any(r.sender == place and r.marks.is_cursor(version) for r in roles)
        return any(
            Ownership.of(r.replication).on_receiver(version) for r in roles if r.receiver == place
        ) or any(Ownership.of(r).on_sender(version) for r in self._selecting(*place))

    def _peer(self, role: _Role, place: Place) -> Iterator[Objection]:
        """What a pair needs can be told only if both ends are known and in order."""
        peer = role.receiver if place == role.sender else role.sender
        if not (self._is_seen(role.sender) and self._is_seen(role.receiver)):
            yield "peer-unseen", f"its peer {peer[0]} {peer[1]} was not seen"
            return
        there = self._filesystem(role.receiver)
        if self._filesystem(role.sender) is None:
            yield "peer-gone", f"its peer {peer[0]} {peer[1]} is gone"
            return
        begun = there is None or (there.inconsistent and there.resume_token is not None)
        if not isinstance(self._history(role), Common) and not begun:
            yield "conflict", f"it has no undisputed common version with {peer[0]} {peer[1]}"

    def _need(self, role: _Role, place: Place) -> _Need:
        """The most recent common version stays until a newer one is on both ends."""
        before, sends = self._history(role), self.sends[role.sender, role.receiver]
        guids = {v.guid for send in sends for v in (send.base, *send.versions) if v is not None}
        if isinstance(before, Common):
            guids.add(before.sender.guid)
        peer = role.receiver if place == role.sender else role.sender
        future, until = (sends[-1].to.guid, sends[-1].id) if sends else (None, None)
        return _Need(peer, future, until, frozenset(guids))

    def _history(self, role: _Role) -> History:
        here, there = self._filesystem(role.sender), self._filesystem(role.receiver)
        return compare(here.versions, there.versions) if here and there else Nothing()

    def _filesystem(self, place: Place) -> Filesystem | None:
        seen = self.observed.get(place[0])
        return seen.filesystems.get(place[1]) if isinstance(seen, Seen) else None

    def _is_seen(self, place: Place) -> bool:
        """Tell whether it would be known if there were something at a place."""
        seen = self.observed.get(place[0])
        pool = seen.pools.get(pool_of(place[1])) if isinstance(seen, Seen) else None
        return pool is not None and pool.usable


def _needed(planned: PlannedAction, need: _Need, version: Version) -> Iterator[Objection]:
    if version.guid == need.future:
        yield "common-version", f"it will be the common version with {' '.join(need.peer)}"
    if version.guid in need.guids and need.until not in planned.depends_on:
        yield "common-version", f"it is the common version with {' '.join(need.peer)}"


def _stopped(filesystem: Filesystem, replications: Sequence[Replication]) -> Iterator[Objection]:
    if filesystem.disabled:
        yield "disabled", "switched off by reconciler:reconcile=disabled"
    for replication in replications:
        if replication.suspend:
            yield "suspended", f"{replication.name} is suspended"


def _future(
    seen: Seen, filesystem: Filesystem, replications: Sequence[Replication]
) -> Iterator[Objection]:
    limit = max(seen.clock, seen.at) + MAX_CLOCK_DIFFERENCE
    owners = {Ownership.of(replication) for replication in replications}
    for version in filesystem.snapshots:
        if version.creation > limit and any(owner.on_receiver(version) for owner in owners):
            yield "future", f"{version.label} is from the future: a clock was wrong"


def _clock(seen: Seen) -> Iterator[Objection]:
    difference = seen.clock - seen.at
    if abs(difference) > MAX_CLOCK_DIFFERENCE:
        way = "ahead of" if difference > 0 else "behind"
        said = f"the clock of {seen.host} is {abs(difference)} s {way} the controller's"
        yield "clock", said


def _held(version: Version, roles: Sequence[_Role]) -> Iterator[Objection]:
    own = {tag for role in roles for tag in (role.marks.step_tag, role.marks.base_tag)}
    strangers = [tag for tag in version.holds if tag not in own]
    if strangers or version.userrefs > len(version.holds):
        yield "held", f"held by {', '.join(strangers) or 'somebody'}"


def _grouped(
    action_id: str, destroy: Destroy, objections: dict[Version, Objection]
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
