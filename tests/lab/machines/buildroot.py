"""The two roots of a build: one with a compiler that is thrown away, one that becomes the guest's.

Both are made by mmdebstrap from the private view of the machine's sources. Scripts run inside the
build root.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from . import places
from .apt import View
from .commands import contained, run
from .errors import LabError
from .recipe import Recipe

_NO_DOCS = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")

# Arguments: work folder, script, the script's own arguments.
_ENTER = """
work=$1; root=$work/build; shift
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
for part in guest out downloads scripts; do
    mkdir -p "$root/$part"
    mount --bind "$work/$part" "$root/$part"
done
script=$1; shift
exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \\
    sh "/scripts/$script" "$@"
"""


@dataclass(frozen=True)
class BuildRoot:
    """A root with a compiler and the kernel's headers, in the folder of one build."""

    work: Path
    kernel: str
    module_version: str

    @property
    def log(self) -> Path:
        """Return the file with everything the build's programs said."""
        return self.work / "build.log"

    @classmethod
    def make(cls, work: Path, view: View, recipe: Recipe) -> Self:
        """Make the root and download what is not installed but only unpacked."""
        make_root(work / "build", view, recipe.build)
        headers = work / "build" / "usr" / "lib" / "modules"
        kernel = next(folder.name for folder in headers.iterdir())
        downloads = work / "downloads"
        downloads.mkdir()
        packages = (f"{recipe.kernel_prefix}{kernel}", recipe.module_source)
        view.get("download", *packages, cwd=downloads)
        _unpack(downloads, packages[0], "kernel")
        version = _unpack(downloads, packages[1], "zfs-source")
        scripts = work / "scripts"
        scripts.mkdir()
        for script in places.GUEST_FILES.iterdir():
            (scripts / script.name).write_bytes(script.read_bytes())
        return cls(work, kernel, version)

    def script(self, name: str, *arguments: str) -> None:
        """Run one of the guest's files inside the root."""
        enter = ["sh", "-euc", _ENTER, "enter", str(self.work), name, *arguments]
        run(contained(enter), log=self.log)


def make_root(
    root: Path, view: View, packages: Sequence[str], customize: Path | None = None
) -> None:
    """Make a minimal root with these packages; copy `customize` to /lab and run its script."""
    settings = view.folder / "acquire.conf"
    settings.write_text(run(["apt-config", "dump", "Acquire::http", "Acquire::https"]))
    hooks = [] if customize is None else _customized_by(customize)
    command = ["mmdebstrap", "--mode=root", "--variant=minbase", f"--aptopt={settings}"]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in _NO_DOCS]
    command += [f"--include={','.join(packages)}", *hooks, "--", view.suite, str(root)]
    run(contained([*command, str(view.sources)]), log=root.with_suffix(".mmdebstrap.log"))


def _customized_by(files: Path) -> list[str]:
    return [
        f'--customize-hook=cp -r {shlex.quote(str(files))} "$1/lab"',
        '--customize-hook=chroot "$1" sh /lab/customize',
    ]


def _unpack(downloads: Path, package: str, folder: str) -> str:
    """Unpack a downloaded package and return its upstream version."""
    found = sorted(downloads.glob(f"{package}_*.deb"))
    if not found:
        raise LabError(f"apt downloaded no package {package}")
    run(["dpkg-deb", "-x", str(found[0]), str(downloads / folder)])
    return found[0].name.split("_")[1].partition("-")[0]
