"""zrepl's receivers are taken over: from what it left, by an incremental stream, on hosts."""

from dataclasses import replace
from functools import cache

import pytest

from reconciler.actions import Send, SendMode
from reconciler.desired.model import Encryption
from reconciler.importing.zrepl_specs import Known
from reconciler.planner.plan import Plan
from reconciler.simulator.model import Dataset
from tests.support.shown import conflicts, notes
from tests.support.stage import Controller, Stage
from tests.support.zrepl import Zrepl, imported

PUSH = """
jobs:
  - name: prod_to_vault
    type: push
    connect: {type: tcp, address: "vault:8888"}
    filesystems: {"tank/www<": true, "tank/www/cache": false}
    snapshotting: {type: periodic, interval: 15m, prefix: zrepl_}
    pruning:
      keep_sender: [{type: not_replicated}, {type: last_n, count: 1}]
      keep_receiver: [{type: last_n, count: 1}]
"""
SPECS = imported(
    PUSH,
    Known(host="alpha"),
    "backup/sink/prod",
)
WWW, THERE = "tank/www", "backup/sink/prod/tank/www"
LEFT = 900


@cache
def _stage() -> tuple[Stage, str]:
    """Return hosts between which zrepl has replicated twice, and the name of its cursor."""
    made = Stage(["alpha", "vault"])
    zrepl = Zrepl(made, "alpha", "vault", "backup/sink/prod", "prod_to_vault")
    made.sh("alpha", "zpool create tank disk", f"zfs create {WWW}", f"zfs create {WWW}/docs")
    made.sh("vault", "zpool create backup disk", "zfs create backup/sink")
    for number in range(2):
        for filesystem in (WWW, f"{WWW}/docs"):
            zrepl.do("alpha", f"write {filesystem} file{number} 1M")
            zrepl.replicate(zrepl.snapshot(filesystem))
        made.now += LEFT
    made.changes.clear()
    return made, zrepl.mark(zrepl.last[WWW]).partition("#")[2]


def stage() -> Stage:
    return _stage()[0].copy()


def sends(plan: Plan) -> dict[str, Send]:
    found = [p.action for p in plan.actions if isinstance(p.action, Send)]
    return {send.filesystem: send for send in found}


def received(made: Stage, name: str = THERE) -> Dataset:
    return made.world["vault"].datasets[name]


def tags(made: Stage, host: str, filesystem: str) -> set[str]:
    snapshots = made.world[host].datasets[filesystem].snapshots
    return {tag for snapshot in snapshots for tag in snapshot.holds}


def names(made: Stage, host: str, filesystem: str) -> list[str]:
    return [snapshot.name for snapshot in made.world[host].datasets[filesystem].snapshots]


def test_what_zrepl_has_replicated_goes_on_incrementally() -> None:
    made = stage()
    before = received(made)
    plan = Controller(made, SPECS).plan()

    assert conflicts(plan) == []
    assert {fs: send.mode for fs, send in sends(plan).items()} == {
        WWW: SendMode.INCREMENTAL,
        f"{WWW}/docs": SendMode.INCREMENTAL,
    }
    assert all(send.base and "zrepl_" in send.base.name for send in sends(plan).values())
    assert Controller(made, SPECS).apply() is not None
    assert received(made).guid == before.guid
    assert names(made, "vault", THERE)[-1].endswith("Z")
    assert Controller(made, SPECS).plan().actions == ()


def test_zrepls_cursor_is_the_base_when_its_snapshot_is_gone_on_the_sender() -> None:
    made = stage()
    for name in names(made, "alpha", WWW):
        made.sh("alpha", f"zfs destroy {WWW}@{name}")
    assert names(made, "alpha", WWW) == []
    base = sends(Controller(made, SPECS).plan())[WWW].base

    assert base is not None
    assert base.name == _stage()[1]
    Controller(made, SPECS).apply()
    assert len(names(made, "vault", THERE)) == 3
    assert Controller(made, SPECS).plan().actions == ()


def test_nothing_of_zrepls_is_destroyed_or_released_on_either_end() -> None:
    made = stage()
    left = {(h, f): names(made, h, f) for h, f in (("alpha", WWW), ("vault", THERE))}
    made.sh("alpha", f"zfs hold zrepl_STEP_J_prod_to_vault {WWW}@{left['alpha', WWW][0]}")
    for _ in range(4):
        Controller(made, SPECS).apply()
        made.now += LEFT

    for (host, filesystem), old in left.items():
        assert names(made, host, filesystem)[: len(old)] == old
        assert len(names(made, host, filesystem)) == len(old) + 1, "ours are kept by `last: 1`"
    assert "zrepl_last_received_J_sink" in tags(made, "vault", THERE)
    assert "zrepl_STEP_J_prod_to_vault" in tags(made, "alpha", WWW)
    assert _stage()[1] in {mark.name for mark in made.world["alpha"].datasets[WWW].bookmarks}


def test_what_zrepl_left_is_told_with_the_command_that_removes_it() -> None:
    plan = Controller(stage(), SPECS).plan()

    sender, receiver = notes(plan)
    assert sender.startswith(f"notice: alpha {WWW} and 1 more: zrepl left holds or bookmarks")
    assert f"(#{_stage()[1]})" in sender
    assert receiver.startswith(f"notice: vault {THERE} and 1 more: ")
    assert "(zrepl_last_received_J_sink)" in receiver
    assert all("`zrepl zfs-abstraction release-all` there removes" in note for note in notes(plan))


def test_nothing_is_told_once_it_is_removed() -> None:
    made = stage()
    Controller(made, SPECS).apply()
    for fs in (WWW, f"{WWW}/docs"):
        for mark in made.world["alpha"].datasets[fs].bookmarks:
            if mark.name.startswith("zrepl_"):
                made.sh("alpha", f"zfs destroy {fs}#{mark.name}")
        for name in names(made, "vault", f"backup/sink/prod/{fs}"):
            made.sh("vault", f"zfs release zrepl_last_received_J_sink backup/sink/prod/{fs}@{name}")

    after = Controller(made, SPECS).plan()
    assert (notes(after), after.actions) == ([], ())


def test_a_placeholder_of_zrepls_is_a_parent_like_any_other() -> None:
    made = stage()
    placeholder = received(made, "backup/sink/prod/tank")
    assert placeholder.local["zrepl:placeholder"] == "on"
    made.sh("alpha", f"zfs create {WWW}/new")
    Controller(made, SPECS).apply()

    assert received(made, f"{THERE}/new").snapshots
    assert received(made, "backup/sink/prod/tank") == placeholder


def test_a_receiver_that_is_a_placeholder_of_zrepls_is_a_conflict_that_keeps_its_children() -> None:
    made = stage()
    wider = imported(
        PUSH.replace('"tank/www<": true', '"tank<": true'),
        Known(host="alpha"),
        "backup/sink/prod",
    )
    (conflict,) = Controller(made, wider).plan().conflicts

    assert (conflict.filesystem, conflict.code) == (
        "backup/sink/prod/tank",
        "receiver-without-snapshots",
    )
    assert "rename its children back below it" in conflict.remedy


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_receive_of_zrepls_that_was_cut_is_given_up_and_the_way_goes_on(share: float) -> None:
    made = stage()
    zrepl = Zrepl(made, "alpha", "vault", "backup/sink/prod", "prod_to_vault")
    base = f"{WWW}@{names(made, 'alpha', WWW)[-1]}"
    zrepl.do("alpha", f"write {WWW} big 2M")
    zrepl.cut_stream(f"-i {base} {zrepl.snapshot(WWW)}", THERE, share)
    assert received(made).partial is not None

    Controller(made, SPECS).apply()
    assert received(made).partial is None
    assert names(made, "vault", THERE)[-1].endswith("Z")
    assert Controller(made, SPECS).plan().actions == ()


ENCRYPTED = "-o encryption=on -o keyformat=passphrase -o keylocation=file:///k1"


def decrypted(sink: str) -> Controller:
    """Return a controller for an encrypted filesystem that zrepl has sent decrypted."""
    made = Stage(["alpha", "vault"])
    zrepl = Zrepl(made, "alpha", "vault", "backup/sink/prod", "prod_to_vault")
    zrepl.do("alpha", "zpool create tank disk")
    zrepl.do("alpha", f"zfs create {ENCRYPTED} {WWW}")
    zrepl.do("vault", "zpool create backup disk")
    zrepl.do("vault", f"zfs create {sink} backup/sink")
    zrepl.do("alpha", f"write {WWW} file 1M")
    zrepl.replicate(zrepl.snapshot(WWW))
    made.now += LEFT
    return Controller(made, SPECS)


def test_what_zrepl_sent_decrypted_is_a_conflict_on_a_plain_receiver() -> None:
    controller = decrypted("")

    assert conflicts(controller.plan()) == [f"vault {THERE} encryption-mismatch"]


def test_what_zrepl_sent_decrypted_is_a_conflict_on_a_receiver_with_a_key_of_its_own() -> None:
    controller = decrypted(ENCRYPTED)
    before = received(controller.stage)
    assert conflicts(controller.plan()) == [f"vault {THERE} encryption-mismatch"]

    controller.apply()
    assert received(controller.stage).snapshots == before.snapshots


@pytest.mark.parametrize("sink", ["", ENCRYPTED])
def test_what_zrepl_sent_decrypted_goes_on_in_clear_where_the_spec_says_so(sink: str) -> None:
    stage = decrypted(sink).stage
    (web,) = SPECS.replications.values()
    (target,) = web.targets
    clear = replace(web, targets=(replace(target, encryption=Encryption.DECRYPT),))
    controller = Controller(stage, replace(SPECS, replications={web.name: clear}))
    sent = sends(controller.plan())[WWW]
    assert (sent.mode, sent.flags.raw) == (SendMode.INCREMENTAL, False)

    controller.apply()
    newest = stage.world["alpha"].datasets[WWW].snapshots[-1]
    assert received(stage).snapshots[-1].guid == newest.guid
