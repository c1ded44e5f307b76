import pytest

from reconciler.desired.diagnostics import Position, SpecError, in_order, shown
from reconciler.errors import ReconcilerError


def test_a_diagnostic_is_one_line_with_its_place() -> None:
    finding = Position("specs/a.yaml", 3, 5).error("unknown key `x`", "Did you mean `y`?")
    assert str(finding) == "specs/a.yaml:3:5: unknown key `x`. Did you mean `y`?"
    assert finding.severity == "error"


def test_an_error_has_all_findings_in_order_once() -> None:
    findings = [
        Position("b.yaml", 1, 1).error("one"),
        Position("a.yaml", 10, 1).error("two"),
        Position("a.yaml", 9, 7).error("three"),
        Position("a.yaml", 9, 3).error("four"),
        Position("b.yaml", 1, 1).error("one"),
    ]
    error = SpecError(findings)
    assert isinstance(error, ReconcilerError)
    assert [finding.summary for finding in error.diagnostics] == ["four", "three", "two", "one"]
    assert str(error).splitlines() == [str(finding) for finding in error.diagnostics]
    assert in_order(reversed(findings)) == error.diagnostics


def test_line_ends_and_escape_sequences_are_shown_not_done() -> None:
    finding = Position("a\nb.yaml").error("the text `\x1b[31m\n`", "\t")
    assert str(finding) == r"a\nb.yaml:1:1: the text `\x1b[31m\n`. \t"


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "`a`"), ("", "the empty text"), ("a" * 61, f"`{'a' * 60}...`"), (3, "`3`")],
)
def test_long_values_are_cut(value: str | int, text: str) -> None:
    assert shown(value) == text
