from pathlib import Path

import pytest

from reconciler.desired.diagnostics import SpecError
from reconciler.desired.load import load
from reconciler.desired.model import Calendar, Last, Period
from reconciler.desired.reference import EXAMPLE
from reconciler.hosts.addresses import Limits, SshAddress

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
    assert load(tmp_path).objects == 4


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
