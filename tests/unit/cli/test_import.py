"""`reconciler import zrepl`."""

from pathlib import Path

import pytest

from reconciler.cli.main import run

CONFIG = """jobs:
- name: snaps
  type: snap
  filesystems: {"tank/db<": true}
  snapshotting: {type: periodic, prefix: db_, interval: 1h}
  pruning: {keep: [{type: last_n, count: 7}]}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("zrepl.yml")
    path.write_text(CONFIG)
    return path


def imported(*options: str) -> int:
    return run(["import", "zrepl", "zrepl.yml", *options])


def test_what_is_printed_is_valid_when_nothing_is_to_be_filled_in(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert imported("--host", "alpha") == 0
    specs, told = capsys.readouterr()

    assert told.splitlines()[-1].startswith("The specs are valid. Next: `reconciler plan`")
    (file.parent / "specs.yaml").write_text(specs)
    assert run(["validate", "-f", "specs.yaml"]) == 0


def test_what_is_to_be_filled_in_is_counted_and_refused_by_validate(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert imported() == 0
    specs, told = capsys.readouterr()

    assert told.splitlines()[-1].startswith("1 thing to fill in, marked by <...>: until then")
    (file.parent / "specs.yaml").write_text(specs)
    assert run(["validate", "-f", "specs.yaml"]) == 1


def test_files_are_written_into_a_folder_and_none_is_overwritten(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert imported("--out", "specs", "--host", "alpha") == 0
    assert sorted(p.name for p in Path("specs").iterdir()) == ["hosts.yaml", "snaps.yaml"]
    assert run(["validate", "-f", "specs"]) == 0
    assert capsys.readouterr().out.startswith("The specs are valid: 2 objects")

    Path("specs/hosts.yaml").unlink()
    Path("specs/snaps.yaml").write_text("mine")
    assert imported("--out", "specs", "--host", "alpha") == 64
    assert capsys.readouterr().err == "specs/snaps.yaml exists; nothing was written\n"
    assert [p.read_text() for p in Path("specs").iterdir()] == ["mine"]
    assert file.read_text() == CONFIG


def test_specs_that_could_not_be_used_are_told_with_the_reason(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = CONFIG.removeprefix("jobs:\n")
    file.write_text(CONFIG + jobs.replace("name: snaps", "name: again"))
    assert imported("--host", "alpha") == 0

    told = capsys.readouterr().err
    assert "The specs can't be used as they are:\nthe specs:" in told
    assert "gets snapshots with the prefix `db_` here and from replication `snaps`" in told


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("jobs: [", "zrepl.yml:2:1: this is not YAML"),
        ("jobs:\n- {type: local, name: x}\n", "zrepl.yml:2:10: unknown type `local`. Known are"),
    ],
)
def test_a_file_that_is_wrong_is_an_error_with_its_place(
    file: Path, content: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(content)

    assert imported() == 1
    assert capsys.readouterr().err.startswith(said)


def test_a_file_that_is_not_there_and_a_folder_are_errors(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["import", "zrepl", "other.yml"]) == 1
    assert capsys.readouterr().err == (
        "other.yml:1:1: this can't be read: No such file or directory\n"
    )
    assert run(["import", "zrepl", str(file.parent)]) == 64
    assert "is a directory; name the file" in capsys.readouterr().err


def test_a_folder_that_can_not_be_made_is_an_error(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert imported("--out", f"{file}/specs") == 64
    assert capsys.readouterr().err.endswith("Not a directory\n")


def test_the_name_of_the_tool_is_a_part_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", "--help"]) == 0
    assert "zrepl" in capsys.readouterr().out
    assert run(["import", "zrepl"]) == 64
