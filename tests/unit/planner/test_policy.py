"""What changed keep rules cost."""

from dataclasses import replace

import pytest

from reconciler.observed.model import Observed
from reconciler.planner.plan import PolicyChange
from reconciler.planner.policy import policy_change
from tests.support.worlds import NOW, desired, fs, replica, seen, unseen, world

VERSIONS = "@~20:00,1 @~21:00,2 @~22:00,3 @~23:00,4"
BOTH = world(
    seen("alpha", fs("tank/www", f"{VERSIONS} #cur,4")),
    seen("vault", replica("backup/alpha/tank/www", f"{VERSIONS},held=base")),
)
NOW_RULES = "web: alpha tank/www keep last 1 -> vault keep last 2"

CASES = {
    "longer on both sides": ("web: alpha tank/www keep last 3 -> vault keep last 3", (3, 0, 2)),
    "the same": (NOW_RULES, (0, 0, 0)),
    "longer on the receiver alone": (NOW_RULES.replace("last 2", "last 4"), (2, 0, 1)),
    "shorter on the receiver alone": (NOW_RULES.replace("last 2", "last 1"), (0, 1, 1)),
    "others on both sides": (
        "web: alpha tank/www keep matching .*T2[01].* -> vault keep last 1",
        (2, 1, 2),
    ),
    "without the target": ("web: alpha tank/www keep last 1", (2, 0, 1)),
    "with another place on the target": (
        "web: alpha tank/www keep last 1 -> vault other keep last 2",
        (2, 0, 1),
    ),
    "without the replication": ("db: alpha tank/db keep last 1", (5, 0, 2)),
}


@pytest.mark.parametrize(("before", "cost"), CASES.values(), ids=CASES.keys())
def test_the_cost_is_what_goes_by_these_rules_and_not_by_those(
    before: str, cost: tuple[int, int, int]
) -> None:
    other = replace(desired(before), revision="main@4e04f8d")

    found = policy_change(desired(NOW_RULES), other, BOTH, NOW)

    assert found == PolicyChange("main@4e04f8d", *cost)


def test_a_destroy_budget_does_not_make_the_cost_look_smaller() -> None:
    specs = desired("web: alpha tank/www max-destroy 1 keep last 1 -> vault keep last 2")

    assert policy_change(specs, desired("web: alpha tank/www"), BOTH, NOW).more == 5


def test_where_nothing_can_be_destroyed_changed_rules_cost_nothing() -> None:
    away: Observed = {**BOTH, "vault": unseen("vault")}

    assert policy_change(desired(NOW_RULES), desired("web: alpha tank/www"), away, NOW).more == 0
