"""zrepl's retention grid: into which bucket a version falls, and which of a bucket are kept.

As in zrepl 0.7 (internal/pruning/retentiongrid) buckets lie one behind the other and count back
from the youngest version by creation. A bucket's younger edge belongs to it, its older edge to the
next. It keeps its oldest versions. What is older than all buckets is not kept. Of versions with
one creation those with the higher createtxg count as the older ones, which is what zrepl's stable
sorting comes to.

zrepl does not keep the youngest version where its bucket has enough older ones. Here it stays:
without it all buckets would move, and destroying twice would destroy more than destroying once.

Buckets move with each new version, while what was thinned before stays thinned. So thinning all
along may leave fewer versions than thinning once, with larger gaps between them. The bound: where
versions come into a bucket of length L at most g apart, they leave it at most L + g apart, since
what is L or more younger than a version is never in one bucket with it. For the first bucket that
does not keep all, g is the distance of the snapshots; for each other one the bound of the one
before. Snapshots at equal distances stay L apart; with their usual jitter of some seconds gaps of
3 L were seen.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from reconciler.desired.model import Grid
from reconciler.zfs.types import Version


class Bucket(NamedTuple):
    """One bucket of a grid."""

    number: int
    """From 1, the youngest."""
    keep: int | None
    """How many of it are kept; None: all."""


def grid_origin(versions: Sequence[Version]) -> Version | None:
    """Return the version that buckets count back from; `versions` are in order of createtxg."""
    return max(reversed(versions), key=lambda v: v.creation, default=None)


def buckets(grid: Grid, versions: Sequence[Version]) -> Mapping[Bucket | None, Sequence[Version]]:
    """Return what lies in each bucket that is not empty, oldest first; None: older than all."""
    origin = grid_origin(versions)
    found: dict[Bucket | None, list[Version]] = {}
    if origin is not None:
        places = range(len(versions))
        for place in sorted(places, key=lambda place: (versions[place].creation, -place)):
            age = origin.creation - versions[place].creation
            found.setdefault(_bucket_at(grid, age), []).append(versions[place])
    return found


def taken(bucket: Bucket, inside: Sequence[Version]) -> Sequence[Version]:
    """Return which of a bucket's versions are kept, given oldest first."""
    return inside[: bucket.keep]


def bucket_count(grid: Grid) -> int:
    """Return how many buckets there are."""
    return sum(interval.repeat for interval in grid.intervals)


def _bucket_at(grid: Grid, age: int) -> Bucket | None:
    """Return the bucket for what is `age` seconds older than the origin."""
    start, before = 0, 0
    for interval in grid.intervals:
        end = start + interval.repeat * interval.length
        if age < end:
            return Bucket(before + (age - start) // interval.length + 1, interval.keep)
        start, before = end, before + interval.repeat
    return None
