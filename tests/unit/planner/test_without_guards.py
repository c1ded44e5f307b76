"""What the planner leaves out by itself: the guards, which look again, are not asked here."""

from dataclasses import dataclass
from typing import Any

import pytest

from reconciler.desired.model import Keep, Last
from reconciler.observed.model import Observation
from reconciler.planner import planning
from reconciler.planner.retire import Protection, Retention
from reconciler.planner.verdict import Verdict
from tests.support.shown import of_verb
from tests.support.worlds import NOW, desired, fs, pool, replica, seen, unseen, world

WWW = "backup/alpha/tank/www"
LOCAL = "web: alpha tank/www keep last 1"
SENT = "web: alpha tank/www keep last 1 -> vault keep last 1"
NEEDED = "@~21:00,11 @~22:00,12 #cur,12 @~23:00,13"
BEHIND = "@~21:00,11 @~22:00,12,held=base"


@pytest.fixture(autouse=True)
def _no_guards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "guard", lambda draft, *_: draft)


@dataclass(frozen=True)
class Case:
    line: str
    hosts: list[Observation]
    destroyed: list[str]


def alpha(versions: str = NEEDED, **facts: Any) -> Observation:
    return seen("alpha", fs("tank/www", versions, **facts))


def vault(versions: str = BEHIND, **facts: Any) -> Observation:
    return seen("vault", replica(WWW, versions, **facts))


CASES = {
    "what a rule keeps": Case(
        "web: alpha tank/www keep last 2",
        [alpha("@~21:00,1 @~22:00,2 @~23:00,3")],
        ["destroy alpha tank/www@~21:00"],
    ),
    "what somebody holds": Case(
        LOCAL,
        [alpha("@~21:00,1,held=keep @~22:00,2 @~23:00,3")],
        ["destroy alpha tank/www@~22:00"],
    ),
    "what is held by nobody knows who": Case(
        LOCAL, [alpha("@~21:00,1,refs=1 @~22:00,2 @~23:00,3")], ["destroy alpha tank/www@~22:00"]
    ),
    "foreign snapshots of a sender": Case(
        LOCAL,
        [alpha("@~21:00,1 @manual,2 @~22:00,3 @daily-1,4")],
        ["destroy alpha tank/www@~21:00"],
    ),
    "foreign snapshots of a receiver": Case(
        SENT,
        [alpha("@~23:00,13 #cur,13"), vault("@theirs,90 @~21:00,11 @kept,91 @~23:00,13,held=base")],
        [f"destroy vault {WWW}@~21:00"],
    ),
    "the last managed version": Case(
        "web: alpha tank/www keep matching x",
        [alpha("@~21:00,1 @~22:00,2 @manual,3")],
        ["destroy alpha tank/www@~21:00"],
    ),
    "the last managed version of a receiver": Case(
        "web: alpha tank/www keep last 1 -> vault keep matching x",
        [
            alpha("@manual,12 #cur,12 @~23:00,13"),
            vault("@~20:00,10 @~21:00,11 @manual,12,held=base"),
        ],
        [f"destroy vault {WWW}@~20:00"],
    ),
    "the common version": Case(
        "web: alpha tank/www keep last 1 -> vault keep matching x",
        [alpha(), vault()],
        [f"destroy vault {WWW}@~21:00", "destroy alpha tank/www@~21:00"],
    ),
    "a cursor from whose version another receiver starts": Case(
        "web: alpha tank/www keep last 1 -> vault keep last 1 -> north keep matching x",
        [
            alpha("#cur,12 @~23:00,13"),
            vault("@~22:00,12,held=base"),
            seen("north", replica(WWW, "@~22:00,12,held=base")),
        ],
        [f"destroy vault {WWW}@~22:00"],
    ),
    "all of a suspended spec": Case(f"{LOCAL} suspended", [alpha()], []),
    "all of a filesystem that is switched off": Case(LOCAL, [alpha(disabled=True)], []),
    "all of a pool that takes no changes": Case(
        LOCAL, [seen("alpha", fs("tank/www", NEEDED), pools=[pool("tank", readonly=True)])], []
    ),
    "all while a receiver is unseen": Case(SENT, [alpha(), unseen("vault")], []),
    "all while a receiver is switched off": Case(SENT, [alpha(), vault(disabled=True)], []),
    "all while a receiver has diverged": Case(SENT, [alpha(), vault("@~22:00,12 @mine,99")], []),
    "all of a receiver whose sender is unseen": Case(SENT, [unseen("alpha"), vault()], []),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_planner_leaves(case: Case) -> None:
    """Each case is named for what stays."""
    found = planning.plan(desired(case.line), world(*case.hosts), NOW)

    assert of_verb(found, "destroy") == case.destroyed


def test_what_is_only_promised_is_not_destroyed() -> None:
    (real, promised) = fs("tank/www", "@~22:00,1 @~23:00,-2").versions
    verdict = Verdict.of(Keep((Last(0),)), (real, promised))
    nothing: frozenset[str] = frozenset()

    protection = Protection(frozenset(), nothing, nothing)
    there = frozenset({real.guid})

    [(destroy, _)] = Retention("alpha", "tank/www", verdict, protection, there).destroys()

    assert destroy.versions == (real,)


def test_nothing_is_destroyed_where_it_is_said_that_nothing_may_be() -> None:
    filesystem = fs("tank/www", "@~21:00,1 @~22:00,2")
    verdict = Verdict.of(Keep((Last(0),)), filesystem.snapshots)
    nothing: frozenset[str] = frozenset()
    protection = Protection(frozenset(), nothing, nothing)
    there = frozenset({1, 2})
    free = Retention("alpha", "tank/www", verdict, protection, there)
    frozen = Retention("alpha", "tank/www", verdict, protection, there, "vault is unseen")

    assert [len(destroy.versions) for destroy, _ in free.destroys()] == [2]
    assert list(free.kept()) == []
    assert list(frozen.destroys()) == []
    assert [kept.rules for kept in frozen.kept()] == [("vault is unseen",), ("vault is unseen",)]
