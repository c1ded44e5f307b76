"""Scripts on a host that is reached by ssh."""

import logging
import os
import shutil
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Self

import pytest

from reconciler.errors import (
    AuthenticationFailed,
    CommandTimeout,
    HostBusy,
    HostError,
    NoShell,
    OutputCut,
    Unreachable,
)
from reconciler.hosts.addresses import HostAddress, LocalAddress, Privilege
from reconciler.hosts.script import FieldsOf, Outcome, Printed, Script, Step
from reconciler.hosts.ssh import SshHost
from reconciler.hosts.ssh import line as line_module
from reconciler.hosts.ssh import runner as runner_module
from tests.integration.server import Sshd, alive, new_key, one, run, shell, wait_until

HELLO = one("echo", "hello")


def test_a_script_comes_back_as_a_transcript(sshd: Sshd) -> None:
    script = Script(
        (
            Step("rows", ("printf", "it's\\t1\\na b\\t0\\n\\303\\274 $x\\t2\\n")),
            Step("use", ("printf", "<%s>\\n"), more=FieldsOf("rows", take=0, positive=1)),
            Step("no", ("true",), when=Printed("use", "other")),
            Step("stream", ("sh", "-c", "echo p >&2; echo d; exit 2"), into=("cat",)),
        )
    )
    assert sshd.host().run(script, timeout=30).outcomes == {
        "rows": Outcome(0, "it's\t1\na b\t0\n\u00fc $x\t2\n", ""),
        "use": Outcome(0, "<it's>\n<\u00fc $x>\n", ""),
        "stream": Outcome(0, "d\n", "p\n", first_status=2),
    }


def test_a_big_output_comes_whole_and_quickly(sshd: Sshd) -> None:
    host, size = sshd.host(), 64 << 20
    assert run(host, HELLO).ok
    began = time.monotonic()
    outcome = run(host, one("head", "-c", str(size), "/dev/zero"), timeout=55)
    print(f"64 MiB in {time.monotonic() - began:.2f} s")
    assert outcome.stdout == "\0" * size


def test_much_stderr_and_stdout_at_once_do_not_block(sshd: Sshd) -> None:
    outcome = run(sshd.host(), shell("head -c 9000000 /dev/zero >&2; head -c 9000000 /dev/zero"))
    assert (len(outcome.stdout), len(outcome.stderr)) == (9000000, 9000000)


def test_a_script_may_be_longer_than_an_argument_list(sshd: Sshd) -> None:
    steps = tuple(Step(f"s{i}", ("echo", "x" * 100, str(i))) for i in range(2500))
    outcomes = sshd.host().run(Script(steps), timeout=50).outcomes
    assert [outcomes[f"s{i}"].stdout for i in (0, 2499)] == [
        f"{'x' * 100} {i}\n" for i in (0, 2499)
    ]


def test_stderr_is_heard_while_the_step_runs(sshd: Sshd, tmp_path: Path) -> None:
    go_on = tmp_path / "go-on"
    code = f"echo first >&2; while [ ! -e {go_on} ]; do sleep 0.02; done; echo second >&2"
    heard: list[str] = []

    def listen(text: str) -> None:
        heard.append(text)
        go_on.touch()

    sshd.host().run(shell(code), timeout=30, on_stderr=listen)
    assert heard == ["first\n", "second\n"]


class TestThreads:
    def test_twenty_at_once_share_one_connection_of_ten_sessions(self, sshd: Sshd) -> None:
        host = sshd.host()
        with ThreadPoolExecutor(20) as pool:
            scripts = [shell(f"sleep 0.1; echo {i}") for i in range(20)]
            printed = list(pool.map(lambda script: run(host, script).stdout, scripts))
        assert printed == [f"{i}\n" for i in range(20)]
        assert logins(sshd) == 1

    def test_many_short_ones_in_a_row_do_not_run_out_of_sessions(self, sshd: Sshd) -> None:
        host = sshd.host()
        with ThreadPoolExecutor(12) as pool:
            ends = list(pool.map(lambda _: attempt(host, HELLO), range(60)))
        assert ends == ["ok"] * 60
        assert logins(sshd) == 1

    def test_with_a_server_that_grants_few_sessions_they_take_turns(self, sshd: Sshd) -> None:
        sshd.start("MaxSessions 1")
        host = sshd.host()
        with ThreadPoolExecutor(3) as pool:
            ends = list(pool.map(lambda _: attempt(host, shell("sleep 0.3")), range(3)))
        assert ends == ["ok"] * 3

    def test_with_a_server_that_grants_no_session_the_host_is_busy(
        self, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(runner_module, "_PAUSES", (0.1,))
        sshd.start("MaxSessions 0")
        with pytest.raises(HostBusy, match="it grants no further session"):
            run(sshd.host(), HELLO)

    def test_all_threads_share_the_failure_of_one(
        self, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls: list[str] = []

        def slow(host: str, *_: object) -> None:
            calls.append(host)
            time.sleep(0.5)
            raise Unreachable(host, "no answer")

        monkeypatch.setattr(line_module, "open_connection", slow)
        host = sshd.host()
        with ThreadPoolExecutor(8) as pool:
            ends = list(pool.map(lambda _: attempt(host, HELLO), range(8)))
        assert ends == ["Unreachable"] * 8
        assert len(calls) <= 2
        assert attempt(host, HELLO) == "Unreachable"


def attempt(host: SshHost, script: Script) -> str:
    try:
        return "ok" if run(host, script).ok else "failed"
    except HostError as error:
        return type(error).__name__


def logins(sshd: Sshd) -> int:
    return (sshd.folder / "sshd.log").read_text().count("Accepted publickey")


class TestTimeout:
    def test_what_runs_on_the_host_is_ended(self, sshd: Sshd, tmp_path: Path) -> None:
        pids = tmp_path / "pids"
        host, code = sshd.host(), f"echo $$ >>{pids}; sleep 1000; exit 0"
        step = Step("stream", ("sh", "-c", code), into=("sh", "-c", code))
        assert run(host, HELLO).ok
        with pytest.raises(CommandTimeout, match="web1: not done after 1 s"):
            host.run(Script((step,)), timeout=1)
        assert len(pids.read_text().split()) == 2
        wait_until(lambda: not any(alive(int(pid)) for pid in pids.read_text().split()))
        assert run(host, HELLO).ok
        assert logins(sshd) == 1

    def test_a_peer_that_says_nothing_is_given_up(self, sshd: Sshd) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as silent:
            host = sshd.host(port=silent.getsockname()[1])
            began = time.monotonic()
            with pytest.raises(Unreachable, match="took too long to answer"):
                run(host, HELLO)
        assert time.monotonic() - began < 20


class TestBrokenConnections:
    def test_when_the_server_dies_in_the_middle_the_host_is_unreachable(
        self, sshd: Sshd, tmp_path: Path
    ) -> None:
        host, begun = sshd.host(), tmp_path / "begun"
        script = shell(f"echo some; touch {begun}; sleep 1000")
        with ThreadPoolExecutor(1) as pool:
            end = pool.submit(attempt, host, script)
            wait_until(begun.exists)
            sshd.stop()
            assert end.result() == "Unreachable"
        with pytest.raises(Unreachable, match="Connection refused"):
            run(host, HELLO)
        sshd.start()
        assert run(host, HELLO).ok

    def test_a_connection_that_broke_while_idle_is_replaced_unnoticed(self, sshd: Sshd) -> None:
        host = sshd.host()
        assert run(host, HELLO).ok
        sshd.stop()
        sshd.start()
        assert run(host, HELLO).ok
        assert logins(sshd) == 2

    @pytest.mark.parametrize("kept", [500, 3000, 100_000, 1_000_000])
    def test_an_output_that_is_cut_is_never_a_shorter_transcript(
        self, sshd: Sshd, kept: int
    ) -> None:
        script = one("seq", "1", "300000")
        with Cutter(sshd.port, kept) as cutter:
            host = sshd.host(port=cutter.port, host_key=sshd.public_key)
            with pytest.raises((Unreachable, OutputCut)):
                run(host, script)
            cutter.kept = 1 << 40
            assert run(host, script).stdout.endswith("\n300000\n")

    def test_a_shell_that_is_killed_is_a_cut_output(self, sshd: Sshd) -> None:
        host = sshd.host()
        with pytest.raises(OutputCut):
            run(host, shell("kill -9 $PPID"))
        assert run(host, HELLO).ok


class Cutter:
    """Forwards connections to a server and cuts them after so many bytes from it."""

    def __init__(self, port: int, kept: int) -> None:
        self.kept = kept
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            threading.Thread(target=pump, args=(client, server, 1 << 40), daemon=True).start()
            threading.Thread(target=pump, args=(server, client, self.kept), daemon=True).start()


def pump(source: socket.socket, sink: socket.socket, kept: int) -> None:
    with suppress(OSError):
        while kept > 0 and (data := source.recv(min(65536, kept))):
            sink.sendall(data)
            kept -= len(data)
    for end in (source, sink):
        shut(end)


def shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


class TestWear:
    def test_a_worn_connection_is_replaced(
        self, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(line_module, "_WORN_BYTES", 1000)
        host = sshd.host()
        for _ in range(3):
            assert run(host, one("seq", "1", "1000")).ok
        assert logins(sshd) == 3

    def test_close_gives_the_connection_back(self, sshd: Sshd) -> None:
        host = sshd.host()
        assert run(host, HELLO).ok
        before = len(sshd.sessions())
        host.close()
        wait_until(lambda: len(sshd.sessions()) < before)
        assert run(host, HELLO).ok
        host.close()


class TestLoginShells:
    @pytest.mark.parametrize(
        "name", ["dash", "bash", "busybox", "ksh93", "mksh", "zsh", "fish", "csh"]
    )
    def test_every_login_shell_does(self, sshd: Sshd, name: str) -> None:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
        program = "busybox sh" if name == "busybox" else name
        sshd.start(f'ForceCommand exec {program} -c "$SSH_ORIGINAL_COMMAND"')
        assert run(sshd.host(), one("printf", "%s", "it's $x")) == Outcome(0, "it's $x", "")

    def test_noise_of_a_login_is_not_output(self, sshd: Sshd) -> None:
        noise = "echo motd; printf 'no newline'; echo warning >&2"
        sshd.start(f'ForceCommand {noise}; exec sh -c "$SSH_ORIGINAL_COMMAND"')
        heard: list[str] = []
        script = shell("echo out; echo err >&2")
        transcript = sshd.host().run(script, timeout=30, on_stderr=heard.append)
        assert transcript.outcomes["a"] == Outcome(0, "out\n", "err\n")
        assert heard == ["err\n"]

    def test_noise_of_a_bashrc_is_not_output(self, sshd: Sshd) -> None:
        (sshd.folder / ".bashrc").write_text("echo noise; echo noise >&2; PATH=\n")
        assert run(sshd.host(), HELLO) == Outcome(0, "hello\n", "")

    def test_a_login_that_runs_nothing_is_told(self, sshd: Sshd) -> None:
        sshd.start("ForceCommand echo This account is not available.; exit 1")
        with pytest.raises(NoShell, match=r"our account can't run /bin/sh: This account is not av"):
            run(sshd.host(), HELLO)

    def test_a_missing_shell_is_told(self, sshd: Sshd) -> None:
        sshd.start("ForceCommand exec /no/such/shell")
        with pytest.raises(NoShell, match=r"/no/such/shell"):
            run(sshd.host(), HELLO)

    def test_a_daemon_that_a_step_leaves_behind_does_not_hold_it_up(self, sshd: Sshd) -> None:
        began = time.monotonic()
        outcome = run(sshd.host(), shell("sleep 30 & echo $!"))
        assert time.monotonic() - began < 20
        assert alive(int(outcome.stdout))
        os.kill(int(outcome.stdout), 9)


class TestPrivilege:
    @pytest.mark.parametrize("privilege", [Privilege.SUDO, Privilege.DOAS])
    def test_zfs_is_run_through_it(self, sshd: Sshd, tmp_path: Path, privilege: Privilege) -> None:
        for name in ("sudo", "doas", "zfs"):
            (tmp_path / name).write_text(f'#!/bin/sh\necho "{name}: $*"\n')
            (tmp_path / name).chmod(0o755)
        sshd.start(PATH=f"{tmp_path}:{os.environ['PATH']}")
        outcome = run(sshd.host(privilege), one("zfs", "list", "a b"))
        assert outcome.stdout == f"{privilege}: -n zfs list a b\n"


def hang_up_twice(listener: socket.socket) -> None:
    for _ in range(2):
        connection, _ = listener.accept()
        connection.close()


class TestFailures:
    def test_a_refused_key_is_named(self, sshd: Sshd) -> None:
        (sshd.folder / "authorized_keys").write_text("")
        with pytest.raises(AuthenticationFailed) as caught:
            run(sshd.host(user="zfs"), HELLO)
        assert "user 'zfs' at 127.0.0.1 was refused" in caught.value.message
        assert str(sshd.client_key) in caught.value.message

    def test_without_any_key_that_is_told(self, sshd: Sshd) -> None:
        sshd.client_key.unlink()
        with pytest.raises(AuthenticationFailed, match="there is no key to log in with"):
            run(sshd.host(), HELLO)

    def test_a_key_with_a_passphrase_is_told(self, sshd: Sshd) -> None:
        new_key(sshd.client_key, passphrase="secret")
        with pytest.raises(AuthenticationFailed, match=r"not usable: .*client_key \(.*password"):
            run(sshd.host(), HELLO)

    def test_a_name_that_is_not_known_is_told(self, sshd: Sshd) -> None:
        with pytest.raises(Unreachable, match=r"the name web\.invalid can't be resolved"):
            run(sshd.host(address="web.invalid"), HELLO)

    def test_a_closed_port_is_told(self, sshd: Sshd) -> None:
        sshd.stop()
        with pytest.raises(Unreachable, match=rf"127\.0\.0\.1 port {sshd.port}: Connection refus"):
            run(sshd.host(), HELLO)

    def test_what_is_no_ssh_server_is_told(self, sshd: Sshd) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            hang_up = threading.Thread(target=hang_up_twice, args=(listener,))
            hang_up.start()
            with pytest.raises(HostBusy, match="or is no ssh server"):
                run(sshd.host(port=listener.getsockname()[1]), HELLO)
            hang_up.join()

    def test_only_an_ssh_address_makes_an_ssh_host(self) -> None:
        with pytest.raises(TypeError, match="here is not reached by ssh"):
            SshHost(HostAddress("here", LocalAddress()))

    def test_nothing_is_printed_by_the_libraries(
        self, sshd: Sshd, capfd: pytest.CaptureFixture[str]
    ) -> None:
        logging.getLogger("paramiko").propagate = False
        try:
            host = sshd.host()
            assert run(host, HELLO).ok
            sshd.stop()
            assert attempt(host, HELLO) == "Unreachable"
        finally:
            logging.getLogger("paramiko").propagate = True
        assert capfd.readouterr() == ("", "")
