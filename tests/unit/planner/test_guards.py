"""Each guard alone: a plan with a destroy that should not be in it, and what is taken out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from reconciler.actions import Action, Destroy, Reason, Send, SendMode, Snapshot
from reconciler.desired.model import Desired
from reconciler.observed.change import filesystem_of
from reconciler.observed.model import Observed
from reconciler.planner.guards import guard
from reconciler.planner.plan import Plan, PlannedAction, Specs
from reconciler.zfs.capabilities import StreamFlags
from reconciler.zfs.types import FilesystemKind, Version
from tests.support.shown import blocked, steps
from tests.support.worlds import NOW, desired, fs, pool, replica, seen, unseen, world

WWW = "backup/alpha/tank/www"
HERE = ("alpha", "tank/www")
THERE = ("vault", WWW)
LOCAL = desired("web: alpha tank/www keep last 1")
SENT = desired("web: alpha tank/www keep last 1 -> vault keep last 1")
NEEDED = "@~21:00,11 @~22:00,12 @~23:00,13"


def versions(
    observed: Observed, place: tuple[str, str], guids: Sequence[int]
) -> tuple[Version, ...]:
    filesystem = filesystem_of(observed, *place)
    assert filesystem is not None
    return tuple(version for version in filesystem.versions if version.guid in guids)


def checked(
    specs: Desired,
    observed: Observed,
    *actions: Action,
    depends_on: tuple[str, ...] = (),
) -> Plan:
    """Return what the guards leave of a plan with these actions; the last waits for the others."""
    planned = [PlannedAction(action, Reason("test", "test"), "web") for action in actions]
    planned[-1] = replace(planned[-1], depends_on=depends_on)
    draft = Plan(NOW, Specs(None, "sha256:0", 1), (), tuple(planned))
    return guard(draft, specs, observed)


@dataclass(frozen=True)
class Case:
    specs: Desired
    observed: Observed
    place: tuple[str, str]
    doomed: list[int]
    blocked: list[str]
    message: str = ""


def local(text: str, **facts: Any) -> Observed:
    return world(seen("alpha", fs("tank/www", text, **facts)))


def pair(here: str, there: str, **facts: Any) -> Observed:
    return world(seen("alpha", fs("tank/www", here)), seen("vault", replica(WWW, there, **facts)))


CASES = {
    "nothing to object to": Case(LOCAL, local(NEEDED), HERE, [11], []),
    "clock ahead": Case(
        LOCAL,
        world(seen("alpha", fs("tank/www", NEEDED), skew=61)),
        HERE,
        [11],
        ["alpha tank/www@~21:00: clock"],
        "the clock of alpha is 61 s ahead of the controller's",
    ),
    "clock behind": Case(
        LOCAL,
        world(seen("alpha", fs("tank/www", NEEDED), skew=-61)),
        HERE,
        [11],
        ["alpha tank/www@~21:00: clock"],
        "the clock of alpha is 61 s behind the controller's",
    ),
    "clock good enough": Case(
        LOCAL, world(seen("alpha", fs("tank/www", NEEDED), skew=60)), HERE, [11], []
    ),
    "foreign by name": Case(
        LOCAL,
        local("@~21:00,11 @manual,12 @~23:00,13"),
        HERE,
        [11, 12],
        ["alpha tank/www@manual: foreign"],
        "no spec manages it",
    ),
    "foreign by mark": Case(
        LOCAL,
        local("@~21:00,11,spec=db @~22:00,12,spec= @~23:00,13"),
        HERE,
        [11, 12],
        ["alpha tank/www@~21:00@~22:00: foreign"],
    ),
    "a bookmark of others": Case(
        SENT,
        pair("#mine,11 @~23:00,13", "@~23:00,13"),
        HERE,
        [11],
        ["alpha tank/www#mine: foreign"],
    ),
    "a cursor of no declared pair": Case(
        SENT,
        pair("#cur/north,11 @~23:00,13", "@~23:00,13"),
        HERE,
        [11],
        ["alpha tank/www#cur/north: foreign"],
    ),
    "a cursor of ours that moved on": Case(
        SENT, pair("#cur,11 @~23:00,13", "@~23:00,13"), HERE, [11], []
    ),
    "held by somebody": Case(
        LOCAL,
        local("@~21:00,11,held=keep @~22:00,12 @~23:00,13"),
        HERE,
        [11, 12],
        ["alpha tank/www@~21:00: held"],
        "held by keep",
    ),
    "held by nobody knows who": Case(
        LOCAL,
        local("@~21:00,11,refs=1 @~22:00,12 @~23:00,13"),
        HERE,
        [11, 12],
        ["alpha tank/www@~21:00: held"],
        "held by somebody",
    ),
    "held by ourselves": Case(
        SENT, pair("@~21:00,11,held=step @~23:00,13", "@~23:00,13"), HERE, [11], []
    ),
    "a version from the future is there": Case(
        LOCAL,
        local("@~21:00,11 @~22:00,12 @~2099-01-01T00:00,13"),
        HERE,
        [11],
        ["alpha tank/www@~21:00: future"],
        "@rec-20990101T000000Z is from the future: a clock was wrong",
    ),
    "a foreign version from the future means nothing": Case(
        LOCAL, local("@~21:00,11 @~22:00,12 @manual,13,at=2099-01-01T00:00"), HERE, [11], []
    ),
    "the last ones of ours": Case(
        LOCAL,
        local("@~21:00,11 @~22:00,12 @manual,13"),
        HERE,
        [11, 12],
        ["alpha tank/www@~21:00@~22:00: last-version"],
        "it would leave no managed version",
    ),
    "a switched off filesystem": Case(
        LOCAL, local(NEEDED, disabled=True), HERE, [11], ["alpha tank/www@~21:00: disabled"]
    ),
    "a suspended spec": Case(
        desired("web: alpha tank/www keep last 1 suspended"),
        local(NEEDED),
        HERE,
        [11],
        ["alpha tank/www@~21:00: suspended"],
        "web is suspended",
    ),
    "the common version, on the sender": Case(
        SENT,
        pair(NEEDED, "@~21:00,11"),
        HERE,
        [11, 12],
        ["alpha tank/www@~21:00: common-version"],
        f"it is the common version with vault {WWW}",
    ),
    "the common version, on the receiver": Case(
        SENT,
        pair("@~22:00,12 @~23:00,13", "@~20:00,10 @~21:00,11 @~22:00,12"),
        THERE,
        [11, 12],
        [f"vault {WWW}@~22:00: common-version"],
        "it is the common version with alpha tank/www",
    ),
    "the common version as a cursor": Case(
        SENT,
        pair("#cur,11 @~23:00,13", "@~21:00,11"),
        HERE,
        [11],
        ["alpha tank/www#cur/vault: common-version"],
    ),
    "an unseen receiver": Case(
        SENT,
        world(seen("alpha", fs("tank/www", NEEDED)), unseen("vault")),
        HERE,
        [11],
        ["alpha tank/www@~21:00: peer-unseen"],
        f"its peer vault {WWW} was not seen",
    ),
    "an unseen sender": Case(
        SENT,
        world(unseen("alpha"), seen("vault", replica(WWW, NEEDED))),
        THERE,
        [11],
        [f"vault {WWW}@~21:00: peer-unseen"],
        "its peer alpha tank/www was not seen",
    ),
    "a receiver's pool that is not imported": Case(
        SENT,
        world(seen("alpha", fs("tank/www", NEEDED)), seen("vault", fs("other"))),
        HERE,
        [11],
        ["alpha tank/www@~21:00: peer-unseen"],
    ),
    "a sender's pool that is suspended": Case(
        SENT,
        world(
            seen("alpha", pools=[pool("tank", health="SUSPENDED")]),
            seen("vault", replica(WWW, NEEDED)),
        ),
        THERE,
        [11],
        [f"vault {WWW}@~21:00: peer-unseen"],
    ),
    "a sender's filesystem that is gone": Case(
        SENT,
        world(seen("alpha", fs("tank")), seen("vault", replica(WWW, NEEDED))),
        THERE,
        [11],
        [f"vault {WWW}@~21:00: peer-gone"],
        "its peer alpha tank/www is gone",
    ),
    "diverged": Case(
        SENT,
        pair(NEEDED, "@~21:00,11 @theirs,99"),
        HERE,
        [12],
        ["alpha tank/www@~22:00: conflict"],
        f"it has no undisputed common version with vault {WWW}",
    ),
    "nothing in common": Case(
        SENT, pair(NEEDED, "@theirs,99"), HERE, [12], ["alpha tank/www@~22:00: conflict"]
    ),
    "a receiver without snapshots": Case(
        SENT, pair(NEEDED, ""), HERE, [12], ["alpha tank/www@~22:00: conflict"]
    ),
    "a receive of somebody else": Case(
        SENT,
        pair(NEEDED, "", inconsistent=True),
        HERE,
        [12],
        ["alpha tank/www@~22:00: conflict"],
    ),
    "a receiver that is not there yet": Case(
        SENT,
        world(seen("alpha", fs("tank/www", NEEDED)), seen("vault", fs("backup"))),
        HERE,
        [11],
        [],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_guards_take_out_exactly(case: Case) -> None:
    """H34 H48 H52 H53 H62 H104 L5 L12 L14"""
    chosen = versions(case.observed, case.place, case.doomed)
    found = checked(case.specs, case.observed, Destroy(*case.place, chosen))

    assert blocked(found) == case.blocked
    if case.message:
        assert found.blocked[0].message == case.message
    left = {
        v.guid for p in found.actions if isinstance(p.action, Destroy) for v in p.action.versions
    }
    taken = {v.guid for b in found.blocked for v in b.versions}
    assert left | taken == set(case.doomed)
    assert not left & taken


def test_a_version_that_was_not_seen_is_not_destroyed() -> None:
    """L11: the name alone says nothing."""
    observed = local(NEEDED)
    (first,) = versions(observed, HERE, [11])
    other = first._replace(guid=99)
    gone = first._replace(name="gone", guid=98)

    found = checked(LOCAL, observed, Destroy(*HERE, (other, gone)))

    assert [(b.guard, b.message) for b in found.blocked] == [
        ("unseen", "@rec-20261122T210000Z with guid 99 was not seen"),
        ("unseen", "@gone with guid 98 was not seen"),
    ]
    assert found.actions == ()


def test_a_filesystem_that_was_not_seen_is_not_touched() -> None:
    (first,) = versions(local(NEEDED), HERE, [11])

    elsewhere = checked(LOCAL, local(NEEDED), Destroy("alpha", "tank/x", (first,)))
    unknown = checked(LOCAL, world(unseen("alpha")), Destroy(*HERE, (first,)))

    assert blocked(elsewhere) == ["alpha tank/x@~21:00: unseen"]
    assert blocked(unknown) == ["alpha tank/www@~21:00: unseen"]
    assert elsewhere.blocked[0].message == "alpha tank/x was not seen"
    assert unknown.blocked[0].message == "alpha tank/www was not seen"


def test_guards_believe_the_observation_not_the_plan() -> None:
    observed = local("@~21:00,11,held=keep @manual,12 @~23:00,13")
    held, manual = versions(observed, HERE, [11, 12])
    dressed_up = (held._replace(holds=(), userrefs=0), manual._replace(spec="web"))

    found = checked(LOCAL, observed, Destroy(*HERE, dressed_up))

    assert [b.guard for b in found.blocked] == ["held", "foreign"]


# -- what arrives before ---------------------------------------------------------------------------


def stream(observed: Observed, base: int, *arriving: int) -> Send:
    (start,) = versions(observed, HERE, [base])
    return Send(
        host="alpha",
        filesystem="tank/www",
        kind=FilesystemKind.FILESYSTEM,
        receiver_host="vault",
        receiver_filesystem=WWW,
        mode=SendMode.INCREMENTAL,
        base=start,
        versions=versions(observed, HERE, arriving),
        flags=StreamFlags(),
        path="auto",
    )


def test_the_old_base_may_go_after_the_send_that_makes_it_old() -> None:
    observed = pair("@~22:00,12 @~23:00,13", "@~22:00,12")
    send = stream(observed, 12, 13)

    for place in (HERE, THERE):
        destroy = Destroy(*place, versions(observed, place, [12]))
        waits = checked(SENT, observed, send, destroy, depends_on=(send.id,))
        rushes = checked(SENT, observed, send, destroy)
        assert blocked(waits) == []
        assert [b.guard for b in rushes.blocked] == [
            "common-version" if place == HERE else "last-version"
        ]


def test_the_new_base_may_not_go_even_after_the_send() -> None:
    observed = pair("@~21:00,11 @~22:00,12 @~23:00,13", "@~21:00,11")
    send = stream(observed, 11, 12)
    destroy = Destroy(*HERE, versions(observed, HERE, [12]))

    found = checked(SENT, observed, send, destroy, depends_on=(send.id,))

    assert [b.message for b in found.blocked] == [f"it will be the common version with vault {WWW}"]


def test_what_is_on_its_way_may_go_only_after_it_arrived() -> None:
    observed = pair("@~21:00,11 @~22:00,12 @~23:00,13", "@~21:00,11")
    send = stream(observed, 11, 12, 13)
    destroy = Destroy(*HERE, versions(observed, HERE, [12]))

    assert blocked(checked(SENT, observed, send, destroy, depends_on=(send.id,))) == []
    assert blocked(checked(SENT, observed, send, destroy)) == [
        "alpha tank/www@~22:00: common-version"
    ]


def test_the_last_one_may_go_only_after_a_snapshot_of_that_very_filesystem() -> None:
    observed = world(seen("alpha", fs("tank/www", "@~21:00,11"), fs("tank/db")))
    destroy = Destroy(*HERE, versions(observed, HERE, [11]))
    right = Snapshot("alpha", ("tank/www",), "rec-x", "web", NOW)
    wrong = Snapshot("alpha", ("tank/db",), "rec-x", "web", NOW)

    assert blocked(checked(LOCAL, observed, right, destroy, depends_on=(right.id,))) == []
    assert [b.guard for b in checked(LOCAL, observed, right, destroy).blocked] == ["last-version"]
    after_another = checked(LOCAL, observed, wrong, destroy, depends_on=(wrong.id,))
    assert [b.guard for b in after_another.blocked] == ["last-version"]
    after_nothing = checked(LOCAL, observed, destroy, depends_on=(right.id,))
    assert [b.guard for b in after_nothing.blocked] == ["last-version"]


def test_what_goes_only_once_another_has_come_counts_as_there_for_what_goes_before() -> None:
    observed = pair("@~22:00,12 @~23:00,13", "@~20:00,10 @~21:00,11 @~22:00,12")
    send = stream(observed, 12, 13)
    first = Destroy(*THERE, versions(observed, THERE, [10, 11]))
    rest = Destroy(*THERE, versions(observed, THERE, [12]))

    assert blocked(checked(SENT, observed, first, send, rest, depends_on=(send.id,))) == []
    rushes = checked(SENT, observed, first, send, rest)
    assert {b.guard for b in rushes.blocked} == {"last-version"}


# -- the plan around -------------------------------------------------------------------------------


def test_other_actions_pass_and_earlier_objections_stay() -> None:
    observed = local(NEEDED)
    snapshot = Snapshot("alpha", ("tank/www",), "rec-x", "web", NOW)
    (first,) = versions(observed, HERE, [11])
    bad = Destroy(*HERE, (first._replace(guid=99),))

    once = checked(LOCAL, observed, snapshot, bad)
    twice = guard(once, LOCAL, observed)

    assert steps(once) == ["snapshot alpha tank/www @rec-x"]
    assert twice == once


def test_one_filesystem_of_two_pairs_needs_the_leave_of_both() -> None:
    specs = desired("web: alpha tank/www keep last 1 -> vault -> north")
    observed = world(
        seen("alpha", fs("tank/www", "@~20:00,10 @~21:00,11 @~22:00,12 @~23:00,13")),
        seen("vault", replica(WWW, "@~21:00,11")),
        seen("north", replica(WWW, "@~22:00,12")),
    )

    found = checked(specs, observed, Destroy(*HERE, versions(observed, HERE, [10, 11, 12])))

    assert [(b.versions[0].guid, b.message) for b in found.blocked] == [
        (11, f"it is the common version with vault {WWW}"),
        (12, f"it is the common version with north {WWW}"),
    ]
