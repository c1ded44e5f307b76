"""What happens to a controller in a year, within minutes: each scene is one thing that goes wrong.

A scene does something, sees to it that the controller says what is true of it, puts it right where
a person would have to, and leaves when all is well again.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from tests.lab.controller import host, replication, snapshots
from tests.lab.machines import Lab
from tests.lab.watching import Watching

FILESYSTEMS = ("tank/data/a", "tank/data/b c")
TARGET = "backup/alpha"
PATIENCE = 180.0
"""Seconds for what should be there at once: hosts are emulated, by a machine that may be busy."""

BROKEN = "apiVersion: reconciler/v1alpha1\nkind: Replication\nspec: {source: nothing}\n"


@dataclass
class Play:
    """The stage of all scenes: alpha's tank/data goes to vault, beta's to vault too."""

    lab: Lab
    watching: Watching
    every: str
    slot: int
    """Seconds."""
    filesystems: set[str] = field(default_factory=lambda: set(FILESYSTEMS))
    """Those of alpha that are replicated now."""
    senders: tuple[str, ...] = ("alpha", "beta")
    keep: int = 20
    renamed: int = 0

    @property
    def one(self) -> str:
        """One of them, without a space in its name."""
        return min(self.filesystems)

    def open(self) -> None:
        """Make filesystems, and start."""
        for sender in self.senders:
            self.lab.machines[sender].sh("zfs create tank/data; zfs create tank/data/b")
        for filesystem in sorted(self.filesystems):
            self.lab.machines["alpha"].sh(f"zfs create -p '{filesystem}'")
        self.lab.machines["alpha"].sh("zfs destroy tank/data/b")
        self.specify()
        self.watching.start()
        self.well("at first", 300)

    def specify(self, text: str | None = None) -> None:
        """Write the specs: the right ones unless others are given."""
        right = "".join(map(host, (*self.senders, "vault")))
        for source in self.senders:
            right += "---" if source != "alpha" else ""
            right += replication(
                name="data" if source == "alpha" else source,
                source=source,
                filesystems='"tank/data/**", "!tank/data"',
                every=self.every,
                keep=f"{{last: {self.keep}}}",
                target_keep=f"{{last: {self.keep + 5}}}",
                extra=f"maxLag: {8 * self.slot + 60}s",
            )
        self.watching.controller.specify(right if text is None else text)

    def write(self, count: int = 200) -> None:
        """Write data to all filesystems of alpha; `count` are KiB."""
        lines = (
            f"head -c {count}k /dev/urandom > '/{filesystem}/'$(date +%s%N)"
            for filesystem in sorted(self.filesystems)
        )
        self.lab.machines["alpha"].sh("; ".join(lines))

    def common(self) -> dict[str, int]:
        """Return for each filesystem of alpha how many snapshots both ends have."""
        found = {}
        for filesystem in sorted(self.filesystems):
            here = set(snapshots(self.lab, "alpha", filesystem).values())
            there = set(snapshots(self.lab, "vault", f"{TARGET}/{filesystem}").values())
            found[filesystem] = len(here & there)
        return found

    def well(self, when: str, timeout: float = 240.0) -> None:
        """Wait until all is ready and what is written now has arrived."""
        since = time.time()
        for name in ("data", "vault", *self.senders):
            self.watching.until(
                partial(self.watching.is_ready, name), f"{name} is ready {when}", timeout
            )
        newest = timeout + 2 * self.slot
        self.watching.until(lambda: self._arrived(since), f"new snapshots arrive {when}", newest)
        assert all(self.common().values()), f"{when}: {self.common()}"
        for filesystem in sorted(self.filesystems):
            self._same(filesystem)

    def _arrived(self, since: float) -> bool:
        """Tell whether each filesystem has a version on vault that was made after an instant."""
        lags = self.watching.replication("data").get("lags", ())
        fresh = {
            lag["filesystem"]
            for lag in lags
            if lag["replicated"] is not None and _instant(lag["replicated"]) >= since - 1
        }
        return self.filesystems <= fresh

    def _same(self, filesystem: str) -> None:
        """See to it that the files of the newest common snapshot are the same on both ends."""
        here = snapshots(self.lab, "alpha", filesystem)
        there = snapshots(self.lab, "vault", f"{TARGET}/{filesystem}")
        name = [name for name, guid in there.items() if here.get(name) == guid][-1]
        sums = "cd '{path}' && find . -type f | sort | xargs -r -d '\\n' cat | sha256sum"
        one = self.lab.machines["alpha"].sh(sums.format(path=f"/{filesystem}/.zfs/snapshot/{name}"))
        target = f"{TARGET}/{filesystem}"
        other = self.lab.machines["vault"].sh(
            f"mkdir -p /tmp/look && mount -t zfs '{target}@{name}' /tmp/look && ("
            + sums.format(path="/tmp/look")
            + "); code=$?; umount /tmp/look; exit $code"
        )
        assert one.stdout == other.stdout, f"{filesystem}@{name} differs"


def _instant(text: str) -> float:
    from reconciler.report.figures import parse_timestamp

    return parse_timestamp(text)


# -- scenes ----------------------------------------------------------------------------------------


def specs_change(play: Play) -> None:
    """Another keep rule is in force within seconds, and old versions go by it."""
    before = play.watching.replication("data")["generation"]
    play.keep = 3 if play.keep > 3 else 20
    play.specify()

    def seen() -> bool:
        now = play.watching.replication("data")
        observed = {c["observed_generation"] for c in now["conditions"]}
        return bool(now["generation"] != before and observed == {now["generation"]})

    play.watching.until(seen, "the new specs were acted on", PATIENCE)


def specs_are_broken(play: Play) -> None:
    """Broken specs change nothing, are told of, and the last good ones go on."""
    generation = play.watching.replication("data")["generation"]
    play.specify(BROKEN)
    play.watching.until(lambda: play.watching.status()["specs"]["problem"], "it is told", PATIENCE)
    assert play.watching.metric("reconciler_config_last_reload_successful") == 0
    assert play.watching.replication("data")["generation"] == generation
    play.write()
    play.well("while the specs are broken")
    play.specify("")
    play.watching.until(
        lambda: "s" in (play.watching.status()["specs"]["problem"] or ""), "empty is told", PATIENCE
    )
    assert play.watching.replication("data")["generation"] == generation
    play.specify()
    play.watching.until(lambda: not play.watching.status()["specs"]["problem"], "mended", PATIENCE)
    assert play.watching.metric("reconciler_config_last_reload_successful") == 1


def sshd_is_away(play: Play) -> None:
    """A host that can't be reached is told of; nothing is destroyed on its peers meanwhile."""
    play.write()
    before = snapshots(play.lab, "alpha", play.one)
    with _sshd_killed(play.lab, "vault", 2 * play.slot + 25):
        play.watching.until(
            lambda: play.watching.condition("vault").get("reason") == "HostUnreachable",
            "vault is told to be unreachable",
            2 * play.slot + 20,
        )
        assert play.watching.metric("reconciler_host_up", host="vault") == 0
        play.watching.until(lambda: not play.watching.is_ready("data"), "data is not ready", 30)
        after = snapshots(play.lab, "alpha", play.one)
        assert before.items() <= after.items(), "something went while vault was away"
    play.watching.until(lambda: play.watching.is_ready("vault"), "vault is back", PATIENCE)
    assert play.watching.metric("reconciler_host_up", host="vault") == 1


@contextmanager
def _sshd_killed(lab: Lab, name: str, seconds: int) -> Iterator[None]:
    """Kill the host's sshd with all its connections; it is started again after a while."""
    lab.machines[name].sh(
        "setsid sh -c 'sleep 1; for p in $(pidof sshd); do kill -9 $p; done;"
        f" sleep {seconds}; /usr/sbin/sshd -E /var/log/sshd.log' >/dev/null 2>&1 </dev/null &"
    )
    time.sleep(1.5)
    lab.machines[name].hang_up()
    try:
        yield
    finally:
        lab.machines[name].wait_until_it_answers(seconds + 60)


def machine_is_paused(play: Play) -> None:
    """A host that says nothing at all is noticed, and goes on where it was."""
    process = play.lab.processes["vault"]
    play.write()
    os.kill(process.pid, signal.SIGSTOP)
    try:
        play.watching.until(
            lambda: play.watching.condition("vault").get("reason") == "HostUnreachable",
            "vault is told to be unreachable",
            200,
        )
    finally:
        os.kill(process.pid, signal.SIGCONT)
    play.lab.machines["vault"].hang_up()
    play.lab.machines["vault"].wait_until_it_answers(60)
    play.lab.machines["vault"].set_clock()


def pool_is_full(play: Play) -> None:
    """A receiver without room is told of, and nothing is lost by it."""
    vault = play.lab.machines["vault"]
    free = int(vault.sh("zfs get -Hp -o value available backup").stdout)
    vault.sh(f"zfs create -o reservation={free - 2**20} backup/full")
    try:
        play.write(count=6000)
        play.watching.until(
            lambda: "space" in play.watching.condition("data").get("message", ""),
            "it is told that there is no room",
            PATIENCE,
        )
        assert not play.watching.is_ready("data")
    finally:
        vault.sh("zfs destroy backup/full")


def things_are_destroyed_and_renamed(play: Play) -> None:
    """Others destroy snapshots, bookmarks and holds, rename a filesystem, and leave snapshots."""
    alpha = play.lab.machines["alpha"]
    alpha.sh("zfs list -H -t bookmark -o name -r tank/data | tail -n1 | xargs -d '\\n' zfs destroy")
    oldest = next(iter(snapshots(play.lab, "alpha", play.one)))
    alpha.sh(f"zfs destroy {play.one}@{oldest}")
    play.renamed += 1
    old, new = play.one, f"tank/data/a{play.renamed}"
    alpha.sh(f"zfs rename '{old}' '{new}'")
    play.filesystems = (play.filesystems - {old}) | {new}
    play.watching.until(lambda: "source-renamed" in told(play), "the new name is told", PATIENCE)
    rename = f"zfs rename '{TARGET}/{old}' '{TARGET}/{new}'"
    # The last stream under the old name may just be ending.
    play.lab.machines["vault"].sh(
        f"for n in 1 2 3 4 5 6 7; do {rename} && exit; sleep 3; done; exit 1"
    )
    play.well("after things were destroyed and renamed")
    _diverge(play, f"{TARGET}/{new}")
    assert play.watching.condition("data", "Stalled")["reason"] == "Diverged"
    play.lab.machines["vault"].sh(f"zfs destroy '{TARGET}/{new}@manual'")


def told(play: Play) -> set[str]:
    """Return the conflicts that status tells of, by their codes."""
    return {conflict["code"] for conflict in play.watching.replication("data")["blocked"]}


def _diverge(play: Play, receiver: str) -> None:
    """Leave a foreign version on a receiver that is newer than all common ones.

    A receive that is under way when it is made ends after it: one that changed nothing is no
    obstacle to ZFS. Then it is older than the newest common version, and nothing has diverged.
    """
    vault = play.lab.machines["vault"]

    def overtaken() -> bool:
        return list(snapshots(play.lab, "vault", receiver))[-1] != "manual"

    for _ in range(4):
        vault.sh(f"zfs snapshot '{receiver}@manual'")
        play.write()
        play.watching.until(
            lambda: "diverged" in told(play) or overtaken(), "the conflict is told", PATIENCE
        )
        if "diverged" in told(play):
            return
        vault.sh(f"zfs destroy '{receiver}@manual'")
    raise AssertionError("each time a stream came in just after the foreign version")


def controller_is_killed(play: Play) -> None:
    """kill -9: the lock is free at once, and the next one goes on from what is there."""
    play.write(count=2000)
    time.sleep(play.slot / 2)
    play.watching.kill()
    play.watching.start()


def controller_is_stopped(play: Play) -> None:
    """SIGTERM: it ends within its grace, with exit code 0, and leaves nothing running."""
    play.write(count=4000)
    code, seconds = play.watching.stop()
    assert code == 0, play.watching.last_words()
    assert seconds < 30
    vault = play.lab.machines["vault"]
    play.watching.until(
        lambda: not vault.sh("pgrep -x zfs; pgrep -x zpool", check=False).stdout.strip(),
        "nothing of ours runs on vault any more",
        PATIENCE,
    )
    play.watching.start()


def people_suspend_and_resume(play: Play) -> None:
    """What is suspended stands still, and says so."""
    state = ("--state", str(play.watching.state))
    suspended = play.watching.controller.run("suspend", "data", *state, "--reason", "soak")
    assert suspended.code == 0, suspended.stderr
    play.watching.until(
        lambda: play.watching.condition("data").get("reason") == "Suspended", "it is told", PATIENCE
    )
    before = snapshots(play.lab, "alpha", play.one)
    time.sleep(play.slot * 1.5)
    assert snapshots(play.lab, "alpha", play.one) == before
    assert play.watching.controller.run("resume", "data", *state).code == 0
    asked = play.watching.controller.run("reconcile", "data", *state)
    assert asked.code == 0, asked.stderr


SCENES: tuple[Callable[[Play], None], ...] = (
    specs_change,
    specs_are_broken,
    sshd_is_away,
    pool_is_full,
    things_are_destroyed_and_renamed,
    people_suspend_and_resume,
    controller_is_killed,
    controller_is_stopped,
    machine_is_paused,
)


def perform(play: Play, scene: Callable[[Play], None]) -> str:
    """Perform a scene, see to it that all is well again, and return a line about it."""
    began = time.monotonic()
    before = play.common()
    scene(play)
    play.write()
    play.well(f"after {scene.__name__}", 240)
    after = play.common()
    lost = [f for f in before if f in after and not after[f]]
    assert not lost, f"{scene.__name__}: {lost} have nothing in common any more"
    panics = sum(
        play.watching.metric("reconciler_reconcile_panics_total", kind=kind)
        for kind in ("sender", "pair")
    )
    assert panics == 0, play.watching.last_words()
    took = time.monotonic() - began
    return f"{scene.__name__.replace('_', ' ')}: well after {took:.0f} s, {json.dumps(after)}"
