"""Holds and releases, of exactly the snapshot that was planned."""

import pytest

from reconciler.actions import Done, Failed, Hold, Release
from reconciler.hosts.script import Printed, Transcript
from reconciler.observed.change import filesystem_of
from reconciler.zfs.errors import FailureKind
from tests.support.transcripts import missing, ran, refused, rows, said
from tests.support.worlds import fs, seen, unseen, world

(A,) = fs("tank/www", "@a,11").versions
HOLD = Hold("alpha", "tank/www", A, "tag")
RELEASE = Release("alpha", "tank/www", A, "tag")
THERE = said(rows("tank/www@a 11"))
REPLACED = said(rows("tank/www@a 99"))
GONE = missing("tank/www@a")
HELD = said("tank/www@a\tother\tSun Nov 22 23:00 2026\ntank/www@a\ttag\tSun Nov 22 23:15 2026\n")
FREE = said("tank/www@a\tother\tSun Nov 22 23:00 2026\n")
SUSPENDED = refused("cannot open 'tank': pool I/O is currently suspended")


def test_both_check_the_guid_first() -> None:
    for action, verb in ((HOLD, "hold"), (RELEASE, "release")):
        step = action.script().steps[1]
        assert step.argv == ("zfs", verb, "tag", "tank/www@a")
        assert step.when == Printed("check", "tank/www@a\t11")


def test_held() -> None:
    found = ran(HOLD.script(), check=THERE, hold=said(), holds=HELD, after=THERE)

    assert HOLD.judge(found) == Done()


def test_held_before_is_held() -> None:
    already = refused("cannot hold snapshot 'tank/www@a': tag already exists on this dataset")

    assert (
        HOLD.judge(ran(HOLD.script(), check=THERE, hold=already, holds=HELD, after=THERE)) == Done()
    )


@pytest.mark.parametrize(
    ("check", "kind"),
    [
        pytest.param(GONE, FailureKind.DOES_NOT_EXIST, id="gone"),
        pytest.param(REPLACED, FailureKind.CHANGED, id="another guid"),
        pytest.param(SUSPENDED, FailureKind.POOL_SUSPENDED, id="unreadable"),
    ],
)
def test_what_is_not_the_planned_snapshot_is_not_held(check: object, kind: FailureKind) -> None:
    """H46 H84"""
    verdict = HOLD.judge(ran(HOLD.script(), check=check, after=check))  # type: ignore[arg-type]

    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is kind


@pytest.mark.parametrize(
    ("holds", "after"),
    [
        pytest.param(FREE, THERE, id="no such tag afterwards"),
        pytest.param(HELD, REPLACED, id="another snapshot of that name was held"),
        pytest.param(HELD, SUSPENDED, id="unknown which one was held"),
        pytest.param(SUSPENDED, THERE, id="tags can't be listed"),
        pytest.param(said("garbled\n"), THERE, id="tags can't be read"),
    ],
)
def test_a_hold_that_can_not_be_seen_is_none(holds: object, after: object) -> None:
    found = ran(HOLD.script(), check=THERE, hold=said(), holds=holds, after=after)  # type: ignore[arg-type]

    assert isinstance(HOLD.judge(found), Failed)


def test_a_refused_hold_says_why() -> None:
    denied = refused("cannot hold snapshot 'tank/www@a': permission denied")
    verdict = HOLD.judge(ran(HOLD.script(), check=THERE, hold=denied, holds=FREE, after=THERE))

    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.PERMISSION_DENIED


def test_released() -> None:
    found = ran(RELEASE.script(), check=THERE, release=said(), holds=FREE)

    assert RELEASE.judge(found) == Done()


def test_released_before_is_released() -> None:
    absent = refused("cannot release hold from snapshot 'tank/www@a': no such tag on this dataset")

    assert RELEASE.judge(ran(RELEASE.script(), check=THERE, release=absent, holds=said())) == Done()


@pytest.mark.parametrize(
    "check", [pytest.param(GONE, id="gone"), pytest.param(REPLACED, id="another guid")]
)
def test_a_hold_went_with_its_snapshot(check: object) -> None:
    verdict = RELEASE.judge(ran(RELEASE.script(), check=check))  # type: ignore[arg-type]

    assert verdict == Done(note="tank/www@a is gone, and its hold with it")


@pytest.mark.parametrize(
    "holds", [pytest.param(HELD, id="still held"), pytest.param(SUSPENDED, id="unreadable")]
)
def test_a_release_that_can_not_be_seen_is_none(holds: object) -> None:
    found = ran(RELEASE.script(), check=THERE, release=said(), holds=holds)  # type: ignore[arg-type]

    assert isinstance(RELEASE.judge(found), Failed)


def test_a_release_is_no_success_when_nothing_is_known() -> None:
    unreadable = RELEASE.judge(ran(RELEASE.script(), check=SUSPENDED))

    assert isinstance(unreadable, Failed)
    assert unreadable.failure.kind is FailureKind.POOL_SUSPENDED
    assert isinstance(RELEASE.judge(Transcript({})), Failed)
    assert isinstance(HOLD.judge(Transcript({})), Failed)


def test_effects_change_the_tags_of_one_version() -> None:
    observed = world(seen("alpha", fs("tank/www", "@a,11,held=other @b,12")))

    held = HOLD.effect(observed)
    free = RELEASE.effect(held)

    filesystem = filesystem_of(held, "alpha", "tank/www")
    assert filesystem is not None
    assert [(v.holds, v.userrefs) for v in filesystem.versions] == [(("other", "tag"), 2), ((), 0)]
    assert free == observed


def test_effects_keep_count_of_holds_that_are_not_known_by_name() -> None:
    observed = world(seen("alpha", fs("tank/www", "@a,11,refs=2")))

    filesystem = filesystem_of(HOLD.effect(observed), "alpha", "tank/www")
    assert filesystem is not None
    assert (filesystem.versions[0].holds, filesystem.versions[0].userrefs) == (("tag",), 3)
    assert RELEASE.effect(HOLD.effect(observed)) == observed


def test_effects_on_what_is_not_there_are_none() -> None:
    for observed in (world(unseen("alpha")), world(seen("alpha", fs("tank/www", "@a,99")))):
        assert HOLD.effect(observed) == observed
        assert RELEASE.effect(observed) == observed


def test_ids_tell_verbs_snapshots_and_tags_apart() -> None:
    assert HOLD.id == "hold:alpha:tank/www@a:tag"
    assert RELEASE.id == "release:alpha:tank/www@a:tag"
    real = A._replace(guid=12)
    assert HOLD.resolved(lambda _: real).version is real
    assert HOLD.places == (("alpha", "tank/www"),)
