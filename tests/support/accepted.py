"""Where the simulator is allowed to differ from real ZFS, and why.

An entry says what to make of a step's form; on both hosts, before they are compared again.
"""

import re
from collections.abc import Callable
from itertools import groupby
from typing import NamedTuple


class Accepted(NamedTuple):
    """One difference."""

    name: str
    reason: str
    without: Callable[[str], str]
    """Return a form without what may differ."""


def _sorted_complaints(form: str) -> str:
    """Return a form with neighbouring lines of stderr, and those about destroying, sorted."""
    lines: list[str] = []
    for sortable, group in groupby(form.split("\n"), lambda line: bool(_LISTED.match(line))):
        lines += sorted(group) if sortable else group
    return "\n".join(lines)


_LISTED = re.compile(r"  (2>|1> (would destroy|will destroy|destroy\t))")


def _replaced(pattern: str, instead: str) -> Callable[[str], str]:
    return lambda form: re.sub(pattern, instead, form)


ACCEPTED: tuple[Accepted, ...] = (
    Accepted(
        "order of complaints",
        "ZFS goes through children, and through what it could not do, in the order of a hash table"
        " whose salt differs from pool to pool; the simulator in the order of names",
        _sorted_complaints,
    ),
    Accepted(
        "reclaimed space",
        "what the destruction of a snapshot frees counts metadata, which the simulator has not:"
        " it says 0 where only metadata changed",
        _replaced(r"(?m)(would reclaim|will reclaim|reclaim)\s(0|N)$", r"\1 some"),
    ),
)
