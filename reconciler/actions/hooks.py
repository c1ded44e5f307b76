"""Hooks around a group of snapshots: commands of the user's, run on the host in the same script.

The snapshots and what is before and after them are one execution, so nothing on the way to the host
can come between them; and once it is begun it is not ended with the controller: what a hook has
stopped is started again though nobody waits for it any more.
"""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.desired.model import Hook
from reconciler.hosts.script import Condition, Outcome, Ran, Step, Succeeded, Transcript
from reconciler.zfs.errors import Failure, FailureKind, Reaction
from reconciler.zfs.types import Argv

KILL_AFTER = 10
"""Seconds that a command has to end in after its time is up."""

LINES = 20
LINE_LENGTH = 300
"""How much of what a hook prints is told: its last words."""

_TIMED_OUT = frozenset({124, 137, -9})
"""How timeout(1) ends when it had to send TERM, or KILL."""

# What a hook leaves running must not keep the host's lock (descriptor 9), and a hook whose listener
# is gone must not die of what it prints.
_BEGIN = "trap '' PIPE; exec 9<&- 2>&1\n"


def before(hooks: Sequence[Hook], about: Sequence[str]) -> Iterator[Step]:
    """Yield the steps before the snapshots. `about` is what is added to their environment."""
    needed: Condition | None = None
    for number, hook in enumerate(hooks):
        if hook.before:
            name = f"before {number}"
            yield Step(name, _argv(hook, "before", hook.before, about), needed)
            needed = Succeeded(name) if hook.abort else needed


def allowed_by(hooks: Sequence[Hook]) -> Condition | None:
    """Return what must hold for the snapshots to be taken."""
    deciding = [n for n, hook in enumerate(hooks) if hook.before and hook.abort]
    return Succeeded(f"before {deciding[-1]}") if deciding else None


def after(hooks: Sequence[Hook], about: Sequence[str]) -> Iterator[Step]:
    """Yield the steps after the snapshots, the last hook's first."""
    for number, hook in reversed(tuple(enumerate(hooks))):
        if hook.after:
            begun = Ran(f"before {number}") if hook.before else None
            yield Step(f"after {number}", _argv(hook, "after", hook.after, about), begun)


def seconds(hooks: Iterable[Hook]) -> int:
    """Return how long all of them may take."""
    return sum(
        (hook.timeout + KILL_AFTER) * (bool(hook.before) + bool(hook.after)) for hook in hooks
    )


def stopped(hooks: Sequence[Hook], transcript: Transcript) -> Failure | None:
    """Return why no snapshots were taken, if that is because of a hook."""
    for number, hook in enumerate(hooks):
        if hook.abort and (said := _wrong(hook, "before", transcript.get(f"before {number}"))):
            return _failure(f"{said}, so no snapshots were taken")
    return None


def broken_after(hooks: Sequence[Hook], transcript: Transcript) -> Failure | None:
    """Return what went wrong after the snapshots in a hook that may not fail."""
    for number, hook in enumerate(hooks):
        if hook.abort and (said := _wrong(hook, "after", transcript.get(f"after {number}"))):
            return _failure(f"{said}. The snapshots are there; see to what it was to put right")
    return None


def notes(hooks: Sequence[Hook], transcript: Transcript) -> Iterator[str]:
    """Yield what went wrong in hooks that may fail."""
    for number, hook in enumerate(hooks):
        for phase in ("before", "after"):
            said = _wrong(hook, phase, transcript.get(f"{phase} {number}"))
            if said and not hook.abort:
                yield said


def printed(hooks: Sequence[Hook], transcript: Transcript) -> tuple[str, ...]:
    """Return the last lines that each hook printed, with its name."""
    return tuple(
        f"hook {hook.name}, {phase}: {line[:LINE_LENGTH]}"
        for phase, numbered in (
            ("before", tuple(enumerate(hooks))),
            ("after", tuple(reversed(tuple(enumerate(hooks))))),
        )
        for number, hook in numbered
        for line in _lines(transcript.get(f"{phase} {number}"))[-LINES:]
    )


def _argv(hook: Hook, phase: str, text: str, about: Sequence[str]) -> Argv:
    return (
        *("timeout", "-k", str(KILL_AFTER), str(hook.timeout)),
        *("env", f"RECONCILER_HOOK={phase}", *about),
        *("sh", "-c", f"{_BEGIN}{text}"),
    )


def _wrong(hook: Hook, phase: str, outcome: Outcome | None) -> str:
    """Return what went wrong with one command of a hook, empty when nothing did."""
    if outcome is None or outcome.ok:
        return ""
    if outcome.status in _TIMED_OUT:
        came = f"was not done after {hook.timeout} s"
    else:
        came = f"ended with status {outcome.status}"
    last = next(reversed(_lines(outcome)), "")
    return f"hook {hook.name}, {phase}: it {came}" + (f": {last[:LINE_LENGTH]}" if last else "")


def _lines(outcome: Outcome | None) -> list[str]:
    if outcome is None:
        return []
    said = f"{outcome.stdout}\n{outcome.stderr}".splitlines()
    return [line.rstrip() for line in said if line.strip()]


def _failure(message: str) -> Failure:
    return Failure(FailureKind.HOOK, Reaction.RETRY, message)
