"""The tools, as a user runs them from a machine of his own against the lab's hosts."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from reconciler import __version__
from tests.bench.peers import autobackup, bzfs, ours
from tests.bench.peers.history import KEEP, TREE, Label
from tests.bench.peers.pair import CONTROLLER, RECEIVER, SENDER, Command
from tests.bench.peers.tool import virtual_environment
from tests.bench.wall.ground import Ground


class Contestant(Protocol):
    """A tool: how it is installed, and what it is told."""

    name: str
    options: str
    """Of `zfs snapshot`: what marks its snapshots."""
    parents: tuple[str, ...]
    """Options of the receiver's parent."""
    has_periods: bool
    """Whether what was late has no snapshot of today before the cycle."""

    @property
    def label(self) -> Label:
        """What it calls the snapshot of a day."""
        ...

    def install(self, scratch: Path, /) -> str:
        """Make it ready in a folder and return its version; raise Unavailable."""
        ...

    def prepare(self, ground: Ground) -> None:
        """Let the sender's tree be selected."""
        ...

    def first(self, ground: Ground) -> list[Command]:
        """Replicate what is there, without new snapshots."""
        ...

    def cycle(self, ground: Ground, without: Sequence[str] = ()) -> list[Command]:
        """Snapshot, replicate and prune on both sides, but for some filesystems."""
        ...

    def prune(self, ground: Ground) -> list[Command]:
        """Prune the sender only."""
        ...


@dataclass(slots=True)
class Ours:
    """reconciler."""

    name: str = "reconciler"
    options: str = "-o reconciler:spec=bench"
    parents: tuple[str, ...] = ("-o", ours.PLACEHOLDER)
    has_periods: bool = True

    label: Label = ours.label

    def install(self, _scratch: Path) -> str:
        """Return the version of this checkout."""
        return __version__

    def prepare(self, ground: Ground) -> None:
        """Do nothing: the specs select."""

    def first(self, ground: Ground) -> list[Command]:
        """Take what is there for another tool's snapshots."""
        before, keep, after = ours.replication([], "external: {matching: '^rec-'}").partition(
            f"    keep: {{last: {KEEP}}}\n"
        )
        assert keep
        return self._apply(ground, before + after)

    def cycle(self, ground: Ground, without: Sequence[str] = ()) -> list[Command]:
        """Apply the specs."""
        return self._apply(ground, ours.replication(list(without)))

    def prune(self, ground: Ground) -> list[Command]:
        """Apply specs without targets that take no snapshots."""
        specs = ours.replication([])
        source = specs.partition("  targets:")[0]
        return self._apply(ground, f"{source}  targets: []\n  maxDestroy: {{share: 100%}}\n")

    def _apply(self, ground: Ground, replication: str) -> list[Command]:
        specs = ground.folder / "specs.yaml"
        hosts = (
            ours.host(name, f"{{ssh: {{address: {name}, user: root}}}}")
            for name in (SENDER, RECEIVER)
        )
        specs.write_text("".join(hosts) + replication)
        argv = [sys.executable, "-m", "reconciler.cli.main", "apply", "--auto-approve"]
        argv += ["-f", str(specs), "--ssh-config", str(ground.ssh_config)]
        return [Command(CONTROLLER, argv, {"PYTHONPATH": str(Path(__file__).parents[3])})]


@dataclass(slots=True)
class Bzfs:
    """bzfs by its job runner."""

    name: str = "bzfs"
    options: str = ""
    parents: tuple[str, ...] = ()
    has_periods: bool = True
    programs: Path = field(default=Path())

    label: Label = bzfs.label

    def install(self, scratch: Path) -> str:
        """Install it."""
        self.programs = virtual_environment(scratch / "bzfs", bzfs.PACKAGE)
        return bzfs.PACKAGE.partition("==")[2]

    def prepare(self, ground: Ground) -> None:
        """Do nothing: its arguments select."""

    def first(self, ground: Ground) -> list[Command]:
        """Replicate; it leaves its bookmarks."""
        return [bzfs.command(self.programs, ground, ("--replicate",))]

    def cycle(self, ground: Ground, without: Sequence[str] = ()) -> list[Command]:
        """All its actions in one command."""
        excluded = [f"--exclude-dataset=/{name}" for name in without]
        return [bzfs.command(self.programs, ground, bzfs.ACTIONS, excluded)]

    def prune(self, ground: Ground) -> list[Command]:
        """One of its actions."""
        return [bzfs.command(self.programs, ground, ("--prune-src-snapshots",))]


@dataclass(slots=True)
class Autobackup:
    """zfs-autobackup."""

    name: str = "zfs-autobackup"
    options: str = ""
    parents: tuple[str, ...] = ()
    has_periods: bool = False
    programs: Path = field(default=Path())

    label: Label = autobackup.label

    def install(self, scratch: Path) -> str:
        """Install it."""
        self.programs = virtual_environment(scratch / "zfs-autobackup", autobackup.PACKAGE)
        return autobackup.PACKAGE.partition("==")[2]

    def prepare(self, ground: Ground) -> None:
        """Select the tree by its property."""
        ground.sender.sh(f"zfs set autobackup:bench=true {TREE}")

    def first(self, ground: Ground) -> list[Command]:
        """Replicate; it leaves its holds."""
        return [autobackup.command(self.programs, ground, ("--no-snapshot",))]

    def cycle(self, ground: Ground, without: Sequence[str] = ()) -> list[Command]:
        """All in one command; what it is to leave out has to be told on the sender."""
        ground.sender.sh(
            "\n".join(
                [f"zfs inherit -r autobackup:bench {TREE}; zfs set autobackup:bench=true {TREE}"]
                + [f"zfs set autobackup:bench=false {name}" for name in without]
            )
        )
        return [autobackup.command(self.programs, ground)]

    def prune(self, ground: Ground) -> list[Command]:
        """Run it without a target."""
        return [autobackup.command(self.programs, ground, ("--no-snapshot",), target="")]


CONTESTANTS: tuple[Contestant, ...] = (Ours(), Bzfs(), Autobackup())
