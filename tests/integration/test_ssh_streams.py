"""Streams between real sshd: the bytes arrive, failures are told, keys are verified."""

import os
import time
from pathlib import Path

import pytest

from reconciler.hosts.addresses import HostAddress, PeerAddress, Privilege
from reconciler.hosts.script import Outcome
from reconciler.hosts.streams import direct, local_pipe, parted
from tests.integration.pair import ARRIVED, RECEIVE, SEND, SIZE, Pair
from tests.integration.server import public

LOOK = ("sh", "-c", "printf 'b@1\\t7\\n'; echo no such thing >&2; exit 1")


@pytest.fixture(params=[False, True], ids=["own", "shared"])
def either(pair: Pair, request: pytest.FixtureRequest) -> Pair:
    """The pair, whose streams through the controller share connections, or do not."""
    pair.shares = request.param
    return pair


@pytest.mark.parametrize("status", [0, 7])
def test_a_look_comes_back_with_a_stream_however_that_ended(either: Pair, status: int) -> None:
    receive = ("sh", "-c", f"wc -c; exit {status}")
    relayed = either.relay(either.sender, either.receiver, SEND, receive, LOOK)
    outcome, look = parted(relayed)
    assert (outcome.status, outcome.stdout) == (status, f"{SIZE}\n")
    assert look == Outcome(1, "b@1\t7\n", "no such thing\n")


def test_on_one_host(pair: Pair) -> None:
    assert pair.run("sender", local_pipe(SEND, RECEIVE)) == ARRIVED


class TestRelay:
    def test_from_host_to_host(self, either: Pair) -> None:
        began = time.monotonic()
        assert either.relay(either.sender, either.receiver) == ARRIVED
        print(f"{SIZE >> 20} MiB relayed in {time.monotonic() - began:.2f} s")

    def test_the_controller_may_be_an_end(self, either: Pair) -> None:
        assert either.relay(either.here, either.receiver) == ARRIVED
        assert either.relay(either.sender, either.here) == ARRIVED

    def test_through_a_jump_host(self, either: Pair) -> None:
        _, jump = either.servers
        far = HostAddress("far", either.servers[0].address(jump=f"127.0.0.1:{jump.port}"))
        assert either.relay(far, either.receiver).first_status != 0
        either.servers[0].learn(jump)
        assert either.relay(far, either.receiver) == ARRIVED

    @pytest.mark.parametrize("pinned", [True, False])
    def test_an_unverified_key_ends_it(self, either: Pair, *, pinned: bool) -> None:
        sender, receiver = either.servers
        key = public(sender.client_key) if pinned else None
        stranger = HostAddress("receiver", receiver.address(host_key=key))
        outcome = either.relay(either.sender, stranger)
        assert outcome.status == 255
        assert "Host key verification failed" in outcome.stdout
        outcome = either.relay(stranger, either.here)
        assert (outcome.first_status, outcome.stdout) == (255, "0\nreceived\n")
        assert "Host key verification failed" in outcome.stderr

    def test_statuses_come_from_both_ends(self, either: Pair) -> None:
        send, receive = ("sh", "-c", "exit 3"), ("sh", "-c", "cat; exit 4")
        outcome = either.relay(either.sender, either.receiver, send, receive)
        assert (outcome.first_status, outcome.status) == (3, 4)

    def test_privileges_are_those_of_the_ends(self, either: Pair, tmp_path: Path) -> None:
        for name in ("sudo", "doas"):
            (tmp_path / name).write_text(f'#!/bin/sh\necho "{name} $*"\ncat\n')
            (tmp_path / name).chmod(0o755)
        for server in either.servers:
            server.start(PATH=f"{tmp_path}:{os.environ['PATH']}")
        sender = HostAddress("s", either.sender.address, Privilege.SUDO)
        receiver = HostAddress("r", either.receiver.address, Privilege.DOAS)
        send, receive = ("zfs", "send", "tank/a b@x"), ("zfs", "receive", "-o", "a=it's $x!", "c")
        outcome = either.relay(sender, receiver, send, receive)
        wanted = "doas -n zfs receive -o a=it's $x! c\nsudo -n zfs send tank/a b@x\n"
        assert outcome == Outcome(0, wanted, "")


@pytest.mark.usefixtures("agent")
class TestDirect:
    def test_the_sender_pushes(self, pair: Pair) -> None:
        assert pair.reaches(pair.receiver)
        assert pair.run("sender", direct(pair.receiver, SEND, RECEIVE)) == ARRIVED

    def test_the_peer_address_is_the_one_that_counts(self, pair: Pair) -> None:
        peer = PeerAddress("127.0.0.1", port=pair.servers[1].port)
        key = pair.servers[1].public_key
        there = pair.servers[1].address(address="web.invalid", host_key=key)
        assert not pair.reaches(HostAddress("receiver", there))
        receiver = HostAddress("receiver", there, peer_address=peer)
        assert pair.reaches(receiver)
        assert pair.run("sender", direct(receiver, SEND, RECEIVE)) == ARRIVED

    def test_an_unverified_key_is_no_way(self, pair: Pair) -> None:
        other = pair.servers[1].address(host_key=public(pair.servers[0].client_key))
        assert not pair.reaches(HostAddress("receiver", other))

    def test_a_closed_port_is_no_way(self, pair: Pair) -> None:
        pair.servers[1].stop()
        assert not pair.reaches(pair.receiver)

    def test_when_the_receiver_dies_the_sender_ends(self, pair: Pair) -> None:
        receive = ("sh", "-c", "head -c 1000 >/dev/null; kill -9 $PPID; exit 1")
        send = ("cat", "/dev/zero")
        outcome = pair.run("sender", direct(pair.receiver, send, receive))
        assert outcome.first_status == -13
        assert outcome.status != 0
