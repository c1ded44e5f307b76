"""Open connections, how many may be, and how long each may take."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable

REQUEST_SECONDS = 20.0
"""From the begin of a connection, or the last answer, to the end of the next answer.

A timeout of each read alone would let one who sends a byte now and then stay for ever.
"""


class Connections:
    """Knows each open connection and when its time is up. Safe for threads."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[socket.socket, float] = {}

    def add(self, connection: socket.socket) -> bool:
        """Take a connection on; False: there are too many."""
        with self._lock:
            if len(self._until) >= self._most:
                return False
            self._until[connection] = self._clock() + REQUEST_SECONDS
            return True

    def renew(self, connection: socket.socket) -> None:
        """Give a connection time for one more request."""
        with self._lock:
            if connection in self._until:
                self._until[connection] = self._clock() + REQUEST_SECONDS

    def remove(self, connection: socket.socket) -> None:
        """Forget a connection that was closed."""
        with self._lock:
            self._until.pop(connection, None)

    def end_overdue(self) -> None:
        """End those whose time is up."""
        self._end_those_until(self._clock())

    def end(self) -> None:
        """End all."""
        self._end_those_until(float("inf"))

    def __len__(self) -> int:
        with self._lock:
            return len(self._until)

    def _end_those_until(self, moment: float) -> None:
        with self._lock:
            over = [one for one, until in self._until.items() if until <= moment]
            for connection in over:
                # The plain socket's: that of TLS would change what its thread is working with.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
