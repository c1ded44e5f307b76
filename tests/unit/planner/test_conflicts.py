"""States that need a person: said with evidence and remedy, and nothing is done about them."""

from dataclasses import dataclass

import pytest

from reconciler.observed.model import Filesystem, Observation
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from tests.support.shown import conflicts, of_verb, steps
from tests.support.worlds import (
    NOW,
    desired,
    encrypted,
    fs,
    placeholder,
    pool,
    replica,
    seen,
    volume,
    world,
)

WWW = "backup/alpha/tank/www"
AB = "@~22:00,11 @~23:00,12"
RULES = "web: alpha tank/www keep last 1 -> vault keep last 1"


def planned(source: Filesystem, *there: Filesystem) -> Plan:
    return plan(desired(RULES), world(seen("alpha", source), seen("vault", *there)), NOW)


@dataclass(frozen=True)
class Case:
    here: Filesystem
    there: Filesystem
    code: str
    message: str
    remedy: str


CASES = {
    "diverged": Case(
        fs("tank/www", AB),
        replica(WWW, "@~22:00,11 @theirs,98 @mine,99"),
        "diverged",
        "diverged: 2 snapshots there that alpha does not have (@theirs, @mine), newer than the"
        " common @rec-20261122T220000Z",
        f"to keep what is there: zfs rename {WWW} {WWW}.aside and start afresh; to give it"
        f" up: zfs rollback -r {WWW}@rec-20261122T220000Z on vault (destroys @theirs, @mine)",
    ),
    "no common version": Case(
        fs("tank/www", AB),
        replica(WWW, "@~22:00,91"),
        "no-common-version",
        "no common version: none of the 1 snapshot there is on alpha, as snapshot or as bookmark",
        f"zfs rename {WWW} {WWW}.aside on vault to keep it and start afresh",
    ),
    "H91 written to": Case(
        fs("tank/www", AB),
        replica(WWW, "@~22:00,11", written=4096),
        "receiver-modified",
        f"{WWW} was written to since its newest snapshot",
        "keep what was written (zfs snapshot and zfs clone), then zfs rollback"
        f" {WWW}@rec-20261122T220000Z on vault",
    ),
    "H70 no snapshots": Case(
        fs("tank/www", AB),
        fs(WWW, referenced=512),
        "receiver-without-snapshots",
        f"{WWW} exists and has no snapshot; a full stream would have to replace it",
        f"zfs rename {WWW} on vault out of the way, let it be received, then rename its children"
        " back below it, if it has any",
    ),
    "bookmarks are no snapshots": Case(
        fs("tank/www", AB),
        fs(WWW, "#a,11"),
        "receiver-without-snapshots",
        f"{WWW} exists and has no snapshot; a full stream would have to replace it",
        f"zfs rename {WWW} on vault out of the way, let it be received, then rename its children"
        " back below it, if it has any",
    ),
    "H71 placeholder": Case(
        fs("tank/www", AB),
        placeholder(WWW),
        "receiver-is-placeholder",
        f"{WWW} is a placeholder made earlier; a full stream would have to replace it",
        f"zfs rename {WWW} on vault out of the way, let it be received, then rename its children"
        " back below it; where nothing is below it, `onConflict: setAside` does that",
    ),
    "H72 volume onto filesystem": Case(
        volume("tank/www", AB),
        replica(WWW, "@~22:00,11"),
        "type-mismatch",
        f"{WWW} is a filesystem, but tank/www on alpha is a volume",
        f"rename {WWW} on vault out of the way (zfs rename)",
    ),
    "H72 filesystem onto volume": Case(
        fs("tank/www", AB),
        volume(WWW, "@~22:00,11"),
        "type-mismatch",
        f"{WWW} is a volume, but tank/www on alpha is a filesystem",
        f"rename {WWW} on vault out of the way (zfs rename)",
    ),
    "H96 encrypted meanwhile": Case(
        fs("tank/www", AB, **encrypted()),
        replica(WWW, "@~22:00,11"),
        "encryption-mismatch",
        f"tank/www is encrypted and {WWW} is not: a raw stream can't continue it",
        f"zfs rename {WWW} {WWW}.aside on vault to start afresh, or go on in clear:"
        " `encryption: decrypt`",
    ),
    "the receiver's key is not loaded": Case(
        fs("tank/www", AB),
        replica(WWW, "@~22:00,11", **encrypted(keystatus="unavailable", encryptionroot="backup")),
        "key-not-loaded",
        f"{WWW} is encrypted and its key is not loaded on vault",
        "zfs load-key backup there",
    ),
    "another snapshot of that name": Case(
        fs("tank/www", "@~22:00,11 @~23:00,12"),
        replica(WWW, "@~23:00,91 @~22:00,11"),
        "name-taken",
        f"{WWW}@rec-20261122T230000Z is another snapshot than @rec-20261122T230000Z on alpha",
        f"zfs rename {WWW}@rec-20261122T230000Z on vault",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_conflict(case: Case) -> None:
    """H70 H71 H72 H91 H96 L2 L4"""
    found = planned(case.here, case.there)

    (conflict,) = found.conflicts
    assert (conflict.replication, conflict.host, conflict.filesystem) == ("web", "vault", WWW)
    assert (conflict.code, conflict.message, conflict.remedy) == (
        case.code,
        case.message,
        case.remedy,
    )
    assert found.outcome == "blocked"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_nothing_is_done_on_either_end_while_there_is_a_conflict(case: Case) -> None:
    """Not even what expires on the sender: it may be what a person needs."""
    assert steps(planned(case.here, case.there)) == []


def test_the_evidence_names_guids() -> None:
    (conflict,) = planned(fs("tank/www", AB), replica(WWW, "@~22:00,11 @mine,99")).conflicts

    assert conflict.evidence == (
        "common: @rec-20261122T220000Z (guid 11)",
        "only on vault: @mine (guid 99)",
        "newest on alpha: @rec-20261122T230000Z (guid 12)",
    )


def test_the_evidence_of_strangers_names_the_newest_of_both() -> None:
    (conflict,) = planned(fs("tank/www", AB), replica(WWW, "@x,90 @y,91")).conflicts

    assert conflict.evidence == (
        "newest on vault: @y (guid 91)",
        "newest on alpha: @rec-20261122T230000Z (guid 12)",
    )


def test_the_evidence_names_nothing_that_does_not_exist_yet() -> None:
    line = "web: alpha tank/www every 15m -> vault"
    alpha, vault = seen("alpha", fs("tank/www", AB)), seen("vault", replica(WWW, "@x,90"))
    found = plan(desired(line), world(alpha, vault), NOW)

    assert of_verb(found, "snapshot") == ["snapshot alpha tank/www @~23:15"]
    assert found.conflicts[0].evidence[1] == "newest on alpha: @rec-20261122T230000Z (guid 12)"


POOLS = {
    "not imported": (
        seen("vault", pools=[pool("other"), pool("more")]),
        "pool-not-imported",
        "pool backup is not imported on vault",
    ),
    "suspended": (
        seen("vault", pools=[pool("backup", health="SUSPENDED")]),
        "pool-unusable",
        "pool backup on vault is SUSPENDED",
    ),
    "read-only": (
        seen("vault", pools=[pool("backup", readonly=True)]),
        "pool-unusable",
        "pool backup on vault is read-only",
    ),
}


@pytest.mark.parametrize(("vault", "code", "message"), POOLS.values(), ids=POOLS.keys())
def test_a_pool_that_can_not_be_written_to_is_a_conflict(
    vault: Observation, code: str, message: str
) -> None:
    """L5"""
    found = plan(desired(RULES), world(seen("alpha", fs("tank/www", AB)), vault), NOW)

    assert [(c.code, c.message) for c in found.conflicts] == [(code, message)]
    assert steps(found) == []


def test_a_degraded_pool_is_good_enough() -> None:
    vault = seen("vault", replica(WWW, "@~22:00,11"), pools=[pool("backup", health="DEGRADED")])
    found = plan(desired(RULES), world(seen("alpha", fs("tank/www", AB)), vault), NOW)

    assert conflicts(found) == []
    assert len(of_verb(found, "send")) == 1


def test_an_encrypted_parent_without_its_key_takes_nothing_in_the_clear() -> None:
    """H97"""
    locked = fs("backup", **encrypted(keystatus="unavailable", encryptionroot="backup"))

    assert conflicts(planned(fs("tank/www", AB), locked)) == [f"vault {WWW} key-not-loaded"]
    assert conflicts(planned(fs("tank/www", AB, **encrypted()), locked)) == [
        f"vault {WWW} key-not-loaded"
    ]


def test_a_child_in_the_clear_can_not_follow_a_parent_that_arrives_raw() -> None:
    line = "web: alpha tank/www/** -> vault"
    alpha = seen("alpha", fs("tank/www", AB, **encrypted()), fs("tank/www/a", "@~22:00,21"))
    found = plan(desired(line), world(alpha, seen("vault", fs("backup"))), NOW)

    assert conflicts(found) == [f"vault {WWW}/a key-not-loaded"]


def test_names_that_get_too_long_there_are_a_conflict() -> None:
    """H08"""
    long = f"tank/www/{'x' * 200}"
    line = f"web: alpha {long} -> vault backup/{'y' * 20}/{{host}}"
    found = plan(
        desired(line), world(seen("alpha", fs(long, "@~22:00,1")), seen("vault", fs("backup"))), NOW
    )

    assert [c.code for c in found.conflicts] == ["name-impossible"]
    assert steps(found) == []


def test_a_conflict_with_one_receiver_leaves_the_other_ones_going() -> None:
    """H53: but nothing is destroyed on the sender."""
    line = "web: alpha tank/www keep last 1 -> vault keep last 1 -> north keep last 1"
    found = plan(
        desired(line),
        world(
            seen("alpha", fs("tank/www", "@~21:00,10 #cur/north,10 @~22:00,11 @~23:00,12")),
            seen("vault", replica(WWW, "@~22:00,11 @mine,99")),
            seen("north", replica(WWW, "@~21:00,10,held=base")),
        ),
        NOW,
    )

    assert conflicts(found) == [f"vault {WWW} diverged"]
    assert of_verb(found, "send", "destroy") == [
        "send alpha tank/www @~21:00 → @~23:00",
        f"destroy north {WWW}@~21:00",
    ]


def test_a_source_made_anew_under_its_old_name_is_said_to_be_one() -> None:
    """L27"""
    there = replica(WWW, "@~21:00,90 @~22:00,91,held=base")
    made_anew = planned(fs("tank/www", AB), there)
    pruned = planned(fs("tank/www", f"{AB} #cur,12"), there)

    said = (
        "alpha tank/www has no cursor of ours any more: it seems to be another filesystem, made"
        " anew under the old name"
    )
    assert conflicts(made_anew) == [f"vault {WWW} no-common-version"]
    assert made_anew.conflicts[0].evidence[-1] == said
    assert said not in pruned.conflicts[0].evidence
    assert steps(made_anew) == []


def test_a_receiver_that_is_newer_than_its_sender_is_told_from_one_with_snapshots_of_its_own() -> (
    None
):
    newer = planned(fs("tank/www", "@~22:00,11 #cur,11"), replica(WWW, AB))
    own = planned(fs("tank/www", "@~22:00,11 #cur,11"), replica(WWW, f"{AB} @mine,99"))

    said = "all of it came from alpha, which was set back to an earlier state or has lost it"
    assert conflicts(newer) == conflicts(own) == [f"vault {WWW} diverged"]
    assert newer.conflicts[0].evidence[-1] == said
    assert said not in own.conflicts[0].evidence
    assert steps(newer) == []
