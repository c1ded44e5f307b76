"""Ledgers against the planner: what a forecast says is what plan after plan comes to."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.model import Desired, Grid, Keep, Replication
from reconciler.desired.schedule import opens_at
from reconciler.forecast.course import Course, Span, slots
from reconciler.forecast.groups import group
from reconciler.forecast.keeper import GridKeeper, Keeper
from reconciler.forecast.ledger import Names
from reconciler.forecast.whole import settle
from reconciler.forecast.writes import Writes
from reconciler.observed.change import filesystem_of
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.history import Common, compare
from reconciler.planner.marks import Ownership
from reconciler.planner.pairs import selected
from reconciler.planner.retention import evaluate
from reconciler.zfs.types import Version, VersionKind
from tests.property.strategies import Scenario, keeps, scenarios

HOUR, DAY = 3600, 86_400
START = 1_795_392_000
ENOUGH = 12
"""Slots."""
GAPS = (900, HOUR, 3 * HOUR, DAY, 8 * DAY, 32 * DAY)


def version(at: int) -> Version:
    return Version(VersionKind.SNAPSHOT, Names("rec-", {})(at), at, at, at)


def without_grid(keep: Keep) -> bool:
    """Tell whether rules are of the kinds that are told of one version after the other."""
    return not any(isinstance(rule, Grid) for rule in keep.rules)


@given(keeps(), st.lists(st.sampled_from(GAPS), max_size=40))
def test_what_grids_keep_is_what_the_rules_say(keep: Keep, gaps: list[int]) -> None:
    grids = GridKeeper(keep)
    there = list(accumulate(gaps, initial=START))
    only = replace(keep, rules=tuple(rule for rule in keep.rules if isinstance(rule, Grid)))
    decisions = evaluate(only, [version(created) for created in there]) if only.rules else ()

    assert grids.kept(there) == {d.version.creation for d in decisions if d.kept}


@given(keeps().filter(without_grid), st.lists(st.sampled_from(GAPS), max_size=40))
def test_a_keeper_says_of_each_new_version_what_the_rules_say_of_all(
    keep: Keep, gaps: list[int]
) -> None:
    keeper = Keeper(keep, Names("rec-", {}))
    there: list[int] = []
    for at in accumulate(gaps, initial=START):
        there.append(at)
        lost = set(keeper.add(at))
        decisions = evaluate(keep, [version(created) for created in there])
        assert lost == {d.version.creation for d in decisions if not d.kept}
        there = [created for created in there if created not in lost]


# -- whole worlds ----------------------------------------------------------------------------------


RATES = {"tank/a": 5.0, "tank/a/b": 0.0, "tank/a/b/c": 1.0, "tank/d": 0.0, "tank/e": 1.0}
"""Filesystem → bytes per second."""


def writes(_host: str, filesystem: Filesystem) -> Writes:
    return Writes(RATES.get(filesystem.name, 1.0), 1000)


def written(desired: Desired, observed: Observed) -> Observed:
    """Let the filesystems that are written to be written to."""
    world = dict(observed)
    for replication in desired.replications.values():
        for host in replication.senders:
            seen = world[host]
            if isinstance(seen, Seen):
                busy = {
                    fs.name: replace(fs, written=100)
                    for fs in selected(replication, seen)
                    if writes(host, fs).rate
                }
                world[host] = replace(seen, filesystems={**seen.filesystems, **busy})
    return world


def openings(desired: Desired, instants: set[int], end: int) -> set[int]:
    """Return when windows open that were closed at one of these instants."""
    found = {
        opens_at(replication.windows, at)
        for replication in desired.replications.values()
        for at in instants
    }
    return {at for at in found if at is not None and at <= end} - instants


def lived_through(
    desired: Desired, observed: Observed, due: Mapping[str, list[int]], span: Span
) -> Observed:
    """Return the hosts after plan upon plan, carried out one after the other."""
    world, _ = settle(desired, observed, span.start)
    slots_begin = {at for instants in due.values() for at in instants}
    for at in sorted(slots_begin | openings(desired, slots_begin | {span.start}, span.end)):
        world, _ = settle(desired, written(desired, world) if at in slots_begin else world, at)
    return world


def state(
    replication: Replication, host: str, filesystem: str, observed: Observed
) -> tuple[object, ...]:
    """Return what is there of one filesystem, as a ledger has it."""
    ours = Ownership.of(replication)
    here = filesystem_of(observed, host, filesystem)
    assert here is not None
    copies: list[object] = []
    for target in replication.targets:
        name = target.receiver_of(host, filesystem)
        there = filesystem_of(observed, target.host, name)
        received = there.versions if there is not None else ()
        found = compare(here.versions, received)
        base = found.sender.creation if isinstance(found, Common) else None
        copies.append((tuple(v.creation for v in received if ours.on_receiver(v)), base))
    return (tuple(v.creation for v in here.snapshots if ours.on_sender(v)), *copies)


def short(desired: Desired, span: Span) -> Span:
    """Return the time until some replication has had enough slots."""
    each = [slots(replication, span) for replication in desired.replications.values()]
    end = min((instants[ENOUGH] for instants in each if len(instants) > ENOUGH), default=span.end)
    return Span(span.start, end, (span.start, end))


@given(scenarios(most=2), st.sampled_from((2 * HOUR, 3 * DAY, 30 * DAY)))
def test_a_forecast_comes_to_what_plan_upon_plan_comes_to(world: Scenario, length: int) -> None:
    desired, observed, now = world
    observed = written(desired, observed)
    span = short(desired, Span(now, now + length, (now, now + length)))
    due = {name: slots(replication, span) for name, replication in desired.replications.items()}
    groups, _ = group(desired, observed, now, writes)
    course = Course(groups, span, due, None)
    course.run()
    assert not course.disagreements
    after = lived_through(desired, observed, due, span)
    for found in groups:
        for member in found.members:
            there = state(found.replication, member.host, member.filesystem, after)
            assert there == found.ledger.state, member


@given(st.lists(st.sampled_from(GAPS), min_size=1, max_size=8), st.integers(0, 40))
def test_what_snapshots_hold_is_no_more_than_was_written_since_the_oldest(
    gaps: list[int], turnover: int
) -> None:
    moments = list(accumulate(gaps, initial=START))
    held = Writes(2.0, 2 * turnover * HOUR).held(moments, moments[-1] + HOUR)
    assert held <= 2.0 * (moments[-1] + HOUR - moments[0])
    assert held <= sum(
        min(2 * turnover * HOUR, 2 * (b - a)) for a, b in pairwise((*moments, moments[-1] + HOUR))
    )
