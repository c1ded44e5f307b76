import pytest

from reconciler.report.naming import capped, filesystems_text, names_text


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["t/a"], "t/a"),
        (["t/a", "t/b", "s/c"], "t/a, t/b, s/c"),
        (["t/a", "t/a/b", "t/a/c", "t/a/d"], "t/a and 3 below it"),
        (["t/a/b", "t/a/c", "t/a/d", "t/ab"], "4 filesystems below t"),
        (["s/a", "t/a", "t/b", "t/c"], "4 filesystems in s, t"),
    ],
)
def test_many_filesystems_are_counted_and_placed(names: list[str], text: str) -> None:
    assert filesystems_text(names) == text


def test_names_beyond_the_limit_are_counted() -> None:
    assert names_text("abcde", 3) == "a, b, c and 2 more"
    assert names_text("abcde", None) == "a, b, c, d, e"


def test_one_alone_is_never_left_out() -> None:
    assert capped("abcd", 3) == ("abcd", 0)
    assert capped("abcde", 3) == ("abc", 2)
