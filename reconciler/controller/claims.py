"""Which filesystems are being worked on, so that no two runs change one at the same time."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from reconciler.controller.keys import Key, Place
from reconciler.controller.uses import Use, minds

IsFree = Callable[[Place, Use], bool]
"""Tells whether something can be done with a place now."""


class Claims:
    """Places that runs have claimed, and when places were given back. Safe for threads.

    A plan is only as good as what it was made from: what was given back after that look counts as
    taken for those who mind, since it may have changed meanwhile.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[Place, set[tuple[Use, Key]]] = {}
        self._freed: dict[Place, dict[tuple[Use, Key], float]] = {}
        """Of interest to those only who looked before."""
        self._looking: list[float] = []

    @contextmanager
    def looking(self, now: float) -> Iterator[None]:
        """Look at hosts, plan and claim: what is given back meanwhile is remembered for so long.

        What was given back before had been said to have changed before: no look that is handed out
        later is older than that.
        """
        with self._lock:
            self._looking.append(now)
        try:
            yield
        finally:
            with self._lock:
                self._looking.remove(now)
                self._tidy()

    def free_for(self, key: Key, since: Mapping[str, float]) -> IsFree:
        """Return what tells a key whether a place is free, and is as its host said when asked."""

        def is_free(place: Place, use: Use) -> bool:
            with self._lock:
                return not self._is_busy(place, use, key, since[place[0]])

        return is_free

    def claim(self, key: Key, places: Mapping[Place, Use], since: Mapping[str, float]) -> bool:
        """Claim places as they were seen then; False, and none claimed, if one is busy."""
        with self._lock:
            for place, use in places.items():
                if self._is_busy(place, use, key, since[place[0]]):
                    return False
            for place, use in places.items():
                self._taken.setdefault(place, set()).add((use, key))
            return True

    def free(self, key: Key, places: Mapping[Place, Use], now: float) -> None:
        """Give back places."""
        with self._lock:
            for place, use in places.items():
                uses = self._taken[place]
                uses.remove((use, key))
                if not uses:
                    del self._taken[place]
                self._freed.setdefault(place, {})[use, key] = now
            self._tidy()

    def _is_busy(self, place: Place, use: Use, key: Key, since: float) -> bool:
        freed = (taken for taken, at in self._freed.get(place, {}).items() if at >= since)
        return any(minds(use, key, *taken) for taken in (*self._taken.get(place, ()), *freed))

    def _tidy(self) -> None:
        """Drop what nobody's look can be older than: filesystems come and go."""
        if not self._looking:
            self._freed.clear()
            return
        oldest = min(self._looking)
        for place, freed in [*self._freed.items()]:
            left = {taken: at for taken, at in freed.items() if at >= oldest}
            if left:
                self._freed[place] = left
            else:
                del self._freed[place]
