"""What a lab consists of before it runs: hosts with their names, pools, ports and folders."""

import hashlib
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

PEER_ADDRESS = "10.0.2.2"  # the gateway of QEMU's user network: this machine's loopback
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_SOCKET_PATH = 107
_IN_SOCKET_PATH = len("//ssh.0123456789abcdef")  # ssh makes its socket under a random name first


@dataclass(frozen=True)
class Host:
    """One host of a lab: everything that is decided before it boots."""

    name: str
    pool: str
    port: int
    lab: Path

    @property
    def folder(self) -> Path:
        """Return the folder with the host's disk, keys, console and sockets."""
        return self.lab / self.name

    @property
    def disk(self) -> Path:
        """Return the file with the pool."""
        return self.folder / "pool.raw"

    @property
    def initramfs(self) -> Path:
        """Return the shared initramfs with the host's own archive behind it."""
        return self.folder / "initramfs"

    @property
    def console(self) -> Path:
        """Return the file with what the host's kernel and PID 1 said."""
        return self.folder / "console.log"

    @property
    def qemu_log(self) -> Path:
        """Return the file with QEMU's own complaints."""
        return self.folder / "qemu.log"

    @property
    def qmp(self) -> Path:
        """Return the socket that takes orders for the virtual machine."""
        return self.folder / "qmp"

    @property
    def host_key(self) -> Path:
        """Return the host's private ssh key."""
        return self.folder / "ssh_host_ed25519_key"

    @property
    def hostid(self) -> bytes:
        """Return the four bytes by which ZFS tells hosts apart."""
        return hashlib.sha256(self.name.encode()).digest()[:4]


def pool_of(name: str) -> str:
    """Return the name of the host's pool: a vault keeps backups, the others have a tank."""
    return "backup" if name.startswith("vault") else "tank"


@contextmanager
def planned(names: Iterable[str], lab: Path) -> Iterator[dict[str, Host]]:
    """Plan hosts and keep their ports for them until QEMU has taken them.

    A bound socket that does not listen keeps a port from everybody else; QEMU can listen on it
    nevertheless because both sides allow the address to be reused.
    """
    names = list(names)
    _check(names, lab)
    with ExitStack() as kept:
        sockets = {name: kept.enter_context(_bound()) for name in names}
        yield {
            name: Host(name, pool_of(name), taken.getsockname()[1], lab)
            for name, taken in sockets.items()
        }


def _check(names: list[str], lab: Path) -> None:
    for name in names:
        if not _NAME.fullmatch(name):
            raise LabError(f"{name!r} is no name for a host: lower-case letters, digits, dashes")
    if not names or len(set(names)) < len(names):
        raise LabError("a lab needs hosts, each with a name of its own")
    if len(bytes(lab)) + max(map(len, names)) + _IN_SOCKET_PATH > _SOCKET_PATH:
        raise LabError(f"{lab}: too long a path for sockets in it; choose a shorter --dir")


def _bound() -> socket.socket:
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind(("127.0.0.1", 0))
    return taken
