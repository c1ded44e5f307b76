"""Scripts on the controller's own machine."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import CommandTimeout, OutputCut
from reconciler.hosts import local
from reconciler.hosts.addresses import HostAddress, LocalAddress
from reconciler.hosts.cutting import Cut
from reconciler.hosts.local import LocalHost
from reconciler.hosts.script import Script, Step


@pytest.fixture
def host() -> LocalHost:
    return LocalHost(HostAddress("here", LocalAddress()))


def script(*steps: Step) -> Script:
    return Script(steps)


PATIENCE = (0.5, 5, 20)
"""Seconds after which a script is given up: more on a machine on which it has not even begun."""


def wait_until(condition: Callable[[], bool], seconds: float = 45) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_runs_a_script(host: LocalHost) -> None:
    transcript = host.run(script(Step("a", ("echo", "x"))), timeout=50)
    outcome = transcript.get("a")
    assert outcome is not None
    assert (host.name, outcome.stdout) == ("here", "x\n")
    host.close()


def test_a_big_output_comes_whole(host: LocalHost) -> None:
    size = 64 << 20
    began = time.monotonic()
    transcript = host.run(script(Step("big", ("head", "-c", str(size), "/dev/zero"))), timeout=50)
    print(f"64 MiB in {time.monotonic() - began:.2f} s")
    outcome = transcript.get("big")
    assert outcome is not None
    assert outcome.stdout == "\0" * size


def test_much_stderr_and_stdout_at_once_do_not_block(host: LocalHost) -> None:
    code = "head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero"
    outcome = host.run(script(Step("both", ("sh", "-c", code))), timeout=30).get("both")
    assert outcome is not None
    assert (len(outcome.stdout), len(outcome.stderr)) == (3000000, 3000000)


def test_bytes_that_are_no_text_can_be_printed(host: LocalHost) -> None:
    outcome = host.run(script(Step("a", ("printf", "\\377x\\n"))), timeout=50).get("a")
    assert outcome is not None
    assert outcome.stdout == "\\xffx\n"


def test_stderr_is_heard_while_the_step_runs(host: LocalHost, tmp_path: Path) -> None:
    go_on = tmp_path / "go on"
    code = f"echo first >&2; while [ ! -e '{go_on}' ]; do sleep 0.02; done; echo second >&2"
    heard: list[str] = []

    def listen(text: str) -> None:
        heard.append(text)
        go_on.touch()

    host.run(script(Step("a", ("sh", "-c", code))), timeout=60, on_stderr=listen)
    assert heard == ["first\n", "second\n"]


def test_when_the_time_is_up_everything_is_ended(host: LocalHost, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = f"echo $$ >>'{pids}'; sleep 1000; exit 0"
    step = Step("slow", ("sh", "-c", code), into=("sh", "-c", code))
    for seconds in PATIENCE:
        pids.write_text("")
        with pytest.raises(CommandTimeout, match=f"here: not done after {seconds:g} s"):
            host.run(script(step), timeout=seconds)
        if len(pids.read_text().split()) == 2:
            break
    assert len(pids.read_text().split()) == 2
    wait_until(lambda: not any(alive(int(pid)) for pid in pids.read_text().split()))


def test_what_does_not_listen_to_term_is_killed(host: LocalHost, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = f"trap '' TERM; echo $$ >'{pid}'; while :; do sleep 0.1; done"
    for seconds in PATIENCE:
        with pytest.raises(CommandTimeout):
            host.run(script(Step("stubborn", ("sh", "-c", code))), timeout=seconds)
        if pid.exists() and pid.read_text():
            break
    wait_until(lambda: not alive(int(pid.read_text())))


def test_a_shell_that_is_killed_is_a_cut_output(host: LocalHost) -> None:
    with pytest.raises(OutputCut):
        host.run(script(Step("a", ("sh", "-c", "kill -9 $PPID"))), timeout=50)


def test_several_threads_may_share_it(host: LocalHost) -> None:
    got: list[str] = []

    def run(number: int) -> None:
        outcome = host.run(script(Step("a", ("echo", str(number)))), timeout=30).get("a")
        got.append(outcome.stdout if outcome else "")

    threads = [threading.Thread(target=run, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got, key=int) == [f"{i}\n" for i in range(12)]


def test_a_script_that_is_cut_is_over_though_others_hold_what_it_wrote_to(
    host: LocalHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the master of a shared ssh connection does while the command on the host goes on."""
    monkeypatch.setattr(local, "_GRACE", 0.5)
    holder, cut = tmp_path / "holder", Cut()
    code = f"setsid sh -c 'echo $$ >{holder}; exec sleep 1000' & exec sleep 1000"
    errors: list[Exception] = []

    def run() -> None:
        try:
            host.run(script(Step("a", ("sh", "-c", code))), timeout=1000, cut=cut)
        except OutputCut as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: holder.exists() and holder.read_text().strip() != "")
    cut.make()
    thread.join(30)
    is_over = not thread.is_alive()
    assert alive(int(holder.read_text()))
    os.kill(int(holder.read_text()), signal.SIGKILL)
    assert is_over
    assert len(errors) == 1


CONTROLLER = """
import sys
from reconciler.hosts.addresses import HostAddress, LocalAddress
from reconciler.hosts.local import LocalHost
from reconciler.hosts.script import Script, Step
code = f"echo $$ >>'{sys.argv[1]}'; sleep 1000; exit 0"
step = Step("slow", ("sh", "-c", code), into=("sh", "-c", code))
LocalHost(HostAddress("here", LocalAddress())).run(Script((step,)), timeout=600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_when_the_controller_dies_its_commands_end(tmp_path: Path, number: int) -> None:
    pids = tmp_path / "pids"
    argv = [sys.executable, "-c", CONTROLLER, str(pids)]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL) as controller:
        wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
        controller.send_signal(number)
    wait_until(lambda: not any(alive(int(pid)) for pid in pids.read_text().split()))


def test_closing_cuts_what_runs_and_the_host_can_be_used_again(
    host: LocalHost, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    waits = Step("wait", ("sh", "-c", f"echo $$ > {started}; exec sleep 60"))
    errors: list[Exception] = []

    def run() -> None:
        try:
            host.run(script(waits), timeout=50)
        except OutputCut as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: started.exists() and started.read_text().strip() != "")
    host.close()
    thread.join(30)
    assert not thread.is_alive()
    assert len(errors) == 1
    wait_until(lambda: not alive(int(started.read_text())))
    assert host.run(script(Step("a", ("true",))), timeout=50).get("a") is not None
