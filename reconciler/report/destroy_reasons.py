"""Which versions of one destroy share a reason, and how that is said in one line.

An action that destroys many versions carries the reason of each in one sentence (see
`planner.retire.explain`). Here the sentence is taken apart again.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reconciler.actions import Destroy, Reason
from reconciler.report.naming import LISTED
from reconciler.zfs.types import Version

CURSOR_MOVED = "cursor-moved"
SURPLUS = "surplus-bookmark"

_KEEPS_ANOTHER = re.compile(r"\b(\w+) \d+ keeps [@#][^,;]+")


class Doomed(NamedTuple):
    """Versions that go for one reason."""

    what: str
    why: str


def doomed(destroy: Destroy, reason: Reason, *, explain: bool) -> Iterator[Doomed]:
    """Yield what is destroyed and why; many versions with reasons of a kind are taken together."""
    if explain:
        for version, why in _reasons(destroy.versions, reason.message):
            yield Doomed(version.label, why)
        return
    if reason.code == CURSOR_MOVED:
        yield Doomed("old cursor", reason.message)
        return
    if reason.code == SURPLUS:
        yield Doomed("old bookmark", reason.message)
        return
    groups: dict[str, list[tuple[Version, str]]] = {}
    for version, why in _reasons(destroy.versions, reason.message):
        groups.setdefault(_general(why), []).append((version, why))
    for why, group in groups.items():
        if len(group) > LISTED:
            first, last = group[0][0], group[-1][0]
            yield Doomed(f"{len(group)} versions between {first.label} and {last.label}", why)
        else:
            yield from _by_reason(group)


def _by_reason(group: Sequence[tuple[Version, str]]) -> Iterator[Doomed]:
    labels: dict[str, list[str]] = {}
    for version, why in group:
        labels.setdefault(why, []).append(version.label)
    for why, found in labels.items():
        yield Doomed(", ".join(found), why)


def _general(why: str) -> str:
    """Return a reason as it can be said of several versions."""
    return _KEEPS_ANOTHER.sub(r"\1 keeps another", why).replace("keeps it:", "keeps them:")


def _reasons(versions: Sequence[Version], message: str) -> list[tuple[Version, str]]:
    """Return each version with its own reason, or with the whole sentence if it has only one."""
    rest, found = f"; {message}", []
    for version, following in zip(versions, [*versions[1:], None], strict=True):
        begin = f"; {version.label} "
        end = f"; {following.label} " if following is not None else None
        if not rest.startswith(begin) or (end is not None and end not in rest):
            return [(version, message) for version in versions]
        length = rest.index(end, len(begin)) if end is not None else len(rest)
        found.append((version, rest[len(begin) : length]))
        rest = rest[length:]
    return found
