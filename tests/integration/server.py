"""A real sshd of our own on loopback: own port, own keys, own configuration, stopped by its pid."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.hosts.addresses import HostAddress, Privilege, SshAddress, SshOptions
from reconciler.hosts.script import Outcome, Script, Step
from reconciler.hosts.ssh import SshHost

SSHD = Path("/usr/sbin/sshd")


def one(*argv: str) -> Script:
    """Return a script of one step, named `a`."""
    return Script((Step("a", argv),))


def shell(code: str) -> Script:
    return one("sh", "-c", code)


def run(host: SshHost, script: Script, timeout: float = 30) -> Outcome:
    """Run a script of one step and return what it did."""
    return host.run(script, timeout=timeout).outcomes["a"]


def public(path: Path) -> str:
    return " ".join(Path(f"{path}.pub").read_text().split()[:2])


@dataclass
class Sshd:
    """One server and the client's files for it."""

    folder: Path
    port: int = 0
    listen: str = "127.0.0.1"
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.port:
            self.port = free_port()
        new_key(self.host_key)
        new_key(self.client_key)
        shutil.copy(f"{self.client_key}.pub", self.folder / "authorized_keys")
        self.trust()
        self.write_client_config()

    @property
    def host_key(self) -> Path:
        return self.folder / "host_key"

    @property
    def client_key(self) -> Path:
        return self.folder / "client_key"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def options(self) -> SshOptions:
        return SshOptions(config_file=self.folder / "ssh_config")

    @property
    def public_key(self) -> str:
        return public(self.host_key)

    def trust(self) -> None:
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {self.public_key}\n")

    def write_client_config(self, *more: str) -> None:
        lines = [
            *more,
            "Host *",
            f"UserKnownHostsFile {self.known_hosts}",
            "GlobalKnownHostsFile /dev/null",
            f"IdentityFile {self.client_key}",
            "IdentitiesOnly yes",
            "IdentityAgent none",
        ]
        (self.folder / "ssh_config").write_text("\n".join(lines) + "\n")

    def start(self, *lines: str, **environment: str) -> None:
        """Start the server, or start it again with other settings."""
        self.stop()
        # Not the user's own home: what its .bashrc does is not ours to test.
        variables = {"HOME": str(self.folder), **environment}
        config = self.folder / "sshd_config"
        settings = [
            *lines,
            f"Port {self.port}",
            f"ListenAddress {self.listen}",
            f"HostKey {self.host_key}",
            f"AuthorizedKeysFile {self.folder}/authorized_keys",
            "PidFile none",
            "UsePAM no",
            "StrictModes no",
            "PasswordAuthentication no",
            "PrintMotd no",
            "LogLevel VERBOSE",
            "SetEnv " + " ".join(f"{name}={value}" for name, value in variables.items()),
        ]
        config.write_text("\n".join(settings) + "\n")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with (self.folder / "sshd.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(SSHD), "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stderr=log
            )
        wait_until(self.answers)

    def answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as client:
            return client.recv(4) == b"SSH-"
        return False

    def sessions(self) -> list[int]:
        """Return the processes that serve connections: the server's children and theirs."""
        assert self.process is not None
        return descendants(self.process.pid)

    def stop(self) -> None:
        """Stop the server and the connections it serves."""
        if self.process is None:
            return
        children = self.sessions()
        self.process.kill()
        self.process.wait()
        self.process = None
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, 9)

    def allow(self, other: "Sshd") -> None:
        """Let in whom the other server lets in."""
        shutil.copy(f"{other.client_key}.pub", self.folder / "authorized_keys")

    def learn(self, other: "Sshd") -> None:
        """Let our clients know the other server's key."""
        with self.known_hosts.open("a") as known:
            known.write(other.known_hosts.read_text())

    def address(self, **changes: object) -> SshAddress:
        values: dict[str, object] = {"address": "127.0.0.1", "port": self.port, **changes}
        return SshAddress(**values)  # type: ignore[arg-type]

    def host(self, privilege: Privilege = Privilege.NONE, **changes: object) -> SshHost:
        return SshHost(HostAddress("web1", self.address(**changes), privilege), self.options)


def new_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> None:
    for old in (path, Path(f"{path}.pub")):
        old.unlink(missing_ok=True)
    argv = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", str(path)]
    subprocess.run(argv, check=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def descendants(pid: int) -> list[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
    found = [pid]
    for ancestor in found:
        found += [child for child, parent in parents.items() if parent == ancestor]
    return found[1:]


def wait_until(condition: Callable[[], bool], seconds: float = 45) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
