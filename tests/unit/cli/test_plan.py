"""`plan`, `show` and `facts`."""

import json
import stat
from pathlib import Path

import pytest

from reconciler.executor import observe as observing
from reconciler.report.plan_json import loads
from tests.support.worlds import fs, replica, seen, unseen, world
from tests.unit.cli.conftest import SPECS, Pretended, Runner

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


# -- keep rules compared ---------------------------------------------------------------------------


def test_a_plan_says_how_many_more_versions_go_than_by_other_keep_rules(
    command: Runner, hosts: Pretended, folder: Path
) -> None:
    versions = "@~21:00,1 @~22:00,2 @~22:30,3 @~23:15,4"
    hosts.observed = world(
        seen("alpha", fs("tank/www", f"{versions} #cur,4")),
        seen("vault", replica("backup/alpha/tank/www", f"{versions},held=base")),
    )
    (folder / "old").mkdir()
    (folder / "old" / "a.yaml").write_text(SPECS.replace("last: 2", "last: 3"))
    ran = command("plan", "--compare-specs", "old")
    assert "2 more versions go than by the keep rules of old, on 2 filesystems." in ran.stdout
    cost = {"compared": "old", "more": 2, "fewer": 0, "filesystems": 2}
    saved = command("plan", "--compare-specs", "old", "--json", "--out", "p.json").document
    assert saved["policy_change"] == cost
    assert "2 more versions go" in command("show", "p.json").stdout
    assert command("apply", "p.json", "--compare-specs", "old").code == 64
    assert "2 more versions go" in command("apply", "--compare-specs", "old").stdout
    same = command("plan", "--compare-specs", "specs").stdout
    assert "The keep rules of specs let go of the same versions." in same
    assert command("plan", "--json").document["policy_change"] is None


def test_other_specs_that_are_broken_or_nowhere_are_an_error(command: Runner) -> None:
    ran = command("plan", "--compare-specs", "nowhere")
    assert ran.code == 1
    assert "nowhere" in ran.stderr


def test_a_plan_that_was_saved_without_reasons_says_so(command: Runner, hosts: Pretended) -> None:
    hosts.observed = world(seen("alpha", fs("tank/www", "@~23:15,1")), unseen("vault"))
    command("plan", "--out", "plain.json")
    command("plan", "--explain", "--out", "whole.json")
    said = "Why versions stay was not saved with it"
    assert said in command("show", "plain.json", "--explain").stdout
    assert said not in command("show", "plain.json").stdout
    assert said not in command("show", "whole.json", "--explain").stdout
    assert "Kept, and why" in command("show", "whole.json", "--explain").stdout
