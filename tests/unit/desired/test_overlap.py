import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.desired import overlap
from reconciler.desired.overlap import candidates, common, is_empty, nested
from reconciler.desired.selection import Selection

COMPONENTS = ["", "a", "b", "ab", "ba", "x"]
NAMES = ["/".join(["t", *filter(None, parts)]) for parts in itertools.product(COMPONENTS, repeat=3)]
WILD = st.sampled_from(["a", "b", "ab", "*", "**", "a*", "*b", "**"])
PATTERN = st.lists(WILD, max_size=3).map(lambda rest: "/".join(["t", *rest]))
SELECTION = st.tuples(st.lists(PATTERN, min_size=1, max_size=2), st.lists(PATTERN, max_size=2)).map(
    lambda both: Selection.parse([*both[0], *(f"!{pattern}" for pattern in both[1])])
)


def select(*patterns: str) -> Selection:
    return Selection.parse(patterns)


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        (["tank/a"], ["tank/a"], "tank/a"),
        (["tank/a"], ["tank/ab"], None),
        (["tank/**"], ["tank/a"], "tank/a"),
        (["tank/**", "!tank/a"], ["tank/a"], None),
        (["tank/**", "!tank/a"], ["tank/a/**"], "tank/a/x"),
        (["tank/**", "!tank/a/**"], ["tank/a/**"], None),
        (["tank/*/db"], ["tank/a*/**"], "tank/a/db"),
        (["tank/*"], ["tank/*/*"], None),
        (["tank/vm-*"], ["tank/*-1"], "tank/vm-1"),
        (["tank/vm-*"], ["tank/db-*"], None),
        (["tank/**/x"], ["tank/**/y"], None),
        (["tank/a", "tank/b"], ["tank/c", "tank/b"], "tank/b"),
    ],
)
def test_common_finds_a_name_that_both_select(
    one: list[str], other: list[str], name: str | None
) -> None:
    assert common(select(*one), select(*other)) == name
    assert common(select(*other), select(*one)) == name


@pytest.mark.parametrize(
    ("upper", "lower", "name"),
    [
        (["tank/a"], ["tank/a"], None),
        (["tank/a"], ["tank/a/b"], "tank/a/b"),
        (["tank/a"], ["tank/ab/c"], None),
        (["tank/a/b"], ["tank/a"], None),
        (["tank/**"], ["tank/**"], "tank/x"),
        (["tank/*"], ["tank/*"], None),
        (["tank/*", "!tank/a"], ["tank/a/**"], None),
        (["tank/**", "!tank/a/**"], ["tank/a/b"], "tank/a/b"),
        (["tank/a/**"], ["tank/a/**", "!tank/a/*/**"], None),
    ],
)
def test_nested_finds_a_name_below_one_of_the_other(
    upper: list[str], lower: list[str], name: str | None
) -> None:
    assert nested(select(*upper), select(*lower)) == name


@settings(max_examples=200, deadline=None)
@given(SELECTION, SELECTION)
def test_common_and_nested_agree_with_trying_all_names(one: Selection, other: Selection) -> None:
    both = [name for name in NAMES if one.selects(name) and other.selects(name)]
    below = [
        name
        for name in NAMES
        if other.selects(name)
        and any(one.selects(name[:i]) for i, c in enumerate(name) if c == "/")
    ]
    for found, expected in ((common(one, other), both), (nested(one, other), below)):
        # Names outside of the tried ones may be found; those that are tried may not be missed.
        assert found is not None or not expected
    if name := common(one, other):
        assert one.selects(name)
        assert other.selects(name)
    if name := nested(one, other):
        assert other.selects(name)
        assert any(one.selects(name[:index]) for index, char in enumerate(name) if char == "/")


@pytest.mark.parametrize(
    ("patterns", "empty"),
    [
        (["tank/a"], False),
        (["tank/a", "!tank/a"], True),
        (["tank/a/**", "!tank/a"], False),
        (["tank/a/**", "!tank/**"], True),
        (["tank/a/*", "!tank/a/x"], False),
        (["tank/a/*", "!tank/*/*"], True),
        (["tank/a", "tank/b", "!tank/a"], False),
        (["tank/**", "!tank/**/*", "!tank"], True),
    ],
)
def test_excludes_may_leave_nothing(patterns: list[str], *, empty: bool) -> None:
    assert is_empty(select(*patterns)) is empty


def test_candidates_are_only_those_whose_stems_begin_with_each_other() -> None:
    stems = ["tank/a/", "tank/ab/", "tank/a/b/", "tank/", "data/", "tank/vm-"]
    found = {frozenset(pair) for pair in candidates((stem, n) for n, stem in enumerate(stems))}
    assert found == {frozenset(pair) for pair in [(0, 2), (0, 3), (1, 3), (2, 3), (3, 5)]}


def test_disjoint_trees_are_no_candidates_however_many_there_are() -> None:
    stems = ((f"tank/data{number}/", number) for number in range(10_000))
    assert list(candidates(stems)) == []


def test_many_excludes_are_decided_quickly() -> None:
    excludes = [f"!tank/**/{one}*{two}/**" for one, two in zip("abcdefgh", "klmnopqr", strict=True)]
    assert common(select("tank/**", *excludes), select("tank/aak/**")) is None


def test_what_is_too_hard_to_decide_counts_as_meeting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlap, "MAX_STATES", 5)
    assert common(select("tank/data/**"), select("tank/data/*x")) == "tank/data"
