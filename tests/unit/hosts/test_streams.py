"""The commands of a stream, and that every login shell takes them literally."""

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.hosts.addresses import (
    HostAddress,
    LocalAddress,
    PeerAddress,
    Privilege,
    SshAddress,
    SshOptions,
)
from reconciler.hosts.locking import HostLock
from reconciler.hosts.script import Outcome
from reconciler.hosts.streams import can_reach, direct, local_pipe, parted, relay, remote_command

SEND, RECEIVE = ("zfs", "send", "tank/a@x"), ("zfs", "receive", "-s", "backup/a")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFNgzfMWQqIcsKvQ7PkTMhdHPQAyYZSZYgNZYHbJhRzE"
WEB = HostAddress("web", SshAddress("web1", user="zfs", port=2222, jump="bastion"))
HERE = HostAddress("here", LocalAddress(), Privilege.SUDO)


@pytest.fixture(params=["sh", "dash", "bash", "busybox sh", "ksh93", "mksh", "zsh", "fish", "csh"])
def login_shell(request: pytest.FixtureRequest) -> list[str]:
    argv: list[str] = request.param.split()
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    return [*argv, "-c"]


WORDS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8)


@given(words=st.lists(WORDS, max_size=4))
@example(words=["tank/a b@x", "it's", "$HOME", "!!", "a\\b", "%s%d", "`id`", "~", "*", "\n", ""])
@example(words=["\\'", "\\\\", "\\041", '"', "a\nb!c", "\u2713", "#", ";", "{a,b}", "=x", "-n"])
@settings(max_examples=15, deadline=None, suppress_health_check=[*HealthCheck])
def test_every_login_shell_takes_arguments_literally(
    login_shell: list[str], words: list[str]
) -> None:
    command = remote_command(("printf", "<%s>\\n", "first", *words), Privilege.NONE)
    done = subprocess.run([*login_shell, command], capture_output=True, check=False)
    assert done.stdout.decode() == "".join(f"<{word}>\n" for word in ("first", *words))


def test_the_remote_command_finds_programs_and_reads_stdin(login_shell: list[str]) -> None:
    command = remote_command(("sh", "-c", 'cat; echo "$PATH $LC_ALL"; exit 7'), Privilege.NONE)
    done = subprocess.run([*login_shell, command], input=b"data ", capture_output=True, check=False)
    assert done.returncode == 7
    assert done.stdout.startswith(b"data ")
    assert done.stdout.endswith(b":/usr/local/sbin:/usr/sbin:/sbin C\n")


def test_under_a_lock_a_remote_command_is_the_same(login_shell: list[str], tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    lock = HostLock("a1", "it's me", "web", (str(tmp_path),))
    argv = ("sh", "-c", 'cat; printf "<%s>" "$@"; ls "$0"; exit 7', str(tmp_path), "it's", "$x!")
    command = remote_command(argv, Privilege.NONE, lock)
    done = subprocess.run([*login_shell, command], input=b"data ", capture_output=True, check=False)
    assert done.returncode == 7, done.stderr
    assert done.stdout.decode() == f"data <it's><$x!>{lock.name}\n"
    assert done.stderr == b""


def test_a_remote_command_that_is_locked_is_not_run(login_shell: list[str], tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    other = tmp_path / "reconciler-lock.b2.1"
    other.write_text("bob@lab\n")
    lock = HostLock("a1", "me", "web", (str(tmp_path),))
    with other.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        command = remote_command(("echo", "acted"), Privilege.NONE, lock)
        done = subprocess.run([*login_shell, command], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (75, b"")
    assert b"reconciler-lock: busy bob@lab" in done.stderr


@pytest.mark.parametrize("is_locked", [False, True])
def test_a_look_goes_along_and_the_command_ends_as_it_did(
    login_shell: list[str], tmp_path: Path, *, is_locked: bool
) -> None:
    tmp_path.chmod(0o1777)
    lock = HostLock("a1", "it's me", "web", (str(tmp_path),)) if is_locked else None
    look = ("sh", "-c", "printf 'b/it%ss!@1\\t7\\n' \\'; echo no such thing >&2; exit 1")
    received = ("sh", "-c", "cat; echo oh >&2; exit 7")
    command = remote_command(received, Privilege.NONE, lock, look)
    done = subprocess.run(
        [*login_shell, command], input=b"data\n", capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (7, b"oh\n")
    outcome, seen = parted(Outcome(done.returncode, done.stdout.decode(), ""))
    assert outcome.stdout == "data\n"
    assert seen == Outcome(1, "b/it's!@1\t7\n", "no such thing\n")


def test_a_look_has_the_hosts_privilege() -> None:
    look = ("zfs", "list", "backup/a@x")
    assert "sudo\\047 -n zfs list" in remote_command(RECEIVE, Privilege.SUDO, None, look)


def test_the_remote_command_has_the_hosts_privilege() -> None:
    assert "'\\''" not in remote_command(RECEIVE, Privilege.SUDO)
    assert "sudo\\047 -n zfs receive" in remote_command(RECEIVE, Privilege.SUDO)
    assert "sudo" not in remote_command(RECEIVE, Privilege.NONE)


def test_on_one_host_it_is_a_pipe() -> None:
    step = local_pipe(SEND, RECEIVE)
    assert (step.argv, step.into) == (SEND, RECEIVE)


def test_direct_enters_the_receiver_as_the_controller_does_but_without_its_jump() -> None:
    step = direct(WEB, SEND, RECEIVE)
    assert step.argv == SEND
    assert step.into is not None
    assert step.into[-7:-1] == ("-p", "2222", "-l", "zfs", "--", "web1")
    assert "-J" not in step.into
    assert step.into[-1] == remote_command(RECEIVE, Privilege.NONE)


def test_direct_prefers_the_peer_address() -> None:
    peer = PeerAddress("10.0.0.5", port=22)
    step = direct(HostAddress("web", WEB.address, Privilege.NONE, peer), SEND, RECEIVE)
    assert step.into is not None
    assert step.into[-7:-1] == ("-p", "22", "-l", "zfs", "--", "10.0.0.5")


def test_the_controllers_machine_needs_a_peer_address_to_be_pushed_to() -> None:
    with pytest.raises(ValueError, match="no peer address"):
        can_reach(HERE)
    peer = PeerAddress("10.0.0.1", user="me")
    step = direct(HostAddress("here", LocalAddress(), Privilege.SUDO, peer), SEND, RECEIVE)
    assert step.into is not None
    assert step.into[-5:-1] == ("-l", "me", "--", "10.0.0.1")
    assert "sudo" in step.into[-1]


def test_relay_uses_the_controllers_way_with_its_jump() -> None:
    step = relay(WEB, HERE, SEND, RECEIVE, SshOptions())
    assert step.argv[-9:-1] == ("-J", "bastion", "-p", "2222", "-l", "zfs", "--", "web1")
    assert step.into == ("sudo", "-n", *RECEIVE)


def test_a_pinned_key_is_the_only_one() -> None:
    pinned = HostAddress("web", SshAddress("web1", host_key=f"{KEY} comment"))
    for argv in (
        can_reach(pinned).steps[0].argv,
        relay(pinned, HERE, SEND, RECEIVE, SshOptions()).argv,
    ):
        assert f"KnownHostsCommand=/bin/echo %H {KEY}" in argv
        assert {"UserKnownHostsFile=/dev/null", "GlobalKnownHostsFile=/dev/null"} <= set(argv)


def test_every_ssh_is_strict_and_never_asks() -> None:
    for argv in (can_reach(WEB).steps[0].argv, relay(WEB, HERE, SEND, RECEIVE, SshOptions()).argv):
        assert {"BatchMode=yes", "StrictHostKeyChecking=yes", "UpdateHostKeys=no"} <= set(argv)


def test_every_ssh_is_a_connection_of_its_own_that_lends_nothing() -> None:
    for argv in (can_reach(WEB).steps[0].argv, relay(WEB, HERE, SEND, RECEIVE, SshOptions()).argv):
        assert {"ControlMaster=no", "ControlPath=none", "ClearAllForwardings=yes"} <= set(argv)
        assert {"-a", "-x"} <= set(argv)
