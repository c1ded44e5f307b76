"""The second look at everything that is done because a source is gone.

As in `planner.guards`: nothing of the planner's own thoughts is taken over. A filesystem goes only
if everything that was seen in and below it goes before, by destroys that are still in the plan.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace

from reconciler.actions import Destroy, DestroyFilesystem, Release
from reconciler.desired.model import Desired
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.absence import Absence, Absences, Place
from reconciler.planner.departing import needs_a_person, overdue, stays
from reconciler.planner.plan import Blocked, Plan, PlannedAction
from reconciler.planner.returning import SOURCE_GONE
from reconciler.planner.roles import Role
from reconciler.zfs.names import is_within

GUARD = "source-gone"


class Departure:
    """Whether receivers may go whose source is gone."""

    def __init__(
        self,
        desired: Desired,
        observed: Observed,
        absences: Absences,
        now: int,
        allow_destroy: Collection[str],
    ) -> None:
        self.desired = desired
        self.observed = observed
        self.now = now
        self.allow_destroy = allow_destroy
        self._moved = absences.moved
        self._absences = {a.place: a for a in absences.all if a.is_selected}

    def objection(self, role: Role, place: Place) -> str | None:
        """Say what stands against the going of what plays a part; None: nothing does."""
        absence = self._absences.get(place)
        if absence is None or role.receiver != place:
            return ""
        return self.against(absence)

    def at(self, place: Place) -> str | None:
        """Say what stands against the going of a receiver; None: nothing does."""
        absence = self._absences.get(place)
        return "" if absence is None else self.against(absence)

    def against(self, absence: Absence) -> str | None:
        """Say what stands against the going of a receiver whose source is gone."""
        replication = absence.replication
        if absence.place in self._moved:
            return ", or has another name"
        if not overdue(absence, self.now):
            return ""
        allowed = replication.name in self.allow_destroy
        if not allowed and needs_a_person(replication.max_destroy, len(absence.there.snapshots)):
            return ", and nobody has allowed that all of it goes"
        why = stays(absence, self.desired, self.observed)
        return None if why is None else f"; {why}"


def guard_departing(
    plan: Plan, desired: Desired, observed: Observed, allow_destroy: Collection[str] = ()
) -> Plan:
    """Return the plan without the filesystems that may not go and the releases in vain."""
    if not any(_is_asked_for(planned) for planned in plan.actions):
        return plan
    absences = Absences.of(desired, observed)
    departure = Departure(desired, observed, absences, plan.at, allow_destroy)
    destroyed = {p.id: p.action for p in plan.actions if isinstance(p.action, Destroy)}
    needed = {id_ for p in plan.actions for id_ in p.depends_on if p.id in destroyed}
    gone: dict[str, Place] = {}
    actions: list[PlannedAction] = []
    blocked: list[Blocked] = []
    for planned in plan.actions:
        action = planned.action
        if isinstance(action, Release) and planned.reason.code == SOURCE_GONE:
            if planned.id in needed:
                actions.append(planned)
            continue
        if isinstance(action, DestroyFilesystem):
            going = [destroyed[id_] for id_ in planned.depends_on if id_ in destroyed]
            below = [gone[id_] for id_ in planned.depends_on if id_ in gone]
            said = next(_against(action, going, below, departure), None)
            if said is not None:
                blocked.append(Blocked(action.id, action.host, action.filesystem, (), GUARD, said))
                continue
            gone[planned.id] = action.places[0]
        actions.append(planned)
    return replace(plan, actions=tuple(actions), blocked=(*plan.blocked, *blocked))


def _is_asked_for(planned: PlannedAction) -> bool:
    return isinstance(planned.action, DestroyFilesystem) or planned.reason.code == SOURCE_GONE


def _against(
    action: DestroyFilesystem, going: list[Destroy], below: list[Place], departure: Departure
) -> Iterator[str]:
    place = action.places[0]
    seen = departure.observed.get(place[0])
    there = seen.filesystems.get(place[1]) if isinstance(seen, Seen) else None
    if not isinstance(seen, Seen) or there is None or there.guid != action.guid:
        yield "it is not the filesystem that was seen"
        return
    why = departure.at(place)
    if why is not None:
        yield f"no spec asks for it{why}"
    yield from _left(there, going)
    children = {n for n in seen.filesystems if n != place[1] and is_within(n, place[1])}
    yield from (f"{name} is below it" for name in sorted(children - {name for _, name in below}))


def _left(there: Filesystem, going: list[Destroy]) -> Iterator[str]:
    doomed = {
        (version.label, version.guid)
        for destroy in going
        if destroy.filesystem == there.name
        for version in destroy.versions
    }
    for version in there.versions:
        if (version.label, version.guid) not in doomed:
            yield f"{version.label} is in it"
