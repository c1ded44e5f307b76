"""bzfs (PyPI), by its job runner from a third host, as its README has it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from reconciler.simulator.cell import MemoryCell
from tests.bench.peers import history
from tests.bench.peers.history import KEEP, TARGET, TREE, Size
from tests.bench.peers.pair import CONTROLLER, Command, Hosts, Pair, Place
from tests.bench.peers.tool import virtual_environment
from tests.bench.simulated import sh

PACKAGE = "bzfs==1.25.0"


def label(at: int) -> str:
    """Return the name of a snapshot."""
    return datetime.fromtimestamp(at, UTC).strftime("bench_onsite_%Y-%m-%d_%H:%M:%S_daily")


@dataclass(slots=True)
class Bzfs:
    """bzfs."""

    release: str
    options: tuple[str, ...] = ()
    programs: Path = field(default=Path())

    @property
    def name(self) -> str:
        """Its name, and how it is run other than by default."""
        return " ".join(("bzfs", *self.options))

    def install(self, scratch: Path) -> str:
        """Install it."""
        self.programs = virtual_environment(scratch / "bzfs", PACKAGE)
        return PACKAGE.partition("==")[2]

    def hosts(self, size: Size, _folder: Path) -> Hosts:
        """Return the history with the bookmark that it makes of each snapshot it has sent."""
        sender = history.sender(size, label, self.release)
        sender = history.punctual(sender, size, label)
        receiver = history.receiver(sender)
        cell = MemoryCell(sender)
        for name in size.names:
            for snapshot in sender.datasets[name].snapshots:
                bookmark = ("zfs", "bookmark", f"{name}@{snapshot.name}", f"{name}#{snapshot.name}")
                sh(cell, history.today(), *bookmark)
        return Hosts(history.changed(cell.read(), size), receiver)

    def cycle(self, pair: Pair) -> list[Command]:
        """All its actions in one command."""
        return [command(self.programs, pair, ACTIONS, self.options)]


ACTIONS = (
    *("--create-src-snapshots", "--replicate"),
    *("--prune-src-snapshots", "--prune-src-bookmarks", "--prune-dst-snapshots"),
)


def command(
    programs: Path, place: Place, actions: Sequence[str], options: Sequence[str] = ()
) -> Command:
    """Return the job runner's command line for some of its actions."""
    config = str(place.bzfs_ssh_config)
    plan = json.dumps({"bench": {"onsite": {"daily": KEEP}}})
    targets = json.dumps({"receiver": ["onsite"]})
    argv = [
        *(str(programs / "bzfs_jobrunner"), *actions),
        *("--localhost=controller", "--job-id=bench", "--recursive"),
        *("--src-hosts=['sender']", f"--dst-hosts={targets}"),
        f"--retain-dst-targets={targets}",
        f"--dst-root-datasets={json.dumps({'receiver': TARGET})}",
        *(f"--src-snapshot-plan={plan}", f"--src-bookmark-plan={plan}"),
        f"--dst-snapshot-plan={plan}",
        *(f"--ssh-src-config-file={config}", f"--ssh-dst-config-file={config}"),
        *("--create-src-snapshots-timezone=UTC", f"--log-dir={place.folder}/bzfs-logs"),
        *options,
        *("--root-dataset-pairs", TREE, TREE),
    ]
    return Command(CONTROLLER, argv, {"PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin"})
