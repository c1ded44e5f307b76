"""Copies of the working tree in which things are broken, so that nobody else's are."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.mutations.mutation import Mutation

ROOT = Path(__file__).parents[2]
TIME_LIMIT = 120.0
"""Seconds for the tests of one mutation."""

_FAILED = ("FAILED ", "ERROR ")


class Ran(NamedTuple):
    """What a run of pytest came to."""

    status: int
    output: str

    @property
    def first_failed(self) -> str:
        """The id of the first test that failed."""
        lines = (line for line in self.output.splitlines() if line.startswith(_FAILED))
        return next(lines, "").partition(" ")[2].partition(" - ")[0]


@dataclass(frozen=True, slots=True)
class Tree:
    """A copy of what is in the working tree, committed or not."""

    folder: Path

    @classmethod
    def copied(cls, folder: Path) -> "Tree":
        """Return a new copy in a folder; its modules are compiled, since Python starts often."""
        for name in _files():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
        tree = cls(folder)
        tree.python("-m", "compileall", "-q", "reconciler", "tests/support")
        tree.check_imports()
        return tree

    def check_imports(self) -> None:
        """See to it that this copy is tested, not what is installed."""
        found = self.python("-c", "import reconciler; print(reconciler.__file__)").strip()
        if not Path(found).is_relative_to(self.folder):
            raise RuntimeError(
                f"the tests would import {found} instead of what is in {self.folder}"
            )

    def python(self, *arguments: str) -> str:
        """Run Python in the copy and return what it printed."""
        argv = [sys.executable, *arguments]
        done = subprocess.run(
            argv,
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def test(self, tests: Sequence[str], *options: str, timeout: float = TIME_LIMIT) -> Ran:
        """Run tests up to the first failure. Raises subprocess.TimeoutExpired."""
        argv = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=short", *options, *tests]
        done = subprocess.run(
            argv,
            cwd=self.folder,
            env=self._environment() | {"PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
        return Ran(done.returncode, done.stdout + done.stderr)

    @contextmanager
    def broken(self, mutation: Mutation) -> Iterator[None]:
        """Break something for a while.

        The file's time is one that the compiled module does not have, and afterwards its own again.
        """
        path = self.folder / mutation.file
        text, times = path.read_text(), path.stat()
        path.write_text(mutation.applied(text))
        os.utime(path, (0, 0))
        try:
            yield
        finally:
            path.write_text(text)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def _environment(self) -> dict[str, str]:
        """Return the environment, in which everything is the same every time.

        With CI so are the examples of properties, and they are not kept.
        """
        kept = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
        return kept | {
            "PYTHONPATH": str(self.folder),
            "PYTHONHASHSEED": "0",
            "CI": "true",
            "HYPOTHESIS_PROFILE": "mutations",
            "HYPOTHESIS_STORAGE_DIRECTORY": str(self.folder / ".hypothesis"),
        }


def _files() -> Iterator[str]:
    """Yield the files of the working tree that git knows or would know."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = (name for name in listed.stdout.split("\0") if name)
    yield from (name for name in dict.fromkeys(names) if (ROOT / name).is_file())
