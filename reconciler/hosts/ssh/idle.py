"""Connections that nobody uses at the moment: so many stay open, in the whole process.

Opening one again costs a second; an open one costs a thread and a socket here, and two processes on
the host. Where hosts are more than this, those that were used last keep theirs.
"""

import threading
from typing import Protocol

MOST_IDLE = 64
"""Connections of hosts that nobody uses, with those to their jump hosts counted as one."""


class Retirable(Protocol):
    """What holds a connection."""

    def retire(self) -> None:
        """Close it as soon as nobody uses it."""


class Idle:
    """Who holds a connection that is idle. Safe for threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._holders: dict[Retirable, None] = {}
        """The longest idle one first."""

    def put(self, holder: Retirable) -> None:
        """Take note of one that is idle from now on, and close what is too many."""
        with self._lock:
            self._holders.pop(holder, None)
            self._holders[holder] = None
            many = list(self._holders)[: max(0, len(self._holders) - self._most)]
            for other in many:
                del self._holders[other]
        # Not under the lock: closing may take a moment. One that is taken again meanwhile is closed
        # when it is given back, and only that.
        for other in many:
            other.retire()

    def take(self, holder: Retirable) -> None:
        """Take note of one that is not idle any more, or is closed."""
        with self._lock:
            self._holders.pop(holder, None)


IDLE = Idle(MOST_IDLE)
"""Those of this process."""
