"""Host keys are verified, always: an unknown or another key ends the connection."""

import shlex
import socket
from contextlib import suppress
from dataclasses import dataclass

import paramiko

from reconciler.errors import HostKeyRejected
from reconciler.hosts import known_hosts
from reconciler.hosts.known_hosts import HostKey, Known
from reconciler.hosts.ssh_config import SshSettings

_SECONDS_UNHEARD = 30
"""How long sent data may stay without an acknowledgement before the connection is given up."""


@dataclass(frozen=True)
class Trust(paramiko.MissingHostKeyPolicy):
    """Judges the key of one host. Fabric would accept any (fabric#2071)."""

    host: str
    settings: SshSettings
    pinned: HostKey | None
    known: Known

    def missing_host_key(
        self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey
    ) -> None:
        """Raise `HostKeyRejected` unless the key is the expected one."""
        del client, hostname
        shown = HostKey(key.get_name(), key.get_base64())
        if shown in self.known.revoked:
            revoked = f"is revoked in {self.known.revoked[shown]}"
            raise HostKeyRejected(self.host, self._sentence(shown, revoked))
        if self.pinned is not None:
            self._judge_pinned(shown, self.pinned)
        elif shown not in self.known.keys:
            problem = self._changed() if self.known.keys else self._unknown()
            raise HostKeyRejected(self.host, self._sentence(shown, problem))

    def transport(
        self, sock: socket.socket, disabled_algorithms: object = None
    ) -> paramiko.Transport:
        """Make the connection's transport: it asks for a key of a kind that is known."""
        del disabled_algorithms
        _give_up_when_unheard(sock)
        transport = paramiko.Transport(sock)
        offers = transport.get_security_options()
        kinds = {kind for key in self._expected() for kind in _algorithms(key.kind)}
        # Sorting is stable: within known and unknown kinds paramiko's order stays.
        offers.key_types = tuple(sorted(offers.key_types, key=lambda kind: kind not in kinds))
        return transport

    def _expected(self) -> tuple[HostKey, ...]:
        return tuple(self.known.keys) if self.pinned is None else (self.pinned,)

    def _judge_pinned(self, shown: HostKey, pinned: HostKey) -> None:
        if shown != pinned:
            wanted = f"is not the pinned one ({pinned.kind} {pinned.fingerprint}): if the host was"
            wanted += " really set up anew, change hostKey in its spec"
            raise HostKeyRejected(self.host, self._sentence(shown, wanted))

    def _sentence(self, shown: HostKey, problem: str) -> str:
        return f"the host key of {self._name} ({shown.kind} {shown.fingerprint}) {problem}"

    @property
    def _name(self) -> str:
        return self.settings.host_key_names[0]

    def _changed(self) -> str:
        place = next(iter(self.known.keys.values()))
        remove = shlex.join(["ssh-keygen", "-R", self._name, "-f", str(place.file)])
        return (
            f"is not the one in {place}: if the host was really set up anew, remove the old key"
            f" with `{remove}` and add the new one; else someone is in between"
        )

    def _unknown(self) -> str:
        files = [str(file) for file in self.settings.known_hosts]
        scan = shlex.join(["ssh-keyscan", "-p", str(self.settings.port), self.settings.hostname])
        add = f"{scan} >> {shlex.quote(files[0])}" if files else scan
        return (
            f"is in none of {', '.join(files) or 'no file'}: compare it with what `ssh-keygen -lf`"
            f" says on the host about its key in /etc/ssh, then add it with `{add}`"
        )


def trust(host: str, settings: SshSettings, pinned: str | None) -> Trust:
    """Return the judge of a host's key: the pinned one, or what its known_hosts files hold."""
    known = known_hosts.look_up(settings.known_hosts, settings.host_key_names)
    try:
        key = None if pinned is None else known_hosts.parse_key(pinned)
    except ValueError as error:
        raise HostKeyRejected(host, f"the pinned host key is {error}") from error
    return Trust(host, settings, key, known)


def _algorithms(kind: str) -> tuple[str, ...]:
    """Return the signature algorithms of a kind of key."""
    return ("rsa-sha2-512", "rsa-sha2-256") if kind == "ssh-rsa" else (kind,)


def _give_up_when_unheard(sock: socket.socket) -> None:
    """Let the kernel notice a silent peer; paramiko never does. A channel of a jump can't."""
    if isinstance(sock, socket.socket):
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                sock.setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SECONDS_UNHEARD * 1000
                )
