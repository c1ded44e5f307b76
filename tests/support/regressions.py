"""Cases that the simulator got wrong once: sequences with what a real host said to them.

A case is a recording (see `tests.support.replay`) that begins by making the two pools of
`sequences.new_machine`, so it can be said again both to the simulator and to a real host.

    python -m tests.support.regressions --lab DIR --host alpha NAME 'why' < STEPS

makes one: the steps are run on the real host, and all that is there is listed at the end.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.lab.machines import Lab, Machine
from tests.support import normal, reality, replay
from tests.support.compared import LISTING, agree, without_race
from tests.support.normal import Names
from tests.support.reality import Asked
from tests.support.sequences import new_machine, pool_commands
from tests.support.steps import CUT, KEEP, Outcome, Step, parse, shown
from tests.support.steps import read as read_steps

FOLDER = Path(__file__).parents[1] / "lab" / "regressions"


class Case(NamedTuple):
    """One file."""

    name: str
    why: str
    steps: list[Step]
    forms: list[str]
    """Each step's line with what the real host said."""


def cases() -> list[Case]:
    """Return all cases, by name."""
    return [read(path.stem, path.read_text()) for path in sorted(FOLDER.glob("*.txt"))]


def read(name: str, text: str) -> Case:
    """Return the case that a text is."""
    why = " ".join(line[1:].strip() for line in text.splitlines() if line.startswith("#"))
    recorded = [found for found in replay.read(text) if not found.prepares]
    forms = ["\n".join([f"$ {found.line}", *found.said]) for found in recorded]
    return Case(name, why, [parse(found.line) for found in recorded], forms)


def write(why: str, forms: Sequence[str]) -> str:
    """Return the text of a case."""
    prepared = [f"! {shown((argv,))}" for argv in pool_commands()]
    return "\n".join([f"# {why}", *prepared, *forms, ""])


def simulated(steps: Sequence[Step]) -> list[str]:
    """Return what the simulator says to steps, as forms."""
    machine = new_machine()
    return _forms(steps, [machine.run(step) for step in steps])


def real(host: Machine, steps: Sequence[Step]) -> list[str]:
    """Return what a real host says to steps, as forms."""
    answers = reality.run(host, [Asked(step) for step in steps])
    return _forms(steps, [answer.outcome for answer in answers])


def differing(case: Case, said: Sequence[str], hits: Counter[str]) -> Iterator[str]:
    """Yield for each step about which a host does not agree with a case both forms."""
    for ours, expected in zip(said, case.forms, strict=True):
        if not agree(ours, expected, hits):
            yield f"{ours}\n--- but real ZFS said\n{expected}"


def _forms(steps: Sequence[Step], outcomes: Sequence[Outcome]) -> list[str]:
    names = Names()
    return [_form(step, said, names) for step, said in zip(steps, outcomes, strict=True)]


def _form(step: Step, said: Outcome, names: Names) -> str:
    if step[0][0] == KEEP:
        return f"$ {shown(step)}"
    commands = [argv for argv in step if argv[0] != CUT]
    stderr = "".join(without_race(text) for text in said.stderrs)
    lines = [f"1> {line}" for line in normal.stdout(commands[-1], said.stdout, names).splitlines()]
    lines += [f"2> {line}" for line in normal.plain(stderr, names).splitlines()]
    if said.statuses and said.statuses[-1]:
        lines.append(f"= {said.statuses[-1]}")
    return "\n".join([f"$ {shown(step)}", *lines])


def main() -> int:
    """Make a case of the steps on stdin."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.regressions")
    parser.add_argument("--lab", type=Path, required=True)
    parser.add_argument("--host", default="alpha")
    parser.add_argument("name")
    parser.add_argument("why")
    given = parser.parse_args()
    host = Lab.attach(given.lab).machines[given.host]
    steps = [*read_steps(sys.stdin.read()), (LISTING,)]
    text = write(given.why, real(host, steps))
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{given.name}.txt").write_text(text)
    case = read(given.name, text)
    differences = list(differing(case, simulated(case.steps), Counter()))
    print(f"{given.name}: {len(steps)} steps, {len(differences)} differences")
    print("\n\n".join(differences))
    return 0


if __name__ == "__main__":
    sys.exit(main())
