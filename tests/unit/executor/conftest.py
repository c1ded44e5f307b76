"""Hosts that answer scripts from a function, so that the executor can be watched without any."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from reconciler.errors import HostError, OutputCut
from reconciler.hosts.addresses import HostAddress, SshAddress, SshOptions
from reconciler.hosts.cutting import Cut
from reconciler.hosts.host import StderrListener
from reconciler.hosts.locking import lock_of_this_process
from reconciler.hosts.masters import Masters
from reconciler.hosts.programs import Programs
from reconciler.hosts.script import Condition, Outcome, Printed, Ran, Script, Step, Transcript

Answer = Callable[[str, Script], Mapping[str, Outcome] | HostError]
"""(host, script) → the outcomes by step, or the error to raise."""


class FakeHost:
    """Answers every script by asking the fleet's function."""

    def __init__(self, name: str, fleet: "FakeFleet") -> None:
        self.name = name
        self._fleet = fleet

    def run(
        self,
        script: Script,
        *,
        timeout: float,
        on_stderr: StderrListener | None = None,
        cut: Cut | None = None,
    ) -> Transcript:
        assert timeout > 0
        return self._fleet.answered(self.name, script, on_stderr, cut)

    def close(self) -> None:
        """Nothing to give back."""


def parts_of(script: Script) -> list[tuple[str, tuple[Condition, ...], Script]]:
    """Take a joined script apart: prefix of its steps, what it goes after, the script as it was."""
    parts: dict[str, list[Step]] = {}
    after: dict[str, tuple[Condition, ...]] = {}
    for step in script.steps:
        number, between, name = step.name.partition("/")
        prefix = f"{number}/" if between else ""
        when = step.when and replace(step.when, step=step.when.step.removeprefix(prefix))
        own = replace(step, name=name if between else step.name, when=when, after=())
        parts.setdefault(prefix, []).append(own)
        after[prefix] = step.after
    return [(p, after[p], replace(script, steps=tuple(steps))) for p, steps in parts.items()]


def holds(condition: Condition, outcomes: Mapping[str, Outcome]) -> bool:
    """Tell whether a condition holds after these outcomes."""
    outcome = outcomes.get(condition.step)
    if outcome is None or isinstance(condition, Ran):
        return outcome is not None
    same = not isinstance(condition, Printed) or outcome.stdout.rstrip("\n") == condition.text
    return outcome.ok and same


class FakeFleet:
    """A fleet of such hosts; keeps what was run where."""

    options = SshOptions()
    lock = lock_of_this_process()

    def __init__(self, answer: Answer, hosts: tuple[str, ...] = ("alpha", "vault")) -> None:
        self.addresses = {name: HostAddress(name, SshAddress(name)) for name in hosts}
        self.masters = Masters(lambda _address: None)
        self.programs = Programs()
        for name in hosts:
            self.programs.refused(name)
        self.ran: list[tuple[str, Script]] = []
        self.progress = ""
        self.hangs = False
        """Whether streams go on until they are cut."""
        self._answer = answer
        self._lock = threading.Lock()

    def host(self, name: str) -> FakeHost:
        return FakeHost(name, self)

    def controller(self) -> FakeHost:
        return FakeHost("(controller)", self)

    def answered(
        self, host: str, script: Script, on_stderr: StderrListener | None, cut: Cut | None = None
    ) -> Transcript:
        with self._lock:
            self.ran.append((host, script))
        if cut is not None and self.hangs:
            ended = threading.Event()
            cut.ends(ended.set)
            assert ended.wait(10)
            raise OutputCut(host, "its output was cut")
        if on_stderr is not None and self.progress:
            on_stderr(self.progress)
        outcomes: dict[str, Outcome] = {}
        for prefix, after, part in parts_of(script):
            if not all(holds(condition, outcomes) for condition in after):
                continue
            answer = self._answer(host, part)
            if isinstance(answer, HostError):
                raise answer
            outcomes |= {f"{prefix}{name}": outcome for name, outcome in answer.items()}
        return Transcript(outcomes)

    def steps(self, host: str) -> list[str]:
        """Return the names of the steps that were run on a host."""
        return [step.name for name, script in self.ran if name == host for step in script.steps]


class Stop(threading.Event):
    """Does not wait between tries; tells how long it would have been."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout or 0.0)
        return self.is_set()
