"""Processes by pid and start time: a pid alone may by now belong to somebody else."""

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
    def of(cls, pid: int) -> Self:
        """Describe a process that runs now (or was just started and is gone already)."""
        return cls(pid, _started(pid) or 0, _boot())

    def is_running(self) -> bool:
        """Tell whether this very process still runs."""
        return self.boot == _boot() and _started(self.pid) == self.started

    def kill(self, timeout: float = 10) -> None:
        """End the process if it still runs, and wait until it has."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            # Asked after the handle is open: from here on the pid cannot change its owner.
            if self.is_running():
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                select.select([handle], [], [], timeout)
        finally:
            os.close(handle)


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
