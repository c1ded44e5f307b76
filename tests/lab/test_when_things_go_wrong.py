"""Dead controllers, dead hosts, and other people's hands: nothing is lost, and apply goes on."""

import re
from pathlib import Path

import pytest

from tests.lab.contents import checksums
from tests.lab.controller import (
    Controller,
    host,
    replication,
    snapshots,
    versions,
)
from tests.lab.machines import Lab

HOSTS = host("alpha") + host("vault")
RULES = {"keep": "{last: 1}", "target_keep": "{last: 2}"}


@pytest.fixture
def controller(clean_lab: Lab, tmp_path: Path) -> Controller:
    return Controller(clean_lab, tmp_path)


def common(lab: Lab) -> set[int]:
    """Return the guids that both ends have, as snapshot or as the sender's bookmark."""
    here = versions(lab, "alpha", "tank/data")
    return set(here.values()) & set(snapshots(lab, "vault", "backup/alpha/tank/data").values())


@pytest.mark.parametrize("half", [0, 1])
def test_a_controller_killed_at_each_boundary_leaves_a_way_on(
    controller: Controller, half: int
) -> None:
    """One round for each number of finished actions; a round has 7 to 9 actions."""
    lab = controller.lab
    lab.machines["alpha"].sh("zfs create tank/data && echo 0 > /tank/data/round")
    controller.specify(HOSTS + replication(every="10s", **RULES))
    controller.converge()
    for finished in range(half, 10, 2):
        assert common(lab)
        lab.machines["alpha"].sh(f"echo {finished} > /tank/data/round")
        controller.specify(HOSTS + replication(every="10s", **RULES))
        controller.due_again()
        events = controller.kill_when(
            lambda events, wanted=finished: _done(events) >= wanted and _begun(events)  # type: ignore[misc]
        )
        assert common(lab), f"after {finished} actions: {events[-1]}"
        controller.specify(HOSTS + replication(every="1d", **RULES))
        controller.converge()
        assert common(lab)
        assert len(versions(lab, "alpha", "tank/data")) == 2
        holds = lab.machines["alpha"].sh(
            "zfs list -H -o name -t snapshot -r tank | xargs zfs holds -H"
        )
        assert holds.stdout == ""
    assert controller.plan().document["actions"] == []


def _done(events: list[dict[str, object]]) -> int:
    return sum(event["type"] == "action_complete" for event in events)


def _begun(events: list[dict[str, object]]) -> bool:
    return any(event["type"] == "action_start" for event in events)


def test_an_unreachable_vault_stops_neither_snapshots_nor_loses_anything(
    controller: Controller,
) -> None:
    lab = controller.lab
    lab.machines["alpha"].sh("zfs create tank/data")
    controller.specify(HOSTS + replication(every="10s", **RULES))
    controller.converge()
    before = versions(lab, "alpha", "tank/data")

    lab.disconnect("vault")
    controller.due_again()
    done = controller.apply()
    assert done.code == 3, done.stdout + done.stderr
    assert "vault" in done.stdout
    controller.due_again()
    done = controller.apply()
    assert done.code == 3
    lab.reconnect("vault")

    here = versions(lab, "alpha", "tank/data")
    assert before.items() <= here.items()
    assert len(here) == len(before) + 2
    assert common(lab)
    controller.specify(HOSTS + replication(every="1d", **RULES))
    assert controller.modes() == {"tank/data": "incremental"}
    here = snapshots(lab, "alpha", "tank/data")
    assert len(here) == 1
    assert here.items() <= snapshots(lab, "vault", "backup/alpha/tank/data").items()


def test_a_full_receiver_gets_room_by_shorter_rules_and_the_stream_goes_on(
    controller: Controller,
) -> None:
    lab = controller.lab
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    write = (
        "head -c {}M /dev/urandom >/tank/data/x; zfs snapshot -o reconciler:spec=data tank/data@"
    )
    alpha.sh("zfs create -o compression=off tank/data")
    alpha.sh(f"{write.format(12)}rec-20260101T000000Z; {write.format(6)}rec-20260102T000000Z")
    controller.specify(HOSTS + replication())
    controller.converge()
    there = snapshots(lab, "vault", "backup/alpha/tank/data")
    assert len(there) == 3
    free = int(vault.sh("zpool sync; zfs get -Hp -o value available backup").stdout)
    vault.sh(f"zfs create -o reservation={free - 2 * 2**20} backup/full")

    alpha.sh(f"{write.format(6)}$(date -u +rec-%Y%m%dT%H%M%SZ)")
    full = controller.apply()
    assert full.code != 0
    assert "space" in full.stdout + full.stderr
    assert snapshots(lab, "vault", "backup/alpha/tank/data") == there
    controller.specify(HOSTS + replication(target_keep="{last: 1}"))
    room = controller.apply()
    assert there.keys() > snapshots(lab, "vault", "backup/alpha/tank/data").keys()
    if room.code:  # ZFS frees the blocks some transaction groups later
        vault.sh("zpool wait -t free backup; zpool sync; zpool sync; zpool sync")
        controller.converge()
    newest = list(snapshots(lab, "alpha", "tank/data").values())[-1]
    assert list(snapshots(lab, "vault", "backup/alpha/tank/data").values()) == [newest]


def test_a_receiver_that_was_left_out_for_longer_than_the_source_keeps_gets_an_increment(
    controller: Controller,
) -> None:
    """Nothing is left of the base but its bookmark, and the other target has gone on."""
    lab = controller.lab
    alpha, vault = lab.machines["alpha"], lab.machines["vault"]
    alpha.sh("zfs create tank/data && echo 0 >/tank/data/first")
    here = f"- {{host: alpha, under: tank/copies, keep: {RULES['target_keep']}}}"
    both = replication(every="10s", **RULES) + f"    {here}\n"
    alone = re.sub(r"- host: vault(.|\n)*", f"{here}\n", both)
    controller.specify(HOSTS + both)
    controller.converge()
    [base] = snapshots(lab, "alpha", "tank/data").values()
    controller.specify(HOSTS + alone)
    for count in range(2):
        alpha.sh(f"echo {count} >/tank/data/count")
        controller.due_again()
        controller.converge()
    assert base not in snapshots(lab, "alpha", "tank/data").values()

    controller.specify(HOSTS + both.replace("10s", "1d"))
    assert controller.modes() == {"tank/data": "incremental"}
    [(name, guid)] = snapshots(lab, "alpha", "tank/data").items()
    assert list(snapshots(lab, "vault", "backup/alpha/tank/data").values()) == [base, guid]
    content = checksums(vault, f"backup/alpha/tank/data@{name}")
    assert content == checksums(alpha, f"tank/data@{name}") != ""


def test_a_snapshot_recreated_under_its_name_between_plan_and_apply_survives(
    controller: Controller,
) -> None:
    lab = controller.lab
    alpha = lab.machines["alpha"]
    alpha.sh("zfs create tank/data")
    for day in ("20260101", "20260102"):
        alpha.sh(f"zfs snapshot -o reconciler:spec=data tank/data@rec-{day}T000000Z")
    controller.specify(HOSTS + replication(every="1d", **RULES))
    controller.converge()
    alpha.sh("zfs snapshot -o reconciler:spec=data tank/data@rec-20260103T000000Z")
    controller.specify(HOSTS + replication(every="10s", **RULES))
    controller.due_again()
    saved = str(controller.folder / "plan.json")
    planned = controller.plan("--out", saved)
    assert planned.code == 0

    # While the plan is executed: recreate a doomed snapshot as soon as no stream starts from it.
    doomed = [
        v["name"]
        for a in planned.document["actions"]
        if a["action"] == "destroy" and a["host"] == "alpha"
        for v in a["versions"]
        if v["kind"] == "snapshot"
    ]
    assert doomed
    victim = f"tank/data@{doomed[0]}"
    recreate = f"zfs destroy '{victim}' && zfs snapshot -o reconciler:spec=data '{victim}'"

    done = controller.disturbed(
        lambda events: events[-1]["type"] == "action_complete" and "send:" in events[-1]["id"],
        lambda: alpha.sh(recreate),
        saved,
    )
    said = "\n".join(event["@message"] for event in done.events)
    assert re.search(r"guid|not the version", said), said
    assert doomed[0] in snapshots(lab, "alpha", "tank/data")


def test_a_saved_plan_is_refused_once_the_hosts_or_the_specs_have_changed(
    controller: Controller,
) -> None:
    lab = controller.lab
    lab.machines["alpha"].sh("zfs create tank/data")
    controller.specify(HOSTS + replication(every="1d"))
    saved = str(controller.folder / "plan.json")
    assert controller.plan("--out", saved).code == 0

    controller.specify(HOSTS + replication(every="2d"))
    refused = controller.run("apply", saved, "-f", str(controller.specs))
    assert refused.code == 1
    assert "specs" in refused.stderr

    controller.specify(HOSTS + replication(every="1d"))
    lab.machines["alpha"].sh("zfs create tank/data/new")
    refused = controller.run("apply", saved, "-f", str(controller.specs))
    assert refused.code == 1
    assert "tank/data/new" in refused.stderr
    assert snapshots(lab, "alpha", "tank/data") == {}

    lab.machines["alpha"].sh("zfs destroy tank/data/new")
    done = controller.run("apply", saved, "-f", str(controller.specs))
    assert done.code == 0, done.stdout + done.stderr
    assert len(snapshots(lab, "vault", "backup/alpha/tank/data")) == 1
