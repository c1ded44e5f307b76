"""A command that is followed on the controller's own machine."""

import os
import pty
import selectors
import shlex
import signal
import subprocess
import tty
from contextlib import suppress
from typing import IO

from reconciler.errors import NoShell
from reconciler.hosts.following import Heard

_CHUNK = 1 << 16
_GRACE = 7.0
"""Seconds to end in: the lifeline's watcher sends TERM, 5 s later KILL."""


class LocalSource:
    """One `/bin/sh` that became the command.

    What sudo made root's takes no signal of ours. `with_terminal` gives the session a terminal
    that only this process keeps open: when that closes, the kernel itself hangs up on whoever
    belongs to the session.
    """

    def __init__(self, host: str, text: str, *, with_terminal: bool) -> None:
        self.is_on_terminal = False  # Its stdin only.
        self._terminal: int | None = None
        if with_terminal:
            text = self._on_terminal(text)
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                ["/bin/sh"], stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
            )
        except OSError as error:
            self._hang_up()
            raise NoShell(host, f"/bin/sh can't be run: {error.strerror}") from error
        self._selector = selectors.DefaultSelector()
        for stream in (self._process.stdout, self._process.stderr):
            self._selector.register(_present(stream), selectors.EVENT_READ)
        with suppress(BrokenPipeError):
            _present(self._process.stdin).write(text.encode())
            _present(self._process.stdin).flush()

    def wait(self, seconds: float) -> Heard:
        """Return what has come, see `reconciler.hosts.following.Source`."""
        said = {self._process.stdout: b"", self._process.stderr: b""}
        for key, _ in self._selector.select(seconds):
            chunk = os.read(key.fd, _CHUNK)
            said[key.fileobj] = chunk  # type: ignore[index] # one of the two
            if not chunk:
                self._selector.unregister(key.fileobj)
        over = not self._selector.get_map()
        return Heard(said[self._process.stdout], said[self._process.stderr], over)

    def status(self) -> int | None:
        """Return the exit status, see `reconciler.hosts.following.Source`."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        return self._process.returncode

    def end(self) -> None:
        """Make sure that nothing of the command runs on."""
        with suppress(BrokenPipeError):
            _present(self._process.stdin).close()
        self._hang_up()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self._selector.close()
        for stream in (self._process.stdout, self._process.stderr):
            _present(stream).close()

    def _on_terminal(self, text: str) -> str:
        """Open a terminal; the text begins with a line that makes it the session's."""
        self._terminal, its_side = pty.openpty()
        tty.setraw(its_side)
        name = shlex.quote(os.ttyname(its_side))
        os.close(its_side)
        # A session's first process that opens a terminal gets it as its controlling one.
        return text.replace("{\n", f"{{\nexec 4<{name}\n", 1)

    def _hang_up(self) -> None:
        if self._terminal is not None:
            os.close(self._terminal)
            self._terminal = None


def _present(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101 - for the types: all three streams are pipes
    return stream
