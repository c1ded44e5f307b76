"""The work queue: which key is worked on next, and when. No clock, no threads, no hosts.

As client-go's: a key that is added while it is worked on is done again afterwards, and is never
worked on twice at once. Instants are seconds of whatever clock the caller has, as floats.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from reconciler.report.status import Phase

FIRST_DELAY = 1.0
"""Seconds: no retry comes sooner."""

LONGEST_DELAY = 15 * 60.0
"""Seconds: no retry comes later."""

_DOUBLINGS = 20

K = TypeVar("K")


def backoff(failures: int, chance: random.Random) -> float:
    """Return how many seconds to wait after so many failures in a row.

    Full jitter: anything from the shortest delay to an upper limit that doubles each time. Without
    jitter everything that failed together comes back together.
    """
    limit = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(failures, _DOUBLINGS))
    return chance.uniform(FIRST_DELAY, limit)


@dataclass(slots=True)
class _Entry:
    at: float | None = None
    """When it is due; None: only when something happens."""
    since: float | None = None
    """Since when it has been due or waiting to be."""
    failures: int = 0
    waits_for_change: bool = False
    working: bool = False
    dirty: bool = False
    """It was added while it was worked on."""
    hinted: bool = False
    """It was hinted at while it was worked on."""
    forgotten: bool = False
    """It is dropped once it is given back."""

    def mark(self, *, hint: bool) -> bool:
        """Note that it is to be done again; False: it was to be anyway."""
        self.forgotten = False
        known = self.dirty or (hint and self.hinted)
        self.dirty, self.hinted = self.dirty or not hint, self.hinted or hint
        return not known


@dataclass(frozen=True, slots=True)
class Taken(Generic[K]):
    """A key that was taken up."""

    key: K
    waited: float
    """Seconds since it was due."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where a key stands."""

    phase: Phase
    next_at: float | None
    failures: int


class WorkQueue(Generic[K]):
    """Keys, each at most once. Not safe for threads: its owner locks."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._entries: dict[K, _Entry] = {}

    def add(self, key: K, now: float, *, hint: bool = False) -> bool:
        """Have a key done as soon as possible; False: it was to be anyway.

        A hint is something heard that may be an echo of what we did ourselves. It does not get
        past the delay after failures: else what fails and is heard doing so would never rest.
        """
        entry = self._entries.setdefault(key, _Entry())
        if entry.working:
            return entry.mark(hint=hint)
        if entry.at is not None and entry.at <= now:
            return False
        if hint and entry.failures:
            return self._hinted(entry, now)
        entry.at = entry.since = now
        return True

    def _hinted(self, entry: _Entry, now: float) -> bool:
        """Let a key that waits for a change be tried again after a while; one in delay stays so."""
        if not entry.waits_for_change:
            return False
        entry.waits_for_change = False
        delayed = now + backoff(entry.failures, self._chance)
        entry.at = entry.since = delayed if entry.at is None else min(entry.at, delayed)
        return True

    def add_at(self, key: K, at: float) -> None:
        """Have a key done at an instant, if it is not to be sooner.

        One that is worked on is done again right afterwards.
        """
        entry = self._entries.setdefault(key, _Entry())
        if entry.working:
            entry.mark(hint=False)
        elif entry.at is None or at < entry.at:
            entry.at = entry.since = at

    def take(self, now: float) -> Taken[K] | None:
        """Take up the key that has been due longest, if any is."""
        due = [
            (entry.at, key)
            for key, entry in self._entries.items()
            if not entry.working and entry.at is not None and entry.at <= now
        ]
        if not due:
            return None
        _, key = min(due, key=lambda found: found[0])
        entry = self._entries[key]
        entry.working = True
        entry.dirty = entry.hinted = False
        return Taken(key, now - (entry.since if entry.since is not None else now))

    def succeeded(self, key: K, now: float, next_at: float | None) -> None:
        """Give back a key that was done; it comes up again at an instant."""
        self._given_back(key, now, next_at, failures=0, waits=False)

    def failed(self, key: K, now: float, limit: float | None = None) -> float:
        """Give back a key that failed; it is tried again after a while.

        `limit` is an instant when it has to be looked at anyhow. Returns when that will be.
        """
        entry = self._entries.get(key)
        failures = entry.failures + 1 if entry is not None else 1
        at = now + backoff(failures, self._chance)
        if limit is not None:
            at = min(at, max(limit, now + FIRST_DELAY))
        self._given_back(key, now, at, failures=failures, waits=False)
        return at

    def hopeless(self, key: K, now: float, next_at: float | None) -> None:
        """Give back a key that no retry will mend; an instant may bring something new."""
        entry = self._entries.get(key)
        failures = entry.failures + 1 if entry is not None else 1
        self._given_back(key, now, next_at, failures=failures, waits=True)

    def set_aside(self, key: K, now: float, next_at: float | None) -> None:
        """Give back a key of which something still goes on: neither a success nor a failure yet."""
        entry = self._entries.get(key)
        failures = entry.failures if entry is not None else 0
        self._given_back(key, now, next_at, failures=failures, waits=False)

    def failed_aside(self, key: K, now: float) -> None:
        """Hear that what went on of a key failed; it is tried again after a while.

        One that is worked on again by now tells itself how it stands.
        """
        entry = self._entries.get(key)
        if entry is None:
            return
        if entry.working:
            entry.mark(hint=True)
            return
        entry.failures += 1
        delayed = now + backoff(entry.failures, self._chance)
        if entry.at is None or delayed < entry.at:
            entry.at = entry.since = delayed

    def forget(self, keys: Iterable[K]) -> None:
        """Drop keys that are not known any more; what is being worked on is not done again.

        It stays known until it is given back: were it added anew meanwhile, two would work on it.
        """
        for key in keys:
            entry = self._entries.get(key)
            if entry is not None and entry.working:
                entry.forgotten, entry.dirty, entry.hinted = True, False, False
            elif entry is not None:
                del self._entries[key]

    def next_at(self) -> float | None:
        """Return when the next key is due."""
        waiting = (e.at for e in self._entries.values() if not e.working and e.at is not None)
        return min(waiting, default=None)

    def state(self, key: K, now: float) -> Waiting:
        """Return where a key stands."""
        entry = self._entries.get(key, _Entry())
        return Waiting(_phase(entry, now), entry.at, entry.failures)

    def depth(self, now: float) -> int:
        """Return how many keys are due and not yet taken up."""
        return sum(_phase(entry, now) is Phase.QUEUED for entry in self._entries.values())

    def working(self) -> int:
        """Return how many keys are worked on."""
        return sum(entry.working for entry in self._entries.values())

    def __iter__(self) -> Iterator[K]:
        return iter(tuple(self._entries))

    def _given_back(
        self, key: K, now: float, at: float | None, *, failures: int, waits: bool
    ) -> None:
        entry = self._entries.get(key)
        if entry is None:
            return
        if entry.forgotten:
            del self._entries[key]
            return
        entry.working, entry.failures, entry.waits_for_change = False, failures, waits
        again = entry.dirty or (entry.hinted and not failures)
        entry.at = entry.since = now if again else at
        if entry.hinted and waits and not again:
            self._hinted(entry, now)
        entry.dirty = entry.hinted = False


def _phase(entry: _Entry, now: float) -> Phase:
    if entry.working:
        return Phase.WORKING
    if entry.at is not None and entry.at <= now:
        return Phase.QUEUED
    if entry.waits_for_change:
        return Phase.WAITING
    return Phase.RETRYING if entry.failures else Phase.IDLE
