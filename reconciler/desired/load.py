"""Spec files → `Desired`, or a SpecError with all that is wrong."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from reconciler.desired.diagnostics import Diagnostic, SpecError
from reconciler.desired.files import SpecFile, none_here, read
from reconciler.desired.git import revision
from reconciler.desired.model import Desired
from reconciler.desired.resolve import resolve
from reconciler.desired.specset import read_all


def load(path: Path) -> Desired:
    """Read the specs in a file, or in a directory and below."""
    return of_files(read(path), revision=revision(path))


def of_files(
    files: Iterable[SpecFile | Diagnostic], *, revision: str | None = None, source: str = ""
) -> Desired:
    """Return what spec files ask for, wherever they were read.

    A finding among the files stands for one that could not be read: it refuses the set, as having
    no files does. `source` is the folder that the names of the files are relative to; findings
    don't repeat it.
    """
    resolved = resolve(read_all(files), source)
    if not isinstance(resolved, Desired):
        raise SpecError(resolved)
    if not resolved.objects:
        raise SpecError([none_here(source or ".")])
    return replace(resolved, revision=revision)
