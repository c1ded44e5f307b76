"""`zfs program` on the simulator: our own program, and an error for any other."""

import json

import pytest

from reconciler.simulator import change
from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.process import ChunkedInput
from reconciler.simulator.run import Result, run
from reconciler.zfs import programs
from reconciler.zfs.types import Argv
from tests.support.machines import CLOCK, lines, machine, make, zfs


@pytest.fixture
def cell() -> MemoryCell:
    made = machine()
    make(made, "tank/a", "tank/c")
    for name in ("1", "2", "3"):
        zfs(made, f"snapshot tank/a@{name} tank/c@{name}")
    return made


def guid(cell: MemoryCell, name: str) -> int:
    found = change.find_snapshot(cell.read(), name)
    assert found is not None
    return found[1].guid


def program(cell: MemoryCell, argv: Argv, text: str = programs.DESTROY) -> Result:
    return run(cell, argv, clock=lambda: CLOCK, stdin=ChunkedInput(iter([text.encode()])))


def left(cell: MemoryCell) -> list[str]:
    return lines(cell, "list -H -o name -t snapshot -r tank")


def test_all_go_in_one_transaction_group(cell: MemoryCell) -> None:
    names = ["tank/a@1", "tank/c@2", "tank/a@3"]
    before = cell.read().pools["tank"].txg
    argv = programs.destroy_snapshots([(name, guid(cell, name)) for name in names])
    assert program(cell, argv) == Result(0, b'{"return":3}', "")
    assert left(cell) == ["tank/a@2", "tank/c@1", "tank/c@3"]
    assert cell.read().pools["tank"].txg == before + 1


def test_what_stays_says_why_and_the_others_go(cell: MemoryCell) -> None:
    zfs(cell, "hold t tank/a@1")
    zfs(cell, "clone tank/c@1 tank/clone")
    wanted = [(name, guid(cell, name)) for name in ("tank/a@1", "tank/c@1", "tank/a@3")]
    wanted += [("tank/c@2", 7), ("tank/nope@1", 7), ("tank/a@no", 7)]
    result = program(cell, programs.destroy_snapshots(wanted))
    assert (result.status, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {
        "return": {
            "tank/a@1": "errno 16",
            "tank/c@1": "errno 17",
            "tank/c@2": "another guid",
            "tank/nope@1": "missing",
            "tank/a@no": "missing",
        }
    }
    assert left(cell) == ["tank/a@1", "tank/a@2", "tank/c@1", "tank/c@2", "tank/c@3"]


@pytest.mark.parametrize(
    ("argv", "text", "said"),
    [
        (("-j", "tank", "-", "tank/a@1", "guid 7"), "return 1", "no program but reconciler's own"),
        (("tank", "-", "tank/a@1", "guid 7"), programs.DESTROY, "no program but reconciler's own"),
        (("-j", "tank", "file", "tank/a@1", "guid 7"), programs.DESTROY, "no program but"),
        (("-j", "nopool", "-", "nopool/a@1", "guid 7"), programs.DESTROY, "no such pool"),
        (("-j", "tank", "-", "other/a@1", "guid 7"), programs.DESTROY, "not in the target pool"),
        (("-j", "tank", "-", "tank/a", "guid 7"), programs.DESTROY, "not a snapshot: tank/a"),
        (("-j", "tank", "-", "tank/a@1"), programs.DESTROY, "arguments"),
    ],
)
def test_everything_else_is_an_error_and_changes_nothing(
    cell: MemoryCell, argv: Argv, text: str, said: str
) -> None:
    before = cell.read()
    result = program(cell, ("zfs", "program", *argv), text)
    assert (result.status, result.stdout) == (1, b"")
    assert said in result.stderr
    assert cell.read() == before
