"""Which key is worked on next, and when: the queue against a small model of itself."""

import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from reconciler.controller.queue import (
    FIRST_DELAY,
    LONGEST_DELAY,
    Taken,
    WorkQueue,
    backoff,
)
from reconciler.report.status import Phase

TOGETHER = 300
"""Keys that fail in the same moment."""


class Lowest(random.Random):
    """Chance that always comes out at the lowest, so that delays are the shortest there are."""

    def uniform(self, a: float, _b: float) -> float:
        return a


class Highest(random.Random):
    """Chance that always comes out at the highest: no jitter at all."""

    def uniform(self, _a: float, b: float) -> float:
        return b


def queue(chance: random.Random | None = None) -> WorkQueue[str]:
    return WorkQueue(chance or random.Random(0))  # noqa: S311 - chance, not secrets


def taken(keys: WorkQueue[str], now: float) -> list[str]:
    """Take all that is due, unless there is no end of it."""
    found: list[str] = []
    while len(found) < 100 and (one := keys.take(now)) is not None:
        found.append(one.key)
    return found


def failing(count: int, chance: random.Random | None = None) -> WorkQueue[str]:
    """A queue whose key failed so many times in a row, the last time at 0."""
    keys = queue(chance)
    for _ in range(count):
        keys.add("a", 0)
        keys.take(0)
        keys.failed("a", 0)
    return keys


# -- one after the other ---------------------------------------------------------------------------


def test_a_key_that_is_added_twice_is_done_once() -> None:
    keys = queue()
    assert keys.add("a", 0)
    assert not keys.add("a", 1)
    assert taken(keys, 2) == ["a"]


def test_the_key_that_has_been_due_longest_is_taken_first() -> None:
    keys = queue()
    for at, key in enumerate("cab"):
        keys.add(key, at)
    assert taken(keys, 5) == ["c", "a", "b"]


def test_what_is_taken_says_how_long_it_has_waited() -> None:
    keys = queue()
    keys.add("a", 3)
    assert keys.take(5) == Taken("a", 2)


def test_nothing_is_taken_before_its_time() -> None:
    keys = queue()
    keys.add_at("a", 10)
    assert keys.take(9.9) is None
    assert keys.next_at() == 10
    assert taken(keys, 10) == ["a"]


def test_an_instant_only_ever_comes_sooner() -> None:
    keys = queue()
    keys.add_at("a", 10)
    keys.add_at("a", 20)
    assert keys.next_at() == 10
    keys.add_at("a", 5)
    assert keys.next_at() == 5


def test_a_key_that_is_added_while_it_is_worked_on_is_done_again_afterwards() -> None:
    keys = queue()
    keys.add("a", 0)
    keys.take(0)
    assert keys.add("a", 1)
    assert not keys.add("a", 1)
    assert keys.take(1) is None
    keys.succeeded("a", 2, 100)
    assert taken(keys, 2) == ["a"]
    keys.succeeded("a", 3, 100)
    assert taken(keys, 99) == []


def test_an_instant_that_is_asked_for_while_a_key_is_worked_on_is_not_lost() -> None:
    keys = queue()
    keys.add("a", 0)
    keys.take(0)
    keys.add_at("a", 5)
    keys.succeeded("a", 2, 100)
    assert taken(keys, 5) == ["a"]


def test_what_was_done_comes_up_at_its_instant() -> None:
    keys = queue()
    keys.add("a", 0)
    keys.take(0)
    keys.succeeded("a", 1, 50)
    assert keys.next_at() == 50
    assert keys.state("a", 10).phase is Phase.IDLE


# -- failures --------------------------------------------------------------------------------------


def test_the_first_retry_comes_no_sooner_than_a_second() -> None:
    assert failing(1, Lowest()).next_at() == FIRST_DELAY == 1


def test_no_retry_comes_later_than_a_quarter_of_an_hour_however_often_it_failed() -> None:
    assert failing(1000, Highest()).next_at() == LONGEST_DELAY == 15 * 60


@given(st.integers(0, 10**9), st.integers())
def test_delays_lie_between_the_shortest_and_the_longest(failures: int, seed: int) -> None:
    delay = backoff(failures, random.Random(seed))  # noqa: S311 - chance
    assert FIRST_DELAY <= delay <= LONGEST_DELAY


def test_delays_double_up_to_the_longest() -> None:
    limits = [backoff(failures, Highest()) for failures in range(1, 12)]
    assert limits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_success_forgets_the_failures() -> None:
    keys = failing(5)
    keys.add("a", 0)
    keys.take(0)
    keys.succeeded("a", 0, 100)
    assert keys.state("a", 0).failures == 0
    keys.add("a", 0)
    keys.take(0)
    keys.failed("a", 0)
    assert keys.state("a", 0).failures == 1


def test_a_key_in_delay_is_shown_as_retrying() -> None:
    assert failing(3, Highest()).state("a", 1).phase is Phase.RETRYING


def test_what_is_due_by_the_clock_is_not_kept_waiting_by_a_delay() -> None:
    keys = queue(Highest())
    keys.add("a", 0)
    keys.take(0)
    assert keys.failed("a", 0, limit=1.5) == 1.5


def test_even_what_is_due_waits_a_second_after_a_failure() -> None:
    keys = queue(Highest())
    keys.add("a", 0)
    keys.take(0)
    assert keys.failed("a", 10, limit=10) == 11


def test_a_hint_does_not_get_past_the_delay() -> None:
    keys = failing(5, Highest())
    assert not keys.add("a", 1, hint=True)
    assert keys.next_at() == 32


def test_a_hint_while_it_is_worked_on_does_not_get_past_the_delay_either() -> None:
    keys = queue(Highest())
    keys.add("a", 0)
    keys.take(0)
    keys.add("a", 1, hint=True)
    keys.failed("a", 2)
    assert keys.next_at() == 4


def test_a_hint_while_it_is_worked_on_has_it_done_again_when_it_went_well() -> None:
    keys = queue()
    keys.add("a", 0)
    keys.take(0)
    assert keys.add("a", 1, hint=True)
    assert not keys.add("a", 1, hint=True)
    keys.succeeded("a", 2, 100)
    assert taken(keys, 2) == ["a"]


def test_what_a_person_asks_for_gets_past_the_delay() -> None:
    keys = failing(5)
    assert keys.add("a", 1)
    assert taken(keys, 1) == ["a"]


# -- what no retry mends ---------------------------------------------------------------------------


def hopeless(next_at: float | None) -> WorkQueue[str]:
    keys = queue(Highest())
    keys.add("a", 0)
    keys.take(0)
    keys.hopeless("a", 0, next_at)
    return keys


def test_what_no_retry_mends_is_not_retried() -> None:
    keys = hopeless(None)
    assert keys.next_at() is None
    assert keys.state("a", 10**6).phase is Phase.WAITING


def test_what_no_retry_mends_is_looked_at_at_the_next_instant() -> None:
    assert taken(hopeless(50), 50) == ["a"]


def test_a_change_lets_it_be_tried_again_after_a_while_and_many_changes_once() -> None:
    keys = hopeless(500)
    assert keys.add("a", 10, hint=True)
    assert keys.next_at() == 12
    assert not keys.add("a", 11, hint=True)
    assert keys.next_at() == 12


def test_a_change_that_was_heard_while_it_failed_counts() -> None:
    keys = queue(Highest())
    keys.add("a", 0)
    keys.take(0)
    keys.add("a", 1, hint=True)
    keys.hopeless("a", 2, None)
    assert keys.next_at() == 4


def test_somebody_who_adds_it_has_it_tried_at_once() -> None:
    keys = hopeless(None)
    keys.add("a", 7)
    assert keys.state("a", 7).phase is Phase.QUEUED
    assert taken(keys, 7) == ["a"]


# -- set aside -------------------------------------------------------------------------------------


def test_what_is_set_aside_is_free_and_its_failures_are_not_forgotten() -> None:
    keys = failing(3)
    keys.add("a", 0)
    keys.take(0)
    keys.set_aside("a", 0, 100)
    assert keys.next_at() == 100
    assert keys.state("a", 0).failures == 3


def test_what_fails_aside_again_and_again_waits_longer_and_longer() -> None:
    keys = queue(Highest())
    waits: list[float] = []
    now = 0.0
    for _ in range(5):
        keys.add_at("a", now)
        keys.take(now)
        keys.set_aside("a", now, now + 10_000)
        keys.failed_aside("a", now)
        at = keys.next_at()
        assert at is not None
        waits.append(at - now)
        now = at
    assert waits == [2, 4, 8, 16, 32]


def test_a_failure_aside_does_not_give_back_a_key_that_is_worked_on_again() -> None:
    keys = queue()
    keys.add("a", 0)
    keys.take(0)
    keys.set_aside("a", 0, 1)
    keys.take(1)
    keys.failed_aside("a", 2)
    keys.add("a", 2)
    assert keys.take(2) is None
    assert keys.working() == 1


# -- forgotten -------------------------------------------------------------------------------------


def test_what_is_forgotten_is_not_done() -> None:
    keys = queue()
    keys.add("a", 0)
    keys.forget(["a", "unknown"])
    assert keys.take(1) is None
    assert list(keys) == []


def test_what_is_forgotten_while_it_is_worked_on_goes_when_it_is_given_back() -> None:
    keys = queue()
    keys.add("a", 0)
    keys.take(0)
    keys.add("a", 0)
    keys.forget(["a"])
    keys.failed("a", 1)
    assert list(keys) == []


def test_what_is_forgotten_and_added_anew_while_it_is_worked_on_is_not_done_by_two() -> None:
    keys = queue()
    keys.add("a", 0)
    keys.take(0)
    keys.forget(["a"])
    keys.add("a", 1)
    assert keys.take(1) is None
    keys.succeeded("a", 2, None)
    assert taken(keys, 2) == ["a"]


def test_what_is_given_back_but_not_known_is_no_matter() -> None:
    keys = queue()
    keys.succeeded("a", 0, 1)
    keys.failed("b", 0)
    keys.hopeless("c", 0, None)
    keys.set_aside("d", 0, None)
    keys.failed_aside("e", 0)
    assert list(keys) == []


def test_the_depth_is_what_is_due_and_not_taken() -> None:
    keys = queue()
    keys.add("a", 0)
    keys.add("b", 0)
    keys.add_at("c", 100)
    keys.take(0)
    assert (keys.depth(0), keys.working()) == (1, 1)


# -- many at once ----------------------------------------------------------------------------------


def peak(attempt: int, chance: Callable[[int], random.Random]) -> int:
    """Let many keys fail together; return how many retries fall into the busiest second."""
    keys = queue(chance(attempt))
    for number in range(TOGETHER):
        for _ in range(attempt):
            keys.add(f"key {number}", 0)
            keys.take(0)
            keys.failed(f"key {number}", 0)
    at = [keys.state(key, 0).next_at or 0.0 for key in keys]
    return max(sum(start <= one < start + 1 for one in at) for start in at)


@pytest.mark.parametrize(("attempt", "bound"), [(4, 45), (8, 12)])
def test_what_failed_together_does_not_come_back_together(attempt: int, bound: int) -> None:
    """300 keys over 15 s are 20 a second on average, over 255 s one: the busiest has some more.

    Without jitter all of them are in it.
    """
    assert peak(attempt, random.Random) <= bound
    assert peak(attempt, lambda _: Highest()) == TOGETHER


# -- against a model -------------------------------------------------------------------------------


class AQueue(RuleBasedStateMachine):
    """A queue in the hands of workers, beside the few things that have to be true of it."""

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.now = 0.0
        self.queue = queue(random.Random(seed))  # noqa: S311 - chance
        self.workers: Counter[str] = Counter()
        self.wanted: set[str] = set()
        """Keys that somebody added and that were not taken up since."""
        self.earliest: dict[str, float] = {}
        """Failed keys → the instant before which nothing but an add or an instant takes them."""

    keys = st.sampled_from("abc")
    delays = st.one_of(st.none(), st.floats(0, 2000))

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 20.0, 2000.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(key=keys)
    def add(self, key: str) -> None:
        self.queue.add(key, self.now)
        self.wanted.add(key)
        self.earliest.pop(key, None)

    @rule(key=keys)
    def hint(self, key: str) -> None:
        self.queue.add(key, self.now, hint=True)

    @rule(key=keys, delay=st.floats(0, 100))
    def add_at(self, key: str, delay: float) -> None:
        self.queue.add_at(key, self.now + delay)
        if self.workers[key]:
            self.wanted.add(key)
        elif key in self.earliest:
            self.earliest[key] = min(self.earliest[key], self.now + delay)

    @rule()
    def take(self) -> None:
        due = self.queue.take(self.now)
        if due is None:
            assert not {key for key in self.wanted if not self.workers[key]}
            return
        self.workers[due.key] += 1
        self.wanted.discard(due.key)
        assert due.waited >= 0
        assert self.earliest.pop(due.key, self.now) <= self.now

    @precondition(lambda self: +self.workers)
    @rule(data=st.data(), how=st.sampled_from(["succeeded", "set_aside"]), delay=delays)
    def end_well(self, data: st.DataObject, how: str, delay: float | None) -> None:
        key = self._one_that_is_worked_on(data)
        getattr(self.queue, how)(key, self.now, None if delay is None else self.now + delay)

    @precondition(lambda self: +self.workers)
    @rule(data=st.data(), delay=delays)
    def fail(self, data: st.DataObject, delay: float | None) -> None:
        key = self._one_that_is_worked_on(data)
        limit = None if delay is None else self.now + delay
        at = self.queue.failed(key, self.now, limit)
        assert self.now + FIRST_DELAY <= at <= self.now + LONGEST_DELAY
        if key not in self.wanted:
            self.earliest[key] = self.now + FIRST_DELAY

    @precondition(lambda self: +self.workers)
    @rule(data=st.data(), delay=delays)
    def lose_hope(self, data: st.DataObject, delay: float | None) -> None:
        key = self._one_that_is_worked_on(data)
        self.queue.hopeless(key, self.now, None if delay is None else self.now + delay)
        if key not in self.wanted and (delay is None or delay >= FIRST_DELAY):
            self.earliest[key] = self.now + FIRST_DELAY

    @rule(key=keys)
    def forget(self, key: str) -> None:
        self.queue.forget([key])
        self.wanted.discard(key)
        self.earliest.pop(key, None)

    def _one_that_is_worked_on(self, data: st.DataObject) -> str:
        key = data.draw(st.sampled_from(sorted(+self.workers)))
        self.workers[key] -= 1
        return key

    @invariant()
    def no_key_has_two_takers(self) -> None:
        assert all(count <= 1 for count in self.workers.values())
        assert self.queue.working() == self.workers.total()

    @invariant()
    def no_key_is_lost(self) -> None:
        known = set(self.queue)
        assert self.wanted <= known
        free = {key for key in self.wanted if not self.workers[key]}
        assert all(self.queue.state(key, self.now).phase is Phase.QUEUED for key in free)


AQueue.TestCase.settings = settings(max_examples=50, stateful_step_count=30)
TestAQueue = AQueue.TestCase
