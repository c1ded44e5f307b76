"""Suspend, resume and reconcile: notes in a state directory, with or without a controller."""

import json
import os
from pathlib import Path

import pytest

from reconciler.controller import requests
from reconciler.controller.requests import Requests
from reconciler.controller.statedir import StateDir
from tests.unit.cli.conftest import Runner

COMMANDS = ["suspend", "resume", "reconcile"]


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return StateDir(tmp_path / "state")


def asked(state: StateDir) -> Requests:
    found = requests.read(state.requests)
    assert isinstance(found, Requests)
    return found


def knows(state: StateDir, *names: str) -> None:
    """Let a controller have said which replications it has."""
    state.make()
    document = {"format_version": "1.0", "replications": [{"name": name} for name in names]}
    state.status.write_text(json.dumps(document))


def test_without_a_controller_a_suspension_waits_for_one(command: Runner, state: StateDir) -> None:
    ran = command("suspend", "web", "--state", str(state.path), "--reason", "new disks")
    assert ran.code == 0, ran.stderr
    assert ran.stdout == (
        "web is suspended (new disks): nothing is begun for it before\n"
        "  reconciler resume web\n"
        f"No controller runs on {state.path}; it counts as soon as one is started.\n"
    )
    suspension = asked(state).suspension("web")
    assert suspension is not None
    assert suspension.reason == "new disks"
    assert "@" in suspension.by


def test_with_a_controller_it_is_said_which_one_sees_to_it(
    command: Runner, state: StateDir
) -> None:
    with state.lock():
        ran = command("suspend", "web", "--state", str(state.path))
    assert f"process {os.getpid()}) sees to it within a second" in ran.stdout


def test_what_is_resumed_is_no_longer_suspended(command: Runner, state: StateDir) -> None:
    command("suspend", "web", "--state", str(state.path), "--reason", "new disks")
    ran = command("resume", "web", "--state", str(state.path))
    assert ran.code == 0
    assert "web is no longer suspended by " in ran.stdout
    assert ": new disks." in ran.stdout
    assert asked(state).suspended == ()


def test_resuming_what_is_not_suspended_is_no_error_and_points_to_the_spec(
    command: Runner, state: StateDir
) -> None:
    ran = command("resume", "web", "--state", str(state.path))
    assert ran.code == 0
    assert "web was not suspended" in ran.stdout
    assert "`suspend: true`" in ran.stdout
    assert not state.path.exists()


def test_a_wish_to_reconcile_is_noted_once(command: Runner, state: StateDir) -> None:
    for _ in range(3):
        ran = command("reconcile", "web", "--state", str(state.path))
        assert ran.code == 0
    with state.lock():
        assert (
            "begins within a second"
            in command("reconcile", "web", "--state", str(state.path)).stdout
        )
    assert [wish.name for wish in asked(state).wanted] == ["web"]


def test_what_is_suspended_is_not_reconciled_and_it_is_said_how(
    command: Runner, state: StateDir
) -> None:
    command("suspend", "web", "--state", str(state.path), "--reason", "new disks")
    ran = command("reconcile", "web", "--state", str(state.path))
    assert ran.code == 1
    assert "new disks. Nothing is done for it before `reconciler resume web`" in ran.stderr
    assert asked(state).wanted == ()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_name_that_the_controller_does_not_have_is_refused_with_those_it_has(
    command: Runner, state: StateDir, name: str
) -> None:
    knows(state, "db", "web")
    ran = command(name, "wbe", "--state", str(state.path))
    assert ran.code == 64
    assert "has no replication wbe; it has: db, web" in ran.stderr
    assert asked(state) == Requests()
    assert command(name, "web", "--state", str(state.path)).code == 0


def test_a_suspension_of_what_is_no_longer_in_the_specs_can_be_ended(
    command: Runner, state: StateDir
) -> None:
    command("suspend", "web", "--state", str(state.path))
    knows(state, "db")
    assert command("resume", "web", "--state", str(state.path)).code == 0
    assert asked(state).suspended == ()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"replications": [1]}'])
def test_a_status_that_says_nothing_forbids_nothing(
    command: Runner, state: StateDir, text: str
) -> None:
    state.make()
    state.status.write_text(text)
    assert command("suspend", "web", "--state", str(state.path)).code == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_a_broken_file_of_requests_is_said_and_left_alone(
    command: Runner, state: StateDir, name: str
) -> None:
    state.make()
    state.requests.write_text("{")
    ran = command(name, "web", "--state", str(state.path))
    assert ran.code == 1
    assert "is not what reconciler writes" in ran.stderr
    assert state.requests.read_text() == "{"


@pytest.mark.parametrize("name", ["suspend", "reconcile"])
def test_a_directory_that_cannot_be_made_is_said(command: Runner, name: str) -> None:
    ran = command(name, "web", "--state", "/dev/null/x")
    assert ran.code == 1
    assert "the state directory /dev/null/x can't be used" in ran.stderr


def test_without_an_option_the_state_is_where_the_environment_says(
    command: Runner, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(state.path))
    assert command("suspend", "web").code == 0
    assert asked(state).suspension("web") is not None


@pytest.mark.parametrize("name", COMMANDS)
def test_a_name_is_needed(command: Runner, name: str) -> None:
    assert command(name).code == 64
    assert f"Usage: reconciler {name}" in command(name, "--help").stdout
