"""Where channel programs are worth a try (zfs-program(8)).

They need root, and sudo's rules may not allow them: it is found out by trying. A refusal is noted
by sudo in the host's log, perhaps mailed, so that is not done again and again.
"""

import threading
import time
from collections.abc import Callable

AGAIN = 3600.0
"""Seconds after which it is tried once more: rules change, and a pool may have been in trouble."""


class Programs:
    """On which hosts channel programs got no answer, and when. Safe for use from threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refused: dict[str, float] = {}
        self._lock = threading.Lock()

    def worth_a_try(self, host: str) -> bool:
        """Tell whether none was refused on the host of late."""
        with self._lock:
            refused = self._refused.get(host)
        return refused is None or self._clock() - refused >= AGAIN

    def refused(self, host: str) -> None:
        """Remember that one got no answer."""
        with self._lock:
            self._refused[host] = self._clock()
