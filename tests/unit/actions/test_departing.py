"""The mark of a receiver whose source is gone, and the destroy of an empty filesystem."""

import pytest

from reconciler.actions import DestroyFilesystem, Done, Failed, MarkGone
from reconciler.hosts.script import Outcome, Printed, Transcript
from reconciler.zfs import commands
from reconciler.zfs.errors import FailureKind

WWW = "backup/alpha/www"
DESTROY = DestroyFilesystem("vault", WWW, 7)
MARK = MarkGone("vault", WWW, 7, 1795694400)
VALUE = f"2026-11-26T12:00:00Z {WWW}"
MISSING = Outcome(1, "", f"cannot open '{WWW}': dataset does not exist\n")


def said(**outcomes: Outcome) -> Transcript:
    return Transcript(outcomes)


def test_a_filesystem_is_destroyed_only_if_it_is_all_that_is_listed() -> None:
    check, destroy, after = DESTROY.script().steps

    assert check.argv[:6] == ("zfs", "list", "-H", "-p", "-r", "-t")
    assert check.argv[6] == "filesystem,volume,snapshot,bookmark"
    assert destroy.argv == ("zfs", "destroy", WWW)
    assert destroy.when == Printed("check", f"{WWW}\t7")
    assert after.argv[-1] == WWW


def test_a_filesystem_that_is_gone_already_is_done() -> None:
    assert DESTROY.judge(said(check=MISSING, after=MISSING)) == Done()


@pytest.mark.parametrize(
    "listed", [f"{WWW}\t7\n{WWW}@x\t8\n", f"{WWW}\t7\n{WWW}#x\t8\n", f"{WWW}\t9\n"]
)
def test_one_that_is_not_as_it_was_seen_is_left_and_said_to_be(listed: str) -> None:
    there = Outcome(0, f"{WWW}\n", "")
    verdict = DESTROY.judge(said(check=Outcome(0, listed, ""), after=there))

    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.CHANGED


def test_whether_it_is_gone_must_be_seen() -> None:
    cut = Outcome(1, "", "internal error: no\n")

    assert isinstance(DESTROY.judge(said(check=cut, after=cut)), Failed)
    assert isinstance(DESTROY.judge(said()), Failed)


def test_a_pool_is_never_destroyed() -> None:
    with pytest.raises(ValueError, match="is a pool"):
        commands.destroy_filesystem("backup")


def test_a_mark_is_set_on_the_very_filesystem_and_looked_at() -> None:
    check, mark, after = MARK.script().steps

    assert mark.argv == ("zfs", "set", f"reconciler:gone-since={VALUE}", WWW)
    assert mark.when == Printed("check", "7")
    assert after.argv[-2:] == ("reconciler:gone-since", WWW)
    guid, fine = Outcome(0, "7\n", ""), Outcome(0, "", "")
    assert MARK.judge(said(check=guid, set=fine, after=Outcome(0, f"{VALUE}\n", ""))) == Done()
    assert isinstance(MARK.judge(said(check=guid, set=fine, after=Outcome(0, "-\n", ""))), Failed)
    assert isinstance(MARK.judge(said(check=Outcome(0, "8\n", ""), after=fine)), Failed)
    assert check.name == "check"


def test_a_mark_is_taken_away_also_where_a_parent_has_one_of_its_own() -> None:
    away = MarkGone("vault", WWW, 7, None)
    _, unset, _ = away.script().steps
    inherited = Outcome(0, "2026-11-26T12:00:00Z backup/alpha\n", "")

    assert unset.argv == ("zfs", "inherit", "reconciler:gone-since", WWW)
    done = said(check=Outcome(0, "7\n", ""), set=Outcome(0, "", ""), after=inherited)
    assert away.judge(done) == Done()
