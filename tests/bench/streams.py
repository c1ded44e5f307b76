"""How fast streams go, beside the same `zfs send | ssh | zfs receive` typed by hand.

Both on the lab's hosts with real ZFS, in turns, so that what else the machine does hits both.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from reconciler.actions import Done, Send, SendMode
from reconciler.executor.transfer import Transfer
from reconciler.hosts.addresses import (
    HostAddress,
    LocalAddress,
    PeerAddress,
    SshAddress,
    SshOptions,
)
from reconciler.hosts.fleet import Fleet
from reconciler.zfs.capabilities import StreamFlags
from reconciler.zfs.types import FilesystemKind, Version, VersionKind
from tests.lab.machines import Lab, start, why_not

MEBIBYTE = 1 << 20
WAYS = ("direct", "relay", "local")


class Throughput(NamedTuple):
    """One way, ours and by hand."""

    way: str
    mebibytes: int
    ours: float
    """MiB/s, the median."""
    by_hand: float
    """The same."""
    runs: int
    remark: str

    @property
    def share(self) -> float:
        """Ours as a share of what goes by hand."""
        return self.ours / self.by_hand if self.by_hand else 0.0


def throughput(mebibytes: int, runs: int) -> Iterator[Throughput]:
    """Measure each way; one whose remark begins with `not run` has no figures."""
    if reason := why_not():
        yield Throughput("", mebibytes, 0, 0, 0, f"not run: {reason}")
        return
    wish = os.environ.get("RECONCILER_LAB", "")
    with tempfile.TemporaryDirectory(prefix="streams-") as folder:
        lab = Lab.attach(Path(wish)) if wish else start(dir=Path(folder) / "run")
        try:
            yield from _measured(lab, mebibytes, runs)
        finally:
            lab.hang_up() if wish else lab.stop()


def _measured(lab: Lab, mebibytes: int, runs: int) -> Iterator[Throughput]:
    lab.renew_pools()
    alpha = lab.machines["alpha"]
    noise = f"head -c {mebibytes * MEBIBYTE} /dev/urandom"
    alpha.sh(f"zfs create tank/data && {noise} > /tank/data/noise && zfs snapshot tank/data@a")
    alpha.sh("truncate -s 512M /tmp/second.img; zpool create -f second /tmp/second.img")
    guid = int(alpha.sh("zfs get -Hp -o value guid tank/data@a").stdout)
    try:
        with Fleet(_addresses(lab), SshOptions(lab.ssh_config)) as fleet:
            for way in WAYS:
                ours, by_hand = _ours(lab, fleet, way, guid), _by_hand(lab, way)
                taken: dict[Callable[[], None], list[float]] = {ours: [], by_hand: []}
                for number in range(runs + 1):
                    for work in (ours, by_hand) if number % 2 else (by_hand, ours):
                        seconds = _timed(work)
                        # The first one opens connections and fills caches.
                        taken[work] += [seconds] if number else []
                        _undo(lab, way)
                fast = [mebibytes / statistics.median(taken[work]) for work in (ours, by_hand)]
                yield Throughput(way, mebibytes, fast[0], fast[1], runs, "")
    finally:
        alpha.sh("zpool destroy -f second; rm /tmp/second.img")


def _addresses(lab: Lab) -> dict[str, HostAddress]:
    vault = lab.machines["vault"]
    peer = PeerAddress(vault.peer_address, vault.port)
    return {
        "alpha": HostAddress("alpha", SshAddress("alpha", "root")),
        "vault": HostAddress("vault", SshAddress("vault", "root"), peer_address=peer),
        "here": HostAddress("here", LocalAddress()),
    }


def _place(way: str) -> tuple[str, str]:
    return ("alpha", "second/data") if way == "local" else ("vault", "backup/data")


def _ours(lab: Lab, fleet: Fleet, way: str, guid: int) -> Callable[[], None]:
    """Return what sends as the executor does: with its progress, its locks and its look after."""
    del lab
    host, filesystem = _place(way)
    send = Send(
        host="alpha",
        filesystem="tank/data",
        kind=FilesystemKind.FILESYSTEM,
        receiver_host=host,
        receiver_filesystem=filesystem,
        mode=SendMode.FULL,
        base=None,
        versions=(Version(VersionKind.SNAPSHOT, "a", guid, 1, 0),),
        flags=StreamFlags(large_blocks=True, compressed=True, embedded=True),
        path="auto" if way == "local" else way,
    )
    transfer = Transfer(fleet)

    def work() -> None:
        verdict = transfer.run(send, lambda _: None)
        if not isinstance(verdict, Done):
            sys.exit(f"{way}: {verdict}")

    return work


def _by_hand(lab: Lab, way: str) -> Callable[[], None]:
    """Return what a person would type."""
    vault = lab.machines["vault"]
    send, receive = "zfs send -L -c -e tank/data@a", f"zfs receive -s -u {_place(way)[1]}"
    ssh = f"ssh -F {lab.ssh_config} -o ControlMaster=no -o ControlPath=none root@"
    across = f"ssh -p {vault.port} root@{vault.peer_address}"
    line = {
        "direct": f"{ssh}alpha '{send} | {across} {receive}'",
        "relay": f"{ssh}alpha {send} | {ssh}vault {receive}",
        "local": f"{ssh}alpha '{send} | {receive}'",
    }[way]
    return lambda: _typed(line)


def _typed(line: str) -> None:
    subprocess.run(["bash", "-o", "pipefail", "-c", line], check=True, capture_output=True)


def _undo(lab: Lab, way: str) -> None:
    host, filesystem = _place(way)
    lab.machines[host].sh(f"zfs destroy -r {filesystem} && zpool sync")


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
