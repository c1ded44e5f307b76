"""Streams between a pair of hosts, over connections that they share or over their own."""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from reconciler.hosts.addresses import SshAddress
from reconciler.hosts.cutting import Cut
from reconciler.hosts.locking import HostLock
from reconciler.hosts.script import Outcome, Script
from reconciler.hosts.streams import parted, relay
from tests.integration.pair import RECEIVE, SEND, Pair
from tests.integration.server import alive, descendants, wait_until


class Sharing:
    """A pair whose streams share connections, and what they run on hosts."""

    def __init__(self, pair: Pair, folder: Path) -> None:
        self.pair = pair
        self.shares = True
        self.ends: list[SshAddress] = []
        for host in (pair.sender, pair.receiver):
            assert isinstance(host.address, SshAddress)
            self.ends.append(host.address)
        self._folder = folder
        self._threads = ThreadPoolExecutor(20)

    def run(
        self,
        send: tuple[str, ...] = SEND,
        receive: tuple[str, ...] = RECEIVE,
        cut: Cut | None = None,
        lock: HostLock | None = None,
    ) -> Outcome:
        """Lead a stream over connections that it shares, which have to be there."""
        pair = self.pair
        ends = self.ends if self.shares else []
        with pair.fleet.masters.lent(ends) as masters:
            assert set(masters) == set(ends)
            step = relay(
                pair.sender, pair.receiver, send, receive, pair.options, lock=lock, masters=masters
            )
            ran = pair.fleet.controller().run(Script((step,)), timeout=50, cut=cut)
        return parted(ran.outcomes[step.name])[0]

    def begun(
        self,
        name: str,
        send: str,
        receive: str,
        *,
        cut: Cut | None = None,
        lock: HostLock | None = None,
    ) -> "Begun":
        """Begin a stream of two shell commands, and wait until both run."""
        files = [self._folder / f"{name}.{end}" for end in ("send", "receive")]
        commands = [
            ("sh", "-c", f"echo $$ >{file}; exec {code}")
            for file, code in zip(files, (send, receive), strict=True)
        ]
        future = self._threads.submit(self.run, commands[0], commands[1], cut, lock)
        wait_until(lambda: all(f.exists() and f.read_text().endswith("\n") for f in files))
        return Begun(future, [int(file.read_text()) for file in files])

    def logins(self) -> list[int]:
        """Return how many connections each server has accepted for us so far."""
        logs = [(server.folder / "sshd.log").read_text() for server in self.pair.servers]
        return [log.count("Accepted publickey") for log in logs]

    def masters(self) -> list[int]:
        """Return the processes of the masters."""
        return [pid for pid in descendants(os.getpid()) if is_master(pid)]

    def is_known_to_be_over(self, end: int) -> bool:
        """Tell whether the controller has noticed that the master of one end has ended."""
        return self.pair.fleet.masters._loans[self.ends[end]].master.is_over()

    def close(self) -> None:
        self.pair.fleet.close()
        self._threads.shutdown()


class Begun:
    """A stream that is on its way."""

    def __init__(self, outcome: "Future[Outcome]", commands: list[int]) -> None:
        self.outcome = outcome
        self.commands = commands

    def is_running(self) -> list[bool]:
        """Tell of the sender's and of the receiver's command whether it runs."""
        return [alive(pid) for pid in self.commands]


def is_master(pid: int) -> bool:
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return words[0] == b"ssh" and b"ControlMaster=yes" in words and alive(pid)
    return False
