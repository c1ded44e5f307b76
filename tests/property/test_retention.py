"""What the planner rests on in keep rules."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.model import Calendar, Keep, KeepRule, Last, Matching, Period, Within
from reconciler.planner.retention import evaluate
from reconciler.zfs.types import Version, VersionKind
from tests.property.strategies import ZONES
from tests.support.worlds import NOW

HOUR = 3600
YEAR = 366 * 24 * HOUR


def versions() -> st.SearchStrategy[list[Version]]:
    """Snapshots in order, whatever their creations say."""
    near = st.integers(-50, 10).map(lambda number: NOW + number * HOUR)
    far = st.integers(NOW - 3 * YEAR, NOW + YEAR)
    anything = st.integers(0, 2**64 - 1)
    creations = st.lists(st.one_of(near, near, far, anything), max_size=12)
    return creations.map(
        lambda found: [
            Version(VersionKind.SNAPSHOT, f"s{number}", number, number, creation)
            for number, creation in enumerate(found, start=1)
        ]
    )


def rules() -> st.SearchStrategy[KeepRule]:
    """Any one rule."""
    counts = st.integers(1, 5)
    return st.one_of(
        st.builds(Last, counts),
        st.builds(Calendar, st.sampled_from(Period), counts),
        st.builds(Within, st.integers(1, 5 * 24 * HOUR), st.just("a while")),
        st.builds(Matching, st.sampled_from(["s1", "s.*", "s[0-4]", "x"])),
    )


def keeps(least: int = 0) -> st.SearchStrategy[Keep]:
    """Rules in some time zone."""
    some = st.lists(rules(), min_size=least, max_size=3).map(tuple)
    return st.builds(Keep, some, st.sampled_from(ZONES))


def kept(keep: Keep, some: Sequence[Version]) -> set[int]:
    return {decision.version.guid for decision in evaluate(keep, some) if decision.kept}


@given(keeps(), versions(), st.data())
def test_taking_away_what_is_not_kept_changes_nothing_for_what_is(
    keep: Keep, every: list[Version], data: st.DataObject
) -> None:
    stays = kept(keep, every)
    rest = sorted({version.guid for version in every} - stays)
    also = data.draw(st.sets(st.sampled_from(rest))) if rest else set()

    assert kept(keep, [v for v in every if v.guid in stays | also]) == stays


@given(keeps(least=1), rules(), versions())
def test_one_more_rule_never_keeps_less(keep: Keep, more: KeepRule, every: list[Version]) -> None:
    both = Keep((*keep.rules, more), keep.timezone)

    assert kept(keep, every) <= kept(both, every)


@given(keeps(), versions())
def test_every_version_gets_one_decision_that_says_why(keep: Keep, every: list[Version]) -> None:
    decisions = evaluate(keep, every)

    assert [decision.version for decision in decisions] == every
    assert all(bool(d.kept_by) != bool(d.against) for d in decisions)
    assert all(d.why for d in decisions)


@given(keeps(least=1), versions())
def test_rules_that_keep_a_number_keep_the_newest_version_unless_by_calendar_it_is_old(
    keep: Keep, every: list[Version]
) -> None:
    if every and any(isinstance(rule, Last | Within) for rule in keep.rules):
        assert every[-1].guid in kept(keep, every)
