"""The last good specs come back out of their file as they were, or not at all."""

import json
import stat
from pathlib import Path

import pytest

from reconciler.controller import kept
from reconciler.controller.kept import Good, Unusable
from reconciler.desired.files import SpecFile, SpecFiles
from reconciler.desired.load import of_files
from tests.support.spec_texts import specs

SOURCE = "/srv/infra@main:specs"


@pytest.fixture
def good() -> Good:
    text = "# täglich\ufeff\r\n" + specs("web", "mail")
    files = (SpecFile("specs/a.yaml", text.encode()), SpecFile("odd\udcff.yaml", b"---\n# x\n"))
    found = SpecFiles(files[:1], "f00", "4e04f8d", "/srv/infra")
    desired = of_files(found.files, revision=found.revision, source=found.folder)
    return Good(desired, found, SOURCE, 1_795_389_300)


def test_what_is_kept_is_read_as_it_was(good: Good, tmp_path: Path) -> None:
    path = tmp_path / "specs.json"
    kept.write(path, good)
    assert kept.read(path, SOURCE) == good
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["specs.json"]


def test_nothing_is_kept_at_first(tmp_path: Path) -> None:
    assert kept.read(tmp_path / "specs.json", SOURCE) is None


def test_specs_of_another_place_are_of_no_use(good: Good, tmp_path: Path) -> None:
    kept.write(tmp_path / "specs.json", good)
    with pytest.raises(Unusable, match=f"holds the specs of {SOURCE}, not of /etc/specs"):
        kept.read(tmp_path / "specs.json", "/etc/specs")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"format": "reconciler-specs/2"}', "\xff", "[" * 100_000]
)
def test_what_is_no_such_file_is_unusable(text: str, tmp_path: Path) -> None:
    (tmp_path / "specs.json").write_text(text, encoding="latin-1")
    with pytest.raises(Unusable, match=r"specs\.json is not what reconciler writes"):
        kept.read(tmp_path / "specs.json", SOURCE)


def test_a_folder_in_its_place_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="can't be read: Is a directory"):
        kept.read(tmp_path, SOURCE)


@pytest.mark.parametrize("cut", range(0, 2000, 97))
def test_a_file_that_was_cut_is_unusable(good: Good, tmp_path: Path, cut: int) -> None:
    path = tmp_path / "specs.json"
    kept.write(path, good)
    text = path.read_text()
    assert len(text) > 1000
    path.write_text(text[: min(cut, len(text) - 3)])
    with pytest.raises(Unusable):
        kept.read(path, SOURCE)


@pytest.mark.parametrize("name", ["source", "folder", "fingerprint", "loaded_at", "files"])
@pytest.mark.parametrize("value", [None, 3, [3], [{"name": "a.yaml"}]])
def test_a_field_that_is_something_else_is_unusable(
    good: Good, tmp_path: Path, name: str, value: object
) -> None:
    path = tmp_path / "specs.json"
    kept.write(path, good)
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    with pytest.raises(Unusable):
        kept.read(path, SOURCE)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "there are no spec files here"),
        ([{"name": "a.yaml", "content": "kind: Host\n"}], "a.yaml:1:1: `apiVersion` is missing"),
    ],
)
def test_files_that_would_be_refused_today_are_unusable(
    good: Good, tmp_path: Path, files: object, said: str
) -> None:
    path = tmp_path / "specs.json"
    kept.write(path, good)
    path.write_text(json.dumps({**json.loads(path.read_text()), "files": files}))
    with pytest.raises(
        Unusable, match=f"this version of reconciler refuses what it holds: .*{said}"
    ):
        kept.read(path, SOURCE)
