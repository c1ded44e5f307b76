"""Find the image in the cache, or build it there once from its recipe.

A build works in a folder of its own and becomes the image by one rename, so a crash leaves nothing
that looks like an image. A lock makes a second builder wait for the first and then find its image.
"""

import fcntl
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from . import apt, cpio, hostneeds, places
from .buildroot import BuildRoot, make_root
from .commands import as_root, run, say
from .errors import LabError
from .image import Image, cached
from .recipe import DEBIAN_12, Recipe


def find_or_build(recipe: Recipe = DEBIAN_12) -> Image:
    """Return the image of the recipe; build it first if this is its first use."""
    places.cache().mkdir(parents=True, exist_ok=True)
    with _only_builder(places.cache() / f"{recipe.digest()}.lock"):
        hostneeds.install(recipe)
        image = cached(recipe)
        if image:
            return image
        if reason := hostneeds.why_no_build(recipe):
            raise LabError(reason)
        return _build(recipe, places.cache() / recipe.digest())


@contextmanager
def _only_builder(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another build is running, waiting for it ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(recipe: Recipe, target: Path) -> Image:
    """Build in a folder beside the target and rename at the end."""
    began = time.monotonic()
    for leftover in target.parent.glob(f"{target.name}.building-*"):
        run(as_root(["rm", "-rf", "--one-file-system", str(leftover)]))
    work = Path(tempfile.mkdtemp(prefix=f"{target.name}.building-", dir=target.parent))
    work.chmod(0o755)
    try:
        out = _build_in(work, recipe)
        out.rename(target)
    finally:
        run(as_root(["rm", "-rf", "--one-file-system", str(work)]))
    say(f"image built in {time.monotonic() - began:.0f} s: {target}")
    return Image(target)


def _build_in(work: Path, recipe: Recipe) -> Path:
    out, guest_root = work / "out", work / "guest"
    for folder in (out, guest_root):
        folder.mkdir()
    view = apt.open_view(work / "apt", recipe.suite)
    say("making the build root and the guest's root (first use only, about half a minute) ...")
    with ThreadPoolExecutor() as pool:
        guest = pool.submit(make_root, guest_root, view, recipe.guest, places.GUEST_FILES)
        build = BuildRoot.make(work, view, recipe)
        say(f"building the ZFS module for Linux {build.kernel}, 2 to 5 minutes ...")
        build.script("build-module", build.kernel)
        guest.result()
    say("assembling the image ...")
    build.script("assemble", build.kernel, *recipe.initramfs_modules)
    (out / "initramfs").write_bytes(_initramfs(out))
    for part in ("modules", "busybox"):
        run(as_root(["rm", "-r", str(out / part)]))
    facts = {"kernel": build.kernel, "suite": recipe.suite, "module": build.module_version}
    (out / "image.json").write_text(json.dumps(facts, indent=2) + "\n")
    shutil.copy(build.log, out / "build.log")
    return out


def _initramfs(out: Path) -> bytes:
    """Pack the first program, its busybox and the modules that reach the root."""
    folders = ("bin", "dev", "proc", "modules", "lower", "upper", "root")
    init = places.GUEST_FILES / "initramfs-init"
    modules = sorted((out / "modules").iterdir())
    entries = [
        *(cpio.folder(name) for name in folders),
        cpio.console(),
        cpio.file("init", init.read_bytes(), 0o755),
        cpio.file("bin/busybox", (out / "busybox").read_bytes(), 0o755),
        *(cpio.file(f"modules/{module.name}", module.read_bytes()) for module in modules),
    ]
    return cpio.archive(entries)
