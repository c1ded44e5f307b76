"""Asking the git program about a repository on this machine: nothing is fetched, run or changed."""

import os
import re
import subprocess
from pathlib import Path

from reconciler.desired.diagnostics import Position, SpecError

TIMEOUT = 20.0
"""Seconds for one answer; a large repository on a slow disk takes a few."""

_NOTHING_THERE = 1
"""The exit code of `git rev-parse --verify --quiet` for what does not exist."""

_CONFIGURATION = re.compile(r"GIT_CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|(KEY|VALUE)_[0-9]+)")


def environment() -> dict[str, str]:
    """Return an environment in which git asks nothing, locks nothing and finds its own way.

    What its configuration is stays: it says whose repositories are to be trusted.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or _CONFIGURATION.fullmatch(name)
    }
    return inherited | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def ask(repository: Path, *words: str, given: bytes = b"") -> bytes | None:
    """Return what a git command prints; None when it says without a word that nothing is there.

    Raises SpecError when the repository can't be asked. Looked at is the folder itself, never one
    above it: when a clone goes missing, the repository around it is not what was meant.
    """
    command = ["git", "-C", str(repository), *words]
    try:
        done = subprocess.run(
            command,
            env=_for_reading_only(repository),
            input=given,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except FileNotFoundError as error:
        raise failure(repository, "the git program is not here", "Install git.") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise failure(repository, f"git can't be asked: {error}") from error
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode == 0:
        return done.stdout
    if done.returncode == _NOTHING_THERE and not said:
        return None
    raise failure(repository, *_explained(repository, said or f"exit code {done.returncode}"))


def failure(repository: Path, summary: str, detail: str = "") -> SpecError:
    """Return the error that something is wrong with a repository."""
    return SpecError([Position(str(repository)).error(summary, detail)])


def _for_reading_only(repository: Path) -> dict[str, str]:
    """Return an environment in which objects are what their names say, and none are fetched."""
    return environment() | {
        "GIT_CEILING_DIRECTORIES": str(repository.parent),
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
    }


def _explained(repository: Path, said: str) -> tuple[str, str]:
    """Return what git complains of in our words, with what to do, as far as we know it."""
    if "dubious ownership" in said:
        trust = f"git config --global --add safe.directory {repository}"
        return (
            "git refuses to read the repository: it belongs to another user",
            f"Run the controller as that user, or trust it: `{trust}`.",
        )
    if "not a git repository" in said or "cannot change to" in said:
        return (
            "this is no git repository on this machine",
            "Name the top folder of a clone. Nothing is fetched: keep the clone up to date.",
        )
    return f"git says: {said.splitlines()[0].removeprefix('fatal: ')}", ""
