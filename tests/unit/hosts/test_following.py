"""Following one long command: its lines, its end, and what of it runs on this machine."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.errors import CommandEnded, Unreachable
from reconciler.hosts.addresses import HostAddress, LocalAddress, Privilege, SimulatedAddress
from reconciler.hosts.fleet import Fleet
from reconciler.hosts.following import Lines
from reconciler.hosts.host import Host
from reconciler.hosts.local import LocalHost
from reconciler.hosts.simulated import SimulatedHost
from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.faults import Fails, Fault, Faults, Lost
from reconciler.simulator.model import Machine
from reconciler.zfs.queries import follow_events
from reconciler.zfs.types import Argv
from tests.unit.hosts.test_local import alive, wait_until

NONCE = "0123456789abcdef"
BEGIN = f"\n{NONCE} begin\n".encode()


def lines_of(*chunks: bytes) -> list[str]:
    lines = Lines(NONCE)
    return [line for chunk in chunks for line in lines.feed(chunk)]


class TestLines:
    def test_what_comes_before_the_mark_is_no_line(self) -> None:
        assert lines_of(b"motd\nmore", BEGIN + b"one\n") == ["one"]

    def test_lines_come_whole_however_they_are_cut(self) -> None:
        text = b"noise" + BEGIN + "ein\n\n\tzwölf \n".encode()
        assert lines_of(*(bytes([byte]) for byte in text)) == ["ein", "", "\tzwölf "]

    def test_an_unfinished_line_is_no_line(self) -> None:
        assert lines_of(BEGIN + b"one\ntw") == ["one"]

    def test_a_terminal_may_end_lines_in_its_own_way(self) -> None:
        assert lines_of(BEGIN + b"one\r\ntwo\n") == ["one", "two"]

    def test_what_is_no_text_can_be_shown(self) -> None:
        assert lines_of(BEGIN + b"\xff\n") == ["\\xff"]

    def test_a_line_without_end_takes_no_memory_without_end(self) -> None:
        lines = Lines(NONCE)
        list(lines.feed(BEGIN))
        got = [line for _ in range(100) for line in lines.feed(b"x" * 10_000)]
        assert len(lines.unfinished) < 100_000
        assert len("".join(got)) > 900_000

    def test_noise_without_end_takes_no_memory_without_end(self) -> None:
        lines = Lines(NONCE)
        for _ in range(100):
            list(lines.feed(b"x" * 10_000))
        assert list(lines.feed(BEGIN + b"one\n")) == ["one"]
        assert len(lines._before) < 10_000


@dataclass
class Follower:
    pool: ThreadPoolExecutor
    stop: threading.Event = field(default_factory=threading.Event)
    lines: list[str] = field(default_factory=list)
    pulses: list[None] = field(default_factory=list)

    def begin(self, host: Host, argv: Argv) -> "Future[None]":
        return self.pool.submit(
            host.follow,
            argv,
            self.lines.append,
            self.stop,
            on_pulse=lambda: self.pulses.append(None),
        )


@pytest.fixture
def follower() -> Iterator[Follower]:
    with ThreadPoolExecutor() as pool:
        follower = Follower(pool)
        yield follower
        follower.stop.set()


@pytest.fixture
def zpool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a `zpool`, and a `sudo`, on the PATH that do as they are told."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def write(code: str) -> None:
        # TERM can't reach what sudo made root's, only the kernel's own signals can.
        programs = {"zpool": code, "sudo": "trap '' TERM\nshift; exec \"$@\""}
        for name, text in programs.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
            (tmp_path / name).chmod(0o755)

    return write


def here(privilege: Privilege = Privilege.NONE) -> LocalHost:
    return LocalHost(HostAddress("here", LocalAddress(), privilege))


EVENTS = follow_events()


class TestLocalHost:
    @pytest.mark.parametrize("privilege", [Privilege.NONE, Privilege.SUDO])
    def test_lines_arrive_while_it_runs_and_stop_ends_it(
        self,
        follower: Follower,
        zpool: Callable[[str], None],
        tmp_path: Path,
        privilege: Privilege,
    ) -> None:
        zpool(f'echo $$ >{tmp_path}/pid; echo "$*"; exec sleep 1000')
        end = follower.begin(here(privilege), EVENTS)
        wait_until(lambda: follower.lines == ["events -f -v -H"])
        wait_until(lambda: len(follower.pulses) > 1)
        pid = int((tmp_path / "pid").read_text())
        assert alive(pid)
        follower.stop.set()
        assert end.result(30) is None
        wait_until(lambda: not alive(pid))

    @pytest.mark.parametrize("privilege", [Privilege.NONE, Privilege.SUDO])
    def test_a_killed_controller_leaves_nothing_behind(
        self, zpool: Callable[[str], None], tmp_path: Path, privilege: Privilege
    ) -> None:
        zpool(f"echo $$ >{tmp_path}/part; mv {tmp_path}/part {tmp_path}/pid; exec sleep 1000")
        code = f"""
import threading
from reconciler.hosts.addresses import *
from reconciler.hosts.local import LocalHost
host = LocalHost(HostAddress("here", LocalAddress(), Privilege({privilege.value!r})))
host.follow({EVENTS!r}, print, threading.Event())
"""
        environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
        with subprocess.Popen([sys.executable, "-c", code], env=environment) as controller:
            wait_until((tmp_path / "pid").exists)
            pid = int((tmp_path / "pid").read_text())
            assert alive(pid)
            controller.send_signal(signal.SIGKILL)
        wait_until(lambda: not alive(pid))

    def test_one_that_ends_by_itself_says_why(
        self, follower: Follower, zpool: Callable[[str], None]
    ) -> None:
        zpool("echo cannot get event: permission denied >&2; exit 255")
        with pytest.raises(CommandEnded, match=r"status 255: cannot get event: perm") as caught:
            follower.begin(here(), EVENTS).result(30)
        assert caught.value.status == 255
        assert caught.value.stderr == "cannot get event: permission denied\n"

    def test_one_that_was_killed_is_told(
        self, follower: Follower, zpool: Callable[[str], None]
    ) -> None:
        zpool("kill -9 $$")
        with pytest.raises(CommandEnded, match="was ended by signal 9 and did not say") as caught:
            follower.begin(here(), EVENTS).result(30)
        assert caught.value.status == -9

    def test_a_listener_that_fails_ends_it(
        self, zpool: Callable[[str], None], tmp_path: Path
    ) -> None:
        zpool(f"echo $$ >{tmp_path}/pid; echo one; exec sleep 1000")

        def fail(line: str) -> None:
            raise ValueError(line)

        with pytest.raises(ValueError, match="one"):
            here().follow(EVENTS, fail, threading.Event())
        wait_until(lambda: not alive(int((tmp_path / "pid").read_text())))

    def test_no_descriptor_is_left_open(
        self, follower: Follower, zpool: Callable[[str], None]
    ) -> None:
        zpool("exit 1")
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - only their number counts
        for privilege in (Privilege.NONE, Privilege.SUDO):
            with pytest.raises(CommandEnded):
                here(privilege).follow(EVENTS, print, follower.stop)
        assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


class TestSimulatedHost:
    """What it announces is tested with `simulator.announcing` and `controller.hearing`."""

    @staticmethod
    def host(fault: Fault | None = None) -> SimulatedHost:
        faults = Faults({} if fault is None else {1: fault})
        return SimulatedHost("web1", MemoryCell(Machine("web1")), lambda: 0.0, faults)

    def test_stop_ends_it(self, follower: Follower) -> None:
        end = follower.begin(self.host(), EVENTS)
        wait_until(lambda: bool(follower.pulses))
        follower.stop.set()
        assert end.result(30) is None

    def test_only_events_can_be_followed(self, follower: Follower) -> None:
        with pytest.raises(CommandEnded, match="only `zpool events -f -v -H` can be followed"):
            follower.begin(self.host(), ("tail", "-f", "log")).result(30)

    def test_a_connection_that_is_lost_is_told(self, follower: Follower) -> None:
        with pytest.raises(Unreachable, match="the connection broke"):
            follower.begin(self.host(Lost()), EVENTS).result(30)

    def test_a_refusal_is_told(self, follower: Follower) -> None:
        refusal = Fails(("cannot get event: permission denied",), 255)
        with pytest.raises(CommandEnded, match="permission denied") as caught:
            follower.begin(self.host(refusal), EVENTS).result(30)
        assert caught.value.status == 255

    def test_a_state_file_that_is_missing_is_told(self, follower: Follower, tmp_path: Path) -> None:
        address = HostAddress("web1", SimulatedAddress(str(tmp_path / "none.json")))
        with Fleet({"web1": address}) as fleet, pytest.raises(Unreachable, match="no such simu"):
            follower.begin(fleet.host("web1"), EVENTS).result(30)
