"""A machine in a file: used by several at once, whole whenever somebody dies."""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.simulator import store
from reconciler.simulator.change import mint
from reconciler.simulator.model import Machine
from reconciler.simulator.run import run
from reconciler.simulator.store import StateError, StateFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a state file with a pool."""
    file = tmp_path / "alpha.json"
    made = StateFile(file)
    made.create(Machine("seed"))
    shell(made, "zpool create tank disk")
    return file


def shell(file: StateFile, line: str) -> None:
    result = run(file, tuple(line.split()), clock=lambda: 1000)
    assert result.status == 0, result.stderr


def skew(seconds: int) -> Callable[[Machine], Machine]:
    return lambda machine: replace(machine, skew=seconds)


def snapshots(file: StateFile) -> list[str]:
    return [snapshot.name for snapshot in file.read().datasets["tank"].snapshots]


def test_what_one_changes_the_other_sees(path: Path) -> None:
    one, other = StateFile(path), StateFile(path)
    shell(one, "zfs snapshot tank@a")
    assert snapshots(other) == ["a"]
    shell(other, "write tank file 1000")
    shell(other, "zfs snapshot tank@b")
    assert snapshots(one) == ["a", "b"]
    assert one.read() == other.read() == StateFile(path).read()


def test_a_file_that_was_written_anew_is_the_same_machine(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SLACK", 0)
    one, other = StateFile(path), StateFile(path)
    sizes = []
    for number in range(60):
        shell(one if number % 2 else other, f"zfs snapshot tank@{number}")
        sizes.append(path.stat().st_size)
    assert any(later < sooner for sooner, later in itertools.pairwise(sizes))
    assert snapshots(one) == snapshots(other) == [str(number) for number in range(60)]


def test_what_is_destroyed_is_gone_from_the_file(path: Path) -> None:
    file = StateFile(path)
    shell(file, "zpool create other disk")
    shell(file, "zpool destroy other")
    assert set(StateFile(path).read().pools) == {"tank"}
    assert set(StateFile(path).read().datasets) == {"tank"}


def test_a_change_that_is_refused_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    file = StateFile(path)

    def refuse(_: Machine) -> Machine:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        file.change(refuse)
    file.change(lambda machine: machine)
    assert path.read_bytes() == before
    shell(file, "zfs snapshot tank@later")


def test_threads_and_objects_that_change_one_file_lose_nothing(path: Path) -> None:
    files = [StateFile(path), StateFile(path)]

    def work(file: StateFile) -> None:
        for _ in range(100):
            file.change(lambda machine: mint(machine)[0])

    before = files[0].read().minted
    threads = [threading.Thread(target=work, args=[files[n % 2]]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert StateFile(path).read().minted == before + 400


WORKER = """
import sys
from pathlib import Path
from reconciler.simulator.change import mint
from reconciler.simulator import store
store.SLACK = 2000
file = store.StateFile(Path(sys.argv[1]))
print("ready", flush=True)
for _ in range(int(sys.argv[2])):
    file.change(lambda machine: mint(machine)[0])
"""


def worker(path: Path, count: int) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", WORKER, str(path), str(count)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_processes_that_change_one_file_lose_nothing(path: Path) -> None:
    before = StateFile(path).read().minted
    workers = [worker(path, 200) for _ in range(3)]
    for process in workers:
        process.communicate()
        assert process.returncode == 0
    assert StateFile(path).read().minted == before + 600


def test_whoever_is_killed_leaves_a_whole_machine_behind(path: Path) -> None:
    file = StateFile(path)
    minted = file.read().minted
    for delay in (0.0, 0.003, 0.01, 0.02, 0.03):
        process = worker(path, 10**9)
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        found = StateFile(path).read()
        assert file.read() == found
        assert found.minted >= minted
        shell(file, "write tank file 10")
        minted = StateFile(path).read().minted


def test_a_line_without_an_end_was_never_written(path: Path) -> None:
    before = StateFile(path).read()
    line = json.dumps({"plain": {"seed": "other"}, "pools": {}, "datasets": {}})
    for length in (1, 5, len(line)):
        with path.open("a") as file:
            file.write(line[:length])
        assert StateFile(path).read() == before
    kept = StateFile(path)
    kept.change(skew(5))
    assert StateFile(path).read() == kept.read() == replace(before, skew=5)


def test_a_file_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"no such simulated host.*zpool create tank disk"):
        StateFile(tmp_path / "none.json").read()


HEAD = '{"format":"reconciler-simulator/2","file":"0123456789abcdef"}\n'


@pytest.mark.parametrize(
    "content",
    [
        "",
        "\n",
        "[]\n",
        "{}\n",
        "nonsense\n",
        HEAD,
        HEAD.replace("/2", "/9") + '{"machine":{"seed":"x"}}\n',
        HEAD + '{"machine":{"seed":7}}\n',
        HEAD + '{"machine":{"seed":"x","pools":[]}}\n',
        HEAD + '{"machine":{"seed":"x"}}\n{"plain":{}}\n',
        HEAD + '{"machine":{"seed":"x","bogus":1}}\n',
    ],
)
def test_a_file_that_is_no_state_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(content)
    said = r"state\.json: this is no state of a simulated host"
    with pytest.raises(StateError, match=said):
        StateFile(path).read()
    with pytest.raises(StateError, match=said):
        StateFile(path).change(skew(1))
    assert path.read_text() == content


def test_a_file_is_never_made_over_another_one(path: Path) -> None:
    with pytest.raises(StateError, match="there is such a file already"):
        StateFile(path).create(Machine("other"))
    assert StateFile(path).read().seed == "seed"
    assert [found.name for found in path.parent.iterdir()] == ["alpha.json"]


def test_a_directory_is_no_state(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="Is a directory"):
        StateFile(tmp_path).change(skew(1))
