"""Sources that are cloned, renamed or gone, on real ZFS."""

import time
from pathlib import Path

import pytest

from tests.lab.controller import Controller, host, replication, snapshots
from tests.lab.machines import Lab

HOSTS = host("alpha") + host("vault")
THERE = "backup/alpha/tank/data"
GRACE = 5
"""Seconds after which a receiver goes whose source is gone."""


@pytest.fixture
def controller(clean_lab: Lab, tmp_path: Path) -> Controller:
    """Return a controller that has replicated tank/data and tank/data/b c."""
    made = Controller(clean_lab, tmp_path)
    alpha = clean_lab.machines["alpha"]
    alpha.sh("zfs create tank/data && zfs create 'tank/data/b c'")
    alpha.sh("head -c 4000000 /dev/urandom > '/tank/data/b c/x'")
    made.specify(HOSTS + replication(every="10s"))
    made.converge()
    return made


def test_a_clone_arrives_as_a_clone_with_its_files(controller: Controller) -> None:
    lab = controller.lab
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    newest = list(snapshots(lab, "alpha", "tank/data/b c"))[-1]
    alpha.sh(f"zfs clone 'tank/data/b c@{newest}' tank/data/a && echo more > /tank/data/a/y")
    controller.due_again()
    controller.converge()
    origin = vault.sh(f"zfs get -H -o value origin {THERE}/a").stdout

    assert origin == f"{THERE}/b c@{newest}\n"
    assert snapshots(lab, "vault", f"{THERE}/a") == snapshots(lab, "alpha", "tank/data/a")
    vault.sh(f"zfs set mountpoint=/looked {THERE}/a && zfs mount {THERE}/a")
    sums = "sha256sum x y"
    assert vault.sh(f"cd /looked && {sums}").stdout == alpha.sh(f"cd /tank/data/a && {sums}").stdout
    alpha.sh("echo still more > /tank/data/a/z")
    controller.due_again()
    controller.converge()
    assert snapshots(lab, "vault", f"{THERE}/a").items() >= (
        snapshots(lab, "alpha", "tank/data/a").items()
    )


def test_what_was_renamed_goes_on_after_the_remedy(controller: Controller) -> None:
    lab = controller.lab
    lab.machines["alpha"].sh("zfs rename 'tank/data/b c' tank/data/new")
    controller.due_again()
    blocked = controller.apply()
    (conflict,) = controller.plan().document["conflicts"]
    guid = lab.machines["vault"].sh(f"zfs get -H -o value guid '{THERE}/b c'").stdout

    assert blocked.code == 4
    assert conflict["code"] == "source-renamed"
    lab.machines["vault"].sh(f"zfs rename '{THERE}/b c' {THERE}/new")
    controller.due_again()
    controller.converge()
    assert lab.machines["vault"].sh(f"zfs get -H -o value guid {THERE}/new").stdout == guid
    assert snapshots(lab, "vault", f"{THERE}/new").items() >= (
        snapshots(lab, "alpha", "tank/data/new").items()
    )


def test_a_renamed_pool_goes_on_after_the_remedy(controller: Controller) -> None:
    lab = controller.lab
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    before = snapshots(lab, "vault", f"{THERE}/b c")
    rename = "cd / && zpool export {} && zpool import -d /dev/vdb1 {} {}"
    alpha.sh(rename.format("tank", "tank", "moved"))
    try:
        controller.specify(HOSTS + replication(every="10s", filesystems='"moved/data/**"'))
        controller.due_again()
        blocked = controller.apply()
        conflicts = controller.plan().document["conflicts"]
        assert blocked.code == 4, blocked.stdout
        assert {conflict["code"] for conflict in conflicts} == {"source-renamed"}
        remedy, *_ = {conflict["remedy"].partition(" on vault")[0] for conflict in conflicts}
        assert remedy == "zfs rename backup/alpha/tank backup/alpha/moved"

        vault.sh(remedy)
        controller.due_again()
        assert set(controller.modes().values()) == {"incremental"}
        after = snapshots(lab, "vault", "backup/alpha/moved/data/b c")
        assert after.items() > before.items()
    finally:
        alpha.sh(rename.format("moved", "moved", "tank"))


def test_what_is_gone_for_long_enough_goes_when_a_person_says_so(controller: Controller) -> None:
    lab = controller.lab
    vault = lab.machines["vault"]
    lab.machines["alpha"].sh("zfs destroy -r 'tank/data/b c'")
    controller.specify(
        HOSTS + replication(every="1d", extra=f"onSourceGone: {{destroyAfter: {GRACE}s}}")
    )
    controller.apply()
    value = vault.sh(f"zfs get -H -o value reconciler:gone-since '{THERE}/b c'").stdout
    time.sleep(GRACE + 1)
    stopped = controller.apply()

    assert value.endswith(f"Z {THERE}/b c\n")
    assert stopped.code == 4
    assert snapshots(lab, "vault", f"{THERE}/b c")
    vault.sh(
        f"zfs bookmark '{THERE}/b c@{next(iter(snapshots(lab, 'vault', THERE + '/b c')))}'"
        f" '{THERE}/b c#theirs'"
    )
    controller.apply("--allow-destroy", "data")
    assert vault.sh(f"zfs list -H -o name '{THERE}/b c'").stdout == f"{THERE}/b c\n"
    vault.sh(f"zfs destroy '{THERE}/b c#theirs'")
    done = controller.apply("--allow-destroy", "data")
    assert done.code == 0
    names = vault.sh("zfs list -H -o name -r backup").stdout.splitlines()
    assert f"{THERE}/b c" not in names
    assert THERE in names
