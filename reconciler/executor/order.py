"""What waits for what in a plan, as its actions become done."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from reconciler.actions import Destroy, Send
from reconciler.planner.plan import PlannedAction
from reconciler.zfs.names import pool_of

_ROOM = "room"
"""What a stream waits for beside actions: that its receiver's pool has got what room it gets."""


def making_room(actions: Sequence[PlannedAction]) -> Mapping[tuple[str, str], frozenset[str]]:
    """Return host and pool of what is received → the destroys there that wait for nothing."""
    received = set(map(_received_in, actions))
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for planned in actions:
        action = planned.action
        if isinstance(action, Destroy) and action.of_snapshots and not planned.depends_on:
            place = (action.host, pool_of(action.filesystem))
            if place in received:
                found[place].add(planned.id)
    return {place: frozenset(ids) for place, ids in found.items()}


def _received_in(planned: PlannedAction) -> tuple[str, str] | None:
    """Return host and pool where a stream arrives."""
    action = planned.action
    if not isinstance(action, Send):
        return None
    return action.receiver_host, pool_of(action.receiver_filesystem)


class Order:
    """Which actions wait for which. Belongs to one thread.

    A stream waits for what makes room for it, too, but goes on if that fails.
    """

    def __init__(self, actions: Sequence[PlannedAction]) -> None:
        self._dependents: dict[str, list[PlannedAction]] = defaultdict(list)
        self._missing: dict[str, set[str]] = {}
        self._making_room = {pool: set(ids) for pool, ids in making_room(actions).items()}
        self._needing_room: dict[tuple[str, str], list[PlannedAction]] = defaultdict(list)
        for planned in actions:
            self._missing[planned.id] = set(planned.depends_on)
            for needed in planned.depends_on:
                self._dependents[needed].append(planned)
            pool = _received_in(planned)
            if pool in self._making_room:
                self._missing[planned.id].add(_ROOM)
                self._needing_room[pool].append(planned)

    def is_free(self, planned: PlannedAction) -> bool:
        """Tell whether an action waits for nothing."""
        return not self._missing[planned.id]

    def done(self, planned: PlannedAction) -> Iterator[PlannedAction]:
        """Take an action as done; yield those that wait for nothing more."""
        yield from self._freed(planned.id, self._dependents[planned.id])
        yield from self.over(planned)

    def over(self, planned: PlannedAction) -> Iterator[PlannedAction]:
        """Take an action as tried, whatever came of it; yield what waits for nothing more."""
        for pool, left in self._making_room.items():
            if planned.id in left:
                left.discard(planned.id)
                if not left:
                    yield from self._freed(_ROOM, self._needing_room[pool])

    def _freed(self, needed: str, waiting: Iterable[PlannedAction]) -> Iterator[PlannedAction]:
        for dependent in waiting:
            missing = self._missing[dependent.id]
            missing.discard(needed)
            if not missing:
                yield dependent

    def behind(
        self, planned: PlannedAction, may_pass: Callable[[PlannedAction], bool]
    ) -> Iterator[PlannedAction]:
        """Yield what waits for an action, or for what waits for it: each once, if it may pass."""
        found: set[str] = set()
        left = [planned]
        while left:
            for dependent in self._dependents[left.pop().id]:
                if dependent.id not in found and may_pass(dependent):
                    found.add(dependent.id)
                    left.append(dependent)
                    yield dependent

    def following(
        self, actions: Sequence[PlannedAction], may_follow: Callable[[PlannedAction], bool]
    ) -> Iterator[PlannedAction]:
        """Yield what waits for nothing but these actions and one another, each after those."""
        done = {planned.id for planned in actions}
        left = list(actions)
        for planned in left:
            for dependent in self._dependents[planned.id]:
                ready = self._missing[dependent.id] <= done
                if ready and dependent.id not in done and may_follow(dependent):
                    done.add(dependent.id)
                    left.append(dependent)
                    yield dependent
