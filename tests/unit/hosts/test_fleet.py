"""Hosts are made once, and only as much of ssh is loaded as is needed."""

import subprocess
import sys

import pytest

from reconciler.hosts.addresses import HostAddress, LocalAddress, SshAddress
from reconciler.hosts.fleet import Fleet
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
