"""Filesystems that are selected by a property, and what becomes of those that are not any more."""

from dataclasses import replace
from typing import Any

from reconciler.actions import Destroy
from reconciler.desired.model import Desired
from reconciler.desired.selection import Condition
from reconciler.observed.model import Filesystem, Observed
from reconciler.planner.guards import guard
from reconciler.planner.plan import Plan, PlannedAction
from reconciler.planner.planning import plan
from reconciler.planner.roots import properties_of
from tests.support.shown import blocked, notes, of_verb, steps
from tests.support.worlds import NOW, desired, fs, replica, seen, world

BACKUP = Condition("com.example:backup", "true")
LINE = "web: alpha tank/** every 15m keep last 1 -> vault keep last 1"


def wanted(*where: Condition, line: str = LINE, name: str = "web") -> Desired:
    specs = desired(*line.split("; "))
    web = specs.replications[name]
    chosen = replace(web, selection=replace(web.selection, where=where or (BACKUP,)))
    return replace(specs, replications={**specs.replications, name: chosen})


def marked(name: str, versions: str = "", value: str = "true", **facts: Any) -> Filesystem:
    return fs(name, versions, properties={"com.example:backup": value}, **facts)


def planned(*filesystems: Filesystem, there: Filesystem | None = None) -> Plan:
    vault = there if there is not None else fs("backup")
    return plan(wanted(), world(seen("alpha", *filesystems), seen("vault", vault)), NOW)


def test_only_what_has_the_property_is_snapshotted_and_sent() -> None:
    made = planned(marked("tank/a"), marked("tank/b", value="false"), fs("tank/c"))
    assert of_verb(made, "snapshot") == ["snapshot alpha tank/a @~23:15"]
    assert of_verb(made, "send") == ["send alpha tank/a full → @~23:15"]


def test_all_conditions_have_to_hold() -> None:
    both = wanted(BACKUP, Condition("type", "filesystem"))
    one = marked("tank/a")
    two = replace(one, name="tank/b", properties={**one.properties, "type": "filesystem"})
    made = plan(both, world(seen("alpha", one, two), seen("vault", fs("backup"))), NOW)
    assert of_verb(made, "snapshot") == ["snapshot alpha tank/b @~23:15"]


def test_the_pattern_has_to_match_too() -> None:
    made = planned(marked("tank/a"), marked("other/a"))
    assert of_verb(made, "snapshot") == ["snapshot alpha tank/a @~23:15"]


def test_selecting_nothing_is_an_error_that_says_by_what() -> None:
    assert notes(planned(fs("tank/a"))) == [
        "error: web selects no filesystem on alpha: tank/** where com.example:backup=true"
    ]


OLD = "@~22:00,1 @~22:15,2 @~22:30,3"
REPLICA = replica("backup/alpha/tank/b", OLD)


def test_of_what_has_lost_the_property_nothing_goes_on_either_end_and_that_is_said() -> None:
    lost = fs("tank/b", OLD)
    made = planned(marked("tank/a"), lost, there=REPLICA)
    assert not [step for step in steps(made) if "tank/b" in step]
    assert (
        "warning: alpha tank/b has not com.example:backup=true;"
        " vault backup/alpha/tank/b is kept as it is"
    ) in notes(made)


def test_what_was_never_received_is_not_worth_a_word() -> None:
    parent = fs("backup/alpha/tank/b")
    assert notes(planned(marked("tank/a"), fs("tank/b"), there=parent)) == []


def of(plan_: Plan, host: str, observed: Observed, specs: Desired) -> list[str]:
    """Return what the guard says to destroying the oldest version of tank/b on a host."""
    name = "tank/b" if host == "alpha" else "backup/alpha/tank/b"
    doomed = fs("tank/b", OLD, spec="web" if host == "alpha" else None).versions[0]
    destroy = Destroy(host, name, (doomed,))
    draft = replace(plan_, actions=(PlannedAction(destroy, plan_.actions[0].reason, "web"),))
    return blocked(guard(draft, specs, observed))


def test_the_guard_lets_nothing_go_of_what_is_not_selected() -> None:
    specs = wanted()
    deselected = world(seen("alpha", marked("tank/a"), fs("tank/b", OLD)), seen("vault", REPLICA))
    some = plan(specs, deselected, NOW)
    assert of(some, "alpha", deselected, specs) == ["alpha tank/b@~22:00: foreign"]
    assert of(some, "vault", deselected, specs) == ["vault backup/alpha/tank/b@~22:00: foreign"]

    chosen = world(seen("alpha", marked("tank/b", OLD)), seen("vault", REPLICA))
    assert of(some, "alpha", chosen, specs) == []
    assert of(some, "vault", chosen, specs) == []


def test_another_replication_of_the_same_filesystem_is_not_kept_from_its_own() -> None:
    specs = wanted(line=f"{LINE}; db: alpha tank/b every 15m prefix db- keep last 1")
    old = "@db-20261122T220000Z,11 @db-20261122T230000Z,12"
    alpha = seen("alpha", marked("tank/a"), fs("tank/b", old, spec="db"))
    made = plan(specs, world(alpha, seen("vault", fs("backup"))), NOW)
    destroyed = [p.action for p in made.actions if isinstance(p.action, Destroy)]
    assert [(d.filesystem, [v.guid for v in d.versions]) for d in destroyed] == [
        ("tank/b", [11, 12])
    ]


def test_only_senders_are_asked_for_what_is_decided_by() -> None:
    assert properties_of(wanted(BACKUP, Condition("atime", "off"))) == {
        "alpha": ("atime", "com.example:backup"),
        "vault": (),
    }
