"""Sequences kept as text, with what a real host said: cases that the simulator got wrong once.

    # why the case is here
    $ zfs snapshot src/a@1
      rc=0
    $ zfs destroy src/a@no
      2> could not find any snapshots to destroy; check snapshot names.
      rc=1
    ? listing
       | src/a  filesystem  G3  ...

Lines that begin with `$` are steps, those with `?` are questions, the rest is what the host said,
in the form that is compared.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support.compared import LISTING, agree, form
from tests.support.normal import Names
from tests.support.reality import Answer, Asked
from tests.support.steps import parse, shown

FOLDER = Path(__file__).parents[1] / "lab" / "regressions"


class Case(NamedTuple):
    """One file."""

    name: str
    why: str
    asked: list[Asked]
    forms: list[str]
    """What the real host said, by step."""


def cases() -> list[Case]:
    """Return all cases, by name."""
    return [read(path.stem, path.read_text()) for path in sorted(FOLDER.glob("*.txt"))]


def read(name: str, text: str) -> Case:
    """Return the case that a text is."""
    lines = text.splitlines()
    why = "\n".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))
    blocks: list[list[str]] = []
    for line in lines:
        if line.startswith("$ "):
            blocks.append([])
        if blocks:
            blocks[-1].append(line)
    return Case(name, why, [_asked(block) for block in blocks], ["\n".join(b) for b in blocks])


def write(why: str, forms: Sequence[str]) -> str:
    """Return the text of a case."""
    return "\n".join([f"# {why}", *forms, ""])


def forms(asked: Sequence[Asked], answers: Sequence[Answer]) -> list[str]:
    """Return what a host said, by step."""
    names = Names()
    return [form(a, b, names) for a, b in zip(asked, answers, strict=True)]


def differing(case: Case, answers: Sequence[Answer], hits: Counter[str]) -> Iterator[str]:
    """Yield for each step about which a host does not agree with a case both forms."""
    for said, expected in zip(forms(case.asked, answers), case.forms, strict=True):
        if not agree(said, expected, hits):
            yield f"{said}\n--- but real ZFS said\n{expected}"


def without_questions(asked: Sequence[Asked]) -> list[Asked]:
    """Return a sequence that asks for the listing only at its end."""
    return [*(Asked(a.step) for a in asked[:-1]), Asked(asked[-1].step, (LISTING,))]


def _asked(block: Sequence[str]) -> Asked:
    questions = []
    for line in block[1:]:
        if line == "? listing":
            questions.append(LISTING)
        elif line.startswith("? "):
            questions.append(parse(line[2:])[0])
    return Asked(parse(block[0][2:]), tuple(questions))


__all__ = ["Case", "cases", "differing", "forms", "read", "shown", "without_questions", "write"]
