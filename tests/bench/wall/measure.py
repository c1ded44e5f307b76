"""The cycles of each tool on real ZFS, timed."""

import os
import shutil
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.bench.peers.history import KEEP, Size
from tests.bench.peers.pair import Command, Ended
from tests.bench.peers.tool import Unavailable
from tests.bench.wall.contestants import CONTESTANTS, Contestant
from tests.bench.wall.ground import Ground
from tests.lab.machines import Lab, start, why_not

LIMIT = 900.0
"""Seconds for one cycle."""

EXTRA = 17
"""Snapshots of each filesystem that are to be pruned."""

IDLE, CHANGED, PRUNE = "nothing to do", "K of N changed", "prune"


class Wall(NamedTuple):
    """How long one thing took."""

    tool: str
    version: str
    what: str
    filesystems: int
    many: int
    """Filesystems that changed, or snapshots that were pruned."""
    seconds: float
    """The median."""
    runs: int
    remark: str


def walls(size: Size, runs: int, names: Sequence[str], scratch: Path) -> Iterator[Wall]:
    """Measure each tool; one whose remark begins with `not` has no figures."""
    chosen = [one for one in CONTESTANTS if one.name in names]
    if reason := why_not():
        yield from (Wall(one.name, "", IDLE, *size, 0, 0, f"not run: {reason}") for one in chosen)
        return
    wish = os.environ.get("RECONCILER_LAB", "")
    with tempfile.TemporaryDirectory(prefix="wall-") as parent:
        lab = Lab.attach(Path(wish)) if wish else start(dir=Path(parent) / "run")
        try:
            for one in chosen:
                folder = Path(parent) / one.name
                folder.mkdir()
                yield from _of(one, Ground(lab, folder), size, runs, scratch)
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            lab.hang_up() if wish else lab.stop()


def _of(tool: Contestant, ground: Ground, size: Size, runs: int, scratch: Path) -> Iterator[Wall]:
    try:
        version = tool.install(scratch)
    except Unavailable as why:
        yield Wall(tool.name, "", IDLE, *size, 0, 0, f"not run: {why}")
        return
    for measured in (_cycles(tool, ground, size, runs), _prune(tool, ground, size)):
        for what, many, seconds, remark in measured:
            times = len(seconds)
            middle = statistics.median(seconds) if seconds else 0.0
            yield Wall(tool.name, version, what, size.filesystems, many, middle, times, remark)


_Measured = Iterator[tuple[str, int, list[float], str]]


def _cycles(tool: Contestant, ground: Ground, size: Size, runs: int) -> _Measured:
    """Yield the cycle in which K of N are late, then some in which nothing is to be done."""
    ground.begin(size, tool.parents)
    ground.live(size, KEEP, tool.label, tool.options)
    tool.prepare(ground)
    # Each step leaves its files where the next one does: so one is made after the other was run.
    for prepare in (tool.first, partial(_punctual, tool, size=size)):
        ended, _ = ground.run(prepare(ground), LIMIT)
        if ended.status != 0:
            yield CHANGED, size.changed, [], _failed("not prepared", ended)
            return
    if unlike := ground.unprepared(size, days=tool.has_periods):
        yield CHANGED, size.changed, [], f"not prepared: {unlike}"
        return
    ground.write(size.late)
    took, remark = _timed(ground, tool.cycle(ground))
    remark = remark or ground.amiss(size)
    yield CHANGED, size.changed, took, remark
    if remark.startswith("not "):
        return
    idle: list[float] = []
    for _ in range(runs):
        took, remark = _timed(ground, tool.cycle(ground))
        idle += took
        if remark := remark or ground.amiss(size):
            break
    yield IDLE, 0, idle, remark


def _punctual(tool: Contestant, ground: Ground, *, size: Size) -> list[Command]:
    ground.write(size.punctual)
    return tool.cycle(ground, size.late)


def _prune(tool: Contestant, ground: Ground, size: Size) -> _Measured:
    ground.begin(size, tool.parents)
    ground.live(size, KEEP + EXTRA, tool.label, tool.options, until=0)
    tool.prepare(ground)
    took, remark = _timed(ground, tool.prune(ground))
    yield PRUNE, size.filesystems * EXTRA, took, remark or ground.unpruned(size)


def _timed(ground: Ground, commands: list[Command]) -> tuple[list[float], str]:
    ended, seconds = ground.run(commands, LIMIT)
    return ([seconds], "") if ended.status == 0 else ([], _failed("not done", ended))


def _failed(what: str, ended: Ended) -> str:
    if ended.status is None:
        return f"{what} in {LIMIT:.0f} s"
    return f"{what}, exit status {ended.status}: {ended.output.strip()[-300:]}"
