"""No command line of ours ever goes further than its spec asks: `receive -F`, `destroy -r`, `a%b`.

Those of whole runs on simulated hosts are asked the same in test_on_simulated_hosts.
"""

from collections.abc import Iterator

from hypothesis import given

from reconciler.actions import Action, DestroyFilesystem, Rename, Rollback, Send, Together
from reconciler.planner.planning import plan
from reconciler.zfs.types import Argv
from tests.property.command_lines import check_command_line
from tests.property.odd_names import odd_scenarios
from tests.property.strategies import Scenario


def command_lines(action: Action) -> Iterator[Argv]:
    """Yield every command of an action, also those that wait for a condition."""
    if isinstance(action, Send):
        yield from (action.send_command(), action.receive_command(), action.look())
        return
    for step in Together.of([action], programs=True).script().steps:
        yield step.argv
        assert step.into is None


@given(odd_scenarios())
def test_no_plan_has_a_command_that_forces_or_rolls_back_or_destroys_more_than_it_names(
    world: Scenario,
) -> None:
    for planned in plan(*world).actions:
        action = planned.action
        departs = action.filesystem if isinstance(action, DestroyFilesystem) else ""
        for argv in command_lines(planned.action):
            check_command_line(argv, departs=departs)


@given(odd_scenarios(mends=True))
def test_only_what_a_target_asks_for_is_rolled_back_or_renamed_and_nothing_is_forced(
    world: Scenario,
) -> None:
    """That it is asked for is tested in test_mending."""
    for planned in plan(*world).actions:
        action = planned.action
        rolls, renames = isinstance(action, Rollback), isinstance(action, Rename)
        for argv in command_lines(action):
            check_command_line(argv, rollbacks=rolls, renames=renames)
