"""What holds after whatever was done, in random sequences of commands."""

import pytest

from reconciler.simulator.model import Dataset, Machine
from tests.support.sequences import sequence


@pytest.mark.parametrize("seed", range(20))
def test_what_always_holds(seed: int) -> None:
    contents: dict[int, object] = {}
    for step, simulated in sequence(seed, 40):
        outcome = simulated.run(step)
        assert not any("internal error" in said for said in outcome.stderrs)
        machine = simulated.cell.read()
        assert machine.sending == ()
        for dataset in machine.datasets.values():
            check(dataset, machine, contents)


def check(dataset: Dataset, machine: Machine, contents: dict[int, object]) -> None:
    """A guid means the same files; createtxgs ascend; what does not run has no owner."""
    txgs = [snapshot.createtxg for snapshot in dataset.snapshots]
    assert txgs == sorted(set(txgs))
    for snapshot in dataset.snapshots:
        files = {name: (block.id, block.size) for name, block in snapshot.files.items()}
        assert contents.setdefault(snapshot.guid, files) == files
    assert not (dataset.inconsistent and dataset.snapshots)
    if dataset.partial is not None:
        objects = {s.object for found in machine.datasets.values() for s in found.snapshots}
        assert dataset.partial.owner is None
        assert dataset.partial.base is None or dataset.partial.base in objects
