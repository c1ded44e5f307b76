"""The controller's engine on simulated hosts, lived through by itself: no threads, a clock of ours.

Time stands still while the engine works, and jumps to when something is due next.
"""

import itertools
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.controller.engine import Engine
from reconciler.controller.journal import Journal
from reconciler.controller.keys import Key
from reconciler.controller.surroundings import Surroundings
from reconciler.desired.model import Desired
from reconciler.hosts.addresses import HostAddress, SimulatedAddress
from reconciler.hosts.fleet import Fleet
from reconciler.hosts.simulated import SimulatedHost
from reconciler.report.telemetry import Silent, Telemetry
from reconciler.simulator.faults import Fault, Faults, Mortal
from tests.support.stage import Cell, Impatient, OneAfterTheOther, Stage

HOUR = 3600


class Notebook(Journal):
    """Keeps what was said, at warning and above with all fields."""

    def __init__(self) -> None:
        self.said_: deque[str] = deque(maxlen=1000)
        self.told: deque[str] = deque(maxlen=1000)
        """At any level, without fields."""

    def said(self, level: str, message: str, **fields: object) -> None:
        self.told.append(f"{level}: {message}")
        if level in {"warning", "error"}:
            self.said_.append(f"{level}: {message} {fields}")


@dataclass
class Life:
    """An engine, its hosts, and what it did when."""

    stage: Stage
    desired: Desired
    planned: Mapping[str, Mapping[int, Fault]] = field(default_factory=dict)
    resync: float = HOUR
    telemetry: Telemetry = field(default_factory=Silent)
    seed: int = 0
    dry_run: bool = False
    on_work: Callable[[Key], None] = field(default=lambda _: None)
    worked: list[tuple[float, Key]] = field(default_factory=list)
    notebook: Notebook = field(default_factory=Notebook)

    def __post_init__(self) -> None:
        self._tick = itertools.count()
        mortal = Mortal()
        self.faults = {h: Faults(self.planned.get(h, {}), mortal) for h in self.desired.hosts}
        around = Surroundings(
            clock=self.stage.clock,
            ticks=self.ticks,
            chance=random.Random(self.seed),  # noqa: S311 - chance, not secrets
            telemetry=self.telemetry,
            journal=self.notebook,
            workers=OneAfterTheOther,
            stop=Impatient(),
        )
        self.engine = Engine(around, resync=self.resync, dry_run=self.dry_run)
        self.engine.adopt(self.desired, self.fleet(self.desired))

    def ticks(self) -> float:
        """Return the time, a little later at each call."""
        return self.stage.now + next(self._tick) * 1e-6

    def fleet(self, desired: Desired) -> Fleet:
        """Return a fleet of the stage's hosts."""
        addresses = {h: HostAddress(h, SimulatedAddress(h)) for h in desired.hosts}
        fleet = Fleet(addresses, clock=self.stage.clock)
        for host in desired.hosts:
            faults = self.faults.setdefault(host, Faults())
            cell = Cell(self.stage, host)
            fleet.adopt(SimulatedHost(host, cell, self.stage.clock, faults))
        return fleet

    def work(self) -> bool:
        """Work on what is due now; False when nothing was."""
        did = False
        while (key := self.engine.take()) is not None:
            self.worked.append((self.stage.now, key))
            self.engine.work(key)
            self.on_work(key)
            did = True
        return did

    def live(self, seconds: float) -> None:
        """Live on for a while."""
        end = self.stage.now + seconds
        while True:
            self.work()
            at = self.engine.next_at()
            if at is None or at > end:
                self.stage.now = int(end)
                return
            self.stage.now = max(self.stage.now + 1, -int(-at // 1))
