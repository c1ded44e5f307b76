"""What a stream says of itself while it runs: how large ZFS thinks it is, and how far it is.

`zfs send -v -P` prints what `zfs send -n -v -P` would before it begins, so what a stream is thought
to bring is known of exactly its arguments and costs no process.
"""

from collections.abc import Callable
from typing import NamedTuple

from reconciler.zfs.parse import parse_progress, parse_stream_estimate


class Progress(NamedTuple):
    """How far a stream is."""

    bytes: int
    """What was sent."""
    estimate: int | None
    """What ZFS thinks that it will be in all; None: it has not said so."""


OnProgress = Callable[[Progress], None]


class Listener:
    """Turns what `zfs send -v -P` says on stderr into progress."""

    def __init__(self, on_progress: OnProgress, on_bytes: Callable[[int], None]) -> None:
        """Tell of both to the first, to the second only of what was sent."""
        self._on_progress = on_progress
        self._on_bytes = on_bytes
        self._estimate: int | None = None
        self._rest = ""

    def __call__(self, text: str) -> None:
        """Take the next piece of what it says."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._hear(line)

    def _hear(self, line: str) -> None:
        sent = parse_progress(line)
        if sent is not None:
            self._on_bytes(sent)
            self._on_progress(Progress(sent, self._estimate))
        elif self._estimate is None:
            self._estimate = parse_stream_estimate(line)
            if self._estimate is not None:
                self._on_progress(Progress(0, self._estimate))
