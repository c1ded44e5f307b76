"""`make mutations`: break one thing at a time and see that a test notices."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue

from tests.mutations.mutation import Mutation
from tests.mutations.mutations import MUTATIONS
from tests.mutations.tree import TIME_LIMIT, Ran, Tree

ALL_PASSED, SOME_FAILED = 0, 1
"""Exit statuses of pytest."""


def main() -> int:
    """Try the mutations that were asked for; 1 when one survived or could not be tried."""
    asked = _arguments()
    parts = [part.lower() for part in asked.names]
    chosen = [m for m in MUTATIONS if not parts or any(part in m.name.lower() for part in parts)]
    if asked.list:
        print("\n".join(f"{mutation.name}  ({_about(mutation)})" for mutation in chosen))
        return 0
    if not chosen:
        print("no mutation has this in its name")
        return 1
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        trees = [Tree.copied(Path(folder) / str(number)) for number in range(asked.jobs)]
        if not _all_well(trees, chosen):
            return 1
        told = [_tell(line) for line in _tried(trees, chosen)]
    killed = sum(line.startswith("killed") for line in told)
    seconds = time.monotonic() - began
    print(f"{len(told)} mutations, {killed} killed, {len(told) - killed} not; {seconds:.0f} s")
    return 0 if killed == len(told) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME-PART", help="only those with it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at once")
    parser.add_argument("--list", action="store_true", help="only say what would be broken")
    return parser.parse_args()


def _about(mutation: Mutation) -> str:
    about = (f"invariant {p}" if isinstance(p, int) else f"guard {p}" for p in mutation.protects)
    return ", ".join(about)


def _all_well(trees: Sequence[Tree], chosen: Sequence[Mutation]) -> bool:
    """See whether the tests pass while nothing is broken; else their failures say nothing."""
    tests = sorted({test for mutation in chosen for test in mutation.tests})
    ran = trees[0].test(tests, "-n", str(len(trees)), timeout=TIME_LIMIT * len(tests))
    if ran.status == ALL_PASSED:
        return True
    print(f"{ran.output}\nnothing is broken yet, and the tests fail")
    return False


def _tried(trees: Sequence[Tree], chosen: Sequence[Mutation]) -> Iterator[str]:
    """Yield a line for each mutation, as they are tried."""
    free: SimpleQueue[Tree] = SimpleQueue()
    for tree in trees:
        free.put(tree)

    def tried(mutation: Mutation) -> str:
        tree = free.get()
        try:
            return _try(tree, mutation)
        finally:
            free.put(tree)

    with ThreadPoolExecutor(max_workers=len(trees)) as pool:
        for done in as_completed([pool.submit(tried, mutation) for mutation in chosen]):
            yield done.result()


def _try(tree: Tree, mutation: Mutation) -> str:
    """Return what came of one mutation. A module that can't even be imported kills nothing."""
    try:
        with tree.broken(mutation):
            ran = tree.test(mutation.tests)
    except ValueError as error:
        return f"ERROR     {mutation.name}: {error}"
    except subprocess.TimeoutExpired:
        return f"ERROR     {mutation.name}: its tests did not end within {TIME_LIMIT:.0f} s"
    match ran:
        case Ran(status=0):
            return f"SURVIVED  {mutation.name}"
        case Ran(status=1):
            return f"killed    {mutation.name}  by {ran.first_failed}"
    return f"ERROR     {mutation.name}: pytest ended with {ran.status}\n{ran.output}"


def _tell(line: str) -> str:
    print(line, flush=True)
    return line


if __name__ == "__main__":
    sys.exit(main())
