"""What becomes of receivers whose source is gone: kept, and said so, unless the spec says more.

With `onSourceGone: {destroyAfter: 90d}` a receiver is marked when its source is first seen gone,
and destroyed when the mark is as old as that: its managed versions, each by name and guid, and then
the filesystem itself, if nothing is left in or below it. The mark is taken away when the source is
back, when it is no longer selected, and when the spec no longer asks.

A mishap looks like a wish here, so it needs a person: `--allow-destroy`, unless `maxDestroy` says
that any share may go.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from reconciler.actions import Action, Destroy, DestroyFilesystem, MarkGone, Reason, Release
from reconciler.desired.model import Desired, MaxDestroy
from reconciler.observed.model import Observed, Seen
from reconciler.planner.absence import Absence, Absences, Place
from reconciler.planner.marks import Ownership, base_tag
from reconciler.planner.objections import clock, future
from reconciler.planner.pairs import is_writable
from reconciler.planner.plan import Blocked, Note, PlannedAction, Severity
from reconciler.planner.retire import BATCH, foreign_holds
from reconciler.planner.returning import SOURCE_GONE, returns
from reconciler.planner.roles import Roles
from reconciler.zfs.names import is_within
from reconciler.zfs.types import Version


@dataclass(slots=True)
class Departures:
    """What is to be done and said about receivers whose source is gone."""

    actions: list[PlannedAction] = field(default_factory=list)
    blocked: list[Blocked] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    next_due: int | None = None
    """When the first grace ends that is still running."""


def departures(
    desired: Desired,
    observed: Observed,
    absences: Absences,
    now: int,
    allow_destroy: Collection[str],
) -> Departures:
    """Return that; `allow_destroy` are the replications whose budget a person has lifted."""
    planner = _Departing(desired, observed, now, allow_destroy)
    gone = [a for a in absences.all if a.is_selected and a.place not in absences.moved]
    # Children first: a parent can go only when they do.
    for absence in sorted(gone, key=lambda a: a.place, reverse=True):
        planner.see_to(absence)
    for absence in gone:
        planner.tell(absence)
    planner.found.actions += returns(desired, observed, absences)
    return planner.found


def stays(absence: Absence, desired: Desired, observed: Observed) -> str | None:
    """Say why nothing is done about a receiver whose source is gone; None: nothing keeps it.

    Neither its mark nor its versions are touched then.
    """
    here, there = observed[absence.sender], observed[absence.target.host]
    if not isinstance(here, Seen) or not isinstance(there, Seen):
        return "its source was not seen"
    return next(_what_keeps(absence, desired, observed, here, there), None)


def _what_keeps(
    absence: Absence, desired: Desired, observed: Observed, here: Seen, there: Seen
) -> Iterator[str]:
    replication, filesystem = absence.replication, absence.there
    if replication.selection.where:
        yield "whether its source was still selected by `where` is not known"
    if replication.suspend:
        yield f"{replication.name} is suspended"
    if filesystem.disabled:
        yield "it is switched off by reconciler:reconcile=disabled"
    if not is_writable(there, filesystem.name):
        yield "its pool takes no changes"
    if not any(replication.selects(here.host, name) for name in here.filesystems):
        yield f"nothing is left on {here.host} of what {replication.name} selects"
    for reader in Roles(desired, observed).selecting(absence.place):
        yield f"it is a source of {reader.name}"
    if filesystem.resume_token is not None or filesystem.inconsistent:
        yield "it has a partial receive"
    if filesystem.snapshots and filesystem.written > 0:
        yield "it was written to"
    objections = (*clock(here), *clock(there), *future(there, filesystem, (replication,)))
    yield from (objection.message for objection in objections)


def overdue(absence: Absence, now: int) -> bool:
    """Tell whether the grace of a receiver is over."""
    grace, since = absence.target.destroy_gone_after, absence.there.gone_since
    return grace is not None and since is not None and since + grace <= now


def needs_a_person(allowed: MaxDestroy, going: int) -> bool:
    """Tell whether the destroy budget lets a filesystem go only if somebody says so."""
    return allowed.share is not None or (allowed.versions is not None and going > allowed.versions)


class _Departing:
    """Looks at one receiver after the other."""

    def __init__(
        self, desired: Desired, observed: Observed, now: int, allow_destroy: Collection[str]
    ) -> None:
        self.desired = desired
        self.observed = observed
        self.now = now
        self.allow_destroy = allow_destroy
        self.found = Departures()
        self.leaving: dict[Place, str] = {}
        """Filesystems that go → by which action."""
        self.said: dict[Place, str] = {}

    def tell(self, absence: Absence) -> None:
        """Say what becomes of a receiver."""
        host, name = absence.place
        said = self.said.get(absence.place)
        if said is not None:
            self.found.notes.append(
                Note(
                    Severity.WARNING,
                    f"{absence.sender} {absence.name} is gone; {host} {name} {said}",
                    absence.replication.name,
                )
            )

    def see_to(self, absence: Absence) -> None:
        """Plan what is to be done about a receiver."""
        since, grace = absence.there.gone_since, absence.target.destroy_gone_after
        why = stays(absence, self.desired, self.observed) if grace or since else None
        if why is not None:
            self.said[absence.place] = f"is kept as it is: {why}"
        elif grace is None:
            self.said[absence.place] = "is kept as it is"
            if since is not None:
                self._mark(absence, None, "`onSourceGone` asks for nothing any more")
        elif since is None or since > self.now:
            self._first_seen(absence, grace)
        elif not overdue(absence, self.now):
            self._due(since + grace)
            self.said[absence.place] = (
                f"is kept until {_moment(since + grace)}: known to be gone since {_moment(since)}"
            )
        else:
            self._let_go(absence, since)

    def _first_seen(self, absence: Absence, grace: int) -> None:
        if not _managed(absence):
            self.said[absence.place] = "is kept as it is: it has no version of ours"
            return
        self._mark(absence, self.now, "first seen gone")
        self._due(self.now + grace)
        self.said[absence.place] = f"is kept until {_moment(self.now + grace)}: first seen gone now"

    def _due(self, at: int) -> None:
        known = self.found.next_due
        self.found.next_due = at if known is None else min(known, at)

    def _mark(self, absence: Absence, since: int | None, why: str) -> None:
        host, name = absence.place
        self._add(absence.replication.name, MarkGone(host, name, absence.there.guid, since), why)

    def _let_go(self, absence: Absence, since: int) -> None:
        host, name = absence.place
        replication = absence.replication
        managed = _managed(absence)
        pinned = {version.guid: why for version in managed if (why := self._pin(absence, version))}
        going = [version for version in managed if version.guid not in pinned]
        left = self._left(absence, going)
        if left is not None:
            self.said[absence.place] = f"itself stays: {left}"
        allowed = replication.name in self.allow_destroy
        if not allowed and needs_a_person(replication.max_destroy, len(going)):
            if going or left is None:
                self.found.blocked.append(self._for_a_person(absence, going))
            return
        why = f"its source is gone since {_moment(since)}, and the spec says `destroyAfter`"
        after = list(self._destroys(absence, going, why))
        if left is None:
            below = [
                id_ for (h, n), id_ in self.leaving.items() if h == host and is_within(n, name)
            ]
            destroy = DestroyFilesystem(host, name, absence.there.guid)
            self._add(replication.name, destroy, why, *after, *below)
            self.leaving[absence.place] = destroy.id

    def _destroys(self, absence: Absence, going: Sequence[Version], why: str) -> Iterator[str]:
        host, name = absence.place
        tag = base_tag(absence.replication.name)
        for start in range(0, len(going), BATCH):
            batch = going[start : start + BATCH]
            held = [Release(host, name, v, tag) for v in batch if tag in v.holds]
            released = [self._add(absence.replication.name, release, why) for release in held]
            destroy = Destroy(host, name, tuple(batch))
            yield self._add(absence.replication.name, destroy, why, *released)

    def _for_a_person(self, absence: Absence, going: Sequence[Version]) -> Blocked:
        host, name = absence.place
        replication = absence.replication.name
        destroy = (
            Destroy(host, name, tuple(going)).id if going else f"destroy-filesystem:{host}:{name}"
        )
        return Blocked(
            destroy,
            host,
            name,
            tuple(going),
            "budget",
            f"{absence.sender} {absence.name} is gone, and all of it would go",
            f"look at the plan, then: reconciler apply --allow-destroy {replication}",
        )

    def _pin(self, absence: Absence, version: Version) -> str | None:
        host, name = absence.place
        holds = foreign_holds(version, frozenset({base_tag(absence.replication.name)}))
        if holds:
            return f"{version.label} is held by {', '.join(holds)}"
        return f"{version.label} has a clone" if version.of(name) in self._clones(host) else None

    def _left(self, absence: Absence, going: Sequence[Version]) -> str | None:
        """Say what of a receiver is left when its managed versions are gone; None for nothing."""
        host, name = absence.place
        guids = {version.guid for version in going}
        for version in absence.there.versions:
            if not version.is_snapshot or version.guid not in guids:
                return self._pin(absence, version) or f"{version.label} is not ours"
        seen = self.observed[host]
        below = (
            [n for n in seen.filesystems if n != name and is_within(n, name)]
            if isinstance(seen, Seen)
            else []
        )
        kept = next((n for n in sorted(below) if (host, n) not in self.leaving), None)
        if kept is not None:
            return f"{kept} is below it"
        if not absence.there.snapshots and not absence.there.readonly:
            return "it may have been written to"
        return None

    def _clones(self, host: str) -> frozenset[str]:
        seen = self.observed[host]
        return seen.origins if isinstance(seen, Seen) else frozenset()

    def _add(self, replication: str, action: Action, why: str, *after: str) -> str:
        depends = tuple(sorted(after))
        self.found.actions.append(
            PlannedAction(action, Reason(SOURCE_GONE, why), replication, depends)
        )
        return action.id


def _managed(absence: Absence) -> tuple[Version, ...]:
    ours = Ownership.of(absence.replication)
    return tuple(version for version in absence.there.snapshots if ours.on_receiver(version))


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
