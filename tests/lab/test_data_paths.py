"""The ways a stream takes, and the accounts it runs under."""

from pathlib import Path

import pytest

from tests.lab.contents import checksums, load_key, make_encrypted
from tests.lab.controller import Controller, host, peer, replication, snapshots
from tests.lab.machines import Lab


@pytest.fixture
def controller(clean_lab: Lab, tmp_path: Path) -> Controller:
    clean_lab.machines["alpha"].sh(
        "zfs create tank/data && head -c 200000 /dev/urandom > /tank/data/a"
        " && zfs create 'tank/data/a b'"
    )
    return Controller(clean_lab, tmp_path)


@pytest.mark.parametrize("path", ["direct", "relay", "auto"])
def test_streams_arrive_by_every_way(controller: Controller, path: str) -> None:
    lab = controller.lab
    hosts = host("alpha") + host("vault", extra=peer(lab, "vault"))
    controller.specify(hosts + replication(extra=f"path: {path}"))
    controller.converge()
    for filesystem in ("tank/data", "tank/data/a b"):
        there = snapshots(lab, "vault", f"backup/alpha/{filesystem}")
        assert there == snapshots(lab, "alpha", filesystem)
        assert len(there) == 1


def test_a_stream_between_two_pools_of_one_host_stays_there(controller: Controller) -> None:
    lab = controller.lab
    lab.machines["alpha"].sh(
        "truncate -s 128M /tmp/second.img; zpool create -f second /tmp/second.img"
    )
    try:
        spec = replication().replace("host: vault", "host: alpha")
        controller.specify(host("alpha") + spec.replace("backup/{host}", "second/{host}"))
        controller.converge()
        there = snapshots(lab, "alpha", "second/alpha/tank/data")
        assert there == snapshots(lab, "alpha", "tank/data")
        assert len(there) == 1
        assert controller.plan().document["actions"] == []
    finally:
        lab.machines["alpha"].sh("zpool destroy -f second; rm /tmp/second.img")


def test_an_ordinary_user_with_sudo_can_do_all_of_it(controller: Controller) -> None:
    lab = controller.lab
    hosts = host("alpha", user="zfs", extra="privilege: sudo")
    hosts += host("vault", user="zfs", extra="privilege: sudo")
    rules = {"keep": "{last: 1}", "target_keep": "{last: 1}"}
    for path in ("relay", "auto"):
        controller.specify(hosts + replication(every="10s", extra=f"path: {path}", **rules))
        controller.due_again()
        controller.converge()
    there = snapshots(lab, "vault", "backup/alpha/tank/data")
    assert there == snapshots(lab, "alpha", "tank/data")
    assert len(there) == 1


def test_without_the_right_to_run_zfs_the_host_is_unseen_and_told_why(
    controller: Controller,
) -> None:
    """Listing needs no right, so what is refused is the first thing that changes something."""
    lab = controller.lab
    hosts = host("alpha", user="zfs") + host("vault", user="zfs")
    controller.specify(hosts + replication())
    done = controller.apply()
    assert done.code == 3
    assert "permission denied" in done.stdout + done.stderr
    assert snapshots(lab, "alpha", "tank/data") == {}


def test_encrypted_filesystems_are_sent_raw_and_arrive_without_their_key(
    controller: Controller,
) -> None:
    lab = controller.lab
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    make_encrypted(alpha, "tank/data/secret")
    alpha.sh("zfs create tank/data/secret/child && echo hidden > /tank/data/secret/child/f")
    controller.specify(host("alpha") + host("vault") + replication(every="10s"))
    controller.converge()
    alpha.sh("echo more > /tank/data/secret/child/g; zfs unmount -a; zfs unload-key -a")
    controller.due_again()
    controller.converge()

    here, there = "tank/data/secret/child", "backup/alpha/tank/data/secret/child"
    assert snapshots(lab, "vault", there) == snapshots(lab, "alpha", here)
    assert len(snapshots(lab, "vault", there)) == 2
    values = vault.sh(f"zfs get -H -o value encryption,keystatus {there}").stdout.split()
    assert values == ["aes-256-gcm", "unavailable"]
    load_key(alpha, "tank/data/secret")
    load_key(vault, there)
    for name in snapshots(lab, "alpha", here):
        assert checksums(vault, f"{there}@{name}") == checksums(alpha, f"{here}@{name}") != ""


def test_what_arrives_below_an_encrypted_filesystem_is_encrypted_by_it_or_by_its_own_key(
    controller: Controller,
) -> None:
    """H97 and Z28; and what was received in the clear gets no raw stream."""
    lab = controller.lab
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    make_encrypted(vault, "backup/alpha")
    make_encrypted(alpha, "tank/data/secret")
    alpha.sh("echo hidden >/tank/data/secret/f")
    hosts = host("alpha") + host("vault")
    controller.specify(hosts + replication())
    controller.converge()

    below = "backup/alpha/tank"
    roots = vault.sh(f"zfs get -H -r -t filesystem -o name,value encryptionroot {below}").stdout
    assert dict(line.split("\t") for line in roots.splitlines()) == {
        below: "backup/alpha",
        f"{below}/data": "backup/alpha",
        f"{below}/data/a b": "backup/alpha",
        f"{below}/data/secret": f"{below}/data/secret",
    }
    [first] = snapshots(lab, "alpha", "tank/data")
    assert checksums(vault, f"{below}/data@{first}") == checksums(alpha, f"tank/data@{first}") != ""

    alpha.sh("echo more >/tank/data/secret/g")
    vault.sh("zfs unmount backup/alpha && zfs unload-key backup/alpha")
    controller.specify(hosts + replication(every="10s"))
    controller.due_again()
    done = controller.apply()
    assert done.code == 4, done.stdout + done.stderr
    assert "zfs load-key backup/alpha there" in done.stdout
    assert len(snapshots(lab, "vault", f"{below}/data")) == 1
    there = snapshots(lab, "vault", f"{below}/data/secret")
    assert there == snapshots(lab, "alpha", "tank/data/secret")
    assert len(there) == 2
    load_key(vault, f"{below}/data/secret")
    for name in there:
        mine = checksums(alpha, f"tank/data/secret@{name}")
        assert checksums(vault, f"{below}/data/secret@{name}") == mine != ""


def test_what_was_received_in_the_clear_gets_no_raw_stream(controller: Controller) -> None:
    """H96."""
    lab = controller.lab
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    make_encrypted(alpha, "tank/data/secret")
    vault.sh("zfs create -p backup/alpha/tank/data")
    there = "backup/alpha/tank/data/secret"
    alpha.sh(
        "zfs snapshot -o reconciler:spec=data tank/data/secret@rec-20260101T000000Z"
        " && zfs send tank/data/secret@rec-20260101T000000Z"
        f" | ssh -p {vault.port} root@{vault.peer_address} zfs receive -u {there}"
    )
    before = snapshots(lab, "vault", there)
    secret = replication(filesystems='"tank/data/secret"', every="10s")
    controller.specify(host("alpha") + host("vault") + secret)
    done = controller.apply("--json")
    assert done.code == 4, done.stdout + done.stderr
    assert "encryption-mismatch" in done.stdout
    assert snapshots(lab, "vault", there) == before
