"""Simulated hosts for tests of the commands: two pools, and commands as one would type them."""

import shlex
from dataclasses import replace
from functools import partial

from reconciler.simulator import change
from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import Dataset, Machine
from reconciler.simulator.process import ChunkedInput
from reconciler.simulator.run import Result, run
from reconciler.zfs.names import pool_of
from reconciler.zfs.types import FilesystemKind

CLOCK = 1_795_386_942
"""Seconds since the epoch: Sun Nov 22 22:35 2026 in UTC."""


def machine(*, release: str = "2.1.11", seed: str = "here") -> MemoryCell:
    """Return a host with the pools tank and dst, each mounted below / by its name."""
    cell = MemoryCell(Machine(seed, release=release))
    for pool in ("tank", "dst"):
        assert shell(cell, f"zpool create {pool} disk").status == 0
    return cell


def shell(cell: MemoryCell, line: str) -> Result:
    """Run a command line, without a shell's pipes and variables."""
    return run(cell, tuple(shlex.split(line)), clock=lambda: CLOCK)


def zfs(cell: MemoryCell, line: str) -> Result:
    """Run `zfs` with the arguments of a line."""
    return shell(cell, f"zfs {line}")


def lines(cell: MemoryCell, line: str) -> list[str]:
    """Return what a zfs command prints, which must succeed without a word on stderr."""
    result = zfs(cell, line)
    assert (result.status, result.stderr) == (0, "")
    return result.stdout.decode().splitlines()


def make(
    cell: MemoryCell,
    *names: str,
    kind: FilesystemKind = FilesystemKind.FILESYSTEM,
    volsize: int = 0,
) -> None:
    """Put mounted filesystems, or volumes, on a host without a command."""
    for name in names:
        cell.change(partial(_made, name, kind, volsize))


def edit(cell: MemoryCell, name: str, **fields: object) -> None:
    """Give fields of a filesystem other values."""
    cell.change(
        lambda before: change.with_dataset(
            before,
            replace(before.datasets[name], **fields),  # type: ignore[arg-type]
        )
    )


def _made(name: str, kind: FilesystemKind, volsize: int, before: Machine) -> Machine:
    before, txg = change.next_txg(before, pool_of(name))
    before, guid = change.mint(before)
    mounted = kind is FilesystemKind.FILESYSTEM
    dataset = Dataset(name, kind, guid, txg, CLOCK, mounted=mounted, volsize=volsize)
    return change.with_dataset(before, dataset)


def stream(cell: MemoryCell, line: str) -> bytes:
    """Return what `zfs send` with the arguments of a line writes; it must succeed."""
    result = zfs(cell, f"send {line}")
    assert result.status == 0, result.stderr
    return result.stdout


def receive(cell: MemoryCell, line: str, *chunks: bytes) -> Result:
    """Run `zfs receive` with the arguments of a line on the bytes of a stream."""
    argv = ("zfs", "receive", *shlex.split(line))
    return run(cell, argv, clock=lambda: CLOCK, stdin=ChunkedInput(iter(chunks)))


def token(cell: MemoryCell, name: str) -> str:
    """Return the resume token of a filesystem, `-` without one."""
    return lines(cell, f"get -H -o value receive_resume_token {name}")[0]
