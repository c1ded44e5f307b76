"""A command that is followed on a host that is reached by ssh."""

import threading
import time
from collections.abc import Callable

from paramiko import Channel, Transport
from paramiko.ssh_exception import ChannelException, SSHException

from reconciler.errors import Unreachable
from reconciler.hosts.following import Heard
from reconciler.hosts.ssh import failures
from reconciler.hosts.ssh.line import Line
from reconciler.hosts.ssh.runner import open_shell
from reconciler.hosts.transcript import exit_status

_CHUNK = 1 << 16
_SILENCE = 20.0
"""Seconds without a word after which the other end is asked for a sign of life."""
_PATIENCE = 20.0
"""Seconds that it may take to give one."""
_FAREWELL = 2.0
"""Seconds that the server may take to tell the exit status."""


class SshSource:
    """One session whose shell became the command.

    What sudo or doas made root's takes no signal of ours: `with_terminal` gives the session a
    terminal, and the host's kernel hangs up on all that belong to it when the session ends. A
    server that grants no terminal gets the command without one; then what is root's stays until it
    has something to print.
    """

    def __init__(self, host: str, line: Line, *, with_terminal: bool) -> None:
        self._host = host
        self._line = line
        self.is_on_terminal = False
        self._with_terminal = with_terminal
        self._channel: Channel | None = None
        self._life = Life(line.connection.transport)

    def begin(self, text: str) -> None:
        """Open the session and feed the text. Raises HostError."""
        try:
            self._channel = self._open()
            self._channel.sendall(text.encode())
        except ChannelException as error:
            raise failures.to_open_session(self._host, error) from error
        except (SSHException, EOFError, OSError) as error:
            raise Unreachable(self._host, f"no session could be opened: {error}") from error

    def wait(self, seconds: float) -> Heard:
        """Return what has come, see `reconciler.hosts.following.Source`."""
        channel, out, over = self._open_channel, b"", False
        channel.settimeout(seconds)
        try:
            out = channel.recv(_CHUNK)
            over = not out
        except TimeoutError:
            pass
        err = channel.recv_stderr(_CHUNK) if channel.recv_stderr_ready() else b""
        self._line.received += len(out) + len(err)
        if out or err:
            self._life.seen()
        if over and self._has_broken():
            raise Unreachable(self._host, "the connection broke")
        if self._line.is_worn_out:
            raise Unreachable(self._host, "the connection has carried much and is to be replaced")
        if not over and self._life.is_over():
            waited = _SILENCE + _PATIENCE
            raise Unreachable(self._host, f"it has given no sign of life for {waited:g} s")
        return Heard(out, err, over)

    def status(self) -> int | None:
        """Return the exit status, see `reconciler.hosts.following.Source`."""
        self._open_channel.status_event.wait(_FAREWELL)
        # paramiko does not tell which signal it was.
        status = self._open_channel.exit_status
        return exit_status(status) if status >= 0 else None

    def end(self) -> None:
        """Close the session: the lifeline, or the terminal, ends what runs."""
        if self._channel is not None:
            self._channel.close()

    def _open(self) -> Channel:
        transport = self._line.connection.transport
        if self._with_terminal:
            try:
                channel = open_shell(transport, on_terminal=True)
            except ChannelException:
                raise
            except SSHException:
                # PermitTTY no, or a key with no-pty.
                if not transport.is_active():
                    raise
            else:
                self.is_on_terminal = True
                return channel
        return open_shell(transport)

    @property
    def _open_channel(self) -> Channel:
        assert self._channel is not None  # noqa: S101 - for the types: begin comes first
        return self._channel

    def _has_broken(self) -> bool:
        """Say whether the session ended with the connection, which takes a moment to know of it."""
        if not self._open_channel.status_event.wait(_FAREWELL):
            self._line.connection.transport.join(0.2)
        return self._line.is_dead


class Life:
    """Whether the other end of a connection still lives.

    That TCP takes our packets says little: the kernel, or a virtual machine's monitor, takes them
    for a host that has stopped. Only sshd itself answers a request.
    """

    def __init__(self, transport: Transport, clock: Callable[[], float] = time.monotonic) -> None:
        self._transport = transport
        self._clock = clock
        self._seen = clock()
        self._asked: float | None = None
        self._answer = threading.Event()

    def seen(self) -> None:
        """Take note of a sign of life."""
        self._seen, self._asked = self._clock(), None

    def is_over(self) -> bool:
        """Say whether a sign of life is overdue; ask for one when it is time to."""
        now = self._clock()
        if self._asked is None:
            if now - self._seen > _SILENCE:
                self._ask(now)
            return False
        if self._answer.is_set():
            self.seen()
            return False
        return now - self._asked > _PATIENCE

    def _ask(self, now: float) -> None:
        self._asked, self._answer = now, threading.Event()
        # paramiko waits for the answer for as long as the connection is open, so not here.
        threading.Thread(
            target=_await_answer, args=(self._transport, self._answer), daemon=True
        ).start()


def _await_answer(transport: Transport, answer: threading.Event) -> None:
    # OpenSSH's own name for it. Any answer will do, and no server knows none.
    transport.global_request("keepalive@openssh.com", wait=True)
    answer.set()
