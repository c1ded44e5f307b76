"""zfs-autobackup (PyPI), from a third host by two ssh."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import Machine
from tests.bench.peers import history
from tests.bench.peers.history import KEEP, TARGET, TREE, Size
from tests.bench.peers.pair import CONTROLLER, Command, Hosts, Pair, Place
from tests.bench.peers.tool import virtual_environment
from tests.bench.simulated import sh

PACKAGE = "zfs-autobackup==3.3"
HOLD = "zfs_autobackup:bench"


def label(at: int) -> str:
    """Return the name of a snapshot."""
    return datetime.fromtimestamp(at, UTC).strftime("bench-%Y%m%d%H%M%S")


@dataclass(slots=True)
class Autobackup:
    """zfs-autobackup."""

    release: str
    name: str = "zfs-autobackup"
    programs: Path = field(default=Path())

    def install(self, scratch: Path) -> str:
        """Install it."""
        self.programs = virtual_environment(scratch / "zfs-autobackup", PACKAGE)
        return PACKAGE.partition("==")[2]

    def hosts(self, size: Size, _folder: Path) -> Hosts:
        """Return the history with the property that selects and its holds on what is common."""
        sender = history.sender(size, label, self.release)
        sender = history.punctual(sender, size, label)
        receiver = history.receiver(sender)
        cell = MemoryCell(sender)
        sh(cell, history.today(), "zfs", "set", "autobackup:bench=true", TREE)
        held = _held(cell.read(), size.names, "")
        return Hosts(history.changed(held, size), _held(receiver, size.names, f"{TARGET}/"))

    def cycle(self, pair: Pair) -> list[Command]:
        """One command does it all; what has not changed gets no snapshot.

        By ssh_config its connections are shared, else each execution would make its own.
        """
        return [command(self.programs, pair)]


def command(
    programs: Path, place: Place, options: Sequence[str] = (), target: str = TARGET
) -> Command:
    """Return its command line; without a target it prunes the sender alone."""
    ends = ("--ssh-source", "sender", *(("--ssh-target", "receiver") if target else ()))
    argv = [
        *(str(programs / "zfs-autobackup"), "--utc", "--no-progress", *options),
        *("--ssh-config", str(place.sharing_ssh_config), *ends),
        *("--keep-source", str(KEEP), "--keep-target", str(KEEP)),
        *("bench", *([target] if target else ())),
    ]
    return Command(CONTROLLER, argv)


def _held(machine: Machine, names: list[str], under: str) -> Machine:
    cell = MemoryCell(machine)
    for name in names:
        newest = machine.datasets[f"{under}{name}"].snapshots[-1].name
        sh(cell, history.today(), "zfs", "hold", HOLD, f"{under}{name}@{newest}")
    return cell.read()
