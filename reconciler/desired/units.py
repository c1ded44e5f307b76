"""Durations as people write them in specs: `90s`, `15m`, `24h`, `7d`, `3w`, `1h30m`."""

import re

from reconciler.desired.diagnostics import shown

DURATION = r"^(?=.)([1-9][0-9]*w)?([1-9][0-9]*d)?([1-9][0-9]*h)?([1-9][0-9]*m)?([1-9][0-9]*s)?$"
"""The grammar as a regular expression for editors; `parse_duration` is the judge."""

LONGEST = 100 * 365 * 86400
"""A hundred years; more is a slip of the finger."""

_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_PART = re.compile(r"([0-9]+)([wdhms])")
_WHOLE = re.compile(r"(?:[0-9]+[wdhms])+")


class InvalidDuration(ValueError):
    """Raised when a text is not a duration; the message says what to write."""


def parse_duration(text: str) -> int:
    """Return the seconds that a duration stands for.

    >>> parse_duration("1h30m")
    5400
    """
    if not _WHOLE.fullmatch(text):
        raise InvalidDuration(_what_is_wrong(text))
    parts = _PART.findall(text)
    units = [unit for _, unit in parts]
    if units != sorted(set(units), key="wdhms".index):
        raise InvalidDuration(
            f"{shown(text)} is not a duration. Write each unit once, the largest first: `1h30m`."
        )
    return _in_bounds(text, [(int(number), unit) for number, unit in parts])


def _in_bounds(text: str, parts: list[tuple[int, str]]) -> int:
    """Add the parts up; none of them may be zero."""
    if any(number == 0 for number, _ in parts):
        raise InvalidDuration(f"{shown(text)} is not a duration. It must be longer than nothing.")
    seconds = sum(number * _SECONDS[unit] for number, unit in parts)
    if seconds > LONGEST:
        raise InvalidDuration(f"{shown(text)} is longer than a hundred years.")
    return seconds


def _what_is_wrong(text: str) -> str:
    """Say what to write instead of a text that does not look like a duration."""
    if re.fullmatch(r"[0-9]+", text):
        return f"{shown(text)} has no unit. Write for example `{text[:9]}s` or `{text[:9]}m`."
    if text.startswith("-"):
        return f"{shown(text)} is negative."
    examples = "`90s`, `15m`, `24h`, `7d`, `3w` or `1h30m`"
    return f"{shown(text)} is not a duration. Write for example {examples}."
