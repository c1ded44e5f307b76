"""A command on a simulated host as a process of its own: real stdin, stdout, stderr, status."""

import os
import re
import secrets
import shlex
import signal
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from reconciler.errors import ReconcilerError, UsageError
from reconciler.simulator.cell import Cell, MemoryCell
from reconciler.simulator.model import Machine
from reconciler.simulator.owners import new_owner
from reconciler.simulator.process import BROKEN_PIPE, Process
from reconciler.simulator.run import start
from reconciler.simulator.store import StateFile
from reconciler.zfs.types import Argv

PROGRAMS = ("zfs", "zpool")

_RELEASE = re.compile(r"\d+\.\d+\.\d+")
_CREATE = ("zpool", "create")


def execute_on(state: Path, argv: Argv, *, at: int | None, release: str | None) -> int:
    """Run a command on the host in a state file; return its exit status.

    `zpool create` makes the file where there is none. A command that a signal would have ended
    ends this process by that signal.
    """
    if release is not None and not _RELEASE.fullmatch(release):
        raise UsageError(f"--release {release}: write it like 2.1.11")
    clock: Callable[[], float] = time.time if at is None else partial(float, at)
    if argv[:2] == _CREATE and not state.exists():
        memory = MemoryCell(_with_release(Machine(secrets.token_hex(16)), release))
        status = _run(memory, argv, clock)
        if status == 0:
            StateFile(state).create(memory.read())
        return status
    file = StateFile(state)
    if release is not None:
        file.change(partial(_with_release, release=release))
    return _run(file, argv, clock)


def _with_release(machine: Machine, release: str | None) -> Machine:
    return machine if release is None else replace(machine, release=release)


def _run(cell: Cell, argv: Argv, clock: Callable[[], float]) -> int:
    process = Process(
        cell, argv, clock, stdin=sys.stdin.buffer, on_stderr=_print_stderr, owner=new_owner()
    )
    chunks = start(process)
    if not _copied(chunks, sys.stdout.buffer):
        chunks.close()
        process.status = BROKEN_PIPE
    if process.status < 0:
        _end_by(-process.status)
    return process.status


def _copied(chunks: Generator[bytes, None, None], stdout: BinaryIO) -> bool:
    """Print all of it; tell whether somebody read it to the end."""
    try:
        for chunk in chunks:
            stdout.write(chunk)
            stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


def _print_stderr(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _end_by(number: int) -> None:
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def write_shims(folder: Path, state: Path, at: str | None) -> None:
    """Write the executables; raise ReconcilerError where that can't be done."""
    command = [sys.executable, "-m", "reconciler.cli.main", "simulator", "exec"]
    command += [str(state.absolute()), *(["--at", at] if at is not None else []), "--"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for program in PROGRAMS:
            shim = folder / program
            shim.write_text(f'#!/bin/sh\nexec {shlex.join([*command, program])} "$@"\n')
            shim.chmod(0o755)
    except OSError as error:
        raise ReconcilerError(f"{error.filename}: {error.strerror}") from error
