"""Simulated hosts as a stage: controllers act on it, somebody else does, and things go wrong.

Each change that a controller makes is kept with the whole world before and after it, so that it
can be asked afterwards whether it was right.
"""

import shlex
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from reconciler.desired.model import Desired
from reconciler.executor.events import Event, RunResult
from reconciler.executor.execute import execute
from reconciler.executor.observe import observe_host
from reconciler.hosts.addresses import HostAddress, SimulatedAddress
from reconciler.hosts.cutting import Cut
from reconciler.hosts.fleet import Fleet
from reconciler.hosts.host import StderrListener
from reconciler.hosts.script import Script, Transcript
from reconciler.hosts.simulated import SimulatedHost
from reconciler.observed.model import Observed
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from reconciler.planner.roots import properties_of, roots_of
from reconciler.simulator.cell import Transition
from reconciler.simulator.faults import ControllerDied, Fault, Faults, Mortal
from reconciler.simulator.model import Machine
from reconciler.simulator.run import Result, run
from tests.support.worlds import NOW

World = Mapping[str, Machine]
"""All hosts at one moment."""


class Change(NamedTuple):
    """One thing that a controller did."""

    host: str
    before: World
    after: World


class Stage:
    """Some hosts and the time."""

    def __init__(self, hosts: Sequence[str], now: int = NOW) -> None:
        self.now = now
        self.world: dict[str, Machine] = {host: Machine(host) for host in hosts}
        self.changes: list[Change] = []
        """What controllers did, in order."""
        self.faults: list[Faults] = []
        """What became of each controller on each host, with the commands that it ran there."""
        self._somebody_else = False

    def copy(self) -> "Stage":
        """Return another stage on which all is as it is now."""
        other = Stage((), self.now)
        other.world = dict(self.world)
        return other

    def clock(self) -> float:
        """Return the true time."""
        return self.now

    def sh(self, host: str, *lines: str) -> Result:
        """Run command lines as somebody else; return the last result."""
        with self.somebody_else():
            for line in lines:
                result = run(Cell(self, host), tuple(shlex.split(line)), clock=self.clock)
        return result

    @contextmanager
    def somebody_else(self) -> Iterator[None]:
        """Let what happens meanwhile not be a controller's doing."""
        before, self._somebody_else = self._somebody_else, True
        try:
            yield
        finally:
            self._somebody_else = before

    @contextmanager
    def controller(self) -> Iterator[None]:
        """Let what happens meanwhile be a controller's doing, even within somebody else's."""
        before, self._somebody_else = self._somebody_else, False
        try:
            yield
        finally:
            self._somebody_else = before

    def change(self, host: str, transition: Transition) -> Machine:
        """Change one host."""
        before = dict(self.world)
        self.world[host] = transition(before[host])
        if not self._somebody_else and self.world[host] is not before[host]:
            self.changes.append(Change(host, before, dict(self.world)))
        return self.world[host]


@dataclass(frozen=True, slots=True)
class Cell:
    stage: Stage
    host: str

    def read(self) -> Machine:
        return self.stage.world[self.host]

    def change(self, transition: Transition) -> Machine:
        return self.stage.change(self.host, transition)


@dataclass(frozen=True, slots=True)
class Counted(SimulatedHost):
    """Counts what is run on it."""

    executions: Counter[str] = field(default_factory=Counter)

    def run(
        self,
        script: Script,
        *,
        timeout: float,
        on_stderr: StderrListener | None = None,
        cut: Cut | None = None,
    ) -> Transcript:
        self.executions[self.name] += 1
        return SimulatedHost.run(self, script, timeout=timeout, on_stderr=on_stderr, cut=cut)


@dataclass
class Controller:
    """One controller with its own connections, on which things go wrong at planned moments."""

    stage: Stage
    desired: Desired
    planned: Mapping[str, Mapping[int, Fault]] = field(default_factory=dict)
    """Host → number of the moment → what goes wrong."""
    events: list[Event] = field(default_factory=list)
    executions: Counter[str] = field(default_factory=Counter)
    """How many scripts were run on each host, beside the streams."""

    def __post_init__(self) -> None:
        mortal = Mortal()
        self.faults = {
            host: Faults(self.planned.get(host, {}), mortal) for host in self.desired.hosts
        }
        self.stage.faults += self.faults.values()
        addresses = {h: HostAddress(h, SimulatedAddress(h)) for h in self.desired.hosts}
        self.fleet = Fleet(addresses, clock=self.stage.clock)
        for host, faults in self.faults.items():
            cell = Cell(self.stage, host)
            self.fleet.adopt(Counted(host, cell, self.stage.clock, faults, self.executions))

    def observe(self) -> Observed:
        """Look at all hosts, one after the other."""
        roots, asked = roots_of(self.desired), properties_of(self.desired)
        return {
            host: observe_host(host, roots[host], self.fleet, self.stage.clock, asked[host])
            for host in sorted(self.desired.hosts)
        }

    def plan(self, now: int | None = None) -> Plan:
        """Observe and plan."""
        return plan(self.desired, self.observe(), self.stage.now if now is None else now)

    def execute(self, made: Plan) -> RunResult:
        """Run a plan, one action after the other."""
        return execute(
            made,
            self.desired,
            self.fleet,
            self.events.append,
            Impatient(),
            workers=OneAfterTheOther(),
        )

    def apply(self) -> RunResult | None:
        """Observe, plan and run the plan; None when the controller was killed meanwhile."""
        try:
            return self.execute(self.plan())
        except ControllerDied:
            return None

    @property
    def moments(self) -> dict[str, int]:
        """How many moments there were on each host."""
        return {host: faults.moments for host, faults in self.faults.items()}


class Impatient(threading.Event):
    """A stop event that is never set and on which nobody waits."""

    def wait(self, _timeout: float | None = None) -> bool:
        return self.is_set()


class OneAfterTheOther(Executor):
    """Runs what is submitted at once: the same order in every run."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        done.set_result(function(*args, **kwargs))
        return done
