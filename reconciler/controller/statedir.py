"""The state directory: one controller at a time, and the files it tells and is told things by.

The lock is flock(2) on a file that is never removed. The kernel frees it when the process ends,
however it ends; what is written in the file only says who holds it, and counts for nothing
without the lock. Losing the directory loses no data: hosts tell everything that is acted upon.
"""

import errno
import fcntl
import json
import os
import secrets
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from reconciler.errors import LockHeld, ReconcilerError
from reconciler.hosts.locking import who_i_am
from reconciler.report.figures import timestamp

ROOT_PATH = Path("/var/lib/reconciler")
"""Where root's controller keeps its state."""

NAME = "reconciler"

PATIENCE = 0.5
"""Seconds for which a lock must stay taken to be taken: a reader's glance takes it for less."""

_PAUSE = 0.02


def default_path(environ: Mapping[str, str], *, uid: int | None = None) -> Path:
    """Return where the state is kept when nobody says otherwise; `uid` is ours by default.

    What systemd gives (systemd.exec(5), `StateDirectory=`; the first of several), root's own, or
    the user's by the XDG Base Directory Specification, in which relative paths are void.
    """
    if given := environ.get("STATE_DIRECTORY", "").split(":")[0]:
        return Path(given)
    if (os.geteuid() if uid is None else uid) == 0:
        return ROOT_PATH
    state_home = Path(environ.get("XDG_STATE_HOME", ""))
    if state_home.is_absolute():
        return state_home / NAME
    home = environ.get("HOME")
    return (Path(home) if home else Path.home()) / ".local" / "state" / NAME


@dataclass(frozen=True, slots=True)
class LockInfo:
    """Who holds the lock, as the holder wrote it."""

    pid: int
    who: str
    """`user@host`."""
    since: int
    """Epoch seconds."""
    command: str

    def __str__(self) -> str:
        if self == UNTOLD:
            return "somebody who has not written who it is"
        since = timestamp(self.since)
        return f"{self.who}, process {self.pid}, since {since}, `{self.command}`"


UNTOLD = LockInfo(0, "", 0, "")
"""Stands for a holder that has not written who it is."""


@dataclass(frozen=True, slots=True)
class StateDir:
    """A state directory; it is made when something is to be written in it."""

    path: Path

    @property
    def status(self) -> Path:
        """What the controller says of itself."""
        return self.path / "status.json"

    @property
    def specs(self) -> Path:
        """The last good specs."""
        return self.path / "specs.json"

    @property
    def requests(self) -> Path:
        """What people ask of the controller (see `reconciler.controller.requests`)."""
        return self.path / "requests.json"

    @property
    def url(self) -> Path:
        """Where the controller can be asked over HTTP: one line, there while it runs."""
        return self.path / "url"

    @property
    def _lock_file(self) -> Path:
        return self.path / "lock"

    def make(self) -> None:
        """Make the directory if it is missing, for its owner alone. Raises ReconcilerError."""
        with self._trouble_told():
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def lock(self) -> Iterator[LockInfo]:
        """Be the one controller of this directory. Raises LockHeld, ReconcilerError.

        Programs that are started meanwhile don't inherit the lock.
        """
        self.make()
        mine = _about_me()
        with self._opened(os.O_RDWR | os.O_CREAT) as file:
            with self._trouble_told():
                if not _locked(file):
                    raise LockHeld(self._held_by(_read_soon(file)))
                _write(file, json.dumps(asdict(mine)) + "\n")
                give_to_owner(file, self.path)
            yield mine

    def holder(self) -> LockInfo | None:
        """Return who holds the lock, without being in anybody's way. Raises ReconcilerError."""
        try:
            with self._opened(os.O_RDONLY) as file, self._trouble_told():
                # A shared lock, given back at once: `lock` tries for longer than that.
                if _try_lock(file, fcntl.LOCK_SH):
                    return None
                return _read_soon(file)
        except _Missing:
            return None

    def identity(self) -> str:
        """Return the name by which hosts know this directory's controller, made up on first use.

        Random: two machines may well have the same name and path. Raises ReconcilerError.
        """
        self.make()
        file = self.path / "identity"
        with self._trouble_told():
            try:
                return _checked_identity(file)
            except FileNotFoundError:
                return _new_identity(file)

    @contextmanager
    def _opened(self, flags: int) -> Iterator[int]:
        with self._trouble_told():
            file = os.open(self._lock_file, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            yield file
        finally:
            os.close(file)

    @contextmanager
    def _trouble_told(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise _Missing(self._unusable(error)) from error
        except OSError as error:
            raise ReconcilerError(self._unusable(error)) from error

    def _unusable(self, error: OSError) -> str:
        return (
            f"the state directory {self.path} can't be used: {error.strerror or error}; mend that,"
            " or name another one with --state"
        )

    def _held_by(self, info: LockInfo) -> str:
        return (
            f"another controller works on the state directory {self.path}: {info}. Stop that one,"
            " or give this one a directory of its own with --state"
        )


class _Missing(ReconcilerError):
    """Raised when there is no such directory, or no such file in it."""


def give_to_owner(file: int, folder: Path) -> None:
    """Let an open file belong to whom its folder belongs, where root made it for them.

    Else a controller that runs as a user of its own could not read what root asks of it.
    """
    owner = folder.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.fchown(file, owner.st_uid, owner.st_gid)


def _about_me() -> LockInfo:
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return LockInfo(os.getpid(), who_i_am(), int(time.time()), command)


def _locked(file: int) -> bool:
    """Take the lock; tell whether that worked, if need be after a reader's glance at it."""
    deadline = time.monotonic() + PATIENCE
    while not _try_lock(file, fcntl.LOCK_EX):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_PAUSE)
    return True


def _try_lock(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(file: int, text: str) -> None:
    data = text.encode()
    os.ftruncate(file, 0)
    if os.pwrite(file, data, 0) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _read(file: int) -> LockInfo | None:
    try:
        match json.loads(os.pread(file, 1 << 16, 0)):
            case {"pid": int(pid), "who": str(who), "since": int(since), "command": str(command)}:
                return LockInfo(pid, who, since, command)
    except ValueError:
        pass
    return None


def _read_soon(file: int) -> LockInfo:
    """Return what the holder wrote, or is about to write."""
    deadline = time.monotonic() + PATIENCE
    while (info := _read(file)) is None:
        if time.monotonic() >= deadline:
            return UNTOLD
        time.sleep(_PAUSE)
    return info


def _checked_identity(file: Path) -> str:
    identity = file.read_text().strip()
    if not (identity.isalnum() and identity.isascii()):
        raise ReconcilerError(f"{file} should hold letters and digits only; remove it")
    return identity


def _new_identity(file: Path) -> str:
    """Write a new identity; when somebody else was quicker, theirs counts."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            _write(descriptor, secrets.token_hex(16) + "\n")
            give_to_owner(descriptor, file.parent)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(temporary, file)
        except FileExistsError:
            return _checked_identity(file)
    finally:
        temporary.unlink(missing_ok=True)
    return _checked_identity(file)
