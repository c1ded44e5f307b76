"""What is made of the events and polls of one host. No threads, no clock: instants are given.

`controller.hearing` is the thread around it.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.errors import CommandEnded, HostError
from reconciler.zfs.errors import classify
from reconciler.zfs.events import NOT_UNDERSTOOD, EventReader, filesystems_of
from reconciler.zfs.failures import Reaction

Changes = frozenset[str] | None
"""Filesystems that may have changed; None: anything on the host."""

_MOST_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class Delays:
    """How long things take to happen, in seconds."""

    spread: float = 2.0
    """Within which the hosts' streams are first opened: not all in the same moment."""
    settle: float = 2.0
    """Without a further line after which a new stream has told all that was before."""
    mute: float = 15.0
    """Without any line after which there was nothing before: sudo may take long to begin."""
    quiet: float = 1.0
    """Without an event after which what was gathered is told."""
    longest: float = 5.0
    """After which it is told though there is no quiet."""
    first: float = 1.0
    """The shortest wait before a stream that broke is opened again."""
    most: float = 300.0
    """The longest."""
    steady: float = 60.0
    """That a stream has to last to count as mended."""
    poll: float = 60.0
    """Between two polls, a tenth more or less, of a host that announces nothing to us."""
    again: float = 900.0
    """After which such a host's events are tried again."""


class Gathering:
    """Collects changes until there is a moment of quiet: one burst is told once."""

    def __init__(self, delays: Delays) -> None:
        self._delays = delays
        self._changes: Changes = frozenset()
        self._first = self._last = 0.0

    def add(self, changes: Changes, now: float) -> None:
        """Take in what changed."""
        if changes == frozenset():
            return
        if self._changes == frozenset():
            self._first = now
        self._last = now
        known = self._changes
        self._changes = None if known is None or changes is None else known | changes

    def take(self, now: float) -> Changes:
        """Return what is to be told now, and forget it; nothing while more may follow."""
        is_quiet = now - self._last >= self._delays.quiet
        if is_quiet or now - self._first >= self._delays.longest:
            return self.take_all()
        return frozenset()

    def take_all(self) -> Changes:
        """Return what was gathered, and forget it."""
        changes, self._changes = self._changes, frozenset()
        return changes


class Ear:
    """Listens to one event stream from its opening to its end.

    A stream begins with what the kernel still keeps of what happened before, most often at least
    that a pool was imported. That is skipped: a stream counts as open at the first quiet moment
    after it, and then anything may have changed anyway. Nothing that happens in the meantime gets
    lost: the kernel keeps it for us.
    """

    def __init__(self, pools: tuple[str, ...], delays: Delays) -> None:
        self._heard = 0
        self._pools = pools
        self._delays = delays
        self._reader = EventReader()
        self._gathering = Gathering(delays)
        self._begun: float | None = None
        self._first_line: float | None = None
        self._last_line = 0.0
        self._open_since: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether the stream is known to work, and tells of changes as they happen."""
        return self._open_since is not None

    def line(self, line: str, now: float) -> None:
        """Hear a line."""
        if self._first_line is None:
            self._first_line = now
        self._last_line = now
        event = self._reader.feed(line)
        if event is None or not self.is_open:
            return
        if event is not NOT_UNDERSTOOD and self._is_elsewhere(event.pool):
            return
        self._heard += 1
        self._gathering.add(filesystems_of(event), now)

    def opens(self, now: float) -> bool:
        """Say whether the stream opens just now. To be asked at least every second."""
        if self._begun is None:
            self._begun = now
        if self.is_open:
            return False
        if not self._has_told_the_old(now, self._begun):
            return False
        self._open_since = now
        return True

    def take_heard(self) -> int:
        """Return how many events were heard since this was last asked."""
        heard, self._heard = self._heard, 0
        return heard

    def changes(self, now: float) -> Changes:
        """Return what is to be told now."""
        return self._gathering.take(now)

    def rest(self) -> Changes:
        """Return what was not told yet when the stream ended."""
        return self._gathering.take_all()

    def was_steady(self, now: float) -> bool:
        """Say whether the stream has lasted."""
        return self._open_since is not None and now - self._open_since >= self._delays.steady

    def _has_told_the_old(self, now: float, begun: float) -> bool:
        if self._first_line is None:
            return now - begun >= self._delays.mute
        is_quiet = now - self._last_line >= self._delays.settle
        return is_quiet or now - self._first_line >= self._delays.longest

    def _is_elsewhere(self, pool: str | None) -> bool:
        return bool(self._pools) and pool is not None and pool not in self._pools


class Polled(NamedTuple):
    """What a poll has found."""

    at: int
    """When it began, by the host's clock, in seconds since the epoch."""
    changed: Mapping[str, int | None]
    """Filesystem → when its snapshots last changed."""


def difference(before: Polled | None, after: Polled) -> Changes:
    """Return the filesystems whose snapshots changed between two polls.

    The times have whole seconds: what changed in the very second of a poll may have changed once
    more in it, unseen, and so counts as changed in the next poll as well.
    """
    if before is None or after.at < before.at:
        return None
    names = before.changed.keys() | after.changed.keys()
    return frozenset(name for name in names if _may_differ(name, before, after))


def _may_differ(name: str, before: Polled, after: Polled) -> bool:
    if name not in before.changed or name not in after.changed:
        return True
    was = before.changed[name]
    return was != after.changed[name] or (was is not None and abs(was - before.at) <= 1)


def announces_nothing(error: HostError) -> bool:
    """Say whether a host can't be followed until somebody changes something there.

    It lacks the command, or we are not root there: reading events is not a thing that can be
    delegated.
    """
    if not isinstance(error, CommandEnded) or error.status is None:
        return False
    return classify(error.stderr, error.status).reaction is Reaction.PERMANENT


def wait_before(failures: int, delays: Delays, chance: random.Random) -> float:
    """Return how many seconds to wait before a stream is opened again after so many failures.

    Full jitter, as in `controller.queue`.
    """
    limit = min(delays.most, delays.first * 2.0 ** min(failures, _MOST_DOUBLINGS))
    return chance.uniform(delays.first, limit)
