"""Other specs to compare the present ones with: a file, a folder, or what a git ref has of them."""

from dataclasses import replace
from pathlib import Path

from reconciler.desired import gitfiles
from reconciler.desired.diagnostics import Position, SpecError
from reconciler.desired.files import SpecFile
from reconciler.desired.load import load, of_files
from reconciler.desired.model import Desired


def other_specs(specs: Path, other: str) -> Desired:
    """Return the specs at a path; where nothing is, `other` is a ref of the specs' repository.

    Their revision is what they are called: the path, or ref and commit. Raises SpecError.
    """
    if Path(other).exists():
        return replace(load(Path(other)), revision=other)
    return _at_ref(specs, other)


def _at_ref(specs: Path, ref: str) -> Desired:
    """Return what a commit has at the place of specs, read without any checkout."""
    place = specs.resolve()
    top = next((folder for folder in (place, *place.parents) if (folder / ".git").exists()), None)
    if top is None:
        said = "there is no such file, and the specs are in no git repository that may have a ref"
        raise SpecError([Position(ref).error(f"{said} of this name")])
    commit = gitfiles.commit_of(top, ref)
    folder = place if place.is_dir() else place.parent
    below = "" if folder == top else folder.relative_to(top).as_posix()
    found = gitfiles.read_commit(top, commit, below)
    if not place.is_dir():
        name = place.relative_to(top).as_posix()
        found = (file for file in found if isinstance(file, SpecFile) and file.name == name)
    return replace(of_files(found, source=str(top)), revision=f"{ref}@{commit[:7]}")
