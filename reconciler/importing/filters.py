"""zrepl's filesystem filters → the patterns of a spec, exactly or not at all.

In a filter the longest subtree wins and a full path wins over all subtrees; in a spec an exclude
always wins. So an include below an exclude that lies below an include can't be said: a set of
names "all of tank/a but tank/a/keep" has no end when it is written as excludes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.importing.zrepl import FilterEntry
from reconciler.zfs.names import ancestors, pool_of


@dataclass(frozen=True, slots=True)
class Unsayable:
    """An include that is left out: it lies below an exclude that lies below an include."""

    path: str
    subtree: bool
    below: str
    """The excluded subtree."""

    @property
    def pattern(self) -> str:
        """The pattern that is missing."""
        return f"{self.path}/**" if self.subtree else self.path


@dataclass(frozen=True, slots=True)
class Patterns:
    """What a filter comes to."""

    include: tuple[str, ...]
    exclude: tuple[str, ...]
    """Without the `!`."""
    everything: bool = False
    """Whether all pools but those that are named are meant: a spec has to name each."""
    unsayable: tuple[Unsayable, ...] = ()


def translate(entries: Sequence[FilterEntry], pools: Iterable[str] = ()) -> Patterns:
    """Return the patterns that select what the filter passes.

    `pools` are all pools of the machine, where they are known: `<` means every one of them.
    """
    rules = _Rules.of(entries, pools)
    include: list[str] = []
    exclude: list[str] = []
    for path in rules.paths():
        within, subtree, itself = rules.above(path), rules.subtree(path), rules.passes(path)
        if rules.is_lost(path):
            continue
        if within and not subtree:
            exclude.append(f"{path}/*/**" if itself else f"{path}/**")
        elif within and not itself:
            exclude.append(path)
        elif not within and subtree:
            include.append(f"{path}/**")
            exclude += [] if itself else [path]
        elif not within and itself:
            include.append(path)
    lost = tuple(rules.lost())
    return Patterns(tuple(include), tuple(exclude), rules.rest, lost)


@dataclass(frozen=True, slots=True)
class _Rules:
    """A filter, by path."""

    exact: Mapping[str, bool]
    subtrees: Mapping[str, bool]
    rest: bool
    """Whether all other pools pass, too."""

    @classmethod
    def of(cls, entries: Sequence[FilterEntry], pools: Iterable[str]) -> "_Rules":
        exact = {entry.path: entry.passes for entry in entries if not entry.subtree}
        subtrees = {entry.path: entry.passes for entry in entries if entry.subtree}
        rest, known = subtrees.pop("", False), frozenset(pools)
        if rest:
            named = frozenset(pool_of(path) for path in (*exact, *subtrees))
            subtrees = dict.fromkeys(known or named, True) | subtrees
        return cls(exact, subtrees, rest and not known)

    def paths(self) -> list[str]:
        """Return every path that is named, parents first."""
        return sorted({*self.exact, *self.subtrees}, key=lambda path: path.split("/"))

    def above(self, path: str) -> bool:
        """Whether a path would pass if nothing were said of it."""
        named = (self.subtrees[a] for a in reversed(ancestors(path)) if a in self.subtrees)
        return next(named, False)

    def subtree(self, path: str) -> bool:
        """Whether what is below passes, unless something else is said of it."""
        return self.subtrees.get(path, self.above(path))

    def passes(self, path: str) -> bool:
        """Whether a path itself passes."""
        return self.exact.get(path, self.subtree(path))

    def is_lost(self, path: str) -> bool:
        """Whether it lies below a subtree that is excluded below an include."""
        return self.hole(path) is not None

    def hole(self, path: str) -> str | None:
        """Return the excluded subtree that a path lies strictly below, if that is in an include."""
        holes = (a for a in ancestors(path) if not self.subtree(a) and self._included(a))
        return next(holes, None)

    def _included(self, path: str) -> bool:
        """Whether any subtree above is included."""
        return any(self.subtrees.get(above) for above in ancestors(path))

    def lost(self) -> Iterator[Unsayable]:
        """Yield the includes that can't be said."""
        for path in self.paths():
            below = self.hole(path)
            if below is None:
                continue
            whole = self.subtrees.get(path, False)
            if whole or self.exact.get(path, False):
                yield Unsayable(path, whole, below)
