"""The invariants of docs/concepts.md, tried with whole controllers on simulated hosts.

Stories are made of what people do to ZFS; on the hosts as they are then, a controller acts, is
disturbed at any moment, is killed, or shares the hosts with a second one.
"""

from hypothesis import given, note
from hypothesis import strategies as st

from reconciler.actions import Done
from reconciler.desired.model import Desired
from reconciler.executor.events import RunResult
from reconciler.executor.execute import Ledger
from reconciler.executor.perform import Performer
from reconciler.executor.transfer import Transfer
from reconciler.observed.model import Observed, Seen, Unseen
from reconciler.planner.planning import plan
from reconciler.simulator.faults import Dies, Fault, Interlude, Lost
from tests.property.command_lines import check_command_line
from tests.property.happenings import Happening, happenings
from tests.property.rightness import (
    RULES,
    check_filesystems_stay,
    check_is_managed_and_not_held,
    check_nothing_is_rolled_back,
    check_zfs,
    gone,
)
from tests.property.stories import SLOT, Story, Trouble, stories, troubles
from tests.support.stage import Controller, Impatient, Stage

ROUNDS = 3
"""Cycles within which everything is settled once nothing more goes wrong."""


def check(stage: Stage, desired: Desired) -> None:
    """Ask of everything that controllers did whether it was right."""
    for change in stage.changes:
        for rule in RULES:
            rule(desired, change)
    check_zfs(stage.world)
    for faults in stage.faults:
        for argv in faults.started.values():
            check_command_line(argv)


def told(result: RunResult | None) -> None:
    for planned, failure in result.failed if result is not None else ():
        note(f"failed: {planned.id}: {failure.message}")


def settle(stage: Stage, desired: Desired) -> None:
    """Let undisturbed controllers act until there is nothing to be done."""
    for _ in range(ROUNDS):
        told(Controller(stage, desired).apply())
    left = Controller(stage, desired).plan().actions
    assert left == (), [planned.id for planned in left]


# -- undisturbed -----------------------------------------------------------------------------------


@given(stories())
def test_what_is_planned_can_be_done_and_then_nothing_is_left_to_do(story: Story) -> None:
    stage, desired = story.told(), story.desired
    result = Controller(stage, desired).apply()
    told(result)
    assert result is not None
    assert result.ok
    assert Controller(stage, desired).plan().actions == ()
    check(stage, desired)


@given(stories())
def test_everything_a_controller_does_is_right(story: Story) -> None:
    stage, desired = story.told(), story.desired
    for _ in range(3):
        Controller(stage, desired).apply()
        stage.now += SLOT
    check(stage, desired)


@given(stories())
def test_each_action_does_what_its_effect_says(story: Story) -> None:
    stage, desired = story.told(), story.desired
    controller = Controller(stage, desired)
    observed, ledger = controller.observe(), Ledger()
    transfer = Transfer(controller.fleet)
    performer = Performer(controller.fleet, transfer, ledger.resolve, Impatient().wait)
    for planned in plan(desired, observed, stage.now).actions:
        action = planned.action
        expected = action.resolved(ledger.resolve).effect(observed)
        verdict = performer.perform(action, lambda _: None)
        assert isinstance(verdict, Done), planned.id
        ledger.learn(verdict)
        observed = controller.observe()
        there, promised = shape(observed, ledger), shape(expected, ledger)
        for place in sorted(there.keys() | promised.keys()):
            assert there.get(place) == promised.get(place), f"{planned.id}: {place}"


def shape(observed: Observed, ledger: Ledger) -> dict[tuple[str, str], object]:
    """Return what an effect has to be right about."""
    return {
        (host, name): (
            filesystem.kind,
            filesystem.inconsistent,
            filesystem.placeholder,
            filesystem.disabled,
            filesystem.encryption,
            filesystem.resume_token is None,
            filesystem.readonly,
            filesystem.written == 0 if not filesystem.placeholder else None,
            [
                (ledger.resolve(v).guid, v.label, v.holds, v.userrefs, v.spec)
                for v in filesystem.versions
            ],
        )
        for host, seen in observed.items()
        if isinstance(seen, Seen)
        for name, filesystem in seen.filesystems.items()
    }


# -- disturbed -------------------------------------------------------------------------------------


@given(stories(), st.integers(0, 200), st.data())
def test_a_controller_killed_at_any_moment_leaves_a_way_on(
    story: Story, place: int, data: st.DataObject
) -> None:
    stage, desired = story.told(), story.desired
    rehearsal = Controller(stage.copy(), desired)
    rehearsal.apply()
    host = data.draw(st.sampled_from(sorted(desired.hosts)))
    moment = 1 + place % max(1, rehearsal.moments[host])
    assert Controller(stage, desired, {host: {moment: Dies()}}).apply() is None
    check(stage, desired)
    settle(stage, desired)
    check(stage, desired)


@given(
    stories(),
    st.lists(troubles(), max_size=3),
)
def test_whatever_goes_wrong_between_controller_and_hosts_nothing_is_lost(
    story: Story, wrong: list[Trouble]
) -> None:
    stage, desired = story.told(), story.desired
    planned: dict[str, dict[int, Fault]] = {host: {} for host in desired.hosts}
    for trouble in wrong:
        for host, faults in trouble.on(stage, desired).items():
            planned[host] |= faults
    told(Controller(stage, desired, planned).apply())
    check(stage, desired)
    settle(stage, desired)
    check(stage, desired)


@given(stories(), st.integers(0, 3))
def test_on_a_host_that_was_not_seen_and_on_its_peers_nothing_is_taken_away(
    story: Story, number: int
) -> None:
    stage, desired = story.told(), story.desired
    hosts = sorted(desired.hosts)
    lost = hosts[number % len(hosts)]
    controller = Controller(stage, desired, {lost: {1: Lost()}})
    made = controller.plan()
    assert isinstance(controller.observe()[lost], Unseen) or controller.faults[lost].happened
    controller.execute(made)
    peers = {
        host
        for r in desired.replications.values()
        for t in r.targets
        if lost in {t.host, *r.senders}
        for host in (t.host, *r.senders)
    }
    assert not [c for c in stage.changes if c.host == lost]
    only = all(
        lost == t.host or set(r.senders) == {lost}
        for r in desired.replications.values()
        for t in r.targets
    )
    if only:
        assert not [g for c in stage.changes if c.host in peers for g in gone(c)]
    check(stage, desired)
    settle(stage, desired)


@given(stories(), happenings(), st.integers(0, 3), st.integers(1, 150))
def test_whatever_somebody_else_does_meanwhile_only_what_is_ours_goes(
    story: Story, happening: Happening, number: int, moment: int
) -> None:
    stage, desired = story.told(), story.desired
    host = sorted(desired.hosts)[number % len(desired.hosts)]
    happening = replace_host(happening, stage, host)

    def act() -> None:
        happening.on(stage)

    told(Controller(stage, desired, {host: {moment: Interlude(act)}}).apply())
    for change in stage.changes:
        if happening.what != "a snapshot is made anew":
            check_is_managed_and_not_held(desired, change)
        check_filesystems_stay(desired, change)
        check_nothing_is_rolled_back(desired, change)
    check_zfs(stage.world)


def replace_host(happening: Happening, stage: Stage, host: str) -> Happening:
    return happening._replace(host=sorted(stage.world).index(host))


@given(stories(), st.integers(0, 3), st.integers(1, 150))
def test_two_controllers_at_once_do_no_harm(story: Story, number: int, moment: int) -> None:
    stage, desired = story.told(), story.desired
    host = sorted(desired.hosts)[number % len(desired.hosts)]
    other = Controller(stage, desired)
    made = other.plan()

    def act() -> None:
        other.execute(made)

    told(Controller(stage, desired, {host: {moment: Interlude(act)}}).apply())
    check(stage, desired)
    settle(stage, desired)
    check(stage, desired)
