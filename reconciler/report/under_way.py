"""Since when keys have been worked on, so that one that hangs is seen before it ends."""

import threading
from collections.abc import Callable, Iterator

from reconciler.report import measures
from reconciler.report.gauges import Gauge
from reconciler.report.measure import KINDS


class UnderWay:
    """Remembers when work began. Safe for threads.

    What ends is not told by key: of what is under way, that is taken to have ended which began
    nearest to so many seconds ago.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since: dict[str, list[float]] = {kind: [] for kind in KINDS}

    def began(self, kind: str) -> None:
        """Note that work on a key of a kind began."""
        with self._lock:
            self._since.setdefault(kind, []).append(self._clock())

    def ended(self, kind: str, seconds: float) -> None:
        """Note that work that took so long has ended."""
        with self._lock:
            since = self._since.get(kind)
            if since:
                began = self._clock() - seconds
                since.remove(min(since, key=lambda at: abs(at - began)))

    def gauges(self) -> Iterator[Gauge]:
        """Yield how long it has been going on."""
        with self._lock:
            now = self._clock()
            ages = {(kind,): [now - at for at in since] for kind, since in self._since.items()}
        yield measures.UNFINISHED, {kind: sum(each) for kind, each in ages.items()}
        yield measures.LONGEST, {kind: max(each, default=0.0) for kind, each in ages.items()}
