"""Spec files out of a commit of a git repository, without any checkout.

A work tree changes file by file while git checks something out; a commit never changes. Read are
the blobs as they were committed: no filters, no line end conversion.
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from reconciler.desired.diagnostics import Diagnostic, Position, shown
from reconciler.desired.files import SUFFIXES, SpecFile, none_here
from reconciler.desired.gitprogram import ask, failure
from reconciler.desired.yamlfile import MAX_BYTES

_SYMBOLIC_LINK = "120000"
_SUBMODULE = "160000"
_NOT_IN_REFS = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|\.$|/$|^/|^-|^$|^@$")
"""What git does not allow in names of branches and tags (git-check-ref-format(1)), nor a leading
dash, which would be an option; so only names and commit ids are left of git's revisions."""


class _Entry(NamedTuple):
    """A file in a tree."""

    mode: str
    object_id: str
    size: int
    name: str


def check_ref(ref: str) -> str | None:
    """Say why this can't be the name of a branch, a tag or a commit; None when it can."""
    if _NOT_IN_REFS.search(ref):
        return f"{shown(ref)} can't be a branch, a tag or a commit"
    return None


def check_folder(folder: str) -> str | None:
    """Say why this can't be a folder of a repository, written from its top; None when it can."""
    parts = folder.split("/")
    if folder and any(part in {"", ".", ".."} or "\0" in part for part in parts):
        return f"{shown(folder)} can't be a folder of a repository; write it from its top: `a/b`"
    return None


def commit_of(repository: Path, ref: str) -> str:
    """Return the id of the commit that a branch, a tag or a commit id stands for.

    Raises SpecError.
    """
    if wrong := check_ref(ref):
        raise failure(repository, wrong)
    found = ask(repository, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    if found is None:
        advice = "Nothing is fetched: keep the clone up to date."
        raise failure(repository, f"there is no branch, tag or commit {shown(ref)}", advice)
    return found.decode().strip()


def read_commit(repository: Path, commit: str, folder: str) -> Iterator[SpecFile | Diagnostic]:
    """Yield the spec files of a commit in a folder and below, by name from the repository's top.

    What is hidden is skipped, as on disk. Raises SpecError when the commit can't be read.
    """
    entries = list(_entries(repository, commit, folder))
    wanted = [entry for entry in entries if _is_readable(entry)]
    contents = dict(zip(wanted, _contents(repository, wanted), strict=True))
    for entry in sorted(entries, key=lambda entry: entry.name.split("/")):
        yield SpecFile(entry.name, contents[entry]) if entry in contents else _refused(entry)
    if not entries:
        yield none_here(f"{folder or '.'} of {commit}")


def refs_folder(repository: Path) -> Path | None:
    """Return the folder in which something changes when a branch moves; None when not known."""
    found = ask(repository, "rev-parse", "--git-common-dir")
    common = repository / os.fsdecode((found or b"").rstrip(b"\n"))
    folders = (common / "reftable", common / "refs")
    return next((folder for folder in folders if folder.is_dir()), None)


def _entries(repository: Path, commit: str, folder: str) -> Iterator[_Entry]:
    """Yield what can be spec files, or could lead to some."""
    listed = ask(
        repository, "ls-tree", "-r", "-z", "-l", "--full-tree", _tree(repository, commit, folder)
    )
    for line in (listed or b"").split(b"\0")[:-1]:
        facts, _, path = line.partition(b"\t")
        mode, _, object_id, size = facts.decode().split()
        name = os.fsdecode(path)
        matters = mode in {_SYMBOLIC_LINK, _SUBMODULE} or name.endswith(SUFFIXES)
        if matters and not any(part.startswith(".") for part in name.split("/")):
            whole = str(PurePosixPath(folder, name))
            yield _Entry(mode, object_id, int(size) if size.isdigit() else 0, whole)


def _tree(repository: Path, commit: str, folder: str) -> str:
    """Return the object id of a folder."""
    if wrong := check_folder(folder):
        raise failure(repository, wrong)
    found = ask(repository, "rev-parse", "--verify", "--quiet", f"{commit}:{folder}")
    tree = (found or b"").decode().strip()
    if not tree or ask(repository, "cat-file", "-t", tree) != b"tree\n":
        raise failure(repository, f"there is no folder {shown(folder)} in commit {commit}")
    return tree


def _is_readable(entry: _Entry) -> bool:
    return entry.mode not in {_SYMBOLIC_LINK, _SUBMODULE} and entry.size <= MAX_BYTES


def _refused(entry: _Entry) -> Diagnostic:
    """Say why something is not read: what it stands for is not in the commit, or it is too big."""
    where = Position(entry.name)
    advice = "Put the files themselves here, or the specs into a folder without it."
    if entry.mode == _SYMBOLIC_LINK:
        return where.error("symbolic links in commits are not followed", advice)
    if entry.mode == _SUBMODULE:
        return where.error("submodules are not read", advice)
    return where.error("the file is larger than 1 MiB", "Split it.")


def _contents(repository: Path, entries: Sequence[_Entry]) -> Iterator[bytes]:
    """Yield what files hold, in their order; all are asked for in one go."""
    asked = "".join(f"{entry.object_id}\n" for entry in entries).encode()
    answer = ask(repository, "cat-file", "--batch", given=asked) or b""
    start = 0
    for entry in entries:
        head = f"{entry.object_id} blob {entry.size}\n".encode()
        begin = start + len(head)
        end = begin + entry.size
        if answer[start:begin] != head or answer[end : end + 1] != b"\n":
            advice = "Is it a partial clone? Nothing is fetched."
            raise failure(repository, f"{entry.name} is not in the repository", advice)
        yield answer[begin:end]
        start = end + 1
