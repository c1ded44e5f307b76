"""Of filesystems that are alike one is planned, and still what happens to any of them is seen."""

from dataclasses import replace

import pytest

from reconciler.actions import Snapshot
from reconciler.desired.model import Desired
from reconciler.observed.change import with_filesystem, without_filesystem
from reconciler.observed.model import Filesystem, Observed
from reconciler.planner.context import Context
from reconciler.planner.pairs import Pair
from reconciler.planner.pairwise import plan_pair
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from tests.support.converge import converge
from tests.support.touches import TOUCHES, Touch, places, twin, with_twins
from tests.support.worlds import NOW, desired, encrypted, fs, ours, pool, seen, world

HISTORY = "#old,11 @~21:00,12 @mine,13 @~22:00,14 @~23:00,15"
SPECS = desired("web: alpha tank/** !tank keep last 2 bookmarks 2 -> vault keep last 3")
SCHEDULED = desired("web: alpha tank/** !tank every 1h keep last 2 -> vault keep last 3")
IF_CHANGED = desired(
    "web: alpha tank/** !tank every 1h if-changed keep last 2 -> vault keep last 3"
)
BY_THE_HOUR = desired("web: alpha tank/** !tank keep hourly 2 -> vault keep hourly 2")


def settled(specs: Desired, filesystem: Filesystem, twins: int, *others: Filesystem) -> Observed:
    """A filesystem that is in order on both ends, and others that are alike."""
    vault = replace(seen("vault", pools=[pool("backup")]), filesystems={"backup": fs("backup")})
    observed = world(seen("alpha", filesystem, *others), vault)
    for _ in range(2):
        observed = converge(specs, observed, NOW)
    return with_twins(observed, twins)


def in_full(specs: Desired, observed: Observed) -> Plan:
    """The plan for which everything is looked at."""
    return replace(plan(specs, observed, NOW, explain=True), kept=())


WORLDS = {
    "plain": (SPECS, fs("tank/a", HISTORY)),
    "scheduled": (SCHEDULED, fs("tank/a", HISTORY)),
    "if changed": (IF_CHANGED, fs("tank/a", HISTORY)),
    "held": (SPECS, fs("tank/a", "@~19:00,11,held=keep @~20:00,12,refs=1 @~22:00,14 @~23:00,15")),
    "another's": (SPECS, fs("tank/a", "@~20:00,12,spec=other @~22:00,14 @~23:00,15")),
    "written": (IF_CHANGED, fs("tank/a", "@~20:00,12 @~21:00,14 @mine,15,written=0")),
    "by the hour": (BY_THE_HOUR, fs("tank/a", HISTORY)),
    "encrypted": (SPECS, replace(fs("tank/a", HISTORY), **encrypted())),
}


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The filesystems that are looked at."""
    names: list[str] = []

    def noted(pair: Pair, context: Context) -> object:
        names.append(pair.source.filesystem.name)
        return plan_pair(pair, context)

    monkeypatch.setattr("reconciler.planner.middle.plan_pair", noted)
    return names


@pytest.mark.parametrize("name", ["plain", "scheduled", "encrypted"])
def test_one_of_those_that_are_alike_is_planned(name: str, planned: list[str]) -> None:
    specs, filesystem = WORLDS[name]
    observed = settled(specs, filesystem, 20)
    planned.clear()
    assert plan(specs, observed, NOW).actions == ()
    assert planned == ["tank/a"]


def test_where_the_first_ones_are_all_different_no_more_are_compared(planned: list[str]) -> None:
    observed = settled(SPECS, WORLDS["plain"][1], 60)
    names = sorted(f"tank/a{number}" for number in ("", *range(1, 61)))
    for number, (_, one) in enumerate(p for p in places(observed) if p[1].name in names[:16]):
        first = one.versions[0]._replace(creation=number)
        changed = replace(one, versions=(first, *one.versions[1:]))
        observed = with_filesystem(observed, "alpha", changed)
    planned.clear()
    assert plan(SPECS, observed, NOW).actions == ()
    assert planned == names


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("touch", TOUCHES)
def test_what_happens_to_one_of_those_that_are_alike_is_seen(name: str, touch: Touch) -> None:
    specs, filesystem = WORLDS[name]
    observed = settled(specs, filesystem, 2)
    for host, one in places(observed):
        for number in range(max(1, len(one.versions))) if one.name.endswith(("/a", "/a1")) else ():
            changed = with_filesystem(observed, host, touch(one, number))
            assert plan(specs, changed, NOW) == in_full(specs, changed)


@pytest.mark.parametrize("end", ["alpha", "vault"])
@pytest.mark.parametrize("touch", TOUCHES)
def test_what_happens_to_all_of_those_that_are_alike_is_seen(end: str, touch: Touch) -> None:
    specs, filesystem = WORLDS["plain"]
    observed = settled(specs, filesystem, 2)
    for host, one in places(observed):
        if host == end and "tank/a" in one.name:
            observed = with_filesystem(observed, host, touch(one, 0))
    assert plan(specs, observed, NOW) == in_full(specs, observed)


def test_what_is_due_for_all_of_those_that_are_alike_is_planned_for_all() -> None:
    observed = settled(SCHEDULED, WORLDS["scheduled"][1], 2)
    snapshot, *_ = (p.action for p in plan(SCHEDULED, observed, NOW + 3600).actions)
    assert isinstance(snapshot, Snapshot)
    assert snapshot.filesystems == ("tank/a", "tank/a1", "tank/a2")


def test_what_has_a_clone_no_more_is_not_like_others() -> None:
    specs = desired("web: alpha tank/** !tank !tank/clones/** keep last 2 -> vault keep last 3")
    origin = ours("21:00")
    clone = fs("tank/clones/a", origin=f"tank/a@{origin}")
    observed = settled(specs, fs("tank/a", "@~21:00,13 @~22:00,14 @~23:00,15"), 0, clone)
    for host, found in places(observed):
        if found.name.endswith("tank/a"):
            observed = with_filesystem(observed, host, twin(found, 1))
    other = replace(clone, name="tank/clones/a1", origin=f"tank/a1@{origin}")
    both = with_filesystem(observed, "alpha", other)
    assert plan(specs, both, NOW) == in_full(specs, both)
    assert plan(specs, both, NOW).actions == ()

    one = without_filesystem(both, "alpha", other.name)

    assert [p.action.id for p in plan(specs, one, NOW).actions] == [
        f"destroy:alpha:tank/a1@{origin}"
    ]
    assert plan(specs, one, NOW) == in_full(specs, one)
