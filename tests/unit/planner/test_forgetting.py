"""`reconciler forget`: marks that no spec accounts for go, and nothing else ever does."""

from reconciler.actions import Destroy
from reconciler.desired.model import Desired
from reconciler.observed.model import Observed, Seen
from reconciler.planner.forgetting import forget
from reconciler.planner.plan import Outcome, Plan
from tests.support.converge import stages
from tests.support.shown import notes, steps
from tests.support.worlds import NOW, desired, fs, replica, seen, unseen, world

WWW = "backup/alpha/tank/www"
HERE = fs(
    "tank/www",
    "@~22:00,11,held=step/old @~23:00,12,held=step+keep #cur,12 #cur/old,11 #mine,12",
)
THERE = replica(WWW, "@~22:00,11 @~23:00,12,held=base+keep")
OTHER = desired("db: alpha tank/db -> vault", "old: old tank -> vault")
STILL = desired("web: alpha tank/www -> vault", "old: old tank -> vault")


def hosts() -> Observed:
    return world(
        seen("alpha", HERE), seen("vault", THERE), seen("old", replica(WWW, "@~22:00,11,held=base"))
    )


def forgotten(specs: Desired, target: str | None = None, observed: Observed | None = None) -> Plan:
    return forget(specs, observed or hosts(), "web", NOW, target=target)


def test_of_a_replication_that_is_gone_all_cursors_and_holds_of_ours_go() -> None:
    """A33 H63"""
    made = forgotten(OTHER)

    assert steps(made) == [
        "destroy alpha tank/www#cur/old",
        "release alpha tank/www@~22:00 step",
        "destroy alpha tank/www#cur/vault",
        "release alpha tank/www@~23:00 step",
        f"release old {WWW}@~22:00 base",
        f"release vault {WWW}@~23:00 base",
    ]
    assert made.outcome is Outcome.CHANGES


def test_what_the_specs_still_need_stays() -> None:
    made = forgotten(STILL)

    assert steps(made) == [
        "destroy alpha tank/www#cur/old",
        "release alpha tank/www@~22:00 step",
        f"release old {WWW}@~22:00 base",
    ]
    assert notes(made) == ["notice: web is in the specs: what its targets there need stays"]


def test_one_target_alone_can_be_forgotten() -> None:
    made = forgotten(OTHER, target="old")

    assert steps(made) == [
        "destroy alpha tank/www#cur/old",
        "release alpha tank/www@~22:00 step",
        f"release old {WWW}@~22:00 base",
    ]


def test_no_snapshot_is_ever_destroyed_and_no_hold_of_others_released() -> None:
    made = forgotten(OTHER)
    *_, after = stages(made.actions, hosts())

    destroyed = [
        v for p in made.actions if isinstance(p.action, Destroy) for v in p.action.versions
    ]
    assert destroyed
    assert not any(version.is_snapshot for version in destroyed)
    for before in hosts().values():
        now = after[before.host]
        assert isinstance(before, Seen)
        assert isinstance(now, Seen)
        for name, filesystem in before.filesystems.items():
            left = now.filesystems[name]
            assert [v.guid for v in left.snapshots] == [v.guid for v in filesystem.snapshots]
            assert [("keep" in v.holds) for v in left.snapshots] == [
                ("keep" in v.holds) for v in filesystem.snapshots
            ]
    assert [v.label for v in after["alpha"].filesystems["tank/www"].bookmarks] == ["#mine"]  # type: ignore[union-attr]


def test_afterwards_there_is_nothing_left_to_forget() -> None:
    *_, after = stages(forgotten(OTHER).actions, hosts())
    made = forgotten(OTHER, observed=after)

    assert steps(made) == []
    assert notes(made) == ["notice: nothing is left over of web on the hosts that were seen"]


def test_a_name_that_begins_alike_is_another_one() -> None:
    made = forget(OTHER, hosts(), "we", NOW)

    assert steps(made) == []


def test_on_hosts_that_were_not_seen_nothing_is_done_and_the_plan_says_so() -> None:
    observed = {**hosts(), "alpha": unseen("alpha")}
    made = forgotten(OTHER, observed=observed)

    assert not [step for step in steps(made) if "alpha tank" in step]
    assert made.outcome is Outcome.INCOMPLETE


def test_what_is_switched_off_is_left_alone() -> None:
    off = world(seen("alpha", fs("tank/www", "@~23:00,12 #cur,12", disabled=True)))

    assert steps(forgotten(OTHER, observed=off)) == []


def test_the_note_that_a_source_is_gone_goes_with_the_holds() -> None:
    gone = world(seen("vault", replica(WWW, "@~23:00,12,held=base", gone_since=NOW - 5)))
    made = forgotten(OTHER, observed=gone)

    assert steps(made) == [f"release vault {WWW}@~23:00 base", f"unmark vault {WWW}"]
