"""The controller's engine on the stories of `test_on_simulated_hosts`: the same invariants hold."""

from contextlib import suppress

from hypothesis import given, note, settings
from hypothesis import strategies as st

from reconciler.controller.keys import Key
from reconciler.simulator.faults import ControllerDied, Fault
from tests.property.happenings import Happening, happenings
from tests.property.stories import SLOT, Story, Trouble, stories, troubles
from tests.property.test_on_simulated_hosts import check
from tests.support.living import Life
from tests.support.stage import Controller

FEWER = settings(max_examples=settings().max_examples // 3)
"""A life takes as long as several cycles."""


@FEWER
@given(stories())
def test_watching_comes_to_where_applying_comes_to(story: Story) -> None:
    stage, desired = story.told(), story.desired
    life = Life(stage, desired)
    life.live(SLOT // 2)
    for said in life.notebook.said_:
        note(said)
    left = Controller(stage, desired).plan().actions
    assert left == (), [planned.id for planned in left]
    check(stage, desired)


@FEWER
@given(stories(), st.lists(troubles(), max_size=3))
def test_whatever_goes_wrong_all_that_is_done_is_right_and_it_ends_well(
    story: Story, troubles: list[Trouble]
) -> None:
    stage, desired = story.told(), story.desired
    planned: dict[str, dict[int, Fault]] = {}
    for trouble in troubles:
        for host, faults in trouble.on(stage, desired).items():
            planned.setdefault(host, {}).update(faults)
    with suppress(ControllerDied):
        Life(stage, desired, planned).live(2 * SLOT)
    check(stage, desired)
    life = Life(stage, desired)
    life.live(SLOT // 2)
    for said in life.notebook.said_:
        note(said)
    left = Controller(stage, desired).plan().actions
    assert left == (), [planned.id for planned in left]
    check(stage, desired)


@FEWER
@given(stories(), st.lists(st.lists(happenings(), max_size=2), max_size=4))
def test_what_others_do_meanwhile_takes_nothing_from_what_is_right(
    story: Story, deeds: list[list[Happening]]
) -> None:
    stage, desired = story.told(), story.desired
    left = iter(deeds)

    def meanwhile(_key: Key) -> None:
        for happening in next(left, ()):
            happening.on(stage)

    life = Life(stage, desired, on_work=meanwhile)
    life.live(3 * SLOT)
    check(stage, desired)


@FEWER
@given(stories())
def test_a_dry_run_changes_nothing(story: Story) -> None:
    stage, desired = story.told(), story.desired
    before = dict(stage.world)
    Life(stage, desired, dry_run=True).live(2 * SLOT)
    assert stage.world == before


@FEWER
@given(stories(), st.integers(0, 2**32))
def test_two_controllers_at_once_do_no_harm(story: Story, seed: int) -> None:
    """Each has its own memory of the hosts, which the other one makes stale."""
    stage, desired = story.told(), story.desired
    lives = [Life(stage, desired, seed=seed + number) for number in range(2)]
    for _ in range(6):
        for life in lives:
            life.live(0)
            life.work()
        stage.now += SLOT // 4
    check(stage, desired)
