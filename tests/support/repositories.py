"""Real git repositories for tests, the same on every machine whoever its user is."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_WHO = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (
        ("NAME", "Test"),
        ("EMAIL", "test@example.com"),
        ("DATE", "2026-11-22T23:15:00Z"),
    )
}
_NO_CONFIGURATION = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository with a work tree."""

    path: Path

    @classmethod
    def make(cls, path: Path, files: Mapping[str, str]) -> "Repository":
        """Make one, on branch main, with a first commit of these files."""
        path.mkdir(parents=True)
        made = cls(path)
        made.git("init", "-q", "-b", "main")
        made.commit(files)
        return made

    def git(self, *words: str, given: bytes = b"") -> str:
        """Run a git command and return what it prints."""
        environment = os.environ | _WHO | _NO_CONFIGURATION
        command = ["git", "-C", str(self.path), *words]
        done = subprocess.run(
            command, env=environment, check=True, capture_output=True, input=given
        )
        return os.fsdecode(done.stdout.strip())

    def commit(self, files: Mapping[str, str | None]) -> str:
        """Write files (None: remove one), commit all that is there, and return the commit's id."""
        for name, text in files.items():
            file = self.path / name
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
        self.git("add", "--all")
        self.git("commit", "-q", "-m", "x", "--allow-empty")
        return self.head

    @property
    def head(self) -> str:
        """The id of the commit that is checked out."""
        return self.git("rev-parse", "HEAD")
