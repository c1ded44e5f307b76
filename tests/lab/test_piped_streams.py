"""Streams that are compressed, buffered and limited, with the real programs and real ZFS."""

import time
from pathlib import Path

import pytest

from reconciler.zfs import commands
from tests.lab.controller import Controller, host, peer, replication, snapshots
from tests.lab.machines import Lab

PIPED = "compression: zstd-1\n      buffer: 8M\n      bandwidth: 2MiB/s"
DATA = 3 << 20


@pytest.fixture
def controller(clean_lab: Lab, tmp_path: Path) -> Controller:
    clean_lab.machines["alpha"].sh(
        "zfs create -o compression=off tank/data"
        f" && head -c {DATA} /dev/urandom > /tank/data/noise"
        f" && head -c {4 * DATA} /dev/zero | tr '\\0' a > /tank/data/letters"
    )
    return Controller(clean_lab, tmp_path)


def checksums(lab: Lab, machine: str, filesystem: str, name: str) -> list[str]:
    """Return the checksums of a snapshot's files."""
    where = f"mkdir -p /tmp/look && mount -t zfs -o ro '{filesystem}@{name}' /tmp/look"
    took = lab.machines[machine].sh(
        f"{where} && cd /tmp/look && sha256sum * && cd / && umount /tmp/look"
    )
    return took.stdout.split("\n")


@pytest.mark.parametrize("path", ["direct", "relay"])
def test_a_stream_that_passes_everything_arrives_whole_and_slowly(
    controller: Controller, path: str
) -> None:
    lab = controller.lab
    hosts = host("alpha", extra="limits: {sends: 1}") + host("vault", extra=peer(lab, "vault"))
    controller.specify(hosts + replication(extra=f"path: {path}\n      {PIPED}"))
    planned = controller.run("plan", "-f", str(controller.specs)).stdout
    assert "zstd-1, buffer 8.0 MiB, at most 2.0 MiB/s" in planned

    began = time.monotonic()
    controller.converge()
    # The noise alone takes so long; the letters are nothing once they are compressed.
    assert time.monotonic() - began > DATA / (2 << 20)
    there = snapshots(lab, "vault", "backup/alpha/tank/data")
    assert there == snapshots(lab, "alpha", "tank/data")
    (name,) = there
    received = checksums(lab, "vault", "backup/alpha/tank/data", name)
    assert received == checksums(lab, "alpha", "tank/data", name)
    assert len(received) == 3


def test_what_a_receiver_tells_moves_while_it_receives(controller: Controller) -> None:
    """The watchdog's second sign of life: it is there in the middle of a stream, and changes."""
    lab = controller.lab
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    alpha.sh("zfs snapshot tank/data@a; zfs send tank/data@a > /tmp/full; echo b > /tank/data/b")
    alpha.sh(f"head -c {DATA} /dev/urandom > /tank/data/more; zfs snapshot tank/data@b")
    where = f"ssh -p {vault.port} {vault.peer_address}"
    alpha.sh(f"{where} zfs receive -u backup/data < /tmp/full")
    slowly = f"zfs send -i @a tank/data@b | pv -q -L 200k | {where} zfs receive -s -u backup/data"
    alpha.sh(f"nohup sh -c '{slowly}' >/tmp/slowly 2>&1 </dev/null &")
    ask = " ".join(commands.get_receiving("backup/data"))
    seen = []
    for _ in range(12):
        time.sleep(1)
        seen.append(vault.sh(ask).stdout)
    assert len(set(seen)) > 2, seen
