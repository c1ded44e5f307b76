"""Many hosts behind one real sshd on loopback, each with an address of its own, observed at once.

Their `zfs` and `zpool` print what was written down before. What it takes is counted while it goes
on: threads, open files and connections of this process.
"""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from reconciler.desired.model import Desired, Keep, Replication
from reconciler.desired.selection import Selection
from reconciler.executor.observe import observe
from reconciler.hosts.addresses import HostAddress, SshAddress
from reconciler.hosts.fleet import Fleet
from reconciler.observed import probe
from reconciler.observed.model import Observed, Seen
from tests.bench.worlds import listings
from tests.integration.server import Sshd

FILESYSTEMS, VERSIONS = 10, 10
"""On each host; versions of each filesystem."""

_ENTRY = """\
#!/bin/sh
address=${{SSH_CONNECTION% *}}
HOST='{folder}'/${{address##* }}
PATH='{folder}/bin':$PATH
export HOST PATH
exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"
"""

_ZFS = f"""\
#!/bin/sh
case "$*" in
    version) exec cat "$HOST/{probe.RELEASE}" ;;
    holds*) exec cat "$HOST/{probe.HOLDS}" ;;
    *bookmark*) exec cat "$HOST/{probe.VERSIONS}" ;;
    *) exec cat "$HOST/{probe.FILESYSTEMS}" ;;
esac
"""

_ZPOOL = f"""\
#!/bin/sh
case "$1" in
    list) exec cat "$HOST/{probe.POOLS}" ;;
    *) exec cat "$HOST/{probe.FEATURES}" ;;
esac
"""


class Used(NamedTuple):
    """The most of each that was in use at one time, what was there before not counted."""

    threads: int
    files: int
    connections: int


class Observing(NamedTuple):
    """What looking at all hosts came to."""

    observed: Observed
    seconds: float
    used: Used
    left: int
    """Connections that are still open afterwards."""

    @property
    def remark(self) -> str:
        """Return it in words."""
        used = self.used
        return (
            f"{len(self.observed):,} hosts in {self.seconds:.0f} s, at most {used.threads} threads,"
            f" {used.connections} connections, {used.files} open files; {self.left} stay open"
        )


class Crowd:
    """The hosts."""

    def __init__(self, folder: Path, size: int) -> None:
        # It listens at no more than 16 addresses, or at all that a machine has.
        self._sshd = Sshd(folder / "sshd", listen="0.0.0.0")  # noqa: S104 - keys of our own
        self._addresses = [f"127.1.{n // 250}.{n % 250 + 1}" for n in range(size)]
        self.names = [f"h{n:04}" for n in range(size)]
        self._write(folder / "hosts")

    def _write(self, folder: Path) -> None:
        (folder / "bin").mkdir(parents=True)
        scripts = {"entry": _ENTRY.format(folder=folder), "bin/zfs": _ZFS, "bin/zpool": _ZPOOL}
        for name, text in scripts.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        first = folder / "any"
        first.mkdir()
        files = listings(first, FILESYSTEMS, VERSIONS)
        for number, address in enumerate(self._addresses):
            own = folder / address
            own.mkdir()
            for name, file in files.items():
                (own / name).symlink_to(file)
            # By this a host is told from the others.
            (own / probe.POOLS).unlink()
            (own / probe.POOLS).write_text(f"tank\t{number + 1}\t{1 << 40}\tONLINE\toff\n")
        with self._sshd.known_hosts.open("a") as known:
            known.writelines(
                f"[{address}]:{self._sshd.port} {self._sshd.public_key}\n"
                for address in self._addresses
            )
        self._sshd.start(f"ForceCommand {folder}/entry", "MaxStartups 200")

    def desired(self) -> Desired:
        """Return specs that ask for all of them."""
        selection = Selection.parse(["tank/data/**"])
        return Desired(
            hosts={
                name: HostAddress(name, SshAddress(address, port=self._sshd.port))
                for name, address in zip(self.names, self._addresses, strict=True)
            },
            replications={
                "all": Replication("all", tuple(self.names), selection, None, Keep(), ())
            },
            digest="sha256:0",
        )

    def look(self) -> Observing:
        """Observe them all, each over a connection that has to be opened."""
        desired = self.desired()
        with Fleet(desired.hosts, self._sshd.options) as fleet, Watcher() as watcher:
            began = time.perf_counter()
            observed = observe(desired, fleet, time.time)
            seconds = time.perf_counter() - began
            left = _use().connections - watcher.before.connections
        return Observing(observed, seconds, watcher.used, left)

    def close(self) -> None:
        """Stop the server."""
        self._sshd.stop()


class Watcher:
    """Looks again and again at what this process uses."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.before = _use()
        self._most = self.before

    @property
    def used(self) -> Used:
        """The most of each, beside what was there before and the watcher itself."""
        threads, files, connections = self._most
        before = self.before
        return Used(threads - before.threads - 1, files - before[1], connections - before[2])

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self._most = Used(*map(max, zip(self._most, _use(), strict=True)))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def _use() -> Used:
    files = list(_files())
    sockets = sum(file.startswith("socket:") for file in files)
    return Used(threading.active_count(), len(files), sockets)


def _files() -> Iterator[str]:
    for file in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            yield str(file.readlink())


def crowd_cost(size: int) -> Observing:
    """Return what it takes to observe so many hosts."""
    with tempfile.TemporaryDirectory() as folder:
        crowd = Crowd(Path(folder), size)
        try:
            found = crowd.look()
        finally:
            crowd.close()
    seen = [one for one in found.observed.values() if isinstance(one, Seen)]
    assert len(seen) == size, next(o for o in found.observed.values() if not isinstance(o, Seen))
    return found
