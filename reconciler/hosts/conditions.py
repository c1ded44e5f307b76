"""What the conditions of a script's steps mean: which run, and with which arguments.

The same as what `hosts.shell` renders of them means to a shell.
"""

import re
from collections.abc import Mapping

from reconciler.hosts.script import (
    Condition,
    FieldsOf,
    Outcome,
    Printed,
    Ran,
    Step,
    Succeeded,
    Unless,
)

_POSITIVE = re.compile(r"0*[1-9][0-9]*")


def is_to_run(step: Step, found: Mapping[str, Outcome]) -> bool:
    """Tell whether a step runs, by what came of those before it."""
    if step.more is not None and step.more.step not in found:
        return False
    conditions = (*step.after, *((step.when,) if step.when is not None else ()))
    return all(_holds(condition, found) for condition in conditions)


def _holds(condition: Condition, found: Mapping[str, Outcome]) -> bool:
    match condition:
        case Ran(name):
            return name in found
        case Succeeded(name):
            return name in found and found[name].ok
        case Printed(name, text):
            return _printed(found.get(name), text)
        case Unless(name, text):
            return not _printed(found.get(name), text)


def _printed(outcome: Outcome | None, text: str) -> bool:
    return outcome is not None and outcome.ok and outcome.stdout in {text, f"{text}\n"}


def arguments_of(more: FieldsOf, stdout: str) -> list[str]:
    """Return the arguments that rows of an earlier step give."""
    rows = [line.split("\t") for line in stdout.split("\n")]
    wide = [row for row in rows if len(row) > max(more.take, more.positive)]
    return [row[more.take] for row in wide if _POSITIVE.fullmatch(row[more.positive])]
