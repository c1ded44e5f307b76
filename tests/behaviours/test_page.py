"""docs/behaviours.md names the tests that there are: all of this folder, and none that is not."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "behaviours.md"
NAMED = re.compile(r"`([\w/]+\.py)::([\w:]+)`")
ROW = re.compile(r"^\| ([HPZ]\d\d+) \| .+? \| (.+) \|$", re.MULTILINE)
ROWS = dict(ROW.findall(PAGE.read_text()))


def named(text: str) -> set[tuple[str, str]]:
    """Return file and name of the tests in a text of the page."""
    return set(NAMED.findall(text))


def names_in(path: Path) -> set[str]:
    """Return the names of the tests in a file, those of a class behind its name."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {prefix + member.name for member in members if isinstance(member, ast.FunctionDef)}
    return {name for name in found if name.rpartition("::")[2].startswith("test_")}


HERE = {
    (f"{path.parent.name}/{path.name}", name)
    for path in sorted(Path(__file__).parent.glob("test_*.py"))
    if path != Path(__file__)
    for name in names_in(path)
}


@pytest.mark.parametrize("file", sorted({file for file, _ in named(PAGE.read_text())}))
def test_every_test_that_the_page_names_is_there(file: str) -> None:
    wanted = {name for other, name in named(PAGE.read_text()) if other == file}

    assert wanted - names_in(TESTS / file) == set()


def test_every_test_of_this_folder_stands_in_the_row_of_its_id() -> None:
    for file, name in HERE:
        beginning = re.match(r"test_([hpz]\d\d+)_", name)
        assert beginning, f"{file}::{name} does not begin with the id of a behaviour"
        id_ = beginning[1].upper()
        assert (file, name) in named(ROWS.get(id_, "")), f"{file}::{name} is not in the row {id_}"


def test_every_row_names_a_test_or_says_why_not() -> None:
    for id_, row in ROWS.items():
        assert named(row) or re.search(r"\bnot(?: yet)?: \S", row), id_
        assert "::" not in NAMED.sub("", row), f"{id_}: a test that is not written like the others"


def test_every_behaviour_stands_once_and_in_order() -> None:
    ids = re.findall(r"^\| ([HPZ]\d+) ", PAGE.read_text(), re.MULTILINE)

    assert list(ROWS) == ids
    assert [id_ for id_, count in Counter(ids).items() if count > 1] == []
    assert ids == sorted(ids, key=lambda id_: (id_[0], int(id_[1:])))
