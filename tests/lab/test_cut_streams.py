"""Streams that are cut in the middle, whoever does it: what has arrived of them is gone on from."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.integration.server import alive, descendants
from tests.lab.contents import checksums, load_key, make_encrypted, volume_checksum, volume_device
from tests.lab.controller import Controller, Event, bytes_went, host, replication, snapshots
from tests.lab.machines import Lab, Machine

HOSTS = host("alpha") + host("vault")
HERE, THERE = "tank/data", "backup/alpha/tank/data"
SIZE = 10_000_000
WRAPPER = "/usr/local/sbin/zfs"
# A receive that is killed before anything has arrived leaves nothing, and is simply tried again.
ARRIVES = (
    f"until zfs get -H -o value receive_resume_token {THERE} | grep -q ^1-; do sleep 0.2; done;"
    " sleep 2; zpool sync"
)
KILL_RECEIVE = f"{ARRIVES}; pkill -KILL -f '^/usr/sbin/zfs receive'"
# Data that comes in slowly: streams are still on their way when they are cut.
SLOW = """#!/bin/sh
case "$1 $2" in
"receive -s") pv -q -L 400k | /usr/sbin/zfs "$@"; exit $? ;;
esac
exec /usr/sbin/zfs "$@"
"""
OTHER, GO_ON = "tank/other", "/run/go_on"
# The rest of this one comes in when it may: it is still on its way when the other was cut.
HELD = SLOW.replace(
    'case "$1 $2" in\n',
    f"""\
case "$1 $2 $*" in
"receive -s "*/{OTHER})
    {{ head -c 1000000; until [ -e {GO_ON} ]; do sleep 0.2; done; cat; }} | /usr/sbin/zfs "$@"
    exit $? ;;
esac
case "$1 $2" in
""",
)


@pytest.fixture
def controller(clean_lab: Lab, tmp_path: Path) -> Controller:
    made = Controller(clean_lab, tmp_path)
    made.specify(HOSTS + replication(filesystems='"tank/data"', every="1d"))
    return made


@contextmanager
def slow(machine: Machine, wrapper: str = SLOW) -> Iterator[None]:
    """Let a host take little of a stream in a second."""
    machine.sh(f"cat >{WRAPPER}; chmod 755 {WRAPPER}", input=wrapper.encode())
    try:
        yield
    finally:
        machine.sh(f"rm -f {WRAPPER}")


def cut(controller: Controller, act: Callable[[], object]) -> None:
    """Apply, and act while the stream is under way: it fails, and part of it has arrived."""
    lab = controller.lab
    with slow(lab.machines["vault"]):
        done = controller.disturbed(bytes_went, act)
        lab.heal()
        lab.machines["vault"].sh("while pgrep -f '[s]bin/zfs receive'; do sleep 0.2; done")
    assert done.code == 3, "\n".join(event["@message"] for event in done.events)
    assert half_received(lab, THERE)


def half_received(lab: Lab, filesystem: str) -> bool:
    asked = f"zfs get -H -o value receive_resume_token '{filesystem}'"
    return lab.machines["vault"].sh(asked).stdout.startswith("1-")


def check_all_is_there(lab: Lab, here: str = HERE, there: str = THERE) -> str:
    """See to it that both ends have the same snapshots; return the newest one's name."""
    assert snapshots(lab, "vault", there) == snapshots(lab, "alpha", here)
    return list(snapshots(lab, "alpha", here))[-1]


def due(controller: Controller) -> None:
    """Let the next apply take a new snapshot."""
    controller.specify(HOSTS + replication(filesystems='"tank/data"', every="10s"))
    controller.due_again()


def settled(controller: Controller) -> None:
    """Let applies take no new snapshot."""
    controller.specify(HOSTS + replication(filesystems='"tank/data"', every="1d"))


def test_a_first_stream_of_a_volume_whose_sender_was_killed_is_resumed(
    controller: Controller,
) -> None:
    lab = controller.lab
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    alpha.sh(
        f"zfs create -V {2 * SIZE >> 20}M {HERE} && {volume_device(HERE)}"
        f' && head -c {SIZE} /dev/urandom | dd of="$device" bs=64k conv=fsync status=none'
    )
    cut(controller, lambda: alpha.sh("pkill -KILL -x zfs"))

    assert controller.modes() == {HERE: "resume"}
    name = check_all_is_there(lab)
    assert volume_checksum(vault, f"{THERE}@{name}") == volume_checksum(alpha, f"{HERE}@{name}")


def test_an_increment_whose_receiver_was_killed_is_resumed(controller: Controller) -> None:
    lab = controller.lab
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    alpha.sh(f"zfs create {HERE} && echo first >/{HERE}/first")
    controller.converge()
    alpha.sh(f"rm /{HERE}/first; head -c {SIZE} /dev/urandom >'/{HERE}/se cond'")
    due(controller)
    cut(controller, lambda: vault.sh(KILL_RECEIVE))

    settled(controller)
    assert controller.modes() == {HERE: "resume"}
    name = check_all_is_there(lab)
    assert checksums(vault, f"{THERE}@{name}") == checksums(alpha, f"{HERE}@{name}")


def test_a_raw_increment_whose_network_was_cut_is_resumed(controller: Controller) -> None:
    lab = controller.lab
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    make_encrypted(alpha, HERE)
    controller.converge()
    alpha.sh(f"head -c {SIZE} /dev/urandom >/{HERE}/data; zfs unmount -a; zfs unload-key -a")
    due(controller)
    cut(controller, lambda: lab.disconnect("vault"))

    settled(controller)
    assert controller.modes() == {HERE: "resume"}
    name = check_all_is_there(lab)
    load_key(alpha, HERE)
    load_key(vault, THERE)
    assert checksums(vault, f"{THERE}@{name}") == checksums(alpha, f"{HERE}@{name}")


def test_a_controller_killed_in_the_middle_of_a_send_is_followed_by_a_resumed_one(
    controller: Controller,
) -> None:
    lab = controller.lab
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    alpha.sh(f"zfs create {HERE} && head -c {SIZE} /dev/urandom >/{HERE}/data")
    with slow(vault):
        events = controller.kill_when(bytes_went)
    assert bytes_went(events)
    assert not any(e["type"] == "action_complete" and "send:" in e["id"] for e in events)

    done = controller.apply("--json")
    if done.code == 3:  # the dead controller's receive may have been closing just then
        done = controller.apply("--json")
    assert done.code == 0, done.stdout + done.stderr
    assert done.modes == {HERE: "resume"}
    name = check_all_is_there(lab)
    assert checksums(vault, f"{THERE}@{name}") == checksums(alpha, f"{HERE}@{name}") != ""
    assert controller.plan().document["actions"] == []


def test_a_stream_cut_over_a_shared_connection_is_resumed_and_another_over_it_goes_on(
    controller: Controller,
) -> None:
    lab = controller.lab
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    vault.sh(f"rm -f {GO_ON}")
    for filesystem in (HERE, OTHER):
        alpha.sh(f"zfs create {filesystem} && head -c {SIZE} /dev/urandom >/{filesystem}/data")
    controller.specify(HOSTS + replication(filesystems=f'"{HERE}", "{OTHER}"', every="1d"))

    def both_went(events: list[Event]) -> bool:
        went = [e["id"] for e in events if e["type"] == "action_progress" and e["bytes"] > 0]
        return all(any(filesystem in name for name in went) for filesystem in (HERE, OTHER))

    def cut_one() -> None:
        vault.sh(ARRIVES)
        masters = shared(b"ControlMaster=yes")
        [stream] = shared(b"ControlMaster=no", b"receive", f"/{HERE}".encode())
        os.kill(stream, signal.SIGTERM)
        vault.sh(f"while pgrep -f '[s]bin/zfs receive.*/{HERE}'; do sleep 0.2; done")
        vault.sh(f"pgrep -f '[s]bin/zfs receive.*/{OTHER}'")
        assert len(masters) == 2
        assert shared(b"ControlMaster=yes") == masters
        vault.sh(f"touch {GO_ON}")

    with slow(vault, HELD):
        done = controller.disturbed(both_went, cut_one)
    assert done.code == 3, "\n".join(event["@message"] for event in done.events)
    assert half_received(lab, THERE)
    check_all_is_there(lab, OTHER, f"backup/alpha/{OTHER}")

    assert controller.modes() == {HERE: "resume"}
    name = check_all_is_there(lab)
    assert checksums(vault, f"{THERE}@{name}") == checksums(alpha, f"{HERE}@{name}") != ""
    assert shared(b"ControlMaster=yes") == []


def shared(*words: bytes) -> list[int]:
    """Return the ssh below this process that share a connection, with these in their arguments."""
    found = []
    for pid in descendants(os.getpid()):
        with suppress(OSError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
            is_shared = line.startswith(b"ssh\0") and b"ControlPath=/" in line
            if is_shared and all(word in line for word in words) and alive(pid):
                found.append(pid)
    return found


def test_what_has_arrived_of_snapshots_that_are_gone_is_given_up(controller: Controller) -> None:
    """H77 and H79: of an increment, and of a first stream with the filesystem that it had begun."""
    lab = controller.lab
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    alpha.sh(f"zfs create {HERE} && echo first >/{HERE}/first")
    controller.specify(HOSTS + replication())
    controller.converge()
    [base] = snapshots(lab, "alpha", HERE)
    gone = "rec-20260101T000000Z"
    peer = f"ssh -p {vault.port} root@{vault.peer_address}"
    alpha.sh(
        f"zfs create {HERE}/new && head -c 2000000 /dev/urandom >/{HERE}/new/data"
        f" && head -c 2000000 /dev/urandom >/{HERE}/data"
        f" && zfs snapshot -o reconciler:spec=data {HERE}@{gone} {HERE}/new@{gone}"
        f" && {{ zfs send -i @{base} {HERE}@{gone} | head -c 1000000"
        f" | {peer} zfs receive -s -u {THERE};"
        f" zfs send {HERE}/new@{gone} | head -c 1000000 | {peer} zfs receive -s -u {THERE}/new; }};"
        f" zfs destroy {HERE}@{gone} && zfs destroy {HERE}/new@{gone}"
    )
    assert half_received(lab, THERE)
    assert half_received(lab, f"{THERE}/new")
    controller.specify(HOSTS + replication(every="10s"))
    controller.due_again()

    assert controller.modes() == {HERE: "incremental", f"{HERE}/new": "full"}
    for below in ("", "/new"):
        name = check_all_is_there(lab, HERE + below, THERE + below)
        there = checksums(vault, f"{THERE}{below}@{name}")
        assert there == checksums(alpha, f"{HERE}{below}@{name}") != ""
