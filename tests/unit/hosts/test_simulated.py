"""Simulated hosts: scripts mean what a real shell makes of them, and things go wrong on demand."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from reconciler.errors import CommandTimeout, OutputCut, Unreachable
from reconciler.hosts.addresses import HostAddress, LocalAddress, SimulatedAddress
from reconciler.hosts.fleet import Fleet
from reconciler.hosts.local import LocalHost
from reconciler.hosts.script import FieldsOf, Script, Step, Succeeded, Transcript
from reconciler.hosts.simulated import SimulatedHost
from reconciler.hosts.streams import local_pipe
from reconciler.observed.model import Seen
from reconciler.observed.probe import probe
from reconciler.observed.read import read_probe
from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.faults import (
    ControllerDied,
    Cut,
    Dies,
    Fails,
    Fault,
    Faults,
    Hangs,
    Interlude,
    Lost,
    Meanwhile,
    ScriptCut,
)
from reconciler.simulator.model import Machine
from reconciler.simulator.run import run
from reconciler.simulator.store import StateFile
from reconciler.zfs import commands, queries
from reconciler.zfs.capabilities import StreamFlags
from reconciler.zfs.types import FilesystemKind

AT = "2026-11-22T22:00:00Z"
NOW = 1795384800

SETUP = (
    "zpool create tank disk",
    "zfs create tank/a",
    "write tank/a file 3000000",
    "zfs snapshot tank/a@one",
    "zfs snapshot tank/a@two",
    "zfs hold keep tank/a@one",
    "zfs bookmark tank/a@two tank/a#two",
)


def clock() -> float:
    return NOW


def prepared(*lines: str, seed: str = "alpha") -> MemoryCell:
    cell = MemoryCell(Machine(seed))
    for line in (*SETUP, *lines):
        result = run(cell, tuple(line.split()), clock=clock)
        assert result.status == 0, result.stderr
    return cell


def host(*, faults: dict[int, Fault] | None = None) -> SimulatedHost:
    return SimulatedHost("alpha", prepared(), clock, Faults(faults or {}))


def snapshots(host: SimulatedHost, filesystem: str = "tank/a") -> list[str]:
    dataset = host.cell.read().datasets.get(filesystem)
    return [snapshot.name for snapshot in dataset.snapshots] if dataset is not None else []


# -- scripts mean what a shell makes of them -------------------------------------------------------


GUIDS = queries.list_guids(["tank/a@one", "tank/a@two"])
SCRIPTS = {
    "the probe": probe(["tank"]),
    "the probe of what is not there": probe(["tank/none", "nopool/x"]),
    "a failure and what depends on it": Script(
        (
            Step("first", queries.list_filesystem("tank/none")),
            Step("second", queries.version(), when=Succeeded("first")),
            Step("third", queries.version(), when=Succeeded("second")),
            Step("last", queries.list_pools()),
        )
    ),
    "arguments from rows of a failed listing": Script(
        (
            Step("rows", queries.list_versions(["tank/a@one", "tank/none@x", "tank/a@two"])),
            Step("holds", queries.HOLDS, more=FieldsOf("rows", take=0, positive=4)),
        )
    ),
    "no arguments from rows": Script(
        (
            Step("rows", queries.list_versions(["tank/a@two"])),
            Step("holds", queries.HOLDS, more=FieldsOf("rows", take=0, positive=4)),
            Step("after", queries.version(), when=Succeeded("holds")),
        )
    ),
    "arguments that fail": Script(
        (
            Step("rows", queries.list_versions(["tank/a@one"])),
            Step("bad", ("zfs", "holds", "-x"), more=FieldsOf("rows", take=0, positive=4)),
        )
    ),
    "a stream": Script(
        (
            local_pipe(
                commands.send("tank/a@one", base=None, intermediates=False, flags=StreamFlags()),
                commands.receive("tank/b", kind=FilesystemKind.FILESYSTEM, initial=True),
            ),
            Step("after", queries.list_filesystem("tank/b")),
        ),
        mutates=True,
    ),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_means_what_a_shell_makes_of_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = StateFile(tmp_path / "alpha.json")
    state.create(prepared().read())
    shims = [sys.executable, "-m", "reconciler.cli.main", "simulator", "shims"]
    subprocess.run([*shims, str(tmp_path / "bin"), str(state.path), "--at", AT], check=True)
    date = tmp_path / "bin" / "date"
    date.write_text(f"#!/bin/sh\necho {NOW}\n")
    date.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    real = LocalHost(HostAddress("alpha", LocalAddress()))
    by_shell = real.run(SCRIPTS[name], timeout=60)

    assert host().run(SCRIPTS[name], timeout=60) == by_shell


def test_what_is_on_a_simulated_host_is_observed() -> None:
    transcript = host().run(probe(["tank"]), timeout=1)
    seen = read_probe("alpha", ["tank"], transcript, NOW)
    assert isinstance(seen, Seen)
    versions = seen.filesystems["tank/a"].versions
    assert [version.label for version in versions] == ["@one", "#two", "@two"]
    assert versions[0].holds == ("keep",)


# -- things go wrong -------------------------------------------------------------------------------


DESTROY = Script(
    (
        Step("check", queries.list_guids(["tank/a@two"])),
        Step("destroy", commands.destroy_snapshots("tank/a", ["two"]), when=Succeeded("check")),
        Step("after", queries.list_filesystem("tank/a")),
    )
)
ARRIVES, CHECKS, DESTROYS, IOCTL, LISTS = 1, 2, 3, 4, 5
"""The moments of this script."""


def test_the_moments_of_a_script_are_its_arrival_its_commands_and_its_changes() -> None:
    alpha = host()
    alpha.run(DESTROY, timeout=1)
    assert alpha.faults.moments == LISTS


@pytest.mark.parametrize("moment", [ARRIVES, CHECKS, DESTROYS, IOCTL, LISTS])
def test_a_connection_that_breaks_ends_the_script_there(moment: int) -> None:
    alpha = host(faults={moment: Lost()})
    with pytest.raises(Unreachable, match="alpha: the connection broke"):
        alpha.run(DESTROY, timeout=1)
    assert snapshots(alpha) == (["one", "two"] if moment <= IOCTL else ["one"])
    assert alpha.run(DESTROY, timeout=1).get("after") is not None


@pytest.mark.parametrize("moment", [DESTROYS, LISTS])
def test_a_command_that_hangs_is_cut_off_by_the_time_limit(moment: int) -> None:
    alpha = host(faults={moment: Hangs()})
    with pytest.raises(CommandTimeout, match="not done after 7 s"):
        alpha.run(DESTROY, timeout=7)
    assert snapshots(alpha) == (["one", "two"] if moment == DESTROYS else ["one"])


@pytest.mark.parametrize("moment", [DESTROYS, IOCTL])
def test_a_command_is_refused_with_any_words(moment: int) -> None:
    alpha = host(faults={moment: Fails(("cannot destroy: no", "and no"), 3)})
    outcome = alpha.run(DESTROY, timeout=1).outcomes["destroy"]
    assert (outcome.status, outcome.stderr) == (3, "cannot destroy: no\nand no\n")
    assert snapshots(alpha) == ["one", "two"]


@pytest.mark.parametrize("status", [0, 255])
def test_a_commands_output_is_cut(status: int) -> None:
    alpha = host(faults={CHECKS: Cut(12, status)})
    outcome = alpha.run(DESTROY, timeout=1).outcomes["check"]
    assert (outcome.status, outcome.stdout) == (status, "tank/a@two\t" + outcome.stdout[11:])
    assert len(outcome.stdout) == 12


def test_a_scripts_output_is_cut_after_it_has_done_all() -> None:
    script, whole = DESTROY, 10**6
    alpha = host(faults={ARRIVES: ScriptCut(40)})
    with pytest.raises(OutputCut):
        alpha.run(script, timeout=1)
    assert snapshots(alpha) == ["one"]

    alpha = host(faults={ARRIVES: ScriptCut(whole)})
    assert alpha.run(script, timeout=1) == host().run(script, timeout=1)


def test_a_cut_probe_is_never_taken_for_an_answer() -> None:
    script = probe(["tank"])
    whole = host().run(script, timeout=1)
    for length in range(0, 4000, 7):
        alpha = host(faults={ARRIVES: ScriptCut(length)})
        assert answered(alpha, script) in (None, whole)


def answered(host: SimulatedHost, script: Script) -> Transcript | None:
    try:
        return host.run(script, timeout=1)
    except OutputCut:
        return None


def test_a_controller_that_is_killed_does_nothing_more_anywhere() -> None:
    alpha = host(faults={IOCTL: Dies()})
    other = SimulatedHost("beta", prepared(seed="beta"), clock, Faults({}, alpha.faults.controller))
    with pytest.raises(ControllerDied):
        alpha.run(DESTROY, timeout=1)
    for left in (alpha, other):
        with pytest.raises(ControllerDied):
            left.run(DESTROY, timeout=1)
        assert snapshots(left) == ["one", "two"]


def test_somebody_else_acts_between_two_commands() -> None:
    line = ("zfs", "rename", "tank/a@two", "tank/a@three")
    alpha = host(faults={DESTROYS: Meanwhile((line, ("zfs", "nonsense")))})
    outcome = alpha.run(DESTROY, timeout=1).outcomes["destroy"]
    assert "could not find any snapshots to destroy" in outcome.stderr
    assert snapshots(alpha) == ["one", "three"]


def test_anything_can_happen_between_two_commands() -> None:
    happened: list[str] = []
    host(faults={CHECKS: Interlude(lambda: happened.append("it"))}).run(DESTROY, timeout=1)
    assert happened == ["it"]


# -- streams between two hosts ---------------------------------------------------------------------


def link(
    sender_faults: dict[int, Fault] | None = None, receiver_faults: dict[int, Fault] | None = None
) -> tuple[SimulatedHost, SimulatedHost, Fleet]:
    alpha = SimulatedHost("alpha", prepared(), clock, Faults(sender_faults or {}))
    vault = SimulatedHost("vault", prepared(seed="v"), clock, Faults(receiver_faults or {}))
    address = SimulatedAddress("none")
    fleet = Fleet({name: HostAddress(name, address) for name in ("alpha", "vault")})
    fleet.adopt(alpha)
    fleet.adopt(vault)
    return alpha, vault, fleet


STREAM = Script(
    (
        local_pipe(
            ("zfs", "send", "-v", "-P", "tank/a@one"),
            ("zfs", "receive", "-s", "-u", "tank/copy"),
        ),
    )
)


def test_a_stream_between_two_hosts_arrives() -> None:
    alpha, vault, fleet = link()
    said: list[str] = []
    outcome = fleet.link("alpha", "vault").run(STREAM, timeout=1, on_stderr=said.append)
    assert outcome.outcomes["stream"].ok
    assert snapshots(vault, "tank/copy") == ["one"]
    assert "size\t" in "".join(said)
    assert not alpha.cell.read().sending


def test_a_sender_that_is_lost_leaves_what_arrived_with_the_receiver() -> None:
    _, vault, fleet = link(sender_faults={2: Cut(2500, 255)})
    fleet.link("alpha", "vault").run(STREAM, timeout=1)
    dataset = vault.cell.read().datasets["tank/copy"]
    assert dataset.inconsistent
    assert dataset.partial is not None
    assert dataset.partial.owner is None


def test_a_receiver_that_is_lost_keeps_what_arrived_and_ends_the_sender() -> None:
    for moment in range(1, 30):
        alpha, vault, fleet = link(receiver_faults={moment: Lost()})
        outcome = fleet.link("alpha", "vault").run(STREAM, timeout=1).outcomes["stream"]
        if not vault.faults.happened:
            assert outcome.ok
            break
        assert not outcome.ok
        assert not alpha.cell.read().sending
        for dataset in vault.cell.read().datasets.values():
            assert dataset.partial is None or dataset.partial.owner is None
    else:
        raise AssertionError("there are more moments than expected")


@pytest.mark.parametrize("fault", [Dies(), Hangs()])
def test_whatever_ends_a_stream_nothing_of_it_runs_on(fault: Fault) -> None:
    for moment in range(2, 8):
        alpha, vault, fleet = link(receiver_faults={moment: fault})
        with suppress(ControllerDied, CommandTimeout):
            fleet.link("alpha", "vault").run(STREAM, timeout=1)
        assert not alpha.cell.read().sending
        for dataset in vault.cell.read().datasets.values():
            assert dataset.partial is None or dataset.partial.owner is None


def test_a_missing_state_file_makes_a_host_unreachable(tmp_path: Path) -> None:
    address = HostAddress("alpha", SimulatedAddress("none.json", str(tmp_path)))
    with Fleet({"alpha": address}) as fleet, pytest.raises(Unreachable, match="no such simulated"):
        fleet.host("alpha").run(DESTROY, timeout=1)


def test_a_link_is_between_simulated_hosts_only() -> None:
    addresses = {"alpha": HostAddress("alpha", LocalAddress())}
    with Fleet(addresses) as fleet, pytest.raises(ValueError, match="not both simulated"):
        fleet.link("alpha", "alpha")
