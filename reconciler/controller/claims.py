"""Which filesystems are being worked on, so that no two runs change one at the same time."""

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

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

    def busy(self, since: Mapping[str, float]) -> frozenset[Place]:
        """Return the places that may differ from how they were seen when each host was asked."""
        with self._lock:
            freed = (place for place, at in self._freed.items() if at >= since.get(place[0], at))
            return frozenset((*self._taken, *freed))

    def claim(self, places: Collection[Place], since: Mapping[str, float]) -> bool:
        """Claim places as they were seen then; False, and none claimed, if one is busy."""
        with self._lock:
            if any(self._is_busy(place, since[place[0]]) for place in places):
                return False
            self._taken.update(dict.fromkeys(places, 1))
            return True

    def _is_busy(self, place: Place, since: float) -> bool:
        freed = self._freed.get(place)
        return place in self._taken or (freed is not None and freed >= since)

    def free(self, places: Iterable[Place], now: float) -> None:
        """Give back places."""
        with self._lock:
            for place in places:
                del self._taken[place]
                self._freed[place] = now
