"""How much is written to filesystems, and what that makes of bytes sent and held.

The model: a filesystem has a size that does not change. Writing goes on evenly and each byte
replaces the oldest one, so that after `size / rate` seconds nothing is left of what was. A snapshot
holds what has been replaced since, as far as no later one holds it, too.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from reconciler.desired.selection import InvalidPattern, Pattern
from reconciler.errors import UsageError

_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([KMGTP]iB|B)")


@dataclass(frozen=True, slots=True, order=True)
class Writes:
    """What happens to a filesystem."""

    rate: float
    """Bytes written per second."""
    size: int
    """Bytes it holds, as its newest snapshot refers to."""

    @property
    def turnover(self) -> float:
        """Seconds after which nothing is left of what was; for ever without writing."""
        return self.size / self.rate if self.rate else float("inf")

    def sent(self, base: int | None, versions: Sequence[int]) -> float:
        """Return the bytes of the streams that bring versions, in full where there is no base."""
        if base is None:
            return self.size + self.sent(versions[0], versions[1:])
        spans = (later - earlier for earlier, later in pairwise((base, *versions)))
        return sum(min(self.size, self.rate * span) for span in spans)

    def held(self, versions: Iterable[int], until: int) -> float:
        """Return the bytes that snapshots hold beyond what is live at an instant."""
        moments = (*versions, until)
        spans = (later - earlier for earlier, later in pairwise(moments))
        return sum(min(self.size, self.rate * span) for span in spans)


def parse_size(text: str) -> int:
    """Return the bytes of a text like `100GiB`; UsageError for any other."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is no size: write it like 512MiB, 1.5GiB or 2TiB")
    return round(float(found[1]) * _UNITS[found[2]])


def parse_rate(text: str) -> float:
    """Return the bytes per second of a text like `1GiB/d`; UsageError for any other."""
    if text == "0":
        return 0.0
    size, slash, unit = text.partition("/")
    if not slash or unit not in _SECONDS or not _SIZE.fullmatch(size):
        raise UsageError(f"{text!r} is no rate: write it like 1GiB/d, 20MiB/h, 5MiB/s or 0")
    return parse_size(size) / _SECONDS[unit]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a rates file: `HOST:PATTERN RATE [SIZE]`."""

    host: str
    pattern: Pattern
    rate: float
    size: int | None

    def fits(self, host: str, filesystem: str) -> bool:
        """Tell whether it is about a filesystem."""
        return self.host in {"*", host} and bool(re.fullmatch(self.pattern.regex(), filesystem))


def parse_rules(text: str, file: str) -> tuple[Rule, ...]:
    """Return the lines of a rates file; UsageError with the place of the first that is wrong."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if words:
            try:
                found.append(_rule(words))
            except (UsageError, InvalidPattern) as error:
                column = len(line) - len(line.lstrip()) + 1
                raise UsageError(f"{file}:{number}:{column}: {error}") from error
    return tuple(found)


def _rule(words: Sequence[str]) -> Rule:
    place, *rest = words
    host, colon, pattern = place.partition(":")
    if not colon or not 1 <= len(rest) <= 2:
        raise UsageError("write `HOST:FILESYSTEM RATE [SIZE]`, like web1:tank/www/** 5GiB/d 200GiB")
    size = parse_size(rest[1]) if len(rest) == 2 else None
    return Rule(host, Pattern.parse(pattern), parse_rate(rest[0]), size)
