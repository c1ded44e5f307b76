"""What is made of events and polls, in simulated time."""

import random

import pytest

from reconciler.controller.listening import (
    Delays,
    Ear,
    Gathering,
    Polled,
    announces_nothing,
    difference,
    wait_before,
)
from reconciler.errors import CommandEnded, HostError, Unreachable
from reconciler.simulator.announcing import Announced, record
from reconciler.zfs.events import HISTORY

DELAYS = Delays()
NOTHING: frozenset[str] = frozenset()
A, B = frozenset({"tank/a"}), frozenset({"tank/b"})


class TestGathering:
    def test_a_burst_is_told_once_after_a_moment_of_quiet(self) -> None:
        gathering = Gathering(DELAYS)
        for tenth in range(10):
            gathering.add(A if tenth % 2 else B, tenth / 10)
            assert gathering.take(tenth / 10) == NOTHING
        assert gathering.take(1.8) == NOTHING
        assert gathering.take(1.91) == A | B
        assert gathering.take(60) == NOTHING

    def test_changes_without_end_are_told_all_the_same(self) -> None:
        gathering = Gathering(DELAYS)
        told = []
        for tenth in range(120):
            gathering.add(A, tenth / 10)
            if gathering.take(tenth / 10):
                told.append(tenth / 10)
        assert told == [5.0, 10.1]

    def test_the_whole_host_is_more_than_some_of_it(self) -> None:
        gathering = Gathering(DELAYS)
        for changes in (A, None, B):
            gathering.add(changes, 0.0)
        assert gathering.take(1.0) is None
        assert gathering.take(9.0) == NOTHING

    def test_nothing_is_no_change(self) -> None:
        gathering = Gathering(DELAYS)
        gathering.add(A, 0.0)
        gathering.add(NOTHING, 0.9)
        assert gathering.take(1.0) == A


def say(ear: Ear, dataset: str, now: float, operation: str = "snapshot") -> None:
    event = Announced(dataset.partition("/")[0], HISTORY, dataset, operation)
    for line in record(event, 1, now):
        ear.line(line, now)


def opened(pools: tuple[str, ...] = ()) -> Ear:
    """Return an ear to a stream that opened at 0."""
    ear = Ear(pools, DELAYS)
    say(ear, "tank/a@old", -2.0)
    assert not ear.opens(-1.0)
    assert ear.opens(0.0)
    return ear


class TestEar:
    def test_a_stream_is_open_when_what_was_before_has_been_told(self) -> None:
        ear = Ear((), DELAYS)
        assert not ear.opens(0.0)
        say(ear, "tank/a@old", 1.5)
        assert not ear.opens(2.5)
        assert ear.opens(3.5)
        assert ear.is_open
        assert not ear.opens(4.0), "it opens once"
        assert (ear.take_heard(), ear.changes(9.0)) == (0, NOTHING), "the old is skipped"

    def test_a_stream_without_a_line_may_not_have_begun_yet(self) -> None:
        ear = Ear((), DELAYS)
        assert not any(ear.opens(second) for second in range(15))
        assert ear.opens(15.0)

    def test_what_happens_while_it_opens_is_told_as_a_change_of_anything_at_the_latest(
        self,
    ) -> None:
        ear = Ear((), DELAYS)
        assert not ear.opens(0.0)
        assert ear.opens(15.0)
        for line in record(Announced("tank", "sysevent.fs.zfs.pool_import"), 1, 15.5):
            ear.line(line, 15.5)
        assert ear.changes(17.0) is None

    def test_a_stream_that_is_never_quiet_opens_all_the_same(self) -> None:
        ear = Ear((), DELAYS)
        opened_at = []
        for second in range(20):
            say(ear, "tank/a@x", second)
            if ear.opens(second):
                opened_at.append(second)
        assert opened_at == [5]

    def test_an_event_is_told_with_its_filesystem(self) -> None:
        ear = opened()
        say(ear, "tank/a@one", 7.0)
        assert ear.changes(7.5) == NOTHING
        assert ear.changes(8.0) == A
        assert ear.take_heard() == 1
        assert ear.take_heard() == 0

    def test_pools_that_no_spec_names_are_not_heard(self) -> None:
        ear = opened(("tank",))
        say(ear, "other/a@one", 7.0)
        assert (ear.take_heard(), ear.changes(9.0)) == (0, NOTHING)
        say(ear, "tank/a@one", 10.0)
        assert ear.changes(12.0) == A

    def test_lines_that_make_no_sense_are_told_as_a_change_of_anything(self) -> None:
        ear = opened(("tank",))
        ear.line("dropped 12 events", 7.0)
        assert ear.changes(8.0) is None

    def test_what_was_not_told_yet_is_not_lost_at_the_end(self) -> None:
        ear = opened()
        say(ear, "tank/a@one", 7.0)
        assert ear.rest() == A
        assert ear.rest() == NOTHING

    def test_only_a_stream_that_lasts_has_mended(self) -> None:
        ear = opened()
        assert not ear.was_steady(59.0)
        assert ear.was_steady(60.0)
        assert not Ear((), DELAYS).was_steady(1e9)


class TestPolls:
    BEFORE = Polled(1000, {"tank": None, "tank/a": 500, "tank/b": 600})

    def differing(self, at: int = 1060, **changed: int | None) -> frozenset[str] | None:
        after = {"tank": None, "tank/a": 500, "tank/b": 600}
        after |= {name.replace("_", "/"): moment for name, moment in changed.items()}
        return difference(self.BEFORE, Polled(at, after))

    def test_where_nothing_moved_nothing_changed(self) -> None:
        assert self.differing() == NOTHING

    def test_what_moved_changed(self) -> None:
        assert self.differing(tank_a=1030) == A
        assert self.differing(tank=1030) == frozenset({"tank"})

    def test_what_came_and_what_went_changed(self) -> None:
        assert self.differing(tank_c=None) == frozenset({"tank/c"})
        assert difference(self.BEFORE, Polled(1060, {"tank": None, "tank/b": 600})) == A

    def test_what_changed_in_the_second_of_a_poll_counts_once_more(self) -> None:
        poll = Polled(1000, {"tank/a": 1000, "tank/b": 900})
        assert difference(poll, Polled(1060, poll.changed)) == A
        assert difference(Polled(1060, poll.changed), Polled(1120, poll.changed)) == NOTHING

    def test_a_moment_far_ahead_is_not_a_change_for_ever(self) -> None:
        poll = Polled(1000, {"tank/a": 5000})
        assert difference(poll, Polled(1060, poll.changed)) == NOTHING

    def test_the_first_poll_and_one_after_the_clock_was_set_back_tell_of_anything(self) -> None:
        assert difference(None, self.BEFORE) is None
        assert self.differing(at=999) is None


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("cannot get event: permission denied\n", 255),
        ("sudo: a password is required\n", 1),
        ("/bin/sh: 13: exec: zpool: not found\n", 127),
    ],
)
def test_a_host_that_lacks_the_command_or_the_right_announces_nothing(
    said: str, status: int
) -> None:
    assert announces_nothing(CommandEnded("web1", said, status=status, stderr=said))


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("web1", "permission denied"),
        CommandEnded("web1", "", status=-9, stderr=""),
        CommandEnded("web1", "", status=None, stderr=""),
        CommandEnded("web1", "", status=1, stderr="cannot get event: no memory"),
    ],
)
def test_what_may_pass_is_tried_again(error: HostError) -> None:
    assert not announces_nothing(error)


def test_the_wait_grows_up_to_its_limit_and_no_two_hosts_come_back_together() -> None:
    chance = random.Random(4)  # noqa: S311 - no secret
    for failures in range(1, 12):
        waits = [wait_before(failures, DELAYS, chance) for _ in range(300)]
        limit = min(300.0, 2.0**failures)
        assert all(1.0 <= wait <= limit for wait in waits)
        assert max(waits) > 0.9 * limit
    assert wait_before(10_000, DELAYS, chance) <= 300.0
    seconds = [int(wait_before(9, DELAYS, chance)) for _ in range(300)]
    assert max(seconds.count(second) for second in seconds) < 12
