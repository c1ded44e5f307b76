"""Schedules and windows: once in each slot, whatever the clock does, and known beforehand."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import assume, example, given
from hypothesis import strategies as st

from reconciler.desired.model import (
    Cron,
    Desired,
    Every,
    Schedule,
    Snapshots,
    Window,
    Windows,
)
from reconciler.desired.schedule import opens_at, slot_of
from reconciler.observed.change import with_versions
from reconciler.observed.model import Filesystem, Observed
from reconciler.planner.marks import snapshot_time
from reconciler.planner.planning import plan
from reconciler.planner.snapshotting import plan_snapshots
from tests.support.converge import converge
from tests.support.worlds import PREFIX, desired, fs, instant, seen, world

ZONES = (
    *("UTC", "Europe/Vienna", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"),
    *("Asia/Beirut", "America/St_Johns", "Pacific/Apia"),
)
CHANGES = tuple(
    instant(text)
    for text in (
        *("2026-03-08T07:00", "2026-03-29T01:00", "2026-04-04T15:00", "2026-10-03T15:30"),
        *("2026-10-25T01:00", "2026-11-01T06:00", "2028-02-29T00:00"),
    )
)
"""Clocks are changed somewhere, and a leap day."""

HOUR = 3600


def instants() -> st.SearchStrategy[int]:
    """Any instant, preferably around one at which clocks are changed."""
    around = st.builds(
        lambda at, off: at + off, st.sampled_from(CHANGES), st.integers(-30 * HOUR, 30 * HOUR)
    )
    return around | st.integers(instant("2020-01-01T00:00"), instant("2040-01-01T00:00"))


@st.composite
def fields(draw: st.DrawFn, low: int, high: int) -> str:
    one = st.integers(low, high)
    kind = draw(st.sampled_from(["one", "several", "any", "step", "range"]))
    match kind:
        case "one":
            return str(draw(one))
        case "several":
            return ",".join(map(str, sorted(draw(st.sets(one, min_size=1, max_size=3)))))
        case "step":
            return f"*/{draw(st.integers(1, high))}"
        case "range":
            return "-".join(map(str, sorted((draw(one), draw(one)))))
    return "*"


@st.composite
def crons(draw: st.DrawFn) -> Cron:
    """A cron expression; the day is any, some of the month or some of the week."""
    days = draw(st.sampled_from(["* * *", "*/2 * *", "1,15 * *", "* 3,10 *", "* * SUN", "L * 1-5"]))
    expression = f"{draw(fields(0, 59))} {draw(fields(0, 23))} {days}"
    return Cron(expression, draw(st.sampled_from(ZONES)))


def schedules() -> st.SearchStrategy[Schedule]:
    intervals = st.sampled_from([60, 900, HOUR, 7 * HOUR, 86400, 604800])
    return crons() | st.builds(Every, intervals)


@given(crons(), instants())
@example(Cron("*/15 1,2 * * *", "Australia/Lord_Howe"), instant("2026-04-04T15:10"))
@example(Cron("30 2 * * *", "Europe/Vienna"), instant("2026-03-29T01:00"))
def test_slots_fill_all_time_and_each_instant_is_in_one(schedule: Cron, at: int) -> None:
    slot = slot_of(schedule, at)

    assert slot.start <= at < slot.end
    assert slot_of(schedule, slot.start) == slot_of(schedule, slot.end - 1) == slot
    assert slot_of(schedule, slot.end).start == slot.end
    assert slot_of(schedule, slot.start - 1).end == slot.start


@given(crons(), instants())
def test_a_slot_begins_when_clocks_show_what_matches_or_are_put_forward(
    schedule: Cron, at: int
) -> None:
    start = slot_of(schedule, at).start
    clock = datetime.fromtimestamp(start, ZoneInfo(schedule.timezone))
    before = datetime.fromtimestamp(start - 1, ZoneInfo(schedule.timezone))
    assume(clock.utcoffset() == before.utcoffset())

    utc = Cron(schedule.expression)
    shown = int(clock.replace(tzinfo=UTC, fold=0).timestamp())
    assert slot_of(utc, shown).start == shown


@given(schedules(), st.lists(instants(), min_size=1, max_size=12))
def test_a_snapshot_is_due_once_in_each_slot_wherever_the_clock_jumps(
    schedule: Schedule, clock: list[int]
) -> None:
    filesystem = fs("tank/a")
    for at in clock:
        again, made = visited(schedule, filesystem, at)
        filesystem = again
        assert visited(schedule, filesystem, at) == (filesystem, 0), "due twice in one slot"
        slot = slot_of(schedule, at)
        inside = [t for t in times(filesystem) if slot.start <= t < slot.end]
        assert len(inside) == 1, "each slot that was visited has one"
        assert made in {0, 1}

    slots = {slot_of(schedule, at) for at in clock}
    assert len(filesystem.snapshots) == len(slots)


def visited(schedule: Schedule, filesystem: Filesystem, at: int) -> tuple[Filesystem, int]:
    """What a filesystem is like after the snapshots of an instant, and how many there were."""
    web = desired("web: alpha tank/a every 1h").replications["web"]
    assert isinstance(web.snapshots, Snapshots)
    web = replace(web, snapshots=replace(web.snapshots, schedule=schedule))
    actions = plan_snapshots(web, "alpha", [filesystem], at)
    for action in actions:
        filesystem = with_versions(filesystem, action.promised(filesystem))
    return filesystem, len(actions)


def times(filesystem: Filesystem) -> Iterator[int]:
    found = (snapshot_time(PREFIX, version.name) for version in filesystem.snapshots)
    return (at for at in found if at is not None)


# -- when something is due next --------------------------------------------------------------------


@given(
    schedules(),
    st.none() | st.builds(Window, crons(), st.sampled_from([900, 8 * HOUR])),
    st.sampled_from(CHANGES),
)
def test_next_due_is_the_first_instant_at_which_a_plan_has_something_to_do(
    schedule: Schedule, window: Window | None, at: int
) -> None:
    specs, observed = a_world(schedule, window, at)
    before = plan(specs, observed, at)
    assert before.actions == ()
    due = before.next_due
    assert due is not None
    assert due > at
    for earlier in {at + 1, (at + due) // 2, due - 1} - {due}:
        assert plan(specs, observed, earlier).actions == ()
    assert plan(specs, observed, due).actions != ()


def a_world(schedule: Schedule, window: Window | None, at: int) -> tuple[Desired, Observed]:
    """Specs and hosts that match them at an instant, but for what waits for a window."""
    specs = desired("web: alpha tank/a every 1h -> vault")
    web = specs.replications["web"]
    assert isinstance(web.snapshots, Snapshots)
    windows = Windows((window,) if window is not None else ())
    web = replace(web, snapshots=replace(web.snapshots, schedule=schedule), windows=windows)
    specs = replace(specs, replications={"web": web})
    observed = world(seen("alpha", fs("tank/a"), at=at), seen("vault", fs("backup"), at=at))
    return specs, converge(specs, observed, at)


@given(
    st.lists(st.builds(Window, crons(), st.integers(60, 12 * HOUR)), max_size=2),
    st.lists(st.builds(Window, crons(), st.integers(60, 12 * HOUR)), max_size=2),
    instants(),
)
def test_windows_open_when_it_is_said_and_not_before(
    allow: list[Window], deny: list[Window], at: int
) -> None:
    windows = Windows(tuple(allow), tuple(deny))
    opens = opens_at(windows, at)
    assume(opens is not None and opens < at + 3 * 86400)
    assert opens is not None

    assert is_open(windows, opens)
    assert not any(is_open(windows, earlier) for earlier in range(at, opens, 900))
    assert opens == at or not is_open(windows, opens - 1)


def is_open(windows: Windows, at: int) -> bool:
    """Say the same in other words: slot by slot back to where a window could have begun."""
    allowed = not windows.allow or any(is_inside(window, at) for window in windows.allow)
    return allowed and not any(is_inside(window, at) for window in windows.deny)


def is_inside(window: Window, at: int) -> bool:
    return at - slot_of(window.begins, at).start < window.seconds
