"""One host of a running lab, as a test uses it: a place to run shell commands."""

import contextlib
import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from .access import Access
from .errors import CommandError, LabError
from .plan import PEER_ADDRESS, Host

_CLOCK_TOLERANCE = 0.05

# What keeps the pool busy is left from the test before: commands at work on it, or a program whose
# current folder lies in it.
_RENEW_POOL = r"""
pkill -x 'zfs|zpool|mbuffer|pv'
for attempt in 1 2 3 4 5 6; do
    zpool list {pool} >/dev/null 2>&1 || break
    zpool destroy -f {pool} && break
    stat -f -c '%T %n' /proc/[0-9]*/cwd/. 2>/dev/null |
        sed -n 's|^zfs /proc/\([0-9]*\)/.*|\1|p' | xargs -r kill -9
    sleep 0.5
done
rm -rf --one-file-system /{pool}
zpool create {pool} /dev/vdb1
"""


@dataclass(frozen=True)
class Machine:
    """A host that answers ssh; `peer_address` and `port` are how the other hosts reach it."""

    name: str
    port: int
    pool: str
    ssh_config: Path
    control: Path
    peer_address: str = PEER_ADDRESS

    @classmethod
    def of(cls, host: Host) -> Self:
        """Return the machine that runs as this host."""
        control = host.folder / "ssh"
        return cls(host.name, host.port, host.pool, Access(host.lab).ssh_config, control)

    def sh(
        self,
        command: str,
        *,
        check: bool = True,
        input: bytes | None = None,  # noqa: A002 - subprocess's own name
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command as root; with `check` raise CommandError if it fails.

        Raises subprocess.TimeoutExpired if the host is silent or the command takes too long. All
        calls share one connection, so a call costs less than a tenth of a second.
        """
        argv = [*self._ssh(), "-oControlMaster=auto", "-oControlPersist=yes", self.name, command]
        # No input is an empty input: a command that reads must not wait for our terminal.
        ended = subprocess.run(
            argv, capture_output=True, check=False, timeout=timeout, input=input or b""
        )
        done = subprocess.CompletedProcess(
            shlex.join(argv), ended.returncode, _text(ended.stdout), _text(ended.stderr)
        )
        if check and done.returncode != 0:
            shown = f"{self.name}: {command}"
            raise CommandError(shown, done.returncode, done.stdout + done.stderr)
        return done

    def renew_pool(self) -> None:
        """Replace the pool by a new one: no dataset, hold, bookmark or property survives."""
        self.sh(_RENEW_POOL.format(pool=self.pool))

    def hang_up(self) -> None:
        """Close the shared connection; the next call opens a new one."""
        if not self.control.exists():
            return
        argv = [*self._ssh(), "-Oexit", self.name]
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(argv, capture_output=True, check=False, timeout=10)
        self.control.unlink(missing_ok=True)

    def wait_until_it_answers(self, timeout: float) -> None:
        """Wait until sshd answers, and leave the shared connection open."""
        until = time.monotonic() + timeout
        while True:
            try:
                self.sh("true", timeout=20)
            except (CommandError, subprocess.TimeoutExpired) as error:
                if time.monotonic() > until:
                    raise LabError(f"{self.name} does not answer ssh: {error}") from error
                self.hang_up()
                time.sleep(0.2)
            else:
                return

    def set_clock(self) -> None:
        """Set the clock right if it differs; a host starts with whole seconds only."""
        ahead = self.clock_offset()
        if abs(ahead) > _CLOCK_TOLERANCE:
            self.sh(f"date -s $(date -d '{-ahead:.3f} seconds' +@%s.%N)")

    def clock_offset(self) -> float:
        """Return by how many seconds the host's clock is ahead of ours.

        Of a few exchanges the quickest counts: a slow one, like one that has to connect first, does
        not tell when the host looked at its clock.
        """
        return min(self._exchange_times() for _ in range(4))[1]

    def _exchange_times(self) -> tuple[float, float]:
        """Return how long one exchange of times took, and the difference it showed."""
        before = time.time()
        there = float(self.sh("date +%s.%N").stdout)
        after = time.time()
        return after - before, there - (before + after) / 2

    def _ssh(self) -> list[str]:
        return ["ssh", "-F", str(self.ssh_config), "-S", str(self.control).replace("%", "%%")]


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
