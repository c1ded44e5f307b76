"""What is done in a quick way comes to what the plain way does."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.desired.model import Keep, Period
from reconciler.observed.model import Filesystem
from reconciler.planner.history import Common, Diverged, NoCommonVersion, Nothing, compare
from reconciler.planner.marks import Ownership
from reconciler.planner.periods import period_key
from reconciler.planner.retention import evaluate
from reconciler.planner.verdict import Verdict
from reconciler.zfs import names
from reconciler.zfs.names import InvalidName
from reconciler.zfs.types import Version, VersionKind, version_order
from reconciler.zfs.versions import Versions
from tests.property.strategies import ZONES, Scenario, scenarios
from tests.property.test_retention import keeps, versions

CORNERS = ("Africa/Monrovia", "Europe/Amsterdam", "Pacific/Apia", "Australia/Lord_Howe")
"""Zones whose clocks were odd seconds from UTC, left out a day, or are set by half an hour."""


@given(keeps(), versions())
def test_what_is_kept_is_what_the_reasons_say(keep: Keep, every: list[Version]) -> None:
    verdict = Verdict.of(keep, every)

    assert verdict.decisions == evaluate(keep, every)
    assert verdict.kept == {d.version.guid for d in verdict.decisions if d.kept}
    assert verdict.keeps_all == all(d.kept for d in verdict.decisions)


def by_the_calendar(period: Period, instant: int, zone: str) -> tuple[int, ...]:
    """Return the name of a period, read from a calendar."""
    at = datetime.fromtimestamp(instant, ZoneInfo(zone))
    offset = at.utcoffset()
    assert offset is not None
    match period:
        case Period.YEARLY:
            return (at.year,)
        case Period.MONTHLY:
            return at.year, at.month
        case Period.WEEKLY:
            return at.isocalendar()[:2]
        case Period.DAILY:
            return at.year, at.month, at.day
        case Period.HOURLY:
            return at.year, at.month, at.day, at.hour, -int(offset.total_seconds())


INSTANTS = st.integers(0, int(datetime(9998, 1, 1, tzinfo=UTC).timestamp()))


@given(
    st.sampled_from(Period),
    st.sampled_from([*ZONES, *CORNERS]),
    st.one_of(INSTANTS, st.integers(0, 2**31)),
    st.one_of(st.integers(0, 7200), st.integers(0, 400 * 86_400)),
)
@example(Period.HOURLY, "Europe/Vienna", 1_792_888_200, 3600)
@example(Period.DAILY, "Pacific/Apia", 1_325_235_600, 10_000)
@example(Period.DAILY, "Africa/Monrovia", 63_593_069, 1)
def test_periods_are_those_of_the_calendar(
    period: Period, zone: str, one: int, distance: int
) -> None:
    other = one + distance
    quick = period_key(period, one, zone), period_key(period, other, zone)
    plain = by_the_calendar(period, one, zone), by_the_calendar(period, other, zone)

    assert (quick[0] < quick[1], quick[0] == quick[1]) == (
        plain[0] < plain[1],
        plain[0] == plain[1],
    )


@given(scenarios(), st.sampled_from([None, "rec-", "other-", ""]), st.sampled_from([None, "a", ""]))
def test_what_is_managed_of_many_is_what_is_managed_one_by_one(
    scenario: Scenario, prefix: str | None, matching: str | None
) -> None:
    for name in scenario.desired.replications:
        ours = Ownership(name, prefix, matching)
        for found in every_filesystem(scenario):
            assert ours.sent(found.versions) == tuple(filter(ours.sends, found.versions))
            assert ours.received(found.versions) == tuple(filter(ours.on_receiver, found.versions))


@given(scenarios())
def test_snapshots_and_bookmarks_are_told_apart_by_kind(scenario: Scenario) -> None:
    for found in every_filesystem(scenario):
        assert found.snapshots == tuple(v for v in found.versions if v.is_snapshot)
        assert found.bookmarks == tuple(v for v in found.versions if not v.is_snapshot)


def every_filesystem(scenario: Scenario) -> list[Filesystem]:
    """Return the filesystems that are seen."""
    observed = scenario.observed.values()
    return [fs for seen in observed for fs in getattr(seen, "filesystems", {}).values()]


SOME = st.lists(
    st.builds(
        Version,
        st.sampled_from(VersionKind),
        st.sampled_from("abc"),
        st.integers(1, 4),
        st.integers(1, 3),
        st.just(0),
    ),
    max_size=5,
)


@given(SOME)
def test_the_order_is_version_order(some: list[Version]) -> None:
    assert Versions.of(some).in_order() == tuple(sorted(some, key=version_order))


@given(SOME, SOME)
def test_the_common_version_is_the_newest_of_the_receivers_that_the_sender_has(
    sender: list[Version], receiver: list[Version]
) -> None:
    sender, receiver = (sorted(some, key=version_order) for some in (sender, receiver))
    there = [version for version in receiver if version.is_snapshot]
    shared = [v for v in there if v.guid in {version.guid for version in sender}]
    found = compare(sender, receiver)
    match found:
        case Nothing():
            assert not there
        case NoCommonVersion():
            assert there
            assert not shared
        case Common() | Diverged():
            common = found if isinstance(found, Common) else found.common
            assert common.receiver.guid == shared[-1].guid
            same = [version for version in sender if version.guid == common.sender.guid]
            assert common.sender.is_snapshot == any(version.is_snapshot for version in same)
            assert isinstance(found, Common) == (there[-1].guid == shared[-1].guid)


PARTS = st.sampled_from(
    ["a", ".", "..", ".x", "", "%", " ", "-", "é", "\n", "mirror", "log", "x" * 90]
)
WHOLE = st.builds(
    lambda parts, end: "/".join(parts) + end,
    st.lists(PARTS, min_size=1, max_size=4),
    st.sampled_from(["", "@s", "#b", "@.", "@s@t", "#b@s", "@", "@" + "s" * 200, "/d" * 49]),
)


@pytest.mark.parametrize("check", [names.check_listed_filesystem, names.check_snapshot])
@pytest.mark.parametrize("pattern", ["_PLAIN", "_PLAIN_VERSION"])
@given(name=WHOLE)
def test_a_name_that_looks_plain_is_one(
    check: Callable[[str], None], pattern: str, name: str
) -> None:
    quick = refused(check, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(names, pattern, re.compile(r"(?!)"))
        assert quick == refused(check, name)


def refused(check: Callable[[str], None], name: str) -> str:
    """Return why a name is refused."""
    try:
        check(name)
    except InvalidName as error:
        return error.reason
    return ""
