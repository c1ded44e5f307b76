"""Whom a connection is lent to, for how long, and when there is none to be had."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from reconciler.hosts import masters as masters_
from reconciler.hosts.addresses import HostAddress, LocalAddress, SshAddress, SshOptions
from reconciler.hosts.local import LocalHost
from reconciler.hosts.masters import (
    HOLD_OFF,
    IDLE,
    LARGEST,
    MOST_MASTERS,
    MOST_STREAMS,
    Masters,
    is_worth_sharing,
    master,
)

WEB, VAULT = SshAddress("web"), SshAddress("vault")


def wait_until(condition: Callable[[], bool], seconds: float = 45) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class FakeMaster:
    """A master that goes up and ends as it is told."""

    def __init__(self, address: SshAddress, number: int, *, goes_up: bool) -> None:
        self.socket = Path(f"/{address.address}.{number}")
        self.goes_up = goes_up
        self.has_ended = False

    def is_up(self) -> bool:
        return self.goes_up

    def is_over(self) -> bool:
        return self.has_ended

    def end(self) -> None:
        self.has_ended = True


class Machine:
    """What starts masters, and when; and what is to be done later."""

    def __init__(self) -> None:
        self.started: list[FakeMaster] = []
        self.goes_up = True
        self.now = 1000.0
        self.later: list[Timer] = []

    def start(self, address: SshAddress) -> FakeMaster:
        self.started.append(FakeMaster(address, len(self.started), goes_up=self.goes_up))
        return self.started[-1]

    def masters(self) -> Masters:
        return Masters(
            self.start,
            clock=lambda: self.now,
            timer=lambda seconds, act: Timer(self, seconds, act),
        )

    def wait(self) -> None:
        """Let the time of all that waits be up."""
        waiting, self.later = self.later, []
        for timer in waiting:
            if not timer.is_cancelled:
                timer.act()


class Timer(threading.Timer):
    """Acts when its machine says so."""

    def __init__(self, machine: Machine, seconds: float, act: Callable[[], None]) -> None:
        super().__init__(seconds, act)
        assert seconds == IDLE
        self.act = act
        self.is_cancelled = False
        self._machine = machine

    def start(self) -> None:
        assert self.daemon, "the process would wait for it"
        self._machine.later.append(self)

    def cancel(self) -> None:
        self.is_cancelled = True


def sockets(masters: Masters, *addresses: SshAddress) -> list[str]:
    """Take connections and give them back."""
    with masters.lent(addresses) as lent:
        return [str(path) for path in lent.values()]


@pytest.mark.parametrize(
    ("estimate", "is_worth"),
    [(0, True), (LARGEST, True), (LARGEST + 1, False), (None, False)],
)
def test_only_streams_known_to_be_small_share(estimate: int | None, *, is_worth: bool) -> None:
    assert is_worth_sharing(estimate) is is_worth


def test_streams_to_one_host_have_one_connection_at_once_and_one_after_the_other() -> None:
    masters = Machine().masters()
    with masters.lent([WEB, VAULT]) as first, masters.lent([WEB]) as second:
        assert {address.address: str(path) for address, path in first.items()} == {
            "web": "/web.0",
            "vault": "/vault.1",
        }
        assert list(second.values()) == [Path("/web.0")]
    assert sockets(masters, WEB) == ["/web.0"]


def test_another_way_into_a_host_is_another_connection() -> None:
    masters = Machine().masters()
    pinned = SshAddress("web", host_key="ssh-ed25519 AAAA")
    assert sockets(masters, WEB) != sockets(masters, pinned)


def test_a_stream_between_two_names_of_one_address_has_one_place() -> None:
    machine = Machine()
    assert sockets(machine.masters(), WEB, WEB) == ["/web.0"]


def test_a_connection_that_has_ended_is_followed_by_another() -> None:
    machine = Machine()
    masters = machine.masters()
    with masters.lent([WEB]):
        machine.started[0].end()
        assert sockets(masters, WEB) == ["/web.1"]
    # The end of a stream over the one that is over says nothing of the new one.
    assert sockets(masters, WEB) == ["/web.1"]


def test_a_connection_is_for_so_many_streams_at_once() -> None:
    masters = Machine().masters()
    with ExitStack() as streams:
        for _ in range(MOST_STREAMS):
            assert streams.enter_context(masters.lent([WEB])) != {}
        assert sockets(masters, WEB) == []
    assert sockets(masters, WEB) == ["/web.0"]


def test_a_host_that_could_not_be_entered_is_not_tried_again_for_a_while() -> None:
    machine = Machine()
    masters = machine.masters()
    machine.goes_up = False
    assert sockets(masters, WEB, VAULT) == []
    machine.goes_up = True
    machine.now += HOLD_OFF - 1
    assert sockets(masters, WEB) == []
    assert [one.has_ended for one in machine.started] == [True, True]
    machine.now += 1
    assert sockets(masters, WEB) == ["/web.2"]


def test_what_nothing_uses_is_ended_and_what_something_uses_is_not() -> None:
    machine = Machine()
    masters = machine.masters()
    with masters.lent([WEB]):
        sockets(masters, WEB, VAULT)
        machine.wait()
        assert [one.has_ended for one in machine.started] == [False, True]
    machine.wait()
    assert machine.started[0].has_ended
    assert sockets(masters, WEB) == ["/web.2"]


def test_what_is_taken_again_begins_to_wait_anew() -> None:
    machine = Machine()
    masters = machine.masters()
    for _ in range(3):
        sockets(masters, WEB)
    assert [timer.is_cancelled for timer in machine.later] == [True, True, False]


def test_what_is_taken_as_its_time_is_up_is_not_ended() -> None:
    machine = Machine()
    masters = machine.masters()
    sockets(masters, WEB)
    [timer] = machine.later
    with masters.lent([WEB]):
        timer.act()
        assert not machine.started[0].has_ended
        assert sockets(masters, WEB) == ["/web.0"]


def test_of_too_many_the_longest_unused_is_ended() -> None:
    machine = Machine()
    masters = machine.masters()
    addresses = [SshAddress(f"host{n}") for n in range(MOST_MASTERS + 1)]
    with masters.lent(addresses[:1]):
        for address in addresses[1:]:
            sockets(masters, address)
        assert [one.has_ended for one in machine.started[:3]] == [False, True, False]
        assert sum(not one.has_ended for one in machine.started) == MOST_MASTERS


def test_where_all_of_too_many_are_used_there_is_no_more() -> None:
    machine = Machine()
    masters = machine.masters()
    with masters.lent([SshAddress(f"host{n}") for n in range(MOST_MASTERS)]):
        assert sockets(masters, WEB) == []
    assert sockets(masters, WEB) != []


def test_all_are_ended_when_it_is_closed_and_made_anew_when_they_are_wanted() -> None:
    machine = Machine()
    masters = machine.masters()
    with masters.lent([WEB]):
        masters.close()
        assert machine.started[0].has_ended
    assert sockets(masters, WEB) == ["/web.1"]


# -- the processes ---------------------------------------------------------------------------------

HERE = LocalHost(HostAddress("here", LocalAddress()))


def started(folder: Path, monkeypatch: pytest.MonkeyPatch) -> masters_.SshMaster | None:
    """Start a master whose socket is below a folder."""
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return master(HERE, WEB, SshOptions(folder / "no such ssh_config"))


def test_a_master_that_does_not_get_in_is_no_connection_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masters_, "can_be_socket", lambda _: True)
    one = started(tmp_path, monkeypatch)
    assert one is not None
    assert not one.is_up()
    assert one.is_over()
    wait_until(lambda: not list(tmp_path.iterdir()))


def test_where_no_socket_can_be_there_is_no_master(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = tmp_path / ("x" * 100)
    far.mkdir()
    assert started(far, monkeypatch) is None
    assert list(far.iterdir()) == []
    assert started(tmp_path / "missing", monkeypatch) is None
