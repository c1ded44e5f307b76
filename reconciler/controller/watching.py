"""Hearing at once that files changed. The only home of watchfiles.

What is heard is a hint, nothing more: the kernel tells of files, not of names. When a folder is put
in another one's place, or a symbolic link is turned (a Kubernetes volume's `..data`, git-sync's
`current`), whoever watches the old folder hears nothing ever again. So watched are, too, the
folders that hold a name on the way to the files, and when such a name changes, the way is found
anew. What is missed all the same (network file systems, files behind links) is found by looking
now and then, which is somebody else's business.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from watchfiles import Change, watch

GATHERED_MS = 500
"""Changes follow each other closely; also how often the thread wakes up, 0.6 s of CPU an hour."""

LOOK_MS = 5_000
"""How often the way to the files is found anew without any sign of a change."""

RETRY = 30.0
"""Seconds until watching is tried again where it did not work."""

_VANISHED = 1.0
"""Seconds until that when something was removed just as it was to be watched."""

_MOST_STEPS = 1_000
"""Names and links on the way to the files; more is a loop."""


class Watcher:
    """Calls a function from a thread of its own when files in a folder or below may have changed.

    `path` may be one file; it need not exist yet. `note` hears in a sentence when watching does not
    work; it is tried again and again. Neither function may raise.
    """

    def __init__(
        self, path: Path, on_change: Callable[[], None], note: Callable[[str], None]
    ) -> None:
        self._path = path
        self._on_change = on_change
        self._note = note
        self._noted = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch {path}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching; within a second no more calls come."""
        self._stop.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._watch()
            except FileNotFoundError:
                self._stop.wait(_VANISHED)
                self._on_change()
            except (OSError, RuntimeError) as error:
                self._say(f"changes of {self._path} are not heard at once: {error}")
                self._stop.wait(RETRY)

    def _watch(self) -> None:
        """Watch until the way to the files leads elsewhere, or there are other folders."""
        ground = survey(self._path)
        missed = True  # Perhaps: something may have changed before the kernel began to listen.
        for changes in watch(
            *ground.folders,
            watch_filter=ground.matters,
            debounce=3 * GATHERED_MS,
            step=GATHERED_MS,
            stop_event=self._stop,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
            recursive=False,
        ):
            moved = any(ground.leads(name) for _, name in changes) or survey(self._path) != ground
            if changes or moved or missed:
                self._on_change()
            missed = False
            if moved:
                return

    def _say(self, problem: str) -> None:
        """Say what is wrong, but not again and again."""
        if problem != self._noted:
            self._noted = problem
            self._note(problem)


@dataclass(frozen=True, slots=True)
class Ground:
    """What has to be watched to hear of every change."""

    folders: dict[str, tuple[int, int]]
    """Where something can change, with what tells apart a folder from one put in its place."""
    inside: frozenset[str]
    """Those of the folders in which every file matters; in the others only names on the way."""
    way: frozenset[str]
    """Names that the way to the files leads by."""

    def matters(self, _change: Change, name: str) -> bool:
        """Tell whether a change of this file says anything about ours."""
        return name in self.way or name.rpartition("/")[0] in self.inside

    def leads(self, name: str) -> bool:
        """Tell whether after a change of this name other folders may have to be watched."""
        return name in self.way or name in self.folders


def survey(path: Path) -> Ground:
    """Find out what there is to watch. Raises OSError."""
    way = list(_way(path))
    inside = list(_folders(path, ()))
    watched = {str(folder): folder.stat() for folder in [*inside, *(name.parent for name in way)]}
    return Ground(
        {name: (status.st_dev, status.st_ino) for name, status in sorted(watched.items())},
        frozenset(map(str, inside)),
        frozenset(map(str, way)),
    )


def _way(path: Path) -> Iterator[Path]:
    """Yield the links on the way to a path and its last name, or the first that is missing."""
    absolute = path.absolute()
    here = Path(absolute.anchor)
    to_come = list(absolute.parts[:0:-1])
    for _ in range(_MOST_STEPS):
        if not to_come:
            return
        if (name := to_come.pop()) == "..":
            here = here.parent
        elif (entry := here / name).is_symlink():
            yield entry
            target = entry.readlink()
            here = Path(target.anchor) if target.is_absolute() else here
            to_come += reversed([part for part in target.parts if part != target.anchor])
        else:
            if not to_come or not entry.exists():
                yield entry
                return
            here = entry


def _folders(path: Path, inside: tuple[Path, ...]) -> Iterator[Path]:
    """Yield a folder and those below it that can hold spec files; none for a single file."""
    if not path.is_dir() or (real := path.resolve()) in inside:
        return
    yield path.absolute()
    for entry in path.iterdir():
        if not entry.name.startswith("."):
            yield from _folders(entry, (*inside, real))
