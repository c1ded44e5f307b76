"""`make bench`: measure, print, and write the results as JSON.

python -m tests.bench                                  everything
python -m tests.bench times                            how long things take
python -m tests.bench peers --filesystems 10,100       processes and executions, beside peers
python -m tests.bench scale --large                    the cost of many versions
python -m tests.bench streams                          how fast streams go, on the lab's real ZFS
python -m tests.bench wall                             cycles on the lab's real ZFS, beside peers
python -m tests.bench page                             docs/benchmarks.md from the JSON
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench import document
from tests.bench.page import page
from tests.bench.peers.economy import Figure, figures
from tests.bench.peers.history import Size
from tests.bench.peers.tools import TOOLS
from tests.bench.scale import LARGE, VERSIONS, costs
from tests.bench.streams import throughput
from tests.bench.times import times
from tests.bench.wall.measure import walls

DOCS = Path(__file__).parents[2] / "docs"
RESULTS = DOCS / "benchmarks.json"
PARTS = ("times", "peers", "wall", "scale", "streams")


def main() -> None:
    """Measure what is asked for."""
    # Servers and hosts that were started are stopped then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    asked = _asked(sys.argv[1:])
    if "page" in asked.parts:
        (DOCS / "benchmarks.md").write_text(page(document.read(asked.json)))
        return
    for part in asked.parts or PARTS:
        run = document.run_of(part, sys.argv[1:])
        for figure in MEASURES[part](asked):
            # What was measured is not lost when the rest is ended.
            run["figures"].append(figure)
            document.put(asked.json, run)


def _asked(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", choices=(*PARTS, "page"))
    parser.add_argument("--json", type=Path, default=RESULTS, help="the file of the results")
    peers = parser.add_argument_group("peers")
    peers.add_argument("--filesystems", type=_numbers, default=[10, 100, 1000])
    peers.add_argument("--share", type=float, default=0.1, help="of the filesystems is late")
    peers.add_argument("--tools", default=",".join(TOOLS), help="of " + ", ".join(TOOLS))
    peers.add_argument("--limit", type=float, default=900, help="seconds for one cycle")
    peers.add_argument("--scratch", type=Path, help="where peers are installed, and stay")
    scale = parser.add_argument_group("scale")
    scale.add_argument("--large", action="store_true", help=f"{LARGE:,} versions, too")
    scale.add_argument("--step", action="append", default=[], help="only those with it in the name")
    scale.add_argument("--runs", type=int, default=3, help="of each step; the quickest counts")
    streams = parser.add_argument_group("streams")
    streams.add_argument("--mebibytes", type=int, default=64, help="of noise in each stream")
    streams.add_argument("--turns", type=int, default=5, help="of each way; the median counts")
    wall = parser.add_argument_group("wall")
    wall.add_argument("--real", type=int, default=30, help="filesystems on real ZFS")
    wall.add_argument("--cycles", type=int, default=3, help="with nothing to do; the median counts")
    wall.add_argument("--contestants", default="reconciler,bzfs,zfs-autobackup")
    return parser.parse_args(argv)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _times(_: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for time in times():
        print(f"{time.what:58} {time.figure:>10}   {time.remark}", flush=True)
        yield time._asdict()


def _peers(asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Each tool with each number of filesystems."""
    with tempfile.TemporaryDirectory(prefix="peers-", ignore_cleanup_errors=True) as folder:
        scratch = asked.scratch or Path(folder)
        scratch.mkdir(parents=True, exist_ok=True)
        for filesystems in asked.filesystems:
            size = Size(filesystems, max(1, round(filesystems * asked.share)))
            for name in asked.tools.split(","):
                for figure in figures(TOOLS[name], size, scratch.absolute(), asked.limit):
                    _show(figure)
                    yield asdict(figure)


def _show(figure: Figure) -> None:
    cost = "  ".join(
        f"{name}: {host.processes} zfs/zpool, {host.executions} executions ({host.streams} streams)"
        for name, host in figure.hosts.items()
    )
    size = f"{figure.changed} of {figure.filesystems} changed"
    print(
        f"{figure.tool:24} {size:20} {figure.seconds:6.1f} s  {cost}  {figure.remark}", flush=True
    )


def _scale(asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for cost in costs([*VERSIONS, LARGE] if asked.large else VERSIONS, asked.runs, asked.step):
        print(
            f"{cost.what:34} {cost.versions:>10,} versions {cost.seconds:7.1f} s"
            f" {cost.peak_mib:7,.0f} MiB  {cost.remark}",
            flush=True,
        )
        yield cost._asdict()


def _wall(asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="peers-", ignore_cleanup_errors=True) as folder:
        scratch = asked.scratch or Path(folder)
        scratch.mkdir(parents=True, exist_ok=True)
        size = Size(asked.real, max(1, asked.real // 3))
        tools = asked.contestants.split(",")
        for found in walls(size, asked.cycles, tools, scratch.absolute()):
            print(
                f"{found.tool:16} {found.what:16} {found.many:5} of {found.filesystems}"
                f" {found.seconds:7.1f} s  {found.remark}",
                flush=True,
            )
            yield found._asdict()


def _streams(asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for found in throughput(asked.mebibytes, asked.turns):
        print(
            f"{found.way:8} {found.ours:7.1f} MiB/s, by hand {found.by_hand:7.1f} MiB/s:"
            f" {found.share:.2f}  {found.remark}",
            flush=True,
        )
        yield found._asdict()


MEASURES = {
    "times": _times,
    "peers": _peers,
    "wall": _wall,
    "scale": _scale,
    "streams": _streams,
}

if __name__ == "__main__":
    main()
