"""`validate`, and what other commands do with broken specs."""

from pathlib import Path

import pytest

from tests.unit.cli.conftest import SPECS, Runner

BROKEN = SPECS.replace("every: 15m", "every: 15").replace("{last: 2}", "{last: many}")


def test_valid_specs_are_counted(command: Runner) -> None:
    ran = command("validate")
    assert ran.code == 0
    assert "are valid: 3 objects, 2 hosts, 1 replication." in ran.stdout
    assert "  web  alpha → vault\n" in ran.stdout
    assert command("validate", "--json").document == {
        "format_version": "1.0",
        "valid": True,
        "error_count": 0,
        "warning_count": 0,
        "diagnostics": [],
    }


@pytest.mark.parametrize("name", ["validate", "plan", "apply"])
def test_all_errors_are_told_with_their_places(command: Runner, folder: Path, name: str) -> None:
    (folder / "specs" / "all.yaml").write_text(BROKEN)
    ran = command(name)
    assert ran.code == 1
    assert ran.stdout == ""
    places = [line.split(": ")[0] for line in ran.stderr.splitlines()]
    assert places == ["specs/all.yaml:23:24", "specs/all.yaml:24:18", "specs/all.yaml:28:20"]


def test_errors_as_json(command: Runner, folder: Path) -> None:
    (folder / "specs" / "all.yaml").write_text(BROKEN)
    ran = command("validate", "--json")
    assert ran.code == 1
    assert ran.document["valid"] is False
    assert ran.document["error_count"] == len(ran.document["diagnostics"]) >= 1
    first = ran.document["diagnostics"][0]
    assert first.keys() == {"severity", "summary", "detail", "file", "line", "column"}


def test_specs_that_are_not_there(command: Runner) -> None:
    ran = command("validate", "-f", "elsewhere")
    assert ran.code == 1
    assert "elsewhere" in ran.stderr
