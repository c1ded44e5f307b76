"""What a cycle costs, counted on hosts that are entered as real ones are (docs/benchmarks.md)."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.peers.economy import HostCost, cost_of
from tests.bench.peers.history import DAY, Size
from tests.bench.peers.ours import Ours
from tests.bench.peers.pair import CONTROLLER, RECEIVER, SENDER, Command, Ended, Pair

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path)
    yield pair
    pair.close()


def no_op(pair: Pair, filesystems: int) -> dict[str, HostCost]:
    """Return what a cycle costs in which nothing is to be done: the day's snapshots are there."""
    if time.time() % DAY > DAY - 400:
        pytest.skip("the day may end meanwhile")
    ours = Ours("2.1.11")
    pair.enter(ours.settled(Size(filesystems, 0), pair.folder))
    (command,) = ours.cycle(pair)
    ended = pair.run(command, limit=300)
    assert "Nothing to do." in ended.output
    return {name: cost_of(pair, name) for name in pair.hosts}


@pytest.mark.parametrize("filesystems", [1, 1000])
def test_a_cycle_without_work_costs_one_execution_and_six_processes_a_host(
    pair: Pair, filesystems: int
) -> None:
    """The receiver has holds, the sender has none: that is one `zfs holds`."""
    costs = no_op(pair, filesystems)
    assert {name: cost.executions for name, cost in costs.items()} == {SENDER: 1, RECEIVER: 1}
    assert {name: cost.processes for name, cost in costs.items()} == {SENDER: 5, RECEIVER: 6}


def test_whoever_logs_in_is_counted_and_gets_what_he_asked_for(pair: Pair) -> None:
    pair.enter(Ours("2.1.11").settled(Size(1, 0), pair.folder))
    ssh = ["ssh", "-F", str(pair.ssh_config)]
    asks = "zfs list -H -o name tank/data; zfs list -H 'no  such'; exit 3"
    ended = pair.run(Command(CONTROLLER, [*ssh, "sender", asks]), limit=60)
    assert ended == Ended(3, "tank/data\ncannot open 'no  such': dataset does not exist\n")
    assert pair.executions == [(SENDER, asks)]
    assert pair.hosts[SENDER].processes == [
        ("zfs", "list", "-H", "-o", "name", "tank/data"),
        ("zfs", "list", "-H", "no  such"),
    ]
    assert pair.hosts[RECEIVER].processes == []


def test_streams_go_from_host_to_host(pair: Pair) -> None:
    pair.enter(Ours("2.1.11").settled(Size(1, 0), pair.folder))
    ssh = f"ssh -F {pair.ssh_config}"
    newest = pair.hosts[SENDER].cell.read().datasets["tank/data"].snapshots[-1]
    sends = f"zfs send tank/data@{newest.name}"
    joined = f"{ssh} sender {sends} | {ssh} receiver zfs receive -u backup/copy"
    ended = pair.run(Command(CONTROLLER, ["sh", "-c", joined]), limit=60)
    assert ended == Ended(0, "")
    copy = pair.hosts[RECEIVER].cell.read().datasets["backup/copy"]
    assert [snapshot.guid for snapshot in copy.snapshots] == [newest.guid]
    costs = [cost_of(pair, name) for name in (SENDER, RECEIVER)]
    assert [(cost.processes, cost.executions, cost.streams) for cost in costs] == [(1, 1, 1)] * 2
