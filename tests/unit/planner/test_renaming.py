"""A sender's filesystem under a new name: shown as such, and nothing is sent or destroyed."""

import pytest

from reconciler.observed.model import Filesystem, Observation
from reconciler.planner.guards import guard
from reconciler.planner.plan import Outcome, Plan
from reconciler.planner.planning import plan
from tests.support.shown import blocked, conflicts, notes, of_verb, steps
from tests.support.worlds import NOW, desired, fs, placeholder, pool, replica, seen, unseen, world

ROOT = "backup/alpha"
OLD, NEW = f"{ROOT}/tank/old", f"{ROOT}/tank/new"
TREE = "web: alpha tank/** !tank -> vault keep last 1"
HISTORY = "@~22:00,11 @~23:00,12"
RENAMED = fs("tank/new", f"{HISTORY} #cur,12")
RECEIVED = replica(OLD, f"{HISTORY},held=base")


def planned(
    *here: Filesystem,
    there: tuple[Filesystem, ...] = (RECEIVED,),
    specs: str = TREE,
    alpha: Observation | None = None,
) -> Plan:
    parents = (placeholder(ROOT), placeholder(f"{ROOT}/tank"))
    vault = seen("vault", *parents, *there)
    return plan(desired(specs), world(alpha or seen("alpha", *here), vault), NOW)


def test_a_renamed_source_is_shown_as_one_and_neither_sent_anew_nor_renamed_there() -> None:
    """H94 A43"""
    made = planned(RENAMED)

    assert conflicts(made) == [f"vault {NEW} source-renamed"]
    (conflict,) = made.conflicts
    assert conflict.message == (
        f"tank/new seems to be tank/old under a new name: {OLD} has versions of it, and tank/old is"
        " gone from alpha"
    )
    assert conflict.evidence == (
        "common: @rec-20261122T230000Z (guid 12)",
        f"alpha has no tank/old; vault has no {NEW}",
    )
    assert conflict.remedy == (
        f"zfs rename {OLD} {NEW} on vault; to send it anew instead: zfs rename {OLD} {OLD}.aside"
        " there"
    )
    assert steps(made) == []
    assert notes(made) == []
    assert made.outcome is Outcome.BLOCKED


def test_after_the_remedy_streams_go_on_where_they_were() -> None:
    later = fs("tank/new", f"{HISTORY} #cur,12 @~23:10,13")
    made = planned(later, there=(replica(NEW, f"{HISTORY},held=base"),))

    assert conflicts(made) == []
    assert "send alpha tank/new @~23:00 → @~23:10" in steps(made)


@pytest.mark.parametrize("name", [f"{OLD}.aside", f"{OLD}.aside-20261122T231500Z"])
def test_after_the_other_remedy_it_is_sent_anew_and_what_was_set_aside_stays(name: str) -> None:
    made = planned(RENAMED, there=(replica(name, f"{HISTORY},held=base"),))

    assert conflicts(made) == []
    assert "send alpha tank/new full → @~23:00" in steps(made)
    assert not [planned for planned in made.actions if (("vault", name) in planned.action.places)]


@pytest.mark.parametrize("way_out", ["setAside", "rollback"])
def test_on_conflict_says_nothing_of_a_renamed_source(way_out: str) -> None:
    made = planned(RENAMED, specs=f"web: alpha tank/** !tank -> vault conflict {way_out}")

    assert conflicts(made) == [f"vault {NEW} source-renamed"]
    assert steps(made) == []


def test_it_is_said_before_a_first_stream_is_refused() -> None:
    made = planned(RENAMED, specs="web: alpha tank/** !tank -> vault initial refuse")

    assert conflicts(made) == [f"vault {NEW} source-renamed"]


def test_a_bookmark_is_enough_to_know_it_by() -> None:
    made = planned(fs("tank/new", "#cur,12 @~23:10,13"))

    assert conflicts(made) == [f"vault {NEW} source-renamed"]


def test_a_clone_or_a_received_copy_is_no_rename() -> None:
    """The old name still exists on the sender."""
    made = planned(fs("tank/old", f"{HISTORY} #cur,12"), fs("tank/new", HISTORY))

    assert conflicts(made) == []
    assert of_verb(made, "send") == ["send alpha tank/new full → @~23:00"]


def test_without_a_common_version_it_is_another_filesystem() -> None:
    made = planned(fs("tank/new", "@~23:00,99"))

    assert conflicts(made) == []
    assert of_verb(made, "send") == ["send alpha tank/new full → @~23:00"]
    assert notes(made) == [f"warning: alpha tank/old is gone; vault {OLD} is kept as it is"]


def test_with_its_own_receiver_it_has_not_been_renamed() -> None:
    """Somebody has sent it anew: the other one is a replica of what is gone."""
    made = planned(RENAMED, there=(RECEIVED, replica(NEW, f"{HISTORY},held=base")))

    assert conflicts(made) == []
    assert of_verb(made, "send", "rename") == []
    assert notes(made) == [f"warning: alpha tank/old is gone; vault {OLD} is kept as it is"]


def test_what_is_not_known_to_be_gone_is_not_renamed() -> None:
    other = "backup/alpha/other/old"
    shut = seen("alpha", RENAMED, pools=[pool("other", health="SUSPENDED")])
    specs = "web: alpha tank/** other/** !tank -> vault keep last 1"
    made = planned(there=(replica(other, HISTORY),), specs=specs, alpha=shut)

    assert conflicts(made) == []
    assert steps(planned(alpha=unseen("alpha"))) == []


def test_a_filesystem_that_is_not_selected_is_not_looked_for() -> None:
    made = planned(RENAMED, specs="web: alpha tank/old tank/x -> vault", there=(RECEIVED,))

    assert conflicts(made) == []
    assert notes(made)[-1] == f"warning: alpha tank/old is gone; vault {OLD} is kept as it is"


def test_of_a_renamed_tree_the_topmost_is_to_be_renamed() -> None:
    here = (RENAMED, fs("tank/new/a", "@~23:00,22"), fs("tank/new/a/b", "@~23:00,32"))
    there = (RECEIVED, replica(f"{OLD}/a", "@~23:00,22"), replica(f"{OLD}/a/b", "@~23:00,32"))
    made = planned(*here, there=there)

    assert conflicts(made) == [
        f"vault {NEW} source-renamed",
        f"vault {NEW}/a source-renamed",
        f"vault {NEW}/a/b source-renamed",
    ]
    remedies = [conflict.remedy.partition(";")[0] for conflict in made.conflicts]
    assert remedies == [f"zfs rename {OLD} {NEW} on vault"] * 3


def test_where_the_new_parent_is_missing_the_remedy_makes_it() -> None:
    parent = planned(fs("tank/sub/new", HISTORY), specs="web: alpha tank/*/* tank/old -> vault")
    to_come = planned(fs("tank/sub", "@~23:00,5"), fs("tank/sub/new", HISTORY))

    begins = [
        made.conflicts[0].remedy.partition(";")[0] for made in (parent, to_come) if made.conflicts
    ]
    assert begins == [
        f"zfs rename -p {OLD} {ROOT}/tank/sub/new on vault",
        f"when {ROOT}/tank/sub has been received, zfs rename {OLD} {ROOT}/tank/sub/new on vault",
    ]


def test_nothing_is_destroyed_on_the_sender_of_what_was_renamed() -> None:
    """The guard finds so by itself."""
    specs = "web: alpha tank/** !tank keep last 1 -> vault keep last 1"
    observed = world(seen("alpha", RENAMED), seen("vault", RECEIVED))
    made = plan(desired(specs), observed, NOW)
    away = world(seen("alpha", RENAMED), seen("vault", placeholder(ROOT)))
    careless = plan(desired(specs), away, NOW)

    assert of_verb(made, "destroy") == []
    assert of_verb(careless, "destroy") == ["destroy alpha tank/new@~22:00"]
    assert blocked(guard(careless, desired(specs), observed)) == ["alpha tank/new@~22:00: conflict"]


def test_the_likeliest_of_several_is_named_and_the_others_too() -> None:
    twin = replica(f"{ROOT}/tank/older", "@~22:00,11")
    made = planned(RENAMED, there=(twin, RECEIVED))

    assert f"zfs rename {OLD} {NEW} on vault" in made.conflicts[0].remedy
    assert made.conflicts[0].evidence[-1] == f"{ROOT}/tank/older has versions of it, too"
    assert notes(made) == []


# -- a pool under a new name -----------------------------------------------------------------------

POOL = "web: alpha new/** !new keep last 1 -> vault keep last 1"
MOVED = (fs("new/www", f"{HISTORY} #cur,12"), fs("new/www/a", "@~23:00,22 #cur,22"))
LEFT = (
    replica(f"{ROOT}/tank/www", f"{HISTORY},held=base"),
    replica(f"{ROOT}/tank/www/a", "@~23:00,22,held=base"),
)


def test_a_renamed_pool_is_shown_as_one_and_nothing_is_sent_or_destroyed() -> None:
    made = planned(*MOVED, there=LEFT, specs=POOL)

    assert conflicts(made) == [
        f"vault {ROOT}/new/www source-renamed",
        f"vault {ROOT}/new/www/a source-renamed",
    ]
    first, second = made.conflicts
    assert first.message == (
        f"new/www seems to be tank/www under a new name: {ROOT}/tank/www has versions of it, and"
        " pool tank is not imported on alpha"
    )
    assert first.remedy == (
        f"zfs rename {ROOT}/tank {ROOT}/new on vault; to send it anew instead: zfs rename"
        f" {ROOT}/tank/www {ROOT}/tank/www.aside there; if tank is only away: zpool import tank on"
        " alpha"
    )
    assert second.remedy.startswith(f"zfs rename {ROOT}/tank {ROOT}/new on vault;")
    assert (steps(made), notes(made)) == ([], [])


def test_after_the_remedy_for_a_renamed_pool_streams_go_on_where_they_were() -> None:
    later = fs("new/www", f"{HISTORY} #cur,12 @~23:10,13")
    there = (fs(f"{ROOT}/new"), replica(f"{ROOT}/new/www", f"{HISTORY},held=base"))
    made = planned(later, there=there, specs=POOL)

    assert conflicts(made) == []
    assert "send alpha new/www @~23:00 → @~23:10" in steps(made)


@pytest.mark.parametrize("gone", ["", " gone 1s"])
def test_of_a_pool_that_is_not_imported_nothing_is_gone(gone: str) -> None:
    """What was received of it is neither told of as gone nor let go of."""
    other = fs("other/x", "@~23:00,99 #cur,99")
    specs = f"web: alpha tank/** other/** !tank !other -> vault{gone}"
    made = planned(other, there=LEFT, specs=specs)

    assert conflicts(made) == []
    assert not [p for p in made.actions if any("tank" in name for _, name in p.action.places)]
    assert not [note for note in notes(made) if "gone" in note]
