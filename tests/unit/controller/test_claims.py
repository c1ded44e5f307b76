"""No two runs change one filesystem at the same time, nor by a look that is older than a change."""

from collections import Counter
from contextlib import ExitStack, suppress

from hypothesis import given
from hypothesis import strategies as st

from reconciler.controller.claims import Claims
from reconciler.controller.keys import Key, Place
from reconciler.controller.uses import Use

WWW = ("alpha", "tank/www")
OTHER = ("alpha", "tank/other")
RECEIVED = ("vault", "backup/alpha/tank/www")

RUN = Key("web", "alpha", "vault")
OTHER_RUN = Key("web", "alpha", "north")

NOW = {"alpha": 10.0, "vault": 10.0}
"""Both hosts were asked at 10."""


def alone(*places: Place) -> dict[Place, Use]:
    return dict.fromkeys(places, Use.ALONE)


def test_a_place_is_claimed_once() -> None:
    claims = Claims()
    assert claims.claim(RUN, alone(WWW), NOW)
    assert not claims.claim(RUN, alone(WWW), NOW)
    assert not claims.free_for(OTHER_RUN, NOW)(WWW, Use.ALONE)


def test_a_claim_is_whole_or_not_at_all() -> None:
    claims = Claims()
    claims.claim(RUN, alone(WWW), NOW)
    assert not claims.claim(RUN, alone(OTHER, WWW), NOW)
    assert claims.claim(RUN, alone(OTHER), NOW)


def test_the_same_name_on_another_host_is_another_place() -> None:
    claims = Claims()
    claims.claim(RUN, alone(WWW), NOW)
    assert claims.claim(RUN, alone(("vault", "tank/www")), NOW)


def test_what_was_given_back_can_be_claimed_by_those_who_looked_afterwards() -> None:
    claims = Claims()
    claims.claim(RUN, alone(WWW), NOW)
    claims.free(RUN, alone(WWW), 20)
    with claims.looking(21):
        assert claims.free_for(RUN, {"alpha": 21})(WWW, Use.ALONE)
        assert claims.claim(RUN, alone(WWW), {"alpha": 21})


def test_what_was_given_back_after_a_host_was_asked_counts_as_taken() -> None:
    claims = Claims()
    with claims.looking(10):
        claims.claim(RUN, alone(WWW), NOW)
        claims.free(RUN, alone(WWW), 20)
        assert not claims.free_for(RUN, {"alpha": 15})(WWW, Use.ALONE)
        assert not claims.claim(RUN, alone(WWW), {"alpha": 15})
        assert not claims.claim(RUN, alone(WWW), {"alpha": 20})
        assert claims.claim(RUN, alone(WWW), {"alpha": 21})


def test_what_was_given_back_keeps_waiting_only_who_would_mind() -> None:
    """Else, where hosts are slow to answer, each new snapshot would keep the last one's stream."""
    claims = Claims()
    with claims.looking(10):
        claims.claim(RUN, {WWW: Use.SNAPSHOTS}, NOW)
        claims.free(RUN, {WWW: Use.SNAPSHOTS}, 20)
        is_free = claims.free_for(OTHER_RUN, {"alpha": 15})
        assert is_free(WWW, Use.SENDS)
        assert not is_free(WWW, Use.ALONE)
        assert claims.claim(OTHER_RUN, {WWW: Use.SENDS}, {"alpha": 15})


# -- streams and snapshots -------------------------------------------------------------------------


def test_a_stream_keeps_no_snapshot_waiting_and_no_snapshot_a_stream() -> None:
    for first, second in ((Use.SENDS, Use.SNAPSHOTS), (Use.SNAPSHOTS, Use.SENDS)):
        claims = Claims()
        assert claims.claim(RUN, {WWW: first}, NOW)
        assert claims.claim(RUN, {WWW: second}, NOW)


def test_a_stream_keeps_no_stream_to_another_receiver_waiting() -> None:
    claims = Claims()
    assert claims.claim(RUN, {WWW: Use.SENDS}, NOW)
    assert claims.claim(OTHER_RUN, {WWW: Use.SENDS}, NOW)
    claims.free(RUN, {WWW: Use.SENDS}, 20)
    assert not claims.claim(RUN, alone(WWW), {"alpha": 30})


def test_all_else_waits_for_the_stream() -> None:
    claims = Claims()
    claims.claim(RUN, {WWW: Use.SENDS}, NOW)
    assert not claims.claim(RUN, {WWW: Use.SENDS}, NOW)
    assert not claims.claim(OTHER_RUN, {WWW: Use.ALONE}, NOW)


def test_while_a_snapshot_is_made_beside_a_stream_there_is_no_second_one() -> None:
    claims = Claims()
    claims.claim(RUN, {WWW: Use.SENDS}, NOW)
    claims.claim(RUN, {WWW: Use.SNAPSHOTS}, NOW)
    assert not claims.claim(RUN, {WWW: Use.SNAPSHOTS}, NOW)


def test_a_snapshot_that_was_made_beside_a_stream_gives_back_its_own_share_only() -> None:
    claims = Claims()
    claims.claim(RUN, {WWW: Use.SENDS}, NOW)
    claims.claim(RUN, {WWW: Use.SNAPSHOTS}, NOW)
    claims.free(RUN, {WWW: Use.SNAPSHOTS}, 20)
    assert not claims.claim(RUN, alone(WWW), {"alpha": 30})
    claims.free(RUN, {WWW: Use.SENDS}, 40)
    assert claims.claim(RUN, alone(WWW), {"alpha": 50})


# -- memory ----------------------------------------------------------------------------------------


def test_filesystems_that_come_and_go_for_a_year_leave_nothing_behind() -> None:
    claims = Claims()
    for number in range(1000):
        place = alone(("alpha", f"tank/{number}"))
        with claims.looking(number):
            claims.claim(RUN, place, {"alpha": number})
        claims.free(RUN, place, number + 0.5)
    assert claims._freed == {}
    assert claims._taken == {}


def test_while_somebody_looks_only_what_he_may_have_missed_is_remembered() -> None:
    claims = Claims()
    with ExitStack() as early, claims.looking(100):
        early.enter_context(claims.looking(10))
        for at in (20, 200):
            place = alone(("alpha", f"tank/{at}"))
            claims.claim(RUN, place, NOW)
            claims.free(RUN, place, at)
        assert claims._freed.keys() == {("alpha", "tank/20"), ("alpha", "tank/200")}
        early.close()
        assert claims._freed.keys() == {("alpha", "tank/200")}
    assert claims._freed == {}


def test_a_look_that_ends_with_an_error_is_over() -> None:
    claims = Claims()
    with suppress(ZeroDivisionError), claims.looking(10):
        _ = 1 / 0
    claims.claim(RUN, alone(WWW), NOW)
    claims.free(RUN, alone(WWW), 20)
    assert claims._freed == {}


# -- whatever the order ----------------------------------------------------------------------------

SOME = st.dictionaries(st.sampled_from([WWW, OTHER, RECEIVED]), st.sampled_from(Use), min_size=1)


@given(st.lists(st.tuples(st.sampled_from([RUN, OTHER_RUN]), SOME, st.integers(0, 3))))
def test_no_two_runs_ever_hold_one_place_but_for_streams_and_one_snapshot(
    attempts: list[tuple[Key, dict[Place, Use], int]],
) -> None:
    claims, held = Claims(), list[tuple[Key, dict[Place, Use]]]()
    for now, (key, places, ends) in enumerate(attempts):
        for _ in range(min(ends, len(held))):
            claims.free(*held.pop(0), now)
        if claims.claim(key, places, {"alpha": now + 0.5, "vault": now + 0.5}):
            held.append((key, places))
        for place in (WWW, OTHER, RECEIVED):
            uses = [(run[place], key) for key, run in held if place in run]
            assert len(uses) == len(set(uses))
            kinds = Counter(use for use, _ in uses)
            assert kinds[Use.ALONE] == 0 or kinds.total() == 1
            assert kinds[Use.SNAPSHOTS] <= 1
