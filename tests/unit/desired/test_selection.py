import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.selection import InvalidPattern, Pattern, Selection

COMPONENT = st.sampled_from(["a", "ab", "b", "aba", "a b", "x.y", "-", "a:b_c"])
NAME = st.lists(COMPONENT, min_size=0, max_size=4).map(lambda rest: "/".join(["tank", *rest]))
WILD = st.one_of(COMPONENT, st.sampled_from(["*", "**", "a*", "*b", "*a*", "a*b*a"]))
PATTERN = st.lists(WILD, max_size=4).map(lambda rest: "/".join(["tank", *rest]))


@pytest.mark.parametrize(
    ("pattern", "selected", "not_selected"),
    [
        ("tank/a", "tank/a", "tank tank/ab tank/a/b tank/A tank2/a"),
        ("tank/a/**", "tank/a tank/a/b tank/a/b/c", "tank tank/ab tank/ab/c tank/b/a"),
        ("tank/**", "tank tank/a tank/a/b", "tank2 tank2/a"),
        ("tank/*", "tank/a tank/ab", "tank tank/a/b"),
        ("tank/*/*", "tank/a/b", "tank/a tank/a/b/c"),
        ("tank/vm-*", "tank/vm- tank/vm-1", "tank/vm tank/vm-1/a tank/xvm-1"),
        ("tank/*-old", "tank/a-old tank/-old", "tank/a-older tank/a/b-old"),
        ("tank/*a*", "tank/a tank/bab", "tank/b tank/b/a"),
        ("tank/a*b*c", "tank/abc tank/axbxbxc", "tank/acb tank/ab/c"),
        ("tank/**/db", "tank/db tank/a/db tank/a/b/db", "tank/db/a tank/xdb tank"),
        ("tank/**/db/**", "tank/db tank/a/db/b tank/db/db", "tank/a tank/adb/b"),
        ("tank/**/a/**/b", "tank/a/b tank/x/a/y/z/b tank/a/a/b", "tank/b/a tank/a tank/ab"),
        ("tank/**/**", "tank tank/a tank/a/b", "tanks"),
        ("tank/**/*", "tank/a tank/a/b", "tank"),
        ("tank/*/**", "tank/a tank/a/b", "tank"),
        ("tank/a.c", "tank/a.c", "tank/abc"),
        ("tank/a b", "tank/a\tb".replace("\t", " "), "tank/ab"),
    ],
)
def test_patterns_select_by_whole_components(
    pattern: str, selected: str, not_selected: str
) -> None:
    selection = Selection.parse([pattern])
    for name in [selected] if pattern == "tank/a b" else selected.split():
        assert selection.selects(name), name
    for name in not_selected.split():
        assert not selection.selects(name), name


def test_an_exclude_takes_away_exactly_what_it_names() -> None:
    selection = Selection.parse(["tank/**", "!tank/a", "!tank/b/**"])
    assert not selection.selects("tank/a")
    assert selection.selects("tank/a/b")
    assert selection.selects("tank/ab")
    assert not selection.selects("tank/b")
    assert not selection.selects("tank/b/c")


def test_an_exclude_wins_wherever_it_stands() -> None:
    assert not Selection.parse(["!tank/a", "tank/a"]).selects("tank/a")


@pytest.mark.parametrize(
    ("patterns", "roots"),
    [
        (["tank/a"], ("tank/a",)),
        (["tank/a/**", "!tank/a/b/**"], ("tank/a",)),
        (["tank/vm-*"], ("tank",)),
        (["tank/**/db"], ("tank",)),
        (["tank/a/*/b"], ("tank/a",)),
        (["tank/a/b", "tank/a", "tank/ab", "data/**"], ("data", "tank/a", "tank/ab")),
        (["tank/a/b", "tank/a b", "tank/a"], ("tank/a", "tank/a b")),
    ],
)
def test_roots_are_the_outermost_literal_paths(patterns: list[str], roots: tuple[str, ...]) -> None:
    assert Selection.parse(patterns).roots() == roots


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("/tank", "no leading slash"),
        ("tank/", "empty component"),
        ("*", "pool must be named"),
        ("**/a", "pool must be named"),
        ("tank*/a", "pool must be named"),
        ("tank/a**", "whole levels"),
        ("tank/a?", "no meaning"),
        ("tank/a@b", "'@'"),
        ("tank/..", "'..'"),
        ("tank/" + "a" * 251, "255"),
    ],
)
def test_what_is_no_pattern_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidPattern) as caught:
        Pattern.parse(text)
    assert reason in caught.value.reason
    assert repr(text) in str(caught.value)


def test_selections_are_plain_values() -> None:
    selection = Selection.parse(["tank/**", "!tank/a"])
    assert selection.selects("tank")
    assert selection == Selection.parse(["tank/**", "!tank/a"])
    assert hash(selection) == hash(Selection.parse(["tank/**", "!tank/a"]))
    assert pickle.loads(pickle.dumps(selection)) == selection  # noqa: S301 - our own
    assert [str(pattern) for pattern in selection.include] == ["tank/**"]


def test_below_moves_the_selected_names() -> None:
    selection = Selection.parse(["tank/a/**", "!tank/a/b"]).below("backup/alpha")
    assert selection.selects("backup/alpha/tank/a/c")
    assert not selection.selects("backup/alpha/tank/a/b")
    assert not selection.selects("tank/a/c")


def test_hostile_patterns_and_a_hundred_thousand_names_are_quick() -> None:
    stars = Selection.parse(["tank/" + "*a" * 12 + "b"])
    levels = Selection.parse(["tank/" + "**/a/" * 12 + "b"])
    data = Selection.parse(["tank/**", "!tank/*/cache/**"])
    names = [f"tank/www/vm-{number}/data" for number in range(100_000)]
    start = time.perf_counter()
    assert not stars.selects("tank/" + "a" * 240)
    assert not levels.selects("tank" + "/a" * 49)
    assert all(map(data.selects, names))
    assert time.perf_counter() - start < 5


def by_definition(pattern: list[str], name: list[str]) -> bool:
    """Match components the slow and plain way."""
    match pattern, name:
        case [], _:
            return not name
        case ["**", *rest], _:
            return any(by_definition(rest, name[skip:]) for skip in range(len(name) + 1))
        case ["*", *rest], [_, *tail]:
            return by_definition(rest, tail)
        case [first, *rest], [head, *tail]:
            return characters(first, head) and by_definition(rest, tail)
    return False


def characters(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(characters(pattern[1:], text[skip:]) for skip in range(len(text) + 1))
    return text[:1] == pattern[0] and characters(pattern[1:], text[1:])


def plainly_selects(pattern: str, name: str) -> bool:
    return by_definition(pattern.split("/"), name.split("/"))


@given(PATTERN, NAME)
def test_a_pattern_matches_as_defined(pattern: str, name: str) -> None:
    assert Selection.parse([pattern]).selects(name) == plainly_selects(pattern, name)


@given(st.lists(PATTERN, min_size=1, max_size=3), st.lists(PATTERN, max_size=3), NAME)
def test_a_selection_is_the_union_of_its_patterns_without_the_excludes(
    wanted: list[str], unwanted: list[str], name: str
) -> None:
    selection = Selection.parse([*wanted, *(f"!{pattern}" for pattern in unwanted)])
    expected = any(plainly_selects(pattern, name) for pattern in wanted)
    expected &= not any(plainly_selects(pattern, name) for pattern in unwanted)
    assert selection.selects(name) == expected


@given(PATTERN, NAME)
def test_all_that_is_selected_lies_within_the_roots_and_begins_with_the_stem(
    pattern: str, name: str
) -> None:
    selection = Selection.parse([pattern])
    if selection.selects(name):
        (root,) = selection.roots()
        assert f"{name}/".startswith(f"{root}/")
        assert f"{name}/".startswith(selection.include[0].stem)


@given(PATTERN, NAME)
def test_below_selects_the_same_names_elsewhere(pattern: str, name: str) -> None:
    selection = Selection.parse([pattern])
    assert selection.below("b/x").selects(f"b/x/{name}") == selection.selects(name)


@given(PATTERN)
def test_a_pattern_reads_back_as_itself(pattern: str) -> None:
    parsed = Pattern.parse(pattern)
    assert Pattern.parse(str(parsed)) == parsed
    assert parsed.is_name == ("*" not in pattern)
