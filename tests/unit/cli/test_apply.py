"""`apply`: asked or approved, fresh or saved, and what is said in the end."""

import json
from pathlib import Path

import pytest

from reconciler.zfs.errors import Failure, FailureKind, Reaction
from tests.support.worlds import NOW, fs, ours, replica, seen, unseen, world
from tests.unit.cli.conftest import SPECS, Pretended, Runner

CUT = Failure(FailureKind.SIGNAL, Reaction.RETRY, "the connection broke")
IN_ORDER = world(
    seen("alpha", fs("tank/www", "@~23:15,1 #cur,1")),
    seen("vault", replica("backup/alpha/tank/www", "@~23:15,1,held=base")),
)


def test_nothing_is_applied_without_a_terminal(command: Runner, hosts: Pretended) -> None:
    ran = command("apply")
    assert ran.code == 1
    assert "Nothing was applied: there is no terminal" in ran.stderr
    assert "web  alpha → vault" in ran.stdout
    assert hosts.executed == []


@pytest.mark.parametrize("answer", ["", "y\n", "no\n", "YES\n", "yes please\n"])
def test_only_yes_is_yes(command: Runner, hosts: Pretended, answer: str) -> None:
    ran = command("apply", answer=answer)
    assert ran.code == 1
    assert "Only 'yes' is accepted" in ran.stderr
    assert hosts.executed == []


@pytest.mark.parametrize(("takes", "sent"), [(2699, 2), (2700, 0)])
def test_streams_whose_turn_comes_when_the_window_is_over_are_left_out(
    command: Runner, hosts: Pretended, folder: Path, takes: int, sent: int
) -> None:
    windows = '  windows: {allow: [{cron: "0 23 * * *", for: 1h}]}\n'
    (folder / "specs" / "all.yaml").write_text(SPECS + windows)
    hosts.takes = takes

    ran = command("apply", "--auto-approve")

    assert ran.code == (0 if sent else 3)
    assert (f"{sent} sent" in ran.stdout) is (sent > 0)
    assert ("the windows of web are closed until 2026-11-23 23:00:00 UTC" in ran.stdout) is not sent


def test_a_plan_outside_of_the_windows_is_told_and_no_failure(
    command: Runner, hosts: Pretended, folder: Path
) -> None:
    windows = '  windows: {deny: [{cron: "0 23 * * *", for: 1h}]}\n'
    (folder / "specs" / "all.yaml").write_text(SPECS + windows)

    ran = command("apply", "--auto-approve")

    assert ran.code == 0
    assert "Done: 1 snapshotted." in ran.stdout
    assert "2 versions to be sent when a window opens." in ran.stdout
    assert [planned.action.verb for planned in hosts.executed[0].actions] == ["snapshot"]


def test_yes_applies(command: Runner, hosts: Pretended) -> None:
    ran = command("apply", answer="yes\n")
    assert ran.code == 0
    assert len(hosts.executed) == 1
    assert "Done: 1 created, 1 snapshotted, 2 sent, 1 bookmarked" in ran.stdout


def test_approval_in_advance_asks_nothing(command: Runner, hosts: Pretended) -> None:
    ran = command("apply", "--auto-approve")
    assert ran.code == 0
    assert ran.stderr == ""
    assert len(hosts.executed) == 1
    lines = ran.stdout.splitlines()
    assert any("→ send  alpha tank/www@" in line and "begun, ~1000 B" in line for line in lines)
    assert any("+ snapshot  alpha tank/www" in line and "done in 0.5s" in line for line in lines)


def test_an_empty_plan_asks_and_applies_nothing(command: Runner, hosts: Pretended) -> None:
    hosts.observed = IN_ORDER
    ran = command("apply", "-f", "specs")
    assert ran.code == 0
    assert "Nothing to do. The hosts match the specs." in ran.stdout
    assert hosts.executed == []


def test_an_empty_plan_with_an_unseen_host_is_incomplete(command: Runner, hosts: Pretended) -> None:
    hosts.observed = {**IN_ORDER, "vault": unseen("vault")}
    assert command("apply", "--auto-approve").code == 3


def test_what_failed_and_what_was_skipped_is_told(command: Runner, hosts: Pretended) -> None:
    hosts.failures = {"send": CUT}
    ran = command("apply", "--auto-approve")
    assert ran.code == 3
    assert "failed: the connection broke" in ran.stdout
    assert "      next: the next apply goes on from what has arrived" in ran.stdout
    assert "Not begun\n  because something failed:\n" in ran.stdout
    assert "1 action failed." in ran.stdout


def test_an_interrupted_run_ends_with_130(command: Runner, hosts: Pretended) -> None:
    hosts.interrupt = True
    ran = command("apply", "--auto-approve")
    assert ran.code == 130
    assert "Interrupted. Done: nothing." in ran.stdout


def test_json_is_a_stream_of_events(command: Runner, hosts: Pretended) -> None:
    hosts.failures = {"bookmark": CUT}
    ran = command("apply", "--auto-approve", "--json")
    kinds = [event["type"] for event in ran.events]
    assert kinds[:2] == ["version", "plan"]
    assert kinds[-1] == "summary"
    assert {"action_start", "action_progress", "action_complete", "action_failed"} < set(kinds)
    assert ran.events[-1]["exit_code"] == ran.code == 3
    assert ran.events[1]["plan"]["format_version"] == "1.0"


def test_a_stream_with_nothing_to_do_has_a_summary_too(command: Runner, hosts: Pretended) -> None:
    hosts.observed = IN_ORDER
    events = command("apply", "--auto-approve", "--json").events
    assert [event["type"] for event in events] == ["version", "plan", "summary"]


def test_a_stream_ends_with_the_error(command: Runner, folder: Path) -> None:
    (folder / "specs" / "all.yaml").write_text("kind: Nonsense\n")
    ran = command("apply", "--auto-approve", "--json")
    assert ran.code == 1
    assert ran.events[-1]["type"] == "error"
    assert ran.events[-1]["exit_code"] == 1


def test_a_terminal_shows_progress_and_colours(
    command: Runner, hosts: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts.failures = {"bookmark": CUT}
    ran = command.on_terminal("apply", "--auto-approve")
    assert ran.code == 3
    assert "\x1b[32m  + snapshot\x1b[0m" in ran.stdout
    assert "actions" in ran.stdout
    assert "the connection broke" in ran.stdout
    monkeypatch.setenv("NO_COLOR", "1")
    plain = command.on_terminal("apply", "--auto-approve").stdout
    assert "\x1b[32m" not in plain
    assert "\x1b[1m" not in plain
    assert "\x1b[32m" not in command.on_terminal("plan", "--no-color").stdout


# -- saved plans -----------------------------------------------------------------------------------


@pytest.fixture
def saved(command: Runner, hosts: Pretended, folder: Path) -> Path:
    assert hosts
    assert command("plan", "--out", "plan.json").code == 0
    return folder / "plan.json"


def test_a_saved_plan_is_applied_without_asking(
    command: Runner, hosts: Pretended, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: NOW + 600.0)
    ran = command("apply", str(saved))
    assert ran.code == 0, ran.stderr
    assert hosts.executed[0].at == NOW
    assert ours("23:15") in ran.stdout


def test_a_saved_plan_needs_no_approval_for_json(command: Runner, saved: Path) -> None:
    assert command("apply", str(saved), "--json").events[-1]["type"] == "summary"


def test_an_edited_plan_is_refused(command: Runner, hosts: Pretended, saved: Path) -> None:
    document = json.loads(saved.read_text())
    document["actions"][0]["host"] = "vault"
    saved.write_text(json.dumps(document))
    ran = command("apply", str(saved))
    assert ran.code == 1
    assert "edited or damaged" in ran.stderr
    assert hosts.executed == []


def test_a_plan_of_other_specs_is_refused(
    command: Runner, hosts: Pretended, saved: Path, folder: Path
) -> None:
    (folder / "specs" / "all.yaml").write_text(SPECS.replace("15m", "30m"))
    ran = command("apply", str(saved))
    assert ran.code == 1
    assert "the specs have changed" in ran.stderr
    assert hosts.executed == []


def test_a_plan_for_other_hosts_is_refused(command: Runner, hosts: Pretended, saved: Path) -> None:
    here = fs("tank/www", "@~23:00,1,referenced=1000")
    hosts.observed = world(
        seen("alpha", here, fs("tank/www/new")), seen("vault", fs("backup/alpha"))
    )
    ran = command("apply", str(saved))
    assert ran.code == 1
    assert "the saved plan is stale" in ran.stderr
    assert "tank/www/new" in ran.stderr
    assert hosts.executed == []


def test_a_restricted_plan_whose_target_is_gone_is_stale(command: Runner, hosts: Pretended) -> None:
    assert command("plan", "--out", "p.json", "--target", "alpha:tank/www").code == 0
    hosts.observed = world(seen("alpha", fs("tank/other")), seen("vault", fs("backup/alpha")))
    ran = command("apply", "p.json")
    assert ran.code == 1
    assert "stale" in ran.stderr


def test_a_restricted_plan_is_applied_whatever_else_could_be_done(
    command: Runner, hosts: Pretended
) -> None:
    two = (fs("tank/www", "@~23:00,1"), fs("tank/www/sub", "@~23:00,2"))
    hosts.observed = world(seen("alpha", *two), seen("vault", fs("backup/alpha")))
    assert command("plan", "--out", "p.json", "--target", "alpha:tank/www").code == 0
    ran = command("apply", "p.json")
    assert hosts.executed, ran.stderr
    assert hosts.executed[0].targets == ("alpha:tank/www",)


def test_a_saved_plan_that_does_nothing(command: Runner, hosts: Pretended) -> None:
    hosts.observed = IN_ORDER
    assert command("plan", "--out", "p.json").code == 0
    ran = command("apply", "p.json")
    assert ran.code == 0
    assert "Nothing to do" in ran.stdout


def test_a_host_without_actions_that_is_unseen_by_now_makes_it_incomplete(
    command: Runner, hosts: Pretended, folder: Path
) -> None:
    alpha, *_ = SPECS.split("---")
    idle = alpha.replace("name: alpha", "name: idle").replace("alpha.invalid", "idle.invalid")
    (folder / "specs" / "idle.yaml").write_text(idle)
    hosts.observed = {**hosts.observed, "idle": seen("idle")}
    assert command("plan", "--out", "p.json").code == 0
    hosts.observed = {**hosts.observed, "idle": unseen("idle")}
    ran = command("apply", "p.json")
    assert ran.code == 3, ran.stderr
    assert "! idle was not seen" in ran.stdout
    assert len(hosts.executed) == 1


# -- the destroy budget ----------------------------------------------------------------------------

MANY = " ".join(f"@~11-22T{n // 4:02}:{n % 4 * 15:02},{n + 1}" for n in range(90))
TOO_MANY = world(
    seen("alpha", fs("tank/www", f"{MANY} @~23:15,91 #cur,91")),
    seen("vault", replica("backup/alpha/tank/www", f"{MANY} @~23:15,91,held=base")),
)


def test_what_is_over_the_destroy_budget_is_blocked_and_says_how_to_allow_it(
    command: Runner, hosts: Pretended
) -> None:
    hosts.observed = TOO_MANY
    ran = command("apply", "--auto-approve")
    assert ran.code == 4
    assert "91 versions would go in one run; at most 50% may" in ran.stdout
    assert "remedy: look at the plan, then: reconciler apply --allow-destroy web" in ran.stdout
    assert hosts.executed == []


def test_a_person_lifts_the_destroy_budget_for_one_run(command: Runner, hosts: Pretended) -> None:
    hosts.observed = TOO_MANY
    planned = command("plan", "--allow-destroy", "web", "--json").document
    assert planned["allow_destroy"] == ["web"]
    assert planned["blocked"] == []
    ran = command("apply", "--auto-approve", "--allow-destroy", "web")
    assert ran.code == 0
    assert "The destroy budget of web is lifted for this plan." in ran.stdout
    assert len(hosts.executed) == 1
    assert command("apply", "--auto-approve").code == 4


def test_a_saved_plan_takes_the_lifted_budget_along(command: Runner, hosts: Pretended) -> None:
    hosts.observed = TOO_MANY
    command("plan", "--allow-destroy", "web", "--out", "plan.json")
    assert command("apply", "plan.json", "--allow-destroy", "web").code == 64
    assert command("apply", "plan.json").code == 0
    assert len(hosts.executed) == 1


def test_a_budget_of_nothing_known_can_not_be_lifted(command: Runner, hosts: Pretended) -> None:
    ran = command("apply", "--auto-approve", "--allow-destroy", "wbe")
    assert ran.code == 64
    assert "--allow-destroy wbe: the specs have these: web" in ran.stderr
    assert hosts.executed == []
