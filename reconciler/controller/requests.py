"""What people ask of the controller: suspend, resume, reconcile now.

The command line writes it, whether or not a controller runs; the controller reads it when the
file changes. It is a state, not a queue: at most one entry of each kind per replication, so it
stays small however often somebody asks. Each wish has an id; the controller strikes out the ids
it has met, and a wish that was renewed meanwhile stays.
"""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from reconciler.controller import atomic
from reconciler.controller.statedir import give_to_owner
from reconciler.errors import PlanFileError, ReconcilerError, UsageError
from reconciler.report.fields import Fields, Json
from reconciler.report.figures import timestamp

FORMAT = "reconciler-requests/1"

LONGEST_REASON = 1000
"""Characters."""

PATIENCE = 5.0
"""Seconds to wait for others who write: each takes milliseconds."""

_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Suspension:
    """A replication for which nothing is to be done."""

    name: str
    since: int
    """Epoch seconds."""
    by: str
    """`user@host`."""
    reason: str
    """May be empty."""

    def __str__(self) -> str:
        return f"suspended by {self.by}" + (f": {self.reason}" if self.reason else "")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A wish that a replication be reconciled now."""

    name: str
    id: str
    at: int
    """Epoch seconds."""
    by: str
    """`user@host`."""


@dataclass(frozen=True, slots=True)
class Requests:
    """All that is asked, sorted by name."""

    suspended: tuple[Suspension, ...] = ()
    wanted: tuple[Wanted, ...] = ()

    def suspension(self, name: str) -> Suspension | None:
        """Return the suspension of a replication, None when there is none."""
        return next((found for found in self.suspended if found.name == name), None)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The file can't be read: what was asked is not known. Unknown is not nothing."""

    problem: str
    """A sentence for people."""


T = TypeVar("T", Suspension, Wanted)


def read(path: Path) -> Requests | Unreadable:
    """Return what is asked; a missing file asks for nothing."""
    try:
        return _parsed(Fields(json.loads(path.read_bytes())))
    except FileNotFoundError:
        return Requests()
    except OSError as error:
        return Unreadable(f"{path} can't be read: {error.strerror}")
    except (ValueError, RecursionError, PlanFileError) as error:
        return Unreadable(
            f"{path} is not what reconciler writes ({error}): mend it, or remove it, which resumes"
            " all that is suspended in it"
        )


def suspend(path: Path, name: str, *, at: int, by: str, reason: str = "") -> Suspension:
    """Suspend a replication; one that is suspended already gets the new reason, if there is one.

    Raises ReconcilerError.
    """
    if len(reason) > LONGEST_REASON:
        raise UsageError(f"a reason may have up to {LONGEST_REASON} characters")
    new = Suspension(name, at, by, reason)

    def suspended(before: Suspension | None) -> Suspension:
        return new if before is None else replace(before, reason=reason or before.reason)

    def added(before: Requests) -> Requests:
        all_ = (*_others(before.suspended, name), suspended(before.suspension(name)))
        return replace(before, suspended=_by_name(all_))

    return suspended(_change(path, added).suspension(name))


def resume(path: Path, name: str) -> Suspension | None:
    """End a suspension and return it; None when there was none. Raises ReconcilerError."""

    def ended(before: Requests) -> Requests:
        return replace(before, suspended=_others(before.suspended, name))

    return _change(path, ended).suspension(name)


def ask(path: Path, name: str, *, at: int, by: str) -> Wanted:
    """Ask that a replication be reconciled now, in place of an earlier wish for the same.

    Raises ReconcilerError.
    """
    wish = Wanted(name, secrets.token_hex(8), at, by)

    def added(before: Requests) -> Requests:
        return replace(before, wanted=_by_name((*_others(before.wanted, name), wish)))

    _change(path, added)
    return wish


def done(path: Path, ids: Collection[str]) -> None:
    """Strike out wishes that were met. Raises ReconcilerError."""

    def struck_out(before: Requests) -> Requests:
        return replace(before, wanted=tuple(w for w in before.wanted if w.id not in ids))

    _change(path, struck_out)


def _change(path: Path, transition: Callable[[Requests], Requests]) -> Requests:
    """Replace what is asked, with nobody else in between; return what was asked before."""
    try:
        with _locked(path.with_name("requests.lock")):
            before = read(path)
            if isinstance(before, Unreadable):
                raise ReconcilerError(before.problem)
            after = transition(before)
            if after != before:
                atomic.write(path, _text(after))
            return before
    except OSError as error:
        raise ReconcilerError(f"{path} can't be changed: {error.strerror or error}") from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        give_to_owner(file, path.parent)
        deadline = time.monotonic() + PATIENCE
        while not _taken(file):
            if time.monotonic() >= deadline:
                raise ReconcilerError(f"somebody has held {path} for {PATIENCE:g} s; try again")
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(file)


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _others(entries: Iterable[T], name: str) -> tuple[T, ...]:
    return tuple(entry for entry in entries if entry.name != name)


def _by_name(entries: Iterable[T]) -> tuple[T, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.name))


def _text(requests: Requests) -> str:
    suspended: list[Json] = [
        {"name": s.name, "since": timestamp(s.since), "by": s.by, "reason": s.reason}
        for s in requests.suspended
    ]
    wanted: list[Json] = [
        {"name": w.name, "id": w.id, "at": timestamp(w.at), "by": w.by} for w in requests.wanted
    ]
    document = {"format": FORMAT, "suspended": suspended, "wanted": wanted}
    return json.dumps(document, indent=2) + "\n"


def _parsed(fields: Fields) -> Requests:
    if fields.text("format") != FORMAT:
        raise fields.wrong("format", FORMAT)
    return Requests(
        suspended=_by_name(map(_suspension, fields.objects("suspended"))),
        wanted=_by_name(map(_wanted, fields.objects("wanted"))),
    )


def _suspension(row: Fields) -> Suspension:
    return Suspension(row.text("name"), row.moment("since"), row.text("by"), row.text("reason"))


def _wanted(row: Fields) -> Wanted:
    return Wanted(row.text("name"), row.text("id"), row.moment("at"), row.text("by"))
