"""A sender and a receiver behind one sshd; whoever logs in is counted."""

import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from reconciler.simulator.model import Machine
from tests.bench.peers.recorded import RecordedHost
from tests.integration.server import Sshd

SENDER, RECEIVER, CONTROLLER = "sender", "receiver", "controller"

ADDRESSES: Mapping[str, str] = {SENDER: "127.0.0.2", RECEIVER: "127.0.0.3"}

# Each command that a client asks for comes through here, over whichever connection: one line in
# the log, then it runs as sshd would have run it.
_ENTRY = """\
#!/bin/sh
address=${{SSH_CONNECTION% *}}
case ${{address##* }} in
    {sender}) host=sender path='{sender_path}' ;;
    *) host=receiver path='{receiver_path}' ;;
esac
newline='
'
printf '%s\\t%.300s\\n' "$host" "${{SSH_ORIGINAL_COMMAND%%"$newline"*}}" >> '{log}'
PATH=$path
export PATH
exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"
"""


class Hosts(NamedTuple):
    """Both hosts as a tool finds them."""

    sender: Machine
    receiver: Machine


@dataclass(frozen=True, slots=True)
class Command:
    """One command line of a cycle."""

    where: str
    argv: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class Place(Protocol):
    """Where tools find out how to reach a sender and a receiver, and leave what they write."""

    @property
    def folder(self) -> Path:
        """Where they leave it."""
        ...

    @property
    def ssh_config(self) -> Path:
        """The client's ssh_config: `sender` and `receiver` are names of hosts."""
        ...

    @property
    def bzfs_ssh_config(self) -> Path:
        """The same; bzfs insists on the name."""
        ...

    @property
    def sharing_ssh_config(self) -> Path:
        """The same, with connections that are kept open and shared."""
        ...


class Ended(NamedTuple):
    """How a command ended."""

    status: int | None
    """None: it was stopped after its time."""
    output: str
    """The end of what it printed."""


class Pair:
    """Two hosts."""

    def __init__(self, folder: Path) -> None:
        self.folder: Path = folder
        self.hosts = {name: RecordedHost(name, folder) for name in ADDRESSES}
        self._log = folder / "executions"
        self._log.touch()
        self.sshd = Sshd(folder / "sshd")
        self._start()

    def _start(self) -> None:
        entry = self.folder / "entry"
        entry.write_text(
            _ENTRY.format(
                sender=ADDRESSES[SENDER],
                sender_path=self.hosts[SENDER].path,
                receiver_path=self.hosts[RECEIVER].path,
                log=self._log,
            )
        )
        entry.chmod(0o755)
        listen = [f"ListenAddress {address}" for address in ADDRESSES.values()]
        self.sshd.start(*listen, f"ForceCommand {entry}", "MaxStartups 100")
        with self.sshd.known_hosts.open("a") as known:
            for address in ADDRESSES.values():
                known.write(f"[{address}]:{self.sshd.port} {self.sshd.public_key}\n")
        self.sshd.write_client_config(*self._aliases())
        text = self.ssh_config.read_text()
        self.bzfs_ssh_config.write_text(text)
        sharing = f"ControlMaster auto\nControlPath {self.folder}/%C\nControlPersist 60\n"
        self.sharing_ssh_config.write_text(f"{text}{sharing}")

    def _aliases(self) -> list[str]:
        lines = []
        for name, address in ADDRESSES.items():
            lines += [f"Host {name}", f"HostName {address}", f"Port {self.sshd.port}", "User root"]
        return lines

    @property
    def ssh_config(self) -> Path:
        """The client's ssh_config: `sender` and `receiver` are names of hosts."""
        return self.sshd.folder / "ssh_config"

    @property
    def bzfs_ssh_config(self) -> Path:
        """The same; bzfs insists on the name."""
        return self.sshd.folder / "bzfs_ssh_config"

    @property
    def sharing_ssh_config(self) -> Path:
        """The same, with connections that are kept open and shared."""
        return self.sshd.folder / "sharing_ssh_config"

    @property
    def executions(self) -> list[tuple[str, str]]:
        """Host and first line of each remote execution since the last `forget`."""
        lines = self._log.read_text(errors="replace").splitlines()
        return [(host, line) for host, _, line in (line.partition("\t") for line in lines)]

    def enter(self, hosts: Hosts) -> None:
        """Let the hosts be as given."""
        self.hosts[SENDER].cell.change(lambda _: hosts.sender)
        self.hosts[RECEIVER].cell.change(lambda _: hosts.receiver)

    def forget(self) -> None:
        """Count from here."""
        self._log.write_text("")
        for host in self.hosts.values():
            host.forget()

    def run(self, command: Command, limit: float) -> Ended:
        """Run a command of the tool on the controller, or on a host as its cron would."""
        path = (
            self.hosts[command.where].path
            if command.where in self.hosts
            else "/usr/local/bin:/usr/bin:/bin"
        )
        return run_command(command, self.folder, path, limit)

    def close(self) -> None:
        """Stop sshd and the hosts."""
        self.sshd.stop()
        for host in self.hosts.values():
            host.close()


def run_command(command: Command, folder: Path, path: str, limit: float) -> Ended:
    """Run a command in a folder; with its children it is stopped after so many seconds."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    settings = {"PATH": path, "HOME": str(home), "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    output = folder / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            command.argv,
            env={**settings, **command.environment},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status: int | None = process.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait()
    return Ended(status, output.read_text(errors="replace")[-4000:])
