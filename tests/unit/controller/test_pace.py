"""When the specs are looked at."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.controller.pace import Pace


def looked(at: float) -> Pace:
    pace = Pace(quiet=2, poll=60)
    pace.look(at)
    return pace


def test_the_first_look_is_at_once() -> None:
    assert Pace(2, 60).next_at(1000) == 1000


def test_without_a_change_it_is_looked_now_and_then() -> None:
    assert looked(1000).next_at(1010) == 1060


def test_after_a_change_it_is_quiet_for_a_while() -> None:
    pace = looked(1000)
    pace.poke(1010)
    assert pace.next_at(1010) == 1012
    pace.poke(1011.5)
    assert pace.next_at(1012) == 1013.5


def test_changes_without_end_do_not_put_it_off_for_ever() -> None:
    pace = looked(1000)
    for at in range(1001, 1060):
        pace.poke(at)
    assert pace.next_at(1060) == 1060


def test_a_change_that_is_heard_during_a_look_asks_for_another_one() -> None:
    pace = looked(1000)
    pace.poke(1010)
    pace.look(1012)
    assert pace.next_at(1012) == 1072
    pace.poke(1012)
    assert pace.next_at(1012) == 1014


def test_what_is_unsettled_is_looked_at_again_soon() -> None:
    pace = looked(1000)
    pace.unsettled = True
    assert pace.next_at(1000) == 1002
    pace.poke(1001)
    assert pace.next_at(1001) == 1003


def test_a_clock_that_was_set_back_does_not_stop_it() -> None:
    pace = looked(10_000)
    assert pace.next_at(1000) == 1000


@given(
    st.lists(st.tuples(st.sampled_from(["poke", "look"]), st.floats(0, 100)), min_size=1),
    st.builds(Pace, st.just(2.0), st.just(60.0), st.booleans()),
)
def test_it_never_takes_longer_than_the_longest_time(
    events: list[tuple[str, float]], pace: Pace
) -> None:
    now = 0.0
    for what, later in events:
        now += later
        pace.poke(now) if what == "poke" else pace.look(now)
        assert pace.next_at(now) <= now + 60
