"""Transcripts of scripts, made by hand: which step says what, and the host's conditions kept."""

from reconciler.hosts.script import (
    Condition,
    Outcome,
    Printed,
    Ran,
    Script,
    Succeeded,
    Transcript,
    Unless,
)


def said(stdout: str = "") -> Outcome:
    """Return the outcome of a command that succeeded."""
    return Outcome(0, stdout, "")


def refused(*stderr: str, stdout: str = "", status: int = 1) -> Outcome:
    """Return the outcome of a command that failed with these lines."""
    return Outcome(status, stdout, "".join(f"{line}\n" for line in stderr))


def rows(*lines: str) -> str:
    """Return lines in which spaces stand for the tabs that ZFS prints."""
    return "".join(line.replace(" ", "\t") + "\n" for line in lines)


def missing(*names: str, present: tuple[str, ...] = ()) -> Outcome:
    """Return what `zfs list` of names says when some of them do not exist."""
    lines = (f"cannot open '{name}': dataset does not exist" for name in names)
    return refused(*lines, stdout=rows(*present))


def ran(script: Script, **answers: Outcome) -> Transcript:
    """Return the transcript of a script whose steps, where they are run, answer like this."""
    assert answers.keys() <= {step.name for step in script.steps}
    outcomes: dict[str, Outcome] = {}
    for step in script.steps:
        if step.when is None or _holds(step.when, outcomes):
            outcomes[step.name] = answers[step.name]
    return Transcript(outcomes)


def _holds(condition: Condition, outcomes: dict[str, Outcome]) -> bool:
    if isinstance(condition, Unless):
        return not _holds(Printed(condition.step, condition.text), outcomes)
    outcome = outcomes.get(condition.step)
    if outcome is None or (not outcome.ok and not isinstance(condition, Ran)):
        return False
    match condition:
        case Ran():
            return True
        case Succeeded():
            return True
        case Printed(text=text):
            return outcome.stdout.removesuffix("\n") == text
