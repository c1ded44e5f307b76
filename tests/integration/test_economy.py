"""What a cycle costs, counted on hosts that are entered as real ones are (docs/benchmarks.md)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.peers.economy import HostCost, cost_of
from tests.bench.peers.history import Size
from tests.bench.peers.ours import Ours
from tests.bench.peers.pair import RECEIVER, SENDER, Pair

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path)
    yield pair
    pair.close()


def no_op(pair: Pair, filesystems: int) -> dict[str, HostCost]:
    """Return what a cycle costs in which nothing is to be done."""
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
