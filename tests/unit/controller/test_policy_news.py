"""What other keep rules cost is said by the controller itself, before anything goes by them."""

import pytest

from reconciler.controller.policy_news import sentence
from reconciler.planner.plan import PolicyChange
from reconciler.simulator.faults import Lost
from tests.support.living import Life
from tests.support.stage import Stage
from tests.support.worlds import desired

SLOT = 900
MUCH = "web: alpha tank/a every 15m keep last 9 -> vault keep last 9"
LESS_HERE = "web: alpha tank/a every 15m keep last 4 -> vault keep last 9"
LESS_THERE = "web: alpha tank/a every 15m keep last 9 -> vault keep last 4"
OFTEN = "web: alpha tank/a every 30m keep last 9 -> vault keep last 9"


@pytest.fixture
def life() -> Life:
    """A life in which seven snapshots are on both hosts."""
    specs = desired(MUCH)
    stage = Stage(sorted(specs.hosts))
    stage.sh("alpha", "zpool create tank disk", "zfs create tank/a")
    stage.sh("vault", "zpool create backup disk")
    life = Life(stage, specs)
    life.live(6 * SLOT + SLOT // 2)
    life.notebook.told.clear()
    return life


def adopt(life: Life, line: str) -> list[str]:
    """Put other specs in force, do what is to be done at once, and return what was said of it."""
    specs = desired(line)
    life.engine.adopt(specs, life.fleet(specs))
    life.work()
    return [said for said in life.notebook.told if "keep rules" in said]


def there(life: Life, host: str, filesystem: str) -> int:
    return len(life.stage.world[host].datasets[filesystem].snapshots)


def test_it_is_said_how_many_more_snapshots_go_on_each_side(life: Life) -> None:
    more = "by the new keep rules 3 more snapshots go on 1 filesystem than by those before"
    none = "by the new keep rules as many snapshots go as by those before"

    assert adopt(life, LESS_HERE) == [
        f"warning: web (alpha): {more}",
        f"info: web (alpha → vault): {none}",
    ]
    assert there(life, "alpha", "tank/a") == 4


def test_of_a_receivers_rules_the_pair_says_it(life: Life) -> None:
    said = adopt(life, LESS_THERE)

    assert said[1].startswith("warning: web (alpha → vault): by the new keep rules 3 more")
    assert there(life, "vault", "backup/alpha/tank/a") == 4


def test_it_is_said_before_anything_goes(life: Life) -> None:
    seen: list[int] = []
    notebook = life.notebook
    say = notebook.said

    def said(level: str, message: str, **fields: object) -> None:
        if "3 more" in message:
            seen.append(there(life, "alpha", "tank/a"))
        say(level, message, **fields)

    notebook.said = said  # type: ignore[method-assign]
    adopt(life, LESS_HERE)

    assert seen == [7]


def test_it_is_said_once_and_stands_in_the_history(life: Life) -> None:
    said = adopt(life, LESS_HERE)
    life.live(SLOT)

    assert [line for line in life.notebook.told if "keep rules" in line] == said
    messages = [run.message for run in life.engine.memory.histories["web"]]
    assert any("3 more snapshots" in message for message in messages)


def test_other_specs_with_the_same_rules_are_no_news(life: Life) -> None:
    assert adopt(life, OFTEN) == []


def test_what_can_not_be_told_yet_is_said_when_the_host_is_seen_again(life: Life) -> None:
    life.faults["vault"].planned = dict.fromkeys(range(1, 10_000), Lost())
    away = adopt(life, LESS_THERE)
    life.faults["vault"].planned = {}
    life.live(SLOT)
    said = [line for line in life.notebook.told if "more snapshots" in line]

    assert away == []
    assert len(said) == 1
    assert "web (alpha → vault)" in said[0]


def test_a_change_on_top_of_one_that_was_not_said_yet_is_compared_with_what_was_before(
    life: Life,
) -> None:
    first = desired(LESS_HERE)
    life.engine.adopt(first, life.fleet(first))
    said = adopt(life, LESS_HERE.replace("last 4", "last 3"))

    assert "4 more snapshots go" in said[0]


def test_more_and_fewer_are_both_said() -> None:
    both = PolicyChange("", more=1, fewer=2, filesystems=2)
    fewer = PolicyChange("", more=0, fewer=1, filesystems=1)

    assert sentence(both) == (
        "by the new keep rules 1 more snapshot goes, 2 other snapshots stay on 2 filesystems"
        " than by those before"
    )
    assert sentence(fewer) == (
        "by the new keep rules 1 other snapshot stays on 1 filesystem than by those before"
    )
