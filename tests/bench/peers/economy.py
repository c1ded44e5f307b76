"""Run a tool on its hosts and count: first the cycle in which K of N are late, then one without
anything to do. What it did is compared to what was to be done."""

import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.simulator.model import Machine
from tests.bench.peers.history import KEEP, TARGET, Size, today
from tests.bench.peers.pair import RECEIVER, SENDER, Ended, Pair
from tests.bench.peers.tool import Tool, Unavailable


@dataclass(frozen=True, slots=True)
class HostCost:
    """What a cycle cost on one host."""

    processes: int
    """`zfs` and `zpool`."""
    executions: int
    """Commands that came through sshd."""
    streams: int
    """Of these the two ends of streams."""
    verbs: dict[str, int]
    """Processes by what they were: `zfs list`."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One cycle of one tool."""

    tool: str
    version: str
    openzfs: str
    filesystems: int
    changed: int
    hosts: dict[str, HostCost]
    seconds: float
    remark: str
    """What is to be said of it: empty where it did just what was to be done."""
    commands: list[str]
    """What was run, and where."""


def figures(tool: Tool, size: Size, scratch: Path, limit: float) -> Iterator[Figure]:
    """Yield the figures of a tool; one whose remark begins with `not run` has none."""
    try:
        version = tool.install(scratch)
    except Unavailable as why:
        yield _none(tool, size, f"not run: {why}")
        return
    folder = Path(tempfile.mkdtemp(prefix="pair-", dir=scratch))
    pair = Pair(folder)
    try:
        pair.enter(tool.hosts(size, folder))
        late = _cycle(tool, version, size, pair, limit)
        yield late
        if not late.remark.startswith("not "):
            yield _cycle(tool, version, size._replace(changed=0), pair, limit)
    finally:
        pair.close()
        shutil.rmtree(folder, ignore_errors=True)


def _none(tool: Tool, size: Size, remark: str) -> Figure:
    return Figure(tool.name, "", tool.release, *size, {}, 0, remark, [])


def _cycle(tool: Tool, version: str, size: Size, pair: Pair, limit: float) -> Figure:
    pair.forget()
    before = _versions(pair)
    commands = tool.cycle(pair)
    began = time.monotonic()
    ended = Ended(0, "")
    for command in commands:
        left = max(1.0, limit - (time.monotonic() - began))
        ended = pair.run(command, left)
        if ended.status != 0:
            break
    seconds = time.monotonic() - began
    if ended.status is None:
        remark = f"not finished in {limit:.0f} s"
    elif ended.status:
        remark = f"not done, exit status {ended.status}: {ended.output.strip()[-1000:]}"
    elif size.changed:
        remark = _amiss(pair, size.changed)
    else:
        remark = "" if _versions(pair) == before else "it changed something"
    hosts = {name: cost_of(pair, name) for name in pair.hosts}
    shown = [f"{command.where}$ {' '.join(command.argv)}" for command in commands]
    # What is published must not tell of the machine it was measured on.
    shown = [line.replace(str(pair.folder), "PAIR") for line in shown]
    shown = [line.replace(sys.executable, "python") for line in shown]
    return Figure(tool.name, version, tool.release, *size, hosts, round(seconds, 1), remark, shown)


def cost_of(pair: Pair, name: str) -> HostCost:
    """Return what was counted on a host since the last `forget`."""
    processes = list(pair.hosts[name].processes)
    verbs = Counter(" ".join(argv[:2]) for argv in processes)
    streams = sum(_is_stream(argv) for argv in processes)
    executions = sum(host == name for host, _ in pair.executions)
    return HostCost(len(processes), executions, streams, dict(sorted(verbs.items())))


def _is_stream(argv: tuple[str, ...]) -> bool:
    """Tell whether it is one end of a stream, and no question or trial."""
    match argv[1:]:
        case ("send", *rest):
            short = "".join(word for word in rest if word[:1] == "-" and word[:2] != "--")
            return "n" not in short and "zfs_autobackup_option_test" not in rest
        case ("receive" | "recv", *rest):
            return "-A" not in rest and "zfs_autobackup_option_test" not in rest
    return False


def _versions(pair: Pair) -> dict[str, list[tuple[str, list[int]]]]:
    return {
        name: [
            (dataset.name, [snapshot.guid for snapshot in dataset.snapshots])
            for dataset in host.cell.read().datasets.values()
        ]
        for name, host in pair.hosts.items()
    }


def _amiss(pair: Pair, changed: int) -> str:
    """Tell what was not done, or done too much; nothing where all is as asked."""
    sender, receiver = (pair.hosts[name].cell.read() for name in (SENDER, RECEIVER))
    trees = [name for name, dataset in sender.datasets.items() if dataset.snapshots]
    wrong = []
    for what, is_wrong in (
        ("without a snapshot of today", lambda name: _newest(sender, name)[1] < today()),
        ("not replicated", lambda name: _guid(sender, name) != _guid(receiver, _at(name))),
        ("not pruned on the sender", lambda name: _count(sender, name) != KEEP),
        ("not pruned on the receiver", lambda name: _count(receiver, _at(name)) != KEEP),
    ):
        if number := sum(map(is_wrong, trees)):
            wrong.append(f"{number} of {len(trees)} filesystems {what}")
    sent = sum(map(_is_stream, pair.hosts[SENDER].processes))
    if sent != changed:
        wrong.append(f"{sent} streams for {changed} filesystems: some were tried again")
    return "; ".join(wrong)


def _at(name: str) -> str:
    return f"{TARGET}/{name}"


def _newest(machine: Machine, name: str) -> tuple[int, int]:
    newest = machine.datasets[name].snapshots[-1]
    return newest.guid, newest.creation


def _guid(machine: Machine, name: str) -> int:
    return _newest(machine, name)[0]


def _count(machine: Machine, name: str) -> int:
    return len(machine.datasets[name].snapshots)
