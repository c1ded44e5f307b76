"""The command line run in this process, with hosts and an executor that are only pretended."""

import json
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from reconciler.actions import Send
from reconciler.cli.main import run
from reconciler.desired.model import Desired
from reconciler.executor import execute as executing
from reconciler.executor import observe as observing
from reconciler.executor.events import (
    ActionFailed,
    Completed,
    Event,
    Progressed,
    RunResult,
    Skipped,
    Started,
)
from reconciler.executor.execute import MustWait
from reconciler.hosts.fleet import Fleet
from reconciler.observed.model import Observed
from reconciler.planner.plan import Plan, PlannedAction
from reconciler.zfs.errors import Failure
from tests.support.worlds import NOW, fs, seen, world

SPECS = """
apiVersion: reconciler/v1alpha1
kind: Host
metadata: {name: alpha}
spec:
  connection:
    ssh: {address: alpha.invalid}
---
apiVersion: reconciler/v1alpha1
kind: Host
metadata: {name: vault}
spec:
  connection:
    ssh: {address: vault.invalid}
---
apiVersion: reconciler/v1alpha1
kind: Replication
metadata: {name: web}
spec:
  source:
    host: alpha
    filesystems: ["tank/www/**"]
    snapshots: {every: 15m, prefix: rec-}
    keep: {last: 2}
  targets:
    - host: vault
      under: backup/{host}
      keep: {last: 2}
"""


@dataclass
class Pretended:
    """What the hosts say, and what comes of actions on them."""

    observed: Observed
    failures: dict[str, Failure] = field(default_factory=dict)
    """Verb → failure."""
    interrupt: bool = False
    executed: list[Plan] = field(default_factory=list)
    takes: int = 0
    """Seconds that pass from the plan until its actions have their turn."""
    late: int = 0

    def observe(self, *_arguments: object) -> Observed:
        return self.observed

    def execute(
        self,
        plan: Plan,
        _desired: Desired,
        _fleet: Fleet,
        on_event: Callable[[Event], None],
        stop: threading.Event,
        must_wait: MustWait,
    ) -> RunResult:
        """Do every action in order; what depends on a failure is skipped."""
        self.late += self.takes
        self.executed.append(plan)
        completed: list[PlannedAction] = []
        failed: list[tuple[PlannedAction, Failure]] = []
        skipped: list[PlannedAction] = []
        undone: set[str] = set()
        if self.interrupt:
            stop.set()
        for planned in plan.actions:
            failure = self.failures.get(planned.action.verb)
            because = must_wait(planned)
            if because or undone & set(planned.depends_on) or stop.is_set():
                undone.add(planned.id)
                skipped.append(planned)
                on_event(Skipped(planned.id, planned.action, because or "something failed"))
                continue
            on_event(Started(planned.id, planned.action))
            if isinstance(planned.action, Send):
                on_event(Progressed(planned.id, planned.action, 500))
            if failure is not None:
                undone.add(planned.id)
                failed.append((planned, failure))
                on_event(ActionFailed(planned.id, planned.action, failure))
            else:
                completed.append(planned)
                on_event(Completed(planned.id, planned.action, 0.5))
        return RunResult(tuple(completed), tuple(failed), tuple(skipped), stop.is_set())


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Pretended:
    """Two hosts: one filesystem on alpha, and vault without a copy of it."""
    here = fs("tank/www", "@~23:00,1,referenced=1000")
    pretended = Pretended(world(seen("alpha", here), seen("vault", fs("backup/alpha"))))
    monkeypatch.setattr(observing, "observe", pretended.observe)
    monkeypatch.setattr(executing, "execute", pretended.execute)
    monkeypatch.setattr("time.time", lambda: float(NOW + pretended.late))
    return pretended


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with specs, and an environment that asks for nothing."""
    specs = tmp_path / "specs"
    specs.mkdir()
    (specs / "all.yaml").write_text(SPECS)
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "RECONCILER_DEBUG", "RECONCILER_SSH_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return tmp_path


@dataclass(frozen=True)
class Ran:
    """What one command did."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document on stdout."""
        parsed = json.loads(self.stdout)
        assert isinstance(parsed, dict)
        return parsed

    @property
    def events(self) -> list[dict[str, Any]]:
        """The JSON lines on stdout."""
        return [json.loads(line) for line in self.stdout.splitlines()]


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Runner:
    """Runs command lines; `answer` is what a person at a terminal types."""

    def __init__(self, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._patch = patch

    def __call__(self, *arguments: str, answer: str | None = None) -> Ran:
        self._patch.setattr(sys, "stdin", StringIO() if answer is None else Terminal(answer))
        code = run(arguments)
        said = self._capsys.readouterr()
        return Ran(code, said.out, said.err)

    def on_terminal(self, *arguments: str) -> Ran:
        """Run with a terminal for stdout."""
        screen = Terminal()
        with self._patch.context() as patch:
            patch.setattr(sys, "stdout", screen)
            patch.setattr(sys, "stdin", Terminal())
            code = run(arguments)
        return Ran(code, screen.getvalue(), self._capsys.readouterr().err)


@pytest.fixture
def command(
    folder: Path,  # noqa: ARG001 - commands run there
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Runner:
    """The command line."""
    return Runner(capsys, monkeypatch)
