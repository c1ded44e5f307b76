"""A script: what is to be run on one host in one execution, as data.

A script is a list of steps, each an argv tuple, perhaps piped into a second one, perhaps under a
condition on an earlier step. `hosts.shell` renders it to one POSIX sh text; the simulated host
interprets it in process. There is nothing in it that needs a shell to be understood.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.zfs.types import Argv


@dataclass(frozen=True, slots=True)
class Succeeded:
    """Holds when the named earlier step was run and ended with status 0."""

    step: str


@dataclass(frozen=True, slots=True)
class Printed:
    """Holds when the named earlier step succeeded and its stdout was exactly `text`.

    This is the guid check in front of every destructive command: both run in one execution on
    the host, so nothing but the host's own commands can come between them.
    """

    step: str
    text: str
    """Without the final newline."""


@dataclass(frozen=True, slots=True)
class Ran:
    """Holds when the named earlier step was run, however it ended."""

    step: str


@dataclass(frozen=True, slots=True)
class Unless:
    """Holds unless the named earlier step was run, succeeded, and its stdout was exactly `text`."""

    step: str
    text: str
    """Without the final newline."""


Condition = Succeeded | Printed | Ran | Unless


@dataclass(frozen=True, slots=True)
class FieldsOf:
    """More arguments for a step: one field of the tab-separated rows an earlier step printed.

    Only rows whose field `positive` is a whole number above zero count. Fields count from 0.
    When no row does, the step is not run and counts as succeeded with no output. The rows count
    whatever the earlier step's status was (`zfs list` ends with 1 when one of several names does
    not exist, after it listed the others); only when it was not run at all, this one isn't either.
    """

    step: str
    take: int
    positive: int


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a script. Its output is a section of the transcript, found by its name."""

    name: str
    argv: Argv
    when: Condition | None = None
    more: FieldsOf | None = None
    stdin: str = ""
    """What the command reads. Not for a step with `more` or `into`."""
    into: Argv | None = None
    """A second command that reads the first one's stdout (a stream: it never passes Python).
    Then the outcome's stdout is what the second printed on stdout *and stderr*, its stderr is the
    first one's, and both statuses are kept."""
    through: tuple[Argv, ...] = ()
    """Programs between the two that change nothing of what arrives. One that fails counts as a
    failure of the first. A simulated host has no need of them."""
    after: tuple[Condition, ...] = ()
    """What else has to hold: what other scripts did that this one goes after (`hosts.joining`)."""
    there: bool = False
    """Whether it runs where streams end, if that is another host (between simulated ones only)."""

    @property
    def unconditional(self) -> bool:
        """Whether it is run whatever became of the others."""
        return self.when is None and self.more is None and not self.after


@dataclass(frozen=True, slots=True)
class Script:
    """Steps to run in order on one host. A failing step does not stop the ones after it."""

    steps: tuple[Step, ...]
    mutates: bool = False
    """Whether it changes something: then no other controller does so on the host meanwhile."""
    finishes: bool = False
    """Whether what was begun has to be ended: then it goes on though nobody listens any more."""
    seconds: int = 0
    """How long its steps may take of their own, beyond what zfs and zpool may."""
    proof: tuple[Condition, ...] = ()
    """What shows on the host that all it was for is done: then what waits for that may follow in
    the same execution. Empty when only we can tell."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one step did."""

    status: int
    """The exit status, of the second command for a step with `into`; -N for signal N."""
    stdout: str
    stderr: str
    first_status: int = 0
    """The exit status of the first command of a step with `into`, else 0."""

    @property
    def ok(self) -> bool:
        """Whether all commands of the step ended with status 0."""
        return self.status == 0 and self.first_status == 0


@dataclass(frozen=True, slots=True)
class Transcript:
    """The outcomes of a script's steps by name. A step that was not run (condition) is absent."""

    outcomes: Mapping[str, Outcome]
    unlocked: str = ""
    """Why other controllers were not kept from the host while it was changed, if so."""

    def get(self, step: str) -> Outcome | None:
        """Return the outcome of a step, None when its condition did not hold."""
        return self.outcomes.get(step)
