"""Processes by pid and start time: a pid alone may by now belong to somebody else."""

import contextlib
import os
import select
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Process:
    """A process of this boot of the machine."""

    pid: int
    started: int  # clock ticks after the machine's boot
    boot: str

    @classmethod
    def start(cls, argv: list[str], log: Path) -> Self:
        """Start a program in a session of its own, deaf, and talking to the log."""
        appending = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        files = (
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), appending, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        )
        pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=files, setsid=True)
        return cls(pid, _started(pid) or 0, _boot())

    def is_running(self) -> bool:
        """Tell whether this very process still runs."""
        return self.boot == _boot() and _started(self.pid) == self.started

    def kill(self, timeout: float = 10) -> None:
        """End the process if it still runs, and wait until it has."""
        with contextlib.suppress(ProcessLookupError):
            handle = os.pidfd_open(self.pid)
            try:
                # Asked after the handle is open: from here on the pid cannot change its owner.
                if self.is_running():
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
                    select.select([handle], [], [], timeout)
            finally:
                os.close(handle)
        with contextlib.suppress(ChildProcessError):  # somebody else's child: theirs to reap
            os.waitpid(self.pid, os.WNOHANG)


def _started(pid: int) -> int | None:
    """Return when the process started, or None if it is gone or only waits to be reaped."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in parentheses, may hold anything; state is the first field after it.
    state, *rest = text.rpartition(")")[2].split()
    return None if state in "ZX" else int(rest[18])


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
