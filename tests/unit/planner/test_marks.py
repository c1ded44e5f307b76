"""Names that are read back exactly, or are foreign."""

import pytest

from reconciler.actions.bookmark import cursor_name
from reconciler.planner.marks import Ownership, PairMarks, snapshot_name, snapshot_time
from reconciler.zfs.names import check_bookmark, check_hold_tag
from reconciler.zfs.types import Version, VersionKind
from tests.support.worlds import desired, fs, instant, marks

STAMP = "20261122T231500Z"


@pytest.mark.parametrize("at", ["2026-11-22T23:15", "2024-02-29T23:59:59", "1970-01-01T00:00"])
@pytest.mark.parametrize("prefix", ["rec-", "web", "a.b:c_"])
def test_an_instant_comes_back_from_its_name(prefix: str, at: str) -> None:
    """H08"""
    name = snapshot_name(prefix, instant(at))

    assert snapshot_time(prefix, name) == instant(at)


@pytest.mark.parametrize(
    "name",
    [
        STAMP,
        f"web2-{STAMP}",
        f"web-{STAMP}x",
        f"web-{STAMP}\n",
        f"xweb-{STAMP}",
        f"WEB-{STAMP}",
        "web-20261122T231500",
        "web-20261122T2315Z",
        "web-20260230T231500Z",
        "web-20261122T241500Z",
        "web-20261122T231560Z",
        "web-2026112 T231500Z",
        "web-202611 2T231500Z",
        "web-20261122t231500z",
        "web-٢٠٢٦1122T231500Z",
        "web-",
        "web",
        "",
    ],
)
def test_what_is_not_exactly_our_name_is_not_ours(name: str) -> None:
    """H08"""
    assert snapshot_time("web-", name) is None


def test_a_prefix_does_not_own_what_begins_with_a_longer_one() -> None:
    """L8: `web` is no part of `web2-...`."""
    assert snapshot_time("web", f"web2-{STAMP}") is None
    assert snapshot_time("web-", f"web-2-{STAMP}") is None


def snapshot(text: str) -> Version:
    return fs("tank/www", text).versions[0]


@pytest.mark.parametrize(
    ("version", "sender", "receiver"),
    [
        pytest.param("@~23:15,1", True, True, id="name and mark"),
        pytest.param("@~23:15,1,spec=", False, True, id="streams bring no marks"),
        pytest.param("@~23:15,1,spec=db", False, False, id="another spec's mark"),
        pytest.param("@manual,1", False, False, id="another name"),
        pytest.param("#~23:15,1", False, False, id="a bookmark of that name"),
    ],
)
def test_a_snapshot_is_managed(version: str, sender: bool, receiver: bool) -> None:  # noqa: FBT001
    """H43 H45"""
    owner = Ownership.of(desired("web: alpha tank/www").replications["web"])

    assert owner.on_sender(snapshot(version)) is sender
    assert owner.on_receiver(snapshot(version)) is receiver


def test_a_changed_prefix_owns_only_its_own() -> None:
    old = Ownership("web", "old-")
    named = snapshot("@~23:15,1")

    assert not old.on_sender(named)
    assert not Ownership("web", None).on_receiver(named)


def bookmark(name: str) -> Version:
    return Version(VersionKind.BOOKMARK, name, 11, 10, 0)


def test_a_cursor_is_known_by_its_whole_name() -> None:
    pair = marks("vault", "backup/alpha")
    cursor = cursor_name(pair.cursor_prefix, 11)

    assert cursor == f"rec-cursor_web_{pair.target}_000000000000000b"
    assert pair.is_cursor(bookmark(cursor))
    assert pair.is_cursor(bookmark(cursor_name(pair.cursor_prefix, -11)))
    assert not pair.is_cursor(bookmark(cursor + "0"))
    assert not pair.is_cursor(bookmark(cursor[:-1]))
    assert not pair.is_cursor(bookmark(cursor.upper()))
    assert not pair.is_cursor(bookmark(cursor)._replace(kind=VersionKind.SNAPSHOT))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(marks("vault2", "backup/alpha"), id="another host"),
        pytest.param(marks("vault", "backup/beta"), id="another root on the same host"),
        pytest.param(marks("vault", "backup/alpha", "web2"), id="another replication"),
    ],
)
def test_pairs_do_not_share_cursors_and_step_holds(other: PairMarks) -> None:
    pair = marks("vault", "backup/alpha")

    assert not pair.is_cursor(bookmark(cursor_name(other.cursor_prefix, 11)))
    assert pair.step_tag != other.step_tag


def test_marks_are_names_that_zfs_takes() -> None:
    pair = marks("vault", "backup/alpha")

    check_hold_tag(pair.step_tag)
    check_hold_tag(pair.base_tag)
    check_bookmark(f"tank#{cursor_name(pair.cursor_prefix, 2**64 - 1)}")
