import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.desired.diagnostics import Diagnostic
from reconciler.desired.files import SpecFile, fingerprint, read


def names(path: Path) -> list[str]:
    """What was read, relative to the path; findings with their message."""
    prefix = f"{path}/"
    return [
        str(found).replace(prefix, "")
        if isinstance(found, Diagnostic)
        else found.name.replace(prefix, "")
        for found in read(path)
    ]


def write(path: Path, text: str = "a: 1\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_single_file_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    write(tmp_path / "specs")
    assert list(read(tmp_path / "specs")) == [SpecFile(str(tmp_path / "specs"), b"a: 1\n")]


def test_a_directory_is_read_with_all_below_by_name(tmp_path: Path) -> None:
    for name in ["b.yaml", "a.yml", "c/d/e.yaml", "README.md", "x.yaml.bak", "c/z.json"]:
        write(tmp_path / name)
    assert names(tmp_path) == ["a.yml", "b.yaml", "c/d/e.yaml"]


def test_what_is_hidden_is_skipped(tmp_path: Path) -> None:
    for name in ["a.yaml", ".b.yaml", ".git/c.yaml", "d/.e/f.yaml"]:
        write(tmp_path / name)
    assert names(tmp_path) == ["a.yaml"]


def test_a_kubernetes_volume_is_read_once(tmp_path: Path) -> None:
    write(tmp_path / "..2026" / "a.yaml")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    assert names(tmp_path) == ["a.yaml"]


def test_symbolic_links_to_directories_are_followed(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere" / "a.yaml")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "linked").symlink_to(tmp_path / "elsewhere")
    assert names(tmp_path / "specs") == ["linked/a.yaml"]


def test_a_directory_that_contains_itself_is_reported(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml")
    (tmp_path / "loop").symlink_to(tmp_path)
    real = tmp_path.resolve()
    assert names(tmp_path) == [
        "a.yaml",
        f"loop:1:1: the directory contains itself: it is {real}. Remove the symbolic link.",
    ]


def test_a_missing_path_is_reported(tmp_path: Path) -> None:
    assert names(tmp_path / "none") == [
        f"{tmp_path}/none:1:1: this can't be read: No such file or directory"
    ]


@pytest.mark.parametrize("other", [None, "README.md", ".a.yaml", "sub/x.txt"])
def test_a_directory_without_spec_files_is_reported(tmp_path: Path, other: str | None) -> None:
    if other:
        write(tmp_path / other)
    assert names(tmp_path) == [
        f"{tmp_path}:1:1: there are no spec files here. They end in .yaml or .yml."
    ]


def test_broken_links_are_reported_and_the_others_read(tmp_path: Path) -> None:
    write(tmp_path / "b.yaml")
    (tmp_path / "a.yaml").symlink_to("missing")
    (tmp_path / "c.yaml").symlink_to("c.yaml")
    (tmp_path / "more").symlink_to("missing-directory")
    found = names(tmp_path)
    assert found[0] == "a.yaml:1:1: this can't be read: No such file or directory"
    assert found[1] == "b.yaml"
    assert found[2].startswith("c.yaml:1:1: this can't be read: ")
    assert found[3] == "more:1:1: this can't be read: No such file or directory"


def test_files_and_directories_without_permission_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a.yaml")
    write(tmp_path / "b" / "c.yaml")
    # Root may read everything, so the refusal is played.
    refused = PermissionError(13, "Permission denied")
    monkeypatch.setattr("pathlib.Path.open", lambda *_: (_ for _ in ()).throw(refused))
    assert names(tmp_path)[0] == "a.yaml:1:1: this can't be read: Permission denied"
    monkeypatch.undo()
    listing = type(tmp_path).iterdir

    def iterdir(path: Path) -> Iterator[Path]:
        if path.name == "b":
            raise refused
        return listing(path)

    monkeypatch.setattr("pathlib.Path.iterdir", iterdir)
    assert names(tmp_path) == ["a.yaml", "b:1:1: this can't be read: Permission denied"]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    assert names(tmp_path) == ["a.yaml:1:1: this is not a regular file"]
    assert names(tmp_path / "a.yaml") == [f"{tmp_path}/a.yaml:1:1: this is not a regular file"]


def test_a_huge_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "a.yaml").open("wb") as file:
        file.truncate(1 << 40)
    (found,) = read(tmp_path)
    assert isinstance(found, SpecFile)
    assert len(found.content) == 1024 * 1024 + 1


def test_a_fingerprint_moves_with_every_name_and_byte_and_with_what_is_unreadable(
    tmp_path: Path,
) -> None:
    write(tmp_path / "a.yaml", "a: 1\n")
    write(tmp_path / "b.yaml", "b: 1\n")
    prints = [fingerprint(read(tmp_path))]
    assert fingerprint(read(tmp_path)) == prints[0]
    write(tmp_path / "README.md", "x")
    assert fingerprint(read(tmp_path)) == prints[0]

    write(tmp_path / "a.yaml", "a: 2\n")
    prints.append(fingerprint(read(tmp_path)))
    (tmp_path / "a.yaml").rename(tmp_path / "c.yaml")
    prints.append(fingerprint(read(tmp_path)))
    write(tmp_path / "d.yaml", "")
    prints.append(fingerprint(read(tmp_path)))
    (tmp_path / "e.yaml").symlink_to("missing")
    prints.append(fingerprint(read(tmp_path)))
    assert len(set(prints)) == len(prints)


def test_content_that_moves_from_one_file_to_the_next_moves_the_fingerprint() -> None:
    one = [SpecFile("a", b"xy"), SpecFile("b", b"")]
    other = [SpecFile("a", b"x"), SpecFile("b", b"y")]
    assert fingerprint(one) != fingerprint(other)
    assert fingerprint(one) != fingerprint(reversed(one))
