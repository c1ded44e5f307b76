"""One script over one Fabric connection: text on stdin, output collected in linear time.

Invoke's own collecting joins the whole buffer for every 1000 bytes (invoke#1079) and mirrors
stdin a byte at a time (invoke#774); Fabric reopens a broken connection by itself, from whichever
thread comes first (fabric#2010). None of that is used here.
"""

import codecs
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from fabric import Connection
from fabric.runners import Remote
from invoke.exceptions import CommandTimedOut
from invoke.runners import Runner
from paramiko import Channel, Transport
from paramiko.ssh_exception import ChannelException, SSHException

from reconciler.hosts.cutting import Cut
from reconciler.hosts.transcript import DECODING_ERRORS, ENCODING, EndMark, LiveStderr

COMMAND = "exec /bin/sh"
"""Understood alike by sh, bash, dash, fish and csh: the login shell gives way to ours."""

COMMAND_ON_TERMINAL = f"stty raw -echo; {COMMAND}"
"""The same, on a terminal that passes on what it gets as it is."""

CHANNEL_TIMEOUT = 15.0
"""Seconds that the server may take to open a session and to start the shell."""


_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 5.0)
"""Seconds to wait before asking again for a session that was not granted."""


_REFUSED = 2  # SSH_OPEN_CONNECT_FAILED, which is what sshd says


class NotStarted(Exception):
    """Raised when a script was certainly not run: trying again on a new connection is safe."""


class Printed(NamedTuple):
    """What came back. `status` is -1 when the server didn't say."""

    stdout: str
    stderr: str
    status: int


class Fed(NamedTuple):
    """What is run: a rendered script, who hears its stderr, and what can end it."""

    text: str
    nonce: str
    live: LiveStderr | None
    cut: Cut | None = None


def run(connection: Connection, fed: Fed, timeout: float) -> Printed:
    """Run a script's text in one session.

    Raises TimeoutError when it was not done in time (the session is closed then, which ends what
    runs), ChannelException when the server refuses the session, else `NotStarted`.
    """
    runner = _ScriptRunner(connection, fed)
    try:
        result = runner.run(
            COMMAND, timeout=timeout, in_stream=False, hide=True, warn=True, pty=False, env={}
        )
    except CommandTimedOut as error:
        raise TimeoutError from error
    except ChannelException:
        raise
    except (SSHException, EOFError, OSError) as error:
        if runner.was_fed:
            raise
        raise NotStarted(str(error)) from error
    return Printed(result.stdout, result.stderr, result.exited)


def open_shell(transport: Transport, *, on_terminal: bool = False) -> Channel:
    """Open a session and start our shell in it, with a terminal of its own if that is wanted."""
    channel = _open_session(transport)
    # paramiko waits for the answers to these requests for ever.
    guard = threading.Timer(CHANNEL_TIMEOUT, channel.close)
    guard.start()
    try:
        if on_terminal:
            channel.get_pty(term="dumb")
        channel.exec_command(COMMAND_ON_TERMINAL if on_terminal else COMMAND)
    except BaseException:
        channel.close()
        raise
    finally:
        guard.cancel()
    return channel


def _open_session(transport: Transport) -> Channel:
    """Open a session, with patience: sshd counts one that we have left for 0.1 s and longer."""
    pauses = iter(_PAUSES)
    while True:
        try:
            return transport.open_session(timeout=CHANNEL_TIMEOUT)
        except SSHException as error:
            # When two are refused at once, paramiko tells only one of the threads the reason.
            refused = isinstance(error, ChannelException) or "Unable to open" in str(error)
            if not refused or not transport.is_active():
                raise
            pause = next(pauses, None)
            if pause is None:
                raise ChannelException(_REFUSED, "too many sessions") from error
            time.sleep(pause)


def _read_or_end(read: Callable[[int], bytes], size: int) -> bytes:
    """Read; a connection that breaks is an end like any other, as the end mark will be missing."""
    try:
        return read(size)
    except (SSHException, EOFError, OSError):
        return b""


class _ScriptRunner(Remote):  # type: ignore[misc] # Fabric has no types
    read_chunk_size = 1 << 17

    def __init__(self, connection: Connection, fed: Fed) -> None:
        super().__init__(connection)
        self.was_fed = False
        self._out_of_time = False
        self._fed = fed
        self._streams_done = 0

    def start(self, command: str, shell: object, env: object, timeout: object = None) -> None:
        """Open a session on the connection as it is and start the shell."""
        del command, shell, env, timeout
        self.channel = open_shell(self.context.transport)
        if self._fed.cut is not None:
            self._fed.cut.ends(self.channel.close)

    def wait(self) -> None:
        """Feed the text, leave stdin open (the lifeline) and wait for the end."""
        if not self.was_fed:
            self.was_fed = True
            try:
                self.channel.sendall(self._fed.text.encode())
            except OSError:
                return  # Closed: what was printed, if anything, lacks its end mark.
        for thread in self.threads.values():
            thread.join()

    def handle_stdout(self, buffer_: list[str], hide: object, output: object) -> None:
        """Collect stdout until its end."""
        del hide, output
        self._collect(self.channel.recv, buffer_, None)

    def handle_stderr(self, buffer_: list[str], hide: object, output: object) -> None:
        """Collect stderr until its end, and let it be heard."""
        del hide, output
        self._collect(self.channel.recv_stderr, buffer_, self._fed.live)

    def _collect(
        self, read: Callable[[int], bytes], buffer_: list[str], live: LiveStderr | None
    ) -> None:
        decoder: Any = codecs.getincrementaldecoder(ENCODING)(DECODING_ERRORS)
        end = EndMark(self._fed.nonce)
        while chunk := _read_or_end(read, self.read_chunk_size):
            buffer_.append(decoder.decode(chunk))
            if live is not None:
                live.feed(chunk)
            if end.ends_with(chunk):
                self._streams_done += 1
                break
        buffer_.append(decoder.decode(b"", final=True))

    def returncode(self) -> int:
        """Return the shell's status; after both end marks there is no need to wait for it."""
        return 0 if self._streams_done == 2 else super().returncode()

    def kill(self) -> None:
        """Close the session because its time is up; the lifeline ends what runs."""
        self._out_of_time = True
        self.channel.close()

    @property
    def timed_out(self) -> bool:
        """Whether the time was up. Invoke's own answer comes from a thread that may still run."""
        return self._out_of_time

    def stop(self) -> None:
        """Close the session; unlike Fabric's own, leave the process's signals alone."""
        Runner.stop(self)
        if hasattr(self, "channel"):
            self.channel.close()
