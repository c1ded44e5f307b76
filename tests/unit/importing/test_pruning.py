"""zrepl's keep rules → ours: never less is kept."""

import re
from typing import Any

import pytest

from reconciler.desired.diagnostics import Position
from reconciler.importing.pruning import Hit, Names, keep_fields, whole
from reconciler.importing.remarks import Remark
from reconciler.importing.spec_text import Field, Section
from reconciler.importing.zrepl import KeepRule, RuleType

SOME = Position("zrepl.yml")
OURS = Names(prefix="zrepl_")
NOT_REPLICATED = KeepRule(RuleType.NOT_REPLICATED, SOME)
EVERYTHING = {"matching": ".*"}


def last(count: int, regex: str = "") -> KeepRule:
    return KeepRule(RuleType.LAST_N, SOME, regex=regex, count=count)


def grid(text: str, regex: str = "^zrepl_") -> KeepRule:
    return KeepRule(RuleType.GRID, SOME, regex=regex, grid=text)


def matching(regex: str, *, negate: bool = False) -> KeepRule:
    return KeepRule(RuleType.REGEX, SOME, regex=regex, negate=negate)


def keep(*rules: KeepRule, names: Names = OURS) -> dict[str, Any]:
    fields = keep_fields(rules, names)
    return {} if not fields else plain(fields[0])


def plain(field: Field) -> dict[str, Any]:
    assert isinstance(field.value, Section)
    return {inner.key: inner.value for inner in field.value.fields}


def remarks(*rules: KeepRule, names: Names = OURS) -> list[Remark]:
    (field,) = keep_fields(rules, names)
    assert isinstance(field.value, Section)
    return [*field.remarks, *(r for inner in field.value.fields for r in inner.remarks)]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param([], {}, id="no rules keep everything"),
        pytest.param([last(10)], {"last": 10}, id="last_n"),
        pytest.param([last(10), last(3)], {"last": 10}, id="the larger of two"),
        pytest.param([last(10, "^zrepl_.*")], {"last": 10}, id="last_n of ours"),
        pytest.param([last(4), last(10, "^manual_")], {"last": 4}, id="last_n of others"),
        pytest.param([grid("1x1h(keep=all) | 24x1h")], {"grid": "1x1h(keep=all) | 24x1h"}),
        pytest.param([grid("1x1h"), last(2)], {"last": 2, "grid": "1x1h"}, id="two kinds"),
        pytest.param([grid("1x1h"), grid("1x1h  ")], {"grid": "1x1h"}, id="the same twice"),
        pytest.param([NOT_REPLICATED, last(10)], {"last": 10}, id="not_replicated is always so"),
        pytest.param([NOT_REPLICATED], {"last": 1}, id="not_replicated alone"),
        pytest.param([matching(".*")], EVERYTHING, id="regex of all"),
        pytest.param([matching("^zrepl_"), last(1)], EVERYTHING, id="regex of ours"),
        pytest.param([last(1), matching("^manual_")], {"last": 1}, id="regex of others"),
        pytest.param([last(1), matching("^zrepl_", negate=True)], {"last": 1}, id="not ours"),
        pytest.param([matching("^manual_", negate=True)], EVERYTHING, id="all but others"),
        pytest.param([matching("^manual_")], EVERYTHING, id="what would keep none of ours"),
    ],
)
def test_rules_for_snapshots_with_our_prefix(
    rules: list[KeepRule], expected: dict[str, object]
) -> None:
    assert keep(*rules) == expected


@pytest.mark.parametrize(
    "regex",
    [
        r"^zrepl_\d{8}_\d{6}_000$",
        r"^zrepl_\d{4}-\d\d-\d\d_",
        r"^zrepl_\d+$",
        r"^zrepl_.*Z$",
    ],
)
def test_an_expression_for_zrepls_own_format_is_taken_to_mean_our_names(regex: str) -> None:
    assert OURS.hit(regex) is Hit.ALL


@pytest.mark.parametrize("regex", ["_000000_000$", r"[[:alpha:]]", "(?z)", r"zrepl_2026-?11"])
def test_where_it_can_not_be_told_which_ones_are_meant_all_are_kept(regex: str) -> None:
    assert keep(last(3), last(1, regex)) == EVERYTHING
    assert keep(last(3), grid("1x1h", regex)) == EVERYTHING
    assert keep(last(3), matching(regex)) == EVERYTHING
    assert keep(last(3), matching(regex, negate=True)) == EVERYTHING
    assert any(regex in remark.text for remark in remarks(last(3), matching(regex)))


def test_names_in_a_format_of_the_users_own_are_never_taken_for_others() -> None:
    own = Names(prefix="zrepl_", own_format=True)

    assert own.hit("^zrepl_Monday") is Hit.SOME
    assert OURS.hit("^zrepl_Monday") is Hit.NONE


def test_two_grids_are_left_to_a_person() -> None:
    (blank,) = keep(grid("1x1h"), grid("2x1d")).values()

    assert blank == "<one of 1x1h and 2x1d>"
    assert [str(r) for r in remarks(grid("1x1h"), grid("2x1d"))] == [
        "zrepl.yml:1:1: fill in: one grid that keeps what both kept: 1x1h and 2x1d"
    ]


EXTERNAL = Names(regex="^zrepl_.*")
ALL = Names()


@pytest.mark.parametrize(
    ("names", "rules", "expected"),
    [
        pytest.param(EXTERNAL, [grid("1x1h", "^zrepl_.*")], {"grid": "1x1h"}, id="those meant"),
        pytest.param(EXTERNAL, [last(2), matching(".*")], EVERYTHING, id="all of them"),
        pytest.param(ALL, [last(2), matching("^keep_")], {"last": 2, "matching": "keep_.*"}),
        pytest.param(
            ALL,
            [last(2), matching("^keep_", negate=True)],
            {"last": 2, "matching": "(?!keep_.*$).*"},
            id="negated",
        ),
        pytest.param(ALL, [grid("1x1h", "^zrepl_")], {"matching": "zrepl_.*"}, id="a part only"),
        pytest.param(
            ALL,
            [matching("^a"), matching("b|c$")],
            {"matching": "(?:a.*)|(?:.*(?:b|c$).*)"},
            id="two expressions",
        ),
    ],
)
def test_rules_for_snapshots_of_others(
    names: Names, rules: list[KeepRule], expected: dict[str, object]
) -> None:
    assert keep(*rules, names=names) == expected


@pytest.mark.parametrize(
    "regex", ["^zrepl_", "zrepl", "^a$", "a|b", r"^x\d+$", ".*", "^.*$", "(?:a|b)c", "^a.*"]
)
@pytest.mark.parametrize("name", ["zrepl_1", "my-zrepl", "a", "b", "ab", "x12", "", "xacx", "ac"])
def test_an_expression_for_a_part_of_a_name_becomes_one_for_the_whole(
    regex: str, name: str
) -> None:
    text = whole(regex)
    assert text is not None
    assert bool(re.fullmatch(text, name)) == bool(re.search(regex, name))
