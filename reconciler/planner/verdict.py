"""What keep rules come to for one filesystem on one side: first which versions, then why.

Which ones is asked of every filesystem in every plan, why only where something goes or somebody
asks. Both say the same.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.desired.model import Calendar, Grid, Keep, KeepRule, Last, Matching, Within
from reconciler.planner.grid import buckets, grid_origin, taken
from reconciler.planner.periods import periods
from reconciler.planner.retention import Decision, evaluate
from reconciler.zfs.types import Version


@dataclass(frozen=True, slots=True)
class Verdict:
    """The versions that rules were asked about, oldest first, and what they say."""

    keep: Keep
    versions: tuple[Version, ...]
    kept: frozenset[int]
    """The guids of what any rule keeps."""

    @classmethod
    def of(cls, keep: Keep, versions: Sequence[Version]) -> "Verdict":
        """Return what rules say of versions, given oldest first."""
        versions = tuple(versions)
        return cls(keep, versions, _kept(keep, versions))

    @property
    def keeps_all(self) -> bool:
        """Whether nothing goes."""
        return len(self.kept) == len(self.versions)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What is said of each version, with the reasons."""
        return evaluate(self.keep, self.versions)


def _kept(keep: Keep, versions: Sequence[Version]) -> frozenset[int]:
    if not keep.rules:
        return frozenset([version.guid for version in versions])
    kept: set[int] = set()
    for rule in keep.rules:
        if len(kept) == len(versions):
            break
        kept.update(_kept_by(rule, versions, keep.timezone))
    return frozenset(kept)


def _kept_by(rule: KeepRule, versions: Sequence[Version], timezone: str) -> Iterable[int]:
    match rule:
        case Last(count):
            return [version.guid for version in versions[max(0, len(versions) - count) :]]
        case Calendar(period, count):
            keys = periods(period, timezone)
            newest = {keys[version.creation]: version.guid for version in versions}
            return [newest[key] for key in sorted(newest, reverse=True)[:count]]
        case Within(seconds):
            since = versions[-1].creation - seconds if versions else 0
            return [version.guid for version in versions if version.creation >= since]
        case Matching(pattern):
            matches = re.compile(pattern).fullmatch
            return [version.guid for version in versions if matches(version.name)]
        case Grid() as grid:
            return _kept_by_grid(grid, versions)


def _kept_by_grid(grid: Grid, versions: Sequence[Version]) -> Iterable[int]:
    origin = grid_origin(versions)
    if origin is not None:
        yield origin.guid
    for bucket, inside in buckets(grid, versions).items():
        if bucket is not None:
            yield from (version.guid for version in taken(bucket, inside))
