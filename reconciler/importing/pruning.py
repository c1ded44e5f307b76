"""zrepl's keep rules → the `keep` of a spec, which never keeps less.

zrepl's rules are about all snapshots of a filesystem, so each picks its names by a regular
expression. A spec's rules are about the snapshots that it manages, and all others are never
destroyed: so a rule for those is not needed, and one for the spec's own needs no expression. Where
that can't be told, or can't be said, everything is kept.
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from reconciler.importing.remarks import Remark, blank, fill_in, lost, note
from reconciler.importing.spec_text import Field, Section
from reconciler.importing.zrepl import KeepRule, RuleType

_FORMATS = (
    ("20260101T000000Z", "20261122T231500Z"),
    ("20260101_000000_000", "20261122_231500_000"),
    ("2026-01-01_00:00:00", "2026-11-22_23:15:00"),
    ("2026-01-01T00:00:00.000Z", "2026-11-22T23:15:00.000Z"),
    ("1767225600", "1795389300"),
)
"""Two instants as we write them and in zrepl's formats: what a regular expression is tried on."""


class Hit(Enum):
    """Which of the managed snapshots a regular expression matches."""

    ALL = auto()
    NONE = auto()
    SOME = auto()
    """Or it can't be told."""


@dataclass(frozen=True, slots=True)
class Names:
    """Which snapshots a spec manages: those with a prefix, or those that match an expression."""

    prefix: str | None = None
    regex: str | None = None
    """As zrepl has it: searched for."""
    own_format: bool = False
    """Whether zrepl's names have a format of the user's own."""

    def hit(self, regex: str) -> Hit:
        """Return which of them zrepl's expression matches."""
        if not regex or regex == self.regex or _is_anything(regex):
            return Hit.ALL
        found = compiled(regex)
        if found is None or self.prefix is None:
            return Hit.SOME
        tried = [[found.search(self.prefix + s) is not None for s in two] for two in _FORMATS]
        if any(map(all, tried)):
            return Hit.ALL
        return Hit.SOME if self.own_format or any(map(any, tried)) else Hit.NONE


def compiled(regex: str) -> re.Pattern[str] | None:
    """Return a regular expression of Go's as Python's, None when Python has another grammar."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return re.compile(regex)
    except (re.error, OverflowError, RecursionError, Warning):
        return None


def whole(regex: str) -> str | None:
    """Return the expression for the whole of a name that one for a part of it stands for."""
    if _is_anything(regex):
        return ".*"
    text = f".*(?:{regex}).*"
    if not re.search(r"[|()\\]", regex):  # simple enough to be written as people would
        begin = "" if regex.startswith("^") else ".*"
        end = "" if regex.endswith(("$", ".*")) else ".*"
        text = begin + regex.removeprefix("^").removesuffix("$") + end
    return text if compiled(text) is not None else None


def _is_anything(regex: str) -> bool:
    return regex.removeprefix("^").removesuffix("$") in {"", ".*"}


@dataclass(frozen=True, slots=True)
class _Vote:
    """What one rule comes to."""

    last: int = 0
    grid: str = ""
    matching: str = ""
    everything: bool = False
    remarks: tuple[Remark, ...] = ()


def keep_fields(rules: Sequence[KeepRule], names: Names) -> tuple[Field, ...]:
    """Return the field `keep` of a sender or receiver, none to keep everything."""
    votes = [_vote(rule, names) for rule in rules]
    remarks = tuple(remark for vote in votes for remark in vote.remarks)
    remarks += tuple(remark for rule in rules for remark in rule.remarks)
    fields = tuple(_fields(rules, votes))
    if any(vote.everything for vote in votes):
        return _kept(rules, remarks)
    if not fields and rules:
        if all(rule.type is RuleType.NOT_REPLICATED for rule in rules):
            said = "nothing else was kept: the newest stays, and what is not replicated yet"
            one = Field("last", 1)
            return (Field("keep", Section((one,)), (*remarks, note(rules[0].where, said))),)
        said = "none of zrepl's rules keeps what this spec makes; here all of it is kept"
        return _kept(rules, (*remarks, note(rules[0].where, said)))
    return (Field("keep", Section(fields), remarks),) if fields else ()


def _kept(rules: Sequence[KeepRule], remarks: tuple[Remark, ...]) -> tuple[Field, ...]:
    """Keep everything, by a rule that says so where there is something to say."""
    if not remarks:
        remarks = (note(rules[0].where, "everything is kept"),)
    return (Field("keep", Section((Field("matching", ".*"),)), remarks),)


def _fields(rules: Sequence[KeepRule], votes: Sequence[_Vote]) -> Iterator[Field]:
    last = max((vote.last for vote in votes), default=0)
    grids = dict.fromkeys(" ".join(vote.grid.split()) for vote in votes if vote.grid)
    matching = list(dict.fromkeys(vote.matching for vote in votes if vote.matching))
    if last:
        yield Field("last", last)
    if len(grids) > 1:
        both = " and ".join(grids)
        where = next(rule.where for rule in rules if rule.grid)
        what = fill_in(where, f"one grid that keeps what both kept: {both}")
        yield Field("grid", blank(f"one of {both}"), (what,))
    elif grids:
        yield Field("grid", next(iter(grids)))
    if matching:
        joined = matching[0] if len(matching) == 1 else "|".join(f"(?:{m})" for m in matching)
        yield Field("matching", joined)


def _vote(rule: KeepRule, names: Names) -> _Vote:
    if rule.type is RuleType.NOT_REPLICATED:
        said = "`not_replicated`: always so, what a receiver still wants is never destroyed before"
        return _Vote(remarks=(note(rule.where, said),))
    hit = names.hit(rule.regex)
    if rule.type is RuleType.REGEX and rule.negate:
        hit = {Hit.ALL: Hit.NONE, Hit.NONE: Hit.ALL}.get(hit, hit)
    if hit is Hit.NONE:
        said = "is about other snapshots than this spec's; those are never destroyed"
        return _Vote(remarks=(note(rule.where, f"the rule `{rule.type}` {said}"),))
    if hit is Hit.SOME:
        return _some(rule, names)
    match rule.type:
        case RuleType.LAST_N:
            return _Vote(last=rule.count)
        case RuleType.GRID:
            return _Vote(grid=rule.grid)
    return _Vote(everything=True)


def _some(rule: KeepRule, names: Names) -> _Vote:
    """Translate a rule for some of the managed snapshots: it is better to keep too many."""
    matching = whole(rule.regex)
    if matching is not None and rule.type is RuleType.REGEX and rule.negate:
        matching = f"(?!{matching}$).*"
    if names.prefix is not None or matching is None or compiled(matching) is None:
        said = "can't be carried over to this spec's names: everything is kept"
        return _Vote(
            everything=True,
            remarks=(lost(rule.where, f"the rule `{rule.type}` with `{rule.regex}` {said}"),),
        )
    if rule.type is RuleType.REGEX:
        return _Vote(matching=matching)
    said = "is for some of the spec's snapshots: all of those are kept, more than zrepl kept"
    what = f"the rule `{rule.type}` with `{rule.regex}` {said}"
    return _Vote(matching=matching, remarks=(lost(rule.where, what),))
