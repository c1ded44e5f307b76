"""Run a plan's actions in the order their dependencies ask for, as many at once as hosts allow.

One failure stops only what depends on it.
"""

import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue

from reconciler.actions import Action, Done, Failed, Send, Verdict
from reconciler.desired.model import Desired
from reconciler.executor.events import (
    ActionFailed,
    Completed,
    Event,
    Progressed,
    RunResult,
    Skipped,
    Started,
)
from reconciler.executor.perform import Performer
from reconciler.executor.transfer import Transfer
from reconciler.hosts.addresses import Limits, at_once
from reconciler.hosts.fleet import Fleet
from reconciler.planner.plan import Plan, PlannedAction
from reconciler.zfs.errors import Failure, FailureKind, Reaction
from reconciler.zfs.types import Version

OnEvent = Callable[[Event], None]

SCRIPTS_PER_HOST = 6
"""Scripts that run on one host at once; sshd allows ten sessions by default (sshd_config(5))."""

WORKERS = 32

ROOM_POLL = 0.5
"""Seconds after which it is looked again whether another run has left some room."""

Demands = tuple[tuple[str, str], ...]
"""(host, kind of work) pairs."""


def execute(  # noqa: PLR0913 - what it needs
    plan: Plan,
    desired: Desired,
    fleet: Fleet,
    on_event: OnEvent,
    stop: threading.Event,
    *,
    workers: Executor | None = None,
    slots: "Slots | None" = None,
) -> RunResult:
    """Run a plan. `on_event` is called from several threads, but one call at a time.

    Once `stop` is set no further action is begun; those that run are waited for. `workers` is what
    runs the actions, a pool of threads unless given. Runs at the same time share `slots`, so that
    together they ask no more of a host than its limits.
    """
    slots = slots or Slots({name: address.limits for name, address in desired.hosts.items()})
    run = _Run(plan, slots, fleet, on_event, stop)
    count = at_once(desired.hosts.values(), WORKERS)
    with workers or ThreadPoolExecutor(max_workers=count) as pool:
        return run.run(pool)


class Ledger:
    """The real versions behind the promised ones, as they become known."""

    def __init__(self) -> None:
        self._known: dict[int, Version] = {}

    def learn(self, verdict: Done) -> None:
        """Remember what an action made."""
        self._known.update(verdict.learned)

    def resolve(self, version: Version) -> Version:
        """Return the real version; the holds are still those the plan knew."""
        return self._known[version.guid] if version.is_planned else version


class Slots:
    """How much runs on each host, and whether there is room for one more action.

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


def demands(action: Action) -> Demands:
    """Return the room an action needs."""
    if isinstance(action, Send):
        return (action.host, "sends"), (action.receiver_host, "receives")
    return ((action.host, "scripts"),)


class _Run:
    """The state of one execution. Only the calling thread changes it."""

    def __init__(
        self,
        plan: Plan,
        slots: Slots,
        fleet: Fleet,
        on_event: OnEvent,
        stop: threading.Event,
    ) -> None:
        self.plan = plan
        self.slots = slots
        self.ledger = Ledger()
        self.performer = Performer(fleet, Transfer(fleet), self.ledger.resolve, stop.wait)
        self.stop = stop
        self._on_event = on_event
        self._event_lock = threading.Lock()
        self.missing = {p.id: len(p.depends_on) for p in plan.actions}
        self.dependents: dict[str, list[PlannedAction]] = defaultdict(list)
        for planned in plan.actions:
            for needed in planned.depends_on:
                self.dependents[needed].append(planned)
        self.queues: dict[Demands, deque[PlannedAction]] = defaultdict(deque)
        for planned in plan.actions:
            if not planned.depends_on:
                self._enqueue(planned)
        self.verdicts: dict[str, Verdict] = {}
        self.skipped: set[str] = set()

    def run(self, pool: Executor) -> RunResult:
        running: dict[Future[Verdict], PlannedAction] = {}
        finished: SimpleQueue[Future[Verdict]] = SimpleQueue()
        while True:
            for planned in self._startable() if not self.stop.is_set() else ():
                future = pool.submit(self._work, planned)
                running[future] = planned
                future.add_done_callback(finished.put)
            waits = not self.stop.is_set() and any(self.queues.values())
            if not running and not waits:
                return self._result()
            # Room may be taken by another run, which tells nobody when it gives it back.
            if not running:
                self.stop.wait(ROOM_POLL)
                continue
            with suppress(Empty):
                future = finished.get(timeout=ROOM_POLL if waits else None)
                self._finish(running.pop(future), future.result())

    def _enqueue(self, planned: PlannedAction) -> None:
        """Put an action that waits only for room behind those that need the same room."""
        self.queues[demands(planned.action)].append(planned)

    def _startable(self) -> Iterator[PlannedAction]:
        """Take what there is room for out of the queues."""
        for wanted, queue in self.queues.items():
            while queue and self.slots.take(wanted):
                yield queue.popleft()

    def _work(self, planned: PlannedAction) -> Verdict:
        action = planned.action
        began = time.monotonic()
        self._tell(Started(planned.id, action))
        verdict = self._perform(action, planned.id)
        match verdict:
            case Failed(failure):
                self._tell(ActionFailed(planned.id, action, failure))
            case Done(note=note):
                self._tell(Completed(planned.id, action, time.monotonic() - began, note))
        return verdict

    def _perform(self, action: Action, id_: str) -> Verdict:
        def on_bytes(sent: int) -> None:
            if isinstance(action, Send):
                self._tell(Progressed(id_, action, sent))

        try:
            return self.performer.perform(action, on_bytes)
        except Exception as error:  # noqa: BLE001 - the worker's boundary: others must go on
            message = f"this is a bug in reconciler: {type(error).__name__}: {error}"
            return Failed(Failure(FailureKind.UNKNOWN, Reaction.PERMANENT, message))

    def _finish(self, planned: PlannedAction, verdict: Verdict) -> None:
        self.slots.give_back(demands(planned.action))
        self.verdicts[planned.id] = verdict
        if not isinstance(verdict, Done):
            self._skip_dependents(planned, f"{_name(planned.action)} failed")
            return
        self.ledger.learn(verdict)
        for dependent in self.dependents[planned.id]:
            self.missing[dependent.id] -= 1
            if self.missing[dependent.id] == 0 and dependent.id not in self.skipped:
                self._enqueue(dependent)

    def _skip_dependents(self, planned: PlannedAction, because: str) -> None:
        left = [planned]
        while left:
            for dependent in self.dependents[left.pop().id]:
                if dependent.id not in self.skipped:
                    self.skipped.add(dependent.id)
                    self._tell(Skipped(dependent.id, dependent.action, because))
                    left.append(dependent)

    def _tell(self, event: Event) -> None:
        with self._event_lock:
            self._on_event(event)

    def _result(self) -> RunResult:
        left = [p for p in self.plan.actions if p.id not in self.verdicts]
        for planned in left:
            if planned.id not in self.skipped:
                self._tell(Skipped(planned.id, planned.action, "interrupted"))
        return RunResult(
            completed=tuple(
                p for p in self.plan.actions if isinstance(self.verdicts.get(p.id), Done)
            ),
            failed=tuple(
                (p, verdict.failure)
                for p in self.plan.actions
                if isinstance(verdict := self.verdicts.get(p.id), Failed)
            ),
            skipped=tuple(left),
            interrupted=self.stop.is_set(),
        )


def _name(action: Action) -> str:
    """Return what an action is called in the reason of another one's being skipped."""
    host, filesystem = action.places[0]
    return f"{action.verb} of {host} {filesystem}"
