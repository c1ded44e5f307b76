"""Which host keys are accepted: the pinned one, or those of known_hosts; never a revoked one."""

from pathlib import Path

import paramiko
import pytest

from reconciler.errors import HostKeyRejected
from reconciler.hosts.ssh.trust import trust
from reconciler.hosts.ssh_config import SshSettings

KEY, OTHER = (paramiko.ECDSAKey.generate() for _ in range(2))


def text(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.get_base64()}"


def judge(tmp_path: Path, *lines: str, pinned: str | None = None) -> None:
    """Show KEY as the host's; known_hosts has the lines."""
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text("".join(f"{line}\n" for line in lines))
    settings = SshSettings("web", "web1", 22, "root", known_hosts=(known_hosts,))
    trust("web", settings, pinned).missing_host_key(paramiko.SSHClient(), "web1", KEY)


def test_a_known_key_is_accepted(tmp_path: Path) -> None:
    judge(tmp_path, f"web1 {text(OTHER)}", f"web1 {text(KEY)}")


def test_a_pinned_key_is_accepted_whatever_is_known(tmp_path: Path) -> None:
    judge(tmp_path, pinned=text(KEY))
    judge(tmp_path, f"web1 {text(OTHER)}", pinned=text(KEY))


def test_an_unknown_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostKeyRejected, match="is in none of"):
        judge(tmp_path, f"web2 {text(KEY)}")


def test_another_key_than_the_known_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostKeyRejected, match="is not the one in"):
        judge(tmp_path, f"web1 {text(OTHER)}")


def test_another_key_than_the_pinned_one_is_refused_although_it_is_known(tmp_path: Path) -> None:
    with pytest.raises(HostKeyRejected, match="is not the pinned one"):
        judge(tmp_path, f"web1 {text(KEY)}", pinned=text(OTHER))


@pytest.mark.parametrize("pinned", [None, text(KEY)], ids=["known", "pinned"])
def test_a_revoked_key_is_refused_although_it_is_known_or_pinned(
    tmp_path: Path, pinned: str | None
) -> None:
    with pytest.raises(HostKeyRejected, match="is revoked in"):
        judge(tmp_path, f"web1 {text(KEY)}", f"@revoked * {text(KEY)}", pinned=pinned)


def test_a_pinned_key_that_is_none_lets_nobody_in(tmp_path: Path) -> None:
    with pytest.raises(HostKeyRejected, match="the pinned host key is not a public key"):
        judge(tmp_path, f"web1 {text(KEY)}", pinned="ssh-ed25519 nonsense")
