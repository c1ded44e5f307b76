"""Hosts are made once, and only as much of ssh is loaded as is needed."""

import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.controller.fleets import Fleets
from reconciler.hosts.addresses import HostAddress, LocalAddress, SshAddress
from reconciler.hosts.fleet import Fleet
from reconciler.hosts.masters import Masters
from reconciler.hosts.script import Script, Step

ADDRESSES = {
    "here": HostAddress("here", LocalAddress()),
    "web": HostAddress("web", SshAddress("web.invalid")),
}


def test_a_host_is_made_once() -> None:
    with Fleet(ADDRESSES) as fleet:
        assert fleet.host("here") is fleet.host("here")
        assert (fleet.host("here").name, fleet.host("web").name) == ("here", "web")
        assert fleet.host("web") is fleet.host("web")


def test_an_unknown_host_is_a_mistake() -> None:
    with Fleet(ADDRESSES) as fleet, pytest.raises(KeyError):
        fleet.host("nobody")


def test_the_controller_runs_scripts() -> None:
    outcome = Fleet({}).controller().run(Script((Step("a", ("echo", "x")),)), timeout=10).get("a")
    assert outcome is not None
    assert outcome.stdout == "x\n"


def test_fabric_is_imported_only_for_hosts_that_need_it() -> None:
    code = (
        "import sys; from reconciler.hosts.fleet import *;"
        "from reconciler.hosts.addresses import *; import reconciler.hosts.streams;"
        "Fleet({'h': HostAddress('h', LocalAddress())}).host('h');"
        "sys.exit('fabric' in sys.modules or 'paramiko' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


class FakeMaster:
    """A shared connection that is up until it is ended."""

    def __init__(self, address: SshAddress) -> None:
        self.socket = Path("/run") / address.address
        self.has_ended = False

    def is_up(self) -> bool:
        return True

    def is_over(self) -> bool:
        return self.has_ended

    def end(self) -> None:
        self.has_ended = True


def sharing(fleet: Fleet) -> FakeMaster:
    """Let a fleet have a shared connection, and return that."""
    started: list[FakeMaster] = []

    def start(address: SshAddress) -> FakeMaster:
        started.append(FakeMaster(address))
        return started[-1]

    fleet.masters = Masters(start)
    with fleet.masters.lent([SshAddress("web.invalid")]):
        return started[0]


def test_a_fleet_that_is_closed_ends_the_connections_its_streams_shared() -> None:
    with Fleet(ADDRESSES) as fleet:
        master = sharing(fleet)
        assert not master.has_ended
    assert master.has_ended


def test_a_fleet_of_former_specs_ends_them_when_nothing_uses_it_any_more() -> None:
    fleets = Fleets(Fleet)
    master = sharing(fleets.move_to(ADDRESSES))
    before = fleets.current
    fleets.move_to({"here": ADDRESSES["here"]})
    fleets.tidy(lambda fleet: fleet is before)
    assert not master.has_ended
    fleets.tidy(lambda _: False)
    assert master.has_ended
