"""6.5 of the list of behaviours: the choice of the base, and what is sent from it."""

import pytest

from reconciler.actions import Bookmark, CreateFilesystem, Failed, Send
from reconciler.observed.model import Filesystem, Observed
from reconciler.planner.plan import Outcome, Plan
from reconciler.planner.planning import plan
from reconciler.zfs.errors import FailureKind
from tests.behaviours.outcomes import HERE, THERE, WWW, bookmarks, guids
from tests.support.converge import converge
from tests.support.shown import conflicts, of_verb, steps
from tests.support.transcripts import ran, refused, rows, said
from tests.support.worlds import (
    NOW,
    desired,
    fs,
    ours,
    placeholder,
    replica,
    seen,
    volume,
    world,
)

LINE = "web: alpha tank/www -> vault"
NOTHING = fs("backup")


def worlds(source: Filesystem, there: Filesystem = NOTHING) -> Observed:
    """Return alpha with a source and vault with what is at the receiver's place."""
    return world(seen("alpha", source), seen("vault", there))


def planned(source: Filesystem, there: Filesystem = NOTHING, words: str = "") -> Plan:
    return plan(desired(f"{LINE} {words}"), worlds(source, there), NOW)


def arrived(source: Filesystem, there: Filesystem = NOTHING, words: str = "") -> list[int]:
    """Return the guids of the receiver's snapshots once the plan is done."""
    return guids(converge(desired(f"{LINE} {words}"), worlds(source, there), NOW), THERE)


def streams(made: Plan) -> list[str]:
    """Return the streams of tank/www."""
    return [step.removeprefix("send alpha tank/www ") for step in of_verb(made, "send")]


def test_h65_a_renamed_snapshot_is_common_by_its_guid() -> None:
    source, there = fs("tank/www", "@~20:00,1 @~21:00,2"), replica(WWW, "@old-name,1")

    assert streams(planned(source, there)) == ["@~20:00 → @~21:00"]
    assert arrived(source, there) == [1, 2]


def test_h65_the_same_name_with_another_guid_is_not_common() -> None:
    source, there = fs("tank/www", "@~20:00,1 @~21:00,2"), replica(WWW, "@~20:00,9")

    assert conflicts(planned(source, there)) == [f"vault {WWW} no-common-version"]


@pytest.mark.parametrize(
    ("bookmark", "shown"), [("#cur,1", "#cur/vault"), ("#mark,1", "#mark"), ("#0,1", "#0")]
)
def test_h66_without_the_bases_snapshot_its_bookmark_is_where_the_stream_begins(
    bookmark: str, shown: str
) -> None:
    source = fs("tank/www", f"{bookmark} @~21:00,2 @~22:00,3")
    there = replica(WWW, "@~20:00,1")

    assert streams(planned(source, there)) == [f"{shown} → @~21:00", "@~21:00 → @~22:00"]
    assert arrived(source, there) == [1, 2, 3]


def test_h67_a_bookmark_of_the_cursors_name_on_another_version_is_left_untouched() -> None:
    (version,) = fs("tank/www", "@a,11").versions
    cursor = Bookmark("alpha", "tank/www", version, "cursor_", "vault backup/www")
    exists = refused(f"cannot create bookmark '{cursor.full}': bookmark exists")
    there, other = said(rows("tank/www@a 11")), said(rows(f"{cursor.full} 99"))

    verdict = cursor.judge(ran(cursor.script(), check=there, bookmark=exists, made=other))

    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.CHANGED
    assert cursor.full in verdict.failure.message
    assert not any(step.argv[1] == "destroy" for step in cursor.script().steps)


def test_h67_each_version_has_a_cursors_name_of_its_own_so_names_are_not_taken() -> None:
    source = fs("tank/www", "@~21:00,1 #cur,1 @~22:00,2")
    before = worlds(source, replica(WWW, "@~21:00,1,held=base"))
    made = plan(desired(LINE), before, NOW)

    (cursor,) = (p.action for p in made.actions if isinstance(p.action, Bookmark))
    assert cursor.name.endswith("_0000000000000002")
    assert cursor.name not in {version.name for version in source.bookmarks}
    assert bookmarks(converge(desired(LINE), before, NOW), HERE) == [2]


def test_h69_an_absent_target_gets_the_oldest_in_full_and_then_the_rest() -> None:
    source = fs("tank/www", "@~21:00,1 @~22:00,2 @~23:00,3")

    assert streams(planned(source)) == ["full → @~21:00", "@~21:00 → @~22:00 @~23:00"]
    assert arrived(source) == [1, 2, 3]


def test_h69_only_what_the_target_would_keep_is_eligible() -> None:
    source = fs("tank/www", "@~21:00,1 @~22:00,2 @~23:00,3")

    assert streams(planned(source, words="keep last 2"))[0] == "full → @~22:00"
    assert arrived(source, words="keep last 2") == [2, 3]


def test_h69_missing_parents_are_placeholders_that_are_never_mounted() -> None:
    made = planned(fs("tank/www", "@~21:00,1"))

    creates = [p.action for p in made.actions if isinstance(p.action, CreateFilesystem)]
    assert [create.filesystem for create in creates] == ["backup/alpha", "backup/alpha/tank"]
    for create in creates:
        argv = create.script().steps[0].argv
        assert argv[2:6] == ("-o", "canmount=off", "-o", "mountpoint=none")


AB = "@~22:00,11 @~23:00,12"


@pytest.mark.parametrize("referenced", [96, 10**6])
def test_h70_a_target_with_data_and_without_snapshots_is_blocked(referenced: int) -> None:
    made = planned(fs("tank/www", AB), fs(WWW, referenced=referenced))

    assert conflicts(made) == [f"vault {WWW} receiver-without-snapshots"]
    assert made.conflicts[0].evidence == (f"it refers to {referenced} bytes",)
    assert steps(made) == []


def test_h71_a_placeholder_of_ours_is_not_replaced_by_a_full_stream() -> None:
    made = planned(fs("tank/www", AB), placeholder(WWW))

    assert conflicts(made) == [f"vault {WWW} receiver-is-placeholder"]
    assert steps(made) == []


def test_h71_an_empty_placeholder_of_ours_makes_way_where_the_target_says_so() -> None:
    specs, empty = desired(f"{LINE} conflict setAside"), placeholder(WWW)
    before = worlds(fs("tank/www", AB), empty)
    made = plan(specs, before, NOW)
    with_a_child = world(
        seen("alpha", fs("tank/www", AB)), seen("vault", empty, replica(f"{WWW}/sub", "@m,9"))
    )

    assert of_verb(made, "rename", "send")[:2] == [
        f"rename vault {WWW} www.aside-20261122T231500Z",
        "send alpha tank/www full → @~22:00",
    ]
    assert guids(converge(specs, before, NOW), THERE) == [11, 12]
    assert steps(plan(specs, with_a_child, NOW)) == []
    assert conflicts(plan(specs, with_a_child, NOW)) == [f"vault {WWW} receiver-is-placeholder"]


def test_h71_placeholders_of_ours_above_the_target_are_used_as_they_are() -> None:
    specs = desired(LINE)
    vault = seen("vault", placeholder("backup/alpha"), placeholder("backup/alpha/tank"))
    before = world(seen("alpha", fs("tank/www", AB)), vault)

    assert of_verb(plan(specs, before, NOW), "create") == []
    assert guids(converge(specs, before, NOW), THERE) == [11, 12]


@pytest.mark.parametrize(
    ("source", "there"),
    [
        pytest.param(volume("tank/www", AB), replica(WWW, "@~22:00,11"), id="volume"),
        pytest.param(fs("tank/www", AB), volume(WWW, "@~22:00,11"), id="filesystem"),
        pytest.param(volume("tank/www", AB), fs(WWW), id="volume, without snapshots there"),
    ],
)
def test_h72_a_volume_and_a_filesystem_do_not_go_together(
    source: Filesystem, there: Filesystem
) -> None:
    made = planned(source, there)

    assert conflicts(made) == [f"vault {WWW} type-mismatch"]
    assert steps(made) == []


def test_h73_with_nothing_newer_than_the_base_nothing_is_done() -> None:
    made = planned(
        fs("tank/www", "@~22:00,1 @~23:00,2 #cur,2 @manual,3"),
        replica(WWW, "@~22:00,1 @~23:00,2,held=base"),
    )

    assert steps(made) == []
    assert made.outcome is Outcome.NOTHING


MIXED = "@~20:00,1 @m,2 @~21:00,3 @~22:00,4 @n,5 @~23:00,6"


def test_h74_foreign_snapshots_in_between_are_neither_sent_nor_brought_along() -> None:
    source, there = fs("tank/www", MIXED), replica(WWW, "@~20:00,1")

    assert streams(planned(source, there)) == [
        "@~20:00 → @~21:00",
        "@~21:00 → @~22:00",
        "@~22:00 → @~23:00",
    ]
    assert arrived(source, there) == [1, 3, 4, 6]


def test_h74_a_foreign_snapshot_that_both_have_is_a_base_like_any_other() -> None:
    source, there = fs("tank/www", MIXED), replica(WWW, "@~20:00,1 @m,2")

    assert streams(planned(source, there))[0] == "@m → @~21:00 @~22:00"
    assert arrived(source, there) == [1, 2, 3, 4, 6]


def test_h74_a_stream_never_ends_at_a_foreign_snapshot() -> None:
    made = planned(fs("tank/www", f"{MIXED} @last,7"), replica(WWW, "@~20:00,1"))

    ends = {p.action.to.guid for p in made.actions if isinstance(p.action, Send)}
    assert ends == {3, 4, 6}


def test_h74_foreign_ones_go_by_a_replication_of_their_own_to_a_place_of_its_own() -> None:
    specs = desired(LINE, "theirs: alpha tank/www external ^m$ -> vault other/{host}")
    before = world(seen("alpha", fs("tank/www", MIXED)), seen("vault", NOTHING, fs("other")))
    after = converge(specs, before, NOW)

    assert guids(after, THERE) == [1, 3, 4, 6]
    assert guids(after, ("vault", "other/alpha/tank/www")) == [2]


def test_h75_snapshots_are_sent_in_the_order_of_createtxg_not_of_creation() -> None:
    source = fs("tank/www", "@~23:00,1 @~21:00,2 @~22:00,3")

    assert streams(planned(source)) == ["full → @~23:00", "@~23:00 → @~21:00 @~22:00"]
    assert arrived(source) == [1, 2, 3]
    assert streams(planned(source, replica(WWW, "@~23:00,1"))) == ["@~23:00 → @~21:00 @~22:00"]


def test_h87_a_clone_is_sent_after_its_origin_and_as_what_differs_from_it() -> None:
    specs = desired("web: alpha tank/** !tank -> vault")
    origin = fs("tank/b", "@~22:00,1")
    clone = fs("tank/a", "@~23:00,2", origin=f"tank/b@{ours('22:00')}")
    before = world(seen("alpha", origin, clone), seen("vault", NOTHING))
    after = converge(specs, before, NOW)

    assert of_verb(plan(specs, before, NOW), "send") == [
        "send alpha tank/b full → @~22:00",
        "send alpha tank/a tank/b@~22:00 as clone of backup/alpha/tank/b@~22:00 → @~23:00",
    ]
    assert guids(after, ("vault", "backup/alpha/tank/b")) == [1]
    assert guids(after, ("vault", "backup/alpha/tank/a")) == [2]


def test_h87_a_snapshot_that_a_clone_needs_is_not_destroyed() -> None:
    specs = desired("web: alpha tank/a keep last 1")
    clone = fs("tank/b", origin=f"tank/a@{ours('21:00')}")
    before = world(seen("alpha", fs("tank/a", "@~21:00,1 @~22:00,2 @~23:00,3"), clone))

    assert guids(converge(specs, before, NOW), ("alpha", "tank/a")) == [1, 3]
