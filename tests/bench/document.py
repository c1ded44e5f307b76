"""The results of benchmarks as JSON: runs, each with its conditions and figures.

A run replaces an earlier one of the same command.
"""

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler import __version__

FORMAT = "reconciler-bench/1"

Document = dict[str, Any]
Run = dict[str, Any]


def run_of(part: str, arguments: Sequence[str]) -> Run:
    """Return a run of a part, without figures: when and where it is, and the command that does it.

    To be called before it begins: the tree may change meanwhile.
    """
    return {
        "part": part,
        "made": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "command": shlex.join(["python", "-m", "tests.bench", *arguments]),
        "revision": _revision(),
        "reconciler": __version__,
        "machine": machine(),
        "figures": [],
    }


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def read(path: Path) -> Document:
    """Return the results in a file, none where there is no file."""
    if not path.exists():
        return {"format": FORMAT, "runs": []}
    found: Document = json.loads(path.read_text())
    if found.get("format") != FORMAT:
        sys.exit(f"{path}: this is no {FORMAT}")
    return found


def put(path: Path, run: Run) -> None:
    """Put a run into a file."""
    document = read(path)
    others = [other for other in document["runs"] if not _same(other, run)]
    document["runs"] = [*others, run]
    path.write_text(json.dumps(document, indent=1) + "\n")


def _same(one: Run, other: Run) -> bool:
    return (one["part"], one["command"]) == (other["part"], other["command"])


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _revision() -> str:
    """Return the commit, with `+changes` where files differ from it other than the results."""
    changes = _git("status", "--porcelain", "--", ".", ":!docs/benchmarks.*")
    return _git("rev-parse", "--short", "HEAD") + ("+changes" if changes else "")


def _git(*arguments: str) -> str:
    argv = ["git", *arguments]
    root = Path(__file__).parents[2]
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=False)
    return done.stdout.strip()
