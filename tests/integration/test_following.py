"""Following a command on a host that is reached by ssh."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.errors import AuthenticationFailed, CommandEnded, HostBusy, NoShell, Unreachable
from reconciler.hosts.addresses import Privilege
from reconciler.hosts.host import Host
from reconciler.hosts.ssh import source as source_module
from reconciler.zfs.types import Argv
from tests.integration.server import Sshd, alive, one, run, wait_until

HELLO = one("echo", "hello")


@dataclass
class Follower:
    """Follows a command in a thread of its own."""

    pool: ThreadPoolExecutor
    stop: threading.Event = field(default_factory=threading.Event)
    lines: list[str] = field(default_factory=list)
    pulses: list[float] = field(default_factory=list)

    def begin(self, host: Host, argv: Argv) -> "Future[None]":
        return self.pool.submit(
            host.follow,
            argv,
            self.lines.append,
            self.stop,
            on_pulse=lambda: self.pulses.append(time.monotonic()),
        )


@pytest.fixture
def follower() -> Iterator[Follower]:
    with ThreadPoolExecutor() as pool:
        follower = Follower(pool)
        yield follower
        follower.stop.set()


def shell(code: str) -> Argv:
    return ("sh", "-c", code)


def endless(pid: Path, first: str = "echo one; echo two") -> Argv:
    """Return a command that prints two lines and then, like `zpool events`, nothing any more."""
    return shell(f"echo $$ >{pid}.part; mv {pid}.part {pid}; {first}; exec sleep 1000")


def pid_in(path: Path) -> int:
    wait_until(path.exists)
    return int(path.read_text())


def gone(*pids: int) -> Callable[[], bool]:
    return lambda: not any(alive(pid) for pid in pids)


def test_lines_arrive_while_the_command_goes_on_and_stop_ends_it_there(
    sshd: Sshd, follower: Follower, tmp_path: Path
) -> None:
    end = follower.begin(sshd.host(), endless(tmp_path / "pid"))
    pid = pid_in(tmp_path / "pid")
    wait_until(lambda: follower.lines == ["one", "two"])
    wait_until(lambda: len(follower.pulses) > 1)
    assert alive(pid)
    follower.stop.set()
    assert end.result(5) is None
    wait_until(gone(pid))
    wait_until(lambda: not sshd.sessions())


def test_one_connection_the_command_and_its_watcher_are_all_that_runs(
    sshd: Sshd, follower: Follower, tmp_path: Path
) -> None:
    follower.begin(sshd.host(), endless(tmp_path / "pid"))
    wait_until(lambda: len(follower.lines) == 2)
    names = sorted(Path(f"/proc/{pid}/comm").read_text().strip() for pid in sshd.sessions())
    assert [name for name in names if not name.startswith("sshd")] == ["sh", "sleep"]


def test_noise_of_a_login_is_no_line(sshd: Sshd, follower: Follower, tmp_path: Path) -> None:
    sshd.start('ForceCommand echo motd; exec sh -c "$SSH_ORIGINAL_COMMAND"')
    follower.begin(sshd.host(), endless(tmp_path / "pid"))
    wait_until(lambda: follower.lines == ["one", "two"])


def test_a_command_that_ends_by_itself_says_why(sshd: Sshd, follower: Follower) -> None:
    end = follower.begin(sshd.host(), shell("echo out; echo permission denied >&2; exit 3"))
    with pytest.raises(CommandEnded, match="ended with status 3: permission denied") as caught:
        end.result(20)
    assert (caught.value.status, caught.value.stderr) == (3, "permission denied\n")
    assert follower.lines == ["out"]


def test_a_command_that_is_missing_is_told(sshd: Sshd, follower: Follower) -> None:
    with pytest.raises(CommandEnded, match=r"status 127.*not found"):
        follower.begin(sshd.host(), ("no-such-command",)).result(20)


def test_a_command_that_is_killed_is_told(sshd: Sshd, follower: Follower) -> None:
    with pytest.raises(CommandEnded, match="was ended by a signal and did not say why"):
        follower.begin(sshd.host(), shell("kill -9 $$")).result(20)


def test_a_login_that_runs_nothing_is_told(sshd: Sshd, follower: Follower) -> None:
    sshd.start("ForceCommand echo This account is not available.; exit 1")
    with pytest.raises(NoShell, match=r"can't run /bin/sh: This account is not available"):
        follower.begin(sshd.host(), ("sleep", "1000")).result(20)


def test_a_refused_key_is_told(sshd: Sshd, follower: Follower) -> None:
    (sshd.folder / "authorized_keys").write_text("")
    with pytest.raises(AuthenticationFailed):
        follower.begin(sshd.host(), ("sleep", "1000")).result(20)


def test_a_server_that_dies_is_unreachable_and_the_command_ends(
    sshd: Sshd, follower: Follower, tmp_path: Path
) -> None:
    host = sshd.host()
    end = follower.begin(host, endless(tmp_path / "pid"))
    pid = pid_in(tmp_path / "pid")
    # Whoever waits for the command stays: what is killed is only what serves the connection.
    for session in sshd.sessions():
        if Path(f"/proc/{session}/comm").read_text().startswith("sshd"):
            with suppress(ProcessLookupError):
                os.kill(session, signal.SIGKILL)
    with pytest.raises(Unreachable, match="web1: the connection broke"):
        end.result(20)
    wait_until(gone(pid))
    follower.lines.clear()
    follower.begin(host, endless(tmp_path / "again"))
    wait_until(lambda: follower.lines == ["one", "two"])


def test_scripts_are_not_held_up_where_one_session_is_granted(
    sshd: Sshd, follower: Follower, tmp_path: Path
) -> None:
    sshd.start("MaxSessions 1")
    host = sshd.host()
    follower.begin(host, endless(tmp_path / "pid"))
    wait_until(lambda: len(follower.lines) == 2)
    assert run(host, HELLO).stdout == "hello\n"


def test_a_server_that_grants_no_session_is_busy(
    sshd: Sshd, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.hosts.ssh.runner._PAUSES", (0.1,))
    sshd.start("MaxSessions 0")
    with pytest.raises(HostBusy):
        follower.begin(sshd.host(), ("sleep", "1000")).result(20)


class TestLife:
    """The server's processes are stopped (SIGSTOP): its kernel still takes what we send."""

    @pytest.fixture(autouse=True)
    def _quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(source_module, "_SILENCE", 0.5)
        monkeypatch.setattr(source_module, "_PATIENCE", 2.0)

    def test_a_peer_that_stands_still_is_given_up(
        self, sshd: Sshd, follower: Follower, tmp_path: Path
    ) -> None:
        end = follower.begin(sshd.host(), endless(tmp_path / "pid"))
        wait_until(lambda: len(follower.lines) == 2)
        stopped = sshd.sessions()
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(Unreachable, match=r"no sign of life for 2\.5 s"):
                end.result(20)
        finally:
            for pid in stopped:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        wait_until(gone(*stopped))

    def test_a_quiet_peer_that_answers_is_kept(
        self, sshd: Sshd, follower: Follower, tmp_path: Path
    ) -> None:
        end = follower.begin(sshd.host(), endless(tmp_path / "pid"))
        wait_until(lambda: len(follower.lines) == 2)
        time.sleep(5)
        assert not end.done()
        assert alive(pid_in(tmp_path / "pid"))


class TestPrivilege:
    @pytest.fixture(autouse=True)
    def _sudo(self, tmp_path: Path) -> None:
        # Like what is root's, it takes no signal of ours: only the kernel's, of a terminal.
        (tmp_path / "sudo").write_text("#!/bin/sh\ntrap '' TERM\nshift; exec \"$@\"\n")
        (tmp_path / "sudo").chmod(0o755)
        self.path = f"{tmp_path}:{os.environ['PATH']}"
        (tmp_path / "zpool").write_text(
            f"#!/bin/sh\necho $$ >{tmp_path}/pid; tty; echo two; exec sleep 1000\n"
        )
        (tmp_path / "zpool").chmod(0o755)

    @pytest.mark.parametrize("grant", ["PermitTTY yes", "PermitTTY no"])
    def test_it_is_used_on_a_terminal_if_one_is_granted(
        self, sshd: Sshd, follower: Follower, tmp_path: Path, grant: str
    ) -> None:
        sshd.start(grant, PATH=self.path)
        end = follower.begin(sshd.host(Privilege.SUDO), ("zpool", "events", "-f"))
        wait_until(lambda: len(follower.lines) == 2)
        assert follower.lines[1] == "two"
        pid = pid_in(tmp_path / "pid")
        follower.stop.set()
        end.result(5)
        wait_until(gone(pid))

    @pytest.mark.parametrize("grant", ["PermitTTY yes", "PermitTTY no"])
    def test_its_end_is_told_alike(
        self, sshd: Sshd, follower: Follower, tmp_path: Path, grant: str
    ) -> None:
        (tmp_path / "sudo").write_text("#!/bin/sh\necho sudo: a password is required >&2; exit 1\n")
        sshd.start(grant, PATH=self.path)
        with pytest.raises(CommandEnded, match=r"status 1: sudo: a password is req") as caught:
            follower.begin(sshd.host(Privilege.SUDO), ("zpool", "events", "-f")).result(20)
        assert caught.value.stderr.strip() == "sudo: a password is required"
