"""`zfs snapshot`: all or none, one transaction group. Texts are those of transcripts t1, t3, t6."""

from dataclasses import replace

import pytest

from reconciler.simulator import change
from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import Health
from tests.support.machines import edit, lines, machine, make, zfs

NONE_MADE = "no snapshots were created\n"


@pytest.fixture
def cell() -> MemoryCell:
    made = machine()
    make(made, "tank/a", "tank/a/b", "tank/c")
    return made


def txg(cell: MemoryCell, pool: str = "tank") -> int:
    return cell.read().pools[pool].txg


def test_several_are_of_one_transaction_group(cell: MemoryCell) -> None:
    before = txg(cell)
    zfs(cell, "snapshot tank/a@1 tank/c@x")

    assert lines(cell, "list -H -o name,createtxg -t snapshot") == [
        f"tank/a@1\t{before + 1}",
        f"tank/c@x\t{before + 1}",
    ]
    assert txg(cell) == before + 1


def test_each_has_a_guid_of_its_own(cell: MemoryCell) -> None:
    zfs(cell, "snapshot -r tank@1")

    assert len(set(lines(cell, "list -H -o guid -t snapshot"))) == 4


def test_recursive_ones_leave_out_what_is_half_received(cell: MemoryCell) -> None:
    edit(cell, "tank/c", inconsistent=True)

    assert zfs(cell, "snapshot -r tank@1").status == 0
    assert lines(cell, "list -H -o name -t snapshot") == ["tank@1", "tank/a@1", "tank/a/b@1"]


def test_what_is_half_received_is_busy(cell: MemoryCell) -> None:
    edit(cell, "tank/c", inconsistent=True)
    result = zfs(cell, "snapshot tank/c@1")

    assert result.stderr == "cannot create snapshot 'tank/c@1': dataset is busy\n"
    assert result.status == 1


def test_the_same_one_twice_is_taken_once(cell: MemoryCell) -> None:
    assert zfs(cell, "snapshot tank/a@1 tank/a@1").status == 0


def test_none_is_taken_if_one_is_refused(cell: MemoryCell) -> None:
    zfs(cell, "snapshot tank/c@1")
    result = zfs(cell, "snapshot tank/a@1 tank/c@1")

    assert result.stderr.endswith(NONE_MADE)
    assert lines(cell, "list -H -o name -t snapshot") == ["tank/c@1"]


def test_nothing_is_said_of_none_when_there_was_only_one(cell: MemoryCell) -> None:
    zfs(cell, "snapshot tank/c@1")

    assert NONE_MADE not in zfs(cell, "snapshot tank/c@1").stderr
    assert zfs(cell, "snapshot -r tank/c@1").stderr.endswith(NONE_MADE)


def test_a_readonly_pool_refuses(cell: MemoryCell) -> None:
    cell.change(lambda m: change.with_pool(m, replace(m.pools["tank"], readonly=True)))

    assert zfs(cell, "snapshot tank/a@1").stderr == "cannot create snapshots : pool is read-only\n"


def test_a_suspended_pool_can_not_even_be_looked_at(cell: MemoryCell) -> None:
    suspended = Health.SUSPENDED
    cell.change(lambda m: change.with_pool(m, replace(m.pools["tank"], health=suspended)))
    result = zfs(cell, "snapshot tank/a@1")

    assert result.stderr.startswith("cannot open 'tank/a': pool I/O is currently suspended\nusage:")
    assert result.status == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("-o com.x:y", "missing '=' for property=value argument\n"),
        ("-o com.x:y=1 -o com.x:y=2", "property 'com.x:y' specified multiple times\n"),
    ],
)
def test_an_option_that_is_no_property_is_refused(
    cell: MemoryCell, options: str, said: str
) -> None:
    result = zfs(cell, f"snapshot {options} tank/a@1")

    assert (result.status, result.stderr) == (1, said)


def test_a_value_that_is_too_long_aborts_the_command(cell: MemoryCell) -> None:
    result = zfs(cell, f"snapshot -o com.x:y={'v' * 8192} tank/a@1")

    assert (result.status, result.stderr) == (
        -6,
        "internal error: cannot create snapshots : Argument list too long\n",
    )


def test_a_full_pool_refuses(cell: MemoryCell) -> None:
    cell.change(lambda m: change.with_pool(m, replace(m.pools["tank"], size=150_000)))
    result = zfs(cell, "snapshot tank/a@1")

    assert result.stderr == "cannot create snapshots : out of space\n"
