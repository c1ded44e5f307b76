"""Simulated hosts: scripts are interpreted in process, on a machine of `reconciler.simulator`.

A script means the same here as what `hosts.shell` renders of it means to a shell.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from reconciler.errors import CommandTimeout, Unreachable
from reconciler.hosts import simulated_events
from reconciler.hosts.conditions import arguments_of, is_to_run
from reconciler.hosts.cutting import Cut
from reconciler.hosts.following import Listener
from reconciler.hosts.host import LineListener, Pulse, StderrListener
from reconciler.hosts.script import Outcome, Script, Step, Transcript
from reconciler.hosts.simulated_output import cut_off
from reconciler.hosts.transcript import DECODING_ERRORS, ENCODING
from reconciler.simulator.cell import Cell
from reconciler.simulator.faults import (
    ConnectionLost,
    Faults,
    FaultyCell,
    Hung,
    ScriptCut,
    cut_after,
)
from reconciler.simulator.faults import Cut as StreamCut
from reconciler.simulator.owners import new_owner
from reconciler.simulator.process import BROKEN_PIPE, ChunkedInput, Process, Refused
from reconciler.simulator.reception import abandoned
from reconciler.simulator.run import run, start
from reconciler.simulator.store import StateError
from reconciler.zfs.types import Argv

Clock = Callable[[], float]

_XARGS_FAILED = 123
_CONNECTION_BROKEN = 255


@dataclass(frozen=True, slots=True)
class SimulatedHost:
    """A host that is a value. `faults` is for tests: what goes wrong, and when."""

    name: str
    cell: Cell
    clock: Clock
    """Seconds since the epoch: the true time, by which the machine's clock may be wrong."""
    faults: Faults = field(default_factory=Faults)

    def run(
        self,
        script: Script,
        *,
        timeout: float,
        on_stderr: StderrListener | None = None,
        cut: Cut | None = None,
    ) -> Transcript:
        """Run a script, see `reconciler.hosts.host.Host`; nothing here takes any time."""
        del cut
        return _run(script, self, self, timeout, on_stderr)

    def follow(
        self,
        argv: Argv,
        on_line: LineListener,
        stop: threading.Event,
        *,
        on_pulse: Pulse | None = None,
    ) -> None:
        """Run `zpool events` that goes on, see `reconciler.hosts.host.Host`. It takes real time."""
        arrive = partial(self.faults.moment, self.cell, _bystander(self), argv)
        simulated_events.check(self.name, argv, arrive)
        simulated_events.follow(self.name, self.cell, self.clock, Listener(on_line, stop, on_pulse))

    def close(self) -> None:
        """Do nothing: there is no connection."""


@dataclass(frozen=True, slots=True)
class SimulatedLink:
    """Two simulated hosts that a stream goes between: its second command runs on the other."""

    sender: SimulatedHost
    receiver: SimulatedHost

    @property
    def name(self) -> str:
        """The sender's name."""
        return self.sender.name

    def run(
        self,
        script: Script,
        *,
        timeout: float,
        on_stderr: StderrListener | None = None,
        cut: Cut | None = None,
    ) -> Transcript:
        """Run a script whose steps are streams, see `reconciler.hosts.host.Host`."""
        del cut
        return _run(script, self.sender, self.receiver, timeout, on_stderr)

    def follow(
        self,
        argv: Argv,
        on_line: LineListener,
        stop: threading.Event,
        *,
        on_pulse: Pulse | None = None,
    ) -> None:
        """Follow the sender."""
        self.sender.follow(argv, on_line, stop, on_pulse=on_pulse)

    def close(self) -> None:
        """Do nothing: there is no connection."""


def _run(
    script: Script,
    host: SimulatedHost,
    other: SimulatedHost,
    timeout: float,
    on_stderr: StderrListener | None,
) -> Transcript:
    """Interpret a script; the second commands of its streams run on the other host."""
    interpreter = _Interpreter(host, other, on_stderr)
    try:
        cut = host.faults.moment(host.cell, _bystander(host))
        outcomes = interpreter.outcomes(script)
    except ConnectionLost:
        raise Unreachable(host.name, "the connection broke") from None
    except Refused as refused:
        raise Unreachable(host.name, str(refused)) from None
    except Hung:
        raise CommandTimeout(
            host.name, f"not done after {timeout:g} s, so it was stopped"
        ) from None
    except StateError as error:
        raise Unreachable(host.name, str(error)) from error
    finally:
        interpreter.end()
    if isinstance(cut, ScriptCut):
        return cut_off(script, outcomes, cut.bytes, host.name)
    return Transcript(outcomes)


class _Running(NamedTuple):
    host: SimulatedHost
    process: Process


class _Interpreter:
    """One script that runs."""

    def __init__(
        self, host: SimulatedHost, other: SimulatedHost, on_stderr: StderrListener | None
    ) -> None:
        self.host = host
        self.other = other
        self.on_stderr = on_stderr
        self.running: list[_Running] = []

    def outcomes(self, script: Script) -> dict[str, Outcome]:
        """Run the steps in order; return what came of those that were run."""
        found: dict[str, Outcome] = {}
        for step in script.steps:
            if is_to_run(step, found):
                found[step.name] = self._outcome(step, found)
        return found

    def end(self) -> None:
        """End what still runs, as the lifeline does: the kernel cleans up after it."""
        for host, process in self.running:
            with suppress(StateError):
                _abandon(host, process)
        self.running.clear()

    def _outcome(self, step: Step, found: dict[str, Outcome]) -> Outcome:
        if step.into is not None:
            return self._stream(step.argv, step.into)
        if step.there:
            return self._there(step.argv)
        if step.more is None:
            return self._command(step.argv, step.stdin)
        more = arguments_of(step.more, found[step.more.step].stdout)
        if not more:
            return Outcome(0, "", "")
        outcome = self._command((*step.argv, *more))
        failed = 0 < outcome.status <= 125
        return Outcome(_XARGS_FAILED if failed else outcome.status, outcome.stdout, outcome.stderr)

    def _command(self, argv: Argv, stdin: str = "") -> Outcome:
        process = self._process(self.host, argv, self.on_stderr)
        process.stdin = ChunkedInput(iter((stdin.encode(),)))
        stdout = b"".join(_stdout(self.host, process))
        self.running.clear()
        return Outcome(process.status, _text(stdout), process.stderr)

    def _there(self, argv: Argv) -> Outcome:
        process = self._process(self.other, argv, None)
        try:
            stdout = b"".join(_stdout(self.other, process))
        except ConnectionLost:
            if self.host is self.other:
                raise
            stdout = _lost(self.other, process)
        self.running.clear()
        return Outcome(process.status, _text(stdout), process.stderr)

    def _stream(self, argv: Argv, into: Argv) -> Outcome:
        first = self._process(self.host, argv, self.on_stderr)
        second = self._process(self.other, into, None)
        if self.host is self.other:
            chunks = _stdout(self.host, first)
        else:
            chunks = _until_lost(self.host, first)
        second.stdin = ChunkedInput(chunks)
        try:
            stdout = b"".join(_stdout(self.other, second))
        except ConnectionLost:
            if self.host is self.other:
                raise
            stdout = _lost(self.other, second)
        if next(chunks, None) is not None:
            first.status = BROKEN_PIPE
        chunks.close()
        self.running.clear()
        return Outcome(second.status, _text(stdout) + second.stderr, first.stderr, first.status)

    def _process(
        self, host: SimulatedHost, argv: Argv, on_stderr: StderrListener | None
    ) -> Process:
        cell = FaultyCell(host.cell, host.faults, _bystander(host))
        process = Process(
            cell, argv, host.clock, on_stderr=on_stderr, owner=new_owner(), kernel=host.cell
        )
        self.running.append(_Running(host, process))
        return process


def _stdout(host: SimulatedHost, process: Process) -> Generator[bytes, None, None]:
    """Yield what a command prints; its start is a moment at which something may go wrong."""
    try:
        fault = host.faults.moment(host.cell, _bystander(host), process.argv)
    except Refused as refused:
        process.fail(*refused.lines, status=refused.status)
        return
    chunks = start(process)
    if not isinstance(fault, StreamCut):
        yield from chunks
        return
    yield from cut_after(chunks, fault.bytes)
    chunks.close()
    process.status = fault.status


def _until_lost(host: SimulatedHost, process: Process) -> Generator[bytes, None, None]:
    """Yield a stream up to where the connection to its sender breaks: the receiver goes on."""
    try:
        yield from _stdout(host, process)
    except ConnectionLost:
        _lost(host, process)


def _lost(host: SimulatedHost, process: Process) -> bytes:
    """End one end of a stream to which the connection is lost; nothing more comes from it."""
    _abandon(host, process)
    process.fail(f"Connection to {host.name} closed by remote host.", status=_CONNECTION_BROKEN)
    return b""


def _abandon(host: SimulatedHost, process: Process) -> None:
    host.cell.change(lambda machine: abandoned(machine, process.owner))


def _bystander(host: SimulatedHost) -> Callable[[Cell, Argv], None]:
    """Return what runs somebody else's command on a host."""

    def act(cell: Cell, argv: Argv) -> None:
        run(cell, argv, clock=host.clock)

    return act


def _text(data: bytes) -> str:
    return data.decode(ENCODING, DECODING_ERRORS)
