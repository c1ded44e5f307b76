"""The status value as the engine's knowledge makes it, and what of it is worth storing again."""

from dataclasses import replace

import pytest

from reconciler.controller.overview import Self, gist, overview, where
from reconciler.hosts.addresses import (
    HostAddress,
    LocalAddress,
    SimulatedAddress,
    SshAddress,
)
from reconciler.report.status import (
    Condition,
    ConditionType,
    ControllerStatus,
    Hearing,
    Phase,
    ReplicationStatus,
    SpecsStatus,
    Truth,
    condition,
)
from reconciler.simulator.faults import Lost
from tests.support.living import Life
from tests.support.stage import Stage
from tests.support.worlds import desired

ME = Self("1.0", "ctl pid 1", 1, 8, dry_run=False)
SOURCE = SpecsStatus("specs", "sha256:0", None, 3, 1, None)
SLOT = 900
SELDOM = "web: alpha tank/** !tank keep last 2 -> vault keep last 3"
AWAY = dict.fromkeys(range(1, 10_000), Lost())


def a_life(spec: str = "", goal: int | None = SLOT, **facts: object) -> Life:
    specs = desired(spec or "web: alpha tank/** !tank every 15m keep last 2 -> vault keep last 3")
    (target,) = specs.replications["web"].targets
    web = replace(specs.replications["web"], targets=(replace(target, max_lag=goal),))
    specs = replace(specs, replications={"web": web})
    stage = Stage(sorted(specs.hosts))
    stage.sh("alpha", "zpool create tank disk", "zfs create tank/a")
    stage.sh("vault", "zpool create backup disk")
    return Life(stage, specs, **facts)  # type: ignore[arg-type]


def status(life: Life, before: ControllerStatus | None = None) -> ControllerStatus:
    return overview(life.engine, ME, SOURCE, before, life.stage.now)


def web(found: ControllerStatus) -> ReplicationStatus:
    (one,) = found.replications
    return one


def ready(found: ControllerStatus) -> Condition:
    one = condition(web(found).conditions, ConditionType.READY)
    assert one is not None
    return one


@pytest.fixture
def life() -> Life:
    """All has been done and seen to be well."""
    life = a_life()
    life.live(SLOT // 2)
    return life


# -- what is known ---------------------------------------------------------------------------------


def test_before_anything_was_looked_at_nothing_is_claimed() -> None:
    found = status(a_life())
    assert not found.ready
    assert ready(found).status is Truth.UNKNOWN
    assert [host.conditions[0].reason for host in found.hosts] == ["NotObserved", "NotObserved"]


def test_once_all_was_done_it_says_so(life: Life) -> None:
    found = status(life)
    assert found.ready
    assert ready(found).status is Truth.TRUE
    assert [way.phase for way in web(found).ways] == [Phase.IDLE, Phase.IDLE]
    assert [(way.sender, way.receiver) for way in web(found).ways] == [
        ("alpha", None),
        ("alpha", "vault"),
    ]
    (lag,) = web(found).lags
    assert lag.newest == lag.replicated is not None
    alpha, vault = found.hosts
    assert (alpha.name, alpha.filesystems, alpha.snapshots, alpha.bookmarks) == ("alpha", 2, 1, 1)
    assert (vault.name, vault.pools[0].name, vault.snapshots) == ("vault", "backup", 1)


def test_after_a_restart_what_an_earlier_process_saw_is_shown_and_is_not_ready(life: Life) -> None:
    earlier = status(life)
    reborn = Life(life.stage, life.desired)
    found = overview(reborn.engine, ME, SOURCE, earlier, life.stage.now)
    assert found.hosts[0].filesystems == 2
    assert not found.ready


def test_without_specs_nothing_is_ready(life: Life) -> None:
    life.engine.law = None
    found = status(life)
    assert not found.ready
    assert not found.hosts
    assert not found.replications


def test_whether_a_host_is_heard_is_told(life: Life) -> None:
    life.engine.hears("alpha", is_open=True)
    assert [host.hearing for host in status(life).hosts] == [Hearing.EVENTS, Hearing.POLLING]


def test_a_host_that_is_away_keeps_what_was_known_of_it(life: Life) -> None:
    before = status(life)
    life.faults["vault"].planned = AWAY
    life.live(SLOT)
    found = status(life, before)
    vault = found.hosts[1]
    assert vault.conditions[0].reason == "HostUnreachable"
    assert (vault.snapshots, vault.observed_at) == (1, before.hosts[1].observed_at)
    assert web(found).ways[1].phase is Phase.RETRYING
    assert web(found).ways[1].failures > 0
    assert "vault was not seen" in web(found).ways[1].message


def test_what_is_suspended_says_by_whom(life: Life) -> None:
    life.engine.suspend({"web": "by root: maintenance"})
    found = web(status(life))
    assert found.suspended == "by root: maintenance"
    assert found.next_due is None


# -- lag and transitions ---------------------------------------------------------------------------


def test_lag_grows_while_a_host_is_away_and_ready_turns_once(life: Life) -> None:
    found = status(life)
    began = web(found).lags[0].replicated
    life.faults["vault"].planned = AWAY
    transitions: list[tuple[Truth, int]] = []
    for _ in range(6):
        life.live(SLOT)
        found = status(life, found)
        assert web(found).lags[0].replicated == began
        transitions.append((ready(found).status, ready(found).last_transition))
    assert web(found).lags[0].is_late(life.stage.now)
    assert len(set(transitions)) == 1
    life.faults["vault"].planned = {}
    life.live(SLOT)
    found = status(life, found)
    assert ready(found).status is Truth.TRUE
    assert ready(found).last_transition == life.stage.now
    assert not web(found).lags[0].is_late(life.stage.now)


# -- what is worth storing -------------------------------------------------------------------------


def test_states_that_differ_only_in_time_have_the_same_gist() -> None:
    life = a_life(SELDOM, None)
    life.live(SLOT)
    first = status(life)
    life.live(SLOT // 2)
    second = status(life, first)
    assert first != second
    assert gist(first) == gist(second)


def test_the_next_slot_alone_is_nothing_to_store() -> None:
    life = a_life(dry_run=True)
    life.live(SLOT)
    first = status(life)
    life.live(3 * SLOT)
    second = status(life, first)
    assert web(first).next_due != web(second).next_due
    assert gist(first) == gist(second)


def test_failing_again_alike_is_nothing_to_store() -> None:
    life = a_life(SELDOM, None)
    life.live(SLOT)
    life.faults["vault"].planned = AWAY
    life.live(8 * SLOT)
    first = status(life)
    life.live(3 * SLOT)
    second = status(life, first)
    assert web(first).ways[1].failures < web(second).ways[1].failures
    assert gist(first) == gist(second)


def test_a_new_snapshot_and_new_trouble_are_worth_storing(life: Life) -> None:
    first = status(life)
    life.live(SLOT)
    second = status(life, first)
    assert gist(second) != gist(first)
    life.engine.suspend({"web": "by root"})
    assert gist(status(life, second)) != gist(second)


# -- words -----------------------------------------------------------------------------------------


def test_it_is_said_how_a_host_is_reached() -> None:
    ssh = SshAddress("web1.example.com", user="zfs", port=2222)
    assert where(HostAddress("a", ssh)) == "ssh zfs@web1.example.com:2222"
    assert where(HostAddress("a", SshAddress("web1"))) == "ssh web1"
    assert where(HostAddress("a", LocalAddress())) == "local"
    assert where(HostAddress("a", SimulatedAddress("a.json"))) == "simulated a.json"


# -- the destroy budget ----------------------------------------------------------------------------


def test_what_is_over_its_destroy_budget_waits_for_a_person_and_all_else_goes_on() -> None:
    life = a_life("web: alpha tank/** !tank every 15m keep last 30 -> vault keep last 30")
    life.live(20 * SLOT)
    shorter = desired("web: alpha tank/** !tank every 15m max-destroy 50% keep last 2 -> vault")
    life.engine.adopt(shorter, life.fleet(shorter))
    before = snapshots(life)
    life.live(3 * SLOT)

    assert snapshots(life) == {host: count + 3 for host, count in before.items()}
    (blocked,) = web(status(life)).blocked
    assert (blocked.host, blocked.filesystem, blocked.code) == ("alpha", "tank/a", "budget")
    assert blocked.remedy == "look at the plan, then: reconciler apply --allow-destroy web"
    assert (ready(status(life)).status, ready(status(life)).reason) == (
        Truth.FALSE,
        "DestroyBlocked",
    )
    stalled = condition(web(status(life)).conditions, ConditionType.STALLED)
    assert stalled is not None
    assert stalled.message == "1 thing waiting for a person"


def snapshots(life: Life) -> dict[str, int]:
    """How many snapshots each host has."""
    return {
        host: len(life.stage.sh(host, "zfs list -H -t snapshot -o name").stdout.splitlines())
        for host in ("alpha", "vault")
    }
