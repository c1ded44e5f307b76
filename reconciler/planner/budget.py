"""The destroy budget: how many snapshots of one filesystem may go in one run.

A rule that was made shorter by mistake, and whatever else makes versions go that nobody wants to
lose, has one thing in common: it destroys more than is left. A share tells that apart from every
day's work, a number does not: rules that keep N versions let go of at most one for each that comes,
so N of 2 N when a receiver gets all at once what it missed.

What piles up on a sender while a receiver is away goes all at once when that is back, and may be
any number. It does not count towards the share: of what there was when the receiver left, no more
go than stay, as ever.
"""

from dataclasses import dataclass

from reconciler.desired.model import MaxDestroy


@dataclass(frozen=True, slots=True)
class Going:
    """What a plan does to the snapshots that one replication manages on one filesystem."""

    going: int
    """How many it destroys."""
    fresh: int
    """How many of these were made since a receiver that all was kept for was last up to date."""
    staying: int
    """How many are left, with those that arrive before anything is destroyed."""


def is_near(allowed: MaxDestroy, going: int) -> bool:
    """Tell whether so many can be over the budget at all: they mostly are few."""
    return going > min(allowed.always, allowed.versions or allowed.always)


def excess(allowed: MaxDestroy, found: Going) -> str | None:
    """Say by what a plan is over the budget; None: it is not."""
    whole = found.going + found.staying
    said = f"{found.going} of {whole} versions would go in one run"
    if allowed.versions is not None and found.going > allowed.versions:
        return f"{said}, at most {allowed.versions} may"
    counted = found.going - found.fresh
    if allowed.share is None or counted <= allowed.always:
        return None
    if counted * 100 <= allowed.share * (counted + found.staying):
        return None
    apart = f", {found.fresh} of them made while a receiver was away" if found.fresh else ""
    return f"{said}{apart}; at most {allowed.share}% may"
