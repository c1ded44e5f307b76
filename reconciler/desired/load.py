"""Spec files on disk → `Desired`, or a SpecError with all that is wrong."""

from dataclasses import replace
from pathlib import Path

from reconciler.desired.diagnostics import SpecError
from reconciler.desired.files import read
from reconciler.desired.git import revision
from reconciler.desired.model import Desired
from reconciler.desired.resolve import resolve
from reconciler.desired.specset import read_all


def load(path: Path) -> Desired:
    """Read the specs in a file, or in a directory and below."""
    resolved = resolve(read_all(read(path)))
    if not isinstance(resolved, Desired):
        raise SpecError(resolved)
    return replace(resolved, revision=revision(path))
