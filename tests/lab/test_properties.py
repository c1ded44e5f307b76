"""Properties that are handed over, decrypted streams and `where`, on real ZFS."""

from pathlib import Path

import pytest

from tests.lab.contents import ENCRYPTED, SECRET, load_key
from tests.lab.controller import Controller, host, replication, snapshots
from tests.lab.machines import Lab

HOSTS = host("alpha") + host("vault")
DATA, THERE = "tank/data", "backup/alpha/tank/data"


@pytest.fixture
def controller(clean_lab: Lab, tmp_path: Path) -> Controller:
    return Controller(clean_lab, tmp_path)


def specify(controller: Controller, extra: str = "", *, where: str = "") -> None:
    text = replication(every="10s", extra=extra)
    if where:
        text = text.replace("    snapshots:", f"    where: {where}\n    snapshots:")
    controller.specify(HOSTS + text)


def got(lab: Lab, properties: str, name: str = THERE) -> dict[str, str]:
    """Return value and source of properties on vault."""
    said = lab.machines["vault"].sh(f"zfs get -H -p -o property,value,source {properties} '{name}'")
    rows = (line.split("\t") for line in said.stdout.splitlines())
    return {name: f"{value} {source.partition(' ')[0]}" for name, value, source in rows}


def sums(lab: Lab, host: str, path: str) -> list[str]:
    """Return the checksums of the files below a path."""
    said = lab.machines[host].sh(f"cd {path} && find . -type f | sort | xargs -r sha256sum").stdout
    return said.splitlines()


def test_properties_are_handed_over_and_nothing_mounts_shares_or_takes_space(
    controller: Controller,
) -> None:
    lab = controller.lab
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    alpha.sh(
        f"zfs create -o compression=gzip -o atime=off -o recordsize=16K -o quota=1G -o refquota=1G"
        f" -o reservation=2M -o refreservation=1M -o snapshot_limit=100 -o mountpoint=/etc/live"
        f" -o com.example:owner=shop -o reconciler:reconcile=enabled -o reconciler:spec=x {DATA}"
        f" && zfs create -s -V 8M -o copies=2 {DATA}/disk && echo hello >/etc/live/f"
    )
    override = "override: {'com.example:kept': 'by vault', exec: 'off', snapdev: hidden}"
    specify(controller, f"properties: {{send: true, exclude: [recordsize], {override}}}")
    shown = controller.run("plan", "-f", str(controller.specs)).stdout
    assert "with properties but recordsize" in shown
    for _ in range(2):
        controller.converge()
        controller.due_again()

    assert got(lab, "compression,atime,recordsize,com.example:owner,com.example:kept,exec") == {
        "compression": "gzip received",
        "atime": "off received",
        "recordsize": "131072 default",
        "com.example:owner": "shop received",
        "com.example:kept": "by vault local",
        "exec": "off local",
    }
    assert got(lab, "mounted,canmount,readonly,mountpoint,quota,refquota,snapshot_limit") == {
        "mounted": "no -",
        "canmount": "noauto local",
        "readonly": "on local",
        "mountpoint": "none inherited",
        "quota": "0 default",
        "refquota": "0 default",
        "snapshot_limit": "18446744073709551615 default",
    }
    assert got(lab, "reservation,refreservation,reconciler:reconcile,reconciler:spec") == {
        "reservation": "0 default",
        "refreservation": "0 default",
        "reconciler:reconcile": "- -",
        "reconciler:spec": "- -",
    }
    assert got(lab, "copies,snapdev,volmode,readonly", f"{THERE}/disk") == {
        "copies": "2 received",
        "snapdev": "hidden local",
        "volmode": "none local",
        "readonly": "on local",
    }
    marks = vault.sh(f"zfs list -H -t snapshot -o reconciler:spec -r {THERE}").stdout.split()
    assert marks == ["-"] * 4
    assert alpha.sh(f"zfs list -H -t snapshot -o reconciler:spec {DATA}").stdout.split() == [
        *("data", "data")
    ]
    assert snapshots(lab, "vault", THERE) == snapshots(lab, "alpha", DATA)


def test_a_raw_stream_hands_its_properties_over_too(controller: Controller) -> None:
    lab = controller.lab
    lab.machines["alpha"].sh(f"echo {SECRET} | zfs create {ENCRYPTED} -o atime=off {DATA}")
    specify(controller, "properties: {send: true, override: {exec: 'off'}}")
    for _ in range(2):
        controller.converge()
        controller.due_again()
    assert got(lab, "encryption,encryptionroot,keystatus,atime,exec,readonly") == {
        "encryption": "aes-256-gcm -",
        "encryptionroot": f"{THERE} -",
        "keystatus": "unavailable -",
        "atime": "off received",
        "exec": "off local",
        "readonly": "on local",
    }


@pytest.mark.parametrize("own", [False, True], ids=["in clear", "under a key of its own"])
def test_what_is_encrypted_is_sent_decrypted_where_the_spec_says_so(
    controller: Controller,
    own: bool,  # noqa: FBT001
) -> None:
    lab = controller.lab
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    alpha.sh(
        f"echo {SECRET} | zfs create {ENCRYPTED} {DATA} && zfs create {DATA}/kid"
        f" && head -c 300000 /dev/urandom >/{DATA}/kid/a && zfs create -s -V 8M {DATA}/disk"
    )
    if own:
        vault.sh(f"echo {SECRET[::-1]} | zfs create {ENCRYPTED} -o mountpoint=none backup/alpha")
    specify(controller, "encryption: decrypt")
    controller.converge()
    for letter in "bc":
        alpha.sh(f"head -c 100000 /dev/urandom >/{DATA}/kid/{letter}")
        name = f"rec-20260101T00000{ord(letter) - ord('a')}Z"
        alpha.sh(f"zfs snapshot -o reconciler:spec=data {DATA}/kid@{name}")
    controller.due_again()
    controller.converge()

    assert snapshots(lab, "vault", f"{THERE}/kid") == snapshots(lab, "alpha", f"{DATA}/kid")
    assert len(snapshots(lab, "vault", f"{THERE}/kid")) == 4
    root = got(lab, "encryptionroot", f"{THERE}/kid")["encryptionroot"]
    assert root == ("backup/alpha -" if own else "- -")
    vault.sh(f"mkdir /look && mount -t zfs -o ro,zfsutil {THERE}/kid /look")
    assert sums(lab, "vault", "/look") == sums(lab, "alpha", f"/{DATA}/kid")
    assert len(sums(lab, "vault", "/look")) == 3
    vault.sh("umount /look && rmdir /look")

    specify(controller, "encryption: raw")
    before = snapshots(lab, "vault", f"{THERE}/kid")
    raw = controller.apply()
    assert raw.code == 4
    assert "encryption-mismatch" in raw.stdout or "a raw stream can't continue it" in raw.stdout
    assert snapshots(lab, "vault", f"{THERE}/kid") == before

    specify(controller, "encryption: decrypt")
    alpha.sh(f"zfs unmount {DATA}/kid; zfs unmount {DATA}; zfs unload-key {DATA}")
    controller.due_again()
    locked = controller.apply()
    assert locked.code == 4
    assert f"zfs load-key {DATA}" in locked.stdout
    load_key(alpha, DATA)
    controller.converge()
    assert snapshots(lab, "vault", f"{THERE}/kid") == snapshots(lab, "alpha", f"{DATA}/kid")


def test_filesystems_are_selected_by_what_they_have_or_inherit(controller: Controller) -> None:
    lab = controller.lab
    alpha = lab.machines["alpha"]
    alpha.sh(
        f"zfs create -o com.example:backup=true {DATA} && zfs create '{DATA}/a b'"
        f" && zfs create -o com.example:backup=false {DATA}/off && zfs create {DATA}/off/below"
        f" && zfs create -o com.example:backup=true {DATA}/off/on"
    )
    where = "{property: 'com.example:backup', equals: 'true'}"
    specify(controller, where=where)
    controller.converge()
    kept = {name: snapshots(lab, "vault", f"{THERE}{name}") for name in ("", "/a b", "/off/on")}
    assert all(len(found) == 1 for found in kept.values())
    there = lab.machines["vault"].sh(f"zfs list -H -o name -r {THERE}").stdout.splitlines()
    assert there == [THERE, f"{THERE}/a b", f"{THERE}/off", f"{THERE}/off/on"]

    alpha.sh(f"zfs set com.example:backup=no '{DATA}/a b'")
    controller.due_again()
    controller.converge()
    assert snapshots(lab, "vault", f"{THERE}/a b") == kept["/a b"]
    assert snapshots(lab, "alpha", f"{DATA}/a b") == kept["/a b"]
    assert len(snapshots(lab, "vault", THERE)) == 2
    said = controller.run("plan", "-f", str(controller.specs)).stdout
    assert "has not com.example:backup=true" in said
