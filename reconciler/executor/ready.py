"""Actions that wait only for room, and which of them go together.

Going to a host costs more than most things done there, so what is to be done on one pool goes in
one execution: an execution takes all that is ready, and while it runs the next is gathering. What
a stream leaves to be done after it (holds, cursors, releases, destroys) waits for the streams of
the run, so that it is done for many of them at once, but not for long. What waits only for what is
in an execution comes along in it, when nobody else is kept waiting by that.
"""

import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from reconciler.actions import (
    AbortReceive,
    Action,
    Destroy,
    DestroyFilesystem,
    Rename,
    Rollback,
    Send,
    Snapshot,
)
from reconciler.executor.order import Order, making_room
from reconciler.hosts.addresses import Limits
from reconciler.planner.plan import PlannedAction
from reconciler.zfs.names import pool_of

SCRIPTS_PER_HOST = 6
"""Scripts that run on one host at once; sshd allows ten sessions by default (sshd_config(5))."""

TOGETHER = 100
"""Actions in one execution at most, what comes along not counted. What it says is known only when
all of it is done, and each of its commands may wait for a transaction group of its own."""

ABREAST = 4
"""Executions of one kind on one pool at once: their commands share transaction groups."""

GATHERING = 60.0
"""Seconds for which what no stream waits for may wait for the run's streams."""

Demands = tuple[tuple[str, str], ...]
"""(host, kind of work) pairs."""


class Slots:
    """How much runs on each host, and whether there is room for one more execution.

    Safe for threads: several runs may share it.
    """

    def __init__(self, limits: Mapping[str, Limits]) -> None:
        self._limits = limits
        self._used: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def limit(self, limits: Mapping[str, Limits]) -> None:
        """Take other limits; what runs already goes on."""
        with self._lock:
            self._limits = limits

    def take(self, wanted: Demands) -> bool:
        """Take all the room that is wanted; False (and nothing taken) when some is not free."""
        with self._lock:
            if any(self._used[key] >= self._capacity(*key) for key in wanted):
                return False
            self._used.update(wanted)
            return True

    def give_back(self, taken: Demands) -> None:
        """Free room that was taken."""
        with self._lock:
            self._used.subtract(taken)

    def _capacity(self, host: str, kind: str) -> int:
        limits = self._limits.get(host, Limits())
        return {"sends": limits.sends, "receives": limits.receives}.get(kind, SCRIPTS_PER_HOST)


class Lane(NamedTuple):
    """What goes together: work of one kind on one pool.

    A pool may hang, and then so does all that is done on it: other pools must not wait for it.
    """

    demands: Demands
    kind: str
    """Slow kinds have lanes of their own, so that nothing quick waits for them."""
    pool: str = ""

    @classmethod
    def of(cls, action: Action) -> "Lane":
        """Return an action's lane."""
        match action:
            case Send():
                return cls(((action.host, "sends"), (action.receiver_host, "receives")), "sends")
            case Snapshot() if action.hooks:
                # Hooks may take their time: nothing else waits for them, no other hooks either.
                return cls(((action.host, f"hooks of {action.spec}"),), action.id)
            case (
                Snapshot()
                | Destroy()
                | DestroyFilesystem()
                | AbortReceive()
                | Rename()
                | Rollback()
            ):
                kind = action.verb
            case _:
                kind = _MARKS
        return cls(((action.host, "scripts"),), kind, pool_of(action.places[0][1]))

    @property
    def streams(self) -> bool:
        """Whether its actions are streams: each goes alone, as many at once as there is room."""
        return self.kind == "sends"

    @property
    def destroys(self) -> "Lane":
        """The lane of the same pool's destroys."""
        return self._replace(kind=Destroy.verb)

    def takes_along(self, lane: "Lane") -> bool:
        """Tell whether what waits for actions of this lane only may go with them."""
        kinds = {Snapshot.verb: {_MARKS}, _MARKS: {_MARKS, Destroy.verb}}.get(self.kind, set())
        return lane.kind in kinds and lane == self._replace(kind=lane.kind)


_MARKS = "marks"


class Batch(NamedTuple):
    """Actions that go together."""

    lane: Lane
    actions: tuple[PlannedAction, ...]
    along: tuple[PlannedAction, ...] = ()
    """What waits only for these and for one another, each after what it waits for."""


class Ready:
    """The actions that nothing is missing for but room. Belongs to one thread."""

    def __init__(
        self,
        actions: Sequence[PlannedAction],
        order: Order,
        slots: Slots,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._order = order
        self._slots = slots
        self._clock = clock
        self._before_streams = _before_streams(actions)
        self._lanes: dict[Lane, deque[tuple[float, PlannedAction]]] = defaultdict(deque)
        self._busy: Counter[Lane] = Counter()
        self._awaited: Counter[Lane] = Counter()

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return any(self._lanes.values())

    def add(self, planned: PlannedAction) -> None:
        """Put an action behind those that go the same way."""
        lane = Lane.of(planned.action)
        self._lanes[lane].append((self._clock(), planned))
        self._awaited[lane] += planned.id in self._before_streams

    def startable(self) -> Iterator[Batch]:
        """Take out what there is room for."""
        # Streams first: what they leave behind them is worth waiting for.
        for lane, queue in sorted(self._lanes.items(), key=lambda item: not item[0].streams):
            free = not self._busy[lane.destroys]
            for count in self._shares(lane, len(queue)):
                if not self._slots.take(lane.demands):
                    break
                batch = self._batch(lane, [queue.popleft()[1] for _ in range(count)], free=free)
                self._busy[batch.lane] += 1
                self._awaited[lane] -= sum(p.id in self._before_streams for p in batch.actions)
                yield batch

    def _batch(self, lane: Lane, actions: Sequence[PlannedAction], *, free: bool) -> Batch:
        """Return actions with what comes along; `free`: no destroys are under way there.

        With destroys among them they are an execution of destroys: marks that come later do not
        wait for it.
        """

        def may_follow(planned: PlannedAction) -> bool:
            follower = Lane.of(planned.action)
            return lane.takes_along(follower) and (free or follower != lane.destroys)

        along = tuple(self._order.following(actions, may_follow))
        slow = any(isinstance(planned.action, Destroy) for planned in along)
        return Batch(lane.destroys if slow else lane, tuple(actions), along)

    def finished(self, batch: Batch) -> None:
        """Give back the room that was taken."""
        self._busy[batch.lane] -= 1
        self._slots.give_back(batch.lane.demands)

    def _shares(self, lane: Lane, waiting: int) -> Iterator[int]:
        """Yield how many of those that wait in a lane may go together, for each execution."""
        if lane.streams:
            yield from [1] * waiting
        elif waiting and not self._busy[lane] and (not self._flowing() or self._pressing(lane)):
            most = min(waiting, ABREAST * TOGETHER)
            executions = -(-most // TOGETHER)
            yield from (len(range(n, most, executions)) for n in range(executions))

    def _flowing(self) -> bool:
        """Tell whether streams run, or could if there were room."""
        return any(
            lane.streams and (queue or self._busy[lane]) for lane, queue in self._lanes.items()
        )

    def _pressing(self, lane: Lane) -> bool:
        """Tell whether streams wait for something in a lane, or something for too long."""
        waited = self._clock() - self._lanes[lane][0][0]
        return waited >= GATHERING or self._awaited[lane] > 0


def _before_streams(actions: Sequence[PlannedAction]) -> frozenset[str]:
    """Return the ids of the actions that a stream waits for, and of snapshots: those have a time.

    Plans have what is waited for before what waits.
    """
    found = set[str]().union(*making_room(actions).values())
    for planned in reversed(actions):
        if planned.id in found or isinstance(planned.action, Send):
            found.update(planned.depends_on)
        elif isinstance(planned.action, Snapshot):
            found.add(planned.id)
    return frozenset(found)
