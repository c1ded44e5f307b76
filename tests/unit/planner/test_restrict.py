"""A part of a plan by address, and what hosts are asked about."""

import pytest

from reconciler.errors import UsageError
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from reconciler.planner.restrict import restrict
from reconciler.planner.roots import roots_of
from tests.support.worlds import NOW, desired, fs, seen, unseen, world

SPECS = desired(
    "web: alpha tank/www/** every 15m keep last 1 -> vault backup/{host} keep last 2",
    "db: beta tank/db every 15m -> vault backup/{host}",
)
NAMES = tuple(SPECS.replications)
WORLD = world(
    seen("alpha", fs("tank/www", "@~22:30,1 @~22:45,2"), fs("tank/www/a", "")),
    seen("beta", fs("tank/db", "", spec="db")),
    seen("vault", fs("backup", "")),
)


@pytest.fixture
def whole() -> Plan:
    return plan(SPECS, WORLD, NOW)


def test_without_addresses_a_plan_is_whole(whole: Plan) -> None:
    assert restrict(whole, (), NAMES) is whole
    assert whole.complete


@pytest.mark.parametrize(
    ("address", "hosts"),
    [
        pytest.param("db", {"beta", "vault"}, id="replication"),
        pytest.param("beta", {"beta", "vault"}, id="host"),
        pytest.param("beta:tank/db", {"beta", "vault"}, id="filesystem"),
        pytest.param("vault:backup/alpha/*", {"alpha", "vault"}, id="pattern"),
    ],
)
def test_an_address_chooses_actions_and_what_they_depend_on(
    whole: Plan, address: str, hosts: set[str]
) -> None:
    part = restrict(whole, (address,), NAMES)
    assert {planned.action.host for planned in part.actions} <= hosts
    assert any(planned.action.verb == "send" for planned in part.actions)
    ids = {planned.id for planned in part.actions}
    assert all(ids >= set(planned.depends_on) for planned in part.actions)
    assert part.targets == (address,)
    assert not part.complete


def test_one_action_by_its_id_comes_with_what_it_needs(whole: Plan) -> None:
    [release, *_] = [p for p in whole.actions if p.action.verb == "release"]
    part = restrict(whole, (release.id,), NAMES)
    assert {"snapshot", "send", "release"} <= {p.action.verb for p in part.actions}
    assert sum(p.action.verb == "send" for p in part.actions) < sum(
        p.action.verb == "send" for p in whole.actions
    )


def test_a_chosen_send_comes_with_hold_and_cursor_but_without_destroys(whole: Plan) -> None:
    part = restrict(whole, ("vault:backup/alpha/tank/www",), NAMES)
    verbs = {planned.action.verb for planned in part.actions}
    assert verbs == {"snapshot", "create-filesystem", "hold", "send", "bookmark", "release"}
    assert any(planned.action.verb == "destroy" for planned in whole.actions)


def test_an_address_that_names_nothing_is_an_error(whole: Plan) -> None:
    with pytest.raises(UsageError, match="--target nowhere names no replication"):
        restrict(whole, ("db", "nowhere"), NAMES)


@pytest.mark.parametrize("address", ["beta", "db", "beta:tank/db"])
def test_an_address_with_nothing_to_do_gives_an_empty_part(address: str) -> None:
    away = plan(SPECS, {**WORLD, "beta": unseen("beta")}, NOW)
    assert restrict(away, (address,), NAMES).actions == ()


def test_each_host_is_asked_about_what_it_sends_and_what_it_receives() -> None:
    assert roots_of(SPECS) == {
        "alpha": ("tank/www",),
        "beta": ("tank/db",),
        "vault": ("backup/alpha", "backup/beta"),
    }
