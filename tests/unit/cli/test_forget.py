"""`reconciler forget` on simulated hosts, as a person types it."""

from pathlib import Path

import pytest

from reconciler.simulator.model import Machine
from reconciler.simulator.run import run
from reconciler.simulator.store import StateFile
from tests.unit.cli.conftest import Runner

HOSTS = """
apiVersion: reconciler/v1alpha1
kind: Host
metadata: {name: alpha}
spec: {connection: {simulated: {state: alpha.json}}}
---
apiVersion: reconciler/v1alpha1
kind: Host
metadata: {name: vault}
spec: {connection: {simulated: {state: vault.json}}}
"""
WEB = """---
apiVersion: reconciler/v1alpha1
kind: Replication
metadata: {name: web}
spec:
  source:
    host: alpha
    filesystems: ["tank/www"]
    snapshots: {every: 15m, prefix: rec-}
  targets: [{host: vault, under: "backup/{host}"}]
"""
NOW = ("--now", "2026-11-22T23:15:00Z")


@pytest.fixture
def specs(command: Runner, tmp_path: Path) -> Path:
    """A file with specs whose one replication was applied."""
    on("alpha", tmp_path, "zpool create tank disk", "zfs create tank/www")
    on("vault", tmp_path, "zpool create backup disk")
    file = tmp_path / "specs.yaml"
    file.write_text(HOSTS + WEB)
    assert command("apply", "-f", str(file), "--auto-approve", *NOW).code == 0
    return file


def on(host: str, folder: Path, *commands: str) -> str:
    """Run commands on a simulated host; return what the last one prints."""
    state = StateFile(folder / f"{host}.json")
    if not state.path.exists():
        state.create(Machine(seed=host))
    for line in commands:
        result = run(state, tuple(line.split()), clock=lambda: 1795389000.0)
        assert result.status == 0, result.stderr
    return result.stdout.decode() if isinstance(result.stdout, bytes) else result.stdout


def bookmarks(specs: Path) -> str:
    return on("alpha", specs.parent, "zfs list -H -t bookmark -o name")


def test_it_shows_what_it_would_do_and_does_nothing_without_being_told(
    command: Runner, specs: Path
) -> None:
    specs.write_text(HOSTS)
    ran = command("forget", "web", "-f", str(specs), *NOW)

    assert ran.code == 1
    assert "there is no terminal to ask on" in ran.stderr
    assert "#rec-cursor_web_vault-" in ran.stdout
    assert "rec-base_web" in ran.stdout
    assert "#rec-cursor_web_vault-" in bookmarks(specs)


def test_it_takes_away_what_is_left_of_a_removed_replication(command: Runner, specs: Path) -> None:
    specs.write_text(HOSTS)
    ran = command("forget", "web", "-f", str(specs), "--auto-approve", *NOW)

    assert ran.code == 0
    assert bookmarks(specs) == ""
    again = command("forget", "web", "-f", str(specs), "--auto-approve", *NOW)
    assert again.code == 0
    assert "nothing is left over of web" in again.stdout


def test_what_is_in_the_specs_is_not_forgotten(command: Runner, specs: Path) -> None:
    ran = command("forget", "web", "-f", str(specs), "--auto-approve", *NOW)

    assert ran.code == 0
    assert "web is in the specs" in ran.stdout
    assert "#rec-cursor_web_vault-" in bookmarks(specs)


def test_json_can_not_ask(command: Runner, specs: Path) -> None:
    ran = command("forget", "web", "-f", str(specs), "--json")

    assert ran.code == 64
    assert "--auto-approve" in ran.stderr
