"""The main job: nested filesystems, a volume and a name with a space, from two senders to one
vault, first in full and then incrementally, with what the keep rules ask for on both sides."""

import hashlib
from pathlib import Path

import pytest

from tests.lab.contents import checksums, volume_checksum, volume_device
from tests.lab.controller import Controller, host, replication, snapshots, versions
from tests.lab.machines import Lab

HOSTS = host("alpha") + host("beta") + host("vault")
SPACED = "tank/data/www/my site"
ALPHA = ["tank/data", "tank/data/www", SPACED, "tank/data/vol"]
BETA = ["tank/data", "tank/data/db"]


@pytest.fixture
def controller(clean_lab: Lab, tmp_path: Path) -> Controller:
    return Controller(clean_lab, tmp_path)


def fill(lab: Lab) -> None:
    """Put filesystems with data on both senders."""
    lab.machines["alpha"].sh(
        "zfs create tank/data && zfs create tank/data/www && zfs create 'tank/data/www/my site'"
        " && zfs create -V 8M tank/data/vol"
        " && head -c 300000 /dev/urandom > /tank/data/a"
        " && head -c 2000000 /dev/urandom > /tank/data/www/b"
        " && cd /tank/data/www && head -c 600000 /dev/urandom | split -a 3 -d -b 600 - small"
        " && echo hello > '/tank/data/www/my site/in dex'"
        f" && {volume_device('tank/data/vol')}"
        ' && head -c 1000000 /dev/urandom | dd of="$device" bs=64k conv=fsync status=none'
    )
    lab.machines["beta"].sh(
        "zfs create tank/data && zfs create tank/data/db"
        " && head -c 500000 /dev/urandom > /tank/data/db/rows"
    )


def test_two_senders_to_one_vault_full_then_incremental(controller: Controller) -> None:
    lab = controller.lab
    fill(lab)
    controller.specify(HOSTS + replication() + "---" + replication(name="beta", source="beta"))

    first = controller.plan()
    assert first.code == 0, first.stderr
    assert first.verbs.count("send") == 6
    assert first.verbs.count("snapshot") == 2
    controller.converge()

    for sender, filesystems in (("alpha", ALPHA), ("beta", BETA)):
        for filesystem in filesystems:
            there = snapshots(lab, "vault", f"backup/{sender}/{filesystem}")
            assert there == snapshots(lab, sender, filesystem)
            assert len(there) == 1
    second = controller.plan("--detailed-exitcode")
    assert second.document["actions"] == []
    assert second.code == 0
    assert "Nothing to do" in controller.apply().stdout

    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    alpha.sh(
        f"echo more >> '/{SPACED}/in dex'; cd /tank/data/www && head -c 100000 /dev/urandom > c"
        " && rm small1?? && echo more | tee -a small2?? >/dev/null && mv small300 'sm all'"
    )
    controller.specify(HOSTS + replication(every="10s"))
    controller.due_again()
    assert {a["mode"] for a in controller.plan().document["actions"] if a["action"] == "send"} == {
        "incremental"
    }
    controller.converge()

    for filesystem in ALPHA:
        there = snapshots(lab, "vault", f"backup/alpha/{filesystem}")
        assert there == snapshots(lab, "alpha", filesystem)
        assert len(there) == 2
        for name in there:
            here_name, there_name = f"{filesystem}@{name}", f"backup/alpha/{filesystem}@{name}"
            read = volume_checksum if filesystem.endswith("/vol") else checksums
            assert read(vault, there_name) == read(alpha, here_name)
    assert checksums(vault, f"backup/alpha/tank/data/www@{min(there)}").count("/small") == 1000
    content = checksums(vault, f"backup/alpha/{SPACED}@{max(there)}")
    assert content.startswith(hashlib.sha256(b"hello\nmore\n").hexdigest())


def test_what_is_received_is_neither_mounted_nor_writable_nor_reserves_space(
    controller: Controller,
) -> None:
    lab = controller.lab
    fill(lab)
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    alpha.sh("zfs set mountpoint=/srv/www quota=100M refreservation=20M tank/data/www")
    controller.specify(HOSTS + replication())
    controller.converge()

    received = vault.sh(
        "zfs get -H -o property,value mounted,canmount,readonly,quota,refreservation,mountpoint"
        " backup/alpha/tank/data/www"
    ).stdout.splitlines()
    assert dict(line.split("\t") for line in received) == {
        "mounted": "no",
        "canmount": "noauto",
        "readonly": "on",
        "quota": "none",
        "refreservation": "none",
        "mountpoint": "none",
    }
    parents = vault.sh("zfs get -H -o value canmount,mounted backup/alpha backup/alpha/tank")
    assert parents.stdout.split() == ["off", "no", "off", "no"]
    holds = vault.sh("zfs list -H -o name -t snapshot -r backup | xargs -d '\\n' zfs holds -H")
    assert len(holds.stdout.splitlines()) == len(ALPHA)
    assert (
        "refreservation\tnone"
        in vault.sh("zfs get -H -o property,value refreservation backup/alpha/tank/data/vol").stdout
    )


def test_a_snapshot_destroyed_on_the_sender_is_followed_by_an_incremental_from_the_bookmark(
    controller: Controller,
) -> None:
    lab = controller.lab
    lab.machines["alpha"].sh("zfs create tank/data && head -c 100000 /dev/urandom > /tank/data/a")
    controller.specify(HOSTS + replication())
    controller.converge()
    [first] = snapshots(lab, "alpha", "tank/data")

    lab.machines["alpha"].sh(f"zfs destroy tank/data@{first}; echo new > /tank/data/new")
    controller.specify(HOSTS + replication(every="10s"))
    controller.due_again()
    [send] = [a for a in controller.plan().document["actions"] if a["action"] == "send"]
    assert send["mode"] == "incremental"
    assert send["from"]["kind"] == "bookmark"
    controller.converge()

    [second] = snapshots(lab, "alpha", "tank/data")
    there = snapshots(lab, "vault", "backup/alpha/tank/data")
    assert list(there) == [first, second]
    assert checksums(lab.machines["vault"], f"backup/alpha/tank/data@{second}") == checksums(
        lab.machines["alpha"], f"tank/data@{second}"
    )
    cursors = [v for v in versions(lab, "alpha", "tank/data") if v.startswith("#")]
    assert len(cursors) == 1
    assert cursors[0].endswith(f"{there[second]:016x}")


def test_each_side_keeps_exactly_what_its_rules_say(controller: Controller) -> None:
    lab = controller.lab
    alpha = lab.machines["alpha"]
    alpha.sh("zfs create tank/data && zfs snapshot tank/data@manual")
    days = [f"2026010{day}T{hour}0000Z" for day in (1, 2, 3) for hour in ("08", "20")]
    takes = "; ".join(
        f"date -u -s '{day[:4]}-{day[4:6]}-{day[6:8]} {day[9:11]}:00:00' >/dev/null;"
        f" echo {day} > /tank/data/day; zfs snapshot -o reconciler:spec=data tank/data@rec-{day}"
        for day in days
    )
    alpha.sh(f"touch /run/own-clock; {takes}; rm /run/own-clock")
    alpha.set_clock()
    rules = {"keep": "{last: 2}", "target_keep": "{daily: 3}"}
    controller.specify(HOSTS + replication(**rules))
    controller.converge()

    here = list(snapshots(lab, "alpha", "tank/data"))
    there = list(snapshots(lab, "vault", "backup/alpha/tank/data"))
    today = here[-1]
    assert here == ["manual", "rec-20260103T200000Z", today]
    assert there == ["rec-20260102T200000Z", "rec-20260103T200000Z", today]
    assert controller.plan().document["actions"] == []

    controller.specify(HOSTS + replication(every="10s", **rules))
    controller.due_again()
    expired = [
        (a["host"], v["name"], a["reason"]["message"])
        for a in controller.plan().document["actions"]
        if a["action"] == "destroy"
        for v in a["versions"]
        if v["kind"] == "snapshot"
    ]
    assert ("vault", today, "no rule keeps it: daily 1 keeps @") in [
        (h, v, m[: len("no rule keeps it: daily 1 keeps @")]) for h, v, m in expired
    ]
    assert ("alpha", "rec-20260103T200000Z", "no rule keeps it: beyond last 2") in expired
    controller.converge()

    here = list(snapshots(lab, "alpha", "tank/data"))
    there = list(snapshots(lab, "vault", "backup/alpha/tank/data"))
    assert here[:2] == ["manual", today]
    assert len(here) == 3
    assert there == ["rec-20260102T200000Z", "rec-20260103T200000Z", here[-1]]


def test_a_diverged_receiver_is_a_conflict_with_evidence_and_stays_untouched(
    controller: Controller,
) -> None:
    lab = controller.lab
    lab.machines["alpha"].sh("zfs create tank/data && zfs create tank/data/ok")
    controller.specify(HOSTS + replication())
    controller.converge()
    receiver = "backup/alpha/tank/data"
    lab.machines["vault"].sh(f"zfs snapshot {receiver}@manual")
    before = versions(lab, "vault", receiver), versions(lab, "alpha", "tank/data")

    controller.specify(HOSTS + replication(every="10s", keep="{last: 1}", target_keep="{last: 1}"))
    controller.due_again()
    plan = controller.plan()
    assert plan.code == 4
    [conflict] = plan.document["conflicts"]
    assert (conflict["host"], conflict["filesystem"]) == ("vault", receiver)
    assert conflict["code"] == "diverged"
    assert any(f"@manual (guid {before[0]['@manual']})" in line for line in conflict["evidence"])
    assert "zfs rollback" in conflict["remedy"]
    done = controller.apply()
    assert done.code == 4, done.stdout + done.stderr

    assert versions(lab, "vault", receiver) == before[0]
    here = versions(lab, "alpha", "tank/data")
    assert before[1].items() <= here.items()
    beside = snapshots(lab, "alpha", "tank/data/ok")
    assert beside == snapshots(lab, "vault", f"{receiver}/ok")
    assert list(beside) == [max(snapshots(lab, "alpha", "tank/data"))]


def test_an_excluded_child_gets_no_snapshot_and_a_read_only_source_does(
    controller: Controller,
) -> None:
    """H17 and H28, in one transaction group."""
    lab = controller.lab
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    alpha.sh(
        "zfs create tank/data && zfs create tank/data/old && echo one >/tank/data/old/one"
        " && zfs set readonly=on tank/data/old && zfs create tank/data/cache"
        " && zfs create tank/data/cache/below"
    )
    controller.specify(HOSTS + replication(filesystems='"tank/data/**", "!tank/data/cache/**"'))
    controller.converge()

    listed = "zfs list -Hp -t snapshot -o name,createtxg -r tank/data"
    taken = dict(line.split("\t") for line in alpha.sh(listed).stdout.splitlines())
    assert {name.partition("@")[0] for name in taken} == {"tank/data", "tank/data/old"}
    assert len(set(taken.values())) == 1
    [name] = snapshots(lab, "vault", "backup/alpha/tank/data/old")
    there = f"backup/alpha/tank/data/old@{name}"
    assert checksums(vault, there) == checksums(alpha, f"tank/data/old@{name}") != ""
