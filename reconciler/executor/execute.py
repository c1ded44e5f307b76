"""Run a plan's actions in the order their dependencies ask for, as many at once as hosts allow.

One failure stops only what depends on it.
"""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue

from reconciler.actions import Action, Done, Failed, Narrowed, Send, Verdict
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
from reconciler.executor.order import Order
from reconciler.executor.perform import Performer
from reconciler.executor.progress import Progress
from reconciler.executor.ready import Batch, Ready, Slots
from reconciler.executor.transfer import Transfer
from reconciler.hosts.addresses import at_once
from reconciler.hosts.fleet import Fleet
from reconciler.planner.plan import Plan, PlannedAction
from reconciler.zfs.errors import Failure, FailureKind, Reaction
from reconciler.zfs.types import Version

OnEvent = Callable[[Event], None]

Verdicts = dict[str, Verdict]
"""What came of actions, by their ids. What was not begun is not in it."""

MustWait = Callable[[PlannedAction], str | None]

WORKERS = 32

ROOM_POLL = 0.5
"""Seconds after which it is looked again whether another run has left some room."""


def execute(  # noqa: PLR0913 - what it needs
    plan: Plan,
    desired: Desired,
    fleet: Fleet,
    on_event: OnEvent,
    stop: threading.Event,
    *,
    workers: Executor | None = None,
    slots: Slots | None = None,
    must_wait: MustWait = lambda _: None,
) -> RunResult:
    """Run a plan. `on_event` is called from several threads, but one call at a time.

    Once `stop` is set no further action is begun; those that run are waited for. `workers` is what
    runs the actions, a pool of threads unless given. Runs at the same time share `slots`, so that
    together they ask no more of a host than its limits. `must_wait` says why a stream is not to be
    begun now, though the plan has it: that depends on when its turn comes.
    """
    slots = slots or Slots({name: address.limits for name, address in desired.hosts.items()})
    run = _Run(plan, slots, fleet, on_event, stop, must_wait)
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


class _Run:
    """The state of one execution. Only the calling thread changes it."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it needs
        self,
        plan: Plan,
        slots: Slots,
        fleet: Fleet,
        on_event: OnEvent,
        stop: threading.Event,
        must_wait: MustWait,
    ) -> None:
        self.plan = plan
        self.order = Order(plan.actions)
        self.ready = Ready(plan.actions, self.order, slots)
        self.ledger = Ledger()
        self.performer = Performer(fleet, Transfer(fleet), self.ledger.resolve, stop.wait)
        self.stop = stop
        self.must_wait = must_wait
        self._on_event = on_event
        self._event_lock = threading.Lock()
        for planned in plan.actions:
            if self.order.is_free(planned):
                self.ready.add(planned)
        self.verdicts: dict[str, Verdict] = {}
        self.skipped: set[str] = set()

    def run(self, pool: Executor) -> RunResult:
        running: dict[Future[Verdicts], Batch] = {}
        finished: SimpleQueue[Future[Verdicts]] = SimpleQueue()
        while True:
            for batch in self.ready.startable() if not self.stop.is_set() else ():
                if self._put_off(batch):
                    continue
                future = pool.submit(self._work, batch)
                running[future] = batch
                future.add_done_callback(finished.put)
            waits = not self.stop.is_set() and bool(self.ready)
            if not running and not waits:
                return self._result()
            # Room may be taken by another run, which tells nobody when it gives it back.
            if not running:
                self.stop.wait(ROOM_POLL)
                continue
            with suppress(Empty):
                future = finished.get(timeout=ROOM_POLL if waits else None)
                batch = running.pop(future)
                self.ready.finished(batch)
                self._finish(batch, future.result())

    def _put_off(self, batch: Batch) -> bool:
        """Leave out a stream that must wait, and what depends on it."""
        because = self.must_wait(batch.actions[0]) if batch.lane.streams else None
        if because is None:
            return False
        self.ready.finished(batch)
        for planned in batch.actions:
            self.skipped.add(planned.id)
            self._tell(Skipped(planned.id, planned.action, because))
            self._skip_dependents(planned, because)
        return True

    def _work(self, batch: Batch) -> Verdicts:
        began = time.monotonic()
        for planned in batch.actions:
            self._tell(Started(planned.id, planned.action))
        verdicts = self._perform(batch)
        for planned in batch.along:
            if planned.id in verdicts:
                self._tell(Started(planned.id, planned.action))
        for planned in (*batch.actions, *batch.along):
            match verdicts.get(planned.id):
                case Failed(failure, printed):
                    self._tell(ActionFailed(planned.id, planned.action, failure, printed))
                case Done(note=note, printed=printed):
                    seconds = time.monotonic() - began
                    self._tell(Completed(planned.id, planned.action, seconds, note, printed))
        return verdicts

    def _perform(self, batch: Batch) -> Verdicts:
        every = (*batch.actions, *batch.along)
        try:
            if len(every) == 1:
                return {every[0].id: self._perform_alone(every[0])}
            numbers = {planned.id: number for number, planned in enumerate(every)}
            verdicts = self.performer.perform_together(
                [p.action for p in every if not isinstance(p.action, Send)],
                [[numbers[i] for i in p.depends_on if i in numbers] for p in every],
            )
        except Exception as error:  # noqa: BLE001 - the worker's boundary: others must go on
            if len(every) > 1:
                return {p.id: self._perform(Batch(batch.lane, (p,)))[p.id] for p in batch.actions}
            message = f"this is a bug in reconciler: {type(error).__name__}: {error}"
            return {every[0].id: Failed(Failure(FailureKind.UNKNOWN, Reaction.PERMANENT, message))}
        return {p.id: verdict for p, verdict in zip(every, verdicts, strict=True) if verdict}

    def _perform_alone(self, planned: PlannedAction) -> Verdict:
        return self.performer.perform(planned.action, partial(self._progress, planned))

    def _progress(self, planned: PlannedAction, found: Progress) -> None:
        if isinstance(planned.action, Send):
            self._tell(Progressed(planned.id, planned.action, found.bytes, found.estimate))

    def _finish(self, batch: Batch, verdicts: Verdicts) -> None:
        """Take in what came of a batch; what came along and was not begun may be now."""
        self.verdicts |= verdicts
        for planned in (*batch.actions, *batch.along):
            match verdicts.get(planned.id):
                case Done() as done:
                    self.ledger.learn(done)
                    self._add(self.order.done(planned))
                case Failed() | Narrowed():
                    self._skip_dependents(planned, f"{_name(planned.action)} failed")
                    self._add(self.order.over(planned))

    def _add(self, freed: Iterable[PlannedAction]) -> None:
        for planned in freed:
            if self._is_open(planned):
                self.ready.add(planned)

    def _is_open(self, planned: PlannedAction) -> bool:
        return planned.id not in self.skipped and planned.id not in self.verdicts

    def _skip_dependents(self, planned: PlannedAction, because: str) -> None:
        for dependent in self.order.behind(planned, self._is_open):
            self.skipped.add(dependent.id)
            self._tell(Skipped(dependent.id, dependent.action, because))

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
