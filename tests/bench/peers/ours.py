"""This project, as a user runs it from a machine of its own."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reconciler import __version__
from reconciler.simulator.model import Machine
from reconciler.simulator.store import StateFile
from tests.bench.peers import history
from tests.bench.peers.history import DAY, KEEP, TARGET, TREE, Size
from tests.bench.peers.pair import ADDRESSES, CONTROLLER, RECEIVER, SENDER, Command, Hosts, Pair

PLACEHOLDER = f"reconciler:placeholder={TARGET}/tank"
_RECONCILER = [sys.executable, "-m", "reconciler.cli.main"]

_HOST = """\
apiVersion: reconciler/v1alpha1
kind: Host
metadata: {{name: {name}}}
spec: {{connection: {connection}}}
---
"""

_REPLICATION = """\
apiVersion: reconciler/v1alpha1
kind: Replication
metadata: {{name: bench}}
spec:
  source:
    host: sender
    filesystems: [{filesystems}]
    snapshots: {{{snapshots}}}
    keep: {{last: {keep}}}
  targets: [{{host: receiver, under: {target}, path: relay, keep: {{last: {keep}}}}}]
"""


def label(at: int) -> str:
    """Return the name of a snapshot."""
    return datetime.fromtimestamp(at, UTC).strftime("rec-%Y%m%dT%H%M%SZ")


@dataclass(frozen=True, slots=True)
class Ours:
    """reconciler."""

    release: str
    name: str = "reconciler"

    def install(self, _scratch: Path) -> str:
        """Return the version of this checkout."""
        return __version__

    def hosts(self, size: Size, folder: Path) -> Hosts:
        """Return hosts on which it ran yesterday for all, and today for those that are not late."""
        files = self._settled(size, folder, history.today() - DAY)
        files[SENDER].change(lambda machine: _written(machine, size))
        if size.punctual:
            self._cycle(folder, history.today(), size.late)
        sender = files[SENDER].read()
        return Hosts(history.changed(sender, size), files[RECEIVER].read())

    def settled(self, size: Size, folder: Path) -> Hosts:
        """Return hosts on which it ran today for all."""
        files = self._settled(size, folder, history.today())
        return Hosts(files[SENDER].read(), files[RECEIVER].read())

    def _settled(self, size: Size, folder: Path, day: int) -> dict[str, StateFile]:
        mark = ("-o", "reconciler:spec=bench")
        sender = history.sender(size, label, self.release, *mark, until=day)
        receiver = history.receiver(sender, "-o", "canmount=off", "-o", PLACEHOLDER)
        files = {name: StateFile(folder / f"{name}.json") for name in (SENDER, RECEIVER)}
        for name, machine in ((SENDER, sender), (RECEIVER, receiver)):
            files[name].path.unlink(missing_ok=True)
            files[name].create(machine)
        self._cycle(folder, day, [])
        return files

    def cycle(self, pair: Pair) -> list[Command]:
        """Apply the specs; the stream goes by two ssh of the controller, as those of the peers."""
        specs = pair.folder / "specs.yaml"
        hosts = [host(name, f"{{ssh: {{address: {name}, user: root}}}}") for name in ADDRESSES]
        specs.write_text("".join(hosts) + replication([]))
        argv = [*_RECONCILER, "apply", "--auto-approve", "-f", str(specs)]
        root = str(Path(__file__).parents[3])
        options = ["--ssh-config", str(pair.ssh_config)]
        return [Command(CONTROLLER, [*argv, *options], {"PYTHONPATH": root})]

    def _cycle(self, folder: Path, at: int, without: list[str]) -> None:
        specs = folder / "earlier.yaml"
        hosts = [
            host(name, f"{{simulated: {{state: {folder}/{name}.json}}}}")
            for name in (SENDER, RECEIVER)
        ]
        specs.write_text("".join(hosts) + replication(without))
        now = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        argv = [*_RECONCILER, "apply", "--auto-approve", "-f", str(specs), "--now", now]
        subprocess.run(argv, check=True, capture_output=True)


def _written(machine: Machine, size: Size) -> Machine:
    return history.changed(machine, size._replace(changed=size.filesystems))


def host(name: str, connection: str) -> str:
    """Return the spec of a host."""
    return _HOST.format(name=name, connection=connection)


def replication(without: Sequence[str], snapshots: str = "every: 24h, prefix: rec-") -> str:
    """Return the spec of what goes from the sender to the receiver, but for some filesystems."""
    patterns = [f"{TREE}/**", *(f"!{name}" for name in without)]
    filesystems = ", ".join(f'"{pattern}"' for pattern in patterns)
    return _REPLICATION.format(
        filesystems=filesystems, snapshots=snapshots, keep=KEEP, target=TARGET
    )
