"""Properties that are handed over, encryption and `where`, from specs to simulated hosts."""

import pytest

from reconciler.actions import Send
from reconciler.desired.model import Desired
from reconciler.executor.events import ActionFailed, Completed
from reconciler.hosts.script import Script
from reconciler.hosts.simulated import SimulatedHost
from reconciler.hosts.streams import local_pipe
from reconciler.observed.model import Seen, Unseen
from reconciler.simulator.faults import Cut, Fails
from tests.behaviours.specs import accepted, replication
from tests.support.shown import conflicts, notes
from tests.support.stage import Cell, Controller, Stage

WWW, THERE = "tank/www", "backup/alpha/tank/www"
KEY = "-o encryption=on -o keyformat=passphrase -o keylocation=file:///k1"
SLOT = 900
PART = 6000
"""Bytes of a stream that arrive."""
FILES = [f"write {WWW} file{number} 300M" for number in range(4)]


def specs(extra: str = "", *, where: str = "", filesystems: str = "tank/www/**") -> Desired:
    text = replication(filesystems=filesystems).replace("  targets:", f"{extra}  targets:")
    if where:
        text = text.replace("    snapshots:", f"    where: {where}\n    snapshots:")
    return accepted(text)


def stage(*lines: str) -> Stage:
    made = Stage(["alpha", "beta", "vault"])
    for host, *first in (
        ("alpha", "zpool create tank disk"),
        ("vault", "zpool create backup disk"),
    ):
        for line in (*first, *(lines if host == "alpha" else ())):
            result = made.sh(host, line)
            assert result.status == 0, result.stderr
    return made


def applied(made: Stage, desired: Desired) -> Controller:
    """Run a controller until it has nothing to do, and see that all of it went well."""
    controller = Controller(made, desired)
    controller.apply()
    failed = [e.failure.message for e in controller.events if isinstance(e, ActionFailed)]
    assert failed == []
    assert Controller(made, desired).plan().actions == ()
    return controller


def got(made: Stage, properties: str, name: str = THERE, host: str = "vault") -> dict[str, str]:
    said = made.sh(
        host, f"zfs get -H -p -o property,value,source {properties} '{name}'"
    ).stdout.decode()
    rows = (line.split("\t") for line in said.splitlines())
    return {name: f"{value} {source.partition(' ')[0]}" for name, value, source in rows}


SET = (
    "-o compression=gzip -o atime=off -o recordsize=16K -o quota=1G -o refquota=1G"
    " -o refreservation=1M -o reservation=1M -o snapshot_limit=100 -o sharenfs=on -o sharesmb=on"
    " -o mountpoint=/srv/live -o canmount=on -o readonly=off -o com.example:owner=shop"
    " -o reconciler:reconcile=enabled -o reconciler:placeholder=x -o reconciler:spec=other"
)
HARMFUL = (
    "mountpoint,sharenfs,sharesmb,quota,refquota,reservation,refreservation,filesystem_limit,"
    "snapshot_limit,reconciler:reconcile,reconciler:placeholder,reconciler:spec"
)


def test_what_was_set_on_the_sender_comes_along_where_the_spec_says_so() -> None:
    made = stage(f"zfs create {SET} {WWW}")
    applied(made, specs("  properties: {send: true, exclude: [recordsize]}\n"))
    assert got(made, "compression,atime,recordsize,com.example:owner") == {
        "compression": "gzip received",
        "atime": "off received",
        "recordsize": "131072 default",
        "com.example:owner": "shop received",
    }


def test_without_a_word_nothing_comes_along() -> None:
    made = stage(f"zfs create {SET} {WWW}")
    applied(made, specs())
    assert got(made, "atime,com.example:owner") == {
        "atime": "on default",
        "com.example:owner": "- -",
    }


@pytest.mark.parametrize("send", ["true", "false"])
def test_h98_nothing_that_mounts_shares_or_takes_space_ever_comes_along(send: str) -> None:
    made = stage(f"zfs create {SET} {WWW}")
    for _ in range(3):
        applied(made, specs(f"  properties: {{send: {send}}}\n"))
        made.now += SLOT
    assert all(not value.endswith("received") for value in got(made, HARMFUL).values())
    assert got(made, "mounted,canmount,readonly") == {
        "mounted": "no -",
        "canmount": "noauto local",
        "readonly": "on local",
    }
    assert got(made, "sharenfs,quota,refreservation") == {
        "sharenfs": "off default",
        "quota": "0 default",
        "refreservation": "0 default",
    }


def test_our_mark_on_snapshots_does_not_come_along() -> None:
    made = stage(f"zfs create {WWW}")
    desired = specs("  properties: {send: true}\n")
    applied(made, desired)
    made.now += SLOT
    applied(made, desired)
    assert marks(made, "alpha", WWW) == ["web", "web"]
    assert marks(made, "vault", THERE) == ["-", "-"]


def test_a_mark_that_can_not_be_taken_off_is_told_and_the_version_has_arrived() -> None:
    made = stage(f"zfs create {WWW}")
    desired = specs("  properties: {send: true}\n")
    rehearsal = Controller(made.copy(), desired)
    rehearsal.apply()
    started = rehearsal.faults["vault"].started.items()
    moment = next(moment for moment, argv in started if argv[1] == "inherit")
    refused = Fails(("cannot inherit reconciler:spec: permission denied",))
    controller = Controller(made, desired, {"vault": {moment: refused}})
    controller.apply()
    completed = [e for e in controller.events if isinstance(e, Completed)]
    (sent,) = (e for e in completed if isinstance(e.action, Send))
    assert "keeps the property reconciler:spec of the sender's snapshot: " in sent.note
    assert "permission denied" in sent.note
    assert marks(made, "vault", THERE) == ["web"]
    assert Controller(made, desired).plan().actions == ()


def marks(made: Stage, host: str, name: str) -> list[str]:
    said = made.sh(host, f"zfs list -H -t snapshot -o reconciler:spec -r {name}").stdout.decode()
    return said.splitlines()


def test_an_override_is_set_whatever_comes_and_even_what_is_protected() -> None:
    made = stage(f"zfs create {SET} {WWW}")
    override = "{compression: zstd, quota: 2G, readonly: 'off', 'com.example:owner': vault}"
    applied(made, specs(f"  properties: {{send: true, override: {override}}}\n"))
    assert got(made, "compression,quota,readonly,com.example:owner") == {
        "compression": "zstd local",
        "quota": "2147483648 local",
        "readonly": "off local",
        "com.example:owner": "vault local",
    }


def test_p49_volumes_get_what_volumes_have_and_filesystems_the_rest() -> None:
    made = stage(f"zfs create {WWW}", f"zfs create -s -V 1M -o copies=2 {WWW}/disk")
    override = "{atime: 'off', snapdev: hidden, sync: disabled}"
    applied(made, specs(f"  properties: {{send: true, override: {override}}}\n"))
    assert got(made, "atime,sync") == {"atime": "off local", "sync": "disabled local"}
    assert got(made, "snapdev,copies,volmode", f"{THERE}/disk") == {
        "snapdev": "hidden local",
        "copies": "2 received",
        "volmode": "none local",
    }


def test_what_people_set_on_a_replica_stays_and_what_changes_later_changes_nothing() -> None:
    made = stage(f"zfs create -o compression=gzip {WWW}")
    applied(made, specs("  properties: {send: true, override: {atime: 'off'}}\n"))
    made.sh("vault", f"zfs set mountpoint=/restore {THERE}")
    made.sh("alpha", f"zfs set compression=lz4 mountpoint=/elsewhere sharenfs=on {WWW}")
    made.now += SLOT
    applied(made, specs("  properties: {send: true, override: {atime: 'on'}}\n"))
    assert got(made, "mountpoint,compression,atime,sharenfs") == {
        "mountpoint": "/restore local",
        "compression": "gzip received",
        "atime": "off local",
        "sharenfs": "off default",
    }


def test_a_first_stream_that_was_cut_goes_on_and_has_the_overrides() -> None:
    made = stage(f"zfs create {WWW}", *FILES)
    desired = specs("  properties: {send: true, override: {atime: 'off'}}\n")
    cut_first_stream(made, desired)
    made.now += SLOT
    applied(made, desired)
    assert got(made, "atime,canmount,readonly") == {
        "atime": "off local",
        "canmount": "noauto local",
        "readonly": "on local",
    }
    assert marks(made, "vault", THERE)[0] == "-"


def cut_first_stream(made: Stage, desired: Desired) -> None:
    rehearsal = Controller(made.copy(), desired)
    rehearsal.apply()
    moment = next(
        moment for moment, argv in rehearsal.faults["alpha"].started.items() if argv[1] == "send"
    )
    Controller(made, desired, {"alpha": {moment: Cut(PART, 255)}}).apply()
    assert got(made, "receive_resume_token")["receive_resume_token"] != "- -"


def test_the_plan_says_what_is_handed_over() -> None:
    made = stage(f"zfs create {WWW}")
    plan = Controller(made, specs("  properties: {send: true, exclude: [exec]}\n")).plan()
    (send,) = (p.action for p in plan.actions if isinstance(p.action, Send))
    assert send.brings_properties
    assert "-p" in send.send_command()
    assert "exec" in send.receive_command()


# -- encryption ------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", ["", KEY])
def test_what_is_sent_decrypted_arrives_in_clear_or_under_a_key_of_the_receivers(own: str) -> None:
    made = stage(f"zfs create {KEY} {WWW}", f"write {WWW} file 1M")
    made.sh("vault", f"zfs create {own} backup/alpha")
    desired = specs("  encryption: decrypt\n")
    for _ in range(3):
        applied(made, desired)
        made.sh("alpha", f"write {WWW} more 1M")
        made.now += SLOT
    here, there = (made.world[h].datasets[n] for h, n in (("alpha", WWW), ("vault", THERE)))
    assert [s.guid for s in there.snapshots] == [s.guid for s in here.snapshots]
    assert [s.files for s in there.snapshots][-1].keys() == here.snapshots[-1].files.keys()
    root = got(made, "encryptionroot")["encryptionroot"]
    assert root == ("backup/alpha -" if own else "- -")


def test_without_the_key_it_is_blocked_until_the_key_is_there() -> None:
    made = stage(f"zfs create {KEY} {WWW}")
    desired = specs("  encryption: decrypt\n")
    made.sh("alpha", f"zfs unmount {WWW}", f"zfs unload-key {WWW}")
    assert conflicts(Controller(made, desired).plan()) == [f"alpha {WWW} key-not-loaded"]
    Controller(made, desired).apply()
    assert THERE not in made.world["vault"].datasets

    made.sh("alpha", f"zfs load-key {WWW}")
    applied(made, desired)
    assert THERE in made.world["vault"].datasets


@pytest.mark.parametrize(("before", "after"), [("raw", "decrypt"), ("decrypt", "raw")])
@pytest.mark.parametrize("own", ["", KEY])
def test_h96_a_form_that_changes_is_found_before_a_byte_moves(
    before: str, after: str, own: str
) -> None:
    made = stage(f"zfs create {KEY} {WWW}")
    made.sh("vault", f"zfs create {own} backup/alpha")
    applied(made, specs(f"  encryption: {before}\n"))
    made.now += SLOT
    was = made.world["vault"]
    changed = Controller(made, specs(f"  encryption: {after}\n"))
    assert conflicts(changed.plan()) == [f"vault {THERE} encryption-mismatch"]
    changed.apply()
    assert made.world["vault"] is was

    applied(made, specs(f"  encryption: {before}\n"))


def test_z41_a_first_stream_cut_in_the_other_form_is_dropped_and_begun_anew() -> None:
    made = stage(f"zfs create {KEY} {WWW}", *FILES)
    cut_first_stream(made, specs("  encryption: raw\n"))
    made.now += SLOT
    applied(made, specs("  encryption: decrypt\n"))
    assert got(made, "encryption")["encryption"].startswith("off")


# -- where -----------------------------------------------------------------------------------------

WHERE = '{property: "com.example:backup", equals: "true"}'


def names(made: Stage) -> list[str]:
    return [name for name, found in sorted(made.world["vault"].datasets.items()) if found.snapshots]


def test_a_property_is_a_filesystems_own_or_inherited() -> None:
    made = stage(
        "zfs create -o com.example:backup=true tank/www",
        "zfs create tank/www/a",
        "zfs create -o com.example:backup=false tank/www/b",
        "zfs create tank/www/b/c",
        "zfs create -o com.example:backup=true tank/www/b/d",
    )
    applied(made, specs(where=WHERE))
    assert names(made) == [THERE, f"{THERE}/a", f"{THERE}/b/d"]


def test_a_property_may_have_been_received() -> None:
    made = stage(
        "zfs create -o com.example:backup=true tank/old",
        "zfs snapshot tank/old@x",
        "zfs create tank/www",
    )
    pipe = local_pipe(("zfs", "send", "-p", "tank/old@x"), ("zfs", "receive", "tank/www/a"))
    SimulatedHost("alpha", Cell(made, "alpha"), made.clock).run(Script((pipe,)), timeout=60)
    assert got(made, "com.example:backup", "tank/www/a", "alpha") == {
        "com.example:backup": "true received"
    }
    applied(made, specs(where=WHERE))
    assert names(made) == [f"{THERE}/a"]


def test_a_property_of_zfs_itself_selects_by_what_is_in_effect() -> None:
    made = stage("zfs create tank/www", "zfs create -s -V 1M tank/www/disk")
    applied(made, specs(where="{property: type, equals: volume}"))
    assert names(made) == [f"{THERE}/disk"]


def test_one_execution_tells_the_property_too() -> None:
    made = stage("zfs create -o com.example:backup=true tank/www")
    controller = Controller(made, specs(where=WHERE))
    found = controller.observe()["alpha"]
    assert isinstance(found, Seen)
    assert found.filesystems["tank/www"].properties == {"com.example:backup": "true"}
    assert found.filesystems["tank"].properties == {}
    assert controller.executions["alpha"] == 1


def test_a_value_that_breaks_the_listing_makes_the_host_unseen_not_unselected() -> None:
    made = stage("zfs create tank/www")
    made.sh("alpha", "zfs set 'com.example:backup=true\ttrue' tank/www")
    plan = Controller(made, specs(where=WHERE))
    assert isinstance(plan.observe()["alpha"], Unseen)


def test_what_loses_the_property_keeps_all_it_has_on_both_ends() -> None:
    made = stage(
        "zfs create -o com.example:backup=true tank/www",
        "zfs create tank/www/a",
    )
    desired = specs(where=WHERE)
    for _ in range(2):
        applied(made, desired)
        made.now += SLOT
    made.sh("alpha", "zfs set com.example:backup=false tank/www/a")
    counts = [len(made.world[h].datasets[n].snapshots) for h, n in ENDS]
    for _ in range(3):
        controller = applied(made, desired)
        made.now += SLOT
    assert [len(made.world[h].datasets[n].snapshots) for h, n in ENDS] == counts
    assert any("has not com.example:backup=true" in note for note in notes(controller.plan()))


ENDS = (("alpha", "tank/www/a"), ("vault", f"{THERE}/a"))
