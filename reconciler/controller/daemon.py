"""The controller as a process: threads around the engine, from start to SIGTERM.

One loop, about once a second or when something rings: it takes in new specs and what people ask,
hands due keys to workers, and writes the status down when it has changed. Everything that may take
long (hosts, streams) is in other threads, so that the loop's heartbeat says whether it lives.
"""

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass

from reconciler.controller import requests
from reconciler.controller.ears import Ears
from reconciler.controller.engine import Engine
from reconciler.controller.fleets import Fleets, MakeFleet
from reconciler.controller.journal import Journal
from reconciler.controller.keys import Key
from reconciler.controller.notify import Notifier
from reconciler.controller.requests import Requests
from reconciler.controller.specs import SpecKeeper
from reconciler.controller.statedir import StateDir
from reconciler.controller.statement import Statement
from reconciler.controller.surroundings import Surroundings
from reconciler.controller.threads import wait_while
from reconciler.controller.watching import Watcher
from reconciler.desired.model import Desired
from reconciler.hosts.fleet import Fleet
from reconciler.report.telemetry import Telemetry

WORKERS = 8
"""Keys that are worked on at once."""

BEAT = 1.0
"""Seconds between two rounds of the loop, at most."""

JUMP = 5.0
"""Seconds by which the clock may go wrong against the ticks before everything is looked at anew."""

FAREWELL = 1.0
"""Seconds of the grace period that are kept for writing down how it ended."""

SHORT_GRACE = 0.6
"""The share of the grace period that short actions have to end before streams are cut."""


@dataclass(frozen=True)
class Parts:
    """What the daemon is put together from."""

    keeper: SpecKeeper
    state: StateDir
    make_fleet: MakeFleet
    telemetry: Telemetry
    journal: Journal
    notifier: Notifier
    statement: Statement
    surroundings: Surroundings
    resync: float
    grace: float
    """Seconds from SIGTERM to the end."""
    dry_run: bool = False


class Daemon:
    """Runs until `stop`."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.engine = Engine(parts.surroundings, resync=parts.resync, dry_run=parts.dry_run)
        self.engine.memory.recall(parts.statement.current())
        self._fleets = Fleets(parts.make_fleet)
        self._bell = threading.Event()
        self._ending = threading.Event()
        self._ears = Ears(self._changed, self._hears, parts.telemetry, parts.journal)
        self._busy: set[Key] = set()
        self._lock = threading.Lock()
        self._asked: Requests | None = None
        self._said = ""
        self._new_specs = threading.Event()
        self._stirred = threading.Event()
        self._reloads = threading.Event()
        self._problem: str | None = None
        """Why the newest specs are not in force, as it was logged."""
        self._offset = self._clock_offset()

    # -- from other threads and signal handlers ----------------------------------------------------

    def stop(self) -> None:
        """Take no more work; `run` returns within the grace period."""
        self._ending.set()
        self._bell.set()

    def reload(self) -> None:
        """Look at the specs and at everything now (SIGHUP)."""
        self._reloads.set()
        self._bell.set()

    def _changed(self, host: str, filesystems: frozenset[str] | None) -> None:
        self.engine.changed(host, filesystems)
        self._ring()

    def _hears(self, host: str, is_open: bool) -> None:  # noqa: FBT001 - a callback's shape
        self.engine.hears(host, is_open=is_open)
        self._ring()

    def _ring(self) -> None:
        self.parts.statement.outdate()
        self._bell.set()

    # -- the loop ----------------------------------------------------------------------------------

    def run(self) -> bool:
        """Go round until `stop`, then end what runs; False when something did not end in time."""
        with ExitStack() as stack:
            watched = self.parts.keeper.source.watched()
            if watched is not None:
                watcher = Watcher(watched, self._specs_stirred, self._noted)
                stack.callback(watcher.close)
            threading.Thread(target=self._keep_specs, name="specs", daemon=True).start()
            self.parts.notifier.ready(self.parts.statement.summary())
            while not self._ending.is_set():
                self._round()
            self._end()
        return not self._is_at_work()

    def _reload(self) -> None:
        self.parts.notifier.reloading()
        self._specs_stirred()
        law = self.engine.law
        for host in law.roots if law is not None else ():
            self.engine.world.changed(host, None)
        self.engine.wake()
        self.parts.notifier.ready()

    def _round(self) -> None:
        self._bell.clear()
        if self._reloads.is_set():
            self._reloads.clear()
            self._reload()
        now = time.time()
        self.parts.statement.beat(self.engine, int(now))
        self.parts.notifier.watchdog()
        self._say_how(self.parts.statement.summary())
        if self._new_specs.is_set():
            self._new_specs.clear()
            self._adopt(self.parts.keeper.desired())
            self.parts.statement.outdate()
        self._tell_of_specs()
        self._heed(requests.read(self.parts.state.requests))
        self._mind_the_clock()
        self._hand_out()
        self._fleets.tidy(self._is_used)
        self._bell.wait(self._until_next())

    def _say_how(self, summary: str) -> None:
        if summary != self._said:
            self._said = summary
            self.parts.notifier.status(summary)

    def _is_used(self, fleet: Fleet) -> bool:
        return any(flight.law.fleet is fleet for flight in self.engine.working.flights)

    def _until_next(self) -> float:
        at = self.engine.next_at()
        with self._lock:
            full = len(self._busy) >= WORKERS
        if at is None or full:
            return BEAT
        return min(BEAT, max(0.0, at - self.parts.surroundings.ticks()))

    def _hand_out(self) -> None:
        while True:
            with self._lock:
                if len(self._busy) >= WORKERS:
                    return
            key = self.engine.take()
            if key is None:
                return
            with self._lock:
                self._busy.add(key)
            threading.Thread(
                target=self._work, args=(key,), name=f"work {key}", daemon=True
            ).start()

    def _work(self, key: Key) -> None:
        try:
            self.engine.work(key)
        except Exception as error:  # noqa: BLE001 - a bug in the bookkeeping must not go unsaid
            self.parts.telemetry.panicked(key.kind)
            said = f"this is a bug in reconciler: {type(error).__name__}: {error}"
            self.parts.journal.said("error", said, replication=key.replication, error=error)
        finally:
            with self._lock:
                self._busy.discard(key)
            self._ring()

    # -- specs and people --------------------------------------------------------------------------

    def _keep_specs(self) -> None:
        """Look at the specs when that is due, in a thread of its own: git may take its time."""
        keeper = self.parts.keeper
        while not self._ending.is_set():
            self._stirred.clear()
            if keeper.refresh(time.time()):
                self._new_specs.set()
                self._bell.set()
            now = time.time()
            self._stirred.wait(min(BEAT, max(0.0, keeper.next_at(now) - now)))

    def _specs_stirred(self) -> None:
        self.parts.keeper.poke(time.time())
        self._stirred.set()

    def _tell_of_specs(self) -> None:
        """Log why the newest specs are not in force, once for each reason."""
        status = self.parts.keeper.status()
        since = status.problem_since
        problem = status.problem if since is not None else None
        if problem == self._problem:
            return
        self._problem = problem
        self.parts.statement.outdate()
        if problem is not None:
            self.parts.journal.said("error", f"the newest specs are not in force: {problem}")
        else:
            self.parts.journal.said("info", "the newest specs are in force again")

    def _noted(self, note: str) -> None:
        self.parts.journal.said("warning", note)

    def _adopt(self, desired: Desired | None) -> None:
        if desired is None:
            return
        fleet = self._fleets.move_to(desired.hosts)
        self.engine.adopt(desired, fleet)
        law = self.engine.law
        if law is not None:
            self._ears.listen_to(law)
        self.parts.journal.said(
            "info",
            "specs are in force",
            digest=desired.digest,
            revision=desired.revision,
            replications=len(desired.replications),
            hosts=len(desired.hosts),
        )

    def _heed(self, asked: Requests | requests.Unreadable) -> None:
        """Take over what people ask; what can't be read leaves all as it was."""
        if isinstance(asked, requests.Unreadable):
            self.parts.statement.trouble("requests", asked.problem)
            return
        self.parts.statement.trouble("requests", None)
        law = self.engine.law
        if law is None:
            return
        self.engine.suspend({s.name: str(s) for s in asked.suspended})
        if asked.wanted:
            for wish in asked.wanted:
                known = self.engine.ask_for(wish.name)
                said = "asked for" if known else "asked for, but not in the specs"
                self.parts.journal.said("info", said, replication=wish.name, by=wish.by)
            requests.done(self.parts.state.requests, [wish.id for wish in asked.wanted])
        if asked != self._asked:
            self._asked = asked
            self.parts.statement.outdate()

    # -- time --------------------------------------------------------------------------------------

    def _clock_offset(self) -> float:
        around = self.parts.surroundings
        return around.clock() - around.ticks()

    def _mind_the_clock(self) -> None:
        """Look at everything when the clock was set: what is due by it is due anew."""
        offset = self._clock_offset()
        if abs(offset - self._offset) > JUMP:
            self.parts.journal.said("warning", "the clock was set", seconds=offset - self._offset)
            self.engine.wake()
        self._offset = offset

    # -- the end -----------------------------------------------------------------------------------

    def _end(self) -> None:
        """Let short actions end, cut streams (they can be resumed), write down what is."""
        self.parts.notifier.stopping()
        self.parts.surroundings.stop.set()
        deadline = time.monotonic() + self.parts.grace
        threading.Thread(target=self._ears.close, daemon=True).start()
        short = time.monotonic() + self.parts.grace * SHORT_GRACE
        wait_while(self._runs_short, short)
        self._fleets.close()
        wait_while(self._is_at_work, deadline - FAREWELL)
        self.parts.statement.beat(self.engine, int(time.time()))

    def _runs_short(self) -> bool:
        return any(flight.is_short for flight in self.engine.working.flights)

    def _is_at_work(self) -> bool:
        with self._lock:
            return bool(self._busy) or bool(self.engine.working.flights)
