"""What the lab needs of the machine it runs on, and one sentence about what is missing."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import apt, image, places
from .commands import as_root, contained, say
from .errors import CommandError
from .recipe import DEBIAN_12, Recipe

# program -> package of Debian's that has it
PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "mmdebstrap": "mmdebstrap",
    "ssh": "openssh-client",
}
BUILD_SPACE = 3 * 1024**3


def why_not(recipe: Recipe = DEBIAN_12) -> str | None:
    """Return why the lab cannot work on this machine, or None if it can."""
    if sys.platform != "linux":
        return f"the lab runs Linux guests with QEMU on Linux, and this is {sys.platform}"
    if platform.machine() != "x86_64":
        return f"the lab's guests are amd64, and this machine is {platform.machine()}"
    if image.cached(recipe) and not _missing():
        return None
    return why_no_build(recipe)


def why_no_build(recipe: Recipe) -> str | None:
    """Return why the image or its tools cannot be made here, or None if they can."""
    if shutil.which("apt-get") is None:
        return "the lab is made from Debian's packages, and this machine has no apt-get"
    if not _can_be_root():
        return "making the lab needs root, or sudo without a password"
    if subprocess.run(contained(["true"]), capture_output=True, check=False).returncode != 0:
        return "making the lab needs to mount, which this machine forbids (a container? privileged)"
    if not apt.machine_sources(recipe.suite):
        return f"the lab is made from Debian {recipe.suite}, which this machine's apt does not have"
    free = shutil.disk_usage(_existing(places.cache())).free
    if free < BUILD_SPACE:
        return f"making the lab needs 3 GiB in {places.cache()}, and {free >> 20} MiB are free"
    return None


def install(recipe: Recipe) -> None:
    """Install the programs the lab calls, QEMU from the suite's backports where they are."""
    packages = [PROGRAMS[program] for program in _missing()]
    if not packages:
        return
    say(f"installing {', '.join(packages)} (first use only) ...")
    with tempfile.TemporaryDirectory(prefix="reconciler-lab-") as folder:
        view = apt.open_view(Path(folder), recipe.suite)
        command = ("install", "--yes", "--no-install-recommends")
        try:
            view.get(*command, f"--target-release={recipe.suite}-backports", *packages)
        except CommandError:
            view.get(*command, *packages)


def _missing() -> list[str]:
    return [program for program in PROGRAMS if shutil.which(program) is None]


def _can_be_root() -> bool:
    if os.geteuid() == 0:
        return True
    if shutil.which("sudo") is None:
        return False
    return subprocess.run(as_root(["true"]), capture_output=True, check=False).returncode == 0


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)
