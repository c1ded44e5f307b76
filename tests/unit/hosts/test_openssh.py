"""The ssh of streams and their masters: both verify the same, and only one of them shares."""

from pathlib import Path

import pytest

from reconciler.hosts.addresses import SshAddress, SshOptions
from reconciler.hosts.openssh import (
    LONGEST_PATH,
    can_be_socket,
    entering,
    mastering,
    without_remarks,
)
from reconciler.zfs.types import Argv

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFNgzfMWQqIcsKvQ7PkTMhdHPQAyYZSZYgNZYHbJhRzE"
WEB = SshAddress("web1", user="zfs", port=2222, jump="bastion", host_key=KEY)
OPTIONS = SshOptions(Path("/etc/our_ssh_config"))
SOCKET = Path("/run/reconciler-x/s")


def without_sharing(argv: Argv) -> list[str]:
    """Return what an ssh is told of other things than sharing."""
    sharing = {n for n, word in enumerate(argv) if word == "-N" or word.startswith("Control")}
    options = {n - 1 for n in sharing if argv[n] != "-N"}
    words = [word for n, word in enumerate(argv) if n not in sharing | options]
    return sorted(words)


def control(argv: Argv) -> set[str]:
    return {word for word in argv if word.startswith("Control")}


def test_a_master_is_made_with_the_options_of_a_streams_own_ssh() -> None:
    master, own = mastering(WEB, OPTIONS, SOCKET), entering(WEB, OPTIONS)
    assert without_sharing(master) == without_sharing(own)
    assert f"KnownHostsCommand=/bin/echo %H {KEY}" in master
    assert master[-2:] == own[-2:] == ("--", "web1")


def test_only_a_master_shares_and_it_does_not_go_on_by_itself() -> None:
    path = f"ControlPath={SOCKET}"
    assert control(mastering(WEB, OPTIONS, SOCKET)) == {
        "ControlMaster=yes",
        "ControlPersist=no",
        path,
    }
    assert "-N" in mastering(WEB, OPTIONS, SOCKET)
    assert control(entering(WEB, OPTIONS, SOCKET)) == {"ControlMaster=no", path}
    assert control(entering(WEB, OPTIONS)) == {"ControlMaster=no", "ControlPath=none"}


@pytest.mark.parametrize(
    ("path", "can"),
    [
        pytest.param("/tmp/reconciler-a_b1/s", True, id="a usual one"),
        pytest.param(f"/{'x' * (LONGEST_PATH - 1)}", True, id="the longest one"),
        pytest.param(f"/{'x' * LONGEST_PATH}", False, id="too long for a socket"),
        pytest.param("/tmp/%h/s", False, id="a token of ssh_config"),
        pytest.param("/tmp/${HOME}/s", False, id="a variable for ssh"),
        pytest.param("~/s", False, id="a home"),
        pytest.param("/tmp/a b/s", False, id="two words of ssh_config"),
    ],
)
def test_a_socket_is_where_ssh_takes_the_path_literally(path: str, *, can: bool) -> None:
    assert can_be_socket(Path(path)) is can


def test_what_ssh_says_of_masters_it_does_without_is_left_out_and_nothing_else() -> None:
    """The words are those of OpenSSH 9.2; tests/integration has them from ssh itself."""
    said = (
        "cannot receive: no space\n"
        "mux_client_request_session: session request failed: Session open refused by peer\r\n"
        "mux_client_request_session: read from master failed: Broken pipe\r\n"
        "Control socket connect(/tmp/reconciler-x/s): Connection refused\r\n"
        "Host key verification failed.\r\n"
        "cannot open 'tank/mux_client_x: ': dataset does not exist\n"
    )
    assert without_remarks(said) == (
        "cannot receive: no space\n"
        "Host key verification failed.\r\n"
        "cannot open 'tank/mux_client_x: ': dataset does not exist\n"
    )
