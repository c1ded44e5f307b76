from pathlib import Path

import pytest

from reconciler.desired.diagnostics import SpecError
from reconciler.desired.files import SpecFile
from reconciler.desired.load import load, of_files
from reconciler.desired.model import Calendar, Last, Period
from reconciler.desired.reference import EXAMPLE
from reconciler.hosts.addresses import Limits, SimulatedAddress, SshAddress

SPECS = Path(__file__).parents[3] / "specs"


def test_the_example_specs_say_what_their_comments_say() -> None:
    desired = load(SPECS)
    assert list(desired.hosts) == ["alpha", "beta", "vault"]
    assert desired.hosts["alpha"].address == SshAddress("alpha", user="root")
    assert desired.hosts["vault"].limits == Limits(sends=2, receives=4)
    assert desired.objects == 5
    data = desired.replications["data"]
    assert data.senders == ("alpha", "beta")
    assert data.selection.selects("tank/data/x")
    assert not data.selection.selects("tank/data/x/cache/y")
    (target,) = data.targets
    assert target.host == "vault"
    assert target.receiver_of("alpha", "tank/data/x") == "backup/alpha/tank/data/x"
    assert target.keep.rules == (
        Last(3),
        Calendar(Period.HOURLY, 48),
        Calendar(Period.DAILY, 30),
        Calendar(Period.MONTHLY, 12),
    )


def test_the_examples_fit_in_one_file_and_have_the_same_digest(tmp_path: Path) -> None:
    parts = [path.read_text() for path in sorted(SPECS.glob("*.yaml"), reverse=True)]
    (tmp_path / "all.yml").write_text("---\n".join(parts))
    assert load(tmp_path / "all.yml").digest == load(SPECS).digest


def test_the_example_of_the_reference_page_is_valid(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(EXAMPLE)
    assert load(tmp_path).objects == 6


def test_what_is_wrong_is_raised_all_at_once(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("kind: [\n")
    (tmp_path / "a.yaml").write_text("")
    (tmp_path / "c.yaml").write_bytes(b"\xff")
    with pytest.raises(SpecError) as caught:
        load(tmp_path)
    assert [Path(found.file).name for found in caught.value.diagnostics] == [
        "a.yaml",
        "b.yaml",
        "c.yaml",
    ]


def test_an_empty_directory_is_an_error_not_an_empty_spec_set(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no spec files"):
        load(tmp_path)


def test_outside_of_git_there_is_no_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.yaml").write_text(EXAMPLE)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert load(tmp_path).revision is None


def test_bytes_from_anywhere_are_the_same_as_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(EXAMPLE)
    desired = of_files([SpecFile("x/y.yml", EXAMPLE.encode())], revision="r1")
    assert desired.revision == "r1"
    assert desired.digest == load(tmp_path).digest


def test_no_files_at_all_are_an_error_not_an_empty_spec_set() -> None:
    with pytest.raises(SpecError, match=r"^\.:1:1: there are no spec files here"):
        of_files([])


def test_findings_name_files_as_they_were_given() -> None:
    files = [SpecFile("b/c.yaml", b"kind: 3\n"), SpecFile("a.yaml", b"x: [\n")]
    with pytest.raises(SpecError) as caught:
        of_files(files, source="/srv/infra")
    assert [str(found).partition(": ")[0] for found in caught.value.diagnostics] == [
        "a.yaml:2:1",
        "b/c.yaml:1:1",
        "b/c.yaml:1:7",
    ]


def test_state_files_lie_beside_their_spec_wherever_that_was_read() -> None:
    text = (
        "apiVersion: reconciler/v1alpha1\nkind: Host\nmetadata: {name: a}\n"
        "spec: {connection: {simulated: {state: a.json}}}\n"
    )
    file = SpecFile("specs/a.yaml", text.encode())
    for source, folder in (("/srv/infra", "/srv/infra/specs"), ("", "specs")):
        address = of_files([file], source=source).hosts["a"].address
        assert address == SimulatedAddress("a.json", folder)
