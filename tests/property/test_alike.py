"""Filesystems that are alike have one plan: whatever has happened to all of them, and then to one.

The plan in which everything is looked at is that in which everything is explained.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.model import Desired, Encryption
from reconciler.observed.change import with_filesystem
from reconciler.observed.model import Filesystem, Observed
from reconciler.planner.planning import plan
from reconciler.zfs.handover import Properties
from tests.support.converge import converge
from tests.support.touches import TOUCHES, Touch, places, with_twins
from tests.support.worlds import NOW, desired, encrypted, fs, pool, seen, world

SPECS = (
    "keep last 2 -> vault keep last 3",
    "keep last 1 bookmarks 2 -> vault keep hourly 2",
    "every 1h keep hourly 2 -> vault keep matching mine",
    "every 3h keep hourly 2 -> vault keep within 90m",
    "every 1h if-changed keep within 90m -> vault keep grid 1x1h|2x2h",
    "keep hourly 2 -> vault keep last 1 -> north keep last 2",
)
HISTORIES = (
    "#old,11 @~21:00,12 @mine,13 @~22:00,14 @~23:00,15",
    "@~19:00,11,held=keep @~20:00,12,refs=1 @~21:00,13 @~22:00,14 @~23:00,15",
    "@~20:00,11 @~21:00,12 @~22:00,13",
    "@~21:00,12,held=keep @~22:00,13,written=5 @mine,14,written=0",
)
IN_CLEAR = 1
TARGETS: tuple[Mapping[str, Any], ...] = (
    {},
    {"encryption": Encryption.DECRYPT},
    {"properties": Properties(override=(("atime", "off"),))},
)


def clone(observed: Observed, host: str, filesystem: Filesystem, number: int) -> Observed:
    """Make a clone of a snapshot."""
    snapshots = filesystem.snapshots
    if not snapshots:
        return observed
    origin = snapshots[number % len(snapshots)].of(filesystem.name)
    name = f"{filesystem.pool}/clones/{number}"
    made = replace(fs(name), encryption=filesystem.encryption, origin=origin)
    return with_filesystem(observed, host, made)


Happening = tuple[Touch | None, str, int]
"""What happens, None for that it is cloned; on which end; and a number to choose by."""

HAPPENINGS = st.tuples(
    st.sampled_from((*TOUCHES, None)),
    st.sampled_from(("alpha", "vault", "north")),
    st.integers(0, 6),
)


@lru_cache(maxsize=1000)
def settled(
    text: str, history: str, target: int, *, is_encrypted: bool, is_settled: bool
) -> tuple[Desired, Observed]:
    """A filesystem, in order or not, and two that are like it."""
    specs = desired(f"web: alpha tank/** !tank !tank/clones/** {text}")
    web = specs.replications["web"]
    targets = tuple(replace(one, **TARGETS[target]) for one in web.targets)
    specs = replace(specs, replications={"web": replace(web, targets=targets)})
    filesystem = fs("tank/a", history)
    hosts = [seen(host, fs("backup"), pools=[pool("backup")]) for host in ("vault", "north")]
    observed = world(seen("alpha", filesystem), *hosts)
    for _ in range(2 * is_settled):
        observed = converge(specs, observed, NOW)
    for host, one in places(observed) if is_encrypted else ():
        if one.name.endswith("/a") and (host == "alpha" or target != IN_CLEAR):
            secret = replace(one, **{**encrypted(), "encryptionroot": one.name})
            observed = with_filesystem(observed, host, secret)
    return specs, with_twins(observed, 2)


def happens(observed: Observed, happening: Happening, names: tuple[str, ...]) -> Observed:
    """Let something happen to filesystems of these last names on one end."""
    touch, end, number = happening
    for host, filesystem in places(observed):
        if host == end and filesystem.name.rpartition("/")[2] in names:
            observed = (
                clone(observed, host, filesystem, number)
                if touch is None
                else with_filesystem(observed, host, touch(filesystem, number))
            )
    return observed


@given(
    st.builds(
        settled,
        st.sampled_from(SPECS),
        st.sampled_from(HISTORIES),
        st.integers(0, 2),
        is_encrypted=st.booleans(),
        is_settled=st.sampled_from((True, True, True, False)),
    ),
    st.lists(HAPPENINGS, max_size=2),
    st.sampled_from(("a", "a1", "a2")),
    st.lists(HAPPENINGS, min_size=1, max_size=2),
)
def test_what_happens_to_one_of_those_that_are_alike_is_seen(
    began: tuple[Desired, Observed], to_all: list[Happening], name: str, to_one: list[Happening]
) -> None:
    specs, observed = began
    for happening in to_all:
        observed = happens(observed, happening, ("a", "a1", "a2"))
    for happening in to_one:
        observed = happens(observed, happening, (name,))
    assert plan(specs, observed, NOW) == replace(plan(specs, observed, NOW, explain=True), kept=())
