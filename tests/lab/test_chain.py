"""A chain on real ZFS: alpha → vault → beta, each leg with rules of its own."""

from pathlib import Path

import pytest

from tests.lab.contents import checksums
from tests.lab.controller import Controller, host, replication, snapshots
from tests.lab.machines import Lab

HERE = "tank/data"
MIDDLE = f"backup/alpha/{HERE}"
END = f"tank/far/vault/{MIDDLE}"
ONWARD = """---
apiVersion: reconciler/v1alpha1
kind: Replication
metadata: {name: onward}
spec:
  source:
    host: vault
    filesystems: ["backup/alpha/**"]
    snapshots: {received: true}
  targets:
    - host: beta
      under: tank/far/{host}
      keep: {last: 4}
"""


@pytest.fixture
def controller(clean_lab: Lab, tmp_path: Path) -> Controller:
    return Controller(clean_lab, tmp_path)


TAKE = f"zfs snapshot -o reconciler:spec=data {HERE}@$(date -u +rec-%Y%m%dT%H%M%SZ)"


def test_the_middle_keeps_what_the_end_starts_from_until_that_is_back(
    controller: Controller,
) -> None:
    lab = controller.lab
    alpha = lab.machines["alpha"]
    alpha.sh(f"zfs create {HERE} && head -c 3000000 /dev/urandom >/{HERE}/x")
    first = replication(keep="{last: 1}", target_keep="{last: 1}")
    controller.specify(host("alpha") + host("vault") + host("beta") + first + ONWARD)
    assert controller.modes() == {HERE: "full", MIDDLE: "full"}
    [base] = snapshots(lab, "vault", MIDDLE).values()
    assert list(snapshots(lab, "beta", END).values()) == [base]

    lab.disconnect("beta")
    alpha.sh(f"echo 1 >/{HERE}/count; {TAKE}")
    away = controller.apply()
    assert away.code == 3, away.stdout + away.stderr
    [(name, newest)] = snapshots(lab, "alpha", HERE).items()
    assert list(snapshots(lab, "vault", MIDDLE).values()) == [base, newest]
    lab.reconnect("beta")

    assert controller.modes() == {MIDDLE: "incremental"}
    assert list(snapshots(lab, "vault", MIDDLE).values()) == [newest]
    assert list(snapshots(lab, "beta", END).values()) == [base, newest]
    content = checksums(alpha, f"{HERE}@{name}")
    assert content == checksums(lab.machines["beta"], f"{END}@{name}") != ""
