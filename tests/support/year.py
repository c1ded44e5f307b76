"""A long time on many simulated hosts, with random faults: the real engine, a clock of ours.

Every change that the controller makes is looked at as it is made, by the rules of
`tests.property.rightness` that concern it; nothing is kept, so that a year fits into memory.
"""

import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from reconciler.controller.keys import Key
from reconciler.desired.model import Desired
from reconciler.planner.planning import plan
from reconciler.report.status import Outcome
from reconciler.simulator.cell import Transition
from reconciler.simulator.faults import Fails, Fault, Hangs, Lost
from reconciler.simulator.model import Machine
from tests.property.rightness import RULES, check_zfs
from tests.support.living import Life
from tests.support.stage import Change, Controller, Stage, World
from tests.support.worlds import desired

DAY = 86_400
SENDERS_PER_RECEIVER = 9

FAULTS: tuple[Fault, ...] = (
    Lost(),
    Hangs(),
    Fails(("cannot receive: dataset is busy",)),
    Fails(("internal error: out of memory",), status=134),
)


class Watched(Stage):
    """A stage on which each change is looked at when it happens, and then forgotten."""

    def __init__(self, hosts: list[str], specs: Desired, now: int) -> None:
        super().__init__(hosts, now)
        self.specs = specs
        self.checked = 0
        self.violations: list[str] = []

    def change(self, host: str, transition: Transition) -> Machine:
        """Change one host; note whether it was right, in view of the hosts it concerns."""
        machine = super().change(host, transition)
        changes, self.changes = self.changes, []
        for change in changes:
            self.checked += 1
            self._check(change)
        return machine

    def _check(self, change: Change) -> None:
        touched = _touched(change)
        specs = _concerned(self.specs, change.host, touched)
        narrowed = _narrowed(change, specs, touched)
        for rule in RULES:
            try:
                rule(specs, narrowed)
            except Exception as error:  # noqa: BLE001 - the engine would take it for a bug of its own
                self.violations.append(f"{rule.__name__}: {type(error).__name__}: {error}")


def _touched(change: Change) -> set[str]:
    before, after = change.before[change.host], change.after[change.host]
    return {
        name
        for name in before.datasets.keys() | after.datasets.keys()
        if before.datasets.get(name) is not after.datasets.get(name)
    }


def _concerned(specs: Desired, host: str, touched: set[str]) -> Desired:
    """Return the specs that have to do with filesystems of a host."""
    found = {}
    for name, replication in specs.replications.items():
        roots = {
            root
            for target in replication.targets
            if target.host == host
            for root in target.roots.values()
        }
        received = any(f"{place}/".startswith(f"{root}/") for place in touched for root in roots)
        if host in replication.senders or received:
            found[name] = replication
    return replace(specs, replications=found)


def _narrowed(change: Change, specs: Desired, touched: set[str]) -> Change:
    """Return a change with only what it touched, and what that is a copy of or copied to."""
    hosts, related = {change.host}, set(touched)
    for replication in specs.replications.values():
        hosts |= {*replication.senders, *(target.host for target in replication.targets)}
        for target in replication.targets:
            for root in target.roots.values():
                related |= {f"{root}/{name}" for name in touched}
                related |= {name[len(root) + 1 :] for name in touched if name.startswith(root)}

    def cut(world: World) -> World:
        return {
            host: replace(
                world[host],
                datasets={
                    name: world[host].datasets[name]
                    for name in related & world[host].datasets.keys()
                },
            )
            for host in hosts
        }

    return Change(change.host, cut(change.before), cut(change.after))


@dataclass
class Year:
    """Hosts, each sender with filesystems of its own, and a controller that lives with them."""

    hosts: int = 50
    filesystems: int = 500
    days: int = 365
    trouble: float = 0.02
    """How likely something goes wrong on a host within a day."""
    seed: int = 0
    told: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        receivers = max(1, self.hosts // (SENDERS_PER_RECEIVER + 1))
        self.receivers = [f"vault{number}" for number in range(receivers)]
        self.senders = [f"host{number}" for number in range(self.hosts - receivers)]
        self.chance = random.Random(self.seed)  # noqa: S311 - chance, not secrets
        self.desired = desired(*self._specs())
        start = 1_795_392_000
        self.stage = Watched([*self.senders, *self.receivers], self.desired, start)
        self._make_filesystems()
        self.life = Life(self.stage, self.desired, resync=7 * DAY, seed=self.seed)

    def _specs(self) -> Iterator[str]:
        for number, sender in enumerate(self.senders):
            receiver = self.receivers[number % len(self.receivers)]
            yield (
                f"r{number}: {sender} tank/** !tank every {'1d' if number % 5 == 0 else '7d'}"
                f" if-changed keep last 3 -> {receiver} keep last 4"
            )

    def _make_filesystems(self) -> None:
        for host in self.receivers:
            assert self.stage.sh(host, "zpool create backup disk").status == 0
        for host in self.senders:
            self.stage.sh(host, "zpool create tank disk")
        for number in range(self.filesystems):
            host = self.senders[number % len(self.senders)]
            self.stage.sh(host, f"zfs create tank/f{number // len(self.senders)}")

    def live(self) -> None:
        """Live through it, day by day."""
        for day in range(self.days):
            self._go_wrong()
            self._write()
            self.life.live(DAY)
            if day % 90 == 0:
                check_zfs(self.stage.world)

    def _go_wrong(self) -> None:
        """Let something go wrong at some moment of the next day, on some hosts."""
        for faults in self.life.faults.values():
            faults.happened.clear()
            faults.started.clear()
            faults.planned = {}
            if self.chance.random() < self.trouble:
                at = faults.moments + self.chance.randrange(1, 40)
                length = self.chance.choice((1, 1, 5, 200))
                fault = self.chance.choice(FAULTS)
                faults.planned = dict.fromkeys(range(at, at + length), fault)
                self.told["faults"] += 1

    def _write(self) -> None:
        """Let people write, and now and then do something else, on some hosts."""
        for host in self.chance.sample(self.senders, max(1, len(self.senders) // 2)):
            name = f"tank/f{self.chance.randrange(max(1, self.filesystems // len(self.senders)))}"
            self.stage.sh(host, f"write {name} file 100000")
            deed = self.chance.random()
            if deed < 0.01:
                self.stage.sh(host, f"zfs snapshot {name}@manual{self.stage.now}")
            elif deed < 0.012:
                self.told["filesystems made anew"] += 1
                self.stage.sh(host, f"zfs rename {name} {name}-{self.stage.now}")
                self.stage.sh(host, f"zfs create {name}")

    def unsettled(self) -> list[str]:
        """Return what is to be done after it all, when nothing goes wrong any more."""
        for faults in self.life.faults.values():
            faults.planned = {}
        self.life.live(8 * DAY + 3600)
        observed = Controller(self.stage, self.desired).observe()
        return [p.id for p in plan(self.desired, observed, self.stage.now).actions]

    def failing(self) -> list[str]:
        """Return the keys whose last run failed."""
        reports = self.life.engine.memory.reports
        return [
            f"{key}: {report.message}"
            for key, report in reports.items()
            if report.outcome is Outcome.FAILED
        ]

    @property
    def keys(self) -> set[Key]:
        """The keys that were worked on."""
        return {key for _, key in self.life.worked}


def main() -> None:
    """`make year`: 50 hosts, 500 filesystems, 365 days."""
    began = time.monotonic()
    year = Year()
    peak = []
    for quarter in range(4):
        year.days = 365 // 4 + (quarter == 3)
        year.live()
        year.told["keys worked on"] += len(year.life.worked)
        year.life.worked.clear()
        peak.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        print(
            f"after {91 * (quarter + 1)} days: {time.monotonic() - began:.0f} s,"
            f" {year.stage.checked} changes checked, {len(year.stage.violations)} violations,"
            f" peak memory {peak[-1]} MiB, {dict(year.told)}",
            flush=True,
        )
    left = year.unsettled()
    print(f"left to be done in the end: {left or 'nothing'}; failing: {year.failing() or 'none'}")
    if left or year.stage.violations or year.failing():
        sys.exit("\n".join(year.stage.violations[:20]) or "it did not end well")


if __name__ == "__main__":
    main()
