"""No connection without a verified host key, to the host itself and to every host on the way."""

import subprocess

import pytest

from reconciler.errors import HostKeyRejected, Unreachable
from tests.integration.server import Sshd, new_key, one, public, run

HELLO = one("echo", "hello")


def test_a_known_key_is_accepted(sshd: Sshd) -> None:
    assert run(sshd.host(), HELLO).stdout == "hello\n"


def test_an_unknown_key_is_refused_and_not_remembered(sshd: Sshd) -> None:
    sshd.known_hosts.write_text("")
    host = sshd.host()
    for _ in range(2):
        with pytest.raises(HostKeyRejected) as caught:
            run(host, HELLO)
        assert str(sshd.known_hosts) in caught.value.message
        assert f"ssh-keyscan -p {sshd.port} 127.0.0.1 >> " in caught.value.message
    assert sshd.known_hosts.read_text() == ""


def test_a_changed_key_is_refused(sshd: Sshd) -> None:
    sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {public(sshd.client_key)}\n")
    with pytest.raises(HostKeyRejected) as caught:
        run(sshd.host(), HELLO)
    assert f"is not the one in {sshd.known_hosts}:1" in caught.value.message
    assert f"ssh-keygen -R '[127.0.0.1]:{sshd.port}' -f {sshd.known_hosts}" in caught.value.message


def test_a_revoked_key_is_refused(sshd: Sshd) -> None:
    sshd.known_hosts.write_text(f"{sshd.known_hosts.read_text()}@revoked * {sshd.public_key}\n")
    for pinned in (None, sshd.public_key):
        with pytest.raises(HostKeyRejected, match="is revoked in"):
            run(sshd.host(host_key=pinned), HELLO)


@pytest.mark.parametrize("name", ["127.0.0.1", "127.0.0.?", "*,!10.*"])
def test_names_without_port_and_patterns_count_as_for_openssh(sshd: Sshd, name: str) -> None:
    sshd.known_hosts.write_text(f"{name} {sshd.public_key}\n")
    assert run(sshd.host(), HELLO).ok


def test_hashed_names_count(sshd: Sshd) -> None:
    subprocess.run(["ssh-keygen", "-H", "-f", sshd.known_hosts], check=True, capture_output=True)
    assert run(sshd.host(), HELLO).ok


def test_an_alias_of_ssh_config_is_the_name_that_counts(sshd: Sshd) -> None:
    sshd.known_hosts.write_text(f"web-alias {sshd.public_key}\n")
    sshd.write_client_config("Host 127.0.0.1", "HostKeyAlias web-alias")
    assert run(sshd.host(), HELLO).ok


def test_a_pinned_key_is_accepted_though_known_hosts_does_not_have_it(sshd: Sshd) -> None:
    sshd.known_hosts.write_text("")
    assert run(sshd.host(host_key=f"{sshd.public_key} comment"), HELLO).ok


def test_another_key_than_the_pinned_one_is_refused_though_known_hosts_has_it(sshd: Sshd) -> None:
    with pytest.raises(HostKeyRejected, match="is not the pinned one"):
        run(sshd.host(host_key=public(sshd.client_key)), HELLO)


def test_a_pinned_key_that_is_none_is_told(sshd: Sshd) -> None:
    with pytest.raises(HostKeyRejected, match="not a public key"):
        run(sshd.host(host_key="ssh-ed25519 nonsense"), HELLO)


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_the_kind_of_key_that_is_known_is_asked_for(sshd: Sshd, kind: str) -> None:
    other = sshd.folder / f"host_key_{kind}"
    new_key(other, kind)
    sshd.start(f"HostKey {other}")
    sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {public(other)}\n")
    assert run(sshd.host(), HELLO).ok
    assert run(sshd.host(host_key=public(other)), HELLO).ok


class TestJumpHost:
    """`second_sshd` is the jump host; the configuration of `sshd` calls it `jump`."""

    @pytest.fixture(autouse=True)
    def _both(self, sshd: Sshd, second_sshd: Sshd) -> None:
        sshd.learn(second_sshd)
        sshd.write_client_config(
            *("Host jump", "HostName 127.0.0.1", f"Port {second_sshd.port}"),
            f"IdentityFile {second_sshd.client_key}",
            *("Host behind", "HostName 127.0.0.1", f"Port {sshd.port}", "ProxyJump jump"),
            *("Host circle", "ProxyJump circle2", "Host circle2", "ProxyJump circle"),
            *("Host by-command", "HostName 127.0.0.1", f"Port {sshd.port}"),
            f"ProxyCommand ssh -F {sshd.folder}/ssh_config -W %h:%p jump",
        )

    @staticmethod
    def forget(sshd: Sshd, port: int) -> None:
        lines = sshd.known_hosts.read_text().splitlines(keepends=True)
        sshd.known_hosts.write_text("".join(line for line in lines if f":{port} " not in line))

    def test_the_spec_may_name_it(self, sshd: Sshd, second_sshd: Sshd) -> None:
        host = sshd.host(jump="jump")
        assert run(host, HELLO).ok
        host.close()
        second_sshd.stop()
        with pytest.raises(Unreachable, match="Connection refused"):
            run(host, HELLO)

    @pytest.mark.parametrize("name", ["behind", "by-command"])
    def test_the_configuration_may_name_it(self, sshd: Sshd, name: str) -> None:
        assert run(sshd.host(address=name, port=None), HELLO).ok

    def test_its_key_is_verified(self, sshd: Sshd, second_sshd: Sshd) -> None:
        self.forget(sshd, second_sshd.port)
        with pytest.raises(HostKeyRejected, match=rf"\[127.0.0.1\]:{second_sshd.port} "):
            run(sshd.host(jump="jump"), HELLO)

    @pytest.mark.parametrize("jump", ["jump", None])
    def test_the_key_behind_it_is_verified(self, sshd: Sshd, jump: str | None) -> None:
        self.forget(sshd, sshd.port)
        host = sshd.host(jump=jump) if jump else sshd.host(address="by-command", port=None)
        with pytest.raises(HostKeyRejected, match=rf"\[127.0.0.1\]:{sshd.port} "):
            run(host, HELLO)

    def test_the_pinned_key_is_of_the_host_behind_it(self, sshd: Sshd) -> None:
        self.forget(sshd, sshd.port)
        assert run(sshd.host(jump="jump", host_key=sshd.public_key), HELLO).ok

    def test_several_in_a_row_are_passed(self, sshd: Sshd) -> None:
        host = sshd.host(jump=f"jump,127.0.0.1:{sshd.port},jump")
        assert run(host, HELLO).ok
        host.close()

    def test_a_circle_is_noticed(self, sshd: Sshd) -> None:
        with pytest.raises(Unreachable, match="in a circle"):
            run(sshd.host(address="circle", port=None), HELLO)

    def test_a_host_that_it_cannot_reach_is_told(self, sshd: Sshd) -> None:
        with pytest.raises(
            Unreachable, match=r"jump host 127\.0\.0\.1 can't connect to .* port 1:"
        ):
            run(sshd.host(jump="jump", port=1), HELLO)
