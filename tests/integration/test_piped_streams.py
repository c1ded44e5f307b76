"""Streams through real sshd that pass real zstd, mbuffer and pv: whole, slow enough, and honest."""

import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from reconciler.actions import Failed, Send, SendMode
from reconciler.errors import HostError
from reconciler.executor.transfer import Transfer
from reconciler.hosts.addresses import HostAddress, SshAddress
from reconciler.hosts.cutting import Cut
from reconciler.hosts.script import Outcome, Script, Step
from reconciler.hosts.streams import direct, local_pipe, relay
from reconciler.observed.probe import PROGRAMS, probe
from reconciler.zfs.capabilities import StreamFlags
from reconciler.zfs.errors import FailureKind, Reaction
from reconciler.zfs.piping import NOTHING, Piping, Wanted, piping
from reconciler.zfs.piping import PROGRAMS as ALL
from reconciler.zfs.types import FilesystemKind, Version, VersionKind
from tests.integration.pair import Pair
from tests.integration.server import wait_until
from tests.support.tokens import token

MIB = 1 << 20
WAYS = ("direct", "relay", "local", "from here", "to here")

pytestmark = [
    pytest.mark.usefixtures("agent"),
    pytest.mark.skipif(
        any(shutil.which(program) is None for program in ALL), reason=f"not all of {ALL} are there"
    ),
]


def asked(wanted: Wanted, *, one_host: bool = False, without: tuple[str, ...] = ()) -> Piping:
    """Return what streams pass where these programs are missing."""
    there = set(ALL) - set(without)
    return piping(wanted, there, there, one_host=one_host)


def step(pair: Pair, way: str, send: str, receive: str, pipes: Piping) -> tuple[str, Step]:
    """Return where a stream of two shell commands is run, and how."""
    commands = ("sh", "-c", send), ("sh", "-c", receive)
    sender = pair.here if way == "from here" else pair.sender
    receiver = pair.here if way == "to here" else pair.receiver
    if way == "local":
        return "sender", local_pipe(*commands, pipes)
    if way == "direct":
        return "sender", direct(pair.receiver, *commands, piping=pipes)
    return "", relay(sender, receiver, *commands, pair.options, piping=pipes)


def stream(pair: Pair, way: str, send: str, receive: str, pipes: Piping) -> Outcome:
    return pair.run(*step(pair, way, send, receive, pipes))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A file of which one half can be compressed."""
    file = tmp_path / "data"
    file.write_bytes(os.urandom(3 * MIB) + bytes(3 * MIB) + b"the end")
    return file


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(Wanted(compression=3), id="zstd"),
        pytest.param(Wanted(buffer=4 * MIB), id="mbuffer"),
        pytest.param(Wanted(compression=1, buffer=MIB, bandwidth=64 * MIB), id="everything"),
    ],
)
def test_every_byte_arrives(pair: Pair, data: Path, way: str, wanted: Wanted) -> None:
    pipes = asked(wanted, one_host=way == "local")
    outcome = stream(pair, way, f"echo said >&2; cat {data}", "sha256sum; echo heard >&2", pipes)
    checksum = hashlib.sha256(data.read_bytes()).hexdigest()
    assert outcome == Outcome(0, f"{checksum}  -\nheard\n", "said\n")


@pytest.mark.parametrize("way", ["direct", "relay", "to here"])
def test_what_goes_over_the_wire_is_compressed(pair: Pair, tmp_path: Path, way: str) -> None:
    counted = tmp_path / "mbuffer"
    counted.write_text(f"#!/bin/sh\ntee {tmp_path}/$$.wire\n")
    counted.chmod(0o755)
    for server in pair.servers:
        environment = {**server_environment(pair), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        server.start(**environment)
    pipes = asked(Wanted(compression=3, buffer=MIB))
    outcome = stream(pair, way, f"head -c {8 * MIB} /dev/zero", "wc -c", pipes)
    assert outcome.stdout == f"{8 * MIB}\n"
    seen = [file.stat().st_size for file in tmp_path.glob("*.wire")]
    assert seen
    assert max(seen) < 100_000


@pytest.mark.parametrize("way", ["direct", "relay", "local"])
@pytest.mark.parametrize("limiter", ["mbuffer", "pv"])
def test_a_rate_is_kept(pair: Pair, way: str, limiter: str) -> None:
    without = tuple({"mbuffer", "pv"} - {limiter})
    pipes = asked(Wanted(bandwidth=2 * MIB), one_host=way == "local", without=without)
    assert pipes.limiter == limiter
    began = time.monotonic()
    outcome = stream(pair, way, f"head -c {7 * MIB} /dev/zero", "wc -c", pipes)
    assert outcome == Outcome(0, f"{7 * MIB}\n", "")
    assert time.monotonic() - began > 2.5


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("commands", "statuses"),
    [
        pytest.param(
            ("head -c 900000 /dev/urandom; exit 3", "cat >/dev/null"), (3, 0), id="zfs send"
        ),
        pytest.param(
            ("cat /dev/urandom", "head -c 1000 >/dev/null; exit 4"), (None, 4), id="zfs receive"
        ),
        pytest.param(("exit 3", "cat; exit 4"), (3, 4), id="both"),
    ],
)
def test_no_program_swallows_an_error_of_zfs(
    pair: Pair, way: str, commands: tuple[str, str], statuses: tuple[int | None, int]
) -> None:
    pipes = asked(Wanted(3, MIB, 512 * MIB), one_host=way == "local")
    outcome = stream(pair, way, *commands, pipes)
    first, second = statuses
    assert outcome.status == second
    # A sender whose pipe broke ends in one way or another, but not well.
    assert outcome.first_status == first if first is not None else outcome.first_status != 0


BROKEN = """#!/bin/sh
case "$*" in *-d*) head -c 1000 ;; *) head -c 100000 >/dev/null; echo cut ;; esac
echo "zstd: out of order" >&2
exit 9
"""


@pytest.mark.parametrize("way", ["direct", "relay"])
def test_a_program_that_fails_fails_the_stream_though_zfs_ended_well(
    pair: Pair, tmp_path: Path, way: str
) -> None:
    """The stream is cut short by the sender's zstd, and both zfs take that for its end."""
    program = tmp_path / "zstd"
    program.write_text(BROKEN)
    program.chmod(0o755)
    for server in pair.servers:
        environment = {**server_environment(pair), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        server.start(**environment)
    outcome = stream(
        pair, way, "head -c 50000 /dev/zero", "cat >/dev/null", asked(Wanted(compression=3))
    )
    assert (outcome.first_status, outcome.status) == (9, 9)
    assert "out of order" in outcome.stderr
    assert "out of order" in outcome.stdout


def server_environment(pair: Pair) -> dict[str, str]:
    """Return what the sender's sshd needs to enter the receiver."""
    return {"SSH_AUTH_SOCK": str(pair.servers[0].folder / "agent")}


def test_the_probe_finds_what_there_is(pair: Pair, tmp_path: Path) -> None:
    def programs(path: str) -> str:
        pair.servers[0].start(PATH=path)
        pair.fleet.host("sender").close()
        outcomes = pair.fleet.host("sender").run(probe(()), timeout=30).outcomes
        return outcomes[PROGRAMS].stdout

    assert programs(os.environ["PATH"]) == "mbuffer\npv\nzstd\n"
    for program in ("sh", "date"):
        (tmp_path / program).symlink_to(shutil.which(program) or "")
    # /usr/sbin, which is looked at too, has none of them.
    assert programs(str(tmp_path)) == ""


# -- streams that hang -----------------------------------------------------------------------------

TO = Version(VersionKind.SNAPSHOT, "2", 2, 2, 0)
TOKEN = token(toguid=2, fromguid=1, received=4)

ZFS = """#!/bin/sh
case "$1" in
send) printf '12:00:01\\t4\\tt/a@2\\n' >&2; printf data; {send} ;;
receive) head -c 4 >{folder}/received; echo $$ >{folder}/receiving; {receive} ;;
get) echo {token}; {used} ;;
list) echo "cannot open 'b/t/a@2': dataset does not exist" >&2; exit 1 ;;
esac
"""


def hanging(path: str, pipes: Piping) -> Send:
    """Return a stream; `shared` is a small one through the controller, over shared connections."""
    return Send(
        host="sender",
        filesystem="t/a",
        kind=FilesystemKind.FILESYSTEM,
        receiver_host="receiver",
        receiver_filesystem="b/t/a",
        mode=SendMode.INCREMENTAL,
        base=Version(VersionKind.SNAPSHOT, "1", 1, 1, 0),
        versions=(TO,),
        flags=StreamFlags(),
        estimated_bytes=4 if path == "shared" else None,
        path="relay" if path == "shared" else path,
        piping=pipes,
    )


def let_zfs(pair: Pair, folder: Path, **does: str) -> None:
    """Give both hosts a zfs whose streams go as said."""
    program = folder / "zfs"
    does = {"send": "sleep 300", "receive": "cat >/dev/null", "used": "echo 7", **does}
    program.write_text(ZFS.format(folder=folder, token=TOKEN, **does))
    program.chmod(0o755)
    for server in pair.servers:
        environment = {**server_environment(pair), "PATH": f"{folder}:{os.environ['PATH']}"}
        server.start(**environment)


def is_gone(folder: Path) -> bool:
    pid = int((folder / "receiving").read_text())
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False)
    return done.stdout.strip() in {b"", b"Z", b"Zs"}


@pytest.mark.parametrize("path", ["direct", "relay", "shared"])
@pytest.mark.parametrize(
    "wanted",
    [pytest.param(NOTHING, id="plain"), pytest.param(Wanted(3, MIB), id="piped")],
)
def test_a_stream_that_hangs_is_ended_and_is_for_the_next_run(
    pair: Pair, tmp_path: Path, path: str, wanted: Wanted
) -> None:
    let_zfs(pair, tmp_path)
    seen: list[int] = []
    began = time.monotonic()
    verdict = Transfer(pair.fleet, 2.0).run(
        hanging(path, asked(wanted)), lambda found: seen.append(found.bytes)
    )
    assert 2 <= time.monotonic() - began < 40
    assert isinstance(verdict, Failed)
    assert verdict.failure.reaction is Reaction.RETRY
    assert verdict.failure.kind is FailureKind.SIGNAL
    assert "nothing was sent and nothing changed in b/t/a for 2 s" in verdict.failure.message
    assert seen == [4]
    wait_until(lambda: is_gone(tmp_path))
    if wanted == NOTHING:
        assert (tmp_path / "received").read_text() == "data"


def test_a_receiver_that_works_on_without_bytes_is_left_alone(pair: Pair, tmp_path: Path) -> None:
    let_zfs(pair, tmp_path, send="sleep 5", used="date +%N")
    verdict = Transfer(pair.fleet, 2.0).run(hanging("relay", asked(NOTHING)), lambda _: None)
    assert isinstance(verdict, Failed)
    assert "did not arrive" in verdict.failure.message  # It went on to its own end.


def test_a_stream_from_an_address_of_a_host_that_is_not_there_is_no_stalled_one(
    pair: Pair, tmp_path: Path
) -> None:
    let_zfs(pair, tmp_path)
    nowhere = HostAddress("sender", SshAddress("127.0.0.1", port=1))
    pair.fleet.addresses = {**pair.fleet.addresses, "sender": nowhere}
    verdict = Transfer(pair.fleet, 2.0).run(hanging("relay", asked(NOTHING)), lambda _: None)
    assert isinstance(verdict, Failed)
    assert "nothing was sent" not in verdict.failure.message


def test_cut_ends_a_script_at_once_on_a_host_behind_ssh_and_here(pair: Pair) -> None:
    for host in (pair.fleet.host("sender"), pair.fleet.controller()):
        cut = Cut()
        cut.make()
        began = time.monotonic()
        with pytest.raises(HostError):
            host.run(Script((Step("a", ("sleep", "60")),)), timeout=50, cut=cut)
        assert time.monotonic() - began < 10
