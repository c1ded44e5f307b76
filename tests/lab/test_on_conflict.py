"""`onConflict` on real ZFS: a receiver is set aside with all it has, or rolled back."""

from pathlib import Path

import pytest

from tests.lab.controller import Controller, host, replication, snapshots
from tests.lab.machines import Lab

HOSTS = host("alpha") + host("vault")
HERE, THERE = "tank/data/b c", "backup/alpha/tank/data/b c"


@pytest.fixture
def controller(clean_lab: Lab, tmp_path: Path) -> Controller:
    """Return a controller whose receiver has a snapshot of its own, newer than the common one."""
    made = Controller(clean_lab, tmp_path)
    clean_lab.machines["alpha"].sh(f"zfs create tank/data && zfs create '{HERE}'")
    made.specify(HOSTS + replication(every="10s"))
    made.converge()
    vault = clean_lab.machines["vault"]
    vault.sh(f"zfs set readonly=off '{THERE}' && zfs set mountpoint=/mine '{THERE}'")
    vault.sh(f"zfs mount '{THERE}' && echo mine >/mine/mine && zfs snapshot '{THERE}@mine'")
    made.due_again()
    return made


def test_what_is_set_aside_keeps_everything_and_a_new_receiver_is_begun(
    controller: Controller,
) -> None:
    lab = controller.lab
    before = snapshots(lab, "vault", THERE)
    controller.specify(HOSTS + replication(every="1d", extra="onConflict: stop"))
    assert controller.apply().code == 4
    assert snapshots(lab, "vault", THERE) == before
    controller.specify(HOSTS + replication(every="10s", extra="onConflict: setAside"))
    controller.converge()
    names = lab.machines["vault"].sh("zfs list -H -o name -r backup/alpha/tank/data").stdout
    (aside,) = (name for name in names.splitlines() if ".aside-" in name)

    assert snapshots(lab, "vault", aside).items() >= before.items()
    assert lab.machines["vault"].sh("cat /mine/mine").stdout == "mine\n"
    here = snapshots(lab, "alpha", HERE)
    assert snapshots(lab, "vault", THERE).items() == here.items()
    controller.specify(HOSTS + replication(every="1d", extra="onConflict: setAside"))
    controller.converge()
    assert controller.plan().document["actions"] == []


def test_what_is_rolled_back_goes_on_from_the_common_version(controller: Controller) -> None:
    lab = controller.lab
    vault = lab.machines["vault"]
    vault.sh(f"zfs hold keep '{THERE}@mine'")
    controller.specify(HOSTS + replication(every="10s", extra="onConflict: rollback"))
    blocked = controller.apply()
    assert blocked.code == 4
    assert "@mine is held" in blocked.stdout
    assert "mine" in snapshots(lab, "vault", THERE)

    vault.sh(f"zfs release keep '{THERE}@mine'; echo more >/mine/more")
    controller.due_again()
    done = controller.converge()
    assert "rollback" in done.stdout
    assert snapshots(lab, "vault", THERE).items() == snapshots(lab, "alpha", HERE).items()
    assert vault.sh("ls /mine").stdout == ""


def test_what_was_only_written_to_is_rolled_back_without_any_snapshot_going(
    controller: Controller,
) -> None:
    lab = controller.lab
    vault = lab.machines["vault"]
    vault.sh(f"zfs destroy '{THERE}@mine'")
    before = snapshots(lab, "vault", THERE)
    controller.specify(HOSTS + replication(every="10s", extra="onConflict: rollback"))
    controller.converge()

    after = snapshots(lab, "vault", THERE)
    assert before.items() < after.items()
    assert after.items() == snapshots(lab, "alpha", HERE).items()
    assert vault.sh("ls /mine").stdout == ""
