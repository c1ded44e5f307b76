"""The status as others see it: made anew when something has changed, stored when it means a change.

Never a trigger: nothing is decided by what is stored, but for when conditions changed last.
"""

import threading
from dataclasses import replace

from reconciler.controller import atomic
from reconciler.controller.engine import Engine
from reconciler.controller.journal import Journal
from reconciler.controller.overview import Self, gist, overview
from reconciler.controller.specs import SpecKeeper
from reconciler.controller.statedir import StateDir
from reconciler.errors import ReconcilerError
from reconciler.report.status import ControllerStatus
from reconciler.report.status_json import compact, loads
from reconciler.report.status_summary import of_status

STALE = 15
"""Seconds after which the status is made anew though nobody said that something changed: what is
late becomes so by itself."""


class Statement:
    """The current status. `current` may be called from any thread, the rest from the loop's."""

    def __init__(self, me: Self, keeper: SpecKeeper, state: StateDir, journal: Journal) -> None:
        self._me = me
        self._keeper = keeper
        self._state = state
        self._journal = journal
        self._lock = threading.Lock()
        self._outdated = threading.Event()
        self._troubles: dict[str, str] = {}
        self._stored: ControllerStatus | None = None
        self._engine: Engine | None = None
        self._status = self._empty(self._before())
        self._made = 0

    def outdate(self) -> None:
        """Hear that something changed."""
        self._outdated.set()

    def trouble(self, about: str, problem: str | None) -> None:
        """Take note of trouble with our own files; it is logged once."""
        if problem is None:
            self._troubles.pop(about, None)
        elif self._troubles.get(about) != problem:
            self._troubles[about] = problem
            self._journal.said("error", problem)

    def beat(self, engine: Engine, now: int) -> None:
        """Note that the loop has gone round; make and store the status if it is time."""
        self._engine = engine
        if not self._outdated.is_set() and now - self._made < STALE:
            with self._lock:
                self._status = replace(self._status, heartbeat=now)
            return
        self._outdated.clear()
        self._made = now
        status = overview(engine, self._me, self._keeper.status(), self._status, now)
        with self._lock:
            self._status = status
        self._store(status)

    def current(self) -> ControllerStatus:
        """Return the status, with what changes all the time as it is now."""
        with self._lock:
            status, engine = self._status, self._engine
        if engine is None:
            return status
        running = tuple(send for flight in engine.working.flights for send in flight.sends)
        return replace(status, at=int(engine.around.clock()), running=running)

    def summary(self) -> str:
        """Return the status in a sentence."""
        return of_status(self.current()).text

    def _store(self, status: ControllerStatus) -> None:
        if self._stored is not None and gist(self._stored) == gist(status):
            return
        try:
            atomic.write(self._state.status, compact(status))
        except OSError as error:
            said = f"{self._state.status} can't be written: {error.strerror or error}"
            self.trouble("status", said)
            return
        self._stored = status
        self.trouble("status", None)

    def _before(self) -> ControllerStatus | None:
        """Return what an earlier process left; without it conditions begin anew."""
        try:
            return loads(self._state.status.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, ReconcilerError) as error:
            self._journal.said("warning", f"{self._state.status} is of no use: {error}")
            return None

    def _empty(self, before: ControllerStatus | None) -> ControllerStatus:
        """Return the status before anything was looked at."""
        return ControllerStatus(
            at=self._me.started,
            version=self._me.version,
            identity=self._me.identity,
            started=self._me.started,
            heartbeat=self._me.started,
            dry_run=self._me.dry_run,
            ready=False,
            specs=self._keeper.status(),
            hosts=before.hosts if before is not None else (),
            replications=before.replications if before is not None else (),
            workers=self._me.workers,
        )
