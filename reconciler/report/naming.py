"""How many names are said in few words, without saying less than the truth."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from reconciler.zfs.names import is_within, parent_of
from reconciler.zfs.types import Version

_T = TypeVar("_T")

LISTED = 3
"""Up to so many names are said one by one."""


def filesystems_text(names: Sequence[str]) -> str:
    """Return the names, or how many there are and where.

    >>> filesystems_text(["t/a", "t/b"])
    't/a, t/b'
    >>> filesystems_text(["t/a", "t/a/b", "t/a/c", "t/a/d"])
    't/a and 3 below it'
    >>> filesystems_text(["t/a/b", "t/a/c", "t/a/d", "t/a/e"])
    '4 filesystems below t/a'
    >>> filesystems_text(["s/a", "t/a", "t/b", "t/c"])
    '4 filesystems in s, t'
    """
    if len(names) <= LISTED:
        return ", ".join(names)
    top = common_parent(names)
    if top is None:
        pools = sorted({name.partition("/")[0] for name in names})
        return f"{len(names)} filesystems in {', '.join(pools)}"
    if top in names:
        return f"{top} and {len(names) - 1} below it"
    return f"{len(names)} filesystems below {top}"


def common_parent(names: Sequence[str]) -> str | None:
    """Return the deepest filesystem that all names are in or below; None for several pools."""
    top: str | None = names[0]
    while top is not None and not all(is_within(name, top) for name in names):
        top = parent_of(top)
    return top


def versions_text(versions: Sequence[Version]) -> str:
    """Return the labels, or the first, the last and how many there are."""
    labels = [version.label for version in versions]
    if len(labels) <= LISTED:
        return ", ".join(labels)
    return f"{len(labels)} versions {labels[0]} .. {labels[-1]}"


def names_text(names: Iterable[str], limit: int | None) -> str:
    """Return names one by one, those beyond the limit as a count."""
    listed = list(names)
    if limit is None or len(listed) <= limit:
        return ", ".join(listed)
    return f"{', '.join(listed[:limit])} and {len(listed) - limit} more"


def capped(items: Sequence[_T], limit: int | None) -> tuple[Sequence[_T], int]:
    """Return the first items and how many were left out: one alone is never left out."""
    if limit is None or len(items) <= limit + 1:
        return items, 0
    return items[:limit], len(items) - limit
