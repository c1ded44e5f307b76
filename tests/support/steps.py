"""Steps: command lines that run on a simulated host and on a real one, kept as text.

One step is one line, a pipeline in a shell's notation:

    zfs snapshot 'src/a@sp ace'
    write src/a file 200000
    zfs send src/a@1 | cut 0.5 | zfs receive -s dst/a
    keep t1 dst/a
    zfs send -t {t1} | zfs receive -s dst/a

`write` stands for a program that writes a file of a filesystem, or a volume's data, anew. `cut`
ends a stream after a share of its bytes: streams of both hosts differ in length. `keep` gives the
resume token of a filesystem a name; `{name}` is that token in later steps.
"""

import shlex
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.process import ChunkedInput, Process
from reconciler.simulator.run import pipe, run, start
from reconciler.zfs.types import Argv

Step = tuple[Argv, ...]
"""The commands of a pipeline."""

CUT, KEEP, WRITE = "cut", "keep", "write"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step said on one host."""

    stdout: str = ""
    stderrs: tuple[str, ...] = ()
    """By command, without `cut`."""
    statuses: tuple[int, ...] = ()
    """As a shell gives them: 128 + N for signal N."""


@dataclass
class Simulated:
    """A simulated host on which steps are run one after another."""

    cell: MemoryCell
    now: float = 1_790_000_000
    tokens: dict[str, str] = field(default_factory=dict)

    def clock(self) -> float:
        """Return the time: commands take none."""
        return self.now

    def run(self, step: Step) -> Outcome:
        """Run one step to its end, a second after the one before."""
        self.now += 1
        try:
            return self._run(step)
        except Exception:  # noqa: BLE001 - a bug to be shown like any other difference
            return Outcome("", (f"the simulator crashed: {traceback.format_exc()}",), (-1,))

    def _run(self, step: Step) -> Outcome:
        if step[0][0] == KEEP:
            _, name, filesystem = step[0]
            self.tokens[name] = self.ask(*_token_of(filesystem)).stdout.strip()
            return Outcome()
        share = next((float(argv[1]) for argv in step if argv[0] == CUT), None)
        if step[0][0] == WRITE:
            return replace(self.ask(*step[0]), statuses=())
        commands = [self._filled(argv) for argv in step if argv[0] != CUT]
        if len(commands) == 1:
            return self.ask(*commands[0])
        return self._joined(commands[0], commands[1], share)

    def ask(self, *argv: str) -> Outcome:
        """Run one command."""
        ended = run(self.cell, argv, clock=self.clock)
        return Outcome(ended.stdout.decode(), (ended.stderr,), (_status(ended.status),))

    def _joined(self, send: Argv, receive: Argv, share: float | None) -> Outcome:
        first, second = (Process(self.cell, argv, self.clock) for argv in (send, receive))
        if share is None:
            results = pipe(first, second)
            said = tuple(result.stderr for result in results)
            statuses = tuple(_status(result.status) for result in results)
            return Outcome(results[1].stdout.decode(), said, statuses)
        size = int(self.length(send) * share)
        chunks = start(first)
        # `head` reads, whether or not the receiver does.
        begun = next(chunks, b"")
        second.stdin = ChunkedInput(_first_bytes(chain([begun], chunks), size))
        stdout = b"".join(start(second))
        chunks.close()
        statuses = _status(first.status), _status(second.status)
        return Outcome(stdout.decode(), (first.stderr, second.stderr), statuses)

    def length(self, send: Argv) -> int:
        """Return how many bytes a stream has, on a copy of the machine."""
        return len(run(MemoryCell(self.cell.read()), send, clock=self.clock).stdout)

    def _filled(self, argv: Argv) -> Argv:
        return tuple(fill(word, self.tokens.get) for word in argv)


def fill(word: str, token: Callable[[str], str | None]) -> str:
    """Return a word of a command with the token that it stands for."""
    if not (word.startswith("{") and word.endswith("}")):
        return word
    return token(word[1:-1]) or "-"


def parse(line: str) -> Step:
    """Read one step from its line."""
    words = shlex.shlex(line, posix=True, punctuation_chars="|")
    words.whitespace_split = True
    words.commenters = ""
    commands: list[list[str]] = [[]]
    for word in words:
        if word == "|":
            commands.append([])
        else:
            commands[-1].append(word)
    return tuple(tuple(command) for command in commands)


def shown(step: Step) -> str:
    """Return a step as its line."""
    return " | ".join(" ".join(_quoted(word) for word in argv) for argv in step)


def read(text: str) -> Iterator[Step]:
    """Yield the steps of a text; empty lines and those that begin with `#` are none."""
    for line in text.splitlines():
        if line and not line.startswith("#"):
            yield parse(line)


def _quoted(word: str) -> str:
    plain = word.startswith("{") and word.endswith("}")
    return word if plain else shlex.quote(word)


def _token_of(filesystem: str) -> Argv:
    return ("zfs", "get", "-H", "-p", "-o", "value", "receive_resume_token", filesystem)


def _status(status: int) -> int:
    return 128 - status if status < 0 else status


def _first_bytes(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[:size]
        size -= len(chunk)
        if size <= 0:
            return
