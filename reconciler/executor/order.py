"""What waits for what in a plan, as its actions become done."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from reconciler.actions import Destroy, Send
from reconciler.planner.plan import PlannedAction
from reconciler.zfs.names import pool_of


def making_room(actions: Sequence[PlannedAction]) -> Mapping[tuple[str, str], frozenset[str]]:
    """Return host and pool of what is received → the destroys there that wait for nothing."""
    received = {
        (p.action.receiver_host, pool_of(p.action.receiver_filesystem))
        for p in actions
        if isinstance(p.action, Send)
    }
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for planned in actions:
        action = planned.action
        if isinstance(action, Destroy) and action.of_snapshots and not planned.depends_on:
            place = (action.host, pool_of(action.filesystem))
            if place in received:
                found[place].add(planned.id)
    return {place: frozenset(ids) for place, ids in found.items()}


class Order:
    """Which actions wait for which. Belongs to one thread.

    A stream waits for what makes room for it, too, but goes on if that fails.
    """

    def __init__(self, actions: Sequence[PlannedAction]) -> None:
        self._dependents: dict[str, list[PlannedAction]] = defaultdict(list)
        self._missing: dict[str, set[str]] = {}
        self._needing_room: dict[str, list[PlannedAction]] = defaultdict(list)
        room = making_room(actions)
        for planned in actions:
            missing = set(planned.depends_on)
            for needed in planned.depends_on:
                self._dependents[needed].append(planned)
            action = planned.action
            if room and isinstance(action, Send):
                pool = pool_of(action.receiver_filesystem)
                for first in room.get((action.receiver_host, pool), ()):
                    missing.add(first)
                    self._needing_room[first].append(planned)
            self._missing[planned.id] = missing

    def is_free(self, planned: PlannedAction) -> bool:
        """Tell whether an action waits for nothing."""
        return not self._missing[planned.id]

    def done(self, planned: PlannedAction) -> Iterator[PlannedAction]:
        """Take an action as done; yield those that wait for nothing more."""
        yield from self._freed(planned, self._dependents[planned.id])
        yield from self.over(planned)

    def over(self, planned: PlannedAction) -> Iterator[PlannedAction]:
        """Take an action as tried, whatever came of it; yield what waits for nothing more."""
        yield from self._freed(planned, self._needing_room[planned.id])

    def _freed(
        self, planned: PlannedAction, waiting: Iterable[PlannedAction]
    ) -> Iterator[PlannedAction]:
        for dependent in waiting:
            missing = self._missing[dependent.id]
            missing.discard(planned.id)
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
