import re
from dataclasses import replace

import pytest

from reconciler.simulator import change
from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import Health, Machine
from reconciler.simulator.process import BROKEN_PIPE, Process
from reconciler.simulator.run import start
from reconciler.zfs.parse import parse_progress
from tests.support.machines import CLOCK, machine, shell, stream, zfs


@pytest.fixture
def cell() -> MemoryCell:
    found = machine()
    for line in (
        "zfs create tank/a",
        "write tank/a f 100M",
        "zfs snapshot tank/a@1",
        "write tank/a g 1M",
        "zfs snapshot tank/a@2",
        "zfs bookmark tank/a@1 tank/a#1",
    ):
        assert shell(found, line).status == 0
    return found


def test_progress_comes_with_every_quarter(cell: MemoryCell) -> None:
    said = zfs(cell, "send -v -P tank/a@1").stderr.splitlines()
    sizes = [line.split("\t") for line in said if re.match(r"\d\d:\d\d:\d\d\t", line)]
    assert [(clock, name) for clock, _, name in sizes] == [("22:35:42", "tank/a@1")] * 4
    share = [int(size) / (100 << 20) for _, size, _ in sizes]
    assert share == pytest.approx([0.25, 0.5, 0.75, 1], abs=0.02)
    assert [parse_progress("\t".join(line)) for line in sizes] == [int(s) for _, s, _ in sizes]


def test_a_snapshot_is_busy_only_while_it_is_sent(cell: MemoryCell) -> None:
    process = Process(cell, ("zfs", "send", "-i", "@1", "tank/a@2"), lambda: CLOCK)
    chunks = start(process)
    next(chunks)
    refused = zfs(cell, "destroy tank/a@2")
    assert refused.stderr == "cannot destroy snapshot tank/a@2: dataset is busy\n"
    assert zfs(cell, "destroy tank/a@1").status == 0
    assert list(chunks) == []
    assert cell.read().sending == ()
    assert zfs(cell, "destroy tank/a@2").status == 0


def test_a_reader_that_goes_away_ends_the_command_with_sigpipe(cell: MemoryCell) -> None:
    process = Process(cell, ("zfs", "send", "tank/a@1"), lambda: CLOCK)
    chunks = start(process)
    next(chunks)
    chunks.close()
    assert process.status == BROKEN_PIPE
    assert process.stderr == ""
    assert cell.read().sending == ()


def test_only_what_is_new_since_the_base_is_sent(cell: MemoryCell) -> None:
    whole, step = stream(cell, "tank/a@2"), stream(cell, "-i @1 tank/a@2")
    assert stream(cell, "-i '#1' tank/a@2") == step
    assert len(step) < len(whole) / 4


def test_options_may_be_written_out(cell: MemoryCell) -> None:
    short, long = (
        zfs(cell, f"send {options} -i @1 tank/a@2")
        for options in (
            "-n -v -P -L -c",
            "--dryrun --verbose --parsable --large-block --compressed",
        )
    )
    assert short.stdout
    assert (long.status, long.stdout) == (0, short.stdout)


def test_nothing_of_an_exported_pool_is_there(cell: MemoryCell) -> None:
    shell(cell, "zpool export tank")
    gone = zfs(cell, "send -nvP tank/a@1")
    assert gone.stderr == "cannot open 'tank/a@1': dataset does not exist\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "missing snapshot argument"),
        ("tank/a@1 tank/a@2", "too many arguments"),
        ("-t x -i @1", "invalid flags combined with -t"),
        ("-Z tank/a@1", "invalid option 'Z'"),
        ("--zeal tank/a@1", "invalid option '--zeal'"),
        ("--re tank/a@1", "invalid option '--re'"),
        ("--resume", "missing argument for 't' option"),
        ("-i", "missing argument for 'i' option"),
        ("-I other@1 tank/a@2", "incremental source must be in same filesystem"),
    ],
)
def test_misuse_is_answered_with_the_usage(cell: MemoryCell, arguments: str, said: str) -> None:
    result = zfs(cell, f"send {arguments}")
    assert (result.status, result.stderr.splitlines()[0]) == (2, said)


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("garbage", "invalid format"),
        ("2-a-b-00", "invalid version 2"),
        ("1-a-b-0", "payload is not hex-encoded"),
        ("1-a-b-00", "incorrect checksum"),
        ("1-0-b-00", "decompression failed"),
    ],
)
def test_a_broken_token_is_refused_with_255(cell: MemoryCell, token: str, reason: str) -> None:
    result = zfs(cell, f"send -t {token}")
    assert result.status == 255
    assert result.stderr == f"cannot resume send: resume token is corrupt ({reason})\n"


def test_snapshots_of_a_suspended_pool_can_not_be_sent(cell: MemoryCell) -> None:
    def suspended(before: Machine) -> Machine:
        return change.with_pool(before, replace(before.pools["tank"], health=Health.SUSPENDED))

    cell.change(suspended)
    assert "pool I/O is currently suspended" in zfs(cell, "send tank/a@1").stderr


def test_a_package_from_a_snapshot_that_is_too_late_says_so(cell: MemoryCell) -> None:
    result = zfs(cell, "send -I @2 tank/a@1")
    assert result.status == 1
    assert result.stderr.splitlines() == [
        "WARNING: could not send tank/a@1:",
        "incremental source (tank/a@2) does not exist",
    ]


def test_a_recursive_package_needs_the_snapshot_of_all_that_is_older(cell: MemoryCell) -> None:
    shell(cell, "zfs create tank/a/kid")
    assert zfs(cell, "send -R -v tank/a@2").stderr.splitlines()[0] == (
        "skipping dataset tank/a/kid: snapshot 2 does not exist"
    )
    shell(cell, "zfs snapshot tank/a@later")
    assert zfs(cell, "send -R tank/a@later").stderr.splitlines() == [
        "cannot send tank/a@later recursively: snapshot tank/a/kid@later does not exist",
        "warning: cannot send 'tank/a@later': backup failed",
    ]
