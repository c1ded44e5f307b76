"""Where the controller's specs come from: a folder (or one file), or a branch of a git repository.

A source is asked cheaply and often whether it still holds the same, and for the files only when it
does not. Nothing is remembered here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from reconciler.desired import files as spec_files
from reconciler.desired import gitfiles
from reconciler.desired.diagnostics import SpecError
from reconciler.desired.files import SpecFiles
from reconciler.desired.git import revision
from reconciler.errors import UsageError


class Source(Protocol):
    """A place that holds a spec set."""

    def describe(self) -> str:
        """Return what people call it; two sources of one name are the same place."""
        ...

    def fingerprint(self) -> str:
        """Return what stays the same as long as the files do. Raises SpecError."""
        ...

    def read(self) -> SpecFiles:
        """Return the files; its fingerprint says whether they are still those that were meant.

        Raises SpecError when there is no way to tell what is there. What is wrong with single
        files stands among them.
        """
        ...

    def watched(self) -> Path | None:
        """Return what to give to a Watcher, None when there is nothing to watch. Never raises."""
        ...


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder with all below it, or one file."""

    path: Path

    def describe(self) -> str:
        """Return the absolute path, as it was named: what its links lead to may change."""
        return str(self.path.absolute())

    def fingerprint(self) -> str:
        """Return a digest of names and bytes: times and sizes can be the same after a change."""
        return spec_files.fingerprint(spec_files.read(self.path))

    def read(self) -> SpecFiles:
        """Return the files that are there now."""
        files = tuple(spec_files.read(self.path))
        return SpecFiles(files, spec_files.fingerprint(files), revision(self.path))

    def watched(self) -> Path | None:
        """Return the path itself."""
        return self.path


@dataclass(frozen=True, slots=True)
class GitSource:
    """A folder in the newest commit of a branch, read without any checkout; never fetched.

    The folder is written from the repository's top; empty: all of it.
    """

    repository: Path
    ref: str = "HEAD"
    folder: str = ""

    def __post_init__(self) -> None:
        if wrong := gitfiles.check_ref(self.ref) or gitfiles.check_folder(self.folder):
            raise UsageError(f"--git: {wrong}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what `REPO[@REF][:FOLDER]` stands for. Raises UsageError.

        The first `:` after the last `@` begins the folder. Without a ref, a path with a `@` or a
        `:` in it needs a `@HEAD` behind it.
        """
        repository, at, rest = text.rpartition("@")
        if not at:
            repository, colon, folder = text.partition(":")
            ref = "HEAD"
        else:
            ref, colon, folder = rest.partition(":")
        if not repository or (at and not ref) or (colon and not folder):
            raise UsageError(f"--git {text}: write it as REPO[@REF][:FOLDER]")
        if "://" in text:
            advice = "clone it, keep the clone up to date, and name the clone's folder"
            raise UsageError(f"--git {text}: nothing is fetched; {advice}")
        return cls(Path(repository), ref, folder.rstrip("/"))

    @property
    def _top(self) -> Path:
        return self.repository.absolute()

    def describe(self) -> str:
        """Return `repository@ref`, with the folder if it is not all of it."""
        return f"{self._top}@{self.ref}" + (f":{self.folder}" if self.folder else "")

    def fingerprint(self) -> str:
        """Return the id of the branch's newest commit."""
        return gitfiles.commit_of(self._top, self.ref)

    def read(self) -> SpecFiles:
        """Return the files of the branch's newest commit, whose id is the revision."""
        commit = gitfiles.commit_of(self._top, self.ref)
        files = tuple(gitfiles.read_commit(self._top, commit, self.folder))
        return SpecFiles(files, commit, revision=commit, folder=str(self._top))

    def watched(self) -> Path | None:
        """Return the folder in which git keeps its branches, or will when there is a clone."""
        try:
            return gitfiles.refs_folder(self._top)
        except SpecError:
            return self._top / ".git" / "refs"
