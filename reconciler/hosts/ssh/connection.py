"""Opening a verified Fabric connection, through jump hosts where ssh_config or the spec say so."""

import socket
import subprocess
import threading

import paramiko
from fabric import Config, Connection
from paramiko.auth_strategy import AuthFailure
from paramiko.ssh_exception import SSHException

from reconciler.errors import HostError, Unreachable
from reconciler.hosts import ssh_config
from reconciler.hosts.addresses import SshAddress, SshOptions
from reconciler.hosts.ssh import failures
from reconciler.hosts.ssh.keys import Keys
from reconciler.hosts.ssh.runner import CHANNEL_TIMEOUT
from reconciler.hosts.ssh.trust import trust
from reconciler.hosts.ssh_config import SshSettings

_TIMEOUTS = {"banner_timeout": 15.0, "auth_timeout": 15.0, "channel_timeout": CHANNEL_TIMEOUT}
_CONNECT_TIMEOUT = 10
_KEEPALIVE = 15
_HOPS = 8
"""More jump hosts in a row are taken for a circle."""


def open_connection(host: str, address: SshAddress, options: SshOptions) -> tuple[Connection, ...]:
    """Return an open connection and before it, outermost first, those to its jump hosts.

    Raises HostError: what went wrong, in one sentence.
    """
    opened: list[Connection] = []
    try:
        for hop in _route(host, address, options):
            opened.append(_open(host, hop, opened[-1] if opened else None))
    except BaseException:
        close(opened)
        raise
    return tuple(opened)


def close(connections: list[Connection] | tuple[Connection, ...]) -> None:
    """Close connections, the jump hosts' last (Fabric leaves those open)."""
    for connection in reversed(connections):
        connection.client.close()


Hop = tuple[SshSettings, SshAddress]


def _route(host: str, address: SshAddress, options: SshOptions) -> list[Hop]:
    """Return the hosts to connect to one through the other, as OpenSSH would do it."""
    route: list[Hop] = []
    target: SshAddress | None = address
    while target is not None:
        if len(route) > _HOPS:
            raise Unreachable(host, f"the jump hosts of {address.address} go in a circle")
        settings = ssh_config.look_up(host, target, options)
        route.insert(0, (settings, target))
        try:
            target = None if settings.jump is None else ssh_config.last_hop(settings.jump)
        except ValueError as error:
            raise Unreachable(
                host, f"ssh_config says ProxyJump {settings.jump}: {error}"
            ) from error
    return route


def _open(host: str, hop: Hop, gateway: Connection | None) -> Connection:
    settings, address = hop
    judge, keys = trust(host, settings, address.host_key), Keys(settings)
    connection = _connection(settings, gateway)
    connection.client.set_missing_host_key_policy(judge)
    connection.connect_kwargs |= {"transport_factory": judge.transport, "auth_strategy": keys}
    try:
        if settings.proxy_command is not None:
            connection.connect_kwargs["sock"] = _proxy(settings.proxy_command)
        connection.open()
        connection.transport.set_keepalive(_KEEPALIVE)
    except AuthFailure as error:
        connection.client.close()
        raise keys.failure(host, error) from error
    except (HostError, SSHException, EOFError, OSError, ValueError) as error:
        connection.client.close()
        via = None if gateway is None else gateway.host
        raise failures.to_connect(host, error, settings, via=via) from error
    return connection


def _connection(settings: SshSettings, gateway: Connection | None) -> Connection:
    # An empty ssh_config and lazy: neither that file nor fabric.yml are read behind our back.
    return Connection(
        settings.hostname,
        user=settings.user,
        port=settings.port,
        gateway=gateway,
        forward_agent=False,
        connect_timeout=_CONNECT_TIMEOUT,
        config=Config(lazy=True, ssh_config=paramiko.SSHConfig()),
        connect_kwargs=dict(_TIMEOUTS),
    )


def _proxy(command: str) -> socket.socket:
    """Start a ProxyCommand on one end of a socket pair; paramiko's own way polls (fabric#2146)."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {command}"],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    # It ends when our end of the pair is closed.
    threading.Thread(target=process.wait, daemon=True).start()
    return ours
