"""Keep rules of specs → `Keep`, with references to policies followed."""

from collections.abc import Mapping

from reconciler.desired.grid import parse_grid
from reconciler.desired.keep_objects import Keep as KeepSection
from reconciler.desired.keep_objects import KeepRules
from reconciler.desired.model import Calendar, Keep, KeepRule, Last, Matching, Period, Within
from reconciler.desired.units import parse_duration


def keep_of(section: KeepRules, policies: Mapping[str, KeepRules]) -> Keep | None:
    """Return the rules of a section, None when its policy does not exist."""
    if isinstance(section, KeepSection) and section.policy is not None:
        policy = policies.get(section.policy)
        return None if policy is None else Keep(_rules(policy), policy.timezone)
    return Keep(_rules(section), section.timezone)


def _rules(section: KeepRules) -> tuple[KeepRule, ...]:
    """Return the rules in a fixed order, whatever the order in the file."""
    rules: list[KeepRule] = []
    if section.last is not None:
        rules.append(Last(section.last))
    for period in Period:
        count: int | None = getattr(section, period)
        if count is not None:
            rules.append(Calendar(period, count))
    if section.within is not None:
        rules.append(Within(parse_duration(section.within), section.within))
    if section.matching is not None:
        rules.append(Matching(section.matching))
    if section.grid is not None:
        rules.append(parse_grid(section.grid))
    return tuple(rules)
