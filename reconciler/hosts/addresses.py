"""Where a host is and how it is entered. Plain values, made by `desired` from the specs."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Privilege(StrEnum):
    """How zfs and zpool are run with the rights they need."""

    NONE = "none"
    SUDO = "sudo"
    DOAS = "doas"


@dataclass(frozen=True, slots=True)
class SshAddress:
    """A host reached by ssh. What is None is left to ssh_config and its defaults."""

    address: str
    user: str | None = None
    port: int | None = None
    jump: str | None = None
    """A ProxyJump value: `[user@]host[:port]`, several separated by commas."""
    host_key: str | None = None
    """The pinned public key, `ssh-ed25519 AAAA...`; None: known_hosts decides."""


@dataclass(frozen=True, slots=True)
class LocalAddress:
    """The controller's own machine."""


@dataclass(frozen=True, slots=True)
class SimulatedAddress:
    """A host that exists only in a file (see `reconciler.simulator`)."""

    state: str
    """The file, as the specs write it."""
    folder: str = "."
    """What it is relative to: where the spec is."""

    @property
    def path(self) -> Path:
        """Where the file is."""
        return Path(self.folder, self.state)


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """How other hosts reach this one, where that differs from the controller's way."""

    address: str
    port: int | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a host is asked to do at once."""

    sends: int = 2
    receives: int = 2
    bandwidth: int | None = None
    """Bytes a second of all streams together, in each direction."""


Address = SshAddress | LocalAddress | SimulatedAddress


@dataclass(frozen=True, slots=True)
class HostAddress:
    """All that is needed to run scripts on one named host."""

    name: str
    address: Address
    privilege: Privilege = Privilege.NONE
    peer_address: PeerAddress | None = None
    limits: Limits = Limits()


def at_once(hosts: Iterable[HostAddress], most: int) -> int:
    """Return how many hosts to work with at the same time.

    Simulated ones compute and never wait: several at once would only be in each other's way.
    """
    simulated = all(isinstance(host.address, SimulatedAddress) for host in hosts)
    return 1 if simulated else most


@dataclass(frozen=True, slots=True)
class SshOptions:
    """How ssh is used for all hosts."""

    config_file: Path | None = None
    """An ssh_config to read in place of `~/.ssh/config` and `/etc/ssh/ssh_config`."""
