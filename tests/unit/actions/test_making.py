"""Snapshots, bookmarks and placeholders: there afterwards, or failed."""

import pytest

from reconciler.actions import Bookmark, CreateFilesystem, Done, Failed, Snapshot
from reconciler.actions.base import planned_guid
from reconciler.actions.bookmark import cursor_name
from reconciler.hosts.script import Outcome, Printed, Transcript
from reconciler.observed.change import filesystem_of, without_filesystem
from reconciler.zfs.errors import FailureKind
from tests.support.transcripts import missing, ran, refused, rows, said
from tests.support.worlds import encrypted, fs, seen, unseen, world

SUSPENDED = refused("cannot open 'tank': pool I/O is currently suspended")

# -- snapshots -------------------------------------------------------------------------------------

SNAPSHOT = Snapshot("alpha", ("tank/a", "tank/b"), "rec-x", "web", 1000)


def listed(*names: str, spec: str = "web") -> Outcome:
    """Return a listing of snapshots with guids from 21 on."""
    return said(
        "".join(
            f"{name}\t{guid}\t7\t1001\t0\t512\t4096\t{spec}\t{name}\n"
            for guid, name in enumerate(names, start=21)
        )
    )


MADE = listed("tank/a@rec-x", "tank/b@rec-x")


def test_a_group_is_one_command_with_the_spec_on_it() -> None:
    """H16"""
    step = SNAPSHOT.script().steps[0]

    assert step.argv == (
        *("zfs", "snapshot", "-o", "reconciler:spec=web"),
        *("tank/a@rec-x", "tank/b@rec-x"),
    )


def test_the_real_guids_are_learned() -> None:
    verdict = SNAPSHOT.judge(ran(SNAPSHOT.script(), snapshot=said(), made=MADE))

    assert isinstance(verdict, Done)
    assert {key: (v.guid, v.createtxg, v.creation) for key, v in verdict.learned.items()} == {
        planned_guid("alpha", "tank/a", "rec-x"): (21, 7, 1001),
        planned_guid("alpha", "tank/b", "rec-x"): (22, 7, 1001),
    }


def test_snapshots_of_an_earlier_try_count() -> None:
    """H22: its answer was lost."""
    exists = refused("cannot create snapshot 'tank/a@rec-x': dataset already exists")
    verdict = SNAPSHOT.judge(ran(SNAPSHOT.script(), snapshot=exists, made=MADE))

    assert isinstance(verdict, Done)
    assert len(verdict.learned) == 2


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(listed("tank/a@rec-x", "tank/b@rec-x", spec="-"), id="not ours"),
        pytest.param(listed("tank/a@rec-x", "tank/b@rec-x", spec="db"), id="of another spec"),
        pytest.param(missing("tank/b@rec-x"), id="only one of them"),
        pytest.param(SUSPENDED, id="unreadable"),
    ],
)
def test_snapshots_that_somebody_else_made_do_not_count(made: Outcome) -> None:
    """H22"""
    exists = refused("cannot create snapshot 'tank/a@rec-x': dataset already exists")
    verdict = SNAPSHOT.judge(ran(SNAPSHOT.script(), snapshot=exists, made=made))

    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.ALREADY_EXISTS


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(listed("tank/a@rec-x"), id="one is missing"),
        pytest.param(missing("tank/a@rec-x", "tank/b@rec-x"), id="all are missing"),
        pytest.param(said("garbled\n"), id="unreadable"),
        pytest.param(SUSPENDED, id="refused"),
    ],
)
def test_snapshots_that_can_not_be_seen_are_none(made: Outcome) -> None:
    verdict = SNAPSHOT.judge(ran(SNAPSHOT.script(), snapshot=said(), made=made))

    assert isinstance(verdict, Failed)


def test_a_cut_transcript_makes_no_snapshot() -> None:
    assert isinstance(SNAPSHOT.judge(Transcript({})), Failed)


def test_the_effect_promises_versions_on_top() -> None:
    observed = world(seen("alpha", fs("tank/a", "@x,1", written=9), fs("tank/b"), fs("tank/c")))

    after = SNAPSHOT.effect(observed)

    first, second = (filesystem_of(after, "alpha", name) for name in SNAPSHOT.filesystems)
    assert first is not None
    assert second is not None
    made = first.versions[-1]
    assert (made.label, made.spec, made.creation, made.written) == ("@rec-x", "web", 1000, 9)
    assert made.is_planned
    assert made.createtxg > first.versions[0].createtxg
    assert first.written == 0
    assert made.guid != second.versions[-1].guid
    assert filesystem_of(after, "alpha", "tank/c") == filesystem_of(observed, "alpha", "tank/c")
    assert SNAPSHOT.effect(world(unseen("alpha"))) == world(unseen("alpha"))


def test_promises_differ_by_host_filesystem_and_name() -> None:
    guids = {
        planned_guid(*words)
        for words in (("a", "b", "c"), ("x", "b", "c"), ("a", "x", "c"), ("a", "b", "x"))
    }

    assert len(guids) == 4
    assert all(guid < 0 for guid in guids)
    assert SNAPSHOT.resolved(lambda version: version) is SNAPSHOT
    assert SNAPSHOT.id == "snapshot:alpha:tank@rec-x:web"


# -- bookmarks -------------------------------------------------------------------------------------

(A,) = fs("tank/www", "@a,11").versions
CURSOR = Bookmark("alpha", "tank/www", A, "cursor_", "vault backup/www")
FULL = "tank/www#cursor_000000000000000b"
THERE = said(rows("tank/www@a 11"))


def test_a_bookmark_is_made_of_the_planned_version_only() -> None:
    _, step, _ = CURSOR.script().steps

    assert step.argv == ("zfs", "bookmark", "tank/www@a", FULL)
    assert step.when == Printed("check", "tank/www@a\t11")


def test_bookmarked() -> None:
    found = ran(CURSOR.script(), check=THERE, bookmark=said(), made=said(rows(f"{FULL} 11")))

    assert CURSOR.judge(found) == Done()


def test_bookmarked_before_is_bookmarked() -> None:
    exists = refused(f"cannot create bookmark '{FULL}': bookmark exists")
    listing = said(rows(f"{FULL} 11"))

    assert CURSOR.judge(ran(CURSOR.script(), check=THERE, bookmark=exists, made=listing)) == Done()
    gone = missing("tank/www@a")
    assert CURSOR.judge(ran(CURSOR.script(), check=gone, made=listing)) == Done()


def test_a_bookmark_of_that_name_with_another_guid_is_left() -> None:
    """H67"""
    exists = refused(f"cannot create bookmark '{FULL}': bookmark exists")
    found = ran(CURSOR.script(), check=THERE, bookmark=exists, made=said(rows(f"{FULL} 99")))

    verdict = CURSOR.judge(found)

    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.CHANGED


@pytest.mark.parametrize(
    ("check", "kind"),
    [
        pytest.param(missing("tank/www@a"), FailureKind.DOES_NOT_EXIST, id="gone"),
        pytest.param(said(rows("tank/www@a 99")), FailureKind.CHANGED, id="another guid"),
        pytest.param(SUSPENDED, FailureKind.POOL_SUSPENDED, id="unreadable"),
    ],
)
def test_what_is_not_the_planned_version_is_not_bookmarked(
    check: Outcome, kind: FailureKind
) -> None:
    """H46"""
    verdict = CURSOR.judge(ran(CURSOR.script(), check=check, made=missing(FULL)))

    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is kind


def test_a_bookmark_that_can_not_be_seen_is_none() -> None:
    for made in (missing(FULL), SUSPENDED):
        verdict = CURSOR.judge(ran(CURSOR.script(), check=THERE, bookmark=said(), made=made))
        assert isinstance(verdict, Failed)
    assert isinstance(CURSOR.judge(Transcript({})), Failed)


def test_the_effect_has_the_identity_of_its_version() -> None:
    after = CURSOR.effect(world(seen("alpha", fs("tank/www", "@a,11 @b,12"))))

    filesystem = filesystem_of(after, "alpha", "tank/www")
    assert filesystem is not None
    mark, version, _ = filesystem.versions
    assert mark.of("tank/www") == FULL
    assert (mark.guid, mark.createtxg, mark.creation) == version[2:5]
    nowhere = world(unseen("alpha"))
    assert CURSOR.effect(nowhere) == nowhere


def test_a_cursor_of_a_promised_version_gets_its_name_when_the_version_is_real() -> None:
    promised = Bookmark("alpha", "tank/www", A._replace(guid=-11), "cursor_", "vault x")

    assert promised.name == cursor_name("cursor_", -11) == "cursor_planned00000000000000b"
    assert promised.resolved(lambda _: A).full == FULL
    assert promised.id == CURSOR.id == "bookmark:alpha:tank/www:cursor_@a"


# -- placeholders ----------------------------------------------------------------------------------

CREATE = CreateFilesystem("vault", "backup/a")
LISTED = said("backup/a\n")


def test_a_placeholder_is_never_mounted_and_marked() -> None:
    """H69"""
    assert CREATE.script().steps[0].argv == (
        *("zfs", "create", "-o", "canmount=off", "-o", "mountpoint=none"),
        *("-o", "reconciler:placeholder=backup/a", "backup/a"),
    )


def test_created_by_us_or_by_others() -> None:
    exists = refused("cannot create 'backup/a': dataset already exists")

    assert CREATE.judge(ran(CREATE.script(), create=said(), there=LISTED)) == Done()
    assert CREATE.judge(ran(CREATE.script(), create=exists, there=LISTED)) == Done()


@pytest.mark.parametrize(
    ("create", "there", "kind"),
    [
        pytest.param(
            refused("cannot create 'backup/a': out of space"),
            missing("backup/a"),
            FailureKind.NO_SPACE,
            id="no space",
        ),
        pytest.param(
            refused("cannot create 'backup/a': parent does not exist"),
            missing("backup/a"),
            FailureKind.DOES_NOT_EXIST,
            id="no parent",
        ),
        pytest.param(said(), missing("backup/a"), FailureKind.UNKNOWN, id="success, but not there"),
        pytest.param(said(), said("backup/b\n"), FailureKind.UNKNOWN, id="something else there"),
    ],
)
def test_not_created(create: Outcome, there: Outcome, kind: FailureKind) -> None:
    verdict = CREATE.judge(ran(CREATE.script(), create=create, there=there))

    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is kind


def test_a_new_placeholder_is_empty_and_encrypted_as_its_parent() -> None:
    plain = filesystem_of(CREATE.effect(world(seen("vault", fs("backup")))), "vault", "backup/a")
    parent = fs("backup", **encrypted(encryptionroot="backup"))
    secret = filesystem_of(CREATE.effect(world(seen("vault", parent))), "vault", "backup/a")

    assert plain is not None
    assert secret is not None
    assert (plain.placeholder, plain.versions, plain.encryption) == (True, (), "off")
    assert (secret.encryption, secret.encryptionroot) == ("aes-256-gcm", "backup")
    assert CREATE.resolved(lambda version: version) is CREATE
    assert CREATE.id == "create-filesystem:vault:backup/a"
    assert CREATE.places == (("vault", "backup/a"),)


def test_a_change_on_an_unseen_host_is_a_mistake_of_ours() -> None:
    """Invariant 1."""
    nowhere = world(unseen("vault"))

    with pytest.raises(TypeError, match="vault is unseen"):
        CREATE.effect(nowhere)
    with pytest.raises(TypeError, match="vault is unseen"):
        without_filesystem(nowhere, "vault", "backup/a")
