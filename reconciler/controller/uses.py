"""What a run does with a filesystem, and which runs mind each other there. Pure."""

from collections.abc import Iterable, Mapping
from enum import Enum

from reconciler.actions import Action, Bookmark, Hold, Release, Send, Snapshot
from reconciler.controller.keys import Key, Place
from reconciler.planner.plan import Plan


class Use(Enum):
    """What a run does with a place."""

    ALONE = "alone"
    SENDS = "sends"
    """What a pair does at its sending end. Streams begin there, which may take days."""
    SNAPSHOTS = "snapshots"
    """A snapshot is made there and nothing else."""


def minds(use: Use, key: Key, other_use: Use, other: Key) -> bool:
    """Tell whether two runs can't have one place at the same time.

    A stream that takes a day keeps neither the next snapshot waiting nor streams to other
    receivers: each pair has holds and a cursor of its own.
    """
    if use is other_use is Use.SENDS:
        return key == other
    return {use, other_use} != {Use.SENDS, Use.SNAPSHOTS}


def use_of(key: Key, place: Place, action: Action) -> Use:
    """Return what an action of a key does with one of its places."""
    match action:
        case Snapshot():
            return Use.SNAPSHOTS
        case Send():
            sends = action.places[0] == place != action.places[1]
        case Hold() | Release() | Bookmark():
            sends = True
        case _:
            sends = False
    return Use.SENDS if sends and key.receiver and place[0] == key.sender else Use.ALONE


def uses(key: Key, part: Plan) -> Mapping[Place, Use]:
    """Return what a key's part of a plan does with each place that it touches."""
    found: dict[Place, set[Use]] = {}
    for planned in part.actions:
        for place in planned.action.places:
            found.setdefault(place, set()).add(use_of(key, place, planned.action))
    return {place: _together(there) for place, there in found.items()}


def _together(found: Iterable[Use]) -> Use:
    first, *more = found
    return first if not more else Use.ALONE
