"""Programs of this machine: run them, as root where that is needed, and tell how far we are."""

import os
import shlex
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from .errors import CommandError

_BEGAN = time.monotonic()
_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}


def say(message: str) -> None:
    """Print one line of progress with the seconds since this program began."""
    print(f"[lab {time.monotonic() - _BEGAN:5.0f} s] {message}", flush=True)


def as_root(argv: Sequence[str]) -> list[str]:
    """Return the command as root would run it: unchanged, or behind sudo."""
    if os.geteuid() == 0:
        return list(argv)
    # sudo drops the environment, so it is given again.
    settings = [f"{name}={value}" for name, value in _ENVIRONMENT.items()]
    return ["sudo", "-n", "env", *settings, *argv]


def contained(argv: Sequence[str]) -> list[str]:
    """Return the command as root in namespaces of its own: when it or we end, all of it ends.

    What it mounts is never seen outside, and a crash leaves neither mounts nor programs behind.
    """
    namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return as_root(["setpriv", "--pdeathsig", "KILL", *namespaces, *argv])


def run(argv: Sequence[str], *, log: Path | None = None, cwd: Path | None = None) -> str:
    """Run a program to its end and return its output; raise CommandError with it otherwise.

    With `log` the output goes (appended) to that file, where it can be followed while it runs.
    """
    with (log or Path(os.devnull)).open("ab") as sink:
        done = subprocess.run(
            argv,
            cwd=cwd,
            env=os.environ | _ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=sink if log else subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    output = log.read_text(errors="replace") if log else done.stdout.decode(errors="replace")
    if done.returncode != 0:
        raise CommandError(shlex.join(argv), done.returncode, output)
    return output
