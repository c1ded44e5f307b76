"""The controller's own machine as a host: scripts run by `/bin/sh` in a session of their own."""

import os
import secrets
import signal
import subprocess
import threading
import time
from contextlib import suppress
from typing import IO

from reconciler.errors import CommandTimeout, NoShell
from reconciler.hosts import shell
from reconciler.hosts.addresses import HostAddress, Privilege
from reconciler.hosts.cutting import Cut
from reconciler.hosts.following import Listener, listen
from reconciler.hosts.host import LineListener, Pulse, StderrListener
from reconciler.hosts.local_source import LocalSource
from reconciler.hosts.locking import HostLock
from reconciler.hosts.script import Script, Transcript
from reconciler.hosts.transcript import DECODING_ERRORS, ENCODING, EndMark, LiveStderr
from reconciler.zfs.types import Argv

_CHUNK = 1 << 17
_GRACE = 7.0
"""Seconds to end in: the lifeline's watcher sends TERM, 5 s later KILL."""


class LocalHost:
    """Runs scripts on this machine. When the controller dies, what it runs is ended too."""

    def __init__(self, address: HostAddress, lock: HostLock | None = None) -> None:
        self._address = address
        self._host_lock = lock and lock.at(address.name)
        self._running: set[_Execution] = set()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The host's name in the specs."""
        return self._address.name

    def run(
        self,
        script: Script,
        *,
        timeout: float,
        on_stderr: StderrListener | None = None,
        cut: Cut | None = None,
    ) -> Transcript:
        """Run a script, see `reconciler.hosts.host.Host`."""
        nonce = secrets.token_hex(16)
        privilege = self._address.privilege
        text = shell.render(script, nonce=nonce, privilege=privilege, lock=self._host_lock)
        live = None if on_stderr is None else LiveStderr(nonce, on_stderr)
        execution = _Execution(self.name, nonce, live, finishes=script.finishes)
        with self._lock:
            self._running.add(execution)
        try:
            execution.feed(text)
            if cut is not None:
                cut.ends(execution.cut)
            if not execution.is_over(within=timeout):
                raise CommandTimeout(self.name, f"not done after {timeout:g} s, so it was stopped")
        finally:
            execution.end()
            with self._lock:
                self._running.discard(execution)
        return shell.read(nonce, *execution.output(), script, host=self.name)

    def follow(
        self,
        argv: Argv,
        on_line: LineListener,
        stop: threading.Event,
        *,
        on_pulse: Pulse | None = None,
    ) -> None:
        """Run a command that goes on for ever, see `reconciler.hosts.host.Host`."""
        nonce = secrets.token_hex(16)
        privilege = self._address.privilege
        text = shell.render_followed(argv, nonce=nonce, privilege=privilege)
        source = LocalSource(self.name, text, with_terminal=privilege is not Privilege.NONE)
        try:
            listen(self.name, source, nonce, Listener(on_line, stop, on_pulse))
        finally:
            source.end()

    def close(self) -> None:
        """Cut what runs: there is no connection, but there are lifelines."""
        with self._lock:
            running = list(self._running)
        for execution in running:
            execution.cut()


class _Execution:
    """One `/bin/sh` and the two threads that read what it prints."""

    def __init__(self, host: str, nonce: str, live: LiveStderr | None, *, finishes: bool) -> None:
        self._finishes = finishes
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                ["/bin/sh"], stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
            )
        except OSError as error:
            raise NoShell(host, f"/bin/sh can't be run: {error.strerror}") from error
        out, err = self._process.stdout, self._process.stderr
        self._readers = _Reader(_present(out), nonce), _Reader(_present(err), nonce, live)
        for reader in self._readers:
            reader.start()

    def feed(self, text: str) -> None:
        """Send the text; stdin stays open as the lifeline."""
        stdin = _present(self._process.stdin)
        with suppress(BrokenPipeError):
            stdin.write(text.encode())
            stdin.flush()

    def is_over(self, *, within: float) -> bool:
        """Wait until all is said on both streams and the shell has ended."""
        deadline = time.monotonic() + within
        for reader in self._readers:
            if not reader.over.wait(max(0.0, deadline - time.monotonic())):
                return False
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.1, deadline - time.monotonic()))
        return self._process.returncode is not None

    def cut(self) -> None:
        """End the lifeline, and the script with it if it still runs."""
        self._end_lifeline()
        # An ssh that shared a connection has lent what it writes to its master, which keeps that
        # for as long as the command on the host takes to end.
        timer = threading.Timer(_GRACE, self._listen_no_longer)
        timer.daemon = True
        timer.start()

    def end(self) -> None:
        """Make sure that nothing of the script runs on that may not. What is root's by sudo may."""
        self._end_lifeline()
        if self._finishes:
            return
        if not self.is_over(within=_GRACE):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self.is_over(within=1.0)

    def _end_lifeline(self) -> None:
        with suppress(BrokenPipeError):
            _present(self._process.stdin).close()

    def _listen_no_longer(self) -> None:
        for reader in self._readers:
            reader.over.set()

    def output(self) -> tuple[str, str]:
        """Return stdout and stderr."""
        out, err = self._readers
        return out.text(), err.text()


class _Reader(threading.Thread):
    """Collects one stream of the shell until its end, and owns it."""

    def __init__(self, stream: IO[bytes], nonce: str, live: LiveStderr | None = None) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._end = EndMark(nonce)
        self._live = live
        self._chunks: list[bytes] = []
        self.over = threading.Event()

    def run(self) -> None:
        try:
            self._read()
        finally:
            self.over.set()

    def _read(self) -> None:
        with self._stream:
            while chunk := os.read(self._stream.fileno(), _CHUNK):
                self._chunks.append(chunk)
                if self._live is not None:
                    self._live.feed(chunk)
                if self._end.ends_with(chunk):
                    return

    def text(self) -> str:
        return b"".join(self._chunks).decode(ENCODING, DECODING_ERRORS)


def _present(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101 - for the types: all three streams are pipes
    return stream
