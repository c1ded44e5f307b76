"""A whole cycle on simulated hosts: ten hosts, each with 100 filesystems of 50 versions."""

import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import Dataset, Machine
from reconciler.simulator.run import run
from reconciler.simulator.store import StateFile

PAIRS, FILESYSTEMS, VERSIONS = 5, 100, 50
HOUR = 3600
START = 1_795_000_000 // HOUR * HOUR

_HOST = """\
apiVersion: reconciler/v1alpha1
kind: Host
metadata: {{name: {name}}}
spec: {{connection: {{simulated: {{state: {name}.json}}}}}}
---
"""

_REPLICATION = """\
apiVersion: reconciler/v1alpha1
kind: Replication
metadata: {{name: r{number}}}
spec:
  source:
    host: sender{number}
    filesystems: ["tank/data/**", "!tank/data"]
    snapshots: {{every: 1h, prefix: rec-}}
    keep: {{last: {versions}}}
  targets: [{{host: receiver{number}, under: "backup/{{host}}", keep: {{last: {versions}}}}}]
---
"""


def prepare(folder: Path) -> None:
    """Make the hosts with all their history, in order and ready for the cycle of the next hour."""
    folder.mkdir()
    specs = ""
    for number in range(PAIRS):
        specs += _HOST.format(name=f"sender{number}") + _HOST.format(name=f"receiver{number}")
        specs += _REPLICATION.format(number=number, versions=VERSIONS)
        sender = _sender(number)
        StateFile(folder / f"sender{number}.json").create(sender)
        StateFile(folder / f"receiver{number}.json").create(_receiver(number, sender))
    (folder / "specs.yaml").write_text(specs.removesuffix("---\n"))
    cycle(folder, START + (VERSIONS - 1) * HOUR)


def cycle(folder: Path, at: int) -> None:
    """Observe, plan and apply."""
    reconciler = [sys.executable, "-m", "reconciler.cli.main"]
    argv = [*reconciler, "apply", "--auto-approve", *_options(folder, at)]
    subprocess.run(argv, check=True, capture_output=True)


def next_cycle(folder: Path) -> float:
    """Return the seconds that the cycle of the next hour takes: everything is due."""
    for number in range(PAIRS):
        file = StateFile(folder / f"sender{number}.json")
        for filesystem in range(FILESYSTEMS):
            sh(file, START, "write", f"tank/data/fs{filesystem}", "file", "1M")
    began = time.perf_counter()
    cycle(folder, START + VERSIONS * HOUR)
    return time.perf_counter() - began


def _options(folder: Path, at: int) -> list[str]:
    now = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return ["-f", str(folder / "specs.yaml"), "--now", now]


def _sender(number: int) -> Machine:
    cell = MemoryCell(Machine(f"sender{number}"))
    sh(cell, START, "zpool", "create", "tank", "disk")
    sh(cell, START, "zfs", "create", "tank/data")
    names = [f"tank/data/fs{filesystem}" for filesystem in range(FILESYSTEMS)]
    for name in names:
        sh(cell, START, "zfs", "create", name)
    for version in range(VERSIONS):
        at = START + version * HOUR
        stamp = datetime.fromtimestamp(at, UTC).strftime("rec-%Y%m%dT%H%M%SZ")
        for name in names:
            sh(cell, at, "write", name, "file", "1M")
        snapshots = [f"{name}@{stamp}" for name in names]
        sh(cell, at, "zfs", "snapshot", "-o", f"reconciler:spec=r{number}", *snapshots)
    return cell.read()


def _receiver(number: int, sender: Machine) -> Machine:
    """Return a receiver that has all that the sender has."""
    cell = MemoryCell(Machine(f"receiver{number}"))
    sh(cell, START, "zpool", "create", "backup", "disk")
    for parent in ("", "/tank", "/tank/data"):
        name = f"backup/sender{number}{parent}"
        mark = f"reconciler:placeholder={name}"
        sh(cell, START, "zfs", "create", "-o", "canmount=off", "-o", mark, name)
    machine = cell.read()
    copies = {
        copy.name: copy
        for dataset in sender.datasets.values()
        if dataset.snapshots
        for copy in [copied(dataset, f"backup/sender{number}/{dataset.name}")]
    }
    pool = replace(machine.pools["backup"], txg=sender.pools["tank"].txg)
    datasets = {**machine.datasets, **copies}
    return replace(
        machine, datasets=datasets, pools={"backup": pool}, minted=machine.minted + sender.minted
    )


def copied(dataset: Dataset, name: str) -> Dataset:
    """Return a filesystem as it was received under another name."""
    snapshots = tuple(replace(snapshot, properties={}) for snapshot in dataset.snapshots)
    local = {"readonly": "on", "canmount": "noauto"}
    return replace(dataset, name=name, local=local, mounted=False, snapshots=snapshots)


def sh(cell: MemoryCell | StateFile, at: int, *argv: str) -> None:
    """Run a command at a moment; it has to succeed."""
    result = run(cell, argv, clock=lambda: at)
    assert result.status == 0, result.stderr
