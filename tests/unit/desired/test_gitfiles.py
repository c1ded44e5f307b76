"""Spec files out of commits of real repositories."""

import os
import shutil
from pathlib import Path

import pytest

from reconciler.desired.diagnostics import Diagnostic, SpecError
from reconciler.desired.files import SpecFile
from reconciler.desired.gitfiles import (
    check_folder,
    check_ref,
    commit_of,
    read_commit,
    refs_folder,
)
from tests.support.repositories import Repository


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    """One commit with specs in a folder, and other things around it."""
    return Repository.make(
        tmp_path / "infra",
        {
            "specs/b.yaml": "b: 1\n",
            "specs/a.yml": "a: 1\n",
            "specs/deep/er/c.yaml": "c: 1\n",
            "specs/.hidden.yaml": "x",
            "specs/.git-sync/d.yaml": "x",
            "specs/README.md": "x",
            "specs-old/e.yaml": "e: 1\n",
            "top.yaml": "t: 1\n",
        },
    )


def read(repo: Repository, folder: str = "specs", commit: str = "") -> list[str]:
    """What was read, as `name=content`; findings with their message."""
    found = list(read_commit(repo.path, commit or repo.head, folder))
    return [
        str(one) if isinstance(one, Diagnostic) else f"{one.name}={one.content.decode()}".strip()
        for one in found
    ]


def test_a_folder_is_read_with_all_below_by_name_without_what_is_hidden(repo: Repository) -> None:
    assert read(repo) == ["specs/a.yml=a: 1", "specs/b.yaml=b: 1", "specs/deep/er/c.yaml=c: 1"]
    assert read(repo, "specs/deep") == ["specs/deep/er/c.yaml=c: 1"]


def test_without_a_folder_the_whole_repository_is_read(repo: Repository) -> None:
    names = [line.partition("=")[0] for line in read(repo, "")]
    assert names == [
        "specs/a.yml",
        "specs/b.yaml",
        "specs/deep/er/c.yaml",
        "specs-old/e.yaml",
        "top.yaml",
    ]


def test_the_work_tree_does_not_matter(repo: Repository) -> None:
    before = read(repo)
    shutil.rmtree(repo.path / "specs")
    (repo.path / "specs").mkdir()
    (repo.path / "specs" / "half.yaml").write_text("kind: [")
    assert read(repo) == before


def test_an_older_commit_is_read_as_it_was(repo: Repository) -> None:
    first = repo.head
    repo.commit({"specs/b.yaml": "b: 2\n", "specs/a.yml": None})
    assert read(repo)[0] == "specs/b.yaml=b: 2"
    assert read(repo, commit=first)[1] == "specs/b.yaml=b: 1"


def test_bytes_come_as_they_were_committed(repo: Repository) -> None:
    repo.commit({".gitattributes": "*.yaml text eol=crlf\n", "specs/b.yaml": "a: 1\nb: 2\n"})
    assert read(repo)[1] == "specs/b.yaml=a: 1\nb: 2"


@pytest.mark.parametrize("name", ["with space.yaml", "näme.yaml", 'qu"ote.yaml', "tab\tnl\n.yaml"])
def test_odd_names_are_read(repo: Repository, name: str) -> None:
    repo.commit({f"odd/{name}": "x: 1\n"})
    assert list(read_commit(repo.path, repo.head, "odd")) == [SpecFile(f"odd/{name}", b"x: 1\n")]


def test_a_name_that_is_no_utf_8_is_read(repo: Repository) -> None:
    blob = repo.git("hash-object", "-w", "--stdin", given=b"x: 1\n")
    line = f"100644 blob {blob}\t".encode() + b"\xff.yaml\0"
    tree = repo.git("mktree", "-z", given=line)
    commit = repo.git("commit-tree", tree, given=b"x")
    (found,) = read_commit(repo.path, commit, "")
    assert isinstance(found, SpecFile)
    assert os.fsencode(found.name) == b"\xff.yaml"


def test_symbolic_links_are_refused(repo: Repository) -> None:
    (repo.path / "specs" / "link.yaml").symlink_to("b.yaml")
    (repo.path / "specs" / "more").symlink_to("../specs-old")
    repo.commit({})
    advice = "Put the files themselves here, or the specs into a folder without it."
    message = f"1:1: symbolic links in commits are not followed. {advice}"
    assert read(repo)[3:] == [f"specs/link.yaml:{message}", f"specs/more:{message}"]
    assert read(repo, "specs-old") == ["specs-old/e.yaml=e: 1"]


def test_a_folder_that_is_a_link_is_none(repo: Repository) -> None:
    (repo.path / "current").symlink_to("specs")
    commit = repo.commit({})
    with pytest.raises(SpecError, match=f"there is no folder `current` in commit {commit}"):
        read(repo, "current")


def test_submodules_are_refused(repo: Repository) -> None:
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.head},specs/sub")
    repo.git("commit", "-q", "-m", "x")
    assert read(repo)[-1].startswith("specs/sub:1:1: submodules are not read. Put the files")


def test_a_huge_file_is_refused_and_not_read(repo: Repository) -> None:
    repo.commit({"specs/huge.yaml": "x" * (1024 * 1024 + 1), "specs/fits.yaml": "x" * 1024 * 1024})
    found = read(repo)
    assert found[-1] == "specs/huge.yaml:1:1: the file is larger than 1 MiB. Split it."
    assert found[-2] == "specs/fits.yaml=" + "x" * 1024 * 1024


def test_a_folder_without_specs_is_a_finding(repo: Repository) -> None:
    commit = repo.commit({"docs/README.md": "x"})
    assert read(repo, "docs") == [
        f"docs of {commit}:1:1: there are no spec files here. They end in .yaml or .yml."
    ]


@pytest.mark.parametrize("folder", ["none", "specs/b.yaml", "SPECS"])
def test_a_folder_that_is_not_there_is_an_error(repo: Repository, folder: str) -> None:
    with pytest.raises(SpecError, match=f"there is no folder `{folder}` in commit {repo.head}"):
        read(repo, folder)


def test_branches_tags_and_commits_are_found(repo: Repository) -> None:
    first = repo.head
    repo.git("tag", "-a", "v1", "-m", "x")
    repo.git("branch", "feature/x")
    second = repo.commit({"specs/b.yaml": "b: 2\n"})
    assert commit_of(repo.path, "main") == commit_of(repo.path, "HEAD") == second
    for ref in ("v1", "feature/x", "refs/heads/feature/x", first, first[:10]):
        assert commit_of(repo.path, ref) == first


def test_bare_repositories_are_read(repo: Repository, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    bare = Repository(tmp_path / "bare.git")
    assert commit_of(bare.path, "main") == repo.head
    assert read(bare) == read(repo)


def test_a_ref_that_is_missing_is_an_error(repo: Repository) -> None:
    with pytest.raises(SpecError) as caught:
        commit_of(repo.path, "release")
    assert str(caught.value) == (
        f"{repo.path}:1:1: there is no branch, tag or commit `release`."
        " Nothing is fetched: keep the clone up to date."
    )


@pytest.mark.parametrize(
    "ref",
    [
        *("-x", "--output=/tmp/x", "", "a..b", "main~1", "main^", "a b", ":/x", "@{1}", "main@{1}"),
        *("@", "a\0b", "a\nb", "a:b", "*", "a/", "/a", "a.", "a//b", "[a]", "\\"),
    ],
)
def test_what_is_no_ref_is_refused_before_git_is_asked(
    repo: Repository, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert check_ref(ref)
    with pytest.raises(SpecError, match="can't be a branch, a tag or a commit"):
        commit_of(repo.path, ref)


@pytest.mark.parametrize("ref", ["main", "feature/x-1", "v1.2", "HEAD", "a@b", "über", "0" * 40])
def test_what_can_be_a_ref_is_accepted(ref: str) -> None:
    assert check_ref(ref) is None


@pytest.mark.parametrize("folder", ["/a", "a//b", "../a", "a/..", ".", "a/./b", "a/", "a\0b"])
def test_what_is_no_folder_is_refused(repo: Repository, folder: str) -> None:
    assert check_folder(folder)
    with pytest.raises(SpecError, match="can't be a folder of a repository"):
        read(repo, folder)


def test_a_folder_with_a_leading_dash_is_no_option(repo: Repository) -> None:
    repo.commit({"--help/x.yaml": "x: 1\n"})
    assert read(repo, "--help") == ["--help/x.yaml=x: 1"]


def test_another_users_repository_is_an_error_that_says_what_to_do(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = repo.head
    # What git does when it finds another owner; only root could give a repository away.
    real = shutil.which("git")
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec {real} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    with pytest.raises(SpecError) as caught:
        commit_of(repo.path, "main")
    trust = f"git config --global --add safe.directory {repo.path}"
    assert str(caught.value) == (
        f"{repo.path}:1:1: git refuses to read the repository: it belongs to another user."
        f" Run the controller as that user, or trust it: `{trust}`."
    )
    (tmp_path / ".gitconfig").write_text(f"[safe]\n\tdirectory = {repo.path}\n")
    assert commit_of(repo.path, "main") == head


@pytest.mark.parametrize("name", ["infra/specs", "nothing", "empty", "infra/top.yaml"])
def test_what_is_no_repository_itself_is_refused_even_inside_of_one(
    repo: Repository, tmp_path: Path, name: str
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SpecError, match="this is no git repository on this machine"):
        commit_of(tmp_path / name, repo.head)


def test_without_the_git_program_there_is_an_error(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SpecError, match="the git program is not here"):
        commit_of(repo.path, "main")


def test_git_is_not_waited_for_for_ever(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec sleep 30\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setattr("reconciler.desired.gitprogram.TIMEOUT", 0.2)
    with pytest.raises(SpecError, match=r"git can't be asked: .* timed out"):
        commit_of(repo.path, "main")


def test_the_repository_of_a_hook_does_not_lead_astray(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "nowhere"))
    assert commit_of(repo.path, "main")
    assert list(read_commit(repo.path, commit_of(repo.path, "main"), "specs"))


def test_a_commit_is_what_its_id_says_whatever_replaces_it(repo: Repository) -> None:
    first = repo.head
    second = repo.commit({"specs/b.yaml": "b: 2\n"})
    repo.git("replace", first, second)
    assert read(repo, commit=first)[1] == "specs/b.yaml=b: 1"


def test_a_blob_that_is_not_in_the_clone_is_an_error(repo: Repository) -> None:
    blob = repo.git("rev-parse", "HEAD:specs/b.yaml")
    (repo.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(SpecError) as caught:
        read(repo)
    assert "specs/b.yaml is not in the repository. Is it a partial clone?" in str(caught.value)


def test_nothing_is_fetched_for_a_partial_clone(repo: Repository, tmp_path: Path) -> None:
    repo.git("config", "uploadpack.allowFilter", "true")
    partial = Repository(tmp_path / "partial")
    options = ["--no-checkout", "--filter=blob:none", f"file://{repo.path}", str(partial.path)]
    repo.git("clone", "-q", *options)
    with pytest.raises(SpecError):
        read(partial)
    there = partial.git("cat-file", "--batch-all-objects", "--batch-check=%(objecttype)")
    assert "blob" not in there


def test_a_hook_is_never_run(repo: Repository, tmp_path: Path) -> None:
    for name in ("post-checkout", "reference-transaction", "pre-auto-gc", "fsmonitor"):
        hook = repo.path / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        hook.chmod(0o755)
    repo.git("config", "core.fsmonitor", str(repo.path / ".git" / "hooks" / "fsmonitor"))
    read(repo, commit=commit_of(repo.path, "main"))
    assert not (tmp_path / "ran").exists()


def test_branches_change_in_the_refs_folder(repo: Repository, tmp_path: Path) -> None:
    assert refs_folder(repo.path) == repo.path / ".git" / "refs"
    repo.git("worktree", "add", "-q", str(tmp_path / "tree"))
    assert refs_folder(tmp_path / "tree") == repo.path / ".git" / "refs"
