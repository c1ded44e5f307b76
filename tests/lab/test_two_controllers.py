"""Two controllers on the same hosts: they take turns, and the dead keep nobody waiting."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.controller import Controller, Run, host, replication, snapshots
from tests.lab.machines import Lab, Machine

CHANGING = "snapshot|destroy|bookmark|hold|release|create|receive"
LOG = "/root/changes"
WRAPPER = "/usr/local/sbin/zfs"
# Says on whose behalf ZFS is changed, by the lock that the command has inherited. What is begun is
# said before, and what has ended after, so that the log shows what ran at the same time.
SPY = rf"""#!/bin/sh
case $1 in
{CHANGING})
lock=$(readlink /proc/$$/fd/9)
echo "begin ${{lock:-none}}" >>{LOG}
/usr/sbin/zfs "$@"
status=$?
echo "end ${{lock:-none}}" >>{LOG}
exit $status
esac
exec /usr/sbin/zfs "$@"
"""

# A receive that is stopped itself ends: 2.1 takes any signal for a wish to be interrupted. So what
# it reads from is stopped.
STARVE_RECEIVE = """
until pgrep -f '^zfs receive' >/dev/null; do sleep 0.1; done
pkill -STOP -f '^sshd: zfs@'
pgrep -f '^zfs receive' >/dev/null
"""


class Two:
    """Two controllers with specs of their own."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.both: list[Controller] = []
        for name in ("one", "two"):
            (folder / name).mkdir()
            self.both.append(Controller(lab, folder / name))

    def apply_at_once(self) -> list[Run]:
        with ThreadPoolExecutor() as pool:
            return list(pool.map(Controller.apply, self.both))


@pytest.fixture
def two(clean_lab: Lab, tmp_path: Path) -> Two:
    return Two(clean_lab, tmp_path)


@contextmanager
def watched(machine: Machine) -> Iterator[None]:
    """Write down what changes something on a host."""
    machine.sh(f"rm -f {LOG}; cat >{WRAPPER}; chmod 755 {WRAPPER}", input=SPY.encode())
    try:
        yield
    finally:
        machine.sh(f"rm -f {WRAPPER}")


def turns(machine: Machine) -> list[str]:
    """Return whose changes came one after another; fail where two changed something at once."""
    running: dict[str, int] = {}
    found: list[str] = []
    for line in machine.sh(f"cat {LOG}").stdout.splitlines():
        word, lock = line.split()
        identity = lock.rpartition("/")[2].split(".")[1]
        running[identity] = running.get(identity, 0) + (1 if word == "begin" else -1)
        assert sum(count > 0 for count in running.values()) <= 1, line
        if not found or found[-1] != identity:
            found.append(identity)
    return found


def test_two_that_apply_at_once_never_change_a_host_together_and_both_get_done(two: Two) -> None:
    lab = two.lab
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    for number, controller in enumerate(two.both):
        alpha.sh(f"zfs create tank/data{number}")
        spec = replication(name=f"data{number}", filesystems=f'"tank/data{number}/**"')
        spec = spec.replace("backup/{host}", f"backup/by{number}").replace("rec-", f"rec{number}-")
        controller.specify(host("alpha") + host("vault") + spec)
    with watched(alpha), watched(vault):
        for run in two.apply_at_once():
            assert run.code in {0, 3}, run.stdout + run.stderr
            if run.code == 3:
                assert "another controller is at work there" in run.stdout
        for controller in two.both:
            controller.converge()
    for machine in (alpha, vault):
        assert len(set(turns(machine))) >= 2
    for number in (0, 1):
        there = snapshots(lab, "vault", f"backup/by{number}/tank/data{number}")
        assert there == snapshots(lab, "alpha", f"tank/data{number}")
        assert len(there) == 1


@pytest.mark.parametrize("user", ["root", "zfs"])
def test_while_something_of_a_dead_controller_still_runs_others_wait_for_its_end(
    two: Two, user: str
) -> None:
    lab, [_, controller] = two.lab, two.both
    vault = lab.machines["vault"]
    lab.machines["alpha"].sh("zfs create tank/data")
    vault.sh("zfs create backup/alpha")
    extra = "privilege: sudo" if user == "zfs" else ""
    hosts = host("alpha", user=user, extra=extra) + host("vault", user=user, extra=extra)
    controller.specify(hosts + replication())
    # What the other one left behind: a file, and a process that has inherited its lock.
    file = "/run/lock/reconciler-lock.dead.01234567"
    vault.sh(
        f"echo 'ada@ops, process 7' >{file};"
        f" (flock -s -n 9 && exec sleep 1000) 9<{file} >/dev/null 2>&1 & echo $! >/root/pid"
    )
    done = controller.apply()
    assert done.code == 3, done.stdout + done.stderr
    assert "another controller is at work there: ada@ops, process 7" in done.stdout
    assert snapshots(lab, "alpha", "tank/data")
    assert vault.sh("zfs list -H -o name -r backup").stdout == "backup\nbackup/alpha\n"

    vault.sh("kill -9 $(cat /root/pid)")
    controller.converge()
    # An ordinary user can't clear away what root has left, and need not.
    there = vault.sh(f"test -e {file}", check=False).returncode == 0
    assert there == (user == "zfs")
    vault.sh(f"rm -f {file}")


def test_a_controller_that_was_killed_in_the_middle_of_a_send_keeps_nobody_waiting_for_long(
    two: Two,
) -> None:
    lab, [killed, other] = two.lab, two.both
    lab.machines["alpha"].sh(
        "zfs create tank/data && head -c 40000000 /dev/urandom > /tank/data/big"
    )
    for controller in two.both:
        controller.specify(host("alpha") + host("vault") + replication())
    killed.kill_when(
        lambda events: any(e["type"] == "action_progress" and e["bytes"] > 0 for e in events)
    )
    done = other.apply()
    if done.code == 3:  # its receive was closing just then, or it was still locked for it
        done = other.apply()
    assert done.code == 0, done.stdout + done.stderr
    assert snapshots(lab, "vault", "backup/alpha/tank/data") == snapshots(lab, "alpha", "tank/data")


def test_a_receive_of_an_ordinary_user_is_locked_for_as_long_as_it_runs(two: Two) -> None:
    """Sudo closes for ZFS what it has inherited; the lock must not end with that."""
    lab, [controller, _] = two.lab, two.both
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    alpha.sh("zfs create tank/data && head -c 40000000 /dev/urandom > /tank/data/big")
    mine = host("alpha", user="zfs", extra="privilege: sudo")
    mine += host("vault", user="zfs", extra="privilege: sudo")
    controller.specify(mine + replication())
    held = "for file in /tmp/reconciler-lock.*; do flock -x -n $file true; echo $?; done"
    with ThreadPoolExecutor() as pool:
        running = pool.submit(controller.apply)
        try:
            vault.sh(STARVE_RECEIVE, timeout=200)
            assert vault.sh(held).stdout == "1\n"
        finally:
            vault.sh("pkill -CONT -f '^sshd: zfs@'", check=False)
        assert running.result().code == 0
    assert vault.sh(held).stdout == "0\n"
