"""A simulated script's output as it comes over a connection that breaks."""

from collections.abc import Mapping

from reconciler.hosts.script import Outcome, Script, Transcript
from reconciler.hosts.transcript import read


def cut_off(script: Script, outcomes: Mapping[str, Outcome], length: int, host: str) -> Transcript:
    """Return what came of a script, read from so many bytes of its output.

    Raises OutputCut where these do not suffice.
    """
    nonce = "simulated"
    numbers = {step.name: number for number, step in enumerate(script.steps)}
    said = ["", ""]
    for name, outcome in outcomes.items():
        begin = f"\n{nonce} begin {numbers[name]}\n"
        statuses = f"{_to_a_shell(outcome.status)} {_to_a_shell(outcome.first_status)}"
        end = f"\n{nonce} end {numbers[name]} {statuses}\n"
        for stream, text in enumerate((outcome.stdout, outcome.stderr)):
            said[stream] += begin + text + end
    stdout, stderr = (f"{text}\n{nonce} done\n" for text in said)
    return read(nonce, stdout[:length], stderr, script, host=host)


def _to_a_shell(status: int) -> int:
    return status if status >= 0 else 128 - status
