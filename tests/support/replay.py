"""Recorded commands: what real ZFS said to each of them, to be said again by a simulated host.

A recording is a text. `$` begins a command line, the lines after it are what it said:

    $ zfs hold keep tank/a@1
    $ zfs hold keep tank/a@1
    2> cannot hold snapshot 'tank/a@1': tag already exists on this dataset
    = 1
    $ zfs send tank/a@1 | zfs receive dst/a
    $ zfs send tank/a@1 > full
    $ cat full | cut 0.5 | zfs receive -s dst/b

`1>` is a line of stdout, `2>` one of stderr, `=` an exit status other than 0, that of the last
command of a pipeline. `1~` and `2~` are lines whose order does not matter: ZFS takes them from a
hash table. A command that is only there to prepare something begins with `!` and has to succeed
without a word. `{248x}` stands for 248 times `x`; `keep NAME FILESYSTEM` gives the resume token of
a filesystem a name, `{NAME}` is that token afterwards. Lines beginning with `#` tell where the
commands are from. Of a stream, `head -c N` lets through N bytes, `cut 0.5` a share, `damage 0.5`
changes the byte there, `tail -N` its last lines; `> NAME` stores it for `cat NAME`. The machine is
a new one for each recording, and all commands of one run on it.

Outputs are compared as `tests.support.normal` makes them: guids become `G1`, `G2` in the order in
which they were seen, a createtxg its rank, times `TIME`, sizes nothing or something.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import unified_diff

from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import Machine
from reconciler.simulator.process import BROKEN_PIPE, ChunkedInput, NoInput, Process
from reconciler.simulator.run import start
from reconciler.zfs.types import Argv
from tests.support import normal
from tests.support.steps import parse

_REPEATED = re.compile(r"\{(\d+)(\w)\}")
_KEPT = re.compile(r"\{([a-z]\w*)\}")
_CREATETXG = re.compile(r"(\tcreatetxg\t)\d+")
_START = 1_790_000_000

_EXPECTED = ("1>", "1~", "2>", "2~", "=")


@dataclass
class Recorded:
    """One command line and what was said to it, each line with its mark."""

    number: int
    """Of the line in the recording."""
    line: str
    said: list[str] = field(default_factory=list)
    prepares: bool = False

    @property
    def unordered(self) -> set[str]:
        """The streams whose order does not matter: `1`, `2`."""
        return {line[0] for line in self.said if line[1:2] == "~"}


@dataclass
class Player:
    """A simulated host that commands are said to."""

    cell: MemoryCell
    now: float = _START
    names: normal.Names = field(default_factory=normal.Names)
    tokens: dict[str, str] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)

    def clock(self) -> float:
        """Return a time; a second goes by between two calls."""
        self.now += 1
        return self.now

    def play(self, recorded: Recorded) -> list[str]:
        """Run a command line; return what it said, as a recording has it."""
        line = _REPEATED.sub(lambda found: found[2] * int(found[1]), recorded.line)
        commands = parse(_KEPT.sub(lambda found: self.tokens.get(found[1], "-"), line))
        if commands[0][0] == "keep":
            _, name, filesystem = commands[0]
            asked = ("zfs", "get", "-H", "-o", "value", "receive_resume_token", filesystem)
            self.tokens[name] = self._run((asked,))[0].strip()
            return []
        stdout, stderr, status = self._run(commands)
        shown = _CREATETXG.sub(r"\1TXG", normal.stdout(commands[-1], stdout, self.names))
        complaints = normal.plain(stderr, self.names)
        return [
            *_marked("1", shown, unordered="1" in recorded.unordered),
            *_marked("2", complaints, unordered="2" in recorded.unordered),
            *([f"= {status}"] if status else []),
        ]

    def _run(self, commands: tuple[Argv, ...]) -> tuple[str, str, int]:
        """Run a pipeline; return the last stdout, all stderr and the last status."""
        chunks: Iterator[bytes] | None = None
        processes: list[Process] = []
        name: str | None = None
        pipes: list[tuple[Process, Iterator[bytes]]] = []
        for argv in commands:
            if argv[0] == "cat":
                chunks = iter((self.stored[argv[1]],))
                continue
            if argv[0] in _FILTERS and chunks is not None:
                chunks = _FILTERS[argv[0]](chunks, argv[-1])
                continue
            name = argv[-1] if argv[-2:-1] == (">",) else None
            argv = argv if name is None else argv[:-2]  # noqa: PLW2901 - what runs
            stdin = ChunkedInput(chunks) if chunks is not None else NoInput()
            process = Process(self.cell, argv, self.clock, stdin, owner=f"recording {id(argv)}")
            chunks = start(process)
            processes.append(process)
            pipes.append((process, chunks))
        stdout = b"".join(chunks or ())
        if name is not None:
            self.stored[name] = stdout
            stdout = b""
        for process, unread in pipes[:-1]:
            if next(unread, None) is not None:
                process.status = BROKEN_PIPE
            unread.close()  # type: ignore[attr-defined]
        stderr = "".join(process.stderr for process in processes)
        status = 0 if commands[-1][0] in _FILTERS else processes[-1].status
        return stdout.decode(), stderr, status if status >= 0 else 128 - status


def read(text: str) -> list[Recorded]:
    """Return the commands of a recording; raise ValueError for a line that is none of its form."""
    found: list[Recorded] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(("$ ", "! ")):
            found.append(Recorded(number, line[2:], prepares=line[0] == "!"))
        elif line.startswith(_EXPECTED) and found:
            found[-1].said.append(line)
        elif line and not line.startswith("#"):
            raise ValueError(f"line {number} is not of a recording: {line!r}")
    return found


def differences(text: str, *, release: str = "2.1.11") -> str:
    """Return how a simulated host answers otherwise than the recorded one, empty if it does not."""
    player = Player(MemoryCell(Machine("recording", release=release)))
    found = []
    for recorded in read(text):
        said = player.play(recorded)
        expected = [] if recorded.prepares else list(_expected(recorded))
        if said != expected:
            shown = unified_diff(expected, said, "recorded", "simulated", lineterm="", n=99)
            found.append("\n".join([f"line {recorded.number}: {recorded.line}", *shown]))
    return "\n\n".join(found)


def _expected(recorded: Recorded) -> Iterator[str]:
    """Yield what was said; lines without an order are sorted."""
    for stream in ("1", "2"):
        lines = [line for line in recorded.said if line.startswith(stream)]
        expanded = [_REPEATED.sub(lambda found: found[2] * int(found[1]), line) for line in lines]
        yield from sorted(expanded) if stream in recorded.unordered else expanded
    yield from (line for line in recorded.said if line.startswith("="))


def _marked(stream: str, text: str, *, unordered: bool) -> list[str]:
    mark = f"{stream}~" if unordered else f"{stream}>"
    lines = [f"{mark} {line}" for line in text.splitlines()]
    return sorted(lines) if unordered else lines


def _cut(chunks: Iterator[bytes], share: str) -> Iterator[bytes]:
    """Yield the first part of a stream."""
    stream = b"".join(chunks)
    yield stream[: int(len(stream) * float(share))]


def _damage(chunks: Iterator[bytes], share: str) -> Iterator[bytes]:
    """Yield a stream with one byte of it changed."""
    stream = bytearray(b"".join(chunks))
    stream[int(len(stream) * float(share))] ^= 1
    yield bytes(stream)


def _head(chunks: Iterator[bytes], said: str) -> Iterator[bytes]:
    """Yield the first bytes, then stop reading."""
    size = int(said)
    while size > 0:
        chunk = next(chunks, b"")
        if not chunk:
            return
        yield chunk[:size]
        size -= len(chunk)


def _tail(chunks: Iterator[bytes], said: str) -> Iterator[bytes]:
    """Yield the last lines."""
    yield from b"".join(chunks).splitlines(keepends=True)[int(said) :]


_FILTERS: dict[str, Callable[[Iterator[bytes], str], Iterator[bytes]]] = {
    "head": _head,
    "cut": _cut,
    "damage": _damage,
    "tail": _tail,
}
