"""What a plan concluded is good for the next one only where all that it rests on is the same."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.actions import Destroy, Hold
from reconciler.desired.model import Desired
from reconciler.hosts.addresses import Limits
from reconciler.observed.change import filesystem_of, with_filesystem, without_filesystem
from reconciler.observed.model import Observed, Seen
from reconciler.planner.context import Context
from reconciler.planner.memory import Memory
from reconciler.planner.pairs import Pair
from reconciler.planner.pairwise import plan_pair
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from reconciler.zfs.handover import Properties
from tests.support.converge import converge
from tests.support.worlds import NOW, desired, fs, instant, pool, seen, unseen, world

WEB = desired("web: alpha tank/** !tank !tank/clones/** keep last 1 -> vault keep last 1")
BOTH = desired(
    "db: alpha tank/a external T220000Z -> north",
    "web: alpha tank/** !tank !tank/clones/** keep last 1 -> vault keep last 1",
)
OURS = "@~22:00,11 @~23:00,12"


def settled(specs: Desired = WEB) -> Observed:
    """Two filesystems that are in order on both ends, and not alike."""
    hosts = [
        seen("alpha", fs("tank/a", OURS), fs("tank/b", "@mine,21 @~23:00,22")),
        *(seen(host, pools=[pool("backup")]) for host in ("vault", "north")),
    ]
    hosts[1:] = [replace(one, filesystems={"backup": fs("backup")}) for one in hosts[1:]]
    observed = world(*hosts)
    for _ in range(2):
        observed = converge(specs, observed, NOW)
    assert plan(specs, observed, NOW).actions == ()
    return observed


def remembered(specs: Desired, observed: Observed, now: int = NOW) -> Memory:
    memory = Memory()
    assert plan(specs, observed, now, memory=memory) == plan(specs, observed, now)
    return memory


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pairs that are looked at in full."""
    names: list[str] = []

    def noted(pair: Pair, context: Context) -> Any:
        names.append(f"{pair.source.filesystem.name} {pair.receiver_host}")
        return plan_pair(pair, context)

    monkeypatch.setattr("reconciler.planner.middle.plan_pair", noted)
    return names


def test_a_pair_of_which_nothing_has_changed_is_not_looked_at_again(planned: list[str]) -> None:
    observed = settled()
    memory = Memory()
    planned.clear()
    plan(WEB, observed, NOW, memory=memory)
    assert planned == ["tank/a vault", "tank/b vault"]
    planned.clear()
    for _ in range(3):
        plan(WEB, observed, NOW, memory=memory)
    assert planned == []


@pytest.mark.parametrize(("host", "name"), [("alpha", "tank/b"), ("vault", "backup/alpha/tank/b")])
def test_only_pairs_are_looked_at_again_of_which_an_end_has_changed(
    planned: list[str], host: str, name: str
) -> None:
    observed = settled()
    memory = remembered(WEB, observed)
    planned.clear()
    there = filesystem_of(observed, host, name)
    assert there is not None
    plan(WEB, with_filesystem(observed, host, replace(there, used=7)), NOW, memory=memory)
    assert planned == ["tank/b vault"]


def test_what_a_plan_does_not_come_to_is_forgotten(planned: list[str]) -> None:
    observed = settled()
    memory = remembered(WEB, observed)
    plan(WEB, without_filesystem(observed, "alpha", "tank/b"), NOW, memory=memory)
    planned.clear()
    plan(WEB, observed, NOW, memory=memory)
    assert planned == ["tank/b vault"]


def test_when_free_space_has_changed_pairs_are_not_looked_at_again(planned: list[str]) -> None:
    observed = settled()
    memory = remembered(WEB, observed)
    planned.clear()
    plan(WEB, pools(observed, "vault", free=1), NOW, memory=memory)
    assert planned == []


# -- what a conclusion rests on --------------------------------------------------------------------


def pools(observed: Observed, host: str, **facts: Any) -> Observed:
    there = observed[host]
    assert isinstance(there, Seen)
    changed = {name: replace(found, **facts) for name, found in there.pools.items()}
    return {**observed, host: replace(there, pools=changed)}


def cloned(observed: Observed, host: str, origin: str) -> Observed:
    clone = fs(f"{origin.partition('/')[0]}/clones", origin=origin)
    return with_filesystem(observed, host, clone)


Case = tuple[Desired, Observed, Desired, Observed]


def only(observed: Observed, then: Observed, specs: Desired = WEB) -> Case:
    return specs, observed, specs, then


CASES: dict[str, Callable[[], Case]] = {}


def case(make: Callable[[], Case]) -> Callable[[], Case]:
    CASES[make.__name__.replace("_", " ")] = make
    return make


@case
def the_senders_pool_takes_no_changes() -> Case:
    observed = settled()
    return only(observed, pools(observed, "alpha", readonly=True))


@case
def the_receivers_pool_takes_no_changes() -> Case:
    observed = settled()
    return only(observed, pools(observed, "vault", health="SUSPENDED"))


@case
def the_replication_is_suspended() -> Case:
    observed = settled()
    web = replace(WEB.replications["web"], suspend=True)
    return WEB, observed, replace(WEB, replications={"web": web}), observed


@case
def a_host_keeps_to_a_rate_and_nothing_there_does() -> Case:
    observed = settled()
    alpha = replace(WEB.hosts["alpha"], limits=Limits(bandwidth=1000))
    return WEB, observed, replace(WEB, hosts={**WEB.hosts, "alpha": alpha}), observed


@case
def the_target_keeps_less() -> Case:
    more = desired("web: alpha tank/** !tank !tank/clones/** keep last 1 -> vault keep last 2")
    observed = settled(more)
    return more, observed, WEB, observed


@case
def the_source_keeps_less() -> Case:
    more = desired("web: alpha tank/** !tank !tank/clones/** keep last 2 -> vault keep last 1")
    observed = settled(more)
    return more, observed, WEB, observed


def expired(host: str, name: str) -> tuple[Observed, Observed]:
    """Two worlds of the same filesystems: an old version has a clone in the first one."""
    observed = settled(desired("web: alpha tank/** !tank keep last 2 -> vault keep last 2"))
    there = filesystem_of(observed, host, name)
    assert there is not None
    assert len(there.snapshots) == 2
    with_clone = cloned(observed, host, there.snapshots[0].of(name))
    fixed = {h: with_clone[h] if h == host else settled()[h] for h in observed}
    return fixed, without_filesystem(fixed, host, f"{name.partition('/')[0]}/clones")


@case
def a_clone_on_the_receiver_is_gone() -> Case:
    return only(*expired("vault", "backup/alpha/tank/a"))


@case
def a_clone_on_the_sender_is_gone() -> Case:
    return only(*expired("alpha", "tank/a"))


@case
def nobody_else_holds_a_snapshot_of_the_sender_any_more() -> Case:
    more = desired("web: alpha tank/** !tank !tank/clones/** keep last 2 -> vault keep last 1")
    observed = settled(more)
    there = filesystem_of(observed, "alpha", "tank/a")
    assert there is not None
    held = [
        v._replace(holds=("mine",), userrefs=1) if v.guid == 11 and v.is_snapshot else v
        for v in there.versions
    ]
    return only(with_filesystem(observed, "alpha", replace(there, versions=tuple(held))), observed)


@case
def another_replication_no_longer_needs_a_version() -> Case:
    observed = settled(BOTH)
    return BOTH, observed, WEB, observed


@pytest.mark.parametrize("name", CASES)
def test_what_rests_on_something_else_is_looked_at_again(name: str) -> None:
    specs, before, then, after = CASES[name]()
    memory = remembered(specs, before)
    expected = plan(then, after, NOW)
    assert told(expected) != told(plan(specs, before, NOW)), "the case shows nothing"
    assert plan(then, after, NOW, memory=memory) == expected


def told(made: Plan) -> object:
    return made.actions, made.conflicts, made.notes


def test_holds_that_stayed_for_a_peer_that_was_not_seen_are_released_when_it_is() -> None:
    specs = desired("web: alpha tank/** !tank keep last 1 -> vault -> north")
    observed = settled(specs)
    there = filesystem_of(observed, "alpha", "tank/a")
    assert there is not None
    actions = [p.action for p in plan(specs, settled_less(observed), NOW).actions]
    tag = next(a.tag for a in actions if isinstance(a, Hold) and a.host == "alpha")
    newest = there.snapshots[-1]._replace(holds=(tag,), userrefs=1)
    held = replace(
        there, versions=tuple(newest if v == there.snapshots[-1] else v for v in there.versions)
    )
    whole = with_filesystem(observed, "alpha", held)
    memory = remembered(specs, {**whole, "north": unseen("north")})
    again = plan(specs, whole, NOW, memory=memory)
    assert again == plan(specs, whole, NOW)
    assert [p.action.verb for p in again.actions] == ["release"]


def settled_less(observed: Observed) -> Observed:
    """The same before anything was received on the vault."""
    there = observed["vault"]
    assert isinstance(there, Seen)
    return {**observed, "vault": replace(there, filesystems={"backup": fs("backup")})}


def test_the_slot_that_follows_is_due_whatever_is_remembered() -> None:
    specs = desired("web: alpha tank/** !tank every 1h keep last 2 -> vault keep last 3")
    observed = settled(specs)
    memory = remembered(specs, observed)
    later = instant("11-23T00:05")
    again = plan(specs, observed, later, memory=memory)
    assert again == plan(specs, observed, later)
    assert {p.action.verb for p in again.actions} >= {"snapshot", "send", "destroy"}
    assert plan(specs, observed, NOW, memory=memory) == plan(specs, observed, NOW)


def test_why_things_stay_is_said_in_full_whatever_is_remembered() -> None:
    observed = settled()
    memory = remembered(WEB, observed)
    explained = plan(WEB, observed, NOW, explain=True, memory=memory)
    assert explained.kept
    assert explained == plan(WEB, observed, NOW, explain=True)


def test_what_is_destroyed_where_others_send_it_on_is_destroyed_until_it_is_gone() -> None:
    onward = "onward: vault backup/alpha/** received -> north"
    more = desired(onward, "web: alpha tank/** !tank keep last 2 -> vault keep last 2")
    less = desired(onward, "web: alpha tank/** !tank keep last 2 -> vault keep last 1")
    observed = settled(more)
    expected = plan(less, observed, NOW)
    assert [p.action.host for p in expected.actions if isinstance(p.action, Destroy)] == ["vault"]
    memory = remembered(less, observed)
    assert plan(less, observed, NOW, memory=memory) == expected


def test_what_another_replication_needs_of_a_filesystem_is_not_overlooked() -> None:
    observed = settled(BOTH)
    memory = remembered(BOTH, observed)
    there = filesystem_of(observed, "vault", "backup/alpha/tank/a")
    assert there is not None
    changed = with_filesystem(observed, "vault", replace(there, used=7))
    again = plan(BOTH, changed, NOW, memory=memory)
    assert again == plan(BOTH, changed, NOW)
    assert not again.blocked


def test_what_another_replication_sends_is_not_destroyed_by_the_one_that_made_it() -> None:
    specs = desired(
        "loc: alpha tank/** !tank keep last 1", "web: alpha tank/a external T220000Z -> vault"
    )
    here = fs("tank/a", "@~22:00,11 @~23:00,12", spec="loc")
    observed = world(seen("alpha", here), seen("vault", fs("backup")))
    observed = converge(specs, observed, NOW)
    memory = remembered(specs, observed)
    again = plan(specs, observed, NOW, memory=memory)
    assert again == plan(specs, observed, NOW)
    assert (again.actions, again.blocked) == ((), ())


@pytest.mark.parametrize(
    "less",
    [
        "web: alpha tank/** !tank keep last 2 -> vault keep last 1",
        "web: alpha tank/** !tank keep last 1 -> vault keep last 2",
    ],
)
def test_what_is_to_be_done_is_planned_until_it_is_done(less: str) -> None:
    observed = settled(desired("web: alpha tank/** !tank keep last 2 -> vault keep last 2"))
    memory = remembered(desired(less), observed)
    again = plan(desired(less), observed, NOW, memory=memory)
    assert again == plan(desired(less), observed, NOW)
    assert [p.action.verb for p in again.actions] == ["destroy"]


def test_a_conflict_is_said_until_it_is_settled() -> None:
    observed = settled()
    there = filesystem_of(observed, "vault", "backup/alpha/tank/a")
    assert there is not None
    written = with_filesystem(observed, "vault", replace(there, written=1))
    memory = remembered(WEB, written)
    again = plan(WEB, written, NOW, memory=memory)
    assert again == plan(WEB, written, NOW)
    assert [conflict.code for conflict in again.conflicts] == ["receiver-modified"]


@pytest.mark.parametrize(("host", "name"), [("alpha", "tank/a"), ("vault", "backup/alpha/tank/a")])
def test_what_zrepl_has_left_is_said_every_time(host: str, name: str) -> None:
    observed = settled()
    there = filesystem_of(observed, host, name)
    assert there is not None
    tag = "zrepl_last_received_J_x" if host == "vault" else "zrepl_STEP_J_x"
    held = [
        v._replace(holds=tuple(sorted({*v.holds, tag})), userrefs=len(v.holds) + 1)
        if v.is_snapshot
        else v
        for v in there.versions
    ]
    left = with_filesystem(observed, host, replace(there, versions=tuple(held)))
    memory = remembered(WEB, left)
    again = plan(WEB, left, NOW, memory=memory)
    assert again == plan(WEB, left, NOW)
    assert any("zrepl" in note.summary for note in again.notes)


def test_a_property_that_differs_from_what_was_given_is_said_every_time() -> None:
    [target] = WEB.replications["web"].targets
    given = replace(target, properties=Properties(override=(("atime", "off"),)))
    specs = replace(WEB, replications={"web": replace(WEB.replications["web"], targets=(given,))})
    there = filesystem_of(settled(), "vault", "backup/alpha/tank/a")
    assert there is not None
    changed = replace(there, properties={"atime": "on"})
    observed = with_filesystem(settled(), "vault", changed)
    memory = remembered(specs, observed)
    again = plan(specs, observed, NOW, memory=memory)

    assert any("atime" in note.summary for note in again.notes)
    assert again == plan(specs, observed, NOW)


def test_a_snapshot_that_was_made_for_the_slot_is_due_again_when_the_clock_is_set_back() -> None:
    specs = desired("web: alpha tank/** !tank every 1h keep last 9 -> vault keep last 9")
    observed = settled(specs)
    memory = remembered(specs, observed)
    earlier = instant("22:05")
    again = plan(specs, observed, earlier, memory=memory)
    assert again == plan(specs, observed, earlier)


def test_what_stayed_while_a_receiver_was_not_seen_may_go_when_it_is() -> None:
    specs = desired("web: alpha tank/** !tank keep last 1 -> vault keep matching nothing")
    observed = world(seen("alpha", fs("tank/a", OURS)), seen("vault", fs("backup")))
    memory = remembered(specs, {**observed, "vault": unseen("vault")})
    again = plan(specs, observed, NOW, memory=memory)
    assert again == plan(specs, observed, NOW)
    assert [p.action.verb for p in again.actions] == ["destroy"]
