"""Keep rules that are told of one version after the other.

Says of every new version which older ones no rule keeps any more: what `planner.retention.evaluate`
says of all of them anew, each time, at a cost that grows with their number. A version is named by
its creation, epoch seconds; each one is later than the one before.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol, assert_never

from reconciler.desired.model import Calendar, Grid, Keep, KeepRule, Last, Matching, Period, Within
from reconciler.planner.grid import buckets, taken
from reconciler.planner.periods import period_key
from reconciler.zfs.types import Version, VersionKind

NameOf = Callable[[int], str]
"""Creation → the version's name."""


class Keeper:
    """The votes of keep rules, but for grids, for the versions of one filesystem on one side."""

    def __init__(self, keep: Keep, name_of: NameOf) -> None:
        self._rules = [
            _rule(rule, keep.timezone, name_of) for rule in keep.rules if not isinstance(rule, Grid)
        ]
        self._votes: dict[int, int] = {}
        self._anything = not keep.rules
        """No rules keep everything."""

    def add(self, version: int) -> Iterable[int]:
        """Take in the newest version; return what no rule keeps from now on, it too perhaps."""
        if self._anything:
            return ()
        votes = self._votes
        votes[version] = 0
        lost: list[int] = []
        for rule in self._rules:
            keeps, drops = rule.add(version)
            if keeps:
                votes[version] += 1
            for old in drops:
                votes[old] -= 1
                if not votes[old] and old != version:
                    lost.append(old)
                    del votes[old]
        if not votes[version]:
            lost.append(version)
            del votes[version]
        return lost


class GridKeeper:
    """What the grids among keep rules keep, looked at as a whole each time.

    Its buckets move with each new version, so what it does not keep it may keep again later.
    """

    def __init__(self, keep: Keep) -> None:
        self._grids = [rule for rule in keep.rules if isinstance(rule, Grid)]
        self._versions: dict[int, Version] = {}
        """What the planner's functions are asked with, by creation."""

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._grids)

    def kept(self, there: Iterable[int]) -> frozenset[int]:
        """Return which of the versions that are there are kept, given oldest first."""
        versions = [self._versions.get(at) or self._version(at) for at in there]
        found = {versions[-1].creation} if versions and self._grids else set()
        for grid in self._grids:
            for bucket, inside in buckets(grid, versions).items():
                if bucket is not None:
                    found.update(version.creation for version in taken(bucket, inside))
        if len(self._versions) > 2 * len(versions):
            self._versions = {version.creation: version for version in versions}
        return frozenset(found)

    def _version(self, at: int) -> Version:
        return self._versions.setdefault(at, Version(VersionKind.SNAPSHOT, "", at, at, at))


class _Rule(Protocol):
    def add(self, version: int) -> tuple[bool, Iterable[int]]:
        """Take in the newest version: tell whether it is kept, and which are not any more."""
        ...


def _rule(rule: KeepRule, timezone: str, name_of: NameOf) -> _Rule:
    match rule:
        case Last(count):
            return _Last(count)
        case Calendar(period, count):
            return _Calendar(period, count, timezone)
        case Within(seconds, _):
            return _Within(seconds)
        case Matching(pattern):
            return _Matching(pattern, name_of)
        case Grid():
            raise TypeError("a grid may keep again what it did not keep before: see `GridKeeper`")
        case _:
            assert_never(rule)


class _Last:
    def __init__(self, count: int) -> None:
        self._count = count
        self._kept: deque[int] = deque()

    def add(self, version: int) -> tuple[bool, Iterable[int]]:
        self._kept.append(version)
        return True, (self._kept.popleft(),) if len(self._kept) > self._count else ()


class _Calendar:
    def __init__(self, period: Period, count: int, timezone: str) -> None:
        self._period = period
        self._count = count
        self._timezone = timezone
        self._kept: deque[int] = deque()
        self._newest: tuple[int, ...] = ()
        """The period of the newest version."""

    def add(self, version: int) -> tuple[bool, Iterable[int]]:
        key = period_key(self._period, version, self._timezone)
        kept = self._kept
        if kept and key == self._newest:
            replaced = kept[-1]
            kept[-1] = version
            return True, (replaced,)
        self._newest = key
        kept.append(version)
        return True, (kept.popleft(),) if len(kept) > self._count else ()


class _Within:
    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._kept: deque[int] = deque()

    def add(self, version: int) -> tuple[bool, Iterable[int]]:
        self._kept.append(version)
        gone = []
        while self._kept[0] < version - self._seconds:
            gone.append(self._kept.popleft())
        return True, gone


class _Matching:
    def __init__(self, pattern: str, name_of: NameOf) -> None:
        self._pattern = re.compile(pattern)
        self._name_of = name_of

    def add(self, version: int) -> tuple[bool, Iterable[int]]:
        return bool(self._pattern.fullmatch(self._name_of(version))), ()
