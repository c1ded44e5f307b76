"""Keep rules: which versions of one filesystem on one side are kept, and why.

A version is kept when any rule keeps it. Rules look at the versions' order (createtxg) and, for
calendars, at their creation; never at the clock, so a clock that jumps destroys nothing.

Every rule here has the property the planner rests on: taking away versions that are not kept
changes nothing for those that are. It is about one evaluation. When a new version comes, `grid`
(see `planner.grid`) may let go of what thinning once, later, would have kept; calendars do not.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.desired.model import (
    Calendar,
    Grid,
    Keep,
    KeepRule,
    Last,
    Matching,
    Period,
    Within,
)
from reconciler.planner.grid import bucket_count, buckets, grid_origin, taken
from reconciler.planner.periods import periods
from reconciler.zfs.types import Version


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules say of one version."""

    version: Version
    kept_by: tuple[str, ...]
    """`daily 2 of 7`; empty: no rule keeps it."""
    against: tuple[str, ...]
    """What each rule has against it: `beyond hourly 24`; only when none keeps it."""

    @property
    def kept(self) -> bool:
        """Whether any rule keeps it."""
        return bool(self.kept_by)

    @property
    def why(self) -> str:
        """A phrase for people."""
        return ", ".join(self.kept_by) or "no rule keeps it: " + ", ".join(self.against)


@dataclass(frozen=True, slots=True)
class _Vote:
    """One rule's say: guid → for, and guid → against."""

    keeps: Mapping[int, str]
    refuses: Mapping[int, str]


def evaluate(keep: Keep, versions: Sequence[Version]) -> tuple[Decision, ...]:
    """Return a decision for each version, in the given order (oldest first).

    >>> from reconciler.zfs.types import VersionKind
    >>> two = [Version(VersionKind.SNAPSHOT, n, g, g, 0) for n, g in (("a", 1), ("b", 2))]
    >>> [decision.why for decision in evaluate(Keep((Last(1),)), two)]
    ['no rule keeps it: beyond last 1', 'last 1 of 1']
    """
    if not keep.rules:
        return tuple(Decision(version, ("no keep rules",), ()) for version in versions)
    votes = [_vote(rule, versions, keep.timezone) for rule in keep.rules]
    return tuple(_decide(version, votes) for version in versions)


def _decide(version: Version, votes: Sequence[_Vote]) -> Decision:
    kept_by = tuple(v.keeps[version.guid] for v in votes if version.guid in v.keeps)
    if kept_by:
        return Decision(version, kept_by, ())
    return Decision(version, (), tuple(v.refuses[version.guid] for v in votes))


def _vote(rule: KeepRule, versions: Sequence[Version], timezone: str) -> _Vote:
    match rule:
        case Last(count):
            return _last(count, versions)
        case Calendar(period, count):
            return _calendar(period, count, versions, timezone)
        case Within(seconds, text):
            return _within(seconds, text, versions)
        case Matching(pattern):
            return _matching(pattern, versions)
        case Grid() as grid:
            return _grid(grid, versions)


def _last(count: int, versions: Sequence[Version]) -> _Vote:
    newest_first = enumerate(reversed(versions), start=1)
    keeps, refuses = {}, {}
    for rank, version in newest_first:
        if rank <= count:
            keeps[version.guid] = f"last {rank} of {count}"
        else:
            refuses[version.guid] = f"beyond last {count}"
    return _Vote(keeps, refuses)


def _calendar(period: Period, count: int, versions: Sequence[Version], timezone: str) -> _Vote:
    """Keep the newest version of each of the `count` most recent periods that have one.

    Newest is by order; which periods are recent is by the calendar.
    """
    found = periods(period, timezone)
    keys = {version.guid: found[version.creation] for version in versions}
    newest = {keys[version.guid]: version for version in versions}
    recent = sorted(newest, reverse=True)[:count]
    ranks = {key: rank for rank, key in enumerate(recent, start=1)}
    keeps, refuses = {}, {}
    for version in versions:
        key = keys[version.guid]
        if key not in ranks:
            refuses[version.guid] = f"beyond {period} {count}"
        elif newest[key] is version:
            keeps[version.guid] = f"{period} {ranks[key]} of {count}"
        else:
            refuses[version.guid] = f"{period} {ranks[key]} keeps {newest[key].label}"
    return _Vote(keeps, refuses)


def _within(seconds: int, text: str, versions: Sequence[Version]) -> _Vote:
    """Keep what is not older than `seconds`, counted back from the newest version."""
    since = versions[-1].creation - seconds if versions else 0
    return _Vote(
        {v.guid: f"within {text}" for v in versions if v.creation >= since},
        {v.guid: f"older than {text}" for v in versions if v.creation < since},
    )


def _matching(pattern: str, versions: Sequence[Version]) -> _Vote:
    regex = re.compile(pattern)
    hits = {v.guid for v in versions if regex.fullmatch(v.name)}
    return _Vote(
        dict.fromkeys(hits, f"matching {pattern}"),
        {v.guid: f"does not match {pattern}" for v in versions if v.guid not in hits},
    )


def _grid(grid: Grid, versions: Sequence[Version]) -> _Vote:
    """Keep what the buckets keep, and what they count back from."""
    keeps, refuses = {}, {}
    total, origin = bucket_count(grid), grid_origin(versions)
    for bucket, inside in buckets(grid, versions).items():
        if bucket is None:
            refuses.update({v.guid: "older than the grid" for v in inside})
            continue
        chosen = taken(bucket, inside)
        keeps.update({v.guid: f"grid bucket {bucket.number} of {total}" for v in chosen})
        for version in inside:
            if version.guid not in keeps:
                refuses[version.guid] = f"grid bucket {bucket.number} keeps {chosen[0].label}"
    if origin is not None and origin.guid in refuses:
        del refuses[origin.guid]
        keeps[origin.guid] = "the newest, from which the grid counts"
    return _Vote(keeps, refuses)
