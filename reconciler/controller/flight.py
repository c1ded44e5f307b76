"""One run of a key's part of a plan, as it is under way: what it still touches, what it sends."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.actions import Send
from reconciler.controller.assess import Report
from reconciler.controller.keys import Key, Place
from reconciler.controller.law import Law
from reconciler.controller.surroundings import Surroundings
from reconciler.controller.uses import Use, uses
from reconciler.executor.events import (
    ActionFailed,
    Completed,
    Event,
    Progressed,
    RunResult,
    Skipped,
    Started,
)
from reconciler.observed.model import Observed
from reconciler.planner.plan import Plan, Specs
from reconciler.report.status import RunningSend

MARKS = frozenset({"hold", "release", "bookmark"})
"""Verbs that go with each send: done, they are no news."""

NOTHING = Plan(0, Specs(None, "", 0), ())


@dataclass(eq=False)
class Flight:
    """A run that is under way. Its executor calls `event`, one call at a time."""

    key: Key
    id: str
    """The reconcile id in logs."""
    law: Law
    before: Report | None
    """What the key's last run came to."""
    began: float
    around: Surroundings
    freed: Callable[[Key, Mapping[Place, Use]], None]
    """Called with the places that are done with."""
    observed: Observed = field(default_factory=dict)
    part: Plan = NOTHING
    policy: str = ""
    """What its new keep rules cost, when that was said."""
    left: bool = False
    """Whether something of the key's own had to be left for later."""
    result: RunResult | None = None
    error: Exception | None = None
    is_away: bool = False
    """Whether its key was given back while it goes on."""
    concluded: bool = False
    _uses: Mapping[Place, Use] = field(default_factory=dict)
    _left: Counter[Place] = field(default_factory=Counter)
    """Place → how many actions are still to come there."""
    _sends: dict[str, RunningSend] = field(default_factory=dict)
    _short: set[str] = field(default_factory=set)
    """Running actions that are not sends."""
    _began: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def claimed(self) -> Mapping[Place, Use]:
        """Return what the run touches; from now on it is told when it is done with."""
        for planned in self.part.actions:
            self._left.update(dict.fromkeys(planned.action.places, 1))
        self._uses = uses(self.key, self.part)
        return self._uses

    def abandon(self) -> None:
        """Leave all for later: somebody else was quicker, or the specs are others by now."""
        self._left.clear()
        self.part, self.left = replace(self.part, actions=()), True

    @property
    def done(self) -> tuple[str, ...]:
        """The ids of the actions that were done."""
        return tuple(p.id for p in self.result.completed) if self.result is not None else ()

    @property
    def sends(self) -> tuple[RunningSend, ...]:
        """The streams that are under way, sorted."""
        with self._lock:
            return tuple(sorted(self._sends.values(), key=lambda s: (s.host, s.filesystem)))

    @property
    def is_short(self) -> bool:
        """Whether something runs that will soon be done."""
        with self._lock:
            return bool(self._short)

    def event(self, event: Event) -> None:
        """Take note of what happened to an action."""
        self._note(event)
        self._log(event)
        if isinstance(event, Completed | ActionFailed | Skipped):
            self._ended(event.action.places)

    def give_back(self) -> None:
        """Free what was not reached."""
        with self._lock:
            left, self._left = tuple(+self._left), Counter()
        self.freed(self.key, {place: self._uses[place] for place in left})

    def _ended(self, places: Iterable[Place]) -> None:
        with self._lock:
            self._left.subtract(dict.fromkeys(places, 1))
            over = [place for place, count in self._left.items() if count <= 0]
            for place in over:
                del self._left[place]
        if over:
            self.freed(self.key, {place: self._uses[place] for place in over})

    def _note(self, event: Event) -> None:
        match event:
            case Started(action=Send() as send):
                self._begin(event.id)
                self._sends[event.id] = self._running(send)
            case Started():
                self._begin(event.id)
                with self._lock:
                    self._short.add(event.id)
            case Progressed():
                self._progressed(event)
            case Completed() | ActionFailed():
                with self._lock:
                    self._sends.pop(event.id, None)
                    self._short.discard(event.id)
                now = self.around.ticks()
                took = now - self._began.pop(event.id, now)
                result = "success" if isinstance(event, Completed) else "failure"
                self.around.telemetry.acted(event.action.verb, result, took)
            case Skipped():
                self.around.telemetry.acted(event.action.verb, "skipped", 0.0)

    def _begin(self, id_: str) -> None:
        self._began[id_] = self.around.ticks()

    def _running(self, send: Send) -> RunningSend:
        return RunningSend(
            replication=self.key.replication,
            host=send.host,
            filesystem=send.filesystem,
            receiver_host=send.receiver_host,
            receiver=send.receiver_filesystem,
            bytes=0,
            estimated_bytes=send.estimated_bytes,
            since=int(self.around.clock()),
        )

    def _progressed(self, event: Progressed) -> None:
        with self._lock:
            running = self._sends.get(event.id)
            if running is None:
                return
            self._sends[event.id] = replace(
                running, bytes=event.bytes, estimated_bytes=event.estimated_bytes
            )
        self.around.telemetry.sent(self.key.replication, max(0, event.bytes - running.bytes))

    def _log(self, event: Event) -> None:
        if isinstance(event, Progressed):
            return
        host, filesystem = event.action.places[0]
        about = {
            "host": host,
            "filesystem": filesystem,
            "action": event.id,
            "replication": self.key.replication,
            "reconcile": self.id,
        }
        verb = event.action.verb
        if isinstance(event, Completed | ActionFailed):
            for line in event.printed:
                self.around.journal.said("info", line, **about)
        match event:
            case Started():
                self.around.journal.said("debug", f"{verb} begins", **about)
            case Completed(seconds=seconds, note=note):
                extra = {"note": note} if note else {}
                level = "debug" if verb in MARKS else "info"
                self.around.journal.said(
                    level, f"{verb} done", seconds=round(seconds, 3), **extra, **about
                )
            case ActionFailed(failure=failure):
                said = f"{verb} failed: {failure.message}"
                self.around.journal.said("error", said, kind=str(failure.kind), **about)
            case Skipped(because=because):
                self.around.journal.said("warning", f"{verb} not begun: {because}", **about)
