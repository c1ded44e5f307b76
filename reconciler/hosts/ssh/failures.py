"""What went wrong between us and a host, as one of our own errors and in one sentence."""

import socket

from paramiko.ssh_exception import ChannelException, NoValidConnectionsError, SSHException

from reconciler.errors import HostBusy, HostError, Unreachable
from reconciler.hosts.ssh_config import SshSettings


def to_connect(host: str, error: Exception, settings: SshSettings, *, via: str | None) -> HostError:
    """Return the error for a connection that could not be opened; `via` is its jump host."""
    place = f"{settings.hostname} port {settings.port}"
    way = f" (through {via})" if via else ""
    match error:
        case HostError():
            return error
        case socket.gaierror(strerror=said):
            reason = f"the name {settings.hostname} can't be resolved: {said}"
        case NoValidConnectionsError(errors=errors):
            first = next(iter(errors.values()))
            reason = f"{place}: {getattr(first, 'strerror', first)}"
        case SSHException() if "No existing session" in str(error):
            # So paramiko says that the time was up before keys were agreed on.
            reason = f"{place}{way} took too long to answer"
        case TimeoutError():
            reason = f"no answer from {place}{way}"
        case ChannelException():
            reason = f"the jump host {via} can't connect to {place}: {error.text}"
        case SSHException() if "protocol banner" in str(error):
            # What sshd does to one connection too many (MaxStartups), before it says a word.
            return HostBusy(host, f"{place}{way} takes no connection now, or is no ssh server")
        case _:
            said = str(error) or type(error).__name__
            reason = f"no ssh connection to {place}{way}: {said}"
    return Unreachable(host, reason)


def to_open_session(host: str, error: ChannelException) -> HostError:
    """Return the error for a session that the server does not grant (MaxSessions)."""
    return HostBusy(host, f"it grants no further session: {error.text}")
