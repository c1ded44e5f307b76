"""Changes on real hosts become known: which, how soon, and what is noticed when none can be."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import pytest

from reconciler.controller.hearing import HostHearing
from reconciler.controller.listening import Delays
from reconciler.hosts.addresses import HostAddress, Privilege, SshAddress, SshOptions
from reconciler.hosts.ssh import SshHost
from reconciler.report.telemetry import Silent, Telemetry
from tests.lab.machines import Lab, Machine

SECONDS = 60.0
"""Enough for a host that is emulated on a busy machine; it is a second or two."""

LAB = Delays(settle=5.0, mute=30.0, longest=20.0, most=2.0)
"""`zpool events` takes its time there to tell what was before; else that would count as news."""


@dataclass
class Heard:
    """What one hearing told, and when."""

    told: list[object] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    telemetry: Telemetry = field(default_factory=Silent)

    polls: int = 0
    """Changes that may be of anything, one after the other."""

    def change(self, host: str, filesystems: frozenset[str] | None) -> None:
        assert host == "alpha"
        self.polls = self.polls + 1 if filesystems is None else 0
        # A slow host takes more than one burst to announce one change: it means the same.
        if not self.told or self.told[-1] != filesystems:
            self.told.append(filesystems)

    def state(self, host: str, is_open: object) -> None:
        assert host == "alpha"
        self.polls = 0
        self.told.append("open" if is_open else "shut")

    def wait_for(self, *told: object) -> None:
        wait_until(lambda: self.told == list(told), lambda: self.told)


def wait_until(condition: Callable[[], bool], shown: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, shown()
        time.sleep(0.05)


class Hear:
    """Begins to hear of alpha as one of its users; ends with the test."""

    def __init__(self, lab: Lab, ending: ExitStack) -> None:
        self._lab = lab
        self._ending = ending

    def __call__(
        self, user: str, privilege: Privilege = Privilege.NONE, delays: Delays = LAB
    ) -> Heard:
        heard = Heard()
        address = HostAddress("alpha", SshAddress("alpha", user=user), privilege)
        host = SshHost(address, SshOptions(config_file=self._lab.ssh_config))
        self._ending.callback(host.close)
        hearing = HostHearing(
            host,
            ("tank",),
            heard.change,
            heard.state,
            heard.telemetry,
            note=heard.notes.append,
            delays=delays,
        )
        self._ending.callback(hearing.close)
        hearing.start()
        return heard


@pytest.fixture
def hear(clean_lab: Lab) -> Iterator[Hear]:
    with ExitStack() as ending:
        yield Hear(clean_lab, ending)


@pytest.fixture
def alpha(clean_lab: Lab) -> Machine:
    machine = clean_lab.machines["alpha"]
    machine.sh("zfs create tank/a; zfs create tank/b; zfs create 'tank/two words'")
    # What the kernel keeps of the tests before takes an emulated host a minute to print with sudo.
    machine.sh("zpool events -c; zfs snapshot tank@before")
    return machine


def followers(machine: Machine) -> list[str]:
    """Return the users whose `zpool events` run on a host."""
    shown = machine.sh("ps -e -o user=,args= | grep 'zpool [e]vents'", check=False)
    return [line.split()[0] for line in shown.stdout.splitlines()]


@contextmanager
def stopped(lab: Lab, name: str) -> Iterator[None]:
    """Stop a host's virtual machine: it answers nothing, while TCP to it still works."""
    pid = lab.processes[name].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("user", ["root", "zfs"])
def test_a_change_is_known_within_seconds_with_its_filesystem(
    hear: Hear, alpha: Machine, user: str
) -> None:
    heard = hear(user, Privilege.NONE if user == "root" else Privilege.SUDO)
    told: list[object] = ["open", None]
    heard.wait_for(*told)
    for command, filesystems in (
        ("zfs snapshot tank/a@one tank/b@one", {"tank/a", "tank/b"}),
        ("zfs hold keep tank/a@one", {"tank/a"}),
        ("zfs destroy tank/b@one", {"tank/b"}),
        ("zfs bookmark tank/a@one tank/a#one", {"tank/a"}),
        ("zfs snapshot 'tank/two words@a b'", {"tank/two words"}),
        ("zfs send tank/a@one | zfs receive -s -u tank/b/r", {"tank/b/r"}),
        ("zfs set readonly=on tank/b", None),
    ):
        alpha.sh(command)
        began = time.monotonic()
        told.append(filesystems)
        heard.wait_for(*told)
        print(f"{command}: known {time.monotonic() - began:.1f} s after it was done")


@pytest.mark.parametrize("user", ["root", "zfs"])
def test_one_command_runs_on_the_host_and_none_is_left_behind(
    clean_lab: Lab, alpha: Machine, user: str
) -> None:
    with ExitStack() as ending:
        privilege = Privilege.NONE if user == "root" else Privilege.SUDO
        heard = Hear(clean_lab, ending)(user, privilege)
        heard.wait_for("open", None)
        # sudo waits for what it runs, once or twice.
        assert 1 <= len(followers(alpha)) <= (1 if user == "root" else 3)
    wait_until(lambda: followers(alpha) == [], lambda: followers(alpha))


def test_what_is_not_root_is_polled(hear: Hear, alpha: Machine) -> None:
    heard = hear("zfs", delays=Delays(poll=1.0))
    wait_until(lambda: heard.polls == 3, lambda: heard.told)
    assert "cannot get event: permission denied" in heard.notes[0]
    assert followers(alpha) == []


def test_a_server_that_is_killed_is_noticed_and_heard_of_again(hear: Hear, alpha: Machine) -> None:
    heard = hear("root")
    heard.wait_for("open", None)
    # The one process of sshd that the command's own sshd is: not those of our other connections.
    alpha.sh(
        "kill -9 $(ps -e -o pid=,ppid=,args= | awk '/zpool [e]vents/ { print $2 }' | head -n 1)"
    )
    heard.wait_for("open", None, "shut", "open", None)
    alpha.sh("zfs snapshot tank/a@one")
    heard.wait_for("open", None, "shut", "open", None, {"tank/a"})
    wait_until(lambda: len(followers(alpha)) == 1, lambda: followers(alpha))


def test_a_machine_that_stands_still_is_noticed_within_a_minute(
    hear: Hear, clean_lab: Lab, alpha: Machine
) -> None:
    heard = hear("root")
    heard.wait_for("open", None)
    with stopped(clean_lab, "alpha"):
        began = time.monotonic()
        wait_until(lambda: "shut" in heard.told, lambda: heard.told)
        print(f"noticed after {time.monotonic() - began:.1f} s")
    heard.wait_for("open", None, "shut", "open", None)
    alpha.sh("zfs snapshot tank/a@one")
    heard.wait_for("open", None, "shut", "open", None, {"tank/a"})


def test_a_cable_that_is_pulled_is_noticed_within_a_minute(
    hear: Hear, clean_lab: Lab, alpha: Machine
) -> None:
    heard = hear("root")
    heard.wait_for("open", None)
    clean_lab.disconnect("alpha")
    began = time.monotonic()
    wait_until(lambda: "shut" in heard.told, lambda: heard.told)
    print(f"noticed after {time.monotonic() - began:.1f} s")
    clean_lab.reconnect("alpha")
    heard.wait_for("open", None, "shut", "open", None)
    wait_until(lambda: len(followers(alpha)) == 1, lambda: followers(alpha))
