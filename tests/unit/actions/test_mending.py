"""Renames and rollbacks: only of exactly what the plan saw."""

from reconciler.actions import Done, Failed, Rename, Rollback
from reconciler.hosts.script import Printed
from reconciler.observed.change import filesystem_of
from reconciler.zfs.errors import FailureKind
from tests.support.transcripts import missing, ran, refused, said
from tests.support.worlds import fs, seen, world

WWW = "backup/alpha/tank/www"
RENAME = Rename("vault", WWW, f"{WWW}.aside-x", 77)
A, B, C = fs(WWW, "@a,11 @b,12 @c,13").snapshots
ROLLBACK = Rollback("vault", WWW, B, (A,), (C,))
SEEN = f"{WWW}@a\t11\n{WWW}@b\t12\n{WWW}@c\t13"
LEFT = f"{WWW}@a\t11\n{WWW}@b\t12"


def test_a_filesystem_is_renamed_when_it_is_the_one_the_plan_saw() -> None:
    steps = {step.name: step for step in RENAME.script().steps}

    assert steps["rename"].argv == ("zfs", "rename", WWW, f"{WWW}.aside-x")
    assert steps["rename"].when == Printed("check", "77")


def test_it_is_renamed_when_its_guid_is_at_the_new_name() -> None:
    script = RENAME.script()
    verdict = RENAME.judge(ran(script, check=said("77\n"), rename=said(), after=said("77\n")))
    assert isinstance(verdict, Done)
    gone = missing(WWW)
    assert isinstance(RENAME.judge(ran(script, check=gone, after=said("77\n"))), Done)


def test_another_filesystem_under_its_name_stays() -> None:
    script = RENAME.script()
    verdict = RENAME.judge(ran(script, check=said("78\n"), after=missing("x")))
    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.CHANGED


def test_a_refused_rename_is_a_failure_with_what_zfs_said() -> None:
    busy = refused(f"cannot rename '{WWW}': pool or dataset is busy")
    verdict = RENAME.judge(
        ran(RENAME.script(), check=said("77\n"), rename=busy, after=missing("x"))
    )
    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.BUSY


def test_the_effect_of_a_rename_takes_along_what_is_below() -> None:
    before = world(seen("vault", fs(WWW, "@a,11"), fs(f"{WWW}/sub", "@a,21"), fs(f"{WWW}-not")))
    after = RENAME.effect(before)
    assert filesystem_of(after, "vault", WWW) is None
    moved = filesystem_of(after, "vault", f"{WWW}.aside-x/sub")
    assert moved is not None
    assert moved.snapshots[0].guid == 21
    assert filesystem_of(after, "vault", f"{WWW}-not") is not None


def test_a_rollback_is_done_when_all_snapshots_are_those_the_plan_saw() -> None:
    steps = {step.name: step for step in ROLLBACK.script().steps}

    assert steps["rollback"].argv == ("zfs", "rollback", "-r", f"{WWW}@b")
    assert steps["rollback"].when == Printed("check", SEEN)


def test_without_newer_snapshots_none_can_be_destroyed_by_it() -> None:
    action = Rollback("vault", WWW, C, (A, B), ())
    assert action.script().steps[1].argv == ("zfs", "rollback", f"{WWW}@c")


def test_it_is_rolled_back_when_exactly_the_older_ones_are_left() -> None:
    script = ROLLBACK.script()
    done = ran(script, check=said(f"{SEEN}\n"), rollback=said(), after=said(f"{LEFT}\n"))
    assert isinstance(ROLLBACK.judge(done), Done)
    still = ran(script, check=said(f"{SEEN}\n"), rollback=said(), after=said(f"{SEEN}\n"))
    assert isinstance(ROLLBACK.judge(still), Failed)


def test_a_snapshot_that_came_since_the_plan_keeps_everything_as_it_is() -> None:
    newer = said(f"{SEEN}\n{WWW}@d\t14\n")
    verdict = ROLLBACK.judge(ran(ROLLBACK.script(), check=newer, after=newer))
    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.CHANGED
