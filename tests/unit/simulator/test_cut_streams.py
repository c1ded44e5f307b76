"""Wherever a stream is cut: with -s its rest completes it, without -s nothing is left."""

from collections.abc import Sequence

import pytest

from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import Dataset, Snapshot
from tests.support.machines import machine, receive, shell, stream, token, zfs


def content(snapshot: Snapshot) -> tuple[object, ...]:
    files = {name: (block.id, block.size) for name, block in snapshot.files.items()}
    return snapshot.guid, snapshot.creation, files


@pytest.fixture(scope="module")
def here() -> MemoryCell:
    cell = machine(seed="here")
    for line in (
        "zfs create tank/a",
        "write tank/a f 300000",
        "write tank/a same 5",
        "zfs snapshot tank/a@1",
        "write tank/a f 7",
        "write tank/a g 131073",
        "zfs snapshot tank/a@2",
    ):
        assert shell(cell, line).status == 0
    return cell


def there(here: MemoryCell, *sent: str) -> MemoryCell:
    cell = machine(seed="there")
    for line in sent:
        assert receive(cell, "dst/a", stream(here, line)).stderr == ""
    return cell


def received(cell: MemoryCell) -> Dataset:
    return cell.read().datasets["dst/a"]


CASES = [("tank/a@1", ()), ("-i @1 tank/a@2", ("tank/a@1",))]


@pytest.mark.parametrize(("line", "before"), CASES, ids=["full", "increment"])
def test_a_cut_stream_is_resumed_to_the_same_snapshot(
    here: MemoryCell, line: str, before: Sequence[str]
) -> None:
    start, whole = there(here, *before).read(), stream(here, line)
    wanted = content(here.read().datasets["tank/a"].snapshots[len(before)])
    saved, left = 0, start
    for size in range(len(whole)):
        cell = MemoryCell(start)
        assert receive(cell, "-s dst/a", whole[:size]).status == 1
        if zfs(cell, "list dst/a").status == 0 and token(cell, "dst/a") != "-":
            saved += 1
            if cell.read() == left:
                continue  # cut within the same record: the rest is the same too
            left = cell.read()
            rest = stream(here, f"-t {token(cell, 'dst/a')}")
            assert receive(cell, "-s dst/a", rest).stderr == ""
        else:
            assert cell.read().datasets == start.datasets
            assert receive(cell, "-s dst/a", whole).stderr == ""
        assert content(received(cell).snapshots[-1]) == wanted
        assert received(cell).partial is None
    assert saved > len(whole) / 2


@pytest.mark.parametrize(("line", "before"), CASES, ids=["full", "increment"])
def test_without_s_nothing_is_left_of_a_cut_stream(
    here: MemoryCell, line: str, before: Sequence[str]
) -> None:
    start, whole = there(here, *before).read(), stream(here, line)
    for size in range(len(whole)):
        cell = MemoryCell(start)
        assert receive(cell, "dst/a", whole[:size]).status == 1
        assert cell.read().datasets == start.datasets


@pytest.mark.parametrize(("line", "before"), CASES, ids=["full", "increment"])
def test_a_damaged_stream_is_refused_wherever_the_damage_is(
    here: MemoryCell, line: str, before: Sequence[str]
) -> None:
    start, whole = there(here, *before).read(), stream(here, line)
    for at in range(len(whole)):
        cell = MemoryCell(start)
        damaged = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
        result = receive(cell, "dst/a", damaged)
        assert result.status == 1
        assert "mismatch" in result.stderr or "magic" in result.stderr
        assert cell.read().datasets == start.datasets


def test_a_rest_can_be_cut_again_and_again(here: MemoryCell) -> None:
    cell = there(here)
    rest, rounds = stream(here, "tank/a@1"), 0
    while receive(cell, "-s dst/a", rest[:2200]).status != 0:
        rest = stream(here, f"-t {token(cell, 'dst/a')}")
        rounds += 1
        assert rounds < 9
    assert rounds > 1
    wanted = content(here.read().datasets["tank/a"].snapshots[0])
    assert content(received(cell).snapshots[-1]) == wanted


def test_a_rest_that_is_cut_without_s_takes_all_with_it(here: MemoryCell) -> None:
    cell = there(here, "tank/a@1")
    whole = stream(here, "-i @1 tank/a@2")
    receive(cell, "-s dst/a", whole[:-100])
    rest = stream(here, f"-t {token(cell, 'dst/a')}")
    assert receive(cell, "dst/a", rest[:-1]).status == 1
    assert received(cell).partial is None
    assert token(cell, "dst/a") == "-"
