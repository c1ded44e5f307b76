"""Slots of schedules and windows for streams: where an instant lies, and when that changes."""

from functools import lru_cache
from typing import NamedTuple

from reconciler.desired.cron import following, latest
from reconciler.desired.model import Cron, Every, Schedule, Window, Windows

END_OF_TIME = 253402300799
"""The end of the year 9999, as far as Python can tell the date."""

_MOST_WINDOWS = 5_000
"""How many of them are looked through for one that is open: it takes less than a second."""


class Slot(NamedTuple):
    """A time in which one snapshot is due: epoch seconds, the end is not part of it."""

    start: int
    end: int


@lru_cache(maxsize=4096)
def slot_of(schedule: Schedule, at: int) -> Slot:
    """Return the slot in which an instant lies."""
    match schedule:
        case Every(seconds):
            start = at - at % seconds
            return Slot(start, start + seconds)
        case Cron():
            start_, end = _latest(schedule, at), _following(schedule, at)
            return Slot(0 if start_ is None else start_, END_OF_TIME if end is None else end)


@lru_cache(maxsize=1024)
def opens_at(windows: Windows, at: int) -> int | None:
    """Return the first instant from `at` on at which streams may begin.

    None when there is none soon enough to be found, after 5,000 windows.
    """
    for _ in range(_MOST_WINDOWS):
        later = _not_before(windows, at)
        if later is None or later == at:
            return later
        at = later
    return None


def _not_before(windows: Windows, at: int) -> int | None:
    """Return an instant that nothing can begin before, `at` if it is open then; None: never."""
    if windows.allow and not any(_end(window, at) for window in windows.allow):
        begins = (_following(window.begins, at) for window in windows.allow)
        return min((begin for begin in begins if begin is not None), default=None)
    ends = (_end(window, at) for window in windows.deny)
    return max((end for end in ends if end is not None), default=at)


def _end(window: Window, at: int) -> int | None:
    """Return when a window that has begun is over; None when an instant lies in none."""
    begun = _latest(window.begins, at)
    return begun + window.seconds if begun is not None and at < begun + window.seconds else None


def _latest(cron: Cron, at: int) -> int | None:
    return latest(cron.expression, cron.timezone, at)


def _following(cron: Cron, at: int) -> int | None:
    return following(cron.expression, cron.timezone, at)
