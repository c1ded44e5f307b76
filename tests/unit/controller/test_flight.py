"""A run under way: what it still touches, what it sends, and what is said of it."""

import itertools
import random
from collections import Counter

import pytest

from reconciler.actions import Send
from reconciler.controller.flight import Flight
from reconciler.controller.journal import Journal
from reconciler.controller.keys import Key, Place, part_of
from reconciler.controller.law import Law
from reconciler.controller.surroundings import Surroundings
from reconciler.controller.uses import Use
from reconciler.executor.events import ActionFailed, Completed, Progressed, Skipped, Started
from reconciler.hosts.fleet import Fleet
from reconciler.planner.plan import PlannedAction
from reconciler.planner.planning import plan
from reconciler.report.telemetry import Silent
from reconciler.zfs.errors import Failure, FailureKind, Reaction
from tests.support.worlds import NOW, desired, fs, replica, seen, world

SPECS = desired("web: alpha tank/** !tank keep last 2 -> vault keep last 2")
PAIR = Key("web", "alpha", "vault")
HERE, THERE = ("alpha", "tank/a"), ("vault", "backup/alpha/tank/a")
OTHER = (("alpha", "tank/b"), ("vault", "backup/alpha/tank/b"))


class Told(Silent, Journal):
    def __init__(self) -> None:
        self.acted_: Counter[tuple[str, str]] = Counter()
        self.bytes = 0
        self.lines: list[tuple[str, str]] = []

    def acted(self, verb: str, result: str, seconds: float) -> None:
        assert seconds >= 0
        self.acted_[verb, result] += 1

    def sent(self, replication: str, count: int) -> None:
        assert replication == "web"
        self.bytes += count

    def said(self, level: str, message: str, **fields: object) -> None:
        assert fields["replication"] == "web"
        self.lines.append((level, message))


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def freed() -> list[Place]:
    return []


@pytest.fixture
def flight(told: Told, freed: list[Place]) -> Flight:
    """Two filesystems are to be brought up to date; all is claimed, nothing was begun."""
    versions, received = "@~22:00,{0} #cur,{0} @~23:00,{1}", "@~22:00,{0},held=base"
    observed = world(
        seen(
            "alpha",
            fs("tank/a", versions.format(1, 2)),
            fs("tank/b", versions.format(11, 12)),
        ),
        seen(
            "vault",
            replica(THERE[1], received.format(1)),
            replica(OTHER[1][1], received.format(11)),
        ),
    )
    tick = itertools.count()
    around = Surroundings(
        clock=lambda: NOW,
        ticks=lambda: next(tick),
        chance=random.Random(0),  # noqa: S311 - chance, not secrets
        telemetry=told,
        journal=told,
    )
    law = Law.of(SPECS, Fleet(SPECS.hosts), {})
    made = Flight(PAIR, "id", law, None, 0.0, around, lambda _, places: freed.extend(places))
    made.part = part_of(plan(SPECS, observed, NOW), PAIR, SPECS)
    assert set(made.claimed()) == {HERE, THERE, *OTHER}
    return made


def of_a(flight: Flight) -> list[PlannedAction]:
    return [p for p in flight.part.actions if set(p.action.places) <= {HERE, THERE}]


def the_send(flight: Flight) -> Send:
    (send,) = [p.action for p in of_a(flight) if isinstance(p.action, Send)]
    return send


def test_it_claims_the_receiver_for_itself_and_the_sender_as_its_sending_end(
    flight: Flight,
) -> None:
    claimed = flight.claimed()
    assert (claimed[HERE], claimed[THERE]) == (Use.SENDS, Use.ALONE)


def test_a_place_is_given_back_when_the_last_action_there_has_ended(
    flight: Flight, freed: list[Place]
) -> None:
    actions = of_a(flight)
    for planned in actions[:-1]:
        flight.event(Completed(planned.id, planned.action, 1.0))
    assert HERE not in freed or THERE not in freed
    flight.event(Completed(actions[-1].id, actions[-1].action, 1.0))
    assert sorted(freed) == [HERE, THERE]


def test_what_failed_or_was_skipped_is_through_with_its_places(
    flight: Flight, freed: list[Place]
) -> None:
    failure = Failure(FailureKind.BUSY, Reaction.BUSY, "it is busy")
    first, *rest = of_a(flight)
    flight.event(ActionFailed(first.id, first.action, failure))
    for planned in rest:
        flight.event(Skipped(planned.id, planned.action, "it is busy"))
    assert sorted(freed) == [HERE, THERE]


def test_what_was_not_reached_is_given_back_in_the_end_and_once(
    flight: Flight, freed: list[Place]
) -> None:
    for planned in of_a(flight):
        flight.event(Completed(planned.id, planned.action, 1.0))
    flight.give_back()
    flight.give_back()
    assert sorted(freed) == sorted([HERE, THERE, *OTHER])


def test_what_is_abandoned_gives_nothing_back_that_was_never_its_own(
    flight: Flight, freed: list[Place]
) -> None:
    flight.abandon()
    flight.give_back()
    assert freed == []
    assert flight.part.actions == ()
    assert flight.left


def test_a_stream_is_shown_while_it_is_under_way(flight: Flight, told: Told) -> None:
    send = the_send(flight)
    assert not flight.sends
    flight.event(Started(send.id, send))
    flight.event(Progressed(send.id, send, 100))
    flight.event(Progressed(send.id, send, 250))
    (running,) = flight.sends
    assert (running.filesystem, running.receiver, running.bytes) == ("tank/a", THERE[1], 250)
    assert running.estimated_bytes == send.estimated_bytes != 1000
    flight.event(Progressed(send.id, send, 250, 1000))
    assert [running.estimated_bytes for running in flight.sends] == [1000]
    assert not flight.is_short
    flight.event(Completed(send.id, send, 3.0))
    assert not flight.sends
    assert told.bytes == 250
    assert told.acted_["send", "success"] == 1


def test_short_actions_are_told_from_streams(flight: Flight) -> None:
    hold = next(p for p in of_a(flight) if p.action.verb == "hold")
    flight.event(Started(hold.id, hold.action))
    assert flight.is_short
    flight.event(Completed(hold.id, hold.action, 0.1))
    assert not flight.is_short


def test_what_happens_is_logged_by_how_much_it_matters(flight: Flight, told: Told) -> None:
    send = the_send(flight)
    flight.event(Started(send.id, send))
    flight.event(Progressed(send.id, send, 1))
    failure = Failure(FailureKind.NO_SPACE, Reaction.SPACE, "vault is full")
    flight.event(ActionFailed(send.id, send, failure))
    flight.event(Skipped(send.id, send, "send failed"))
    assert told.lines == [
        ("debug", "send begins"),
        ("error", "send failed: vault is full"),
        ("warning", "send not begun: send failed"),
    ]
    assert told.acted_ == {("send", "failure"): 1, ("send", "skipped"): 1}
