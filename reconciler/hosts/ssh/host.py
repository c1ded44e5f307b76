"""A host that is reached by ssh."""

import secrets
import threading

from paramiko.ssh_exception import ChannelException, SSHException

from reconciler.errors import CommandTimeout, NoShell, OutputCut, Unreachable
from reconciler.hosts import shell, transcript
from reconciler.hosts.addresses import HostAddress, Privilege, SshAddress, SshOptions
from reconciler.hosts.cutting import Cut
from reconciler.hosts.following import Listener, listen
from reconciler.hosts.host import LineListener, Pulse, StderrListener
from reconciler.hosts.locking import HostLock
from reconciler.hosts.script import Script, Transcript
from reconciler.hosts.ssh import failures, runner
from reconciler.hosts.ssh.line import Line, Switchboard
from reconciler.hosts.ssh.runner import Fed, NotStarted, Printed
from reconciler.hosts.ssh.source import SshSource
from reconciler.hosts.transcript import LiveStderr
from reconciler.zfs.types import Argv

_CANT_RUN = {1, 126, 127}
"""How a login shell ends that may not or can't run /bin/sh (nologin, a missing file)."""


_PATIENCE = 30.0
"""Seconds to wait for a session for what is followed."""


class SshHost:
    """Runs scripts on a host by ssh, over one connection that all threads share.

    What is followed has one of its own.
    """

    def __init__(
        self,
        address: HostAddress,
        options: SshOptions | None = None,
        lock: HostLock | None = None,
    ) -> None:
        if not isinstance(address.address, SshAddress):
            raise TypeError(f"{address.name} is not reached by ssh")
        self._address = address
        self._lock = lock and lock.at(address.name)
        options = options or SshOptions()
        self._board = Switchboard(address.name, address.address, options)
        # What is followed has a connection of its own: it must not take one of the few sessions
        # that sshd grants on one, and scripts must be able to wear out theirs.
        self._listening = Switchboard(address.name, address.address, options)

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
        """Run a script, see `reconciler.hosts.host.Host`.

        A connection that turns out to be broken before the script was sent is replaced once.
        """
        nonce = secrets.token_hex(16)
        privilege = self._address.privilege
        text = shell.render(script, nonce=nonce, privilege=privilege, lock=self._lock)
        live = None if on_stderr is None else LiveStderr(nonce, on_stderr)
        fed = Fed(text, nonce, live, cut)
        try:
            printed, broke = self._run(fed, timeout)
        except NotStarted:
            try:
                printed, broke = self._run(fed, timeout)
            except NotStarted as error:
                raise Unreachable(self.name, f"no session could be opened: {error}") from error
        try:
            return transcript.read(nonce, printed.stdout, printed.stderr, script, host=self.name)
        except OutputCut as error:
            raise self._why_cut(nonce, printed, error, broke=broke) from error

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
        with self._listening.session(patience=_PATIENCE) as line:
            source = SshSource(self.name, line, with_terminal=privilege is not Privilege.NONE)
            try:
                source.begin(text)
                listen(self.name, source, nonce, Listener(on_line, stop, on_pulse))
            finally:
                source.end()
                self._listening.drop(line)

    def close(self) -> None:
        """Give back the connections. The host can be used again afterwards."""
        self._board.retire()
        self._listening.retire()

    def _run(self, fed: Fed, timeout: float) -> tuple[Printed, bool]:
        """Return what came back and whether the connection broke."""
        with self._board.session(patience=timeout) as line:
            try:
                printed = runner.run(line.connection, fed, timeout)
            except TimeoutError:
                message = f"not done after {timeout:g} s, so it was stopped"
                raise CommandTimeout(self.name, message) from None
            except ChannelException as error:
                raise failures.to_open_session(self.name, error) from error
            except NotStarted:
                self._board.drop(line)
                raise
            except (SSHException, EOFError, OSError) as error:
                self._board.drop(line)
                raise Unreachable(self.name, f"the connection broke: {error}") from error
            line.received += len(printed.stdout) + len(printed.stderr)
            return printed, _broke(line, printed)

    def _why_cut(self, nonce: str, printed: Printed, cut: OutputCut, *, broke: bool) -> Exception:
        if broke:
            return Unreachable(self.name, "the connection broke while a script was running")
        if printed.status in _CANT_RUN and not transcript.started(nonce, printed.stdout):
            said = transcript.last_line(printed.stderr) or transcript.last_line(printed.stdout)
            return NoShell(self.name, f"our account can't run /bin/sh: {said or printed.status}")
        return cut


def _broke(line: Line, printed: Printed) -> bool:
    """Say whether the session ended with the connection, which takes a moment to know of it."""
    if printed.status == -1:
        line.connection.transport.join(0.2)
    return line.is_dead
