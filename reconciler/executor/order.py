"""What waits for what in a plan, as its actions become done."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from reconciler.planner.plan import PlannedAction


class Order:
    """Which actions wait for which. Belongs to one thread."""

    def __init__(self, actions: Iterable[PlannedAction]) -> None:
        self._dependents: dict[str, list[PlannedAction]] = defaultdict(list)
        self._missing: dict[str, set[str]] = {}
        for planned in actions:
            self._missing[planned.id] = set(planned.depends_on)
            for needed in planned.depends_on:
                self._dependents[needed].append(planned)

    def done(self, planned: PlannedAction) -> Iterator[PlannedAction]:
        """Take an action as done; yield those that wait for nothing more."""
        for dependent in self._dependents[planned.id]:
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
