"""Following one long command: its output as lines, how long to go on, what its end means.

What is the same for all hosts that run real commands; `Source` is where they differ.
"""

import codecs
import threading
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from reconciler.errors import CommandEnded, NoShell
from reconciler.hosts.host import LineListener, Pulse
from reconciler.hosts.transcript import DECODING_ERRORS, ENCODING, last_line

TICK = 0.5
"""Seconds between two looks at what stops it."""

_LONGEST_LINE = 1 << 16
_LAST_WORDS = 1 << 12


class Heard(NamedTuple):
    """What came of a command's two streams, and whether both have ended."""

    out: bytes
    err: bytes
    over: bool = False


class Source(Protocol):
    """A command that runs somewhere."""

    @property
    def is_on_terminal(self) -> bool:
        """Whether what it says on stderr comes with its stdout."""
        ...

    def wait(self, seconds: float) -> Heard:
        """Return what has come, at the latest after so many seconds. Raises HostError."""
        ...

    def status(self) -> int | None:
        """Return the exit status once both streams have ended, as in `CommandEnded`."""
        ...


class Listener(NamedTuple):
    """Who follows, see `reconciler.hosts.host.Host.follow`."""

    on_line: LineListener
    stop: threading.Event
    on_pulse: Pulse | None = None


def listen(host: str, source: Source, nonce: str, listener: Listener) -> None:
    """Hand on lines until `stop` is set; raise HostError when the command ends before that."""
    out, err = Lines(nonce), LastWords()
    while not listener.stop.is_set():
        heard = source.wait(TICK)
        err.feed(heard.err)
        for line in out.feed(heard.out):
            listener.on_line(line)
        if heard.over:
            raise _end(host, source, out, err)
        if out.begun and listener.on_pulse is not None:
            listener.on_pulse()


def _end(host: str, source: Source, out: "Lines", err: "LastWords") -> CommandEnded | NoShell:
    said = err.text
    if source.is_on_terminal or not out.begun:
        said = said or out.unfinished or out.last
    if not out.begun:
        return NoShell(host, f"our account can't run /bin/sh: {last_line(said)}")
    status = source.status()
    words = f": {last_line(said)}" if last_line(said) else " and did not say why"
    message = f"a command that should go on {_how(status)}{words}"
    return CommandEnded(host, message, status=status, stderr=said)


def _how(status: int | None) -> str:
    if status is None:
        return "was ended by a signal"
    return f"ended with status {status}" if status >= 0 else f"was ended by signal {-status}"


class Lines:
    """Turns chunks of stdout into lines. What comes before the mark is noise of a login."""

    def __init__(self, nonce: str) -> None:
        self._mark = f"\n{nonce} begin\n".encode()
        self._before = b""
        self._decoder = codecs.getincrementaldecoder(ENCODING)(DECODING_ERRORS)
        self.begun = False
        """Whether the command has been started."""
        self.last = ""
        """The last line that says something."""
        self.unfinished = ""
        """What came after the last line end."""

    def feed(self, data: bytes) -> Iterator[str]:
        """Take the next chunk and yield the lines that it completes."""
        if not self.begun:
            data = self._after_mark(data)
        *lines, self.unfinished = (self.unfinished + self._decoder.decode(data)).split("\n")
        if len(self.unfinished) > _LONGEST_LINE:
            # No command that is followed prints such a line: better two than all the memory.
            lines.append(self.unfinished)
            self.unfinished = ""
        for line in lines:
            # A terminal, or sudo's own one, may have put a return before the line end.
            text = line.removesuffix("\r")
            self.last = text if text.strip() else self.last
            yield text

    def _after_mark(self, data: bytes) -> bytes:
        noise, mark, rest = (self._before + data).partition(self._mark)
        self.begun = bool(mark)
        self._before = b"" if mark else noise[-_LAST_WORDS:]
        if not mark:
            self.last = last_line(self._before.decode(ENCODING, DECODING_ERRORS))
        return rest


class LastWords:
    """The end of what a command says on stderr."""

    def __init__(self) -> None:
        self._said = b""

    def feed(self, data: bytes) -> None:
        """Take the next chunk."""
        self._said = (self._said + data)[-_LAST_WORDS:]

    @property
    def text(self) -> str:
        """What it said; noise of a login may be before it."""
        return self._said.decode(ENCODING, DECODING_ERRORS)
