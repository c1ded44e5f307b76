"""A machine in a file: a head, a line with all of it, and a line for each change after that.

The lines are JSON. A change is one line that is appended in one go under a lock (flock(2)), with
the values that became other ones; a line without its end was never written. When the changes have
grown larger than the whole, the file is replaced by one without any; its head says that it is
another one (inode numbers are used again). So several processes
may use one file at the same time, and one that dies leaves a whole machine behind.
"""

import fcntl
import json
import os
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reconciler.errors import ReconcilerError
from reconciler.simulator import codec
from reconciler.simulator.cell import Transition
from reconciler.simulator.differences import applied, difference
from reconciler.simulator.model import Machine
from reconciler.simulator.owners import is_alive
from reconciler.simulator.reception import abandoned

FORMAT = "reconciler-simulator/2"

SLACK = 16 << 20
"""Bytes of changes that are always put up with before the file is written anew."""


class StateError(ReconcilerError):
    """Raised for a state file that is missing, can't be used, or is none."""


class StateFile:
    """Keeps one machine in a file. Safe for use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._head = b""
        self._read_to = 0
        self._whole = 0
        """Bytes of the head and the line with all of it."""
        self._machine: Machine | None = None
        self._known: tuple[int, ...] | None = None
        """What the file looked like when it held that machine."""
        self._quiet: Machine | None = None
        """The last machine on which no streams ran."""

    def read(self) -> Machine:
        """Return the machine as it is now; raise StateError."""
        with self._lock:
            if self._machine is not None and self._look() == self._known:
                return self._living(self._machine)
            with self._opened(os.O_RDONLY) as file:
                return self._living(self._caught_up(file))

    def change(self, transition: Transition) -> Machine:
        """Replace the machine by what the transition makes of it; raise StateError."""
        with self._lock, self._locked() as file:
            before = self._caught_up(file)
            after = transition(self._living(before))
            if after is not before:
                self._append(file, difference(before, after))
                self._machine = after
                self._compact_if_large()
                self._known = self._look()
            return after

    def create(self, machine: Machine) -> None:
        """Make the file, which must not exist yet; raise StateError."""
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            temporary.write_bytes(_new_head() + _line({"machine": codec.encode(machine)}))
            os.link(temporary, self.path)
        except FileExistsError:
            raise StateError(f"{self.path}: there is such a file already") from None
        except OSError as error:
            raise StateError(f"{self.path}: {error.strerror}") from error
        finally:
            temporary.unlink(missing_ok=True)

    def _living(self, machine: Machine) -> Machine:
        """Return the machine without what dead processes left; mostly that is known already."""
        if machine is not self._quiet:
            living = without_the_dead(machine)
            self._quiet = None if _owners(living) else living
            return living
        return machine

    def _look(self) -> tuple[int, ...] | None:
        """Return what tells one content of the file from another."""
        try:
            found = os.stat(self.path)  # noqa: PTH116 - it is quick, and asked often
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    # -- the file ----------------------------------------------------------------------------------

    @contextmanager
    def _opened(self, flags: int) -> Iterator[int]:
        try:
            file = os.open(self.path, flags | os.O_CLOEXEC)
        except FileNotFoundError:
            raise StateError(
                f"{self.path}: there is no such simulated host; make one with"
                f" `reconciler simulator exec {self.path} -- zpool create tank disk`"
            ) from None
        except OSError as error:
            raise StateError(f"{self.path}: {error.strerror}") from error
        try:
            yield file
        finally:
            os.close(file)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Open the file that the path means once the lock on it is held."""
        while True:
            with self._opened(os.O_RDWR) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if os.fstat(file).st_ino == os.stat(self.path).st_ino:  # noqa: PTH116 - as fstat
                    yield file
                    return

    def _caught_up(self, file: int) -> Machine:
        """Read what others have written since the last time."""
        found = os.fstat(file)
        head = os.pread(file, _HEAD_LENGTH, 0)
        if head != self._head or found.st_size < self._read_to:
            self._machine, self._head, self._read_to = None, _checked(self.path, head), len(head)
        if found.st_size > self._read_to:
            self._apply(os.pread(file, found.st_size - self._read_to, self._read_to))
        if self._machine is None:
            raise StateError(f"{self.path}: this is no state of a simulated host: it is empty")
        return self._machine

    def _apply(self, data: bytes) -> None:
        for line in data[: data.rfind(b"\n") + 1].splitlines(keepends=True):
            is_whole = self._machine is None
            try:
                self._machine = self._next(json.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise StateError(
                    f"{self.path}: this is no state of a simulated host: {error}"
                ) from error
            self._read_to += len(line)
            if is_whole:
                self._whole = self._read_to

    def _next(self, document: Any) -> Machine:
        if self._machine is not None:
            return applied(self._machine, document)
        return codec.decode(Machine, document["machine"])

    def _append(self, file: int, difference: Mapping[str, Any]) -> None:
        line = _line(difference)
        os.ftruncate(file, self._read_to)
        if os.pwrite(file, line, self._read_to) != len(line):
            raise StateError(f"{self.path}: the disk is full")
        self._read_to += len(line)

    def _compact_if_large(self) -> None:
        """Write the file anew when the changes outweigh the whole; the lock is held."""
        if self._read_to - self._whole < max(SLACK, 4 * self._whole):
            return
        head = _new_head()
        whole = head + _line({"machine": codec.encode(self._machine)})
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        temporary.write_bytes(whole)
        temporary.replace(self.path)
        self._head = head
        self._read_to = self._whole = len(whole)


def without_the_dead(machine: Machine) -> Machine:
    """Return the machine after the kernel has cleaned up behind processes that are gone."""
    for owner in sorted(_owners(machine)):
        if not is_alive(owner):
            machine = abandoned(machine, owner)
    return machine


def _owners(machine: Machine) -> set[str]:
    """Return who runs streams."""
    partials = [d.partial for d in machine.datasets.values() if d.partial is not None]
    owners = {sending.owner for sending in machine.sending}
    return owners | {partial.owner for partial in partials if partial.owner is not None}


def _line(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def _new_head() -> bytes:
    return _line({"format": FORMAT, "file": secrets.token_hex(8)})


_HEAD_LENGTH = len(_new_head())
_HEAD_BEGINS = _new_head().rpartition(b":")[0]


def _checked(path: Path, head: bytes) -> bytes:
    """Return the head of a state file; raise StateError if it is none."""
    if len(head) != _HEAD_LENGTH or not head.startswith(_HEAD_BEGINS) or head[-1:] != b"\n":
        raise StateError(
            f"{path}: this is no state of a simulated host: its format is not {FORMAT}"
        )
    return head
