"""zrepl's tests on real pools, as far as they can be asked of planner, actions and parsers."""

from collections.abc import Sequence
from typing import Any

import pytest

from reconciler.actions import Bookmark, Destroy, Done, Failed, Hold, Send
from reconciler.hosts.script import Outcome
from reconciler.observed.change import filesystem_of
from reconciler.observed.model import Filesystem, Observed
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from reconciler.zfs.errors import Failure, FailureKind
from reconciler.zfs.tokens import decode_token
from reconciler.zfs.types import FilesystemKind, Version
from tests.behaviours.fakes import Line, Snapshots, destroy, send
from tests.behaviours.outcomes import HERE, THERE, WWW, bookmarks, guids, needs, without
from tests.support.converge import converge
from tests.support.shown import conflicts, of_verb, steps
from tests.support.tokens import token
from tests.support.transcripts import missing, ran, refused, rows, said
from tests.support.worlds import NOW, desired, encrypted, fs, ours, replica, seen, world
from tests.unit.observed.recording import Recording

LINE = "web: alpha tank/www -> vault"
NOTHING = fs("backup")
HELD = "cannot destroy snapshot {0}: it's being held. Run 'zfs holds -r {0}' to see holders."


def worlds(here: str, there: Filesystem = NOTHING, **facts: Any) -> Observed:
    """Return tank/www on alpha and what is at the receiver's place."""
    return world(seen("alpha", fs("tank/www", here, **facts)), seen("vault", there))


def planned(here: str, there: Filesystem = NOTHING, words: str = "", **facts: Any) -> Plan:
    return plan(desired(f"{LINE} {words}"), worlds(here, there, **facts), NOW)


def snapshots(*names: str) -> tuple[Version, ...]:
    """Return snapshots of tank/www with these names, spaces and all, and guids from 1."""
    (one,) = fs("tank/www", "@x,1").versions
    return tuple(one._replace(name=name, guid=n) for n, name in enumerate(names, start=1))


def destroyed(names: Sequence[str], held: str) -> tuple[list[str], Failure]:
    """Destroy snapshots of which one is held; return what is left, and why."""
    versions = snapshots(*names)
    there = {version.of("tank/www"): version.guid for version in versions}
    zfs = Snapshots(there, {f"tank/www@{held}": HELD.format(f"tank/www@{held}")})
    (failure,) = destroy(zfs, *versions).failures
    return list(zfs.there), failure


def test_z01_of_a_batch_with_a_held_one_the_other_goes_and_the_held_one_is_named() -> None:
    left, failure = destroyed(["3", "foo bar"], held="foo bar")

    assert left == ["tank/www@foo bar"]
    assert failure.message == "cannot destroy snapshot tank/www@foo bar: it's being held."


def test_z47_only_the_held_one_in_the_middle_is_left_and_its_hold_is_the_reason() -> None:
    left, failure = destroyed(["1 2 3", "4 5 6", "7 8 9"], held="4 5 6")

    assert left == ["tank/www@4 5 6"]
    assert failure.kind is FailureKind.HELD


CURSOR = Bookmark("alpha", "tank/www", snapshots("foo bar")[0], "cursor_", "vault x")
MARKED = said(f"{CURSOR.full}\t1\n")
THERE_IT_IS = said("tank/www@foo bar\t1\n")
EXISTS = refused(f"cannot create bookmark '{CURSOR.full}': bookmark exists")


def test_z02_making_a_cursor_that_is_there_is_done_and_it_has_the_snapshots_identity() -> None:
    verdict = CURSOR.judge(ran(CURSOR.script(), check=THERE_IT_IS, bookmark=EXISTS, made=MARKED))
    assert verdict == Done()

    before = worlds("@~22:00,11 @~23:00,12", replica(WWW, "@~22:00,11 @~23:00,12"))
    alpha = converge(desired(LINE), before, NOW)["alpha"]
    (cursor, snapshot) = alpha.filesystems["tank/www"].versions[-2:]  # type: ignore[union-attr]
    assert (cursor.guid, cursor.createtxg) == (snapshot.guid, snapshot.createtxg) == (12, 20)


def test_z02_a_cursor_whose_snapshot_is_gone_can_not_be_made() -> None:
    gone = missing("tank/www@foo bar")

    verdict = CURSOR.judge(ran(CURSOR.script(), check=gone, made=missing(CURSOR.full)))

    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.DOES_NOT_EXIST


def test_z04_two_hold_tags_one_with_a_space_are_seen_on_one_snapshot() -> None:
    www = Recording("alpha").seen().filesystems["tank/grammar/www"]

    (snapshot,) = (version for version in www.snapshots if version.name == "Z")
    assert snapshot.holds == ("rec-step_x", "sp aceü")


def test_z05_a_bookmark_of_that_name_on_another_snapshot_is_a_failure() -> None:
    other = said(rows(f"{CURSOR.full} 99"))

    verdict = CURSOR.judge(ran(CURSOR.script(), check=THERE_IT_IS, bookmark=EXISTS, made=other))

    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.CHANGED


@pytest.mark.parametrize("version", fs("tank/www", "@a,1 #a,1").versions, ids=lambda v: v.label)
def test_z06_destroying_what_is_gone_is_done_for_snapshots_and_bookmarks(version: Version) -> None:
    action = Destroy("alpha", "tank/www", (version,))
    gone = missing(version.of("tank/www"))

    assert action.judge(ran(action.script(), check=gone, after=gone)) == Done()


def test_z07_holding_what_has_the_tag_already_is_done() -> None:
    (version,) = snapshots("foo bar")
    hold = Hold("alpha", "tank/www", version, "sp ace")
    exists = refused("cannot hold snapshot 'tank/www@foo bar': tag already exists on this dataset")
    tags = said("tank/www@foo bar\tsp ace\tSun Nov 22 23:15 2026\n")

    found = ran(hold.script(), check=THERE_IT_IS, hold=exists, holds=tags, after=THERE_IT_IS)
    assert hold.judge(found) == Done()


def test_z09_versions_are_of_their_own_filesystem_and_told_apart_by_kind() -> None:
    seen_ = Recording("alpha").seen()

    www = seen_.filesystems["tank/grammar/www"]
    assert {mark.name for mark in www.bookmarks} == {"b", "cursor"}
    assert [version.name for version in www.snapshots] == ["a", "Z", "0", "big"]
    assert seen_.filesystems["tank"].versions == ()


def test_z10_holds_are_counted_for_snapshots_and_there_are_none_of_bookmarks() -> None:
    www = Recording("alpha").seen().filesystems["tank/grammar/www"]

    assert [version.userrefs for version in www.snapshots] == [1, 2, 0, 0]
    assert {mark.userrefs for mark in www.bookmarks} == {0}


def test_z11_a_filesystem_without_versions_is_no_error() -> None:
    clone = Recording("alpha").seen().filesystems["tank/grammar/clone"]

    assert clone.versions == ()


def test_z12_filesystems_and_volumes_are_listed_nested_and_with_spaces() -> None:
    found = Recording("alpha").seen().filesystems

    assert {"tank", "tank/grammar/sp ace", "tank/grammar/enc/kid"} <= found.keys()
    assert [fs.name for fs in found.values() if fs.kind is FilesystemKind.VOLUME] == [
        "tank/grammar/vol"
    ]


def test_z15_a_failing_first_stream_stops_its_children_but_not_what_only_begins_alike() -> None:
    specs = desired("web: alpha tank/** !tank -> vault")
    names = ("tank/a", "tank/a/child", "tank/aa", "tank/aa/child")
    sources = [fs(name, f"@~23:00,{n}") for n, name in enumerate(names, start=1)]
    made = plan(specs, world(seen("alpha", *sources), seen("vault", NOTHING)), NOW)
    by_name = {p.action.filesystem: p for p in made.actions if isinstance(p.action, Send)}

    assert by_name["tank/a"].id in needs(made, by_name["tank/a/child"])
    left = without(made, {by_name["tank/a"].id})
    sent = [p.action.filesystem for p in left if isinstance(p.action, Send)]
    assert sent == ["tank/aa", "tank/aa/child"]


def test_z20_an_incremental_is_possible_from_the_cursor_when_the_common_snapshot_is_gone() -> None:
    specs = desired(LINE)
    first = converge(specs, worlds("@~22:00,1"), NOW)
    assert bookmarks(first, HERE) == [1]

    alpha = seen("alpha", fs("tank/www", "#cur,1 @~23:00,2"))
    made = plan(specs, {**first, "alpha": alpha}, NOW)
    assert of_verb(made, "send") == ["send alpha tank/www #cur/vault → @~23:00"]
    assert guids(converge(specs, {**first, "alpha": alpha}, NOW), THERE) == [1, 2]


REVERSED = "@~23:00,3 @~22:00,2 @~21:00,1"


def test_z21_initial_all_sends_all_in_the_order_they_were_made_not_of_their_names() -> None:
    assert of_verb(planned(REVERSED, words="initial all"), "send") == [
        "send alpha tank/www full → @~23:00",
        "send alpha tank/www @~23:00 → @~22:00 @~21:00",
    ]
    after = converge(desired(f"{LINE} initial all"), worlds(REVERSED), NOW)
    assert guids(after, THERE) == [3, 2, 1]


def test_z22_initial_refuse_is_a_conflict_and_the_target_has_nothing() -> None:
    made = planned(REVERSED, words="initial refuse")

    assert conflicts(made) == [f"vault {WWW} initial-refused"]
    assert "`initial: refuse`" in made.conflicts[0].message
    assert steps(made) == []


def test_z23_initial_newest_sends_what_was_made_last() -> None:
    after = converge(desired(f"{LINE} initial newest"), worlds(REVERSED), NOW)

    assert guids(after, THERE) == [1]


def test_z27_a_parent_that_only_had_to_exist_is_one_at_the_end_of_a_chain_as_well() -> None:
    chain = desired(
        "web: alpha tank/a/b every 15m -> vault",
        "onward: vault backup/** received -> north far/{host}",
    )
    hosts = world(
        seen("alpha", fs("tank/a/b", "@1,1")), seen("vault", NOTHING), seen("north", fs("far"))
    )
    after = converge(chain, hosts, NOW)
    middle = filesystem_of(after, "vault", "backup/alpha/tank/a")
    end = filesystem_of(after, "north", "far/vault/backup/alpha/tank/a")
    arrived = filesystem_of(after, "north", "far/vault/backup/alpha/tank/a/b")

    assert middle is not None
    assert middle.placeholder
    assert end is not None
    assert end.placeholder
    assert arrived is not None
    assert [version.name for version in arrived.snapshots] == [ours("23:15")]


def test_z32_when_the_receiver_fails_while_the_sender_sends_its_words_are_the_reason() -> None:
    said_there = "cannot receive new filesystem stream: out of space\n"
    done = send(Line(Outcome(1, said_there, "12:00:01\t1000\ttank/www@x\n", first_status=-13)))

    (failure,) = done.failures
    assert failure.message == "cannot receive new filesystem stream: out of space"
    assert failure.kind is FailureKind.NO_SPACE


def test_z35_a_token_tells_which_guid_it_brings_so_the_right_snapshot_is_resumed() -> None:
    saved = token(13, 12, toname="tank/www@whatever it is called")
    there = replica(WWW, "@~22:00,12", resume_token=saved)

    assert decode_token(saved).toguid == 13
    assert of_verb(planned("@~22:00,12 @~22:30,13 @~23:00,14", there), "send") == [
        "send alpha tank/www @~22:00 → @~22:30 resumed",
        "send alpha tank/www @~22:30 → @~23:00",
    ]


@pytest.mark.parametrize("damage", [lambda t: t[:-1], lambda t: t[:-8] + "00000000", str.upper])
def test_z36_a_damaged_token_is_a_conflict_not_a_guess(damage: Any) -> None:
    there = replica(WWW, "@~22:00,12", resume_token=damage(token(13, 12)))
    made = planned("@~22:00,12 @~23:00,13", there)

    assert conflicts(made) == [f"vault {WWW} unreadable-token"]
    assert steps(made) == []


def test_z40_a_token_of_another_filesystem_is_not_resumed() -> None:
    there = replica(WWW, "@~22:00,12", resume_token=token(77, 76, toname="tank/db@x"))

    assert of_verb(planned("@~22:00,12 @~23:00,13", there), "abort", "send") == [
        f"abort vault {WWW}",
        "send alpha tank/www @~22:00 → @~23:00",
    ]


@pytest.mark.parametrize(
    ("raw", "facts"),
    [
        pytest.param(False, encrypted(), id="plain, but it is encrypted"),
        pytest.param(True, {}, id="raw, but it is not encrypted"),
    ],
)
def test_z41_a_token_whose_encryption_does_not_fit_is_not_resumed(
    raw: bool,  # noqa: FBT001
    facts: dict[str, Any],
) -> None:
    there = replica(WWW, "@~22:00,12", resume_token=token(13, 12, raw=raw), **facts)
    made = planned("@~22:00,12 @~23:00,13", there, **facts)

    assert not any(step.endswith("resumed") for step in of_verb(made, "send"))
    assert of_verb(made, "abort") == [f"abort vault {WWW}"]
