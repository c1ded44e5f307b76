"""Two controllers on one host behind a real sshd: one at a time, and the dead hold nothing."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reconciler.errors import HostLocked
from reconciler.hosts.addresses import HostAddress
from reconciler.hosts.fleet import Fleet
from reconciler.hosts.locking import LOCKED_STATUS, HostLock, told
from reconciler.hosts.script import Script, Step
from reconciler.hosts.streams import relay
from tests.integration.server import Sshd, alive, wait_until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "locks"
    made.mkdir()
    made.chmod(0o1777)
    return made


def fleet(sshd: Sshd, lock: HostLock) -> Fleet:
    return Fleet({"web": HostAddress("web", sshd.address())}, sshd.options, lock=lock)


def lock(name: str, folder: Path) -> HostLock:
    return HostLock(name, f"{name}@ops, process 7", folders=(str(folder),))


def act(code: str) -> Script:
    return Script((Step("act", ("sh", "-c", code)),), mutates=True)


def test_one_waits_for_the_other_and_both_get_done(
    sshd: Sshd, tmp_path: Path, folder: Path
) -> None:
    begun, go_on, done = (tmp_path / name for name in ("begun", "go_on", "done"))
    long = act(f"touch {begun}; while [ ! -e {go_on} ]; do sleep 0.05; done")
    with fleet(sshd, lock("ada", folder)) as first, fleet(sshd, lock("bob", folder)) as second:
        running = threading.Thread(target=lambda: first.host("web").run(long, timeout=50))
        running.start()
        wait_until(begun.exists)
        with pytest.raises(HostLocked, match="web: another controller is at work there: ada@ops"):
            second.host("web").run(act(f"touch {done}"), timeout=50)
        assert not done.exists()
        # The same controller may do several things at once, and anybody may look.
        first.host("web").run(act("true"), timeout=50)
        second.host("web").run(Script(act("true").steps), timeout=50)
        go_on.touch()
        running.join()
        second.host("web").run(act(f"touch {done}"), timeout=50)
    assert done.exists()


CONTROLLER = """
import sys
from pathlib import Path
from reconciler.hosts.addresses import HostAddress, SshAddress, SshOptions
from reconciler.hosts.fleet import Fleet
from reconciler.hosts.locking import HostLock
from reconciler.hosts.script import Script, Step
port, config, pid, folder = sys.argv[1:]
web = HostAddress("web", SshAddress("127.0.0.1", port=int(port)))
lock = HostLock("ada", "ada@ops, process 7", folders=(folder,))
step = Step("act", ("sh", "-c", f"echo $$ >{pid}; sleep 1000; exit 0"))
with Fleet({"web": web}, SshOptions(Path(config)), lock=lock) as fleet:
    fleet.host("web").run(Script((step,), mutates=True), timeout=600)
"""


def test_after_a_controller_was_killed_the_other_acts_once_its_processes_are_gone(
    sshd: Sshd, tmp_path: Path, folder: Path
) -> None:
    pid, done = tmp_path / "pid", tmp_path / "done"
    arguments = (str(sshd.port), str(sshd.folder / "ssh_config"), str(pid), str(folder))
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    controller = subprocess.Popen([sys.executable, "-c", CONTROLLER, *arguments], env=environment)
    with fleet(sshd, lock("bob", folder)) as other:
        try:
            wait_until(lambda: pid.exists() and pid.read_text().strip() != "")
            with pytest.raises(HostLocked):
                other.host("web").run(act(f"touch {done}"), timeout=50)
        finally:
            controller.kill()
            controller.wait()
        wait_until(lambda: not alive(int(pid.read_text())))

        def acted() -> bool:
            try:
                other.host("web").run(act(f"touch {done}"), timeout=50)
            except HostLocked:
                return False
            return True

        wait_until(acted)
    assert done.exists()
    # What the dead one has left is no lock, and nobody needs it.
    assert [file.name for file in folder.iterdir()] == [lock("bob", folder).at("web").name]


def test_the_receiver_of_a_stream_is_locked_while_it_receives(
    sshd: Sshd, second_sshd: Sshd, tmp_path: Path, folder: Path
) -> None:
    sender = HostAddress("sender", sshd.address())
    receiver = HostAddress("web", second_sshd.address(host_key=second_sshd.public_key))
    second_sshd.allow(sshd)
    begun, go_on = tmp_path / "begun", tmp_path / "go_on"
    receive = ("sh", "-c", f"touch {begun}; while [ ! -e {go_on} ]; do sleep 0.05; done; wc -c")

    def stream(name: str, receive: tuple[str, ...]) -> Script:
        send = ("head", "-c", "1000", "/dev/zero")
        step = relay(sender, receiver, send, receive, sshd.options, lock=lock(name, folder))
        return Script((step,))

    here = fleet(sshd, lock("ada", folder)).controller()
    transcripts = []
    running = threading.Thread(
        target=lambda: transcripts.append(here.run(stream("ada", receive), timeout=50))
    )
    running.start()
    wait_until(begun.exists)
    refused = here.run(stream("bob", ("wc", "-c")), timeout=50).outcomes["stream"]
    assert refused.status == LOCKED_STATUS
    error = told("web", refused.stdout)
    assert isinstance(error, HostLocked)
    assert "ada@ops, process 7" in str(error)
    go_on.touch()
    running.join()
    [done] = transcripts
    assert done.outcomes["stream"].stdout == "1000\n"
    after = here.run(stream("bob", ("wc", "-c")), timeout=50).outcomes["stream"]
    assert (after.status, after.stdout) == (0, "1000\n")
