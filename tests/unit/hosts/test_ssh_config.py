"""ssh_config means what it means to OpenSSH."""

import shutil
from pathlib import Path

import pytest

from reconciler.errors import Unreachable
from reconciler.hosts.addresses import SshAddress, SshOptions
from reconciler.hosts.ssh_config import destination, last_hop, look_up, parse

needs_ssh = pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is not installed")


@needs_ssh
def test_what_the_configuration_says_is_taken_over(tmp_path: Path) -> None:
    key = tmp_path / "zfs-web1.example.com-2200"
    key.touch()
    (tmp_path / "included").write_text("Host web1\n  HostName web1.example.com\n")
    config = tmp_path / "config"
    config.write_text(
        f"Include {tmp_path}/included\nHost web1\n  Port 2200\n  User zfs\n"
        f"  IdentityFile {tmp_path}/%r-%h-%p\n  IdentityFile {tmp_path}/missing\n"
        f"  UserKnownHostsFile {tmp_path}/known {tmp_path}/known2\n"
        "  GlobalKnownHostsFile /dev/null\n  ProxyJump bob@bastion:2201\n  IdentitiesOnly yes\n"
    )
    settings = look_up("web1", SshAddress("web1"), SshOptions(config))
    assert (settings.hostname, settings.port, settings.user) == ("web1.example.com", 2200, "zfs")
    assert settings.identity_files == (key,)
    assert settings.known_hosts == (tmp_path / "known", tmp_path / "known2", Path("/dev/null"))
    assert (settings.jump, settings.proxy_command) == ("bob@bastion:2201", None)
    assert not settings.use_agent
    assert settings.host_key_names == ("[web1.example.com]:2200", "web1.example.com")


@needs_ssh
def test_what_the_spec_says_goes_before_the_configuration(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host *\n  Port 2200\n  User zfs\n  ProxyJump bastion\n  HostKeyAlias me\n")
    address = SshAddress("Web1", user="me", port=22, jump="other")
    settings = look_up("web1", address, SshOptions(config))
    assert (settings.hostname, settings.port, settings.user) == ("web1", 22, "me")
    assert (settings.jump, settings.host_key_names) == ("other", ("me",))


@needs_ssh
def test_a_proxy_command_gets_its_tokens(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host *\n  Port 2200\n  ProxyCommand nc %h %p %%\n")
    settings = look_up("web1", SshAddress("web1"), SshOptions(config))
    assert settings.proxy_command == "nc web1 2200 %"


@needs_ssh
def test_an_unusable_configuration_is_told(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("NoSuchOption yes\n")
    with pytest.raises(
        Unreachable, match=r"web1: ssh finds its configuration unusable: .*[Nn]osuch"
    ):
        look_up("web1", SshAddress("web1"), SshOptions(config))


@needs_ssh
@pytest.mark.parametrize("name", ["-oProxyCommand=touch x", "a b", "$(id)"])
def test_a_name_is_never_an_option_or_a_command(name: str, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.touch()
    with pytest.raises(Unreachable):
        look_up("web1", SshAddress(name), SshOptions(config))


def test_without_the_program_ssh_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Unreachable, match="ssh can't be run on the controller"):
        look_up("web1", SshAddress("web1"), SshOptions())


def test_what_is_not_said_has_a_default() -> None:
    settings = parse("Web1", "")
    assert (settings.hostname, settings.port, settings.use_agent) == ("Web1", 22, True)
    assert settings.host_key_names == ("web1",)


@pytest.mark.parametrize(
    ("jump", "expected"),
    [
        ("bastion", SshAddress("bastion")),
        ("bob@bastion:2201", SshAddress("bastion", user="bob", port=2201)),
        ("ssh://bob@bastion:2201", SshAddress("bastion", user="bob", port=2201)),
        ("a@b@bastion", SshAddress("bastion", user="a@b")),
        ("one:1,two@x,[::1]:22", SshAddress("::1", port=22, jump="one:1,two@x")),
        ("fe80::1:22", SshAddress("fe80::1:22")),
    ],
)
def test_the_last_hop_is_reached_through_those_before(jump: str, expected: SshAddress) -> None:
    assert last_hop(jump) == expected


def test_arguments_are_only_given_for_what_is_set(tmp_path: Path) -> None:
    assert destination(SshAddress("web1"), SshOptions()) == ()
    address = SshAddress("web1", user="u", port=1, jump="j")
    assert destination(address, SshOptions(tmp_path)) == (
        *("-F", str(tmp_path), "-J", "j", "-p", "1", "-l", "u"),
    )
