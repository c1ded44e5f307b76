"""A host that is reached by ssh."""

import secrets

from paramiko.ssh_exception import ChannelException, SSHException

from reconciler.errors import CommandTimeout, NoShell, OutputCut, Unreachable
from reconciler.hosts import shell, transcript
from reconciler.hosts.addresses import HostAddress, SshAddress, SshOptions
from reconciler.hosts.host import StderrListener
from reconciler.hosts.script import Script, Transcript
from reconciler.hosts.ssh import failures, runner
from reconciler.hosts.ssh.line import Line, Switchboard
from reconciler.hosts.ssh.runner import Fed, NotStarted, Printed
from reconciler.hosts.transcript import LiveStderr

_CANT_RUN = {1, 126, 127}
"""How a login shell ends that may not or can't run /bin/sh (nologin, a missing file)."""


class SshHost:
    """Runs scripts on a host by ssh, over one connection that all threads share."""

    def __init__(self, address: HostAddress, options: SshOptions | None = None) -> None:
        if not isinstance(address.address, SshAddress):
            raise TypeError(f"{address.name} is not reached by ssh")
        self._address = address
        self._board = Switchboard(address.name, address.address, options or SshOptions())

    @property
    def name(self) -> str:
        """The host's name in the specs."""
        return self._address.name

    def run(
        self, script: Script, *, timeout: float, on_stderr: StderrListener | None = None
    ) -> Transcript:
        """Run a script, see `reconciler.hosts.host.Host`.

        A connection that turns out to be broken before the script was sent is replaced once.
        """
        nonce = secrets.token_hex(16)
        text = shell.render(script, nonce=nonce, privilege=self._address.privilege)
        live = None if on_stderr is None else LiveStderr(nonce, on_stderr)
        fed = Fed(text, nonce, live)
        try:
            printed, broke = self._run(fed, timeout)
        except NotStarted:
            try:
                printed, broke = self._run(fed, timeout)
            except NotStarted as error:
                raise Unreachable(self.name, f"no session could be opened: {error}") from error
        try:
            return transcript.read(nonce, printed.stdout, printed.stderr, script, host=self.name)
        except OutputCut as cut:
            raise self._why_cut(nonce, printed, cut, broke=broke) from cut

    def close(self) -> None:
        """Give back the connection. The host can be used again afterwards."""
        self._board.retire()

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
