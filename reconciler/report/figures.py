"""How bytes, durations and instants are written, for people and in JSON."""

from datetime import UTC, datetime

_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def bytes_text(count: float) -> str:
    """Return a number of bytes, binary as zfs counts.

    >>> [bytes_text(count) for count in (0, 1023, 4_300_000, 512 * 2**20, 2**40 - 1)]
    ['0 B', '1023 B', '4.1 MiB', '512 MiB', '1.0 TiB']
    """
    if count < 1024:
        return f"{count:.0f} B"
    value, unit = count / 1024, 0
    while value >= 1023.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.{1 if value < 99.95 else 0}f} {_UNITS[unit]}"


def rate_text(bytes_per_second: float) -> str:
    """Return a rate: `12.3 MiB/s`."""
    return f"{bytes_text(bytes_per_second)}/s"


def duration_text(seconds: float) -> str:
    """Return a duration in its two largest units.

    >>> [duration_text(seconds) for seconds in (0.44, 12.3, 65, 3661, 183_600)]
    ['0.4s', '12s', '1m05s', '1h01m', '2d03h']
    """
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f}s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02}m"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR:02}h"


def moment_text(at: int) -> str:
    """Return an instant for people: `2026-11-22 23:15:00 UTC`."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def moment_seen_from(at: int, now: int) -> str:
    """Return an instant for people, without the date when that is the same day as `now`."""
    text = moment_text(at)
    date, _, rest = text.partition(" ")
    return rest if moment_text(now).startswith(date) else text


def timestamp(at: float) -> str:
    """Return an instant as RFC 3339; fractions of a second only where there are some.

    >>> timestamp(1795389300), timestamp(1795389300.25)
    ('2026-11-22T23:15:00Z', '2026-11-22T23:15:00.250Z')
    """
    instant = datetime.fromtimestamp(at, UTC)
    timespec = "milliseconds" if instant.microsecond else "seconds"
    return instant.isoformat(timespec=timespec).replace("+00:00", "Z")


def parse_timestamp(text: str) -> int:
    """Return the instant of an RFC 3339 text in whole seconds; ValueError for anything else."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return int(instant.timestamp())


def count_text(count: int, noun: str) -> str:
    """Return a number of things: `1 host`, `2 hosts`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
