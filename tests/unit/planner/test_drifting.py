"""Properties of receivers that are no longer what specs say."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.model import Desired
from reconciler.planner.planning import plan
from reconciler.planner.roots import properties_of
from reconciler.zfs.handover import Properties
from tests.support.shown import notes, steps
from tests.support.stage import Controller, Stage
from tests.support.worlds import NOW, desired, fs, replica, seen, unseen, volume, world
from tests.unit.planner.test_properties import applied, stage
from tests.unit.planner.test_properties import specs as read_specs

WWW = "backup/alpha/tank/www"
GIVEN = "receivers get it once"


def specs(line: str = "web: alpha tank/** !tank -> vault", **override: str) -> Desired:
    """Return specs by which receivers get atime=off, or other properties."""
    found = desired(line)
    web = found.replications["web"]
    given = Properties(override=tuple(sorted((override or {"atime": "off"}).items())))
    targets = tuple(replace(target, properties=given) for target in web.targets)
    return replace(found, replications={"web": replace(web, targets=targets)})


def told(wanted: Desired, **has: str) -> list[str]:
    there = replica(WWW, "@~23:00,1", properties=has)
    return notes(plan(wanted, world(seen("alpha", SOURCE), seen("vault", there)), NOW))


SOURCE = fs("tank/www", "@~23:00,1 #cur,1")


def test_what_a_receiver_has_and_the_spec_says_is_told_with_the_remedy() -> None:
    assert told(specs(), atime="on") == [
        f"warning: vault {WWW}: atime is on, web says off; {GIVEN}: zfs set atime=off {WWW}"
    ]


def test_nothing_is_said_of_what_is_as_it_should_be_or_was_not_told() -> None:
    assert told(specs(), atime="off") == []
    assert told(specs()) == []
    assert told(desired("web: alpha tank/** !tank -> vault"), atime="on") == []


def test_a_user_property_that_is_not_set_is_told_of() -> None:
    wanted = specs(**{"com.example:owner": "the shop"})

    (note,) = told(wanted)
    assert note == (
        f"warning: vault {WWW}: com.example:owner is not set, web says 'the shop'; {GIVEN}:"
        f" zfs set 'com.example:owner=the shop' {WWW}"
    )


def test_one_note_is_for_all_that_differ_in_the_same_way() -> None:
    names = [f"{WWW}/{n}" for n in range(5)]
    there = [replica(name, "@~23:00,1", properties={"atime": "on"}) for name in names]
    here = [fs(name.removeprefix("backup/alpha/"), "@~23:00,1 #cur,1") for name in names]
    made = plan(specs(), world(seen("alpha", *here), seen("vault", *there)), NOW)

    (note,) = (note for note in notes(made) if "atime" in note)
    assert note == (
        f"warning: vault {', '.join(names[:3])} and 2 more: atime is on, web says off; {GIVEN}:"
        f" zfs set atime=off {' '.join(names[:3])} ..."
    )


def test_what_a_volume_can_not_have_is_no_difference() -> None:
    there = replace(volume(WWW, "@~23:00,1"), properties={"atime": "on"})
    source = volume("tank/www", "@~23:00,1 #cur,1")
    made = plan(specs(), world(seen("alpha", source), seen("vault", there)), NOW)

    assert notes(made) == []


@pytest.mark.parametrize("state", ["inconsistent", "placeholder", "disabled"])
def test_nothing_is_said_of_what_is_not_there_yet_or_left_alone(state: str) -> None:
    facts: dict[str, Any] = {state: True}
    there = replace(replica(WWW, "@~23:00,1", properties={"atime": "on"}), **facts)
    made = plan(specs(), world(seen("alpha", SOURCE), seen("vault", there)), NOW)

    assert not [note for note in notes(made) if "atime" in note]


def test_nothing_is_said_while_it_is_suspended_or_not_seen() -> None:
    suspended = specs("web: alpha tank/** !tank suspended -> vault")

    assert told(suspended, atime="on") == ["notice: web is suspended"]
    away = plan(specs(), world(seen("alpha", SOURCE), unseen("vault")), NOW)
    assert not [note for note in notes(away) if "atime" in note]


def test_receivers_are_asked_for_what_specs_override_there() -> None:
    assert properties_of(specs(atime="off", quota="1G")) == {
        "alpha": (),
        "vault": ("atime", "quota"),
    }


def test_a_simulated_host_tells_of_what_was_set_and_of_what_the_spec_says_now() -> None:
    made, text = stage("zfs create tank/www"), "properties: {override: {quota: 1G, exec: 'off'}}"
    wanted = read_specs(f"  {text}\n")
    applied(made, wanted)
    assert notes(Controller(made, wanted).plan()) == []

    assert made.sh("vault", f"zfs set exec=on {WWW}").status == 0
    larger = read_specs(f"  {text.replace('1G', '2G')}\n")
    plan_ = Controller(made, larger).plan()
    assert steps(plan_) == []
    assert [note.split(";")[0] for note in notes(plan_)] == [
        f"warning: vault {WWW}: exec is on, web says off",
        f"warning: vault {WWW}: quota is 1073741824, web says 2G",
    ]
    for note in notes(plan_):
        set_ = note.partition("zfs set ")[2]
        assert made.sh("vault", f"zfs set {set_}").status == 0
    assert notes(Controller(made, larger).plan()) == []


def test_of_a_host_nothing_is_asked_that_no_spec_names() -> None:
    made: Stage = stage("zfs create tank/www")
    controller = Controller(made, read_specs())
    controller.plan()

    assert not any("exec" in word for argv in _listings(controller) for word in argv)


def _listings(controller: Controller) -> list[tuple[str, ...]]:
    return [a for f in controller.faults.values() for a in f.started.values() if a[1] == "list"]
