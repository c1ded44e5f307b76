"""What is quiet of one replication on one sender, and what is withheld as alike.

What the filesystems have in common are the terms: while these stay the same, what is quiet stays
so. Of those that are alike one is planned, and the others are withheld until it is known what came
of it. What all of this rests on is at the top of `planner.memory`.
"""

from collections.abc import Collection, Container, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.desired.schedule import Slot
from reconciler.observed.model import Filesystem, Pool, Seen, standing
from reconciler.planner.alike import Likeness


class HostTerms(NamedTuple):
    """What matters of a host beside its filesystems."""

    pools: Mapping[str, Pool]
    programs: frozenset[str]
    origins: frozenset[str]

    @classmethod
    def of(cls, seen: Seen) -> "HostTerms":
        """Return what matters of a host that was seen."""
        return cls(standing(seen), seen.programs, seen.origins)


class Terms(NamedTuple):
    """What the sources of one replication and sender have in common."""

    sender: HostTerms
    receivers: tuple[HostTerms, ...]
    is_closed: bool
    slot: Slot | None


class Ends(NamedTuple):
    """A filesystem that nothing was said of, and what each target has received of it."""

    here: Filesystem
    there: tuple[Filesystem, ...]


@dataclass(slots=True)
class Group:
    """What is quiet of one replication and sender."""

    terms: Terms
    known: dict[str, Ends] = field(default_factory=dict)
    """By name."""
    alike: dict[str, list[Ends]] = field(default_factory=dict)
    """One that is planned → those that are quiet if it is, and are withheld until that is known."""

    def withhold(self, kinds: Iterable[Sequence[Ends]]) -> None:
        """Plan one of each kind, and withhold the others."""
        self.alike = {first.here.name: others for first, *others in kinds if others}

    def settle(self, shared: Container[str]) -> bool:
        """Take over what was withheld and is quiet, `shared` apart; tell whether that was all."""
        quiet = {
            end.here.name: end
            for name, others in self.alike.items()
            if name in self.known
            for end in others
            if end.here.name not in shared
        }
        self.known |= quiet
        withheld = sum(map(len, self.alike.values()))
        self.alike = {}
        return len(quiet) == withheld


_TRIED = 16
"""How many filesystems are compared first: if no two of them are alike, few of the others are."""


def kinds_of(ends: Iterable[Ends], likeness: Likeness) -> Collection[Sequence[Ends]]:
    """Return filesystems with those that they are like, in the order of the first of each kind.

    None at all where the first ones are all different: it would cost more than it saves.
    """
    kinds: dict[Hashable, list[Ends]] = {}
    for number, end in enumerate(ends):
        if number == _TRIED == len(kinds):
            return ()
        kind = likeness.of(end.here, end.there)
        kinds.setdefault(end.here.name if kind is None else kind, []).append(end)
    return kinds.values()
