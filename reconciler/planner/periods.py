"""Calendar periods: in which one an instant lies, found with whole numbers.

Many filesystems share each instant, and a zone's offset changes seldom: both are remembered.
"""

from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from reconciler.desired.model import Period

_LAST_INSTANT = int(datetime(9999, 12, 1, tzinfo=UTC).timestamp())
"""What Python can tell the date of; a host whose clock was broken may say anything."""

_MOST = 100_000
"""How many instants are remembered for each period and zone."""

_DAY, _HOUR = 86_400, 3600
_STRETCH = 900
"""Seconds; what clocks differ from UTC by is looked up at both ends of each."""

_EPOCH = date(1970, 1, 1).toordinal()
_MONDAY = 3
"""Days from the beginning of an ISO week to the epoch, a Thursday."""

PeriodKey = tuple[int, ...]
"""A sortable name of a period, to be compared with those of the same kind and zone."""


class Periods(dict[int, PeriodKey]):
    """The period of each instant, in epoch seconds."""

    def __init__(self, period: Period, timezone: str) -> None:
        super().__init__()
        self._period = period
        self._zone = ZoneInfo(timezone)
        self._offsets: dict[int, int | None] = {}

    def __missing__(self, instant: int) -> PeriodKey:
        if len(self) >= _MOST:
            self.clear()
            self._offsets.clear()
        key = self._key(min(instant, _LAST_INSTANT))
        self[instant] = key
        return key

    def _key(self, instant: int) -> PeriodKey:
        offset = self._offset(instant)
        local = instant + offset
        match self._period:
            case Period.HOURLY:
                # An hour that the clock shows twice is two hours, the one with the larger offset
                # is the earlier one.
                return local // _HOUR, -offset
            case Period.DAILY:
                return (local // _DAY,)
            case Period.WEEKLY:
                return ((local // _DAY + _MONDAY) // 7,)
            case Period.MONTHLY:
                day = date.fromordinal(local // _DAY + _EPOCH)
                return day.year, day.month
            case Period.YEARLY:
                return (date.fromordinal(local // _DAY + _EPOCH).year,)

    def _offset(self, instant: int) -> int:
        """Return how many seconds the zone's clocks are ahead of UTC."""
        stretch = instant // _STRETCH
        if stretch not in self._offsets:
            first, last = (self._looked_up(stretch * _STRETCH + n) for n in (0, _STRETCH - 1))
            self._offsets[stretch] = first if first == last else None
        offset = self._offsets[stretch]
        return self._looked_up(instant) if offset is None else offset

    def _looked_up(self, instant: int) -> int:
        offset = datetime.fromtimestamp(instant, self._zone).utcoffset()
        return int(offset.total_seconds()) if offset is not None else 0


@lru_cache(maxsize=64)
def periods(period: Period, timezone: str) -> Periods:
    """Return the periods of one kind in a zone."""
    return Periods(period, timezone)


def period_key(period: Period, instant: int, timezone: str) -> PeriodKey:
    """Return a sortable name of the calendar period in which an instant lies.

    An hour that the clock shows twice (end of daylight saving) is two hours.
    """
    return periods(period, timezone)[instant]
