"""A way to end what runs on a host from another thread, before its time is up."""

import threading
from collections.abc import Callable


class Cut:
    """Ends one execution. It may be asked to before the execution begins or after it ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_made = False
        self._end: Callable[[], None] | None = None

    def make(self) -> None:
        """End what runs: its host's `run` raises HostError soon, as at the end of its time."""
        with self._lock:
            self._is_made, end = True, self._end
        if end is not None:
            end()

    def ends(self, end: Callable[[], None]) -> None:
        """Say how the execution that begins now is ended."""
        with self._lock:
            self._end, is_made = end, self._is_made
        if is_made:
            end()
