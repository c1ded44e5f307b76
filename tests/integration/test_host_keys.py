"""No connection without a verified host key, to the host itself and to every host on the way."""

import subprocess
from pathlib import Path

import pytest

from reconciler.errors import HostKeyRejected
from reconciler.hosts.addresses import SshAddress
from reconciler.hosts.script import Script, Step

HELLO = Script((Step("a", ("echo", "hello")),))


def public(path: Path) -> str:
    return " ".join(Path(f"{path}.pub").read_text().split()[:2])


def test_a_known_key_is_accepted(sshd) -> None:
    assert sshd.host().run(HELLO, timeout=20).get("a").stdout == "hello\n"


def test_an_unknown_key_is_refused_and_not_remembered(sshd) -> None:
    sshd.known_hosts.write_text("")
    host = sshd.host()
    for _ in range(2):
        with pytest.raises(HostKeyRejected) as caught:
            host.run(HELLO, timeout=20)
    assert str(sshd.known_hosts) in caught.value.message
    assert f"ssh-keyscan -p {sshd.port} 127.0.0.1 >> " in caught.value.message
    assert sshd.known_hosts.read_text() == ""


def test_a_changed_key_is_refused(sshd) -> None:
    sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {public(sshd.client_key)}\n")
    with pytest.raises(HostKeyRejected) as caught:
        sshd.host().run(HELLO, timeout=20)
    assert f"is not the one in {sshd.known_hosts}:1" in caught.value.message
    assert f"ssh-keygen -R '[127.0.0.1]:{sshd.port}' -f {sshd.known_hosts}" in caught.value.message


def test_a_revoked_key_is_refused(sshd) -> None:
    sshd.known_hosts.write_text(f"{sshd.known_hosts.read_text()}@revoked * {sshd.public_key}\n")
    for pinned in (None, sshd.public_key):
        with pytest.raises(HostKeyRejected, match="is revoked in"):
            sshd.host(host_key=pinned).run(HELLO, timeout=20)


@pytest.mark.parametrize("name", ["127.0.0.1", "127.0.0.?", "*,!10.*"])
def test_names_without_port_and_patterns_count_as_for_openssh(sshd, name: str) -> None:
    sshd.known_hosts.write_text(f"{name} {sshd.public_key}\n")
    assert sshd.host().run(HELLO, timeout=20).get("a").ok


def test_hashed_names_count(sshd) -> None:
    subprocess.run(["ssh-keygen", "-H", "-f", sshd.known_hosts], check=True, capture_output=True)
    assert sshd.host().run(HELLO, timeout=20).get("a").ok


def test_an_alias_of_ssh_config_is_the_name_that_counts(sshd) -> None:
    sshd.known_hosts.write_text(f"web-alias {sshd.public_key}\n")
    sshd.write_client_config("Host 127.0.0.1", "HostKeyAlias web-alias")
    assert sshd.host().run(HELLO, timeout=20).get("a").ok


def test_a_pinned_key_is_accepted_though_known_hosts_does_not_have_it(sshd) -> None:
    sshd.known_hosts.write_text("")
    assert sshd.host(host_key=f"{sshd.public_key} comment").run(HELLO, timeout=20).get("a").ok


def test_another_key_than_the_pinned_one_is_refused_though_known_hosts_has_it(sshd) -> None:
    with pytest.raises(HostKeyRejected, match="is not the pinned one"):
        sshd.host(host_key=public(sshd.client_key)).run(HELLO, timeout=20)


def test_a_pinned_key_that_is_none_is_told(sshd) -> None:
    with pytest.raises(HostKeyRejected, match="not a public key"):
        sshd.host(host_key="ssh-ed25519 nonsense").run(HELLO, timeout=20)


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_the_kind_of_key_that_is_known_is_asked_for(sshd, new_key, kind: str) -> None:
    other = sshd.folder / f"host_key_{kind}"
    new_key(other, kind)
    sshd.start(f"HostKey {other}")
    sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {public(other)}\n")
    assert sshd.host().run(HELLO, timeout=20).get("a").ok
    assert sshd.host(host_key=public(other)).run(HELLO, timeout=20).get("a").ok


class TestJumpHost:
    """`second_sshd` is the jump host. Its key is known to the configuration of `sshd`."""

    @pytest.fixture(autouse=True)
    def _both(self, sshd, second_sshd) -> None:
        both = sshd.known_hosts.read_text() + second_sshd.known_hosts.read_text()
        sshd.known_hosts.write_text(both)
        keys = f"IdentityFile {second_sshd.client_key}"
        sshd.write_client_config(
            *("Host jump", "HostName 127.0.0.1", f"Port {second_sshd.port}", keys),
            *("Host behind", "HostName 127.0.0.1", f"Port {sshd.port}", "ProxyJump jump"),
            *("Host circle", "ProxyJump circle2", "Host circle2", "ProxyJump circle"),
        )

    @pytest.mark.parametrize("connected", [True, False])
    def test_the_way_leads_through_the_jump_host(
        self, sshd, second_sshd, connected: bool  # noqa: FBT001
    ) -> None:
        if not connected:
            second_sshd.stop()
        host = sshd.host(jump="jump")
        if connected:
            assert host.run(HELLO, timeout=20).get("a").ok
            assert sshd.host(address="behind", port=None).run(HELLO, timeout=20).get("a").ok
        else:
            with pytest.raises(OSError, match=r"") if False else pytest.raises(Exception) as caught:
                host.run(HELLO, timeout=20)
            assert "refused" in str(caught.value)
        host.close()

    def test_the_jump_hosts_key_is_verified(self, sshd, second_sshd) -> None:
        lines = sshd.known_hosts.read_text().splitlines(keepends=True)
        sshd.known_hosts.write_text("".join(x for x in lines if str(second_sshd.port) not in x))
        with pytest.raises(HostKeyRejected, match=rf"\[127.0.0.1\]:{second_sshd.port}"):
            sshd.host(jump="jump").run(HELLO, timeout=20)

    def test_the_key_behind_the_jump_host_is_verified(self, sshd) -> None:
        lines = sshd.known_hosts.read_text().splitlines(keepends=True)
        sshd.known_hosts.write_text("".join(x for x in lines if str(sshd.port) not in x))
        with pytest.raises(HostKeyRejected, match=rf"\[127.0.0.1\]:{sshd.port}"):
            sshd.host(jump="jump").run(HELLO, timeout=20)

    def test_several_jumps_in_a_row(self, sshd, second_sshd) -> None:
        jump = f"jump,127.0.0.1:{sshd.port},jump"
        host = sshd.host(jump=jump)
        assert host.run(HELLO, timeout=30).get("a").ok
        host.close()
        assert second_sshd.process is not None

    def test_a_circle_is_noticed(self, sshd) -> None:
        with pytest.raises(Exception, match="in a circle"):
            sshd.host(address="circle", port=None).run(HELLO, timeout=20)

    def test_a_host_that_the_jump_host_cannot_reach_is_told(self, sshd) -> None:
        with pytest.raises(Exception, match="the jump host 127.0.0.1 can't connect to 127.0.0.1"):
            sshd.host(jump="jump", port=1).run(HELLO, timeout=20)

    def test_a_proxy_command_works_too(self, sshd) -> None:
        code = f"ssh -F {sshd.folder}/ssh_config -W %h:%p jump"
        sshd.write_client_config(
            *("Host 127.0.0.1", f"ProxyCommand {code.replace('jump', 'hop')}"),
            *("Host hop", f"ProxyCommand nc 127.0.0.1 {sshd.port}"),
        )
        del code
        assert SshAddress("x") is not None
