"""The integration tests of a peer on snapshots, retention and selection."""

import pytest

from reconciler.actions import Destroy, Snapshot
from reconciler.observed.model import Observed, Seen
from reconciler.planner.planning import plan
from tests.behaviours.outcomes import (
    HERE,
    THERE,
    WWW,
    doomed,
    guids,
    without,
)
from tests.behaviours.specs import accepted, refused, replication
from tests.support.converge import converge, stages
from tests.support.shown import notes, of_verb, steps
from tests.support.worlds import (
    NOW,
    desired,
    fs,
    instant,
    replica,
    seen,
    world,
)

LINE = "web: alpha tank/www -> vault"
TREE = "web: alpha tank/** !tank -> vault"
NOTHING = seen("vault", fs("backup"))


def pair(here: str, there: str | None, **facts: object) -> Observed:
    """Return tank/www on alpha, and its replica on vault unless there is none."""
    vault = NOTHING if there is None else seen("vault", replica(WWW, there, **facts))
    return world(seen("alpha", fs("tank/www", here)), vault)


SERIES = (
    "a: alpha tank/www prefix q- every 15m",
    "b: alpha tank/www prefix h- every 1h",
    "c: alpha tank/www prefix d- every 1d",
)


def series(at: str, versions: str) -> list[str]:
    """Return the prefixes of the snapshots that are taken at an instant."""
    now = instant(at)
    made = plan(desired(*SERIES), world(seen("alpha", fs("tank/www", versions), at=now)), now)
    return [p.action.name[:2] for p in made.actions if isinstance(p.action, Snapshot)]


def test_p39_the_first_run_takes_one_of_each_series_and_later_runs_those_that_are_due() -> None:
    taken = " ".join(
        f"@{prefix}-20261122T231500Z,{guid},spec={spec}"
        for guid, (prefix, spec) in enumerate(zip("qhd", "abc", strict=True), start=1)
    )

    assert series("23:15", "") == ["q-", "h-", "d-"]
    assert series("23:29", taken) == []
    assert series("23:30", taken) == ["q-"]
    assert series("11-23T00:00", taken) == ["q-", "h-", "d-"]
    assert series("23:15", "@autosnap_2026-11-22_23:15:00_hourly,1") == ["q-", "h-", "d-"]
    assert series("23:20", taken.rpartition(" ")[0]) == ["d-"]


def test_p40_a_hundred_filesystems_get_snapshots_in_one_command_without_the_excluded() -> None:
    names = [f"tank/www/a{n:03}" for n in range(100)]
    made = plan(
        desired("web: alpha tank/www/** !tank/www/a050 !tank/www every 15m"),
        world(seen("alpha", *map(fs, names))),
        NOW,
    )

    (snapshot,) = (p.action for p in made.actions)
    assert isinstance(snapshot, Snapshot)
    commands = [step.argv for step in snapshot.script().steps if step.argv[1] == "snapshot"]
    assert [len(argv) - 4 for argv in commands] == [99]
    assert "tank/www/a050" not in snapshot.filesystems


def test_p41_a_snapshot_from_the_future_does_not_keep_one_from_being_taken() -> None:
    made = plan(
        desired("web: alpha tank/www every 15m"),
        world(seen("alpha", fs("tank/www", "@~2099-01-01T00:00,1"))),
        NOW,
    )

    assert steps(made) == ["snapshot alpha tank/www @~23:15"]


def test_p42_of_three_one_is_kept_and_two_rules_keep_what_either_keeps() -> None:
    three = world(seen("alpha", fs("tank/www", "@~20:00,1 @~21:00,2 @~22:00,3")))

    assert doomed(plan(desired("web: alpha tank/www keep last 1"), three, NOW)) == [1, 2]
    both = desired("web: alpha tank/www keep last 1 matching rec-.*T20.*")
    assert doomed(plan(both, three, NOW)) == [2]


@pytest.mark.parametrize("rule", ["last: 0", "hourly: -1", "daily: 0", "within: 0s", "last: 1.5"])
def test_p42_zero_and_negative_counts_are_refused(rule: str) -> None:
    (finding,) = refused(replication(keep=f"{{{rule}}}"))

    assert finding.startswith("a.yaml:9:")


def test_p42_no_rules_keep_everything() -> None:
    specs = accepted(replication(keep="{}"))
    made = plan(specs, world(seen("alpha", fs("tank/www", "@~20:00,1 @~23:15,2")), NOTHING), NOW)

    assert of_verb(made, "destroy") == []


def test_p44_of_expired_snapshots_a_held_one_stays_and_the_others_go() -> None:
    versions = "@~20:00,1 @~21:00,2,held=keep @~22:00,3 @~23:00,4"
    before = world(seen("alpha", fs("tank/www", versions)))

    assert guids(converge(desired("web: alpha tank/www keep last 1"), before, NOW), HERE) == [2, 4]


def test_p47_bookmarks_that_are_not_cursors_of_ours_are_never_destroyed() -> None:
    specs = desired("web: alpha tank/www keep last 1 -> vault keep last 1")
    here = (
        "#mine,10 @~21:00,11 #cur,11 #rec-cursor_other_vault-000000_000000000000000b,11 @~23:00,13"
    )
    after = converge(specs, pair(here, "@~21:00,11,held=base"), NOW)

    alpha = after["alpha"]
    assert isinstance(alpha, Seen)
    left = [mark.name.split("_")[:2] for mark in alpha.filesystems["tank/www"].bookmarks]
    assert left == [["mine"], ["rec-cursor", "other"], ["rec-cursor", "web"]]


def test_p48_when_no_destroy_is_allowed_everything_is_replicated_all_the_same() -> None:
    specs = desired("web: alpha tank/www keep last 1 -> vault keep last 1")
    before = pair("@~21:00,11 @~22:00,12 #cur,12 @~23:00,13", "@~21:00,11 @~22:00,12,held=base")
    made = plan(specs, before, NOW)
    forbidden = {p.id for p in made.actions if isinstance(p.action, Destroy)}

    left = without(made, forbidden)
    assert len(left) == len(made.actions) - len(forbidden)
    *_, after = stages(left, before)
    assert guids(after, THERE) == [11, 12, 13]


def test_p51_a_filesystem_that_is_switched_off_by_its_property_is_left_out_with_a_word() -> None:
    specs = desired("web: alpha tank/** !tank every 15m keep last 1")
    off = fs("tank/off", "@~20:00,1 @~21:00,2", disabled=True)
    made = plan(specs, world(seen("alpha", off, fs("tank/on", "@~20:00,3 @~21:00,4"))), NOW)

    assert steps(made) == [
        "snapshot alpha tank/on @~23:15",
        "destroy alpha tank/on@~20:00@~21:00",
    ]
    assert notes(made) == ["notice: alpha tank/off: switched off by reconciler:reconcile=disabled"]


def test_p55_each_host_is_sent_what_is_meant_for_it_and_nothing_else() -> None:
    specs = desired("web: alpha tank/www -> vault", "db: alpha tank/db prefix db- -> north")
    before = world(
        seen("alpha", fs("tank/www", "@~23:00,1"), fs("tank/db", "@db-20261122T230000Z,2,spec=db")),
        NOTHING,
        seen("north", fs("backup")),
    )
    after = converge(specs, before, NOW)

    for host, name in (("vault", "backup/alpha/tank/www"), ("north", "backup/alpha/tank/db")):
        there = after[host]
        assert isinstance(there, Seen)
        assert [fs.name for fs in there.filesystems.values() if fs.versions] == [name]
