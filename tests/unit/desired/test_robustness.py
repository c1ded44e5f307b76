"""Whatever stands in a file, the answer is a value: resolved specs or findings, never a crash."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.desired.files import SpecFile
from reconciler.desired.model import Desired
from reconciler.desired.reference import EXAMPLE
from reconciler.desired.resolve import resolve
from reconciler.desired.specset import read_all

ODD = ["~", "[]", "{}", "3", "true", '""', "x", "[[x]]", "{x: y}", "-1", "1e999", "!x y", "&a b"]
ODD += [
    "*a",
    "? [x]",
    "tank/**",
    '"\\n"',
    "'{host}'",
    "0x0",
    "9" * 5000,
    "0x" + "f" * 5000,
    ":",
    "- x",
    "|",
    "@",
]
LINES = EXAMPLE.splitlines()


def outcome(content: bytes) -> object:
    resolved = resolve(read_all([SpecFile("a.yaml", content)]))
    if isinstance(resolved, Desired):
        return resolved
    assert resolved
    lines = content.count(b"\n") + content.count(b"\r") + 2
    assert all(1 <= found.line <= lines and found.column >= 1 for found in resolved)
    assert all(len(str(found).splitlines()) == 1 for found in resolved)
    return resolved


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_an_odd_value_anywhere(odd: str) -> None:
    for number, line in enumerate(LINES):
        key, colon, _ = line.partition(":")
        changed = [*LINES[:number], f"{key}{colon} {odd}", *LINES[number + 1 :]]
        outcome("\n".join(changed).encode())


@pytest.mark.parametrize("number", range(len(LINES)))
def test_a_line_left_out_or_doubled(number: int) -> None:
    outcome("\n".join([*LINES[:number], *LINES[number + 1 :]]).encode())
    outcome("\n".join([*LINES[:number], LINES[number], *LINES[number:]]).encode())


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(EXAMPLE)), st.integers(0, 30), st.binary(max_size=8))
def test_bytes_replaced_anywhere(start: int, length: int, new: bytes) -> None:
    content = EXAMPLE.encode()
    outcome(content[:start] + new + content[start + length :])


@given(st.text())
def test_any_text(text: str) -> None:
    outcome(text.encode("utf-8", "surrogatepass"))
