"""Keys and ssh's own files: who may log in, and which key each host will show.

All keys are made before the hosts boot, so nobody ever has to trust a key on first sight.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from . import cpio
from .commands import run
from .plan import PEER_ADDRESS, Host


@dataclass(frozen=True)
class Access:
    """The files by which a controller reaches the hosts of one lab."""

    lab: Path

    @property
    def identity(self) -> Path:
        """Return the private key that every host accepts."""
        return self.lab / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """Return the hosts' keys as seen from this machine."""
        return self.lab / "known_hosts"

    @property
    def ssh_config(self) -> Path:
        """Return a configuration in which the hosts have their names."""
        return self.lab / "ssh_config"


def prepare(lab: Path, hosts: Collection[Host]) -> Access:
    """Make all keys and write the files of the controller's side."""
    access = Access(lab)
    _make_key(access.identity, "reconciler-lab")
    for host in hosts:
        _make_key(host.host_key, host.name)
    access.known_hosts.write_text(known_hosts(hosts, "127.0.0.1"))
    access.ssh_config.write_text("".join(_stanza(host, access) for host in hosts))
    return access


def known_hosts(hosts: Collection[Host], address: str) -> str:
    """Return the hosts' public keys as lines of known_hosts, under this address."""
    return "".join(f"[{address}]:{host.port} {_public(host.host_key)}\n" for host in hosts)


def host_archive(host: Host, hosts: Collection[Host], access: Access) -> bytes:
    """Return what makes a host itself, as an archive for the end of its initramfs."""
    peers = [peer for peer in hosts if peer is not host]
    contents = {
        "settings": f"host={host.name}\npool={host.pool}\n".encode(),
        "hostid": host.hostid,
        host.host_key.name: host.host_key.read_bytes(),
        "authorized_keys": f"{_public(access.identity)}\n".encode(),
        access.identity.name: access.identity.read_bytes(),
        "known_hosts": known_hosts(peers, PEER_ADDRESS).encode(),
    }
    files = [cpio.file(f"host/{name}", data, 0o600) for name, data in contents.items()]
    return cpio.archive([cpio.folder("host", 0o700), *files])


def _make_key(file: Path, comment: str) -> None:
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(file)])


def _public(key: Path) -> str:
    return key.with_name(f"{key.name}.pub").read_text().strip()


def _stanza(host: Host, access: Access) -> str:
    lines = (
        f"Host {host.name}",
        "HostName 127.0.0.1",
        f"Port {host.port}",
        "User root",
        f"IdentityFile {_quoted(access.identity)}",
        "IdentitiesOnly yes",
        f"UserKnownHostsFile {_quoted(access.known_hosts)}",
        "GlobalKnownHostsFile none",
        "StrictHostKeyChecking yes",
        "BatchMode yes",
    )
    return "\n    ".join(lines) + "\n\n"


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("%", "%%") + '"'
