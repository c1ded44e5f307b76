"""A chain in the controller: link by link, each key doing its own."""

from tests.support.living import Life
from tests.support.stage import Controller, Stage
from tests.support.worlds import desired

SLOT = 900
CHAIN = (
    "web: alpha tank/a every 15m keep last 2 bookmarks last 2 -> vault keep last 3",
    "onward: vault backup/** received -> north far/{host} keep last 4",
)


def test_snapshots_go_all_the_way_and_expire_everywhere_by_the_rules_there() -> None:
    specs = desired(*CHAIN)
    stage = Stage(sorted(specs.hosts))
    stage.sh("alpha", "zpool create tank disk", "zfs create tank/a")
    stage.sh("vault", "zpool create backup disk")
    stage.sh("north", "zpool create far disk")
    life = Life(stage, specs)
    life.live(6 * SLOT + SLOT // 2)

    places = {
        "alpha": "tank/a",
        "vault": "backup/alpha/tank/a",
        "north": "far/vault/backup/alpha/tank/a",
    }
    there = {
        host: [snapshot.name for snapshot in stage.world[host].datasets[name].snapshots]
        for host, name in places.items()
    }
    assert {host: len(names) for host, names in there.items()} == {
        "alpha": 2,
        "vault": 3,
        "north": 4,
    }
    assert there["north"][-3:] == there["vault"]
    assert there["vault"][-2:] == there["alpha"]
    marks = [mark.name for mark in stage.world["alpha"].datasets["tank/a"].bookmarks]
    assert sum(name.startswith("rec-mark_web_") for name in marks) == 2
    assert Controller(stage, specs).plan().actions == ()
