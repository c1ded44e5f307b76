"""The ways a stream takes, and the accounts it runs under."""

from pathlib import Path

import pytest

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
    alpha.sh(
        "echo passphrase | zfs create -o encryption=on -o keyformat=passphrase tank/data/secret"
        " && zfs create tank/data/secret/child && echo hidden > /tank/data/secret/child/f"
    )
    controller.specify(host("alpha") + host("vault") + replication(every="10s"))
    controller.converge()
    alpha.sh("echo more > /tank/data/secret/child/g; zfs unmount -a; zfs unload-key -a")
    controller.due_again()
    controller.converge()

    name = "backup/alpha/tank/data/secret/child"
    assert snapshots(lab, "vault", name) == snapshots(lab, "alpha", "tank/data/secret/child")
    assert len(snapshots(lab, "vault", name)) == 2
    values = vault.sh(f"zfs get -H -o value encryption,keystatus {name}").stdout.split()
    assert values == ["aes-256-gcm", "unavailable"]
