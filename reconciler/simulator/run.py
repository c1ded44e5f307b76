"""Which command an argv is, and running it to its end."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from reconciler.simulator.cell import Cell
from reconciler.simulator.commands import TABLE
from reconciler.simulator.process import (
    BROKEN_PIPE,
    ChunkedInput,
    Command,
    Input,
    NoInput,
    Process,
    Refused,
)
from reconciler.simulator.usage import USAGE_STATUS
from reconciler.zfs.types import Argv

Clock = Callable[[], float]
OnStderr = Callable[[str], None]

COMMAND_NOT_FOUND = 127


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    status: int
    """-N for signal N."""
    stdout: bytes
    stderr: str


def start(process: Process) -> Generator[bytes, None, None]:
    """Return the stdout of a process, in chunks; it runs as far as they are taken."""
    return process.run(command_of(process.argv))


def run(cell: Cell, argv: Argv, *, clock: Clock, stdin: Input | None = None) -> Result:
    """Run a command to its end."""
    process = Process(cell, argv, clock, stdin or NoInput())
    stdout = b"".join(start(process))
    return Result(process.status, stdout, process.stderr)


def pipe(first: Process, second: Process) -> tuple[Result, Result]:
    """Run two commands joined by a pipe; the first one's stdout is in neither result."""
    chunks = start(first)
    second.stdin = ChunkedInput(chunks)
    stdout = b"".join(start(second))
    unread = next(chunks, None)
    chunks.close()
    if unread is not None:
        first.status = BROKEN_PIPE
    return (
        Result(first.status, b"", first.stderr),
        Result(second.status, stdout, second.stderr),
    )


def command_of(argv: Argv) -> Command:
    """Return what runs an argv; for one that nothing runs, what says so."""
    program, subcommand = argv[0], argv[1] if len(argv) > 1 else ""
    found = TABLE.get((program, subcommand)) or TABLE.get((program, ""))
    if found is not None:
        return found
    if program not in {name for name, _ in TABLE}:
        return _refusing(f"sh: 1: {program}: not found", status=COMMAND_NOT_FOUND)
    said = f"unrecognized command '{subcommand}'" if subcommand else "missing command"
    return _refusing(said, status=USAGE_STATUS)


def _refusing(said: str, *, status: int) -> Command:
    def command(_: Process) -> Iterator[bytes]:
        raise Refused(said, status=status)

    return command
