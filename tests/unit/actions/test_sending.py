"""Streams, what they bring, and partial receives that are given up."""

from dataclasses import replace

import pytest

from reconciler.actions import AbortReceive, Done, Failed, Send, SendMode
from reconciler.hosts.script import Outcome, Printed, Transcript
from reconciler.observed.change import filesystem_of
from reconciler.observed.model import Filesystem, Observed
from reconciler.zfs.capabilities import StreamFlags
from reconciler.zfs.errors import FailureKind
from reconciler.zfs.handover import Properties
from reconciler.zfs.types import FilesystemKind, Version
from tests.support.tokens import token
from tests.support.transcripts import missing, ran, refused, said
from tests.support.worlds import encrypted, fs, replica, seen, unseen, world

SOURCE = fs("tank/www", "@~21:00,11,held=x #m,11 @~22:00,12 @~23:00,13,referenced=77")
A, B, C = SOURCE.snapshots
MARK = SOURCE.bookmarks[0]
WWW = "backup/www"


def send(
    base: Version | None,
    *versions: Version,
    flags: StreamFlags = StreamFlags(),  # noqa: B008 - a frozen value
    kind: FilesystemKind = FilesystemKind.FILESYSTEM,
    saved: str | None = None,
) -> Send:
    mode = SendMode.FULL if base is None else SendMode.INCREMENTAL
    return Send(
        host="alpha",
        filesystem="tank/www",
        kind=kind,
        receiver_host="vault",
        receiver_filesystem=WWW,
        mode=SendMode.RESUME if saved else mode,
        base=base,
        versions=versions,
        flags=flags,
        path="auto",
        token=saved,
    )


@pytest.mark.parametrize(
    ("action", "along"),
    [
        (send(None, A), True),
        (send(None, A, saved="1-ab-cd-ef"), False),
        (send(A, B), False),
        (send(A, B, C), False),
    ],
    ids=["full", "resumed", "step", "run"],
)
def test_only_a_full_stream_takes_properties_along(
    action: Send,
    along: bool,  # noqa: FBT001
) -> None:
    asked = replace(action, properties=Properties(send=True, override=(("atime", "off"),)))
    assert ("-p" in asked.send_command()) is along
    assert ("-p" in action.send_command()) is False


def test_what_is_first_received_gets_overrides_and_later_streams_set_nothing() -> None:
    asked = Properties(override=(("atime", "off"),))
    resumed = send(None, A, saved="1-ab-cd-ef")
    for action in (send(None, A), resumed):
        assert "atime=off" in replace(action, properties=asked).receive_command()
    assert "-o" not in replace(send(A, B), properties=asked).receive_command()


def test_the_mark_of_the_senders_snapshot_is_taken_off_the_receivers() -> None:
    assert send(None, A).clear_mark() == ("zfs", "inherit", "reconciler:spec", A.of(WWW))


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        pytest.param(send(None, A), (A.of("tank/www"),), id="full"),
        pytest.param(send(A, B), ("-i", A.of("tank/www"), B.of("tank/www")), id="step"),
        pytest.param(send(A, B, C), ("-I", A.of("tank/www"), C.of("tank/www")), id="run"),
        pytest.param(send(MARK, B), ("-i", "tank/www#m", B.of("tank/www")), id="from a bookmark"),
        pytest.param(
            send(A, B, flags=StreamFlags(raw=True)),
            ("-w", "-i", A.of("tank/www"), B.of("tank/www")),
            id="raw",
        ),
        pytest.param(send(A, B, saved="1-ab-cd-ef"), ("-t", "1-ab-cd-ef"), id="resumed"),
    ],
)
def test_the_senders_command(action: Send, arguments: tuple[str, ...]) -> None:
    """H76: a resumed stream takes its options from the token."""
    assert action.send_command() == ("zfs", "send", "-v", "-P", *arguments)


def test_the_receivers_command_never_forces_and_protects_first() -> None:
    """H98 L2 L23"""
    first = send(None, A).receive_command()
    resumed = send(None, A, saved="1-ab-cd-ef").receive_command()
    later = send(A, B).receive_command()
    volume = send(None, A, kind=FilesystemKind.VOLUME).receive_command()

    protection = ("-x", "mountpoint", "-o", "canmount=noauto", "-o", "readonly=on")
    assert first == resumed == ("zfs", "receive", "-s", "-u", *protection, WWW)
    assert later == ("zfs", "receive", "-s", "-u", WWW)
    assert volume == (
        *("zfs", "receive", "-s", "-u", "-o", "readonly=on", "-o", "volmode=none"),
        WWW,
    )


def test_arrivals_are_looked_up_by_name_and_guid() -> None:
    look = send(A, B, C).look()

    assert look[-2:] == (B.of(WWW), C.of(WWW))
    assert look[-3] == "name,guid"


def received(action: Send, *there: Filesystem, source: Filesystem = SOURCE) -> Filesystem:
    observed: Observed = world(seen("alpha", source), seen("vault", fs("backup"), *there))
    found = filesystem_of(action.effect(observed), "vault", WWW)
    assert found is not None
    return found


def test_a_first_stream_makes_the_filesystem() -> None:
    found = received(send(None, A))

    assert [(v.label, v.guid, v.creation) for v in found.versions] == [
        (A.label, A.guid, A.creation)
    ]
    assert found.readonly
    assert not found.placeholder
    assert (found.encryption, found.kind) == ("off", FilesystemKind.FILESYSTEM)


def test_what_arrives_carries_no_holds_and_no_properties() -> None:
    (arrived,) = received(send(None, A)).versions

    assert (arrived.holds, arrived.userrefs, arrived.spec) == ((), 0, None)


def test_a_run_arrives_on_top_in_order() -> None:
    found = received(send(A, B, C), replica(WWW, "@manual,9 @~21:00,11"))

    assert [version.guid for version in found.versions] == [9, 11, 12, 13]
    txgs = [version.createtxg for version in found.versions]
    assert txgs == sorted(set(txgs))
    assert found.referenced == 77


def test_a_resumed_stream_leaves_no_token() -> None:
    saved = token(11)
    partial = replica(WWW, resume_token=saved, inconsistent=True)
    found = received(send(None, A, saved=saved), partial)

    assert (found.resume_token, found.inconsistent) == (None, False)
    assert len(found.versions) == 1


def test_a_raw_stream_brings_the_encryption_without_its_key() -> None:
    found = received(
        send(None, A, flags=StreamFlags(raw=True)),
        source=fs("tank/www", "@~21:00,11", **encrypted()),
    )

    assert (found.encryption, found.keystatus, found.encryptionroot) == (
        "aes-256-gcm",
        "unavailable",
        WWW,
    )


def test_a_stream_into_an_encrypted_parent_is_encrypted_there() -> None:
    found = received(send(None, A), fs("backup", **encrypted(encryptionroot="backup")))

    assert (found.encryption, found.encryptionroot) == ("aes-256-gcm", "backup")


def test_promised_versions_become_real_ones() -> None:
    promised = C._replace(guid=-13)
    action = send(B, promised)

    assert action.resolved(lambda v: C if v.is_planned else v) == send(B, C)
    assert send(None, promised).resolved(lambda _: C).base is None
    assert action.id == send(B, C).id == f"send:alpha:{C.of('tank/www')}:vault:{WWW}"
    assert action.places == (("alpha", "tank/www"), ("vault", WWW))


# -- aborting --------------------------------------------------------------------------------------

ABORT = AbortReceive("vault", WWW, "1-ab-cd-ef")
SAVED = said("1-ab-cd-ef\n")
NONE = said("-\n")
SUSPENDED = refused("cannot open 'backup': pool I/O is currently suspended")


def test_only_the_partial_receive_that_was_planned_is_aborted() -> None:
    _, step, _ = ABORT.script().steps

    assert step.argv == ("zfs", "receive", "-A", WWW)
    assert step.when == Printed("check", "1-ab-cd-ef")


def test_aborted() -> None:
    """H78"""
    assert ABORT.judge(ran(ABORT.script(), check=SAVED, abort=said(), after=NONE)) == Done()


def test_aborted_before_is_aborted() -> None:
    absent = refused(f"'{WWW}' does not have any resumable receive state to abort")

    assert ABORT.judge(ran(ABORT.script(), check=NONE, after=NONE)) == Done()
    assert ABORT.judge(ran(ABORT.script(), check=SAVED, abort=absent, after=NONE)) == Done()


def test_a_first_receive_is_gone_with_its_filesystem() -> None:
    """H79"""
    gone = missing(WWW)

    assert ABORT.judge(ran(ABORT.script(), check=SAVED, abort=said(), after=gone)) == Done()
    assert ABORT.judge(ran(ABORT.script(), check=gone, after=gone)) == Done()


def test_a_receive_that_went_on_is_left() -> None:
    """H80"""
    further = said("1-ff-cd-ef\n")
    verdict = ABORT.judge(ran(ABORT.script(), check=further, after=further))

    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.CHANGED


@pytest.mark.parametrize(
    ("abort", "after", "kind"),
    [
        pytest.param(
            refused(f"cannot abort receive '{WWW}': dataset is busy"),
            SAVED,
            FailureKind.BUSY,
            id="busy",
        ),
        pytest.param(said(), SAVED, FailureKind.UNKNOWN, id="still there"),
        pytest.param(said(), SUSPENDED, FailureKind.POOL_SUSPENDED, id="unreadable"),
    ],
)
def test_not_aborted(abort: Outcome, after: Outcome, kind: FailureKind) -> None:
    verdict = ABORT.judge(ran(ABORT.script(), check=SAVED, abort=abort, after=after))

    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is kind


def test_a_cut_transcript_aborts_nothing() -> None:
    assert isinstance(ABORT.judge(Transcript({})), Failed)


def test_the_effect_drops_the_token_or_the_half_received_filesystem() -> None:
    with_base = world(seen("vault", replica(WWW, "@~21:00,11", resume_token=ABORT.token)))
    first = world(seen("vault", replica(WWW, resume_token=ABORT.token, inconsistent=True)))

    left = filesystem_of(ABORT.effect(with_base), "vault", WWW)
    assert left is not None
    assert left.resume_token is None
    assert filesystem_of(ABORT.effect(first), "vault", WWW) is None
    nowhere = world(unseen("vault"))
    assert ABORT.effect(nowhere) == nowhere
    assert ABORT.resolved(lambda version: version) is ABORT
    assert ABORT.id == f"abort-receive:vault:{WWW}"
    assert ABORT.places == (("vault", WWW),)
