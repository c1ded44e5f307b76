"""Which filesystems are being worked on, so that no two runs change one at the same time."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum

from reconciler.controller.keys import Key, Place


class Use(Enum):
    """What a run does with a place."""

    ALONE = "alone"
    SENDS = "sends"
    """What a pair does at its sending end. Streams begin there, which may take days."""
    SNAPSHOTS = "snapshots"
    """A snapshot is made there and nothing else."""


class Claims:
    """Places that runs have claimed, and when places were given back. Safe for threads.

    A plan is only as good as what it was made from: what was given back after that look counts as
    taken, since it may have changed meanwhile.

    A stream that takes a day keeps neither the next snapshot waiting nor streams to other
    receivers: each pair has holds and a cursor of its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[Place, set[tuple[Use, Key]]] = {}
        self._freed: dict[Place, float] = {}
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

    def busy(self, since: Mapping[str, float]) -> frozenset[Place]:
        """Return the places that may differ from how they were seen when each host was asked."""
        with self._lock:
            taken = (
                place
                for place, uses in self._taken.items()
                if any(use is not Use.SENDS for use, _ in uses)
            )
            freed = (place for place, at in self._freed.items() if at >= since.get(place[0], at))
            return frozenset((*taken, *freed))

    def sending(self) -> Mapping[Place, frozenset[Key]]:
        """Return the places from which pairs send, and which pairs those are."""
        with self._lock:
            found = {
                place: frozenset(key for use, key in uses if use is Use.SENDS)
                for place, uses in self._taken.items()
            }
            return {place: pairs for place, pairs in found.items() if pairs}

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
                self._freed[place] = now
            self._tidy()

    def _is_busy(self, place: Place, use: Use, key: Key, since: float) -> bool:
        freed = self._freed.get(place)
        if freed is not None and freed >= since:
            return True
        return any(_minds(use, key, *taken) for taken in self._taken.get(place, ()))

    def _tidy(self) -> None:
        """Drop what nobody's look can be older than: filesystems come and go."""
        if not self._looking:
            self._freed.clear()
            return
        oldest = min(self._looking)
        for place in [place for place, at in self._freed.items() if at < oldest]:
            del self._freed[place]


def _minds(use: Use, key: Key, other_use: Use, other: Key) -> bool:
    """Tell whether two runs can't have one place at the same time."""
    if use is other_use is Use.SENDS:
        return key == other
    return {use, other_use} != {Use.SENDS, Use.SNAPSHOTS}
