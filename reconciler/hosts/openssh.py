"""The OpenSSH processes by which streams enter hosts. Pure functions.

They verify host keys, never ask, and lend a host nothing. A stream's ssh has a connection of its
own, or goes over that of a master (see `hosts.masters`): a second ssh, made with the same options,
which verifies the same.
"""

import re
from pathlib import Path

from reconciler.hosts.addresses import SshAddress, SshOptions
from reconciler.hosts.known_hosts import parse_key
from reconciler.hosts.ssh_config import destination
from reconciler.zfs.types import Argv

LONGEST_PATH = 86
"""Bytes of a socket's path. A unix socket's name has 104 with its NUL (BSD; Linux has 108), and the
master first makes one whose name is 17 longer."""

_PLAIN_PATH = re.compile(r"/[A-Za-z0-9_./-]+")

# A peer that says nothing for a minute ends the stream; compressing compressed blocks only costs
# time.
_SSH: Argv = (
    *("ssh", "-T", "-a", "-x", "-e", "none"),
    *("-o", "BatchMode=yes"),
    *("-o", "StrictHostKeyChecking=yes"),
    *("-o", "UpdateHostKeys=no"),
    *("-o", "ConnectTimeout=15"),
    *("-o", "ServerAliveInterval=15"),
    *("-o", "ServerAliveCountMax=4"),
    *("-o", "ClearAllForwardings=yes"),
    *("-o", "Compression=no"),
    *("-o", "LogLevel=ERROR"),
)

# Whatever ssh_config says: a connection shared with a master that nobody ended with us would
# outlive the stream, and who opened it verified what it liked.
_ALONE: Argv = ("-o", "ControlMaster=no", "-o", "ControlPath=none")

# What an ssh says that finds its master dead, gone in the middle of a word, or without a session
# left; then it opens a connection of its own, which fails or not by itself.
_REMARKS = re.compile(
    r"^(?:mux_client_\w+: |muxclient: |Control socket connect\().*\r?\n?", re.MULTILINE
)


def entering(address: SshAddress, options: SshOptions, master: Path | None = None) -> Argv:
    """Return the ssh that runs a command on a host, all but the command.

    With a master's socket it goes over that connection while there is one, else over its own.
    """
    shared = _ALONE if master is None else ("-o", "ControlMaster=no", "-o", f"ControlPath={master}")
    return (*_SSH, *shared, *_where(address, options))


def mastering(address: SshAddress, options: SshOptions, socket: Path) -> Argv:
    """Return the ssh that runs nothing and shares its connection through a socket, till it ends."""
    shared = ("-N", "-o", "ControlMaster=yes", "-o", "ControlPersist=no")
    return (*_SSH, *shared, "-o", f"ControlPath={socket}", *_where(address, options))


def can_be_socket(path: Path) -> bool:
    """Tell whether ssh can make a socket there: ControlPath expands %, ~ and ${} itself.

    A path that is too long would fail the ssh, not only the sharing.
    """
    return len(str(path)) <= LONGEST_PATH and _PLAIN_PATH.fullmatch(str(path)) is not None


def without_remarks(said: str) -> str:
    r"""Return a stderr without what ssh says of a master that it then did without.

    >>> without_remarks("Control socket connect(/tmp/s): Connection refused\r\nno space\n")
    'no space\n'
    """
    return _REMARKS.sub("", said)


def _where(address: SshAddress, options: SshOptions) -> Argv:
    """Return the arguments that say which host, and by which key it is known.

    A jump host's key is verified as ssh_config says: it only passes on the inner connection, which
    verifies the host itself.
    """
    return (*_pin(address.host_key), *destination(address, options), "--", address.address)


def _pin(host_key: str | None) -> Argv:
    """Return the options that make ssh accept this key alone (OpenSSH 8.5 and later)."""
    if host_key is None:
        return ()
    key = parse_key(host_key)
    return (
        *("-o", "UserKnownHostsFile=/dev/null"),
        *("-o", "GlobalKnownHostsFile=/dev/null"),
        *("-o", f"KnownHostsCommand=/bin/echo %H {key.kind} {key.blob}"),
    )
