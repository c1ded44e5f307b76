"""Which filesystems are being worked on, so that no two runs change one at the same time."""

import threading
from collections import Counter
from collections.abc import Collection, Iterable

from reconciler.controller.keys import Place


class Claims:
    """Places that runs have claimed, and when places were given back. Safe for threads.

    A plan is only as good as what it was made from: what was given back after that look counts as
    taken, since it may have changed meanwhile.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[Place] = Counter()
        self._freed: dict[Place, float] = {}

    def busy(self, since: float) -> frozenset[Place]:
        """Return the places that may differ from how they were seen at an instant."""
        with self._lock:
            freed = (place for place, at in self._freed.items() if at >= since)
            return frozenset((*self._taken, *freed))

    def claim(self, places: Collection[Place], since: float) -> bool:
        """Claim places as they were seen at an instant; False, and none claimed, if one is busy."""
        with self._lock:
            if any(p in self._taken or self._freed.get(p, since - 1) >= since for p in places):
                return False
            self._taken.update(dict.fromkeys(places, 1))
            return True

    def free(self, places: Iterable[Place], now: float) -> None:
        """Give back places."""
        with self._lock:
            for place in places:
                del self._taken[place]
                self._freed[place] = now

    def forget(self, before: float) -> None:
        """Drop what nobody asks about any more: all looks are younger than that."""
        with self._lock:
            self._freed = {place: at for place, at in self._freed.items() if at >= before}
