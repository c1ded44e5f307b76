"""The exceptions of reconciler, drawn as a tree.

ReconcilerError
├─ SpecError(diagnostics)             all that is wrong with the specs             → exit 1
├─ UsageError                         the command line asks for the impossible     → exit 64
├─ PlanFileError                      a saved plan that can't be read              → exit 1
├─ StatusFileError                    a controller's status that can't be read     → exit 1
├─ PlanStale(details)                 specs or hosts changed since it was saved    → exit 1
├─ LockHeld                           another controller uses the state directory  → exit 11
└─ HostError(host)                    a host could not be asked
   ├─ Unreachable, HostBusy, HostLocked, CommandTimeout, StreamStalled, OutputCut    try again
   ├─ CommandEnded(status, stderr)    what was to go on for ever did not: its stderr says more
   └─ HostKeyRejected, AuthenticationFailed, NoShell          terminal: needs a person

Conflicts, blocked actions and diagnostics are values, not exceptions.
"""


class ReconcilerError(Exception):
    """The base of all errors that a user is shown as a sentence, never as a traceback."""


class UsageError(ReconcilerError):
    """Raised when the command line is understood but asks for something that can't be."""


class PlanFileError(ReconcilerError):
    """Raised when a file given as a saved plan is not one, or is of another format version."""


class StatusFileError(ReconcilerError):
    """Raised when a text given as a controller's status is not one, or is of another format."""


class PlanStale(ReconcilerError):
    """Raised when a saved plan no longer fits the specs or the hosts."""


class LockHeld(ReconcilerError):
    """Raised when another controller works on the same state directory; it says which."""


class HostError(ReconcilerError):
    """A host could not be asked; `transient` says whether trying again makes sense."""

    transient = True

    def __init__(self, host: str, message: str) -> None:
        super().__init__(f"{host}: {message}")
        self.host = host
        self.message = message


class Unreachable(HostError):
    """Raised when no connection could be made, or an open one broke."""


class HostBusy(HostError):
    """Raised when the host refuses one more session or connection."""


class HostLocked(HostError):
    """Raised when another controller is at work on the host; the script was not run."""


class CommandTimeout(HostError):
    """Raised when a script did not end within its time."""


class StreamStalled(HostError):
    """Raised when a stream was ended because nothing had moved at either end for too long."""


class OutputCut(HostError):
    """Raised when a script's output lacks its end marker: what came is not to be trusted."""


class CommandEnded(HostError):
    """Raised when a command that is followed ended by itself."""

    def __init__(self, host: str, message: str, *, status: int | None, stderr: str) -> None:
        super().__init__(host, message)
        self.status = status
        """The exit status; -N for signal N; None for a signal that nobody names."""
        self.stderr = stderr
        """The end of what it said."""


class HostKeyRejected(HostError):
    """Raised when the host's key is unknown or is not the expected one."""

    transient = False


class AuthenticationFailed(HostError):
    """Raised when the host refuses our user or key."""

    transient = False


class NoShell(HostError):
    """Raised when our account on the host can't run /bin/sh, so no script ever will."""

    transient = False
