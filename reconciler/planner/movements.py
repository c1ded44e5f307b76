"""What a finished plan brings to each filesystem and takes away from it, as its actions say."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.actions import Destroy, Send, Snapshot
from reconciler.planner.plan import Plan, PlannedAction
from reconciler.planner.roles import Place


class Arrival(NamedTuple):
    """What a snapshot or a send brings."""

    places: tuple[Place, ...]
    replication: str
    versions: int
    """Versions for each of the places."""


def _ids() -> defaultdict[Place, set[int]]:
    return defaultdict(set)


@dataclass(frozen=True, slots=True)
class Movements:
    """All that is brought and taken away."""

    sends: defaultdict[tuple[Place, ...], list[Send]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """Sender and receiver → what is sent, in order."""
    coming: defaultdict[Place, list[Send]] = field(default_factory=lambda: defaultdict(list))
    """What is brought to a receiver, which may be a sender to others."""
    arrivals: dict[str, Arrival] = field(default_factory=dict)
    """By the id of the action."""
    origins: set[tuple[str, str]] = field(default_factory=set)
    """Host and full name of snapshots that clones are received from."""
    doomed: defaultdict[Place, set[int]] = field(default_factory=_ids)
    """The guids of snapshots that are destroyed."""
    doomed_first: defaultdict[Place, set[int]] = field(default_factory=_ids)
    """Those that are destroyed without waiting for anything to arrive."""
    _awaited: dict[Place, set[str]] = field(default_factory=dict)
    """What all other destroys of a filesystem's snapshots wait for."""

    @classmethod
    def of(cls, plan: Plan) -> "Movements":
        """Return what a plan moves; a destroy comes after all that it waits for."""
        found = cls()
        for planned in plan.actions:
            match planned.action:
                case Send() as send:
                    found._send(planned.replication, send)
                case Snapshot() as snapshot:
                    arrival = Arrival(snapshot.places, planned.replication, 1)
                    found.arrivals[snapshot.id] = arrival
                case Destroy() as destroy:
                    found._destroy(planned, destroy)
        return found

    def _send(self, replication: str, send: Send) -> None:
        if send.origin is not None:
            self.origins.add((send.receiver_host, send.origin.snapshot))
        self.sends[send.places].append(send)
        self.coming[send.places[1]].append(send)
        self.arrivals[send.id] = Arrival(send.places[1:], replication, len(send.versions))

    def _destroy(self, planned: PlannedAction, destroy: Destroy) -> None:
        guids = {version.guid for version in destroy.versions if version.is_snapshot}
        if guids:
            place, awaited = destroy.places[0], set(planned.depends_on)
            self.doomed[place] |= guids
            if self.brings(awaited, place):
                self._awaited[place] = self._awaited.get(place, awaited) & awaited
            else:
                self.doomed_first[place] |= guids

    def brings(self, actions: Collection[str], place: Place) -> bool:
        """Tell whether one of these actions brings something to a place."""
        return any(place in self.arrivals[id_].places for id_ in actions if id_ in self.arrivals)

    def awaited_versions(self, place: Place, replication: str) -> int:
        """Return how many versions of a replication come before what waits for any goes."""
        awaited = self._awaited.get(place, ())
        arrivals = (self.arrivals[id_] for id_ in awaited if id_ in self.arrivals)
        return sum(
            a.versions for a in arrivals if a.replication == replication and place in a.places
        )
