"""Arguments, help, errors and their exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli import commands
from tests.unit.cli.conftest import Pretended, Runner

COMMAND = (sys.executable, "-m", "reconciler.cli.main")
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
def test_the_help_lists_the_commands_and_the_exit_codes(
    command: Runner, arguments: list[str]
) -> None:
    ran = command(*arguments)
    assert ran.code == 0
    for name in ("validate", "plan", "apply", "watch", "status", "facts", "schema", "version"):
        assert f"\n  {name} " in ran.stdout
    assert "Exit codes: 0 done" in ran.stdout


@pytest.mark.parametrize(
    "name", ["validate", "plan", "show", "apply", "watch", "status", "facts", "schema"]
)
def test_every_command_has_a_help(command: Runner, name: str) -> None:
    ran = command(name, "--help")
    assert ran.code == 0
    assert f"Usage: reconciler {name}" in ran.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["plan", "--detailed-exitcod"],
        ["plan", "surplus"],
        ["plan", "--out"],
        ["plan", "--now", "yesterday"],
        ["plan", "--now", "2026-11-22"],
        ["plan", "--now", "2026-11-22T23:15:00Z", "--out", "p.json"],
        ["plan", "--out", "plan.yaml"],
        ["plan", "--out", "specs"],
        ["plan", "--target", "nowhere"],
        ["plan", "--ssh-config", "missing"],
        ["apply", "--json"],
        ["apply", "specs"],
        ["facts"],
        ["facts", "nobody"],
        ["show"],
        ["watch", "--listen", "example.com:80"],
        ["watch", "--listen", "0.0.0.0:9811"],
        ["watch", "--tls-cert", "cert.pem"],
        ["watch", "--auth-user", "me"],
        ["watch", "--git", "https://example.com/specs"],
        ["watch", "-f", "elsewhere", "--git", "repository"],
        ["watch", "--resync", "soon"],
        ["watch", "--resync", "1s"],
        ["watch", "--grace", "0s"],
        ["watch", "--ssh-config", "missing"],
        ["watch", "surplus"],
        ["status", "--ssh-config", "missing"],
    ],
)
@pytest.mark.usefixtures("hosts")
def test_wrong_usage_ends_with_64(command: Runner, arguments: list[str]) -> None:
    ran = command(*arguments)
    assert ran.code == 64
    assert ran.stderr
    assert ran.stdout == ""


def test_version(command: Runner) -> None:
    ran = command("version")
    assert ran.code == 0
    assert ran.stdout.startswith("reconciler 0.")


def test_the_schema_is_json(command: Runner) -> None:
    assert "$schema" in command("schema").document


def test_help_imports_nothing_heavy() -> None:
    probe = (
        "import sys; from reconciler.cli.main import run; run(['--help']);"
        "heavy = {'rich', 'pydantic', 'yaml', 'fabric', 'paramiko', 'loguru'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_a_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen(
        [*COMMAND, "schema"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait() == 0
        assert process.stderr.read() == b""


@pytest.mark.parametrize("debug", [False, True])
def test_a_bug_is_called_one(
    command: Runner, hosts: Pretended, monkeypatch: pytest.MonkeyPatch, *, debug: bool
) -> None:
    def broken(*_arguments: object) -> None:
        raise LookupError("of all things")

    assert hosts
    monkeypatch.setattr("reconciler.planner.middle.find_sources", broken)
    ran = command("plan", *(["--debug"] if debug else []))
    assert ran.code == 1
    assert "This is a bug in reconciler" in ran.stderr
    assert "LookupError: of all things" in ran.stderr
    assert ("Traceback" in ran.stderr) == debug


def test_an_interruption_ends_with_130(
    command: Runner, hosts: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    assert hosts
    monkeypatch.setattr("reconciler.executor.observe.observe", interrupted)
    ran = command("plan")
    assert ran.code == 130
    assert ran.stderr == "Interrupted.\n"


def test_every_command_has_a_module_of_its_own() -> None:
    names = {path.stem for path in Path(commands.__file__).parent.glob("[a-z]*.py")}
    known = {"validate", "plan", "show", "apply", "facts", "schema", "simulator", "version"}
    known |= {"suspend", "resume", "reconcile", "watch", "status", "import_zrepl", "simulate"}
    known |= {"forget"}
    assert names == known
