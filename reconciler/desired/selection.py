"""Which filesystems a spec is about: patterns of names, conditions, and the sets they select.

    tank/www        the filesystem itself, nothing below it
    tank/www/**     the filesystem and all below it
    tank/www/*      what lies directly below it
    tank/vm-*       `*` stands for any characters within one component
    tank/**/db      every `db` at any depth below tank (also tank/db)

An exclude (written with a leading `!`) takes away exactly what its pattern names, and always wins:
`!tank/a` takes away tank/a but not tank/a/b; `!tank/a/**` takes away the whole subtree. `tank/a`
never matches tank/ab. A pattern names its pool literally, so that it is known what to list.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Self

from reconciler.zfs.names import InvalidName, check_filesystem, is_within

SUBTREE = "**"
_FOREIGN_WILDCARD = re.compile(r"[?\[\]{}]")


class InvalidPattern(ValueError):
    """Raised when a text is no pattern; `reason` says what is wrong and what to write."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"{text!r}: {reason}")
        self.text = text
        self.reason = reason


@dataclass(frozen=True, slots=True, order=True)
class Pattern:
    """A pattern of filesystem names. Make one with `parse`, which checks the text."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the pattern that a text stands for, or raise InvalidPattern."""
        _check(text)
        components = text.split("/")
        # `**/**` means what `**` means; one form keeps the matching simple and quick.
        kept = [a for a, b in pairwise([*components, ""]) if not a == b == SUBTREE]
        return cls("/".join(kept))

    @property
    def components(self) -> tuple[str, ...]:
        """The parts between the slashes."""
        return tuple(self.text.split("/"))

    @property
    def root(self) -> str:
        """The path up to the first component with a wildcard."""
        return "/".join(self.components[: self._literal_components()])

    @property
    def is_name(self) -> bool:
        """Whether it has no wildcard: the name of one filesystem."""
        return "*" not in self.text

    @property
    def stem(self) -> str:
        """What every selected name, written with a slash at its end, begins with.

        Two patterns can share a name, or one have names below the other's, only if one of their
        stems begins with the other.
        """
        whole_levels = self._literal_components()
        rest = self.components[whole_levels : whole_levels + 1]
        return f"{self.root}/{rest[0].partition('*')[0] if rest else ''}"

    def below(self, root: str) -> "Pattern":
        """Return the pattern of the same names put below another filesystem."""
        return Pattern(f"{root}/{self.text}")

    def regex(self) -> str:
        """Return a regular expression for `fullmatch`; it never backtracks over a subtree."""
        first, *groups = (_group(list(part)) for part in _split(self.components))
        if not groups:
            return first
        *middle, last = groups
        inner = (rf"(?>(?:/[^/]+)*?/{group}(?=/|\Z))" for group in middle)
        tail = rf"(?:/[^/]+)*/{last}" if last else "(?:/.*)?"
        return first + "".join(inner) + tail

    def _literal_components(self) -> int:
        for index, component in enumerate(self.components):
            if "*" in component:
                return index
        return len(self.components)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """A property that a filesystem has to have with exactly this value, own or not."""

    property: str
    equals: str

    def __str__(self) -> str:
        return f"{self.property}={self.equals}"


@dataclass(frozen=True)
class Selection:
    """The filesystems that at least one `include` and no `exclude` matches, if `where` holds."""

    include: tuple[Pattern, ...]
    exclude: tuple[Pattern, ...] = ()
    where: tuple[Condition, ...] = ()
    """All of them have to hold. What properties a filesystem has is known only on its host."""

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Self:
        """Return the selection of patterns as they stand in a spec, excludes with a `!`."""
        texts = tuple(texts)
        return cls(
            tuple(Pattern.parse(text) for text in texts if not text.startswith("!")),
            tuple(Pattern.parse(text[1:]) for text in texts if text.startswith("!")),
        )

    def selects(self, filesystem: str) -> bool:
        """Whether the filesystem of this name is meant, if `where` holds for it."""
        return bool(self._wanted.fullmatch(filesystem)) and not self._unwanted.fullmatch(filesystem)

    def admits(self, properties: Mapping[str, str]) -> bool:
        """Whether `where` holds for a filesystem with these properties."""
        return all(properties.get(one.property) == one.equals for one in self.where)

    @cached_property
    def _wanted(self) -> re.Pattern[str]:
        return _union(self.include)

    @cached_property
    def _unwanted(self) -> re.Pattern[str]:
        return _union(self.exclude)

    def roots(self) -> tuple[str, ...]:
        """Return the filesystems to list, with all below, to see every name that can be meant."""
        roots = sorted({pattern.root for pattern in self.include}, key=lambda root: root.split("/"))
        return tuple(_outermost(roots))

    def below(self, root: str) -> "Selection":
        """Return the selection of the same names put below another filesystem, whatever they are.

        `where` is about the sender's filesystems, not about those.
        """
        return Selection(
            tuple(pattern.below(root) for pattern in self.include),
            tuple(pattern.below(root) for pattern in self.exclude),
        )


def _outermost(sorted_roots: Iterable[str]) -> Iterator[str]:
    """Drop the roots that lie within another one."""
    last = None
    for root in sorted_roots:
        if last is None or not is_within(root, last):
            last = root
            yield root


def _union(patterns: tuple[Pattern, ...]) -> re.Pattern[str]:
    """Compile patterns into one regular expression; none of them matches nothing."""
    return re.compile("|".join(f"(?:{pattern.regex()})" for pattern in patterns) or r"(?!)")


def _split(components: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Split the components of a pattern at each `**`."""
    part: list[str] = []
    for component in components:
        if component == SUBTREE:
            yield tuple(part)
            part = []
        else:
            part.append(component)
    yield tuple(part)


def _group(components: list[str]) -> str:
    return "/".join(map(_component, components))


def _component(component: str) -> str:
    """Translate one component; atomic groups keep several `*` from exploding."""
    if component == "*":
        return "[^/]+"
    first, *rest = map(re.escape, component.split("*"))
    if not rest:
        return first
    *middle, last = rest
    return first + "".join(f"(?>[^/]*?{part})" for part in middle) + f"[^/]*{last}"


def _check(text: str) -> None:
    """Raise InvalidPattern unless the text is a pattern that ZFS could have names for."""
    if text.startswith("/"):
        raise InvalidPattern(text, "Names of filesystems have no leading slash; write `pool/name`.")
    if found := _FOREIGN_WILDCARD.search(text):
        raise InvalidPattern(
            text, f"`{found[0]}` has no meaning here: the wildcards are `*` and `**`."
        )
    components = text.split("/")
    if "*" in components[0]:
        raise InvalidPattern(text, "The pool must be named, without a wildcard: `tank/**`.")
    if any(SUBTREE in component != SUBTREE for component in components):
        raise InvalidPattern(
            text, "`**` stands for whole levels; write it between slashes: `tank/a/**`."
        )
    try:
        check_filesystem("/".join(component.replace("*", "x") for component in components))
    except InvalidName as error:
        raise InvalidPattern(text, error.reason) from None
