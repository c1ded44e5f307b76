"""Several scripts for one host as one, run in one execution, and what came of each.

A script that is part of another does what it does alone, in the same order: its conditions look at
its own steps. All that it shares with the others is the way there and back. One that goes after
others is begun only when these have shown on the host that they are done.
"""

from collections.abc import Sequence
from dataclasses import replace

from reconciler.hosts.script import Condition, Script, Step, Transcript

_BETWEEN = "/"


def joined(scripts: Sequence[Script], after: Sequence[Sequence[int]] = ()) -> Script:
    """Return one script that runs several, one after the other.

    `after` has for each the numbers of those before it whose proofs it needs. Raises ValueError
    when one of these has none.
    """
    steps = (
        _within(step, prefix_of(number), _proofs(scripts, needed))
        for number, (script, needed) in enumerate(
            zip(scripts, after or [()] * len(scripts), strict=True)
        )
        for step in script.steps
    )
    return Script(
        tuple(steps),
        mutates=any(script.mutates for script in scripts),
        finishes=any(script.finishes for script in scripts),
        seconds=sum(script.seconds for script in scripts),
    )


def part(transcript: Transcript, number: int) -> Transcript:
    """Return what came of one of the scripts, as if it had been run alone."""
    prefix = prefix_of(number)
    outcomes = {
        name.removeprefix(prefix): outcome
        for name, outcome in transcript.outcomes.items()
        if name.startswith(prefix)
    }
    return replace(transcript, outcomes=outcomes)


def prefix_of(number: int) -> str:
    """Return how the names of a part's steps begin."""
    return f"{number}{_BETWEEN}"


def _proofs(scripts: Sequence[Script], needed: Sequence[int]) -> tuple[Condition, ...]:
    """Return the proofs of some of the scripts as conditions of the whole."""
    if not all(scripts[number].proof for number in needed):
        raise ValueError("nothing shows on the host that one script is done: none can go after it")
    return tuple(
        replace(proof, step=f"{prefix_of(number)}{proof.step}")
        for number in needed
        for proof in scripts[number].proof
    )


def _within(step: Step, prefix: str, after: tuple[Condition, ...]) -> Step:
    when, more = step.when, step.more
    return replace(
        step,
        name=f"{prefix}{step.name}",
        when=when and replace(when, step=f"{prefix}{when.step}"),
        more=more and replace(more, step=f"{prefix}{more.step}"),
        after=after,
    )
