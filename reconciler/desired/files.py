"""Spec files: which ones there are, and what they hold as bytes. Nothing is silently left out."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from reconciler.desired.diagnostics import Diagnostic, Position
from reconciler.desired.yamlfile import MAX_BYTES

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class SpecFile:
    """A file's name as shown to people, and its content (cut right after the size limit)."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class SpecFiles:
    """All spec files of a place, as they were found there in one look."""

    files: tuple[SpecFile | Diagnostic, ...]
    fingerprint: str
    """The same means: the same files."""
    revision: str | None = None
    """Which state of the place this is, where it keeps track of that."""
    folder: str = ""
    """What relative file names are relative to; empty: the working directory."""


def fingerprint(files: Iterable[SpecFile | Diagnostic]) -> str:
    """Return a digest of the files' names and bytes, and of what could not be read."""
    whole = hashlib.sha256()
    for found in files:
        parts = (
            (b"finding", str(found).encode(errors="surrogateescape"))
            if isinstance(found, Diagnostic)
            else (found.name.encode(errors="surrogateescape"), found.content)
        )
        for part in parts:
            whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


def none_here(place: str) -> Diagnostic:
    """Return the finding that a place has no spec files."""
    return Position(place).error("there are no spec files here", "They end in .yaml or .yml.")


def read(path: Path) -> Iterator[SpecFile | Diagnostic]:
    """Yield the spec file, or all of them in a directory and below, in the order of their names.

    Hidden files and directories are skipped, so the `..data` of a Kubernetes volume is not read
    twice. Symbolic links are followed.
    """
    nothing = True
    for found in _walk(path, top=True, inside=()):
        nothing = False
        yield found
    if nothing:
        yield none_here(str(path))


def _walk(path: Path, *, top: bool, inside: tuple[Path, ...]) -> Iterator[SpecFile | Diagnostic]:
    try:
        mode = path.stat().st_mode
        if S_ISDIR(mode):
            yield from _directory(path, inside)
        elif top or path.suffix in SUFFIXES:
            yield _file(path) if S_ISREG(mode) else _not_a_file(path)
    except OSError as error:
        yield Position(str(path)).error(f"this can't be read: {error.strerror or error}")


def _not_a_file(path: Path) -> Diagnostic:
    return Position(str(path)).error("this is not a regular file")


def _directory(path: Path, inside: tuple[Path, ...]) -> Iterator[SpecFile | Diagnostic]:
    real = path.resolve()
    if real in inside:
        advice = "Remove the symbolic link."
        yield Position(str(path)).error(f"the directory contains itself: it is {real}", advice)
        return
    for entry in sorted(path.iterdir()):
        if not entry.name.startswith("."):
            yield from _walk(entry, top=False, inside=(*inside, real))


def _file(path: Path) -> SpecFile:
    with path.open("rb") as file:
        return SpecFile(str(path), file.read(MAX_BYTES + 1))
