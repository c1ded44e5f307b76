"""Changes on a host that is reached by ssh become known; its `zpool` does as it is told."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.controller.hearing import HostHearing
from reconciler.controller.listening import Delays
from reconciler.report.telemetry import Silent, Telemetry
from reconciler.simulator.announcing import Announced, record
from reconciler.zfs.events import HISTORY
from tests.integration.server import Sshd, alive, wait_until

QUICK = Delays(spread=0.01, settle=0.3, quiet=0.1, first=0.1, most=0.3)


class FakeEvents:
    """A `zpool` on the server's PATH that prints what is appended to a file, for ever."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = folder / "events"
        self.said.touch()
        pid, new = folder / "pid", folder / "new"
        self.write(f"echo $$ >{new}; mv {new} {pid}; exec tail -n +1 -f {self.said}")
        self.happens("tank/before")

    def write(self, code: str) -> None:
        program = self.folder / "zpool"
        program.write_text(f"#!/bin/sh\n{code}\n")
        program.chmod(0o755)

    def happens(self, dataset: str) -> None:
        event = Announced("tank", HISTORY, dataset, "snapshot")
        with self.said.open("a") as said:
            said.write("\n".join((*record(event, 1, 1_795_000_000.0), "")))

    @property
    def pid(self) -> int:
        return int((self.folder / "pid").read_text())


@pytest.fixture
def zpool(sshd: Sshd, tmp_path: Path) -> FakeEvents:
    sshd.start(PATH=f"{tmp_path}:{os.environ['PATH']}")
    return FakeEvents(tmp_path)


class Hearer:
    """What one hearing told."""

    def __init__(self, sshd: Sshd) -> None:
        self.told: list[object] = []
        self.notes: list[str] = []
        telemetry: Telemetry = Silent()
        self.hearing = HostHearing(
            sshd.host(),
            ("tank",),
            lambda _, filesystems: self.told.append(filesystems),
            lambda _, is_open: self.told.append("open" if is_open else "shut"),
            telemetry,
            note=self.notes.append,
            delays=QUICK,
        )

    def wait_for(self, *told: object) -> None:
        wait_until(lambda: self.told[: len(told)] == list(told))


@pytest.fixture
def hearer(sshd: Sshd, zpool: FakeEvents) -> Iterator[Hearer]:
    del zpool  # It has to be there first.
    hearer = Hearer(sshd)
    yield hearer
    hearer.hearing.close()


def test_a_change_is_heard_and_close_leaves_nothing_behind(
    hearer: Hearer, sshd: Sshd, zpool: FakeEvents
) -> None:
    hearer.hearing.start()
    hearer.wait_for("open", None)
    zpool.happens("tank/a@one")
    hearer.wait_for("open", None, {"tank/a"})
    assert alive(zpool.pid)
    hearer.hearing.close()
    wait_until(lambda: not alive(zpool.pid))
    wait_until(lambda: not sshd.sessions())
    assert hearer.notes == []


def test_a_server_that_is_killed_is_noticed_and_heard_of_again(
    hearer: Hearer, sshd: Sshd, zpool: FakeEvents
) -> None:
    hearer.hearing.start()
    hearer.wait_for("open", None)
    first = zpool.pid
    sshd.stop()
    hearer.wait_for("open", None, "shut")
    sshd.start(PATH=f"{zpool.folder}:{os.environ['PATH']}")
    hearer.wait_for("open", None, "shut", "open", None)
    zpool.happens("tank/a@one")
    hearer.wait_for("open", None, "shut", "open", None, {"tank/a"})
    wait_until(lambda: not alive(first))
    assert "web1: changes there can't be heard: the connection broke" in hearer.notes


def test_a_command_that_is_killed_is_begun_again(hearer: Hearer, zpool: FakeEvents) -> None:
    hearer.hearing.start()
    hearer.wait_for("open", None)
    os.kill(zpool.pid, signal.SIGKILL)
    wait_until(lambda: hearer.told.count("open") == 2)
    assert "was ended by a signal and did not say why" in hearer.notes[0]
