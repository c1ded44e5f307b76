"""A plan that is made with a memory of those before is the plan that is made without.

Worlds and specs change from one plan to the next as people, hosts and clocks change them.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given, note
from hypothesis import strategies as st

from reconciler.desired.model import Keep, Last, Replication
from reconciler.hosts.addresses import Limits
from reconciler.observed.change import with_filesystem, without_filesystem
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.memory import Memory
from reconciler.planner.planning import plan
from reconciler.report import plan_json
from reconciler.zfs.handover import Properties
from reconciler.zfs.piping import Wanted
from tests.property.strategies import Scenario, chained, scenarios
from tests.support.converge import converge
from tests.support.touches import TOUCHES, places, with_twins
from tests.support.worlds import desired, fs, unseen

STEPS = (0, 1, 100, 900, -900, 3600, -3600, 3 * 86400, -3 * 86400, 10**8, -(10**8))

Change = Callable[[Scenario, Scenario, int, int], Scenario]
"""What becomes of a world, given that from which all began, and two numbers to choose by."""


def done(world: Scenario, *_: object) -> Scenario:
    """Everything that was to be done has been done."""
    return world._replace(observed=converge(*world))


def later(world: Scenario, _: Scenario, one: int, __: int) -> Scenario:
    return world._replace(now=max(10**9, world.now + STEPS[one % len(STEPS)]))


def undone(world: Scenario, first: Scenario, *_: int) -> Scenario:
    """All hosts are as they were at the beginning, all specs too."""
    return first._replace(now=world.now)


def touched(world: Scenario, _: Scenario, one: int, other: int) -> Scenario:
    """Something has happened to one filesystem."""
    found = places(world.observed)
    if not found:
        return world
    host, filesystem = found[one % len(found)]
    changed = TOUCHES[other % len(TOUCHES)](filesystem, one)
    return world._replace(observed=with_filesystem(world.observed, host, changed))


def multiplied(world: Scenario, *_: object) -> Scenario:
    """Each filesystem is there three times, on both ends."""
    return world._replace(observed=with_twins(world.observed, 2))


def removed(world: Scenario, _: Scenario, one: int, __: int) -> Scenario:
    found = [place for place in places(world.observed) if "/" in place[1].name]
    if not found:
        return world
    host, filesystem = found[one % len(found)]
    observed = world.observed
    for at, other in found:
        if at == host and f"{other.name}/".startswith(f"{filesystem.name}/"):
            observed = without_filesystem(observed, host, other.name)
    return world._replace(observed=observed)


def cloned(world: Scenario, _: Scenario, one: int, other: int) -> Scenario:
    """Something has a clone now: it can't be destroyed."""
    found = [place for place in places(world.observed) if place[1].snapshots]
    if not found:
        return world
    host, source = found[one % len(found)]
    origin = source.snapshots[other % len(source.snapshots)].of(source.name)
    name = ("clones/c", "k", "a/k")[one % 3]
    clone = replace(fs(f"{source.pool}/{name}", origin=origin), encryption=source.encryption)
    if clone.name in dict(_names(world.observed, host)):
        return world
    return world._replace(observed=with_filesystem(world.observed, host, clone))


def pooled(world: Scenario, _: Scenario, one: int, other: int) -> Scenario:
    """Something is else about a host's pools."""

    def change(seen: Seen) -> Seen:
        facts: Mapping[str, Any] = POOLS[other % len(POOLS)]
        return replace(
            seen, pools={name: replace(found, **facts) for name, found in seen.pools.items()}
        )

    return _host(world, one, change)


def equipped(world: Scenario, _: Scenario, one: int, other: int) -> Scenario:
    return _host(world, one, lambda seen: replace(seen, programs=PROGRAMS[other % len(PROGRAMS)]))


def skewed(world: Scenario, _: Scenario, one: int, other: int) -> Scenario:
    """A host's clock is wrong, or right again."""
    skew = STEPS[other % len(STEPS)]
    return _host(world, one, lambda seen: replace(seen, at=world.now, clock=world.now + skew))


def lost(world: Scenario, _: Scenario, one: int, __: int) -> Scenario:
    host = sorted(world.observed)[one % len(world.observed)]
    return world._replace(observed={**world.observed, host: unseen(host)})


def copied(world: Scenario, *_: object) -> Scenario:
    """All is as it was, and nothing is the same object."""
    observed = {
        host: replace(
            seen, filesystems={name: replace(one) for name, one in seen.filesystems.items()}
        )
        if isinstance(seen, Seen)
        else replace(seen)
        for host, seen in world.observed.items()
    }
    return world._replace(observed=observed)


def asked(world: Scenario, _: Scenario, one: int, other: int) -> Scenario:
    """The specs say something else."""
    names = sorted(world.desired.replications)
    name = names[one % len(names)]
    changed = SPECS[other % len(SPECS)](world.desired.replications[name])
    replications = {**world.desired.replications, name: changed}
    return world._replace(desired=replace(world.desired, replications=replications))


def limited(world: Scenario, _: Scenario, one: int, other: int) -> Scenario:
    """A host may do more or less at once."""
    name = sorted(world.desired.hosts)[one % len(world.desired.hosts)]
    limits = Limits(bandwidth=(None, 1000, 2000)[other % 3])
    hosts = {**world.desired.hosts, name: replace(world.desired.hosts[name], limits=limits)}
    return world._replace(desired=replace(world.desired, hosts=hosts))


CHANGES: tuple[Change, ...] = (
    *(done, done, done, later, undone, touched, touched, touched, removed, cloned, multiplied),
    *(pooled, equipped, skewed, lost, copied, asked, limited),
)


def _host(world: Scenario, one: int, change: Callable[[Seen], Seen]) -> Scenario:
    host = sorted(world.observed)[one % len(world.observed)]
    seen = world.observed[host]
    if not isinstance(seen, Seen):
        return world
    return world._replace(observed={**world.observed, host: change(seen)})


def _names(observed: Observed, host: str) -> list[tuple[str, Filesystem]]:
    return [(found.name, found) for at, found in places(observed) if at == host]


POOLS: tuple[Mapping[str, Any], ...] = (
    {"free": 1},
    {"readonly": True},
    {"readonly": False},
    {"health": "SUSPENDED"},
    {"health": "ONLINE"},
    {"features": {}},
    {"features": {"lz4_compress": "active", "encryption": "enabled"}},
)
PROGRAMS = (frozenset[str](), frozenset({"mbuffer"}), frozenset({"mbuffer", "zstd", "pv"}))


def _targets(**facts: Any) -> Callable[[Replication], Replication]:
    return lambda replication: replace(
        replication, targets=tuple(replace(target, **facts) for target in replication.targets)
    )


SPECS: tuple[Callable[[Replication], Replication], ...] = (
    lambda replication: replace(replication, suspend=not replication.suspend),
    lambda replication: replace(replication, keep=Keep((Last(1),))),
    lambda replication: replace(replication, keep=Keep(())),
    lambda replication: replace(replication, bookmarks=None),
    lambda replication: replace(replication, targets=replication.targets[:1]),
    lambda replication: replace(
        replication,
        windows=desired("web: a tank allow 0 2 * * * 4h -> b").replications["web"].windows,
    ),
    _targets(keep=Keep((Last(1),))),
    _targets(keep=Keep(())),
    _targets(piping=Wanted(bandwidth=1 << 20)),
    _targets(piping=Wanted()),
    _targets(properties=Properties(override=(("atime", "off"),))),
)

STORIES = st.lists(
    st.tuples(st.sampled_from(CHANGES), st.integers(0, 50), st.integers(0, 50)), max_size=6
)


@given(scenarios(mends=True) | scenarios() | chained(), STORIES)
def test_a_plan_is_the_same_whatever_is_alike(
    world: Scenario, story: list[tuple[Change, int, int]]
) -> None:
    first = world
    for change, one, other in [(done, 0, 0), (multiplied, 0, 0), *story]:
        try:
            world = change(world, first, one, other)
        except AssertionError:
            continue  # what was changed by hand is nothing that hosts could do
    assert_same(world, Memory())


@given(scenarios(mends=True) | scenarios() | chained(), STORIES)
def test_a_plan_is_the_same_whatever_is_remembered(
    first: Scenario, story: list[tuple[Change, int, int]]
) -> None:
    memory, world = Memory(), first
    assert_same(world, memory)
    for change, one, other in [(done, 0, 0), (copied, 0, 0), *story]:
        note(f"{change.__name__} {one} {other}")
        try:
            world = change(world, first, one, other)
        except AssertionError:
            continue  # what was changed by hand is nothing that hosts could do
        assert_same(world, memory)


def assert_same(world: Scenario, memory: Memory) -> None:
    """Plan twice, the second time when nothing has changed, and compare to what it should be.

    What is explained leaves nothing out.
    """
    explained = plan(*world, explain=True)
    expected = replace(explained, kept=())
    for found in (plan(*world), *(plan(*world, memory=memory) for _ in range(2))):
        assert found == expected
        assert plan_json.dumps(found) == plan_json.dumps(expected)
    assert plan(*world, explain=True, memory=memory) == explained
