"""Other specs to compare with: a path, or a ref of the repository that the specs are in."""

from pathlib import Path

import pytest

from reconciler.desired.diagnostics import SpecError
from reconciler.desired.earlier import other_specs
from tests.support.repositories import Repository
from tests.support.spec_texts import specs


def test_what_is_a_path_is_read_there_and_called_so(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(specs("web"))
    found = other_specs(tmp_path / "specs", str(tmp_path / "old.yaml"))

    assert list(found.replications) == ["web"]
    assert found.revision == str(tmp_path / "old.yaml")


def test_what_is_none_is_a_ref_at_which_the_same_folder_is_read(tmp_path: Path) -> None:
    repository = Repository.make(
        tmp_path / "r", {"specs/deep/a.yaml": specs("web"), "b.yaml": specs("elsewhere")}
    )
    first = repository.head
    repository.commit({"specs/deep/a.yaml": specs("web", "db")})
    (repository.path / "specs/deep/a.yaml").write_text("not even: [YAML")

    found = other_specs(repository.path / "specs", first)
    assert list(found.replications) == ["web"]
    assert found.revision == f"{first}@{first[:7]}"
    assert list(other_specs(repository.path / "specs", "main").replications) == ["db", "web"]


def test_of_specs_that_are_one_file_that_file_is_read_at_the_ref(tmp_path: Path) -> None:
    files = {"a.yaml": specs("web"), "b.yaml": specs("elsewhere")}
    repository = Repository.make(tmp_path / "r", files)

    found = other_specs(repository.path / "a.yaml", "main")
    assert list(found.replications) == ["web"]


def test_what_is_neither_path_nor_ref_is_said(tmp_path: Path) -> None:
    repository = Repository.make(tmp_path / "r", {"a.yaml": specs("web")})

    with pytest.raises(SpecError, match="there is no branch, tag or commit `mian`"):
        other_specs(repository.path, "mian")
    with pytest.raises(SpecError, match="there is no such file, and the specs are in no git"):
        other_specs(tmp_path, "main")
