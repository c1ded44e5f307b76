"""Two of the lab's hosts as a sender and a receiver, with a history of days."""

import shlex
import time
from collections.abc import Iterable
from pathlib import Path

from tests.bench.peers.history import DAY, KEEP, TARGET, Label, Size, today
from tests.bench.peers.pair import RECEIVER, SENDER, Command, Ended, run_command
from tests.lab.machines import Lab, Machine

SIZE = 64 << 10
"""Bytes that are written to a filesystem."""

HOSTS = {SENDER: "alpha", RECEIVER: "vault"}


class Ground:
    """A sender and a receiver for one tool at a time."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.ssh_config = folder / "ssh_config"
        self.bzfs_ssh_config = folder / "bzfs_ssh_config"
        self.sharing_ssh_config = folder / "sharing_ssh_config"
        text = "\n".join(map(self._stanza, HOSTS))
        self.ssh_config.write_text(text)
        self.bzfs_ssh_config.write_text(text)
        sharing = f"ControlMaster auto\nControlPath {folder}/%C\nControlPersist 60\n"
        self.sharing_ssh_config.write_text(text + sharing)

    @property
    def sender(self) -> Machine:
        """The machine that sends."""
        return self.lab.machines[HOSTS[SENDER]]

    @property
    def receiver(self) -> Machine:
        """The machine that receives."""
        return self.lab.machines[HOSTS[RECEIVER]]

    def _stanza(self, name: str) -> str:
        return (
            f"Host {name}\nHostName 127.0.0.1\nPort {self.lab.machines[HOSTS[name]].port}\n"
            f'User root\nIdentityFile "{self.lab.identity}"\nIdentitiesOnly yes\n'
            f'UserKnownHostsFile "{self.lab.known_hosts}"\nGlobalKnownHostsFile none\n'
            "StrictHostKeyChecking yes\nBatchMode yes\nHost *\n"
        )

    def begin(self, size: Size, parents: Iterable[str] = ()) -> None:
        """Make new pools, the sender's filesystems, and the receiver's parent of them."""
        self.lab.renew_pools()
        self._script(self.sender, [f"zfs create {name}" for name in size.names])
        self.receiver.sh(f"zfs create -o canmount=off {' '.join(parents)} {TARGET}/tank")

    def live(self, size: Size, days: int, label: Label, options: str = "", until: int = 1) -> None:
        """Let that many days pass on the sender, the last one so many days ago: on each all is
        written to, and has a snapshot.
        """
        lines = []
        for back in range(days + until - 1, until - 1, -1):
            at = today() - back * DAY
            names = " ".join(f"{name}@{label(at)}" for name in size.names)
            lines += [f"date -s @{at + 1} >/dev/null", *_writes(size.names)]
            lines += ["zpool sync", f"zfs snapshot {options} {names}"]
        try:
            self._script(self.sender, lines)
        finally:
            self.sender.set_clock()

    def write(self, names: Iterable[str]) -> None:
        """Write to some of the sender's filesystems."""
        self._script(self.sender, [*_writes(names), "zpool sync"])

    def run(self, commands: Iterable[Command], limit: float) -> tuple[Ended, float]:
        """Run commands of a tool, and return how the last one ended and how long all took."""
        began, ended = time.monotonic(), Ended(0, "")
        for command in commands:
            left = max(1.0, limit - (time.monotonic() - began))
            ended = run_command(command, self.folder, "/usr/local/bin:/usr/bin:/bin", left)
            if ended.status != 0:
                break
        return ended, time.monotonic() - began

    def unprepared(self, size: Size, *, days: bool) -> str:
        """Tell where not all is replicated, or with `days` what is late has a snapshot of today."""
        here, there = versions(self.sender, "tank"), versions(self.receiver, TARGET)
        late, wrong = {*size.late}, []
        for name in size.names:
            ours, theirs = here.get(name, []), there.get(f"{TARGET}/{name}", [])
            if not ours or [guid for guid, _ in ours] != [guid for guid, _ in theirs]:
                wrong.append(f"{name} is not replicated")
            elif days and (ours[-1][1] < today()) != (name in late):
                wrong.append(f"the newest snapshot of {name} is of another day")
        return _few(wrong)

    def amiss(self, size: Size) -> str:
        """Tell what is not as it should be after a cycle of today; nothing where all is."""
        here, there = versions(self.sender, "tank"), versions(self.receiver, TARGET)
        wrong = []
        for name in size.names:
            ours, theirs = here.get(name, []), there.get(f"{TARGET}/{name}", [])
            if not ours or ours[-1][1] < today():
                wrong.append(f"{name} has no snapshot of today")
            elif not theirs or theirs[-1][0] != ours[-1][0]:
                wrong.append(f"{name} is not replicated")
            elif (len(ours), len(theirs)) != (KEEP, KEEP):
                wrong.append(f"{name} has {len(ours)} and {len(theirs)} snapshots")
        return _few(wrong)

    def unpruned(self, size: Size) -> str:
        """Tell where there are more or fewer versions on the sender than are to be kept."""
        here = versions(self.sender, "tank")
        counts = ((name, len(here.get(name, []))) for name in size.names)
        return _few([f"{name} has {count} snapshots" for name, count in counts if count != KEEP])

    def _script(self, machine: Machine, lines: Iterable[str]) -> None:
        machine.sh("sh -es", input="\n".join(lines).encode(), timeout=600)


def versions(machine: Machine, pool: str) -> dict[str, list[tuple[int, int]]]:
    """Return filesystem → (guid, creation) of its snapshots, oldest first."""
    listed = machine.sh(f"zfs list -Hp -t snapshot -o createtxg,name,guid,creation -r {pool}")
    found: dict[str, list[tuple[int, int]]] = {}
    rows = (line.split("\t") for line in listed.stdout.splitlines())
    for _, name, guid, creation in sorted(rows, key=lambda row: int(row[0])):
        found.setdefault(name.partition("@")[0], []).append((int(guid), int(creation)))
    return found


def _writes(names: Iterable[str]) -> list[str]:
    return [f"head -c {SIZE} /dev/urandom > {shlex.quote(f'/{name}/file')}" for name in names]


def _few(wrong: list[str]) -> str:
    more = f"; and {len(wrong) - 2} more" if len(wrong) > 2 else ""
    return "; ".join(wrong[:2]) + more
