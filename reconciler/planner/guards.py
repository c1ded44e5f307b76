"""The second look at every destroy, taken from specs and observations anew.

The planner already leaves out what must stay. The guards do not ask it: they look at the finished
plan and at the world, and take out each version for which any of the rules is not plainly
fulfilled. Guards only remove.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.actions import Destroy, Send
from reconciler.desired.model import Desired, Received
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.absence import Absences
from reconciler.planner.budget import Going, excess, is_near
from reconciler.planner.departing_guard import Departure
from reconciler.planner.history import Common, History, Nothing, compare
from reconciler.planner.movements import Movements
from reconciler.planner.objections import (
    Need,
    Objection,
    clock,
    future,
    grouped,
    held,
    needed,
    stopped,
)
from reconciler.planner.plan import Blocked, Plan, PlannedAction
from reconciler.planner.roles import Owner, Place, Role, Roles
from reconciler.zfs.names import pool_of
from reconciler.zfs.types import Version


@dataclass(frozen=True, slots=True)
class _Scene:
    """What is the same for all versions of one filesystem."""

    objection: Objection | None
    """What stands against any destroy there."""
    roles: tuple[Role, ...] = ()
    known: Mapping[tuple[str, int], Version] = field(default_factory=dict)
    """The versions that were seen, by label and guid."""
    owners: tuple[Owner, ...] = ()
    something_stays: bool = False
    """Whether a managed version is there until one arrives."""
    departs: bool = False
    """Whether all of it may go, because its source is gone for long enough."""
    needs: tuple[Need, ...] = ()
    excesses: Mapping[str, Objection] = field(default_factory=dict)
    """Replication → what stands against letting go of so many that it manages."""

    def owned_by(self, version: Version) -> tuple[str, ...]:
        """Return the replications that manage a version, its name or mark being theirs."""
        return tuple(o.replication.name for o in self.owners if o.owns(version))


def guard(
    plan: Plan, desired: Desired, observed: Observed, allow_destroy: Collection[str] = ()
) -> Plan:
    """Return the plan without the destroys that a guard objects to; they are listed as blocked.

    `allow_destroy` are the replications whose destroy budget a person has lifted.
    """
    if not any(isinstance(planned.action, Destroy) for planned in plan.actions):
        return plan
    eye = _Eye(plan, desired, observed, allow_destroy)
    actions: list[PlannedAction] = []
    blocked: list[Blocked] = []
    for planned in plan.actions:
        if not isinstance(planned.action, Destroy):
            actions.append(planned)
            continue
        left, objections = eye.inspect(planned, planned.action)
        blocked += objections
        if not objections:
            actions.append(planned)
        elif left:
            actions.append(replace(planned, action=replace(planned.action, versions=left)))
    return replace(plan, actions=tuple(actions), blocked=(*plan.blocked, *blocked))


class _Eye:
    """Looks at one destroy after the other."""

    def __init__(
        self, plan: Plan, desired: Desired, observed: Observed, allow_destroy: Collection[str]
    ) -> None:
        self.observed = observed
        self.absences = Absences.of(desired, observed)
        self.parts = Roles(desired, observed)
        self.departure = Departure(desired, observed, self.absences, plan.at, allow_destroy)
        self.allow_destroy = allow_destroy
        self.moves = Movements.of(plan)
        self._scenes: dict[Place, _Scene] = {}

    def inspect(
        self, planned: PlannedAction, destroy: Destroy
    ) -> tuple[tuple[Version, ...], list[Blocked]]:
        """Return the versions that may go and the objections to the others."""
        place = destroy.places[0]
        if place not in self._scenes:
            self._scenes[place] = self._scene(place)
        scene = self._scenes[place]
        objections: dict[Version, Objection] = {}
        for version in destroy.versions:
            objection = next(self._objections(planned, place, scene, version), None)
            if objection is not None:
                objections[version] = objection
        left = tuple(v for v in destroy.versions if v not in objections)
        return left, grouped(planned.id, destroy, objections)

    def _objections(
        self, planned: PlannedAction, place: Place, scene: _Scene, doomed: Version
    ) -> Iterator[Objection]:
        if scene.objection is not None:
            yield scene.objection
            return
        version = scene.known.get((doomed.label, doomed.guid))
        if version is None:
            yield Objection("unseen", f"{doomed.label} with guid {doomed.guid} was not seen")
            return
        owners = scene.owned_by(version)
        if not owners:
            yield Objection("foreign", "no spec manages it")
        yield from held(version, scene.roles)
        if (place[0], version.of(place[1])) in self.moves.origins:
            yield Objection("origin", "a clone is to be received from it")
        arrives = self.moves.brings(planned.depends_on, place)
        if version.is_snapshot and not (scene.something_stays or arrives or scene.departs):
            yield Objection("last-version", "it would leave no managed version")
        for need in scene.needs:
            yield from needed(planned, need, version)
        if version.is_snapshot:
            yield from (scene.excesses[name] for name in owners if name in scene.excesses)

    # -- what is the same for all versions of a filesystem -----------------------------------------

    def _scene(self, place: Place) -> _Scene:
        seen, filesystem = self.observed.get(place[0]), self._filesystem(place)
        if not isinstance(seen, Seen) or filesystem is None:
            return _Scene(Objection("unseen", f"{' '.join(place)} was not seen"))
        roles, doomed = self.parts.of(place), self.moves.doomed_first[place]
        owners = self.parts.owners(place, roles)
        departs = any(
            role.receiver == place
            and self._filesystem(role.sender) is None
            and self.departure.objection(role, place) is None
            for role in roles
        )
        scene = _Scene(
            departs=departs,
            objection=next(self._against_all(seen, filesystem, roles), None),
            roles=roles,
            owners=owners,
            known={(version.label, version.guid): version for version in filesystem.versions},
            something_stays=any(
                version.guid not in doomed and any(owner.owns(version) for owner in owners)
                for version in filesystem.snapshots
            ),
            needs=tuple(self._need(role, place) for role in roles),
        )
        if departs:
            return scene
        return replace(scene, excesses=dict(self._excesses(place, filesystem, scene)))

    def _against_all(
        self, seen: Seen, filesystem: Filesystem, roles: Sequence[Role]
    ) -> Iterator[Objection]:
        place = (seen.host, filesystem.name)
        selecting = tuple(self.parts.selecting(place))
        replications = (*(role.replication for role in roles), *selecting)
        yield from clock(seen)
        yield from stopped(filesystem, replications)
        yield from future(seen, filesystem, replications)
        for role in roles:
            yield from self._peer(role, place)

    def _excesses(
        self, place: Place, filesystem: Filesystem, scene: _Scene
    ) -> Iterator[tuple[str, Objection]]:
        """Yield what is more than a replication's budget on a filesystem allows, by its name."""
        doomed, first = self.moves.doomed[place], self.moves.doomed_first[place]
        for owner in scene.owners:
            name = owner.replication.name
            if name in self.allow_destroy or not is_near(
                owner.replication.max_destroy, len(doomed)
            ):
                continue
            mine = [version for version in filesystem.snapshots if owner.owns(version)]
            for guids, coming in ((first, 0), (doomed, self.moves.awaited_versions(place, name))):
                going = [version for version in mine if version.guid in guids]
                fresh = self._fresh(place, scene.roles, name, going)
                found = Going(len(going), fresh, len(mine) - len(going) + coming)
                said = excess(owner.replication.max_destroy, found)
                if said is not None:
                    remedy = f"look at the plan, then: reconciler apply --allow-destroy {name}"
                    yield name, Objection("budget", said, remedy)

    def _fresh(
        self, place: Place, roles: Sequence[Role], name: str, going: Sequence[Version]
    ) -> int:
        """Return how many of a sender's versions were made since all its receivers had all."""
        found = [
            self._history(r) for r in roles if r.sender == place and r.replication.name == name
        ]
        commons = [history.sender.createtxg for history in found if isinstance(history, Common)]
        if not commons or len(commons) < len(found):
            return 0
        return sum(version.createtxg > min(commons) for version in going)

    def _peer(self, role: Role, place: Place) -> Iterator[Objection]:
        """What a pair needs can be told only if both ends are known and in order."""
        peer = role.receiver if place == role.sender else role.sender
        if not (self._is_seen(role.sender) and self._is_seen(role.receiver)):
            yield Objection("peer-unseen", f"its peer {peer[0]} {peer[1]} was not seen")
            return
        there = self._filesystem(role.receiver)
        if there is None and role.receiver in self.absences.renamed:
            yield Objection("conflict", f"{role.sender[1]} seems to have been renamed")
        if self._filesystem(role.sender) is None and not self._coming(role):
            why = self.departure.objection(role, place)
            if why is not None:
                yield Objection("peer-gone", f"its peer {peer[0]} {peer[1]} is gone{why}")
            return
        begun = there is None or (there.inconsistent and there.resume_token is not None)
        if not isinstance(self._history_then(role), Common) and not begun:
            said = f"it has no undisputed common version with {peer[0]} {peer[1]}"
            yield Objection("conflict", said)

    def _need(self, role: Role, place: Place) -> Need:
        """The most recent common version stays until a newer one is on both ends."""
        before, sends = self._history(role), self.moves.sends[role.sender, role.receiver]
        guids = {v.guid for send in sends for v in (send.base, *send.versions) if v is not None}
        if isinstance(before, Common):
            guids.add(before.sender.guid)
        peer = role.receiver if place == role.sender else role.sender
        coming, until = (sends[-1].to.guid, sends[-1].id) if sends else self._arrival(role)
        return Need(peer, coming, until, frozenset(guids))

    def _arrival(self, role: Role) -> tuple[int | None, str | None]:
        """Return the common version that a sender gets back from further up, and by which send."""
        then = self._history_then(role)
        if not isinstance(then, Common):
            return None, None
        for send in self._coming(role):
            if then.sender.guid in {version.guid for version in send.versions}:
                return then.sender.guid, send.id
        return None, None

    def _coming(self, role: Role) -> Sequence[Send]:
        """Return what comes to a sender that sends on what it receives."""
        received = isinstance(role.replication.snapshots, Received)
        return self.moves.coming.get(role.sender, ()) if received else ()

    def _history_then(self, role: Role) -> History:
        """Compare the two ends as they are once the sender has what comes to it."""
        coming = self._coming(role)
        if not coming:
            return self._history(role)
        here, there = self._filesystem(role.sender), self._filesystem(role.receiver)
        arrived = tuple(version for send in coming for version in send.versions)
        versions = (*(here.versions if here is not None else ()), *arrived)
        return compare(versions, there.versions) if there is not None else Nothing()

    def _history(self, role: Role) -> History:
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
