"""What the controller itself costs with many versions: reading what hosts say, planning, and
showing the plan. Each figure is made by a process of its own, so that its peak memory is its own.

Half of the versions are on senders with 100 filesystems each, half on one vault; ten versions a
filesystem. All that is read, planned or shown is one fleet.
"""

import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from reconciler.cli import main as cli
from reconciler.controller.keys import hosts_of, keys_of, part_of
from reconciler.hosts.script import Outcome, Transcript
from reconciler.observed.model import Seen
from reconciler.observed.read import read_probe
from reconciler.planner.planning import plan
from reconciler.report import plan_json
from reconciler.report.plan_text import plan_lines
from tests.bench import crowd, watched
from tests.bench.worlds import HOUR, NOW, fleet, listings

VERSIONS = (100_000, 1_000_000)
LARGE = 10_000_000

FILESYSTEMS, EACH = 100, 10
"""On one sender; versions of one filesystem."""


class Cost(NamedTuple):
    """One figure."""

    what: str
    versions: int
    seconds: float
    """Of the processor, of which one is used."""
    peak_mib: float
    """The whole process, with what it worked on."""
    before_mib: float
    """Of that, before it began: the interpreter and what it works on."""
    remark: str


def costs(sizes: Sequence[int], runs: int, wanted: Sequence[str] = ()) -> Iterator[Cost]:
    """Measure each step with each number of versions; the quickest of some runs counts.

    Others at work on the machine make it slower, never quicker. `wanted` are parts of steps' names,
    without any it is all of them.
    """
    crowded = HOSTS * crowd.FILESYSTEMS * crowd.VERSIONS
    each = [(OBSERVE, crowded, 1), *((step, size, runs) for size in sizes for step in _steps(size))]
    for step, versions, times in each:
        if not wanted or any(part in step for part in wanted):
            measured = (_measured(step, versions) for _ in range(times))
            yield min(measured, key=attrgetter("seconds"))


def _steps(versions: int) -> Iterable[str]:
    """Return what can be measured: of what all is due for, as JSON, there would be 5 GB."""
    return (COUNT, *(STEPS if versions < LARGE else AT_LARGE))


def _measured(step: str, versions: int) -> Cost:
    argv = [sys.executable, "-m", "tests.bench.scale", step, str(versions)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        why = done.stderr.strip().splitlines()[-1:] or [f"ended with {done.returncode}"]
        return Cost(step, versions, 0, 0, 0, f"not done: {why[0]}")
    return Cost(step, versions, **json.loads(done.stdout))


def _read(versions: int) -> Callable[[], str]:
    """Read the probe of one host that has them all."""
    roots = ("tank/data",)
    with tempfile.TemporaryDirectory() as folder:
        files = listings(Path(folder), versions // EACH, EACH)
        outcomes = {
            name: Outcome(0, file.read_text(encoding="ascii"), "") for name, file in files.items()
        }
    transcript = Transcript(outcomes)

    def work() -> str:
        seen = read_probe("host", roots, transcript, NOW)
        assert isinstance(seen, Seen), seen
        return f"one host, {len(seen.filesystems):,} filesystems"

    return work


def _plan(versions: int, later: int, *, alike: bool = True) -> Callable[[], str]:
    senders = versions // EACH // FILESYSTEMS // 2
    desired, observed = fleet(senders, FILESYSTEMS, EACH, alike=alike)

    def work() -> str:
        made = plan(desired, observed, NOW + later)
        assert bool(made.actions) == bool(later)
        return f"{len(observed):,} hosts, {len(made.actions):,} actions"

    return work


def _steady(versions: int) -> Callable[[], str]:
    """Plan where nothing is to be done."""
    return _plan(versions, 0)


def _each(versions: int) -> Callable[[], str]:
    """Plan where nothing is to be done and no two filesystems of a sender are alike."""
    return _plan(versions, 0, alike=False)


def _one(versions: int) -> Callable[[], str]:
    """Plan for one sender's key as the watch loop does, where nothing is to be done."""
    desired, observed = fleet(versions // EACH // FILESYSTEMS // 2, FILESYSTEMS, EACH)
    key = next(keys_of(desired))
    near = {host: observed[host] for host in hosts_of(key, desired)}

    def work() -> str:
        assert not part_of(plan(desired, near, NOW), key, desired).actions
        return f"{len(near)} of {len(observed):,} hosts"

    return work


def _due(versions: int) -> Callable[[], str]:
    """Plan where everything is to be done: a snapshot of each filesystem, sent, old ones gone."""
    return _plan(versions, HOUR)


def _shown(versions: int, show: Callable[[Any], int]) -> Callable[[], str]:
    desired, observed = fleet(versions // EACH // FILESYSTEMS // 2, FILESYSTEMS, EACH)
    made = plan(desired, observed, NOW + HOUR)
    return lambda: f"{show(made):,} characters"


def _text(versions: int) -> Callable[[], str]:
    """Show the plan in which everything is to be done, as text."""
    return _shown(versions, lambda made: sum(len(str(line)) for line in plan_lines(made)))


def _json(versions: int) -> Callable[[], str]:
    """Show it as JSON."""
    return _shown(versions, lambda made: len(plan_json.dumps(made)))


def _observe(versions: int) -> Callable[[], str]:
    """Observe many hosts through one real sshd."""
    hosts = versions // crowd.FILESYSTEMS // crowd.VERSIONS

    return lambda: crowd.crowd_cost(hosts).remark


def _count(_: int) -> Callable[[], str]:
    def work() -> str:
        number = 0
        while number < COUNTED:
            number += 1
        return "a while loop, to compare with other machines"

    return work


def _cycle(changed: int | None) -> Callable[[int], Callable[[], str]]:
    """A look and a plan of the watch loop, after so many filesystems have changed."""
    return lambda versions: watched.cycle(versions, EACH, changed)


STEPS = {
    "read the probe": _read,
    "plan, nothing due": _steady,
    "plan, nothing due, none alike": _each,
    "plan, one sender in watch": _one,
    "plan, all due": _due,
    "that plan as text": _text,
    "that plan as JSON": _json,
    "watch: the first look and plan": _cycle(None),
    "watch: the next, nothing changed": _cycle(0),
    "watch: the next, 1 changed": _cycle(1),
    "watch: the next, 100 changed": _cycle(100),
}


AT_LARGE = ("read the probe", "plan, nothing due")
COUNTED = 10_000_000
COUNT = "count to ten million"
"""What the same processor needs for a Python loop: others' machines are quicker or slower."""
OBSERVE, HOSTS = "observe hosts over ssh", 1000


def main() -> None:
    """Measure one step in this process, set up as the product's are, and print it as JSON."""
    step, versions = sys.argv[1:]
    gc.set_threshold(cli._GARBAGE)
    work = {**STEPS, OBSERVE: _observe, COUNT: _count}[step](int(versions))
    before = _peak()
    began = time.process_time()
    remark = work()
    seconds = round(time.process_time() - began, 3)
    found = {"seconds": seconds, "peak_mib": _peak(), "before_mib": before, "remark": remark}
    print(json.dumps(found))


def _peak() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
