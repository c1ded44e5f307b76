"""Why versions stay: with the rules that keep them, or what keeps them though no rule does."""

import pytest

from reconciler.observed.model import Observation
from reconciler.planner.planning import plan
from tests.support.shown import short
from tests.support.worlds import NOW, desired, fs, replica, seen, unseen, world

WWW = "backup/alpha/tank/www"
LOCAL = "web: alpha tank/www keep last 1"
SENT = "web: alpha tank/www keep last 1 -> vault keep last 1"
ALPHA = seen("alpha", fs("tank/www", "@~21:00,11 @~22:00,12 #cur,12 @~23:00,13 #cur/x,13"))


def test_nothing_is_explained_unless_asked_for() -> None:
    assert plan(desired(SENT), world(ALPHA, unseen("vault")), NOW).kept == ()


OFF = "switched off by reconciler:reconcile=disabled"
ODD = "@mine,8 #mark,9 @~20:00,10,held=keep @~21:00,11 #cur,11 @~23:00,13"
THERE = "@theirs,90 @~20:30,5 @~21:00,11,held=base"

CASES = {
    "what is to come": (
        "web: alpha tank/www keep last 1 -> vault keep last 2",
        (ALPHA, seen("vault", replica(WWW, "@~21:00,11 @~22:00,12,held=base"))),
        [
            "alpha @~23:00: last 1 of 1, most recent common version",
            "alpha #cur/x: foreign: no spec manages it, most recent common version",
            "vault @~22:00: last 2 of 2",
            "vault @~23:00: last 1 of 2, most recent common version",
        ],
    ),
    "what is only about to be made": (
        "web: alpha tank/www every 15m keep matching x",
        (seen("alpha", fs("tank/www", "@~22:00,12")),),
        ["alpha @~23:15: last managed version"],
    ),
    "a receiver that was not seen": (
        SENT,
        (seen("alpha", fs("tank/www", ODD)), unseen("vault")),
        [
            "alpha @~20:00: held by keep, vault is unseen",
            "alpha @~21:00: vault is unseen",
            "alpha @~23:00: last 1 of 1, last managed version, vault is unseen",
            "alpha @mine: foreign: no spec manages it",
            "alpha #mark: foreign: no spec manages it",
            "alpha #cur/vault: replication cursor for vault, vault is unseen",
        ],
    ),
    "holds of others, what is foreign, and a base": (
        "web: alpha tank/www keep matching x -> vault keep matching x",
        (seen("alpha", fs("tank/www", ODD)), seen("vault", replica(WWW, THERE))),
        [
            "alpha @~20:00: held by keep",
            "alpha @~21:00: most recent common version",
            "alpha @~23:00: last managed version",
            "alpha @mine: foreign: no spec manages it",
            "alpha #mark: foreign: no spec manages it",
            "alpha #cur/vault: replication cursor for vault",
            "vault @~21:00: most recent common version",
            "vault @theirs: foreign: no spec manages it",
        ],
    ),
    "a conflict": (
        SENT,
        (
            seen("alpha", fs("tank/www", "@~22:00,12 @~23:00,13")),
            seen("vault", replica(WWW, "@~22:00,12 @x,99")),
        ),
        [
            "alpha @~22:00: conflict on vault",
            "alpha @~23:00: last 1 of 1, last managed version, conflict on vault",
            "vault @~22:00: conflict on vault",
            "vault @x: conflict on vault",
        ],
    ),
    "a guard": (
        LOCAL,
        (seen("alpha", fs("tank/www", "@~22:00,12 @~23:00,13"), skew=100),),
        [
            "alpha @~23:00: last 1 of 1, last managed version",
            "alpha @~22:00: guard clock: the clock of alpha is 100 s ahead of the controller's",
        ],
    ),
    "a sender that was not seen": (
        SENT,
        (unseen("alpha"), seen("vault", replica(WWW, "@~22:00,12"))),
        ["vault @~22:00: not seen: alpha"],
    ),
    "a sender's filesystem that is gone": (
        SENT,
        (seen("alpha", fs("tank")), seen("vault", replica(WWW, "@~22:00,12"))),
        ["vault @~22:00: tank/www is gone from alpha"],
    ),
    "a filesystem that is switched off": (
        LOCAL,
        (seen("alpha", fs("tank/www", "@~22:00,12 @~23:00,13", disabled=True)),),
        [
            f"alpha @~22:00: {OFF}",
            f"alpha @~23:00: last 1 of 1, last managed version, {OFF}",
        ],
    ),
}


@pytest.mark.parametrize(("line", "hosts", "stays"), CASES.values(), ids=CASES.keys())
def test_explaining_says_of_each_version_why_it_stays_though_no_rule_keeps_it(
    line: str, hosts: tuple[Observation, ...], stays: list[str]
) -> None:
    found = plan(desired(line), world(*hosts), NOW, explain=True)

    assert [f"{k.host} {short(k.version.label)}: {', '.join(k.rules)}" for k in found.kept] == stays
