"""What a simulated and a real host made of the same steps, side by side.

A step's form is its text with all that has to agree: stdout, stderr and exit status of each
command, then the listing after it. Two hosts agree while the forms of their steps are equal; only
the first difference of a sequence counts, as later ones may follow from it.
"""

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reconciler.zfs.properties import PLACEHOLDER, RECONCILE, SPEC
from reconciler.zfs.types import Argv
from tests.support import normal
from tests.support.accepted import ACCEPTED
from tests.support.normal import Names
from tests.support.reality import POOLS, Answer, Asked
from tests.support.steps import CUT, Outcome, Step, shown

COLUMNS = (
    "name",
    "type",
    "guid",
    "createtxg",
    "creation",
    "userrefs",
    "defer_destroy",
    "written",
    "referenced",
    "origin",
    "clones",
    "inconsistent",
    "readonly",
    "canmount",
    "mountpoint",
    "mounted",
    "encryption",
    "keystatus",
    "encryptionroot",
    "volsize",
    "receive_resume_token",
    "x:one",
    "x:two",
    SPEC,
    RECONCILE,
    PLACEHOLDER,
)

LISTING: Argv = ("zfs", "list", "-Hp", "-r", "-t", "all", "-o", ",".join(COLUMNS), *POOLS)
"""What is asked after each step."""

_BROKEN_PIPE = re.compile(r"(?m)^warning: cannot send '.*': (Broken pipe|signal received)\n")
_SIGPIPE = 128 + 13


class Difference(NamedTuple):
    """The first step of a sequence about which two hosts do not agree."""

    number: int
    step: Step
    simulated: str
    real: str

    def __str__(self) -> str:
        return "\n".join(
            [
                f"step {self.number}: {shown(self.step)}",
                *_changed(self.simulated.splitlines(), self.real.splitlines()),
            ]
        )


def first_difference(
    asked: Sequence[Asked],
    simulated: Sequence[Answer],
    real: Sequence[Answer],
    hits: Counter[str] | None = None,
) -> Difference | None:
    """Return where two hosts begin to differ; count what was accepted as different."""
    names = Names(), Names()
    for number, (what, ours, theirs) in enumerate(zip(asked, simulated, real, strict=True)):
        forms = form(what, ours, names[0]), form(what, theirs, names[1])
        if not agree(*forms, hits if hits is not None else Counter()):
            return Difference(number, what.step, *forms)
    return None


def agree(simulated: str, real: str, hits: Counter[str]) -> bool:
    """Tell whether two forms are equal but for what is accepted as different."""
    if simulated == real:
        return True
    used = []
    for accepted in ACCEPTED:
        before = simulated, real
        simulated, real = accepted.without(simulated), accepted.without(real)
        if before != (simulated, real):
            used.append(accepted.name)
    if simulated != real:
        return False
    hits.update(used)
    return True


def form(asked: Asked, answer: Answer, names: Names) -> str:
    """Return a step's text with what was said."""
    lines = list(_step_form(asked.step, answer.outcome, names))
    for argv, outcome in zip(asked.questions, answer.answers, strict=True):
        lines += _asked_form(argv, outcome, names)
    return "\n".join(lines)


def _step_form(step: Step, outcome: Outcome, names: Names) -> Iterator[str]:
    commands = [argv for argv in step if argv[0] != CUT]
    stderrs, statuses = list(outcome.stderrs), [str(status) for status in outcome.statuses]
    if (CUT, "0") in step:
        # Whether the sender says anything before it notices is a race.
        stderrs[0], statuses[0] = "", "ended"
    elif len(commands) == 2 and (len(step) > 2 or statuses[1] != "0"):
        stderrs[0], statuses[0] = _ended(stderrs[0], outcome.statuses[0])
    yield f"$ {shown(step)}"
    yield from _marked("1>", normal.stdout(commands[-1], outcome.stdout, names))
    for number, stderr in enumerate(stderrs):
        mark = "2>" if number == len(stderrs) - 1 else "2|"
        yield from _marked(mark, normal.plain(stderr, names))
    yield f"  rc={' '.join(statuses)}"


def without_race(stderr: str) -> str:
    """Return what a sender said without that nobody read any more, which it may notice or not."""
    return _BROKEN_PIPE.sub("", stderr)


def _ended(stderr: str, status: int) -> tuple[str, str]:
    """Return what a sender said whose stream was not read to the end: when it noticed varies."""
    said = without_race(stderr)
    unread = status in {0, _SIGPIPE} or said != stderr
    return said, "ended" if unread else str(status)


def _asked_form(argv: Argv, outcome: Outcome, names: Names) -> Iterator[str]:
    text = normal.stdout(argv, outcome.stdout, names)
    if argv[:2] == ("zfs", "holds"):
        text = "".join(sorted(text.splitlines(keepends=True)))
    yield "? listing" if argv == LISTING else f"? {shown((argv,))}"
    yield from _marked(" |", text)
    yield from _marked("2>", normal.plain("".join(outcome.stderrs), names))


def _marked(mark: str, text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield f"  {mark} {line}"


def _changed(simulated: Sequence[str], real: Sequence[str]) -> Iterator[str]:
    """Yield the lines that differ."""
    whose = {"-": "simulated:", "+": "real:     "}
    for line in difflib.ndiff(simulated, real):
        if line[0] in whose:
            yield f"    {whose[line[0]]} {line[2:]}"
