"""Which commit specs come from, asked of the git program. Anything unusual means: not known."""

import subprocess
from pathlib import Path

from reconciler.desired.gitprogram import environment

TIMEOUT = 5.0


def revision(path: Path) -> str | None:
    """Return `branch@commit` of the specs, with `+changes` when they differ; None without git."""
    directory, names = (path, ["*.yaml", "*.yml"]) if path.is_dir() else (path.parent, [path.name])
    status = _status(directory, names)
    if status is None:
        return None
    facts = dict(line[2:].split(" ", 1) for line in status if line.startswith("# branch."))
    commit, head = facts.get("branch.oid", "(initial)"), facts.get("branch.head", "(detached)")
    if commit == "(initial)":
        return None
    branch = "detached" if head == "(detached)" else head
    changed = any(not line.startswith("#") for line in status)
    return f"{branch}@{commit[:7]}{'+changes' if changed else ''}"


def _status(directory: Path, names: list[str]) -> list[str] | None:
    """Ask for the commit and for what differs from it; ignored files differ, too."""
    command = ["git", "-c", "core.fsmonitor=false", "status", "--porcelain=v2", "--branch"]
    options = ["--untracked-files=all", "--ignored=traditional", "--", *names]
    try:
        done = subprocess.run(
            [*command, *options],
            cwd=directory,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace").splitlines()
