import subprocess
from pathlib import Path

import pytest

from reconciler.desired.git import revision


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with one committed spec file, on branch main."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    directory = tmp_path / "repo" / "specs"
    directory.mkdir(parents=True)
    (directory / "a.yaml").write_text("a: 1\n")
    git(directory, "init", "-q", "-b", "main", "..")
    git(directory, "add", ".")
    commit(directory)
    return directory


def git(directory: Path, *words: str) -> str:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *words], cwd=directory, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(directory: Path) -> None:
    git(directory, "commit", "-q", "-m", "x")


def short(directory: Path) -> str:
    return git(directory, "rev-parse", "HEAD")[:7]


def test_a_clean_work_tree_is_named_by_branch_and_commit(specs: Path) -> None:
    assert revision(specs) == f"main@{short(specs)}"
    assert revision(specs / "a.yaml") == f"main@{short(specs)}"


@pytest.mark.parametrize("name", ["a.yaml", "new.yml", "deep/er/new.yaml"])
def test_changed_and_new_spec_files_show(specs: Path, name: str) -> None:
    (specs / name).parent.mkdir(parents=True, exist_ok=True)
    (specs / name).write_text("a: 2\n")
    assert revision(specs) == f"main@{short(specs)}+changes"


def test_a_removed_spec_file_shows(specs: Path) -> None:
    (specs / "a.yaml").unlink()
    assert revision(specs) == f"main@{short(specs)}+changes"


def test_changes_elsewhere_do_not_show(specs: Path) -> None:
    (specs / "README.md").write_text("x")
    (specs.parent / "other.yaml").write_text("x")
    assert revision(specs) == f"main@{short(specs)}"


def test_specs_that_git_ignores_are_not_what_the_commit_has(specs: Path) -> None:
    (specs.parent / ".gitignore").write_text("demo/\n")
    demo = specs.parent / "demo"
    demo.mkdir()
    (demo / "a.yaml").write_text("a: 1\n")
    assert revision(demo) == f"main@{short(specs)}+changes"


def test_a_detached_head_and_a_branch_with_a_slash(specs: Path) -> None:
    git(specs, "checkout", "-q", "-b", "feature/x")
    assert revision(specs) == f"feature/x@{short(specs)}"
    git(specs, "checkout", "-q", "--detach")
    assert revision(specs) == f"detached@{short(specs)}"


def test_no_commit_yet_no_repository_no_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert revision(tmp_path) is None
    assert revision(tmp_path / "missing") is None
    git(tmp_path, "init", "-q")
    assert revision(tmp_path) is None


def test_nothing_is_known_without_the_git_program(
    specs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(specs))
    assert revision(specs) is None


def test_git_is_not_waited_for_for_ever(
    specs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 30\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:/usr/bin:/bin")
    monkeypatch.setattr("reconciler.desired.git.TIMEOUT", 0.2)
    assert revision(specs) is None


def test_the_repository_of_a_hook_does_not_lead_astray(
    specs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert (revision(specs) or "").startswith("main@")
