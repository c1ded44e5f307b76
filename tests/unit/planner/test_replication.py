"""What is planned for one pair: streams, the marks around them, parents."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.actions import Bookmark, Send
from reconciler.observed.model import Filesystem, Observation
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from tests.support.shown import conflicts, of_verb, steps
from tests.support.worlds import (
    FEATURES,
    NOW,
    desired,
    encrypted,
    fs,
    placeholder,
    pool,
    replica,
    seen,
    unseen,
    volume,
    world,
)

WWW = "backup/alpha/tank/www"
NOTHING = seen("vault", fs("backup"))


def planned(
    source: Filesystem,
    vault: Observation = NOTHING,
    words: str = "",
    sender_words: str = "",
) -> Plan:
    """Plan for tank/www of alpha → vault with the target's words."""
    line = f"web: alpha tank/www/** {sender_words} -> vault {words}"
    return plan(desired(line), world(seen("alpha", source), vault), NOW)


# -- the whole of a step ---------------------------------------------------------------------------


def test_a_first_replication_makes_parents_and_sends_from_the_oldest() -> None:
    """H69"""
    found = planned(fs("tank/www", "@~21:00,11 @~22:00,12 @~23:00,13"))

    assert steps(found) == [
        "create vault backup/alpha",
        "create vault backup/alpha/tank",
        "hold alpha tank/www@~21:00 step",
        "send alpha tank/www full → @~21:00",
        "hold alpha tank/www@~23:00 step",
        "send alpha tank/www @~21:00 → @~22:00 @~23:00",
        f"hold vault {WWW}@~23:00 base",
        "cursor alpha tank/www@~23:00 vault",
        "release alpha tank/www@~21:00 step",
        "release alpha tank/www@~23:00 step",
    ]


def test_a_step_moves_hold_and_cursor_and_then_destroys() -> None:
    found = planned(
        fs("tank/www", "@~21:00,11 @~22:00,12 #cur,12 @~23:00,13"),
        seen("vault", replica(WWW, "@~21:00,11 @~22:00,12,held=base")),
        "keep last 1",
        "keep last 1",
    )

    assert steps(found) == [
        f"destroy vault {WWW}@~21:00",
        "hold alpha tank/www@~23:00 step",
        "send alpha tank/www @~22:00 → @~23:00",
        f"hold vault {WWW}@~23:00 base",
        "cursor alpha tank/www@~23:00 vault",
        f"release vault {WWW}@~22:00 base",
        "release alpha tank/www@~23:00 step",
        f"destroy vault {WWW}@~22:00",
        "destroy alpha tank/www@~21:00@~22:00",
        "destroy alpha tank/www#cur/vault",
    ]


def test_each_action_waits_for_what_makes_it_safe() -> None:
    """H61: hold → send → hold → cursor → release → destroy."""
    found = planned(
        fs("tank/www", "@~22:00,12 #cur,12 @~23:00,13"),
        seen("vault", replica(WWW, "@~22:00,12,held=base")),
        "keep last 1",
        "keep last 1",
    )
    verbs = {planned.id: planned.action.verb for planned in found.actions}
    needs = {
        f"{planned.action.verb} on {planned.action.places[0][0]}": {
            verbs[id_] for id_ in planned.depends_on
        }
        for planned in found.actions
    }

    assert needs["send on alpha"] == {"hold"}
    assert needs["hold on vault"] == {"send"}
    assert needs["bookmark on alpha"] == {"send", "hold"}
    assert needs["release on alpha"] == needs["release on vault"] == {"send", "hold", "bookmark"}
    assert needs["destroy on alpha"] == {"send", "hold", "bookmark", "release"}
    assert needs["destroy on vault"] == {"send", "hold", "bookmark", "release"}


def test_each_stream_waits_for_the_one_that_brings_its_base() -> None:
    found = planned(
        fs("tank/www", "@~20:00,1 @manual,2 @~21:00,3 @~22:00,4"),
        seen("vault", replica(WWW, "@~20:00,1")),
    )

    first, second = (p for p in found.actions if isinstance(p.action, Send))
    assert first.id in second.depends_on


def test_what_an_action_waits_for_comes_in_one_order() -> None:
    found = planned(
        fs("tank/www", "@~20:00,1 #cur,1 @manual,2 @~21:00,3 @~22:00,4"),
        seen("vault", replica(WWW, "@~19:00,9 @~20:00,1,held=base")),
        "keep last 1",
        "keep last 1",
    )

    waiting = [planned.depends_on for planned in found.actions]
    assert waiting == [tuple(sorted(ids)) for ids in waiting]
    assert max(map(len, waiting)) > 5


def test_a_snapshot_that_is_due_is_sent_by_the_same_plan() -> None:
    found = planned(
        fs("tank/www", "@~22:00,12 #cur,12"),
        seen("vault", replica(WWW, "@~22:00,12,held=base")),
        sender_words="every 15m",
    )

    assert of_verb(found, "snapshot", "send") == [
        "snapshot alpha tank/www @~23:15",
        "send alpha tank/www @~22:00 → @~23:15",
    ]
    hold = found.actions[1]
    assert hold.depends_on == (found.actions[0].id,)


def test_nothing_is_done_when_both_ends_are_as_they_should_be() -> None:
    """H73"""
    found = planned(
        fs("tank/www", "@~23:00,13 #cur,13"),
        seen("vault", replica(WWW, "@~22:00,12 @~23:00,13,held=base")),
    )

    assert steps(found) == []
    assert found.outcome == "nothing"


# -- which streams ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    here: str
    there: str
    sends: list[str]
    words: str = ""


STREAMS = {
    "H57 only what the receiver would keep": Case(
        "@~11-20T10:00,1 @~11-20T11:00,2 @~11-21T10:00,3 @~11-21T11:00,4 @~22:00,5",
        "@~11-20T10:00,1",
        ["@rec-20261120T100000Z → @rec-20261121T110000Z", "@rec-20261121T110000Z → @~22:00"],
        "keep daily 2",
    ),
    "H57 what it has counts for what it would keep": Case(
        "@~11-20T10:00,1 @~11-21T10:00,3 @~11-21T11:00,4",
        "@~11-20T10:00,1 @~11-21T10:00,3",
        ["@rec-20261121T100000Z → @rec-20261121T110000Z"],
        "keep daily 1",
    ),
    "nothing, if it would keep nothing new": Case(
        "@~21:00,1 @~22:00,2", "@~21:00,1", [], "keep matching rec-.*T21.*"
    ),
    "H74 foreign snapshots are not sent, and not brought along": Case(
        "@~20:00,1 @manual,2 @~21:00,3 @~22:00,4",
        "@~20:00,1",
        ["@~20:00 → @~21:00", "@~21:00 → @~22:00"],
    ),
    "H74 a foreign snapshot can be the base": Case(
        "@~20:00,1 @manual,2 @~21:00,3", "@~20:00,1 @manual,2", ["@manual → @~21:00"]
    ),
    "a base that no rule keeps": Case(
        "@~20:00,1 @~21:00,2", "@~20:00,1", ["@~20:00 → @~21:00"], "keep last 1"
    ),
    "H65 a base with another name there": Case(
        "@~20:00,1 @~21:00,2", "@old-name,1", ["@~20:00 → @~21:00"]
    ),
    "H66 a bookmark when the snapshot is gone": Case(
        "#cur,1 @~21:00,2 @~22:00,3",
        "@~20:00,1",
        ["#cur/vault → @~21:00", "@~21:00 → @~22:00"],
    ),
    "H66 somebody else's bookmark": Case("#mark,1 @~21:00,2", "@~20:00,1", ["#mark → @~21:00"]),
    "what the receiver kept longer does not matter": Case(
        "@~21:00,3 @~22:00,4", "@~19:00,1 @~20:00,2 @~21:00,3", ["@~21:00 → @~22:00"]
    ),
    "older ones of ours are not sent after the fact": Case(
        "@~20:00,1 @~21:00,2 @~22:00,3", "@~21:00,2", ["@~21:00 → @~22:00"]
    ),
    "H75 what is newer is told by order, also after the clock was set back": Case(
        "@~22:00,1 @~20:00,2 @~21:00,3", "@~22:00,1", ["@~22:00 → @~20:00 @~21:00"]
    ),
    "initial all sends what the receiver would keep, oldest first": Case(
        "@~20:00,1 @~21:00,2 @~22:00,3",
        "",
        ["full → @~21:00", "@~21:00 → @~22:00"],
        "keep last 2 initial all",
    ),
    "initial newest sends one": Case(
        "@~20:00,1 @~21:00,2 @~22:00,3", "", ["full → @~22:00"], "initial newest"
    ),
    "initial matters only the first time": Case(
        "@~20:00,1 @~21:00,2 @~22:00,3",
        "@~20:00,1",
        ["@~20:00 → @~21:00 @~22:00"],
        "initial newest",
    ),
}


@pytest.mark.parametrize("case", STREAMS.values(), ids=STREAMS.keys())
def test_streams(case: Case) -> None:
    """H57 H65 H66 H74"""
    vault = seen("vault", replica(WWW, case.there)) if case.there else NOTHING
    found = planned(fs("tank/www", case.here), vault, case.words)

    assert [step.split("tank/www ")[1] for step in of_verb(found, "send")] == case.sends
    assert conflicts(found) == []


def test_initial_refuse_is_a_conflict_until_somebody_seeds_it() -> None:
    source = fs("tank/www", "@~22:00,1 @~23:00,2")
    seeded = seen("vault", replica(WWW, "@~22:00,1"))

    refused = planned(source, words="initial refuse")
    assert conflicts(refused) == [f"vault {WWW} initial-refused"]
    assert steps(refused) == []
    assert of_verb(planned(source, seeded, "initial refuse"), "send") == [
        "send alpha tank/www @~22:00 → @~23:00"
    ]


def test_a_replica_made_by_hand_gets_its_marks() -> None:
    found = planned(
        fs("tank/www", "@manual,1"), seen("vault", replica(WWW, "@manual,1")), "keep last 1"
    )

    assert of_verb(found, "snapshot", "send", "hold", "cursor") == [
        "snapshot alpha tank/www @~23:15",
        "hold alpha tank/www@~23:15 step",
        "send alpha tank/www @manual → @~23:15",
        f"hold vault {WWW}@~23:15 base",
        "cursor alpha tank/www@~23:15 vault",
    ]


def test_a_hold_that_a_crash_left_behind_is_used_and_released() -> None:
    found = planned(
        fs("tank/www", "@~22:00,1,held=step #cur,1 @~23:00,2,held=step"),
        seen("vault", replica(WWW, "@~22:00,1,held=base")),
    )

    assert of_verb(found, "hold", "release") == [
        f"hold vault {WWW}@~23:00 base",
        f"release vault {WWW}@~22:00 base",
        "release alpha tank/www@~22:00 step",
        "release alpha tank/www@~23:00 step",
    ]


def test_a_hold_for_a_stream_that_is_not_wanted_any_more_is_released() -> None:
    found = planned(fs("tank/www", "@~22:00,1,held=step"), words="keep matching nothing")

    assert steps(found) == ["release alpha tank/www@~22:00 step"]


def test_a_crash_after_the_send_is_made_good() -> None:
    """H61: the version is there, the marks are not."""
    found = planned(
        fs("tank/www", "@~22:00,1 #cur,1 @~23:00,2,held=step"),
        seen("vault", replica(WWW, "@~22:00,1,held=base @~23:00,2")),
    )

    assert steps(found) == [
        f"hold vault {WWW}@~23:00 base",
        "cursor alpha tank/www@~23:00 vault",
        f"release vault {WWW}@~22:00 base",
        "release alpha tank/www@~23:00 step",
        "destroy alpha tank/www#cur/vault",
    ]


# -- parents and children --------------------------------------------------------------------------


def test_a_child_waits_for_its_parent_that_is_received_too() -> None:
    line = "web: alpha tank/www/** -> vault"
    alpha = seen("alpha", fs("tank/www", "@~23:00,1"), fs("tank/www/a", "@~23:00,2"))
    found = plan(desired(line), world(alpha, NOTHING), NOW)

    sends = {p.action.filesystem: p for p in found.actions if isinstance(p.action, Send)}
    assert sends["tank/www"].id in sends["tank/www/a"].depends_on
    assert of_verb(found, "create") == [
        "create vault backup/alpha",
        "create vault backup/alpha/tank",
    ]


def test_names_with_characters_below_the_slash_do_not_come_between_parent_and_child() -> None:
    line = "web: alpha tank/** !tank -> vault"
    names = ("tank/a", "tank/a-b", "tank/a/c", "tank/a b")
    alpha = seen("alpha", *(fs(name, f"@~23:00,{n}") for n, name in enumerate(names, start=1)))
    found = plan(desired(line), world(alpha, NOTHING), NOW)

    sent = [p.action.filesystem for p in found.actions if isinstance(p.action, Send)]
    assert sent == ["tank/a", "tank/a/c", "tank/a b", "tank/a-b"]


def test_parents_of_several_receivers_are_made_once() -> None:
    line = "web: alpha tank/** !tank -> vault"
    alpha = seen("alpha", fs("tank/a", "@~23:00,1"), fs("tank/b", "@~23:00,2"))
    found = plan(desired(line), world(alpha, NOTHING), NOW)

    assert of_verb(found, "create") == [
        "create vault backup/alpha",
        "create vault backup/alpha/tank",
    ]
    sends = [p for p in found.actions if isinstance(p.action, Send)]
    parent = found.actions[1].id
    assert all(parent in send.depends_on for send in sends)


def test_a_parent_that_is_to_be_received_is_never_made_as_a_placeholder() -> None:
    line = "web: alpha tank/** !tank -> vault"
    alpha = seen(
        "alpha",
        fs("tank/a", "@~23:00,1", disabled=True),
        fs("tank/a/b", "@~23:00,2"),
        fs("tank/c", "@~23:00,3"),
    )
    found = plan(desired(line), world(alpha, NOTHING), NOW)

    assert conflicts(found) == ["vault backup/alpha/tank/a/b parent-not-received"]
    assert of_verb(found, "create", "send") == [
        "create vault backup/alpha",
        "create vault backup/alpha/tank",
        "send alpha tank/c full → @~23:00",
    ]


def test_a_conflict_of_one_child_takes_nothing_from_its_siblings() -> None:
    """The placeholders that the first would have made are made for the second."""
    line = "web: alpha tank/** !tank -> vault"
    alpha = seen(
        "alpha", fs("tank/a", disabled=True), fs("tank/a/b", "@~23:00,2"), fs("tank/c", "@~23:00,3")
    )
    found = plan(desired(line), world(alpha, NOTHING), NOW)

    ids = {planned.id for planned in found.actions}
    assert all(needed in ids for planned in found.actions for needed in planned.depends_on)


@pytest.mark.parametrize(
    ("above", "why"),
    [
        pytest.param(volume("backup/alpha/tank"), "a volume", id="volume"),
        pytest.param(fs("backup/alpha/tank", inconsistent=True), "half received", id="partial"),
    ],
)
def test_nothing_is_received_below_what_can_have_no_children(above: Filesystem, why: str) -> None:
    found = planned(fs("tank/www", "@~23:00,1"), seen("vault", above))

    assert conflicts(found) == [f"vault {WWW} parent-unusable"]
    assert why in found.conflicts[0].message
    assert steps(found) == []


def test_placeholders_made_earlier_are_used() -> None:
    """H71"""
    vault = seen("vault", placeholder("backup/alpha"), placeholder("backup/alpha/tank"))

    assert of_verb(planned(fs("tank/www", "@~23:00,1"), vault), "create") == []


# -- how it is sent --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Flags:
    here: dict[str, Any]
    there: dict[str, Any]
    options: tuple[str, ...]
    features: dict[str, str] = field(default_factory=dict)


FLAGS = {
    "what both pools can": Flags({}, {}, ("-L", "-c")),
    "not what the receiver can't": Flags({}, {}, ("-c",), {"large_blocks": "disabled"}),
    "H95 an encrypted filesystem raw": Flags(encrypted(), encrypted(), ("-w",)),
    "H95 raw without its key": Flags(
        encrypted(keystatus="unavailable"), encrypted(keystatus="unavailable"), ("-w",)
    ),
    "into an encrypted receiver as usual": Flags({}, encrypted(), ("-L", "-c")),
}


@pytest.mark.parametrize("case", FLAGS.values(), ids=FLAGS.keys())
def test_stream_options(case: Flags) -> None:
    """H95"""
    vault = seen(
        "vault",
        replica(WWW, "@~22:00,1", **case.there),
        pools=[pool("backup", features={**FEATURES, **case.features})],
    )
    found = planned(fs("tank/www", "@~22:00,1 @~23:00,2", **case.here), vault)

    (send,) = (p.action for p in found.actions if isinstance(p.action, Send))
    assert send.flags.options == case.options


def test_a_volume_is_sent_as_one() -> None:
    found = planned(volume("tank/www", "@~23:00,1"))

    (send,) = (p.action for p in found.actions if isinstance(p.action, Send))
    assert send.kind == "volume"
    assert "volmode=none" in send.receive_command()


def test_the_size_is_estimated_from_what_was_written() -> None:
    source = fs(
        "tank/www", "@~20:00,1,written=7,referenced=500 @~21:00,2,written=20 @~22:00,3,written=30"
    )
    first = planned(source)
    later = planned(source, seen("vault", replica(WWW, "@~20:00,1")))

    assert first.estimated_bytes == 550
    assert later.estimated_bytes == 50


def test_two_targets_are_planned_each_by_what_it_has() -> None:
    """H53"""
    line = "web: alpha tank/www -> vault -> north store/{host}"
    alpha = seen("alpha", fs("tank/www", "@~21:00,1 @~22:00,2 #cur,2 @~23:00,3"))
    vault = seen("vault", replica(WWW, "@~21:00,1 @~22:00,2,held=base"))
    north = seen("north", replica("store/alpha/tank/www", "@~21:00,1"))
    found = plan(desired(line), world(alpha, vault, north), NOW)

    assert of_verb(found, "send", "cursor") == [
        "send alpha tank/www @~21:00 → @~22:00 @~23:00",
        "cursor alpha tank/www@~23:00 north",
        "send alpha tank/www @~22:00 → @~23:00",
        "cursor alpha tank/www@~23:00 vault",
    ]


def test_two_targets_on_one_host_have_two_cursors() -> None:
    line = "web: alpha tank/www -> vault backup/{host} -> vault second/{host}"
    alpha = seen("alpha", fs("tank/www", "@~23:00,3"))
    found = plan(desired(line), world(alpha, seen("vault", fs("backup"), fs("second"))), NOW)

    names = {p.action.name for p in found.actions if isinstance(p.action, Bookmark)}
    assert len(names) == 2
    assert len({p.id for p in found.actions}) == len(found.actions)


def test_an_unseen_receiver_is_left_alone() -> None:
    """H52"""
    found = planned(
        fs("tank/www", "@~21:00,1,held=step #cur,1 @~22:00,2"),
        unseen("vault"),
        "keep last 1",
        "keep last 1",
    )

    assert steps(found) == []
    assert found.outcome == "incomplete"


def test_two_specs_on_one_filesystem_do_not_bring_along_each_others_snapshots() -> None:
    """Both take one now; a run up to the one would bring the other."""
    specs = desired(
        "db: alpha tank/www prefix db- every 15m -> vault db",
        "web: alpha tank/www every 15m -> vault",
    )
    alpha = seen("alpha", fs("tank/www", "@~22:00,1 @~22:15,2"))
    vault = seen("vault", replica(WWW, "@~22:00,1"), fs("db"))
    found = plan(specs, world(alpha, vault), NOW)

    assert of_verb(found, "send")[:2] == [
        "send alpha tank/www @~22:00 → @~22:15",
        "send alpha tank/www @~22:15 → @~23:15",
    ]
