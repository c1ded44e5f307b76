"""What is done about what is heard, and what becomes of work that was done.

Level-triggered: whatever is heard only puts keys into the queue. The engine has no threads, no
clock and no randomness of its own; they are given, so that a year can be lived through in minutes.
"""

import threading
from collections.abc import Iterable, Mapping

from reconciler.controller.assess import Report
from reconciler.controller.flight import Flight
from reconciler.controller.keys import Key, concerned, neighbours
from reconciler.controller.law import Law
from reconciler.controller.memory import Memory
from reconciler.controller.queue import WorkQueue
from reconciler.controller.surroundings import Surroundings
from reconciler.controller.work import Work
from reconciler.controller.world import Ask, World
from reconciler.desired.model import Desired
from reconciler.executor.observe import Readings, observe_host
from reconciler.hosts.fleet import Fleet
from reconciler.observed.model import Observation, Unseen
from reconciler.planner.snapshotting import next_due
from reconciler.planner.waiting import next_opening
from reconciler.report.status import Outcome

START_SPREAD = 10.0
"""Seconds over which the first runs are spread."""

COME_BACK = 1.0
"""Seconds after which a key comes up again that found its filesystems in use."""

COME_BACK_LATE = 60.0
"""The same while streams go on, which may be what is in the way. When they end it is woken."""


class Engine:
    """The queue and all around it. Safe for threads; one lock guards what is remembered."""

    def __init__(
        self,
        around: Surroundings,
        *,
        resync: float,
        dry_run: bool = False,
        ask: Ask | None = None,
    ) -> None:
        self.around = around
        self.resync = resync
        """Seconds after which everything is looked at, whatever was heard; a tenth more or less."""
        self.lock = threading.RLock()
        self.queue: WorkQueue[Key] = WorkQueue(around.chance)
        self.world = World(
            self._ask,
            around.ticks,
            around.chance,
            around.telemetry,
            max_age=resync * 0.8,
            each=around.each,
        )
        self._given = ask
        self._readings = Readings()
        self.law: Law | None = None
        self.memory = Memory()
        self.working = Work(around, self.world, lambda: self.law, self._landed, dry_run=dry_run)
        self._suspended: Mapping[str, str] = {}
        self._left: set[Key] = set()
        """Keys that wait for filesystems that others use."""

    # -- what is heard ----------------------------------------------------------------------------

    def adopt(self, desired: Desired, fleet: Fleet) -> None:
        """Put specs into force: what changed is looked at now, what is gone is forgotten."""
        with self.lock:
            old, now = self.law, self.around.ticks()
            self.law = Law.of(desired, fleet, self._suspended)
            self.working.slots.limit(self.law.limits)
            self.working.adopted()
            if old is not None:
                self.working.policy.adopted(old.desired, desired)
                self._forget(old, self.law)
            new = self.law.new_since(old)
            spread = START_SPREAD if old is None and len(new) > 1 else 0.0
            for key in new:
                self._come_up(key, now + self.around.chance.uniform(0, spread))

    def suspend(self, names: Mapping[str, str]) -> None:
        """Take over what people suspended, with the reasons; what is resumed is looked at now."""
        with self.lock:
            self._suspended = dict(names)
            if self.law is None or self.law.suspended == names:
                return
            changed = self.law.suspended.keys() ^ names.keys()
            self.law = self.law.suspending(names)
            self.wake(key for key in self.law.keys if key.replication in changed)

    def ask_for(self, name: str) -> bool:
        """Have a replication looked at now; False when the specs have none of that name."""
        with self.lock:
            if self.law is None or name not in self.law.desired.replications:
                return False
            keys = [key for key in self.law.keys if key.replication == name]
            for host in sorted({host for key in keys for host in key.ends}):
                self.world.doubt(host)
            self.wake(keys)
            return True

    def wake(self, keys: Iterable[Key] | None = None) -> None:
        """Have keys done as soon as possible; all of them when none are given."""
        with self.lock:
            if keys is None:
                keys = self.law.keys if self.law is not None else ()
            for key in keys:
                self._come_up(key, self.around.ticks())

    def changed(self, host: str, filesystems: frozenset[str] | None) -> None:
        """Hear that something changed on a host; None: anything may have."""
        self.world.changed(host, filesystems)
        with self.lock:
            if self.law is None:
                return
            self._hint(concerned(self.law.desired, self.law.keys_at, host, filesystems))

    def hears(self, host: str, *, is_open: bool) -> None:
        """Hear that a host's event stream was opened or broke."""
        was = self.world.is_heard(host)
        self.world.hears(host, is_open=is_open)
        with self.lock:
            if is_open and not was and self.law is not None:
                self.wake(concerned(self.law.desired, self.law.keys_at, host, None))

    # -- the work ---------------------------------------------------------------------------------

    def take(self) -> Key | None:
        """Take up a key, if one is due."""
        with self.lock:
            taken = self.queue.take(self.around.ticks())
        if taken is None:
            return None
        self.around.telemetry.taken(taken.key.kind, max(0.0, taken.waited))
        return taken.key

    def next_at(self) -> float | None:
        """Return the tick at which a key is due next."""
        with self.lock:
            return self.queue.next_at()

    def work(self, key: Key) -> None:
        """Work on a key that was taken up, and give it back."""
        with self.lock:
            law = self.law
            if law is None or key not in law.keys:
                self._drop(key, 0.0)
                return
            before = self.memory.reports.get(key)
        try:
            flight = self.working.do(key, law, before)
        except Exception:
            with self.lock:
                self.queue.failed(key, self.around.ticks())
            self.around.telemetry.reconciled(key.kind, "error", 0.0)
            raise
        with self.lock:
            if not flight.concluded:
                # Only streams are left, and they may take days. The key is free for what else
                # there is to do; what the streams touch is not.
                flight.is_away = True
                now = self.around.ticks()
                self.queue.set_aside(key, now, self._next(key, law))
                self.around.telemetry.reconciled(key.kind, "requeue_after", now - flight.began)

    def _landed(self, flight: Flight, report: Report) -> None:
        """Remember what a run came to, and give its key back, unless that was done before."""
        key, did = flight.key, bool(flight.result and flight.result.completed)
        with self.lock:
            flight.concluded = True
            law = self.law
            if law is None or key not in law.keys:
                if not flight.is_away:
                    self._drop(key, report.seconds)
                return
            report = self.memory.weigh(key, report, did=flight.done)
            if flight.policy:
                self.memory.tell(key, report, flight.policy)
            if self.memory.remember(key, report, did=did):
                self._tell(key, report)
            if flight.is_away:
                self._come_back(key, report)
            else:
                result = self._give_back(key, law, report, did=did)
                self.around.telemetry.reconciled(key.kind, result, report.seconds)
            self._wake_others(flight, law, report, did=did)

    def _drop(self, key: Key, seconds: float) -> None:
        """Give back a key that the specs do not have any more."""
        self.queue.forget([key])
        self.queue.succeeded(key, self.around.ticks(), None)
        self.around.telemetry.reconciled(key.kind, "success", seconds)

    def _come_back(self, key: Key, report: Report) -> None:
        """Have a key looked at whose streams have ended."""
        if report.outcome is Outcome.FAILED:
            self.queue.failed_aside(key, self.around.ticks())
            self.around.telemetry.retried(key.kind)
        else:
            self._come_up(key, self.around.ticks())

    def _give_back(self, key: Key, law: Law, report: Report, *, did: bool) -> str:
        now, following = self.around.ticks(), self._next(key, law)
        if report.outcome is Outcome.FAILED and report.hopeless:
            self.queue.hopeless(key, now, following)
            return "terminal"
        if report.outcome is Outcome.FAILED:
            self.queue.failed(key, now, following)
            self.around.telemetry.retried(key.kind)
            return "error"
        self.queue.succeeded(key, now, following)
        if did:
            self._come_up(key, now)
        return "requeue_after" if did else "success"

    def _wake_others(self, flight: Flight, law: Law, report: Report, *, did: bool) -> None:
        key = flight.key
        if did:
            self.wake(neighbours(key, law.keys_at, law.desired))
        self._left.discard(key)
        if flight.result is not None:
            left, self._left = self._left, set()
            self._hint(sorted(left))
        if report.left:
            self._left.add(key)
        if report.left and report.outcome is not Outcome.FAILED:
            streams = any(other.is_away for other in self.working.flights)
            self.queue.add_at(key, self.around.ticks() + (COME_BACK_LATE if streams else COME_BACK))

    def _tell(self, key: Key, report: Report) -> None:
        level = {Outcome.FAILED: "error", Outcome.BLOCKED: "warning"}.get(report.outcome, "info")
        self.around.journal.said(
            level, f"{key}: {report.message}", replication=key.replication, reason=report.reason
        )

    # -- when --------------------------------------------------------------------------------------

    def _come_up(self, key: Key, at: float) -> None:
        if at > self.around.ticks():
            self.queue.add_at(key, at)
        elif not self.queue.add(key, at):
            return
        self.around.telemetry.queued(key.kind)

    def _hint(self, keys: Iterable[Key]) -> None:
        """Have keys done as soon as possible, but for those in delay after a failure."""
        now = self.around.ticks()
        for key in keys:
            if self.queue.add(key, now, hint=True):
                self.around.telemetry.queued(key.kind)

    def _next(self, key: Key, law: Law) -> float:
        """Return the tick at which a key is to be looked at though nothing was heard."""
        now = self.around.ticks()
        at = now + self.resync * self.around.chance.uniform(0.9, 1.1)
        clock = self.around.clock()
        replication = law.effective.replications[key.replication]
        if key.receiver:
            due = next_opening(replication, int(clock))
        else:
            due = next_due([replication], int(clock))
        return at if due is None else min(at, now + max(0.0, due - clock))

    def _forget(self, old: Law, new: Law) -> None:
        gone = set(old.keys) - set(new.keys)
        self._left -= gone
        self.queue.forget(gone)
        self.memory.forget(
            gone,
            old.desired.replications.keys() - new.desired.replications.keys(),
            old.desired.hosts.keys() - new.desired.hosts.keys(),
        )
        self.world.forget(new.moved_since(old))
        self._readings.forget(new.moved_since(old))

    def _observe(self, host: str, law: Law) -> Observation:
        if self._given is not None:
            return self._given(host)
        asked = law.roots[host], law.fleet, self.around.clock, law.properties[host]
        with self._readings.lend(host) as remembered:
            return observe_host(host, *asked, remembered=remembered)

    def _ask(self, host: str) -> Observation:
        """Look at a host, and remember how that went."""
        with self.lock:
            law = self.law
        if law is None or host not in law.roots:
            return Unseen(host, "it is not in the specs any more")
        began = self.around.ticks()
        observation = self._observe(host, law)
        took = self.around.ticks() - began
        with self.lock:
            if self.law is None or host not in self.law.roots:
                return observation
            news = self.memory.seen(observation, int(self.around.clock()), took)
        if news and isinstance(observation, Unseen):
            self.around.journal.said("warning", f"not seen: {observation.cause}", host=host)
        return observation
