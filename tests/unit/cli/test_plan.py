"""`plan`, `show` and `facts`."""

import json
import stat
from pathlib import Path

import pytest

from reconciler.executor import observe as observing
from reconciler.report.plan_json import loads
from tests.support.worlds import fs, seen, unseen, world
from tests.unit.cli.conftest import Pretended, Runner

CHANGED = "web  alpha → vault"


def test_a_plan_is_shown_and_nothing_is_done(command: Runner, hosts: Pretended) -> None:
    ran = command("plan")
    assert ran.code == 0
    assert CHANGED in ran.stdout
    assert ran.stderr == ""
    assert "\x1b" not in ran.stdout
    assert hosts.executed == []


@pytest.mark.usefixtures("hosts")
def test_changes_have_an_exit_code_where_that_is_asked_for(command: Runner) -> None:
    assert command("plan", "--detailed-exitcode").code == 2


def test_an_unseen_host_makes_it_incomplete(command: Runner, hosts: Pretended) -> None:
    hosts.observed = world(seen("alpha", fs("tank/www")), unseen("vault"))
    ran = command("plan")
    assert ran.code == 3
    assert "! vault was not seen: Connection timed out" in ran.stdout


@pytest.mark.usefixtures("hosts")
def test_json_is_the_document_alone(command: Runner, folder: Path) -> None:
    ran = command("plan", "--json", "--out", "plan.json")
    assert ran.document["format_version"] == "1.0"
    assert (folder / "plan.json").read_text() == ran.stdout


@pytest.mark.usefixtures("hosts")
def test_a_plan_for_another_time(command: Runner) -> None:
    ran = command("plan", "--json", "--now", "2027-01-01T00:00:00+01:00")
    assert ran.document["at"] == "2026-12-31T23:00:00Z"


@pytest.mark.usefixtures("hosts")
def test_a_part_of_a_plan(command: Runner) -> None:
    ran = command("plan", "--json", "--target", "alpha")
    assert ran.document["targets"] == ["alpha"]
    assert ran.document["complete"] is False


@pytest.mark.usefixtures("hosts")
def test_a_plan_is_explained(command: Runner) -> None:
    assert "Kept, and why" in command("plan", "--explain").stdout


@pytest.mark.usefixtures("hosts")
def test_a_saved_plan_is_for_its_owner_and_shown_again_without_hosts(
    command: Runner, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = command("plan", "--out", "plan.json")
    assert planned.stdout.endswith("Saved to plan.json: `reconciler apply plan.json` does exactly this.\n")  # fmt: skip  # noqa: E501
    file = folder / "plan.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["plan.json", "specs"]

    monkeypatch.setattr(observing, "observe", None)
    shown = command("show", "plan.json")
    assert shown.code == 0
    assert planned.stdout.startswith(shown.stdout)
    assert command("show", "plan.json", "--json").stdout == file.read_text()
    assert loads(file.read_text()).actions


@pytest.mark.usefixtures("hosts")
def test_a_plan_that_can_not_be_written_is_an_error(command: Runner) -> None:
    ran = command("plan", "--out", "no/such/plan.json")
    assert ran.code == 1
    assert "no/such/plan.json can't be written: No such file or directory" in ran.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "can't be read: No such file", id="missing"),
        pytest.param(b"\xff\xfe", "it is no text", id="binary"),
        pytest.param(b"apiVersion: x\n", "give them with -f", id="specs"),
        pytest.param(b"{}", "not a saved plan", id="other"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(
    command: Runner, folder: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        (folder / "plan.json").write_bytes(content)
    ran = command("show", "plan.json")
    assert ran.code == 1
    assert "plan.json" in ran.stderr
    assert said in ran.stderr


def test_the_facts_of_a_host(command: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    alpha = seen("alpha", fs("tank/www", "@~23:00,1"))
    monkeypatch.setattr(observing, "observe_host", lambda *_: alpha)
    ran = command("facts", "alpha")
    assert ran.code == 0
    assert "tank/www" in ran.stdout
    assert json.loads(command("facts", "alpha", "--json").stdout)["seen"] is True

    monkeypatch.setattr(observing, "observe_host", lambda *_: unseen("alpha"))
    ran = command("facts", "alpha")
    assert ran.code == 3
    assert "not seen" in ran.stdout
