"""How often a host is gone to: a bounded number of times, however much is to be done there."""

from collections.abc import Mapping

import pytest

from reconciler.actions import Send
from reconciler.executor.ready import TOGETHER
from reconciler.planner.plan import Plan
from tests.support.stage import Controller, Stage
from tests.support.worlds import desired

WEB = desired("web: alpha tank/** !tank every 15m keep last 2 -> vault keep last 2")
SLOT = 900


def replicated(filesystems: int) -> Stage:
    """Return hosts on which so many filesystems were replicated, changed, and are due again."""
    made = Stage(["alpha", "vault"])
    made.sh("alpha", "zpool create tank disk")
    made.sh("alpha", *(f"zfs create tank/fs{number}" for number in range(filesystems)))
    made.sh("vault", "zpool create backup disk")
    for _ in range(3):
        Controller(made, WEB).apply()
        made.now += SLOT
        made.sh("alpha", *(f"write tank/fs{number} file 1M" for number in range(filesystems)))
    return made


def streams(plan: Plan) -> int:
    return sum(isinstance(planned.action, Send) for planned in plan.actions)


def cost(filesystems: int) -> Mapping[str, int]:
    """Return how many executions a cycle costs on each host, beside the streams."""
    stage = replicated(filesystems)
    controller = Controller(stage, WEB)
    plan = controller.plan()
    assert streams(plan) == filesystems
    result = controller.execute(plan)
    assert result.ok
    assert Controller(stage, WEB).plan().actions == ()
    return dict(controller.executions)


def processes(filesystems: int) -> Mapping[str, int]:
    """Return how many processes a cycle costs on each host, streams and looks included."""
    controller = Controller(replicated(filesystems), WEB)
    controller.apply()
    return {host: len(faults.started) for host, faults in controller.faults.items()}


def test_a_changed_filesystem_costs_three_processes_on_its_sender_and_two_on_its_receiver() -> None:
    """Those that do the work, and the look that comes back with the stream: all else is shared."""
    few, many = processes(5), processes(15)
    assert {host: many[host] - few[host] for host in few} == {"alpha": 30, "vault": 20}


@pytest.mark.parametrize("filesystems", [1, 7, TOGETHER])
def test_a_cycle_goes_to_each_host_twice_beside_the_look_and_the_streams(filesystems: int) -> None:
    """The formula in docs/design/004-executions.md, with the look that each cycle begins with."""
    assert cost(filesystems) == {"alpha": 1 + 2, "vault": 1 + 2}


def test_a_cycle_costs_a_bounded_number_of_executions_however_many_have_changed() -> None:
    found = cost(TOGETHER + 20)
    assert found["alpha"] <= 1 + 1 + 3 * 2
    assert found["vault"] <= 1 + 3 * 2
