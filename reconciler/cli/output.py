"""Where text goes: stdout for what was asked for, stderr for errors and logs.

A reader that goes away (`| head`) is no error, least of all in the middle of an apply: what is
written after that goes nowhere.
"""

import os
import re
import sys
from collections.abc import Iterable
from typing import TextIO

from reconciler.report.lines import Line, Style, clean

_RESET, _DIM = "\x1b[0m", "\x1b[2m"
_COLOURS = {
    Style.TITLE: "\x1b[1m",
    Style.ADD: "\x1b[32m",
    Style.SEND: "\x1b[36m",
    Style.MARK: "\x1b[34m",
    Style.DESTROY: "\x1b[31m",
    Style.QUIET: _DIM,
    Style.WARNING: "\x1b[33m",
    Style.ERROR: "\x1b[1;31m",
    Style.GOOD: "\x1b[32m",
}
_ONLY_THE_VERB = {Style.ADD, Style.SEND, Style.MARK, Style.DESTROY}
_VERB = re.compile(r"\s*\S+ \S+")


class Output:
    """Prints lines and JSON on stdout."""

    def __init__(self, *, no_color: bool = False) -> None:
        self.colour = not no_color and is_coloured(sys.stdout)

    def lines(self, lines: Iterable[Line]) -> None:
        """Print lines, in colour where that is wanted."""
        shown = map(painted, lines) if self.colour else map(str, lines)
        self.text("".join(f"{line}\n" for line in shown))

    def text(self, text: str) -> None:
        """Print text as it is."""
        _write(sys.stdout, text)


def is_coloured(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal that shows colours, and nobody has asked for none."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not plain


def painted(line: Line) -> str:
    """Return a line with the codes of its colours; of an action only the verb is coloured."""
    head, colour = line.head, _COLOURS.get(line.style)
    if colour is not None and head:
        verb = _VERB.match(head) if line.style in _ONLY_THE_VERB else None
        end = verb.end() if verb is not None else len(head)
        head = f"{colour}{head[:end]}{_RESET}{head[end:]}"
    return f"{head}{_DIM}{line.tail}{_RESET}" if line.tail else head


def print_error(message: str) -> None:
    """Print a message on stderr; hosts' own words may be in it."""
    _write(sys.stderr, "".join(f"{clean(line)}\n" for line in message.split("\n")))


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
