"""The integration tests of a peer on replication that can be asked of the planner."""

from collections.abc import Sequence
from functools import cache
from itertools import product

import pytest

from reconciler.actions import Bookmark, Failed, Send
from reconciler.actions.base import Done
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.plan import Outcome, Plan
from reconciler.planner.planning import plan
from tests.behaviours.outcomes import (
    HERE,
    THERE,
    WWW,
    bookmarks,
    guids,
    needs,
    without,
)
from tests.behaviours.specs import refused, replication
from tests.support.converge import converge, stages
from tests.support.shown import conflicts, of_verb, steps
from tests.support.tokens import token
from tests.support.transcripts import ran, rows, said
from tests.support.transcripts import refused as refusal
from tests.support.worlds import (
    NOW,
    desired,
    encrypted,
    fs,
    replica,
    seen,
    volume,
    world,
)
from tests.unit.cli.conftest import Pretended, Runner

LINE = "web: alpha tank/www -> vault"
TREE = "web: alpha tank/** !tank -> vault"
NOTHING = seen("vault", fs("backup"))


def pair(here: str, there: str | None, **facts: object) -> Observed:
    """Return tank/www on alpha, and its replica on vault unless there is none."""
    vault = NOTHING if there is None else seen("vault", replica(WWW, there, **facts))
    return world(seen("alpha", fs("tank/www", here)), vault)


def planned(here: str, there: str | None, words: str = "", **facts: object) -> Plan:
    return plan(desired(f"{LINE} {words}"), pair(here, there, **facts), NOW)


def test_p01_an_absent_target_gets_all_snapshots_with_their_guids_below_unmounted_parents() -> None:
    before = pair("@~21:00,1 @~22:00,2 @~23:00,3", None)
    after = converge(desired(LINE), before, NOW)

    assert guids(after, THERE) == guids(after, HERE) == [1, 2, 3]
    vault = after["vault"]
    assert isinstance(vault, Seen)
    assert [fs.name for fs in vault.filesystems.values() if fs.placeholder] == [
        "backup/alpha",
        "backup/alpha/tank",
    ]
    assert not any(vault.filesystems[name].mounted for name in ("backup/alpha", WWW))


def test_p02_a_plan_changes_nothing_the_first_apply_all_and_the_second_nothing() -> None:
    specs = desired(f"{LINE} keep last 2")
    before = pair("@~21:00,1 @~22:00,2 @~23:00,3", "@~21:00,1")

    first, again = plan(specs, before, NOW), plan(specs, before, NOW)
    after = converge(specs, before, NOW)
    assert first == again
    assert first.outcome is Outcome.CHANGES
    assert plan(specs, after, NOW).outcome is Outcome.NOTHING
    assert converge(specs, after, NOW) == after


def test_p02_showing_a_plan_executes_nothing(command: Runner, hosts: Pretended) -> None:
    assert "2 to send" in command("plan").stdout
    assert hosts.executed == []


def test_p04_a_missing_source_is_an_error_and_the_target_stays_as_it_is() -> None:
    for alpha in (seen("alpha", fs("tank")), seen("alpha", fs("other"))):
        before = world(alpha, seen("vault", replica(WWW, "@~21:00,1 @~22:00,2")))
        made = plan(desired(f"{LINE} keep last 1"), before, NOW)
        assert made.outcome is Outcome.ERROR
        assert steps(made) == []


def test_p04_trees_that_overlap_are_refused() -> None:
    (finding,) = refused(replication(host="vault", filesystems="tank/**", under="tank/copy"))

    assert "would be received here but is in this replication's source" in finding


def test_p05_parents_arrive_before_their_children_whatever_their_names() -> None:
    names = ("tank/a", "tank/a/b", "tank/a/b/c", "tank/a b", "tank/a-b", "tank/a.b/c")
    sources = [fs(name, f"@~23:00,{n}") for n, name in enumerate(names, start=1)]
    before = world(seen("alpha", *sources, fs("tank/a.b", "@~23:00,9")), NOTHING)
    made = plan(desired(TREE), before, NOW)

    sends = {p.action.filesystem: p for p in made.actions if isinstance(p.action, Send)}
    assert sends.keys() == {*names, "tank/a.b"}
    for child, parent in (("a/b", "a"), ("a/b/c", "a/b"), ("a.b/c", "a.b")):
        assert sends[f"tank/{parent}"].id in needs(made, sends[f"tank/{child}"])
    assert not needs(made, sends["tank/a b"]) & {send.id for send in sends.values()}


ODD = {
    "spaces and dots": fs("tank/.a b.c: -d", "@~22:00,1 @~23:00,2"),
    "a volume": volume("tank/vol", "@~22:00,1 @~23:00,2"),
    "encrypted": fs("tank/secret", "@~22:00,1 @~23:00,2", **encrypted()),
    "encrypted, key not loaded": fs(
        "tank/locked", "@~22:00,1 @~23:00,2", **encrypted(keystatus="unavailable")
    ),
    "the pool's own filesystem": fs("tank", "@~22:00,1 @~23:00,2"),
}


@pytest.mark.parametrize("source", ODD.values(), ids=ODD)
def test_p06_filesystems_of_all_kinds_and_names_end_with_the_same_result(
    source: Filesystem,
) -> None:
    specs = desired("web: alpha tank/** keep last 1 -> vault keep last 2")
    before = world(seen("alpha", source), NOTHING)
    after = converge(specs, before, NOW)

    there = ("vault", f"backup/alpha/{source.name}")
    assert guids(after, there) == [1, 2]
    assert guids(after, ("alpha", source.name)) == [2]
    vault = after["vault"]
    assert isinstance(vault, Seen)
    assert vault.filesystems[there[1]].kind is source.kind


def test_p07_one_broken_pair_does_not_keep_the_others_and_the_outcome_says_so() -> None:
    specs = desired(TREE)
    before = world(
        seen("alpha", fs("tank/a", "@~22:00,1 @~23:00,2"), fs("tank/b", "@~22:00,3 @~23:00,4")),
        seen(
            "vault",
            replica("backup/alpha/tank/a", "@~22:00,1 @mine,99"),
            replica("backup/alpha/tank/b", "@~22:00,3"),
        ),
    )
    after = converge(specs, before, NOW)

    assert guids(after, ("vault", "backup/alpha/tank/a")) == [1, 99]
    assert guids(after, ("vault", "backup/alpha/tank/b")) == [3, 4]
    assert plan(specs, before, NOW).outcome is Outcome.BLOCKED


def test_p08_neighbours_go_in_one_stream() -> None:
    here = "@~20:00,1 @~21:00,2 @~22:00,3 @~23:00,4"

    assert of_verb(planned(here, "@~20:00,1"), "send") == [
        "send alpha tank/www @~20:00 → @~21:00 @~22:00 @~23:00"
    ]


@cache
def fewest(selected: tuple[int, ...], base: int) -> int:
    """Return the least number of streams that bring exactly these places of a history.

    One stream brings the next one alone, or a run that begins right behind what is there.
    """
    if not selected:
        return 0
    ends = [1]
    while (
        selected[0] == base + 1
        and ends[-1] < len(selected)
        and selected[ends[-1]] == selected[ends[-1] - 1] + 1
    ):
        ends.append(ends[-1] + 1)
    return 1 + min(fewest(selected[end:], selected[end - 1]) for end in ends)


@pytest.mark.parametrize("ours", [*product((False, True), repeat=6)], ids=str)
def test_p08_whatever_lies_in_between_only_ours_arrive_in_the_fewest_streams(
    ours: Sequence[bool],
) -> None:
    history = ["@~20:00,1"]
    for guid, managed in enumerate(ours, start=2):
        history.append(f"@~20:{guid:02},{guid}" if managed else f"@other-{guid},{guid}")
    before = pair(" ".join(history), "@~20:00,1")
    selected = tuple(guid for guid, managed in enumerate(ours, start=2) if managed)

    made = plan(desired(LINE), before, NOW)
    assert guids(converge(desired(LINE), before, NOW), THERE) == [1, *selected]
    assert len(of_verb(made, "send")) == fewest(selected, 1)


def test_p10_a_base_that_no_selection_and_no_rule_covers_is_a_base_by_its_guid() -> None:
    assert of_verb(planned("@manual,1 @~23:00,2", "@manual,1", "keep last 1"), "send") == [
        "send alpha tank/www @manual → @~23:00"
    ]
    assert of_verb(planned("#manual,1 @~23:00,2", "@manual,1", "keep last 1"), "send") == [
        "send alpha tank/www #manual → @~23:00"
    ]


def test_p11_a_target_with_a_snapshot_newer_than_the_common_one_is_refused_and_unchanged() -> None:
    made = planned("@~22:00,1 @~23:00,2", "@~22:00,1 @mine,99")

    (conflict,) = made.conflicts
    assert conflict.code == "diverged"
    assert "only on vault: @mine (guid 99)" in conflict.evidence
    assert steps(made) == []


def test_p13_a_target_with_snapshots_and_none_in_common_is_refused() -> None:
    made = planned("@~22:00,1 @~23:00,2", "@~22:00,8 @~23:00,9")

    assert conflicts(made) == [f"vault {WWW} no-common-version"]
    assert steps(made) == []


def test_p16_while_something_else_is_being_received_there_is_no_second_receive() -> None:
    made = planned("@~22:00,1 @~23:00,2", "", inconsistent=True)

    assert conflicts(made) == [f"vault {WWW} receive-under-way"]
    assert steps(made) == []


@pytest.mark.parametrize(
    ("here", "newest"),
    [pytest.param("", "~23:15", id="due"), pytest.param("@~23:00,2", "~23:00", id="there")],
)
def test_p17_with_only_the_bases_bookmark_left_the_next_snapshot_is_sent_from_it(
    here: str, newest: str
) -> None:
    made = planned(f"#cur,1 {here}", "@~22:00,1,held=base", "initial refuse")

    assert of_verb(made, "send") == [f"send alpha tank/www #cur/vault → @{newest}"]


def test_p19_a_bookmark_that_is_there_with_the_same_guid_is_harmless_another_an_error() -> None:
    (version,) = fs("tank/www", "@a,11").versions
    cursor = Bookmark("alpha", "tank/www", version, "cursor_", "vault backup/www")
    exists = refusal(f"cannot create bookmark '{cursor.full}': bookmark exists")
    there = said(rows("tank/www@a 11"))

    def judged(guid: int) -> object:
        made = said(rows(f"{cursor.full} {guid}"))
        return cursor.judge(ran(cursor.script(), check=there, bookmark=exists, made=made))

    assert judged(11) == Done()
    assert isinstance(judged(99), Failed)


def test_p21_after_a_first_stream_whose_snapshot_is_gone_the_next_one_is_sent() -> None:
    after = converge(desired(LINE), pair("@~23:00,2", None), NOW)

    assert guids(after, THERE) == [2]
    assert bookmarks(after, HERE) == [2]


def test_p22_with_all_snapshots_and_bookmarks_gone_there_is_a_conflict_and_no_change() -> None:
    before = pair("", "@~22:00,1 @~23:00,2")
    made = plan(desired(f"{LINE} keep last 1"), before, NOW)

    assert conflicts(made) == [f"vault {WWW} no-common-version"]
    assert steps(made) == ["snapshot alpha tank/www @~23:15"]
    assert guids(converge(desired(LINE), before, NOW), THERE) == [1, 2]


def test_p23_each_target_has_a_cursor_of_its_own() -> None:
    specs = desired("web: alpha tank/www -> vault keep matching rec-.*T21.* -> north")
    before = world(
        seen("alpha", fs("tank/www", "@~21:00,1 #cur,1 #cur/north,1 @~22:00,2 @~23:00,3")),
        seen("vault", replica(WWW, "@~21:00,1,held=base")),
        seen("north", replica(WWW, "@~21:00,1,held=base")),
    )

    assert cursors(before) == {"vault": [1], "north": [1]}
    assert cursors(converge(specs, before, NOW)) == {"vault": [1], "north": [1, 3]}
    same = desired("web: alpha tank/www -> vault -> north")
    assert cursors(converge(same, before, NOW)) == {"vault": [3], "north": [3]}


def cursors(observed: Observed) -> dict[str, list[int]]:
    """Return the guids that the cursors of each target are on."""
    alpha = observed["alpha"]
    assert isinstance(alpha, Seen)
    marked = alpha.filesystems["tank/www"].bookmarks
    return {
        target: [mark.guid for mark in marked if f"_{target}-" in mark.name]
        for target in ("vault", "north")
    }


ABC = "@~21:00,11 @~22:00,12 #cur,12 @~23:00,13"


@pytest.mark.parametrize(
    ("here", "saved", "words"),
    [
        pytest.param(ABC, token(99, 12), "", id="destroyed"),
        pytest.param("@~22:00,12 #cur,12 @~23:00,14", token(13, 12), "", id="replaced"),
        pytest.param(ABC, token(77, 76, toname="tank/db@x"), "", id="of another filesystem"),
        pytest.param(f"{ABC} @x,20", token(20, 12), "", id="of a snapshot that is not selected"),
        pytest.param(f"{ABC} @~23:05,14", token(13, 12), "keep last 1", id="no longer kept"),
    ],
)
def test_p26_a_token_that_can_not_or_shall_not_go_on_is_given_up_and_the_rest_converges(
    here: str, saved: str, words: str
) -> None:
    specs = desired(f"{LINE} {words}")
    before = pair(here, "@~22:00,12,held=base", resume_token=saved)
    made = plan(specs, before, NOW)
    after = converge(specs, before, NOW)

    assert of_verb(made, "abort") == [f"abort vault {WWW}"]
    assert not any(step.endswith("resumed") for step in of_verb(made, "send"))
    newest = [v for v in fs("tank/www", here).snapshots if v.spec][-1]
    assert guids(after, THERE)[-1] == newest.guid
    assert plan(specs, after, NOW).outcome is Outcome.NOTHING


@pytest.mark.parametrize(
    ("raw", "facts"),
    [pytest.param(True, {}, id="raw, plain"), pytest.param(False, encrypted(), id="plain, raw")],
)
def test_p27_a_token_that_is_raw_and_should_not_be_or_the_reverse_is_given_up(
    raw: bool,  # noqa: FBT001
    facts: dict[str, str],
) -> None:
    source = fs("tank/www", ABC, **facts)
    there = replica(WWW, "@~22:00,12", resume_token=token(13, 12, raw=raw), **facts)
    made = plan(desired(LINE), world(seen("alpha", source), seen("vault", there)), NOW)

    assert of_verb(made, "abort", "send") == [
        f"abort vault {WWW}",
        "send alpha tank/www @~22:00 → @~23:00",
    ]


def test_p31_a_target_that_somebody_destroyed_is_sent_again_in_full() -> None:
    before = pair("@~21:00,1 @~22:00,2,held=step #cur,2 @~23:00,3", None)

    assert of_verb(plan(desired(LINE), before, NOW), "abort", "send")[0] == (
        "send alpha tank/www full → @~21:00"
    )
    after = converge(desired(LINE), before, NOW)
    assert guids(after, THERE) == [1, 2, 3]
    assert bookmarks(after, HERE) == [3]


def test_p38_a_failing_parent_takes_its_children_along_and_its_siblings_not() -> None:
    names = ("tank/user1", "tank/user1/foo", "tank/user2", "tank/user2/foo")
    sources = [fs(name, f"@~23:00,{n}") for n, name in enumerate(names, start=1)]
    before = world(seen("alpha", *sources), NOTHING)
    made = plan(desired(TREE), before, NOW)
    failing = next(
        p.id
        for p in made.actions
        if isinstance(p.action, Send) and p.action.filesystem == "tank/user1"
    )

    left = without(made, {failing})
    sent = [p.action.filesystem for p in left if isinstance(p.action, Send)]
    assert sent == ["tank/user2", "tank/user2/foo"]
    *_, after = stages(left, before)
    assert plan(desired(TREE), converge(desired(TREE), after, NOW), NOW).outcome is Outcome.NOTHING
