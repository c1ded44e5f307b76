"""Folders and repositories as places of specs."""

from pathlib import Path

import pytest

from reconciler.controller.sources import FolderSource, GitSource, Source
from reconciler.desired.diagnostics import Diagnostic, SpecError
from reconciler.errors import UsageError
from tests.support.repositories import Repository


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    files = {"specs/a.yaml": "a: 1\n", "b.yaml": "b: 1\n"}
    return Repository.make(tmp_path / "infra", files)


def names(source: Source) -> list[str]:
    return [str(f) if isinstance(f, Diagnostic) else f.name for f in source.read().files]


def test_a_folder_is_called_by_its_absolute_path_and_holds_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "a.yaml").write_text("a: 1\n")
    monkeypatch.chdir(tmp_path)
    source = FolderSource(Path("specs"))
    assert source.describe() == str(tmp_path / "specs")
    assert names(source) == ["specs/a.yaml"]
    assert source.read().fingerprint == source.fingerprint()
    assert source.watched() == Path("specs")


def test_a_folder_that_is_missing_has_a_finding_and_a_fingerprint(tmp_path: Path) -> None:
    source = FolderSource(tmp_path / "specs")
    (found,) = names(source)
    assert found.endswith("specs:1:1: this can't be read: No such file or directory")
    before = source.fingerprint()
    (tmp_path / "specs").mkdir()
    assert source.fingerprint() != before


def test_a_folder_in_a_work_tree_has_its_revision(repo: Repository) -> None:
    revision = FolderSource(repo.path / "specs").read().revision
    assert revision == f"main@{repo.head[:7]}"


def test_a_repository_holds_the_files_of_its_newest_commit(repo: Repository) -> None:
    source = GitSource(repo.path, "main", "specs")
    assert source.describe() == f"{repo.path}@main:specs"
    read = source.read()
    assert source.fingerprint() == read.fingerprint == read.revision == repo.head
    assert read.folder == str(repo.path)
    assert names(source) == ["specs/a.yaml"]
    before = source.fingerprint()
    repo.commit({"specs/c.yaml": "c: 1\n"})
    assert source.fingerprint() != before
    assert names(source) == ["specs/a.yaml", "specs/c.yaml"]


def test_files_that_are_not_committed_do_not_move_a_repository(repo: Repository) -> None:
    source = GitSource(repo.path, "main")
    before = source.read()
    (repo.path / "specs" / "a.yaml").write_text("a: 2\n")
    repo.git("add", "--all")
    assert source.read() == before


def test_what_git_refuses_is_raised_by_both_questions(repo: Repository) -> None:
    source = GitSource(repo.path, "release")
    for ask in (source.fingerprint, source.read):
        with pytest.raises(SpecError, match="there is no branch, tag or commit `release`"):
            ask()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("infra", GitSource(Path("infra"))),
        ("infra@main", GitSource(Path("infra"), "main")),
        ("infra:specs", GitSource(Path("infra"), "HEAD", "specs")),
        ("/srv/infra.git@v1.2:a/b/", GitSource(Path("/srv/infra.git"), "v1.2", "a/b")),
        ("in@fra@main", GitSource(Path("in@fra"), "main")),
        ("a:b@main", GitSource(Path("a:b"), "main")),
        ("infra@feature/x", GitSource(Path("infra"), "feature/x")),
    ],
)
def test_a_repository_is_written_with_ref_and_folder(text: str, expected: GitSource) -> None:
    assert GitSource.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "@main", "infra@", "infra@:specs", "infra:", ":specs", "infra@main:"),
        *("infra@-x", "infra@--upload-pack=x", "infra@main~1", "infra@main:../x", "infra@main:/x"),
        *("https://example.com/infra", "ssh://git@example.com/infra@main", "file:///srv/infra"),
    ],
)
def test_what_can_not_be_a_local_repository_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="--git"):
        GitSource.parse(text)


def test_remote_repositories_are_answered_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="nothing is fetched; clone it, keep the clone up to date"):
        GitSource.parse("https://example.com/infra.git@main")


def test_what_is_watched_of_a_repository_is_where_its_branches_are(
    repo: Repository, tmp_path: Path
) -> None:
    refs = Path(".git", "refs")
    assert GitSource(repo.path).watched() == repo.path / refs
    assert GitSource(tmp_path / "not-yet").watched() == tmp_path / "not-yet" / refs


@pytest.mark.parametrize("ref", ["-x", "", "a..b"])
def test_there_is_no_source_with_a_ref_that_could_be_an_option(ref: str) -> None:
    with pytest.raises(UsageError, match="can't be a branch, a tag or a commit"):
        GitSource(Path("infra"), ref)
