"""Whole zrepl.yml files → the specs and the remarks. A folder for each."""

from pathlib import Path

import pytest

from reconciler.cli.main import run as reconciler
from tests.golden.conftest import Golden

CASES = Path(__file__).parent / "imported"
OPTIONS = {
    "server": ["--host", "db1"],
    "vault": [],
    "laptop": ["--host", "laptop", "--timezone", "Europe/Vienna", "--pool", "rpool"],
}


@pytest.mark.parametrize("case", sorted(case.name for case in CASES.iterdir()))
def test_a_zrepl_yml_becomes_specs_and_remarks(
    case: str,
    golden: Golden,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(CASES / case)
    assert reconciler(["import", "zrepl", "zrepl.yml", *OPTIONS[case]]) == 0
    written, told = capsys.readouterr()

    golden(f"../imported/{case}/specs.yaml", written)
    remarks = [line for line in told.splitlines(keepends=True) if line.startswith("zrepl.yml:")]
    golden(f"../imported/{case}/remarks.txt", "".join(remarks))
