"""What becomes of sources, on simulated hosts: cloned, renamed, gone, back, forgotten."""

from reconciler.desired.model import Desired
from reconciler.planner.forgetting import forget
from reconciler.simulator.change import by_object
from tests.support.shown import conflicts, of_verb, steps
from tests.support.stage import Controller, Stage
from tests.support.worlds import desired

DAY = 86400
TREE = "web: alpha tank/** !tank every 15m keep last 2 -> vault keep last 2"
WEB = desired(TREE)
GONE = desired(f"{TREE} gone 90d")
THERE = "backup/alpha/tank"


def stage(*more: str) -> Stage:
    """Return hosts on which tank/a and tank/b were replicated, and the next slot is due."""
    made = Stage(["alpha", "vault"])
    made.sh("alpha", "zpool create tank disk", "zfs create tank/a", "zfs create tank/b")
    made.sh("vault", "zpool create backup disk")
    made.sh("alpha", "write tank/a index 4M", *more)
    apply(made, WEB)
    return made


def apply(made: Stage, specs: Desired) -> None:
    """Apply once, and go on to the next slot."""
    result = Controller(made, specs).apply()
    assert result is not None
    assert result.failed == ()
    made.now += 900


def newest(made: Stage, host: str, name: str) -> str:
    """Return the newest snapshot of a filesystem."""
    return made.world[host].datasets[name].snapshots[-1].name


def test_h87_a_clone_arrives_as_a_clone_with_all_its_files() -> None:
    made = stage()
    made.sh("alpha", f"zfs clone tank/a@{newest(made, 'alpha', 'tank/a')} tank/aa")
    made.sh("alpha", "write tank/aa more 1M", "zfs destroy tank/b")
    apply(made, WEB)
    vault = made.world["vault"]
    clone = vault.datasets[f"{THERE}/aa"]
    assert clone.origin is not None
    origin = by_object(vault, clone.origin)

    assert origin is not None
    assert origin[0].name == f"{THERE}/a"
    here = made.world["alpha"].datasets["tank/aa"].files
    assert {name: block.id for name, block in clone.files.items()} == {
        name: block.id for name, block in here.items()
    }
    assert set(clone.files) == {"index", "more"}
    apply(made, WEB)
    assert Controller(made, WEB).plan(made.now - 900).actions == ()
    assert len(made.world["vault"].datasets[f"{THERE}/aa"].snapshots) == 2


def test_h87_what_a_clone_hangs_on_stays_on_both_sides() -> None:
    made = stage()
    first = newest(made, "alpha", "tank/a")
    made.sh("alpha", f"zfs clone tank/a@{first} tank/aa")
    for _ in range(4):
        apply(made, WEB)

    for host, name in (("alpha", "tank/a"), ("vault", f"{THERE}/a")):
        assert first in {s.name for s in made.world[host].datasets[name].snapshots}


def test_h94_the_remedy_for_a_renamed_source_is_what_makes_it_go_on() -> None:
    made = stage()
    made.sh("alpha", "zfs rename tank/a tank/z")
    apply(made, WEB)
    plan = Controller(made, WEB).plan()
    (conflict,) = plan.conflicts
    command, _, _ = conflict.remedy.partition(" on vault")

    assert conflicts(plan) == [f"vault {THERE}/z source-renamed"]
    assert f"{THERE}/z" not in made.world["vault"].datasets
    made.sh("vault", command)
    apply(made, WEB)
    assert newest(made, "vault", f"{THERE}/z") == newest(made, "alpha", "tank/z")
    assert Controller(made, WEB).plan(made.now - 900).actions == ()


def test_h103_a_receiver_goes_when_its_source_is_gone_for_long_enough_and_not_before() -> None:
    made = stage()
    made.sh("alpha", "zfs destroy -r tank/a")
    apply(made, GONE)
    marked = made.world["vault"].datasets[f"{THERE}/a"]
    assert "reconciler:gone-since" in marked.local
    made.now += 90 * DAY - 3600
    assert of_verb(Controller(made, GONE).plan(), "destroy-filesystem", "mark") == []
    made.now += 3600
    apply(made, GONE)

    assert f"{THERE}/a" not in made.world["vault"].datasets
    assert f"{THERE}/b" in made.world["vault"].datasets
    assert Controller(made, GONE).plan(made.now - 900).actions == ()


def test_h103_a_source_that_was_back_meanwhile_has_its_whole_grace_again() -> None:
    made = stage()
    made.sh("alpha", "zfs rename tank/a tank/b/a")
    specs = desired(f"{TREE.replace('!tank', '!tank !tank/b/a')} gone 90d")
    apply(made, specs)
    assert "reconciler:gone-since" in made.world["vault"].datasets[f"{THERE}/a"].local
    made.sh("alpha", "zfs rename tank/b/a tank/a")
    made.now += 80 * DAY
    apply(made, specs)
    assert "reconciler:gone-since" not in made.world["vault"].datasets[f"{THERE}/a"].local
    made.sh("alpha", "zfs rename tank/a tank/b/a")
    made.now += 20 * DAY
    apply(made, specs)

    assert "reconciler:gone-since" in made.world["vault"].datasets[f"{THERE}/a"].local


def test_h104_what_appears_in_it_at_the_last_moment_keeps_the_filesystem() -> None:
    made = stage()
    made.sh("alpha", "zfs destroy -r tank/a")
    apply(made, GONE)
    made.now += 91 * DAY
    controller = Controller(made, GONE)
    plan = controller.plan()
    made.sh("vault", f"zfs create {THERE}/a/theirs")
    result = controller.execute(plan)

    assert f"{THERE}/a" in made.world["vault"].datasets
    assert f"{THERE}/a/theirs" in made.world["vault"].datasets
    assert [p.action.verb for p, _ in result.failed] == ["destroy-filesystem"]


def test_h63_what_is_left_of_a_removed_replication_is_taken_away_by_forget() -> None:
    made = stage()
    without = desired("db: alpha tank/b every 1d -> vault elsewhere")
    controller = Controller(made, without)
    plan = forget(without, Controller(made, WEB).observe(), "web", made.now)
    result = controller.execute(plan)
    left = forget(without, Controller(made, WEB).observe(), "web", made.now)

    assert result.failed == ()
    assert of_verb(plan, "destroy") != []
    assert steps(left) == []
    assert made.world["alpha"].datasets["tank/a"].bookmarks == ()
    assert len(made.world["vault"].datasets[f"{THERE}/a"].snapshots) == 1
    assert not any(s.holds for s in made.world["vault"].datasets[f"{THERE}/a"].snapshots)
