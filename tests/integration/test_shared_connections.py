"""Streams that share a connection end as those with one of their own do, and leave it to others."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from reconciler.errors import HostError
from reconciler.hosts.addresses import SshAddress
from reconciler.hosts.cutting import Cut
from reconciler.hosts.locking import HostLock
from reconciler.hosts.masters import MOST_STREAMS, Masters, master
from reconciler.hosts.script import Outcome
from reconciler.hosts.streams import parted, relay
from reconciler.zfs.errors import Reaction, blame
from tests.integration.pair import ARRIVED, RECEIVE, SEND, Pair
from tests.integration.server import Sshd, alive, descendants, wait_until
from tests.integration.sharing import Sharing, is_master

WHOLE = Outcome(0, "6\n", "")


@pytest.fixture
def sharing(pair: Pair, tmp_path: Path) -> Iterator[Sharing]:
    made = Sharing(pair, tmp_path)
    yield made
    made.close()


def test_streams_one_after_the_other_and_at_once_log_in_once(sharing: Sharing) -> None:
    assert [sharing.run() for _ in range(2)] == [ARRIVED] * 2
    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(lambda _: sharing.run(), range(4)))
    assert outcomes == [ARRIVED] * 4
    assert sharing.logins() == [1, 1]


def test_statuses_and_what_was_said_come_back_from_both_ends(sharing: Sharing) -> None:
    send = ("sh", "-c", "echo 'cannot send' >&2; exit 3")
    receive = ("sh", "-c", "cat; echo out; echo 'cannot receive' >&2; exit 4")
    wanted = Outcome(4, "out\ncannot receive\n", "cannot send\n", first_status=3)
    assert sharing.run(send, receive) == wanted


def test_a_sender_whose_receiver_ends_ends_too(sharing: Sharing) -> None:
    receive = ("sh", "-c", "head -c 1000 >/dev/null; echo full >&2; exit 1")
    outcome = sharing.run(("cat", "/dev/zero"), receive)
    assert (outcome.status, outcome.stdout) == (1, "full\n")
    assert outcome.first_status != 0


@pytest.mark.parametrize("shares", [pytest.param(True, id="shared"), pytest.param(False, id="own")])
@pytest.mark.parametrize(
    ("send", "receive", "noticing"),
    [
        pytest.param("cat /dev/zero", "cat >/dev/null", {0, 1}, id="it flows"),
        pytest.param("cat /dev/zero", "sh -c 'kill -STOP $$'", {0}, id="the sender is blocked"),
        pytest.param("sleep 1000", "cat >/dev/null", {1}, id="the receiver waits"),
    ],
)
def test_a_stream_that_is_cut_ends_on_both_hosts_and_leaves_the_connection_to_others(  # noqa: PLR0917
    sharing: Sharing,
    tmp_path: Path,
    send: str,
    receive: str,
    noticing: set[int],
    shares: bool,  # noqa: FBT001
) -> None:
    """A command that neither reads nor writes notices nothing, over whatever connection."""
    go_on, cut = tmp_path / "go_on", Cut()
    waits = (
        f"sh -c 'for n in $(seq 1200); do [ -e {go_on} ] && break; sleep 0.05; done; echo whole'"
    )
    other = sharing.begun("other", waits, "wc -c")
    sharing.shares = shares
    stream = sharing.begun("cut", send, receive, cut=cut)
    sharing.shares = True
    masters = sharing.masters()

    cut.make()
    with pytest.raises(HostError):
        stream.outcome.result(50)
    wait_until(lambda: not any(stream.is_running()[end] for end in noticing))
    assert stream.is_running() == [end not in noticing for end in (0, 1)]
    assert sharing.masters() == masters
    assert other.is_running() == [True, True]
    for end in {0, 1} - noticing:
        os.kill(stream.commands[end], 9)

    go_on.touch()
    assert other.outcome.result(50) == WHOLE
    assert sharing.run() == ARRIVED
    assert sharing.logins() == ([1, 1] if shares else [2, 2])


def test_a_stream_that_is_cut_gives_the_receivers_lock_back(
    sharing: Sharing, tmp_path: Path
) -> None:
    folder = tmp_path / "locks"
    folder.mkdir()
    folder.chmod(0o1777)
    ada, bob = (HostLock(name, name, "receiver", (str(folder),)) for name in ("ada", "bob"))
    cut = Cut()
    stream = sharing.begun("cut", "cat /dev/zero", "cat >/dev/null", cut=cut, lock=ada)
    assert "reconciler-lock: busy ada" in sharing.run(lock=bob).stdout

    cut.make()
    with pytest.raises(HostError):
        stream.outcome.result(50)
    wait_until(lambda: sharing.run(lock=bob) == ARRIVED)


@pytest.mark.parametrize("end", [0, 1])
def test_a_master_that_dies_fails_its_streams_as_a_broken_line_does_and_is_followed_by_another(
    sharing: Sharing, end: int
) -> None:
    stream = sharing.begun("cut", "cat /dev/zero", "cat >/dev/null")
    port = str(sharing.ends[end].port).encode()
    [ending] = [
        pid
        for pid in sharing.masters()
        if port in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    ]

    os.kill(ending, 9)
    outcome = stream.outcome.result(50)
    failure = blame((outcome.first_status, outcome.stderr), (outcome.status, outcome.stdout))
    assert (outcome.first_status if end == 0 else outcome.status) == 255
    assert failure.reaction is Reaction.RETRY
    assert outcome.stderr == ""
    wait_until(lambda: not any(stream.is_running()))
    # Until it is known a stream that begins has a connection of its own, and for a while the next.
    wait_until(lambda: sharing.is_known_to_be_over(end))
    assert sharing.run() == ARRIVED
    assert len(sharing.masters()) == 2


# -- where nothing can be shared -------------------------------------------------------------------


def test_a_connection_without_a_session_left_is_not_shared(sharing: Sharing) -> None:
    for server in sharing.pair.servers:
        server.start("MaxSessions 1")
    first = sharing.begun("first", "sleep 1000", "cat >/dev/null")
    assert sharing.run() == ARRIVED
    assert sharing.logins() == [2, 2]
    assert first.is_running() == [True, True]


def test_a_socket_that_nobody_listens_to_is_none(pair: Pair) -> None:
    address = pair.receiver.address
    assert isinstance(address, SshAddress)
    with tempfile.TemporaryDirectory() as folder:
        dead = Path(folder) / "s"
        with socket.socket(socket.AF_UNIX) as once:
            once.bind(str(dead))
        masters = {address: dead}
        step = relay(pair.here, pair.receiver, SEND, RECEIVE, pair.options, masters=masters)
        said = pair.run("", step)
    assert "Connection refused" in said.stdout
    assert parted(said)[0] == ARRIVED


def test_what_ssh_said_of_a_master_does_not_hide_why_the_stream_failed(pair: Pair) -> None:
    address = pair.receiver.address
    assert isinstance(address, SshAddress)
    pair.servers[1].start("MaxSessions 0")
    with pair.fleet.masters.lent([address]) as masters:
        step = relay(pair.here, pair.receiver, SEND, RECEIVE, pair.options, masters=masters)
        said = pair.run("", step)
    assert "mux_client" in said.stdout
    own = pair.run("", relay(pair.here, pair.receiver, SEND, RECEIVE, pair.options))
    assert parted(said)[0] == own


def test_a_host_that_does_not_let_us_in_is_left_to_the_streams_own_words(pair: Pair) -> None:
    address = pair.receiver.address
    assert isinstance(address, SshAddress)
    pair.servers[1].allow(pair.servers[1])
    for _ in range(2):
        with pair.fleet.masters.lent([address]) as masters:
            assert masters == {}
    log = (pair.servers[1].folder / "sshd.log").read_text()
    assert log.count("Connection closed by authenticating user") == 1


def test_a_master_accepts_no_other_key_than_a_stream(pair: Pair) -> None:
    sender, receiver = pair.servers
    for pinned in (True, False):
        key = sender.public_key if pinned else None
        with pair.fleet.masters.lent([receiver.address(host_key=key)]) as masters:
            assert masters == {}


def test_a_place_on_a_connection_is_for_so_many_streams(pair: Pair) -> None:
    address = pair.receiver.address
    assert isinstance(address, SshAddress)
    enough = threading.Barrier(MOST_STREAMS)

    def one(_: int) -> Outcome:
        with pair.fleet.masters.lent([address]) as masters:
            enough.wait(50)
            step = relay(pair.here, pair.receiver, SEND, RECEIVE, pair.options, masters=masters)
            return pair.run("", step)

    with ThreadPoolExecutor(MOST_STREAMS) as threads:
        # What sshd has no session for would be told here.
        assert list(threads.map(one, range(MOST_STREAMS))) == [ARRIVED] * MOST_STREAMS


# -- whose end is whose ----------------------------------------------------------------------------


def test_what_is_closed_or_unused_leaves_neither_processes_nor_files(sharing: Sharing) -> None:
    fleet = sharing.pair.fleet
    with fleet.masters.lent(sharing.ends) as masters:
        folders = [path.parent for path in masters.values()]
        assert [oct(folder.stat().st_mode & 0o777) for folder in folders] == ["0o700"] * 2
        pids = sharing.masters()
        assert len(pids) == 2
    fleet.close()
    wait_until(lambda: not any(map(alive, pids)))
    wait_until(lambda: not any(folder.exists() for folder in folders))
    assert sharing.run() == ARRIVED


CONTROLLER = """
import sys, threading
from pathlib import Path
from reconciler.hosts.addresses import HostAddress, SshAddress, SshOptions
from reconciler.hosts.fleet import Fleet
from reconciler.hosts.script import Script, Step
from reconciler.hosts.streams import relay

config, pids, sockets, *ports = sys.argv[1:]
sender, receiver = (
    HostAddress(f"web{port}", SshAddress("127.0.0.1", port=int(port))) for port in ports
)
receive = ("sh", "-c", f"echo $$ >>{pids}; exec cat >/dev/null")
options = SshOptions(Path(config))
with Fleet({}, options) as fleet, fleet.masters.lent([sender.address, receiver.address]) as masters:
    Path(sockets).write_text("\\n".join(map(str, masters.values())))

    def stream(send):
        send = ("sh", "-c", f"echo $$ >>{pids}; exec {send}")
        step = relay(sender, receiver, send, receive, options, masters=masters)
        fleet.controller().run(Script((step,)), timeout=600)

    threading.Thread(target=stream, args=["cat /dev/zero"], daemon=True).start()
    stream("sh -c 'while echo x; do sleep 0.1; done'")
"""


def test_a_killed_controller_leaves_neither_commands_nor_masters_nor_sockets_behind(
    sshd: Sshd, second_sshd: Sshd, tmp_path: Path
) -> None:
    second_sshd.allow(sshd)
    sshd.learn(second_sshd)
    files = tmp_path / "pids", tmp_path / "sockets"
    ports = (str(sshd.port), str(second_sshd.port))
    argv = [sys.executable, "-c", CONTROLLER, str(sshd.folder / "ssh_config"), *map(str, files)]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    controller = subprocess.Popen([*argv, *ports], env=environment)
    try:
        wait_until(lambda: files[0].exists() and len(files[0].read_text().split()) == 4)
        sockets = [Path(line) for line in files[1].read_text().splitlines()]
        masters = [pid for pid in descendants(controller.pid) if is_master(pid)]
        assert (len(sockets), len(masters)) == (2, 2)
        commands = [int(pid) for pid in files[0].read_text().split()]
        assert all(map(alive, commands))
    finally:
        controller.kill()
        controller.wait()
    wait_until(lambda: not any(map(alive, [*commands, *masters])))
    wait_until(lambda: not any(path.parent.exists() for path in sockets))


def test_a_master_that_nothing_uses_ends(pair: Pair) -> None:
    address = pair.receiver.address
    assert isinstance(address, SshAddress)
    start = partial(master, pair.fleet.controller(), options=pair.options)
    masters = Masters(start, timer=lambda _seconds, act: threading.Timer(0.0, act))
    with masters.lent([address]) as lent:
        path = lent[address]
        assert path.exists()
    wait_until(lambda: not path.parent.exists())
