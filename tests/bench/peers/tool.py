"""What is measured: a tool, how it is installed, what it finds on the hosts and what it is told."""

import subprocess
import sys
from pathlib import Path
from typing import Protocol

from tests.bench.peers.history import Size
from tests.bench.peers.pair import Command, Hosts, Pair


class Unavailable(Exception):
    """Raised where a tool can't be had here: the text says why."""


class Tool(Protocol):
    """One of those that are compared."""

    @property
    def name(self) -> str:
        """What the table calls it."""
        ...

    @property
    def release(self) -> str:
        """The OpenZFS of the hosts."""
        ...

    def install(self, scratch: Path) -> str:
        """Make it ready in a folder and return its version; raise Unavailable."""
        ...

    def hosts(self, size: Size, folder: Path) -> Hosts:
        """Return the history, with what the tool itself would have left there."""
        ...

    def cycle(self, pair: Pair) -> list[Command]:
        """Return what a user's cron runs for one cycle: snapshot, replicate, prune on both."""
        ...


def run_or_unavailable(argv: list[str], cwd: Path) -> str:
    """Return what a command printed; raise Unavailable if it fails."""
    try:
        done = subprocess.run(
            argv, cwd=cwd, capture_output=True, text=True, check=False, timeout=600
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{argv[0]}: {error}") from error
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Unavailable(f"{' '.join(argv[:4])} ...: {' '.join(last)}")
    return done.stdout


def virtual_environment(folder: Path, package: str) -> Path:
    """Return the programs of a virtual environment that has a package of PyPI."""
    python = folder / "bin" / "python"
    if not python.exists():
        run_or_unavailable([sys.executable, "-m", "venv", str(folder)], folder.parent)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run_or_unavailable([*pip, package], folder)
    return folder / "bin"
