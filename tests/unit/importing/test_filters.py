"""zrepl's filters and our patterns select the same, or it is said that they can't."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.diagnostics import Position
from reconciler.desired.selection import Selection
from reconciler.importing.filters import Patterns, translate
from reconciler.importing.zrepl import FilterEntry
from reconciler.zfs.names import is_within

SOME = Position("zrepl.yml")
NAMES = [
    pool + rest
    for pool in ("a", "b")
    for rest in ("", "/a", "/b", "/a/a", "/a/b", "/ab", "/a/a/b", "/a/b/a", "/b/a/a")
]


def entries(filter_: dict[str, bool]) -> list[FilterEntry]:
    return [
        FilterEntry(pattern.removesuffix("<"), pattern.endswith("<"), passes, SOME)
        for pattern, passes in filter_.items()
    ]


def translated(filter_: dict[str, bool], *pools: str) -> Patterns:
    return translate(entries(filter_), pools)


def texts(patterns: Patterns) -> list[str]:
    return [*patterns.include, *(f"!{pattern}" for pattern in patterns.exclude)]


def passes(filter_: dict[str, bool], filesystem: str) -> bool:
    """Decide as zrepl: a full path first, then the longest subtree, by components."""
    if filesystem in filter_:
        return filter_[filesystem]
    above = [
        pattern
        for pattern in filter_
        if pattern.endswith("<") and (pattern == "<" or is_within(filesystem, pattern[:-1]))
    ]
    return bool(above) and filter_[max(above, key=len)]


FILTERS = st.dictionaries(
    st.sampled_from(["<", *NAMES, *(f"{name}<" for name in NAMES)]), st.booleans(), max_size=7
)


@given(FILTERS)
def test_what_can_be_said_selects_exactly_what_zrepl_passes(filter_: dict[str, bool]) -> None:
    patterns = translated(filter_, "a", "b")
    selection = Selection.parse(texts(patterns))
    lost = list(patterns.unsayable)

    for name in NAMES:
        if not any(is_within(name, one.below) and name != one.below for one in lost):
            assert selection.selects(name) == passes(filter_, name), texts(patterns)


@given(FILTERS)
def test_what_can_not_be_said_is_named_and_never_selected(filter_: dict[str, bool]) -> None:
    patterns = translated(filter_, "a", "b")
    selection = Selection.parse(texts(patterns))

    missing = {n for n in NAMES if passes(filter_, n) and not selection.selects(n)}
    named = Selection.parse(one.pattern for one in patterns.unsayable)
    assert all(named.selects(name) for name in missing)
    assert not any(selection.selects(one.path) for one in patterns.unsayable)


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        pytest.param({"t<": True}, ["t/**"], id="a subtree has its root"),
        pytest.param({"t": True}, ["t"], id="a path is that alone"),
        pytest.param({"t<": True, "t/a": False}, ["t/**", "!t/a"], id="all but one"),
        pytest.param({"t<": True, "t/a<": False}, ["t/**", "!t/a/**"], id="all but a subtree"),
        pytest.param({"t<": True, "t": False}, ["t/**", "!t"], id="all below"),
        pytest.param(
            {"t<": True, "t/a<": False, "t/a": True}, ["t/**", "!t/a/*/**"], id="but not below"
        ),
        pytest.param({"t<": False, "t/a<": True}, ["t/a/**"], id="an exclude of nothing"),
        pytest.param({"t/a<": False}, [], id="nothing"),
    ],
)
def test_filters_as_people_would_write_them(filter_: dict[str, bool], expected: list[str]) -> None:
    assert texts(translated(filter_)) == expected


def test_an_include_below_an_exclude_below_an_include_is_named() -> None:
    filter_ = {"t<": True, "t/a<": False, "t/a/b<": True, "t/a/c": True, "t/a/d": False}
    patterns = translated(filter_)

    assert texts(patterns) == ["t/**", "!t/a/**"]
    assert [(one.pattern, one.below) for one in patterns.unsayable] == [
        ("t/a/b/**", "t/a"),
        ("t/a/c", "t/a"),
    ]


def test_everything_is_all_pools_that_are_known_or_a_blank() -> None:
    filter_ = {"<": True, "tmp": False, "t/a<": False}

    known = translated(filter_, "t", "u")
    assert (texts(known), known.everything) == (["t/**", "u/**", "!t/a/**"], False)
    unknown = translated(filter_)
    assert (texts(unknown), unknown.everything) == (["t/**", "tmp/**", "!t/a/**", "!tmp"], True)
