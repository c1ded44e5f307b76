"""Clones: sent from their origin where the receiver has that, after it and never without it."""

from dataclasses import replace

import pytest

from reconciler.actions import Destroy, Send
from reconciler.observed.change import filesystem_of
from reconciler.observed.model import Filesystem, Observed
from reconciler.planner.guards import guard
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from reconciler.report.action_json import action_object, read_action
from reconciler.report.fields import Fields
from tests.support.converge import converge
from tests.support.shown import blocked, conflicts, notes, of_verb, steps
from tests.support.tokens import token
from tests.support.worlds import (
    NOW,
    desired,
    encrypted,
    fs,
    ours,
    placeholder,
    replica,
    seen,
    world,
)

ROOT = "backup/alpha/tank"
TREE = "web: alpha tank/** !tank -> vault"
BASE = fs("tank/z", "@~21:00,1 @~22:00,2 @~23:00,3")
CLONE = fs("tank/c", "@~22:30,11 @~23:00,12,written=7", origin=f"tank/z@{ours('22:00')}")
HAS_IT = replica(f"{ROOT}/z", "@~21:00,1 @~22:00,2 @~23:00,3,held=base")
AS_CLONE = f"tank/z@~22:00 as clone of {ROOT}/z@~22:00 → @~22:30"


def observed(*there: Filesystem, here: tuple[Filesystem, ...] = (BASE, CLONE)) -> Observed:
    parents = (placeholder("backup/alpha"), placeholder(ROOT))
    return world(seen("alpha", *here), seen("vault", *parents, *there))


def planned(
    *there: Filesystem, here: tuple[Filesystem, ...] = (BASE, CLONE), specs: str = TREE
) -> Plan:
    return plan(desired(specs), observed(*there, here=here), NOW)


def test_a_clone_goes_as_the_difference_from_its_origin_and_then_on_like_any_other() -> None:
    made = planned(HAS_IT)

    assert of_verb(made, "send") == [
        f"send alpha tank/c {AS_CLONE}",
        "send alpha tank/c @~22:30 → @~23:00",
    ]
    assert notes(made) == []
    first = next(p.action for p in made.actions if isinstance(p.action, Send))
    assert first.send_command()[-3:] == (
        "-i",
        f"tank/z@{ours('22:00')}",
        f"tank/c@{ours('22:30')}",
    )
    assert first.receive_command()[-3:] == (
        "-o",
        f"origin={ROOT}/z@{ours('22:00')}",
        f"{ROOT}/c",
    )
    assert "canmount=noauto" in first.receive_command()
    assert read_action(Fields(action_object(first))) == first


def test_after_the_plan_there_is_nothing_left_to_do() -> None:
    specs = desired(TREE)
    after = converge(specs, observed(), NOW)
    received = filesystem_of(after, "vault", f"{ROOT}/c")

    assert received is not None
    assert received.origin == f"{ROOT}/z@{ours('22:00')}"
    assert steps(plan(specs, after, NOW)) == []


def test_the_origin_is_sent_before_its_clone_whatever_they_are_called() -> None:
    made = planned()
    origin, first = (
        next(p for p in made.actions if isinstance(p.action, Send) and version in p.action.versions)
        for version in (BASE.snapshots[1], CLONE.snapshots[0])
    )

    assert made.actions.index(origin) < made.actions.index(first)
    assert origin.id in first.depends_on


def test_a_clone_of_a_clone_goes_last() -> None:
    second = fs("tank/b", "@~23:05,21", origin=f"tank/c@{ours('23:00')}")
    made = planned(here=(BASE, CLONE, second))
    order = [p.action.filesystem for p in made.actions if isinstance(p.action, Send)]

    assert list(dict.fromkeys(order)) == ["tank/z", "tank/c", "tank/b"]


def test_a_clone_whose_origin_the_receiver_lacks_goes_in_full_and_it_is_said() -> None:
    other = replica(f"{ROOT}/z", "@~21:00,1 @~23:00,3,held=base")
    said = (
        f"notice: alpha tank/c is a clone of tank/z@{ours('22:00')}, which vault does not have: it"
        " is sent in full"
    )
    lacks = planned(other)
    unselected = planned(specs="web: alpha tank/c -> vault")

    assert of_verb(lacks, "send")[0] == "send alpha tank/c full → @~22:30"
    assert of_verb(unselected, "send")[0] == "send alpha tank/c full → @~22:30"
    assert notes(lacks) == notes(unselected) == [said]


def test_the_origin_is_known_on_the_receiver_by_its_guid() -> None:
    renamed = replica(f"{ROOT}/z", "@~21:00,1 @other,2 @~23:00,3,held=base")
    impostor = replica(f"{ROOT}/z", "@~21:00,1 @~22:00,9 @~23:00,3,held=base")

    assert of_verb(planned(renamed), "send")[0] == (
        f"send alpha tank/c tank/z@~22:00 as clone of {ROOT}/z@other → @~22:30"
    )
    assert of_verb(planned(impostor), "send")[0] == "send alpha tank/c full → @~22:30"


def test_an_encrypted_clone_goes_in_full_and_it_is_said() -> None:
    here = (replace(BASE, **encrypted()), replace(CLONE, **encrypted()))
    made = planned(replace(HAS_IT, **encrypted(keystatus="unavailable")), here=here)

    assert of_verb(made, "send")[0] == "send alpha tank/c full → @~22:30"
    (said,) = notes(made)
    assert said.endswith(f"of tank/z@{ours('22:00')}, and encrypted: it is sent in full")


def test_a_clone_above_its_origin_goes_in_full() -> None:
    """Its receiver has to be there before that of its origin."""
    origin = fs("tank/c/z", "@~22:00,2")
    above = replace(CLONE, origin=f"tank/c/z@{ours('22:00')}")
    made = planned(here=(origin, above))

    assert of_verb(made, "send")[0] == "send alpha tank/c full → @~22:30"
    assert "which vault does not have" in notes(made)[0]


def test_what_a_clone_is_to_be_received_from_is_not_destroyed_before() -> None:
    specs = "web: alpha tank/** !tank -> vault keep last 1"
    made = planned(HAS_IT, specs=specs)
    elsewhere = planned(HAS_IT, specs=specs, here=(BASE,))

    assert of_verb(made, "destroy") == [f"destroy vault {ROOT}/z@~21:00"]
    assert of_verb(elsewhere, "destroy") == [f"destroy vault {ROOT}/z@~21:00@~22:00"]
    assert notes(made) == []


def test_the_guard_keeps_what_a_clone_is_to_be_received_from_by_itself() -> None:
    specs = "web: alpha tank/** !tank -> vault keep last 1"
    made, careless = (planned(HAS_IT, specs=specs, here=here) for here in ((BASE, CLONE), (BASE,)))
    destroys = tuple(p for p in careless.actions if isinstance(p.action, Destroy))
    both = replace(made, actions=(*made.actions, *destroys))
    looked_at = guard(both, desired(specs), observed(HAS_IT))

    assert f"vault {ROOT}/z@~22:00: origin" in blocked(looked_at)


def test_a_clone_does_not_start_from_what_is_renamed_first() -> None:
    """The origin's receiver is set aside in the same plan, and its snapshot goes with it."""
    diverged = replica(f"{ROOT}/z", "@~21:00,1 @~22:00,2 @mine,99")
    made = planned(
        diverged, specs="web: alpha tank/** !tank -> vault keep last 1 conflict setAside"
    )

    assert conflicts(made) == []
    assert of_verb(made, "rename") != []
    assert of_verb(made, "send")[-1] == "send alpha tank/c full → @~23:00"


@pytest.mark.parametrize(
    ("fromguid", "sent"),
    [
        pytest.param(2, f"{AS_CLONE} resumed", id="begun as a clone"),
        pytest.param(None, "full → @~22:30 resumed", id="begun in full"),
    ],
)
def test_a_clone_that_was_cut_goes_on_as_it_was_begun(fromguid: int | None, sent: str) -> None:
    cut = replica(f"{ROOT}/c", resume_token=token(11, fromguid), inconsistent=True)
    made = planned(HAS_IT, cut)
    first = next(p.action for p in made.actions if isinstance(p.action, Send))

    assert of_verb(made, "send", "abort")[0] == f"send alpha tank/c {sent}"
    assert not [word for word in first.receive_command() if word.startswith("origin=")]
    assert "canmount=noauto" in first.receive_command()


def test_what_is_not_a_clone_of_it_is_begun_anew() -> None:
    cut = replica(f"{ROOT}/c", resume_token=token(11, 98), inconsistent=True)

    assert of_verb(planned(HAS_IT, cut), "send", "abort")[:2] == [
        f"abort vault {ROOT}/c",
        f"send alpha tank/c {AS_CLONE}",
    ]
