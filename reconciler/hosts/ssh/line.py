"""The one connection of a host that its threads share, opened once and replaced when it is worn."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fabric import Connection

from reconciler.errors import HostBusy, HostError
from reconciler.hosts.addresses import SshAddress, SshOptions
from reconciler.hosts.ssh.connection import close, open_connection
from reconciler.hosts.ssh.idle import IDLE

_SESSIONS = 8
"""At once on one connection; sshd's MaxSessions is 10 where nobody changed it."""
_WORN_BYTES = 256 << 20
_WORN_SECONDS = 3600.0
"""paramiko can hang when it renews its keys, at 512 MiB (paramiko#822): never get there."""


@dataclass(eq=False)
class Line:
    """An open connection and those to its jump hosts."""

    connections: tuple[Connection, ...]
    opened: float = field(default_factory=time.monotonic)
    sessions: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(_SESSIONS)
    )
    users: int = 0
    received: int = 0
    retired: bool = False

    @property
    def connection(self) -> Connection:
        """The connection to the host itself."""
        return self.connections[-1]

    @property
    def is_dead(self) -> bool:
        """Whether it is known to be broken."""
        return not all(connection.is_connected for connection in self.connections)

    @property
    def is_worn(self) -> bool:
        """Whether it should be replaced."""
        age = time.monotonic() - self.opened
        return self.is_dead or self.is_worn_out or age > _WORN_SECONDS

    @property
    def is_worn_out(self) -> bool:
        """Whether so much came over it that it must not be used any more."""
        return self.received > _WORN_BYTES


class Switchboard:
    """Gives threads a session each on the host's line."""

    def __init__(self, host: str, address: SshAddress, options: SshOptions) -> None:
        self._host = host
        self._address = address
        self._options = options
        self._lock = threading.Lock()
        self._line: Line | None = None
        self._failures = 0
        self._failure: HostError | None = None

    @contextmanager
    def session(self, patience: float) -> Iterator[Line]:
        """Lend the line for one session, opened if it has to be. Raises HostError."""
        line = self._take()
        try:
            if not line.sessions.acquire(timeout=patience):
                raise HostBusy(self._host, f"all sessions were taken for {patience:g} s")
            try:
                yield line
            finally:
                line.sessions.release()
        finally:
            self._give_back(line)

    def retire(self) -> None:
        """Close the line as soon as nobody uses it; the next session gets a new one."""
        IDLE.take(self)
        with self._lock:
            self._retire()

    def drop(self, line: Line) -> None:
        """Retire a line that proved to be broken, unless that was done already."""
        with self._lock:
            if self._line is line:
                self._retire()

    def _take(self) -> Line:
        failures = self._failures
        with self._lock:
            if self._line is not None and self._line.is_worn:
                self._retire()
            if self._line is None:
                self._line = self._open(failures)
            self._line.users += 1
            line = self._line
        IDLE.take(self)
        return line

    def _open(self, failures: int) -> Line:
        # Who waited for the lock while another thread failed shares that failure: else a dead
        # host would cost each thread its own timeout, one after the other.
        if self._failure is not None and failures != self._failures:
            raise type(self._failure)(self._failure.host, self._failure.message)
        try:
            return Line(self._connect())
        except HostError as error:
            self._failures += 1
            self._failure = error
            raise

    def _connect(self) -> tuple[Connection, ...]:
        try:
            return open_connection(self._host, self._address, self._options)
        except HostBusy:
            # sshd hangs up at random when many knock at once (MaxStartups): once more, not at once.
            time.sleep(random.uniform(0.2, 1.0))  # noqa: S311 - no secret
            return open_connection(self._host, self._address, self._options)

    def _retire(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.retired = True
            if line.users == 0:
                close(line.connections)

    def _give_back(self, line: Line) -> None:
        with self._lock:
            line.users -= 1
            if line.retired and line.users == 0:
                close(line.connections)
            is_idle = line.users == 0 and not line.retired
        if is_idle:
            IDLE.put(self)
