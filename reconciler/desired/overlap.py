"""Whether two selections can meet, decided exactly and before any host is asked.

Each pattern becomes a small automaton over characters; two selections, with their excludes, run
side by side over the shortest names first until a name is found that both select (`common`), or
that one selects below a name of the other (`nested`). The name found is shown to people.

`candidates` keeps this off the pairs that can't meet, which in a sane spec set is nearly all.
"""

import string
from collections import deque
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from reconciler.desired.selection import SUBTREE, Pattern, Selection

MAX_STATES = 5_000
"""Selections with very many wildcards are given up on here, and taken to meet."""

_States = frozenset[int]
_OTHER = "x" + string.ascii_lowercase + string.digits


def common(one: Selection, other: Selection) -> str | None:
    """Return a name that both select, None when there is none."""
    return _search(one, other, below=False)


def nested(upper: Selection, lower: Selection) -> str | None:
    """Return a name of `lower` that lies below a name of `upper`, None when there is none."""
    return _search(upper, lower, below=True)


def is_empty(selection: Selection) -> bool:
    """Whether no name at all can be selected."""
    for pattern in selection.include:
        sample = "/".join(part.replace("*", "x") for part in pattern.components if part != SUBTREE)
        if not any(f"{sample}/".startswith(exclude.stem) for exclude in selection.exclude):
            return False  # the usual case, seen without a search
    return common(selection, selection) is None


def candidates(stems: Iterable[tuple[str, int]]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of owners of which one stem begins with the other's (see `Pattern.stem`).

    >>> sorted(candidates([("a/", 0), ("b/", 1), ("a/c/", 2)]))
    [(0, 2)]
    """
    open_stems: list[tuple[str, int]] = []
    for stem, owner in sorted(stems):
        while open_stems and not stem.startswith(open_stems[-1][0]):
            open_stems.pop()
        yield from ((above, owner) for _, above in open_stems if above != owner)
        open_stems.append((stem, owner))


class _Automaton(NamedTuple):
    """States are numbers; in a state, a character (or any other, `*`) leads to the next ones."""

    steps: tuple[tuple[tuple[str, int], ...], ...]
    free: tuple[tuple[int, ...], ...]
    """States that are also reached without a character."""
    final: int

    def begin(self) -> _States:
        return self.closure({0})

    def closure(self, states: set[int]) -> _States:
        todo = list(states)
        while todo:
            new = set(self.free[todo.pop()]) - states
            states |= new
            todo += new
        return frozenset(states)

    def step(self, states: _States, character: str) -> _States:
        return self.closure(
            {
                target
                for state in states
                for expected, target in self.steps[state]
                if expected == character or (expected == "*" and character != "/")
            }
        )


class _State(NamedTuple):
    """Where all patterns of two selections stand after the same characters."""

    one: tuple[_States, ...]
    other: tuple[_States, ...]
    below: bool
    """Whether a name of the first selection has been passed."""


class _Side:
    """One selection as automata: the includes first, then the excludes."""

    def __init__(self, selection: Selection) -> None:
        patterns = (*selection.include, *selection.exclude)
        self.automata = [_automaton(pattern) for pattern in patterns]
        self.includes = len(selection.include)
        self.subtrees = [
            index
            for index, pattern in enumerate(patterns)
            if index >= self.includes and pattern.components[-1] == SUBTREE
        ]

    def begin(self) -> tuple[_States, ...]:
        return tuple(automaton.begin() for automaton in self.automata)

    def step(self, states: tuple[_States, ...], character: str) -> tuple[_States, ...]:
        if character == "/" and any(self._accepts(index, states) for index in self.subtrees):
            return ()  # all below is excluded: without this, many excludes mean 2^many states
        pairs = zip(self.automata, states, strict=True)
        return tuple(a.step(at, character) if at else at for a, at in pairs)

    def selects(self, states: tuple[_States, ...]) -> bool:
        hits = [self._accepts(index, states) for index in range(len(self.automata))]
        return any(hits[: self.includes]) and not any(hits[self.includes :])

    def alive(self, states: tuple[_States, ...]) -> bool:
        return any(states[: self.includes])

    def _accepts(self, index: int, states: tuple[_States, ...]) -> bool:
        return self.automata[index].final in states[index]


def _search(one: Selection, other: Selection, *, below: bool) -> str | None:
    """Walk all names, the shortest first, in steps of one character."""
    first, second = _Side(one), _Side(other)
    alphabet = _alphabet(one, other)
    start = _State(first.begin(), second.begin(), below=False)
    seen = {start}
    todo = deque([("", start)])
    while todo:
        name, state = todo.popleft()
        met = state.below if below else first.selects(state.one)
        if met and second.selects(state.other):
            return name
        if len(seen) > MAX_STATES:
            return max(one.roots()[0], other.roots()[0], key=len)
        for character in alphabet:
            following = _step(first, second, state, character, below=below)
            if following is not None and following not in seen:
                seen.add(following)
                todo.append((name + character, following))
    return None


def _step(
    first: _Side, second: _Side, state: _State, character: str, *, below: bool
) -> _State | None:
    """Return the state after one more character, None when nothing can be found from there."""
    other = second.step(state.other, character)
    if not second.alive(other):
        return None
    if state.below:
        return state._replace(other=other)
    if below and character == "/" and first.selects(state.one):
        return _State((), other, below=True)
    one = first.step(state.one, character)
    return _State(one, other, below=False) if first.alive(one) else None


def _alphabet(one: Selection, other: Selection) -> list[str]:
    """Return the characters that make a difference, and one that stands for all others."""
    patterns = (*one.include, *one.exclude, *other.include, *other.exclude)
    named = set("".join(pattern.text for pattern in patterns)) - {"*"} | {"/"}
    rest = next((character for character in _OTHER if character not in named), None)
    return ([rest] if rest else []) + sorted(named)


@lru_cache(maxsize=4096)
def _automaton(pattern: Pattern) -> _Automaton:
    """Translate a pattern."""
    steps: list[tuple[tuple[str, int], ...]] = []
    free: list[tuple[int, ...]] = []

    def add(*out: tuple[str, int], also: tuple[int, ...] = ()) -> None:
        steps.append(out)
        free.append(also)

    for index, component in enumerate(pattern.components):
        here = len(steps)
        if component == SUBTREE:
            # Any number of levels: a slash, one character, more characters, and round again.
            add(("/", here + 1), also=(here + 3,))
            add(("*", here + 2))
            add(("*", here + 2), also=(here,))
            continue
        text = f"/{component}" if index else component
        if component == "*":
            add(("/", here + 1))
            add(("*", here + 2))
            text = "*"
        for character in text:
            here = len(steps)
            if character == "*":
                add(("*", here), also=(here + 1,))
            else:
                add((character, here + 1))
    add()
    return _Automaton(tuple(steps), tuple(free), len(steps) - 1)
