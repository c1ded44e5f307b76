"""Boot hosts together: start each QEMU, watch the consoles, start a host anew if it fails.

An emulated kernel sometimes dies during boot. PID 1's failure is a panic, a panic ends QEMU, and
QEMU's end is seen here; so is a host that stays silent.
"""

import time
from collections.abc import Callable, Collection
from pathlib import Path

from .commands import say
from .errors import LabError
from .plan import Host
from .processes import Process

ATTEMPTS = 3
ATTEMPT_TIMEOUT = 240
_READY = b"LAB-READY"


class Booting:
    """One host on its way up: its present QEMU and how many there have been."""

    def __init__(self, host: Host, spawn: Callable[[Host], Process]) -> None:
        self.host = host
        self._spawn = spawn
        self.attempts = 0
        self._start()

    def is_ready(self) -> bool:
        """Tell whether the host said that its sshd runs; start it anew if it failed."""
        if _READY in _read(self.host.console):
            return True
        if not self._process.is_running():
            self._again("its kernel panicked, or QEMU did not start")
        elif time.monotonic() > self._deadline:
            self._again(f"no sign of life after {ATTEMPT_TIMEOUT} s")
        return False

    def _start(self) -> None:
        self.attempts += 1
        self._deadline = time.monotonic() + ATTEMPT_TIMEOUT
        self.host.console.unlink(missing_ok=True)
        self._process = self._spawn(self.host)

    def _again(self, reason: str) -> None:
        self._process.kill()
        story = f"{self.host.name}: attempt {self.attempts} to boot failed: {reason}"
        if self.attempts == ATTEMPTS:
            raise LabError(f"{story}\n{last_words(self.host)}")
        say(f"{story}; trying again\n{last_words(self.host, lines=6)}")
        self._start()


def wait_for(hosts: Collection[Booting]) -> None:
    """Wait until every host is ready, or raise LabError with what the failing one said last."""
    waiting = list(hosts)
    while waiting:
        waiting = [host for host in waiting if not host.is_ready()]
        time.sleep(0.1)


def last_words(host: Host, lines: int = 25) -> str:
    """Return the end of the host's console, and what QEMU itself complained about."""
    complaints = _read(host.qemu_log).decode(errors="replace").splitlines()[-3:]
    console = _read(host.console).decode(errors="replace").splitlines()[-lines:]
    return "\n".join(f"    {line}" for line in (*complaints, *console))


def _read(file: Path) -> bytes:
    return file.read_bytes() if file.exists() else b""
