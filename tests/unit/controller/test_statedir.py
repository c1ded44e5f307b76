"""One controller per state directory, and no word of the dead counts."""

import errno
import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.cli.main import run
from reconciler.controller.statedir import UNTOLD, LockInfo, StateDir, default_path
from reconciler.errors import LockHeld, ReconcilerError

HOLDER = """
import sys
from pathlib import Path
from reconciler.controller.statedir import StateDir
with StateDir(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return StateDir(tmp_path / "some" / "state")


@contextmanager
def held_by_a_process(state: StateDir) -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, "-c", HOLDER, str(state.path)]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "LOGNAME": "ada"}
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_the_directory_is_made_for_its_owner_alone(state: StateDir) -> None:
    with state.lock():
        assert stat.S_IMODE(state.path.stat().st_mode) == 0o700
        assert stat.S_IMODE((state.path / "lock").stat().st_mode) == 0o600


def test_who_holds_the_lock_can_be_read_by_anybody(state: StateDir) -> None:
    before = int(time.time())
    with held_by_a_process(state) as process:
        holder = state.holder()
    assert holder is not None
    assert holder.pid == process.pid
    assert holder.who.startswith("ada@")
    assert before <= holder.since <= time.time()
    assert holder.command


def test_a_second_controller_is_told_who_holds_the_lock_and_what_to_do(state: StateDir) -> None:
    with held_by_a_process(state) as process:
        with pytest.raises(LockHeld) as refused, state.lock():
            raise AssertionError("two controllers on one directory")
        assert state.holder() is not None
    told = str(refused.value)
    for part in (str(state.path), "ada@", f"process {process.pid}", "since 20", "--state"):
        assert part in told


def test_within_one_process_too_there_is_only_one(state: StateDir) -> None:
    with state.lock(), pytest.raises(LockHeld), state.lock():
        pass
    with state.lock():
        pass


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_lock_of_a_dead_controller_is_no_lock(state: StateDir, number: int) -> None:
    with held_by_a_process(state) as process:
        process.send_signal(number)
        process.wait()
        assert json.loads((state.path / "lock").read_text())["pid"] == process.pid
        assert state.holder() is None
        with state.lock() as mine:
            assert mine.pid == os.getpid()
            assert json.loads((state.path / "lock").read_text())["pid"] == os.getpid()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "1"}', "x" * 10000])
def test_what_is_in_the_file_is_not_trusted(state: StateDir, content: str) -> None:
    state.make()
    (state.path / "lock").write_text(content)
    assert state.holder() is None
    with state.lock() as mine:
        (state.path / "lock").write_text(content)
        assert state.holder() == UNTOLD
        with pytest.raises(LockHeld, match="has not written who it is"), state.lock():
            pass
    assert mine != UNTOLD


def test_no_directory_means_no_holder_and_looking_makes_none(state: StateDir) -> None:
    assert state.holder() is None
    assert not state.path.exists()


def test_a_readers_glance_does_not_keep_a_controller_from_starting(state: StateDir) -> None:
    state.make()
    (state.path / "lock").touch()
    with (state.path / "lock").open() as glance:
        fcntl.flock(glance, fcntl.LOCK_SH)
        signal.signal(signal.SIGALRM, lambda *_: fcntl.flock(glance, fcntl.LOCK_UN))
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with state.lock():
            pass


def test_programs_that_are_started_do_not_keep_the_lock(state: StateDir) -> None:
    with state.lock():
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        assert state.holder() is None
        with state.lock():
            pass
    finally:
        child.kill()
        child.wait()


def test_a_full_disk_is_said_in_a_sentence(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(ReconcilerError, match="can't be used: No space left") as told:
        state.lock().__enter__()
    assert str(state.path) in str(told.value)
    monkeypatch.undo()
    with state.lock():
        pass


@pytest.mark.parametrize("path", ["/proc/none", "/dev/null/x"])
def test_a_directory_that_cannot_be_made_is_said_in_a_sentence(path: str) -> None:
    with pytest.raises(ReconcilerError, match=r"can't be used: .*--state"):
        StateDir(Path(path)).lock().__enter__()


def test_a_lock_file_that_is_a_link_is_not_followed(state: StateDir, tmp_path: Path) -> None:
    state.make()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (state.path / "lock").symlink_to(victim)
    with pytest.raises(ReconcilerError, match="can't be used"):
        state.lock().__enter__()
    assert victim.read_text() == "precious"


def test_a_held_lock_ends_a_command_with_11(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def held(_arguments: object) -> int:
        raise LockHeld("another controller works here")

    monkeypatch.setattr("reconciler.cli.main._run", held)
    assert run(["watch"]) == 11
    assert capsys.readouterr().err == "another controller works here\n"


def test_the_identity_is_random_and_stays(state: StateDir, tmp_path: Path) -> None:
    identity = state.identity()
    assert len(identity) == 32
    assert StateDir(state.path).identity() == identity
    assert StateDir(tmp_path / "other").identity() != identity


def test_an_identity_that_is_no_name_of_a_file_is_refused(state: StateDir) -> None:
    state.make()
    (state.path / "identity").write_text("../../etc/passwd\n")
    with pytest.raises(ReconcilerError, match="letters and digits only"):
        state.identity()


def test_of_two_that_make_up_an_identity_at_once_one_counts_for_both(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def slower(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "link", link)
        others.append(state.identity())
        link(source, target)

    others: list[str] = []
    monkeypatch.setattr(os, "link", slower)
    assert [state.identity()] == others
    assert [file.name for file in state.path.iterdir()] == ["identity"]


@pytest.mark.parametrize(
    ("environment", "uid", "path"),
    [
        pytest.param({"STATE_DIRECTORY": "/s/a:/s/b", "HOME": "/h"}, 5, "/s/a", id="systemd"),
        pytest.param({"STATE_DIRECTORY": "/s/a"}, 0, "/s/a", id="root below systemd"),
        pytest.param({"XDG_STATE_HOME": "/x", "HOME": "/h"}, 0, "/var/lib/reconciler", id="root"),
        pytest.param({"XDG_STATE_HOME": "/x", "HOME": "/h"}, 5, "/x/reconciler", id="xdg"),
        pytest.param({"HOME": "/h"}, 5, "/h/.local/state/reconciler", id="home"),
        pytest.param(
            {"XDG_STATE_HOME": "x", "HOME": "/h"}, 5, "/h/.local/state/reconciler", id="relative"
        ),
    ],
)
def test_the_default_is_where_such_things_belong(
    environment: dict[str, str], uid: int, path: str
) -> None:
    assert default_path(environment, uid=uid) == Path(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_writes_belongs_to_whom_the_directory_belongs(state: StateDir) -> None:
    state.make()
    os.chown(state.path, 12345, 12345)
    with state.lock():
        state.identity()
    owners = {file.name: file.stat().st_uid for file in state.path.iterdir()}
    assert owners == {"lock": 12345, "identity": 12345}


def test_a_holder_is_told_in_one_sentence() -> None:
    info = LockInfo(7, "ada@ops", 1795389300, "reconciler watch")
    assert str(info) == "ada@ops, process 7, since 2026-11-22T23:15:00Z, `reconciler watch`"
