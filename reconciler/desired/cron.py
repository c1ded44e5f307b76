"""Cron expressions as instants: the one before and the one after a given one.

The home of cronsim, which decides on which days and at which times by the clock an expression
matches. It is asked in a time without zone, and what clocks show is turned into instants here,
with the same outcome that cronsim has with a zone (which is that of Debian's cron):

* An expression whose minute and hour are both given (neither begins with `*`) means each time by
  the clock once. A time that is left out when clocks are put forward stands for the instant they
  are put forward; of a time that comes twice only the first one counts.
* With a `*` in minute or hour it is about real time: what is left out is left out, and what comes
  twice counts twice.

cronsim with a zone goes an hour at a time, and loses its way where clocks are put back by half an
hour (Australia/Lord_Howe). Here both directions are exact, and agree with each other.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from reconciler.desired.diagnostics import shown

FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
LONGEST = 200
"""Characters of an expression; nobody writes more, and some take very long to read."""

_LOOKED_AT = datetime(2026, 1, 1)  # noqa: DTZ001 - by the clock, in no zone
_SECOND, _MINUTE = timedelta(seconds=1), timedelta(minutes=1)
_Meaning = Callable[[datetime, ZoneInfo], int | None]
"""Which instant a time by the clock stands for in a zone; None: it is none. Never decreasing."""


class InvalidCron(ValueError):
    """Raised when a text is no cron expression; the message says what to write."""


def normal(text: str) -> str:
    """Return an expression with single spaces, or raise InvalidCron; also if it never matches."""
    fields = text.split()
    if len(fields) != len(FIELDS):
        raise InvalidCron(
            f"{shown(text)} is no cron expression. Write five fields ({', '.join(FIELDS)}):"
            " `30 2 * * *` is every day at 2:30."
        )
    if len(text) > LONGEST:
        raise InvalidCron(f"{shown(text)} is longer than {LONGEST} characters")
    expression = " ".join(fields)
    try:
        next(CronSim(expression, _LOOKED_AT))
    except CronSimError as error:
        field = str(error).removeprefix("Bad ").replace("-", " ").replace("day of ", "day of the ")
        raise InvalidCron(f"{shown(text)} never matches. There is no such {field}.") from None
    except StopIteration:
        raise InvalidCron(f"{shown(text)} never matches. There is no such day.") from None
    return expression


@lru_cache(maxsize=4096)
def latest(expression: str, timezone: str, at: int) -> int | None:
    """Return the last instant not after `at` that matches; None when there is none in 50 years."""
    zone = ZoneInfo(timezone)
    clock = datetime.fromtimestamp(at, zone)
    start = clock.replace(tzinfo=None) + _repeated(clock, fold=1) + _SECOND
    return max(
        (
            found
            for means in _meanings(expression)
            if (found := _first(expression, start, zone, means, lambda i: i <= at, back=True))
            is not None
        ),
        default=None,
    )


@lru_cache(maxsize=4096)
def following(expression: str, timezone: str, at: int) -> int | None:
    """Return the first instant after `at` that matches; None when there is none in 50 years."""
    zone = ZoneInfo(timezone)
    clock = datetime.fromtimestamp(at, zone)
    start = clock.replace(tzinfo=None) - _repeated(clock, fold=0)
    return min(
        (
            found
            for means in _meanings(expression)
            if (found := _first(expression, start, zone, means, lambda i: i > at, back=False))
            is not None
        ),
        default=None,
    )


def _first(  # noqa: PLR0913 - the walk, and what it looks for
    expression: str,
    start: datetime,
    zone: ZoneInfo,
    means: _Meaning,
    wanted: Callable[[int], bool],
    *,
    back: bool,
) -> int | None:
    """Walk over the times by the clock until one means a wanted instant."""
    instants = (means(time, zone) for time in _times(expression, start, back=back))
    return next((i for i in instants if i is not None and wanted(i)), None)


def _times(expression: str, start: datetime, *, back: bool) -> Iterator[datetime]:
    """Yield the times by the clock that match, from `start` on, which is left out."""
    return iter(CronSim(expression, start, reverse=back))


def _meanings(expression: str) -> tuple[_Meaning, ...]:
    minute, hour, *_ = expression.split()
    given = not minute.startswith("*") and not hour.startswith("*")
    return (_once,) if given else (_first_time, _last_time)


def _once(time: datetime, zone: ZoneInfo) -> int:
    """The time by the clock, the first one of two; what is left out comes when it is over."""
    while not _exists(time, zone):
        time += _MINUTE
    return int(time.replace(tzinfo=zone).timestamp())


def _first_time(time: datetime, zone: ZoneInfo) -> int | None:
    return int(time.replace(tzinfo=zone).timestamp()) if _exists(time, zone) else None


def _last_time(time: datetime, zone: ZoneInfo) -> int | None:
    return int(time.replace(tzinfo=zone, fold=1).timestamp()) if _exists(time, zone) else None


def _exists(time: datetime, zone: ZoneInfo) -> bool:
    """Tell whether clocks show a time, once or twice."""
    there = time.replace(tzinfo=zone)
    return there.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) == time


def _repeated(clock: datetime, *, fold: int) -> timedelta:
    """Return by how much clocks are put back, where a time comes twice and this is one of both."""
    first, last = (clock.replace(fold=number).utcoffset() for number in (0, 1))
    if clock.fold != fold or first is None or last is None:
        return timedelta()
    return max(first - last, timedelta())
