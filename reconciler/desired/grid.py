"""Retention grids as zrepl writes them: `1x1h(keep=all) | 24x1h | 30x1d`.

The grammar is that of zrepl 0.7 (internal/config/retentiongrid.go, config_duration.go and
internal/pruning/keep_grid.go there). Refused beyond what zrepl refuses: `keep=0` and other counts
below one, on which it fails only when it prunes or which it takes for `all`.
"""

import re
from itertools import pairwise

from reconciler.desired.diagnostics import shown
from reconciler.desired.model import Grid, Interval
from reconciler.desired.units import LONGEST

_INTERVAL = re.compile(r"\s*([0-9]+)\s*x\s*([^(]+)(?:\((.*)\))?\s*", re.ASCII)
_DURATION = re.compile(r"\s*\+?([0-9]+)([smhdw])\s*", re.ASCII)
_KEEP = re.compile(r"\s*keep=(all|\+?[0-9]+)", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_EXAMPLE = "Write it like `1x1h(keep=all) | 24x1h | 30x1d`."


class InvalidGrid(ValueError):
    """Raised when a text is not a grid; the message says what is wrong and what to write."""


def parse_grid(text: str) -> Grid:
    """Return the grid that a text stands for. Raises InvalidGrid.

    >>> parse_grid("1x1h(keep=all) | 24x1h").intervals
    (Interval(repeat=1, length=3600, keep=None), Interval(repeat=24, length=3600, keep=1))
    """
    intervals = tuple(_interval(part) for part in text.split("|"))
    if sum(interval.repeat * interval.length for interval in intervals) > LONGEST:
        raise InvalidGrid(f"the grid {shown(text)} is longer than a hundred years.")
    for number, (before, after) in enumerate(pairwise(intervals), start=1):
        all_kept = all(interval.keep is None for interval in intervals[:number])
        if after.length < before.length and not all_kept:
            said = f"in the grid {shown(text)} a bucket is shorter than the one before"
            raise InvalidGrid(f"{said}. Further back they may only grow, except behind `keep=all`.")
    return Grid(intervals)


def _interval(text: str) -> Interval:
    found = _INTERVAL.fullmatch(text)
    if found is None:
        raise InvalidGrid(f"{shown(text.strip())} is no part of a grid. {_EXAMPLE}")
    repeat, length, options = found.groups()
    keep = 1 if options is None else _keep(text, options)
    interval = Interval(_number(text, repeat), _length(text, length), keep)
    if not interval.repeat:
        raise InvalidGrid(f"{shown(text.strip())} stands for no bucket. {_EXAMPLE}")
    return interval


def _length(text: str, length: str) -> int:
    found = _DURATION.fullmatch(length)
    seconds = _number(text, found[1]) * _SECONDS[found[2]] if found is not None else 0
    if not seconds:
        said = f"{shown(length.strip())} in {shown(text.strip())} is not the length of a bucket"
        raise InvalidGrid(f"{said}. Write a number and one of s, m, h, d, w.")
    return seconds


def _keep(text: str, options: str) -> int | None:
    found = _KEEP.fullmatch(options)
    count = None if found is None or found[1] == "all" else _number(text, found[1])
    if found is None or count == 0:
        said = f"{shown(f'({options})')} in {shown(text.strip())} does not say how many to keep"
        raise InvalidGrid(f"{said}. Write `(keep=all)`, or a number as in `(keep=3)`.")
    return count


def _number(text: str, digits: str) -> int:
    """Return a number; more digits than any can have that is meant are refused."""
    if len(digits) > 10:
        raise InvalidGrid(f"{shown(text.strip())} has a number in it that is too large.")
    return int(digits)
