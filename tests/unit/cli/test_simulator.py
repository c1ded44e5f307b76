"""`reconciler simulator`: command lines on hosts that exist only in files, as real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.simulator.model import Machine
from reconciler.simulator.run import Result, run
from reconciler.simulator.store import StateFile

RECONCILER = [sys.executable, "-m", "reconciler.cli.main"]
EXEC = [*RECONCILER, "simulator", "exec"]
AT = "2026-11-22T22:00:00Z"
AT_SECONDS = 1_795_384_800


def execute(
    state: Path, *argv: str, options: tuple[str, ...] = (), stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    command = [*EXEC, str(state), *options, "--", *argv]
    return subprocess.run(command, input=stdin, capture_output=True, check=False)


def here(state: Path, *argv: str) -> Result:
    """Run a command in this process: what a test is not about."""
    return run(StateFile(state), argv, clock=lambda: AT_SECONDS)


def with_pool(path: Path, pool: str) -> Path:
    """Make a host with a pool."""
    StateFile(path).create(Machine(path.stem))
    assert here(path, "zpool", "create", pool, "disk").status == 0
    return path


def something_came(path: Path, filesystem: str) -> bool:
    """Tell whether a receive has written something: one that has not leaves nothing behind."""
    found = StateFile(path).read().datasets.get(filesystem)
    return found is not None and found.partial is not None and not found.partial.fresh


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Return a host with a pool."""
    return with_pool(tmp_path / "a.json", "tank")


def test_a_state_file_begins_with_a_pool(tmp_path: Path) -> None:
    path = tmp_path / "new.json"
    early = execute(path, "zfs", "list")
    assert early.returncode == 1
    assert b"no such simulated host" in early.stderr
    assert not path.exists()

    bad = execute(path, "zpool", "create", "1tank", "disk")
    assert bad.returncode == 1
    assert not path.exists()

    assert execute(path, "zpool", "create", "tank", "disk").returncode == 0
    assert set(StateFile(path).read().datasets) == {"tank"}


def test_two_hosts_made_alike_have_no_guid_in_common(tmp_path: Path) -> None:
    for name in ("a", "b"):
        execute(tmp_path / f"{name}.json", "zpool", "create", "tank", "disk")
    one, other = (StateFile(tmp_path / f"{name}.json").read() for name in ("a", "b"))
    assert one.pools["tank"].guid != other.pools["tank"].guid


def test_a_command_prints_and_ends_as_the_real_one(state: Path) -> None:
    listed = execute(state, "zfs", "list", "-H", "-o", "name,type")
    assert (listed.returncode, listed.stdout, listed.stderr) == (0, b"tank\tfilesystem\n", b"")

    refused = execute(state, "zfs", "list", "-H", "tank/none")
    assert refused.returncode == 1
    assert refused.stdout == b""
    assert refused.stderr == b"cannot open 'tank/none': dataset does not exist\n"

    usage = execute(state, "zfs", "snapshot", "tank")
    assert usage.returncode == 2
    assert usage.stderr.startswith(b"usage:\n\tsnapshot ")


def test_the_time_of_a_command_can_be_said(state: Path) -> None:
    at = ("--at", "2026-11-22T23:15:00Z")
    assert execute(state, "date", "+%s", options=at).stdout == b"1795389300\n"
    execute(state, "zfs", "snapshot", "tank@x", options=at)
    (snapshot,) = StateFile(state).read().datasets["tank"].snapshots
    assert snapshot.creation == 1795389300
    wrong = execute(state, "date", "+%s", options=("--at", "noon"))
    assert wrong.returncode == 64
    assert b"--at noon: write it like 2026-11-22T23:15:00Z" in wrong.stderr


def test_a_release_can_be_said_and_is_kept(state: Path) -> None:
    assert b"zfs-2.1.11" in execute(state, "zfs", "version").stdout
    execute(state, "zfs", "version", options=("--release", "2.3.2"))
    assert b"zfs-2.3.2" in execute(state, "zfs", "version").stdout
    assert execute(state, "zfs", "version", options=("--release", "new")).returncode == 64


def test_a_stream_goes_through_a_pipe_from_one_process_to_another(
    state: Path, tmp_path: Path
) -> None:
    other = with_pool(tmp_path / "b.json", "pool")
    here(state, "write", "tank", "file", "3M")
    here(state, "zfs", "snapshot", "tank@x")
    with subprocess.Popen(
        [*EXEC, str(state), "--", "zfs", "send", "tank@x"], stdout=subprocess.PIPE
    ) as sender:
        assert sender.stdout is not None
        receive = [*EXEC, str(other), "--", "zfs", "receive", "-u", "pool/copy"]
        received = subprocess.run(receive, stdin=sender.stdout, check=False, capture_output=True)
    assert (received.returncode, received.stderr) == (0, b"")
    assert sender.returncode == 0
    sent = StateFile(state).read().datasets["tank"].snapshots[0]
    arrived = StateFile(other).read().datasets["pool/copy"].snapshots[0]
    assert (arrived.guid, arrived.name, arrived.creation) == (sent.guid, "x", sent.creation)


def test_a_sender_whose_reader_goes_away_is_ended_by_a_signal(state: Path) -> None:
    here(state, "write", "tank", "file", "3M")
    here(state, "zfs", "snapshot", "tank@x")
    argv = [*EXEC, str(state), "--", "zfs", "send", "tank@x"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as sender:
        assert sender.stdout is not None
        assert sender.stderr is not None
        sender.stdout.close()
        said = sender.stderr.read()
    assert sender.returncode == -signal.SIGPIPE
    assert said == b""
    assert not StateFile(state).read().sending


def test_what_a_killed_receiver_was_doing_is_cleaned_up(state: Path, tmp_path: Path) -> None:
    other = with_pool(tmp_path / "b.json", "pool")
    here(state, "write", "tank", "file", "3M")
    here(state, "zfs", "snapshot", "tank@x")
    stream = here(state, "zfs", "send", "tank@x").stdout
    for option, left in (("-us", True), ("-u", False)):
        argv = [*EXEC, str(other), "--", "zfs", "receive", option, "pool/copy"]
        with subprocess.Popen(argv, stdin=subprocess.PIPE) as receiver:
            assert receiver.stdin is not None
            receiver.stdin.write(stream[: len(stream) // 2])
            receiver.stdin.flush()
            while not something_came(other, "pool/copy"):
                assert receiver.poll() is None
                time.sleep(0.01)
            os.kill(receiver.pid, signal.SIGKILL)
        listed = here(other, "zfs", "list", "-H", "-o", "name,inconsistent", "-r", "pool")
        assert (b"pool/copy\t1" in listed.stdout) == left
        if left:
            aborted = here(other, "zfs", "receive", "-A", "pool/copy")
            assert (aborted.status, aborted.stderr) == (0, "")


def test_shims_are_commands_like_the_real_ones(state: Path, tmp_path: Path) -> None:
    folder = tmp_path / "it's bin"
    argv = [*RECONCILER, "simulator", "shims", str(folder), str(state), "--at", AT]
    subprocess.run(argv, check=True)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    script = (
        "zfs snapshot tank@'a b' && zfs list -Hpt snapshot -o name,creation; zpool list -Ho name"
    )
    ran = subprocess.run(
        ["sh", "-c", script], env=environment, capture_output=True, check=True, text=True
    )
    assert ran.stdout == "tank@a b\t1795384800\ntank\n"


def test_nonsense_instead_of_a_state_is_an_error_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"some": "thing"}) + "\n")
    ran = execute(path, "zfs", "list")
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"{path}: this is no state of a simulated host".encode())
