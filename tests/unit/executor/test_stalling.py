"""The watchdog of a stream, by a clock that is set by hand."""

from collections.abc import Iterator
from itertools import count

import pytest

from reconciler.executor.stalling import PATIENCE, Watchdog, patience_with
from reconciler.zfs.piping import End, Piping

CHANGING = (f"token-{number}" for number in count())


class Watched:
    """A stream with its watchdog; the clock goes on in steps of ten seconds."""

    def __init__(self, looks: Iterator[str | None]) -> None:
        self.now = 1000.0
        self.looked: list[float] = []
        self.ended: list[float] = []
        self._looks = looks
        self._next = 0.0
        self.dog = Watchdog(600.0, self._look, self._end, lambda: self.now)

    def _look(self) -> str | None:
        self.looked.append(self.now - 1000)
        return next(self._looks)

    def _end(self) -> None:
        self.ended.append(self.now - 1000)

    def passes(self, seconds: int, *, sends: Iterator[int] | None = None) -> None:
        for _ in range(seconds // 10):
            self.now += 10
            if sends is not None:
                self.dog.sent(next(sends))
            if self.now >= self._next and not self.dog.has_bitten:
                self._next = self.now + self.dog.check()


def same() -> Iterator[str]:
    while True:
        yield "token-1"


def test_a_stream_whose_bytes_move_is_never_looked_at() -> None:
    stream = Watched(same())
    stream.passes(7200, sends=count(1, 5))
    assert (stream.looked, stream.ended) == ([], [])


def test_a_stream_that_never_moves_is_ended_after_the_whole_patience() -> None:
    stream = Watched(same())
    stream.passes(7200)
    assert stream.ended == [600]
    assert stream.dog.has_bitten


def test_the_patience_counts_from_the_last_byte() -> None:
    stream = Watched(same())
    stream.passes(3600, sends=count(1, 5))
    stream.passes(590)
    assert stream.ended == []
    stream.passes(20)
    assert stream.ended == [4200]


def test_the_same_number_of_bytes_told_again_is_no_sign_of_life() -> None:
    stream = Watched(same())
    stream.passes(7200, sends=iter([9] * 1000))
    assert stream.ended == [610]  # The first one told was the last byte.


def test_bytes_that_are_counted_anew_for_the_next_snapshot_are_a_sign_of_life() -> None:
    stream = Watched(same())
    stream.passes(550, sends=iter([10**9] * 1000))
    stream.passes(550, sends=iter(range(1000)))
    stream.passes(550, sends=iter(range(1000)))
    assert stream.ended == []


def test_a_receiver_that_works_without_bytes_keeps_the_stream_alive() -> None:
    stream = Watched(CHANGING)
    stream.passes(7200, sends=iter([9] * 1000))
    assert stream.ended == []
    assert len(stream.looked) >= 20


def test_a_receiver_that_stops_working_is_found_out() -> None:
    stream = Watched(iter([*("a", "b", "c"), *["d"] * 50]))
    stream.passes(7200)
    assert stream.ended == [1800]  # d was new at 1200.


@pytest.mark.parametrize(
    "looks", [iter([None] * 99), iter(["a", None] * 50)], ids=["never", "at times"]
)
def test_a_receiver_that_can_not_be_asked_shows_no_life(
    looks: Iterator[str | None],
) -> None:
    stream = Watched(looks)
    stream.passes(7200)
    assert stream.ended == [600]


def test_bytes_that_come_while_the_receiver_is_asked_save_the_stream() -> None:
    stream = Watched(same())
    stream.passes(590)
    asked = stream.dog._look

    def slowly() -> str | None:
        stream.now += 60
        stream.dog.sent(77)
        return asked()

    stream.dog._look = slowly
    stream.passes(20)
    assert stream.ended == []


def test_what_buffers_hold_is_given_its_time_at_a_limited_rate() -> None:
    assert patience_with(Piping()) == PATIENCE
    assert patience_with(Piping(buffer=1 << 30, buffered=tuple(End))) == PATIENCE
    limited = Piping(buffer=92 << 20, buffered=(End.SENDER,), bandwidth=1 << 20, limiter="mbuffer")
    assert patience_with(limited) == PATIENCE + 100
