"""How long things take: the median of several runs, each with what it is to be compared to."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from reconciler.forecast.forecast import Ask, forecast
from reconciler.hosts.addresses import HostAddress, LocalAddress, SshOptions
from reconciler.hosts.fleet import Fleet
from reconciler.hosts.script import Script, Step
from reconciler.planner.planning import plan
from reconciler.zfs.parse import parse_versions
from tests.bench import simulated
from tests.bench.idle import idle_cost
from tests.bench.worlds import NOW, steady_world, thousand_specs, version_rows
from tests.integration.server import SSHD, Sshd
from tests.lab.machines import why_not
from tests.support.worlds import desired

MEBIBYTE = 1 << 20


class Time(NamedTuple):
    """One figure."""

    what: str
    figure: str
    remark: str


def times() -> Iterator[Time]:
    """Measure everything."""
    with tempfile.TemporaryDirectory() as folder:
        yield from commands(Path(folder))
        yield from planner()
        yield from parser()
        yield from cycles(Path(folder) / "cycle")
        yield from forecasts()
        yield from transport(Path(folder))
        yield from idle(Path(folder) / "idle")


def commands(folder: Path) -> Iterator[Time]:
    """Whole processes, as a user starts them."""
    reconciler = [sys.executable, "-m", "reconciler.cli.main"]
    yield time_of(
        "reconciler --help", timed(lambda: run([*reconciler, "--help"])), "under 300 ms asked"
    )
    yield time_of("python -c pass", timed(lambda: run([sys.executable, "-c", "pass"])), "the floor")
    specs = folder / "specs"
    thousand_specs(specs)
    validate = [*reconciler, "validate", "-f", str(specs)]
    yield time_of(
        "reconciler validate, 1,000 replications", timed(lambda: run(validate)), "under 1 s asked"
    )


def planner() -> Iterator[Time]:
    """The pure function, on a world in which nothing and in which everything is to be done."""
    for hosts, filesystems, versions in ((1, 100, 50), (10, 100, 50)):
        size = f"{hosts} hosts x {filesystems} filesystems x {versions} versions"
        world = steady_world(hosts, filesystems, versions)
        yield time_of(f"plan: {size}, in order", timed(partial(plan, *world, NOW)), "")
        yield time_of(f"plan: {size}, all due", timed(partial(plan, *world, NOW + 3600)), "")


def parser() -> Iterator[Time]:
    """Rows of the largest listing."""
    rows = 100_000
    text = version_rows(rows)
    seconds = timed(lambda: parse_versions(text))
    yield time_of(f"parse {rows:,} versions", seconds, f"{rows / seconds:,.0f} rows/s")


def cycles(folder: Path) -> Iterator[Time]:
    """Observe, plan and apply on simulated hosts, each with its state in a file."""
    simulated.prepare(folder)
    size = f"{2 * simulated.PAIRS} x {simulated.FILESYSTEMS} x {simulated.VERSIONS}"
    seconds = simulated.next_cycle(folder)
    yield time_of(f"cycle on simulated hosts, {size}, all due", seconds, "under 10 s asked")


def forecasts() -> Iterator[Time]:
    """Two years of quarter hours for a hundred filesystems, from nothing."""
    names = " ".join(f"tank/f{number}" for number in range(100))
    specs = desired(
        f"web: alpha {names} every 15m keep hourly 24 daily 7"
        " -> vault keep hourly 48 daily 30 monthly 12"
    )
    ask = Ask(NOW, 2 * 365 * 86_400, rate=10_000.0, size=1 << 36)
    began = time.perf_counter()
    forecast(specs, None, ask)
    taken = time.perf_counter() - began
    what = "forecast of 2 years, 100 filesystems, every 15m"
    yield time_of(what, taken, "once; under 60 s asked")


def transport(folder: Path) -> Iterator[Time]:
    """64 MiB of output, through a real sshd and without."""
    script = Script((Step("big", ("head", "-c", str(64 * MEBIBYTE), "/dev/zero")),))
    quick = Script((Step("true", ("true",)),))
    local = HostAddress("local", LocalAddress())
    with Fleet({"local": local}, SshOptions()) as fleet:
        seconds = timed(lambda: fleet.host("local").run(script, timeout=60))
        yield time_of("64 MiB output, local", seconds, f"{64 / seconds:.0f} MiB/s")
        yield time_of(
            "one script, local", timed(lambda: fleet.host("local").run(quick, timeout=60)), ""
        )
    if not SSHD.exists():
        yield Time("ssh", "", f"not run: {SSHD} is not installed")
        return
    sshd = Sshd(folder / "sshd")
    sshd.start()
    host = sshd.host()
    try:
        began = time.perf_counter()
        host.run(quick, timeout=60)
        yield time_of(
            "connect and one script, ssh on loopback", time.perf_counter() - began, "once"
        )
        yield time_of("one script, ssh, connected", timed(lambda: host.run(quick, timeout=60)), "")
        seconds = timed(lambda: host.run(script, timeout=60))
        yield time_of("64 MiB output, ssh", seconds, f"{64 / seconds:.0f} MiB/s; under 2 s asked")
    finally:
        host.close()
        sshd.stop()


def idle(folder: Path) -> Iterator[Time]:
    """A controller and three hosts where nothing happens; needs the lab."""
    if reason := why_not():
        yield Time("an idle controller", "", f"not run: {reason}")
        return
    folder.mkdir()
    for what, figure, remark in idle_cost(folder):
        yield Time(what, figure, remark)


def timed(work: Callable[[], object], runs: int = 5) -> float:
    """Return the median seconds of several runs after one that does not count."""
    work()
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def run(argv: list[str]) -> None:
    """Run a command that has to succeed."""
    subprocess.run(argv, check=True, capture_output=True)


def time_of(what: str, seconds: float, remark: str) -> Time:
    """Return a figure of seconds."""
    return Time(what, f"{seconds * 1000:.0f} ms", remark)
