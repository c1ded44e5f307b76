"""Streams that have come to a halt: found out, and ended long before their time is up.

A stream that moves no bytes may still be at work: `zfs send` looks for what has changed, `zfs
receive` frees what a snapshot no longer has, and both wait for a pool that is busy. So the bytes
are only the first sign of life. When they stand still the receiver is asked for what changes while
it receives; only when neither has moved for the whole of the time, the stream is taken to hang.
"""

import threading
import time
from collections.abc import Callable
from typing import Self

from reconciler.zfs.piping import Piping

PATIENCE = 600.0
"""Seconds without any sign of life. A transaction group takes seconds and on a pool under load a
minute or two; ssh gives up a silent peer after one. A stream that is cut loses what it had since
the receiver's last transaction group, and ten minutes are short against the hours its place in the
queue would be taken."""

LOOKS = 2
"""So many times in that time the receiver is looked at."""

_IN_PIPES = 8 << 20
"""Bytes that pipes and sockets hold beside the buffers."""


def patience_with(piping: Piping, patience: float = PATIENCE) -> float:
    """Return the seconds without a sign of life after which a stream hangs.

    What its buffers hold takes its time at a limited rate, and the sender may have nothing to do
    meanwhile.

    >>> patience_with(Piping(bandwidth=1 << 20, limiter="pv"))
    608.0
    """
    if not piping.bandwidth:
        return patience
    held = _IN_PIPES + (piping.buffer or 0) * len(piping.buffered)
    return patience + held / piping.bandwidth


class Watchdog:
    """Watches one stream from a thread of its own."""

    def __init__(
        self,
        patience: float,
        look: Callable[[], str | None],
        end: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch; `look` returns what changes while something is received, None if unknown."""
        self.patience = patience
        self._look = look
        self._end = end
        self._clock = clock
        self._lock = threading.Lock()
        self._bytes = -1
        self._alive = self._asked = clock()
        self._seen: str | None = None
        self._over = threading.Event()
        self.has_bitten = False

    def sent(self, count: int) -> None:
        """Take note of how many bytes have been sent; `zfs send -I` counts each snapshot anew."""
        with self._lock:
            if count != self._bytes:
                self._bytes = count
                self._alive = self._asked = self._clock()
                self._seen = None

    def check(self) -> float:
        """Look after the stream; return after how many seconds to do so again.

        Ends the stream when it hangs.
        """
        pause = self.patience / LOOKS
        with self._lock:
            due = self._asked + pause - self._clock()
        if due > 0:
            return due
        found = self._look()
        with self._lock:
            if self._asked + pause > self._clock():
                return pause  # Bytes have come meanwhile.
            self._asked = self._clock()
            if found is not None and self._seen is not None and found != self._seen:
                self._alive = self._asked
            self._seen = found or self._seen
            if self._asked - self._alive < self.patience:
                return pause
            self.has_bitten = True
        self._end()
        return pause

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, daemon=True, name="watchdog").start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _watch(self) -> None:
        pause = self.patience / LOOKS
        while not self._over.wait(pause) and not self.has_bitten:
            pause = self.check()
