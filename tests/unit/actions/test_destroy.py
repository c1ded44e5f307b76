"""Destroying: only what still has the planned guid, and one by one when refused together."""

import pytest

from reconciler.actions import Destroy, Done, Failed, Narrowed
from reconciler.hosts.script import Printed, Transcript
from reconciler.observed.change import filesystem_of
from reconciler.zfs.errors import FailureKind
from tests.support.transcripts import missing, ran, refused, rows, said
from tests.support.worlds import fs, seen, unseen, world

FS = fs("tank/www", "@a,11 @b,12 @c,13 #m,14")
A, B, C, MARK = FS.versions
TWO = Destroy("alpha", "tank/www", (A, B))
ONE = Destroy("alpha", "tank/www", (A,))
BOTH = rows("tank/www@a 11", "tank/www@b 12")
HELD = "cannot destroy snapshot tank/www@a: it's being held. Run 'zfs holds -r tank/www@a'"


def test_the_guids_are_compared_right_before_the_command() -> None:
    """H46"""
    check, destroy, after = TWO.script().steps

    assert check.argv[-2:] == ("tank/www@a", "tank/www@b")
    assert destroy.argv == ("zfs", "destroy", "tank/www@a,b")
    assert destroy.when == Printed("check", "tank/www@a\t11\ntank/www@b\t12")
    assert after.argv == check.argv
    assert after.when is None


def test_a_bookmark_is_destroyed_by_its_full_name() -> None:
    step = Destroy("alpha", "tank/www", (MARK,)).script().steps[1]

    assert step.argv == ("zfs", "destroy", "tank/www#m")


def test_done_when_all_are_gone() -> None:
    found = ran(
        TWO.script(), check=said(BOTH), destroy=said(), after=missing("tank/www@a", "tank/www@b")
    )

    assert TWO.judge(found) == Done()


def test_done_when_all_were_gone_before() -> None:
    """H41: gone is success."""
    gone = missing("tank/www@a", "tank/www@b")

    assert TWO.judge(ran(TWO.script(), check=gone, after=gone)) == Done()


def test_done_when_the_command_complains_but_all_are_gone() -> None:
    """F1: exit codes are hints."""
    found = ran(
        ONE.script(),
        check=said(rows("tank/www@a 11")),
        destroy=refused("warning: something"),
        after=missing("tank/www@a"),
    )

    assert ONE.judge(found) == Done()


def test_what_is_left_is_destroyed_when_some_were_gone_before() -> None:
    """H41"""
    left = missing("tank/www@a", present=("tank/www@b 12",))

    verdict = TWO.judge(ran(TWO.script(), check=left, after=left))

    assert isinstance(verdict, Narrowed)
    assert verdict.actions == (Destroy("alpha", "tank/www", (B,)),)
    assert verdict.failure is None


def test_a_version_with_another_guid_is_left_and_reported_the_others_go() -> None:
    """H46"""
    listed = said(rows("tank/www@a 99", "tank/www@b 12"))

    verdict = TWO.judge(ran(TWO.script(), check=listed, after=listed))

    assert isinstance(verdict, Narrowed)
    assert verdict.actions == (Destroy("alpha", "tank/www", (B,)),)
    assert verdict.failure is not None
    assert verdict.failure.kind is FailureKind.CHANGED


def test_a_single_version_with_another_guid_is_a_failure() -> None:
    """H46"""
    listed = said(rows("tank/www@a 99"))

    verdict = ONE.judge(ran(ONE.script(), check=listed, after=listed))

    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.CHANGED
    assert "tank/www@a is not the version" in verdict.failure.message


def test_refused_together_they_are_tried_one_by_one() -> None:
    """H41: one that is held must not keep the others."""
    found = ran(TWO.script(), check=said(BOTH), destroy=refused(HELD), after=said(BOTH))

    verdict = TWO.judge(found)

    assert isinstance(verdict, Narrowed)
    assert verdict.actions == (ONE, Destroy("alpha", "tank/www", (B,)))


@pytest.mark.parametrize(
    ("stderr", "kind"),
    [
        pytest.param(HELD, FailureKind.HELD, id="held"),
        pytest.param(
            "cannot destroy 'tank/www@a': snapshot has dependent clones",
            FailureKind.HAS_CLONES,
            id="cloned",
        ),
        pytest.param("cannot destroy 'tank/www@a': dataset is busy", FailureKind.BUSY, id="busy"),
        pytest.param(
            "cannot destroy 'tank/www@a': permission denied",
            FailureKind.PERMISSION_DENIED,
            id="not allowed",
        ),
    ],
)
def test_a_single_refusal_says_why(stderr: str, kind: FailureKind) -> None:
    """H41"""
    there = said(rows("tank/www@a 11"))
    verdict = ONE.judge(ran(ONE.script(), check=there, destroy=refused(stderr), after=there))

    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is kind


def test_still_there_after_a_success_is_a_failure() -> None:
    there = said(rows("tank/www@a 11"))
    verdict = ONE.judge(ran(ONE.script(), check=there, destroy=said(), after=there))

    assert isinstance(verdict, Failed)
    assert verdict.failure.message == "tank/www@a is still there"


def test_partly_done_leaves_the_one_that_was_refused() -> None:
    """OpenZFS 2.4 destroys what it can."""
    left = missing("tank/www@b", present=("tank/www@a 11",))
    verdict = TWO.judge(ran(TWO.script(), check=said(BOTH), destroy=refused(HELD), after=left))

    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.HELD


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(refused("cannot open 'tank': pool I/O is currently suspended"), id="refused"),
        pytest.param(said("tank/www@a without a guid\n"), id="garbled"),
        pytest.param(said("tank/www@a\t11"), id="cut"),
        pytest.param(refused(status=-9), id="killed"),
        pytest.param(refused(status=127), id="no such command"),
    ],
)
def test_a_listing_that_can_not_be_read_is_no_success(after: object) -> None:
    """Invariant 1: nothing is known."""
    verdict = ONE.judge(
        Transcript({"check": said(rows("tank/www@a 11")), "destroy": said(), "after": after})  # type: ignore[dict-item]
    )

    assert isinstance(verdict, Failed)


def test_a_cut_transcript_is_no_success() -> None:
    assert isinstance(ONE.judge(Transcript({})), Failed)


def test_the_effect_takes_the_versions_away_by_guid() -> None:
    other = A._replace(guid=99)
    observed = world(seen("alpha", FS))

    after = Destroy("alpha", "tank/www", (other, B)).effect(observed)

    left = filesystem_of(after, "alpha", "tank/www")
    assert left is not None
    assert left.versions == (A, C, MARK)
    nowhere = world(unseen("alpha"))
    assert TWO.effect(nowhere) == nowhere


def test_promised_versions_become_real_ones() -> None:
    promised = A._replace(guid=-5)

    resolved = Destroy("alpha", "tank/www", (promised, B)).resolved(
        lambda version: A if version.is_planned else version
    )

    assert resolved == TWO
    assert TWO.id == "destroy:alpha:tank/www@a,@b"
    assert TWO.places == (("alpha", "tank/www"),)
