"""Broken specs, and all that is said about them. The cases are data: broken/*.txt.

A case is `### title`, then files (`@ name`, then their lines), then `> ` and each line expected.
The three hosts of conftest are always there, in hosts.yaml.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from reconciler.desired.model import Desired
from tests.unit.desired.conftest import Resolve

CASES = Path(__file__).parent / "broken"


class Case(NamedTuple):
    title: str
    files: dict[str, str]
    expected: list[str]


def cases() -> Iterator[Case]:
    for path in sorted(CASES.glob("*.txt")):
        for section in path.read_text().split("### ")[1:]:
            title, _, rest = section.partition("\n")
            yield case(f"{path.stem}: {title}", rest)


def case(title: str, text: str) -> Case:
    files: dict[str, str] = {}
    expected = []
    for line in text.splitlines(keepends=True):
        if line.startswith("@ "):
            files[line[2:].strip()] = ""
        elif line.startswith("> "):
            expected.append(line[2:].rstrip("\n"))
        elif not expected:
            files[next(reversed(files))] += line
    return Case(title, files, expected)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.title) for case in cases()])
def test_says_all_that_is_wrong_and_where(case: Case, hosts: str, resolve_texts: Resolve) -> None:
    resolved = resolve_texts({"hosts.yaml": hosts, **case.files})
    assert not isinstance(resolved, Desired)
    assert list(map(str, resolved)) == case.expected


def test_the_order_of_the_files_does_not_matter(hosts: str, resolve_texts: Resolve) -> None:
    for case in cases():
        files = {"hosts.yaml": hosts, **case.files}
        backwards = resolve_texts(list(reversed(files.items())))
        assert not isinstance(backwards, Desired)
        assert list(map(str, backwards)) == case.expected, case.title


def test_there_are_many_cases_and_each_has_its_own_title() -> None:
    titles = [case.title for case in cases()]
    assert len(titles) == len(set(titles)) > 150
