"""One command that runs on a simulated host: argv, stdin, stderr, exit status."""

import getopt
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Protocol

from reconciler.simulator.cell import Cell, Transition
from reconciler.simulator.owners import new_owner
from reconciler.zfs.types import Argv

BROKEN_PIPE = -13
"""The status of a command that was ended by SIGPIPE."""


class Refused(Exception):
    """Raised where a command ends badly: the lines it prints on stderr and its exit status."""

    def __init__(self, *lines: str, status: int = 1) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
        self.status = status


class Input(Protocol):
    """What a command reads."""

    def read(self, size: int, /) -> bytes:
        """Return exactly `size` bytes, fewer only at the end."""
        ...


class NoInput:
    """/dev/null."""

    def read(self, _size: int) -> bytes:
        """Return nothing."""
        return b""


class ChunkedInput:
    """Reads from the chunks that another command yields; closing it is a broken pipe for that."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = b""

    def read(self, size: int) -> bytes:
        """Return exactly `size` bytes, fewer only at the end."""
        while len(self._buffer) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._buffer += chunk
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found


class Options(NamedTuple):
    """What getopt makes of a command's arguments."""

    given: tuple[tuple[str, str], ...]
    """(letter, argument) in order."""
    operands: tuple[str, ...]

    def has(self, letter: str) -> bool:
        """Tell whether an option was given."""
        return any(name == letter for name, _ in self.given)

    def all(self, letter: str) -> list[str]:
        """Return the arguments of an option, in order."""
        return [value for name, value in self.given if name == letter]

    def last(self, letter: str) -> str | None:
        """Return the last argument of an option."""
        return next(iter(reversed(self.all(letter))), None)


NO_WORDS: Mapping[str, str] = MappingProxyType({})


def _letter(word: str, words: Mapping[str, str]) -> str | None:
    """Return the letter that a long option stands for."""
    return words.get(word) or words.get(f"{word}=")


@dataclass
class Process:
    """A running command. `run` yields its stdout in chunks; the status is known after the last."""

    cell: Cell
    argv: Argv
    clock: Callable[[], float]
    """Seconds since the epoch, of the world; the machine's clock is `skew` ahead of it."""
    stdin: Input = field(default_factory=NoInput)
    on_stderr: Callable[[str], None] | None = None
    owner: str = field(default_factory=new_owner)
    """Who runs it: what a state file uses to tell whether a stream still runs."""
    kernel: Cell | None = None
    """The same machine where nothing goes wrong: what is cleaned up behind a dead command."""
    status: int = 0
    stderr: str = ""

    @property
    def arguments(self) -> Argv:
        """What comes after the subcommand: `zfs list` is two words."""
        return self.argv[2:]

    def now(self) -> int:
        """Return the machine's clock, in seconds."""
        return int(self.clock()) + self.cell.read().skew

    def complain(self, line: str) -> None:
        """Print a line on stderr."""
        self._say(f"{line}\n")

    def say(self, text: str) -> None:
        """Print on stderr what is no complaint: progress, dry runs."""
        self._say(text)

    def _say(self, text: str) -> None:
        self.stderr += text
        if self.on_stderr is not None:
            self.on_stderr(text)

    def fail(self, *lines: str, status: int = 1) -> None:
        """Print lines on stderr and go on; the command will end with `status`."""
        for line in lines:
            self.complain(line)
        self.status = status

    def clean_up(self, transition: Transition) -> None:
        """Change the machine as the kernel does behind a command that ends: never refused."""
        (self.kernel or self.cell).change(transition)

    def options(
        self,
        letters: str,
        *,
        usage: Callable[[str], Refused],
        words: Mapping[str, str] = NO_WORDS,
    ) -> Options:
        """Return the options and operands; raise what `usage` makes of a mistake (getopt(3)).

        `words` are the long options of a command that has some (getopt_long(3)), each with the
        letter that it stands for; a `=` at the end tells that it takes an argument.
        """
        try:
            given, operands = getopt.gnu_getopt(list(self.arguments), letters, list(words))
        except getopt.GetoptError as error:
            word = _letter(error.opt, words)
            if "requires argument" in error.msg:
                raise usage(f"missing argument for '{word or error.opt}' option") from None
            wrong = f"--{error.opt}" if words and len(error.opt) > 1 else error.opt
            raise usage(f"invalid option '{wrong}'") from None
        found = ((_letter(name[2:], words) or name[1:], value) for name, value in given)
        return Options(tuple(found), tuple(operands))

    def run(self, command: "Command") -> Generator[bytes, None, None]:
        """Yield the stdout of a command that runs as this process."""
        try:
            yield from command(self)
        except Refused as refused:
            self.fail(*refused.lines, status=refused.status)
        except GeneratorExit:
            self.status = BROKEN_PIPE
            raise


Command = Callable[[Process], Iterable[bytes]]
"""A command: it prints what it yields."""

Commands = Mapping[tuple[str, str], Command]
"""Commands by program and subcommand; programs without subcommands have the empty one."""


def text(lines: Sequence[str]) -> list[bytes]:
    """Return lines as the stdout of a command."""
    return ["".join(f"{line}\n" for line in lines).encode()] if lines else []
