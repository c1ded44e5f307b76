"""Which part of a plan is whose, and that the parts of all keys come to the whole."""

from collections.abc import Iterable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.actions import Action, CreateFilesystem, Destroy, Release, Send, Snapshot
from reconciler.controller.keys import (
    Key,
    by_end,
    concerned,
    hosts_of,
    keys_of,
    neighbours,
    part_of,
    targets_of,
)
from reconciler.controller.uses import Use, minds, use_of, uses
from reconciler.desired.model import Desired
from reconciler.observed.model import Observed, Seen
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from reconciler.zfs.types import Version
from tests.property.questions import Doomed, doomed
from tests.property.strategies import Scenario, scenarios
from tests.support.converge import converge, stages
from tests.support.worlds import NOW, desired, fs, pool, replica, seen, unseen, world

FEWER = settings(max_examples=settings().max_examples // 4)
"""A scenario takes longer to think up than to look at."""

WEB = "web: alpha tank/** !tank every 15m keep last 2 -> vault keep last 3"
SENDER, PAIR = Key("web", "alpha"), Key("web", "alpha", "vault")


def parts(made: Plan, specs: Desired) -> dict[Key, Plan]:
    return {key: part_of(made, key, specs) for key in keys_of(specs)}


def ids(made: Plan) -> set[str]:
    return {planned.id for planned in made.actions}


# -- names -----------------------------------------------------------------------------------------


def test_a_replication_has_a_key_on_each_sender_and_one_for_each_receiver_host() -> None:
    specs = desired("web: alpha,beta tank -> vault -> vault other/{host} -> north")
    assert [str(key) for key in keys_of(specs)] == [
        "web (alpha)",
        "web (alpha → north)",
        "web (alpha → vault)",
        "web (beta)",
        "web (beta → north)",
        "web (beta → vault)",
    ]
    assert len(targets_of(PAIR, specs.replications["web"])) == 2
    assert (SENDER.kind, SENDER.ends) == ("sender", ("alpha",))
    assert (PAIR.kind, PAIR.ends) == ("pair", ("alpha", "vault"))


# -- whose an action is ----------------------------------------------------------------------------


@FEWER
@given(scenarios())
def test_every_action_belongs_to_exactly_one_key_and_waits_for_nothing_beyond_it(
    scenario: Scenario,
) -> None:
    made = plan(*scenario)
    found = parts(made, scenario.desired)
    owned = [id_ for part in found.values() for id_ in ids(part)]
    assert sorted(owned + _waiting(made, scenario.desired)) == sorted(ids(made))
    for part in found.values():
        done: set[str] = set()
        for planned in part.actions:
            assert set(planned.depends_on) <= done
            done.add(planned.id)
    assert {c for part in found.values() for c in part.conflicts} == set(made.conflicts)
    assert {b for part in found.values() for b in part.blocked} == set(made.blocked)


def _waiting(made: Plan, specs: Desired) -> list[str]:
    """What belongs to a key and depends on what another one has to do first."""
    begun = {id_ for part in parts(made, specs).values() for id_ in ids(part)}
    alone = [
        Plan(made.at, made.specs, made.hosts, (planned_alone,))
        for planned in made.actions
        if planned.id not in begun
        for planned_alone in [type(planned)(planned.action, planned.reason, planned.replication)]
    ]
    return [id_ for one in alone for key in keys_of(specs) for id_ in ids(part_of(one, key, specs))]


@FEWER
@given(scenarios(most=1, size=2), st.data())
def test_what_is_busy_is_not_touched(scenario: Scenario, data: st.DataObject) -> None:
    made = plan(*scenario)
    places = sorted({place for planned in made.actions for place in planned.action.places})
    busy = data.draw(st.sets(st.sampled_from(places))) if places else set[tuple[str, str]]()
    for key in keys_of(scenario.desired):
        whole = part_of(made, key, scenario.desired)
        part = part_of(made, key, scenario.desired, can=lambda a: not busy & set(a.places))
        assert ids(part) <= ids(whole)
        assert not busy & {place for p in part.actions for place in p.action.places}


def test_two_senders_may_both_make_the_parent_that_their_receivers_share() -> None:
    specs = desired("web: alpha,beta tank/** !tank -> vault backup/all/{host}")
    observed = world(
        seen("alpha", fs("tank/a", "@~23:00,1")),
        seen("beta", fs("tank/a", "@~23:00,2")),
        seen("vault", pools=[pool("backup")]),
    )
    made = plan(specs, observed, NOW)
    shared = {
        p.id
        for p in made.actions
        if isinstance(p.action, CreateFilesystem) and p.action.filesystem == "backup/all"
    }
    owners = [key for key, part in parts(made, specs).items() if shared & ids(part)]
    assert len(shared) == 1
    assert owners == [Key("web", "alpha", "vault"), Key("web", "beta", "vault")]


def test_two_replications_with_one_receiver_host_are_kept_apart() -> None:
    specs = desired(
        "a: alpha tank/a keep last 1 -> vault x/{host} keep last 1",
        "b: alpha tank/b prefix b- keep last 1 -> vault y/{host} keep last 1",
    )
    observed = world(
        seen("alpha", fs("tank/a", "@~23:00,1", spec="a"), fs("tank/b")),
        seen("vault", pools=[pool("x"), pool("y")]),
    )
    found = parts(plan(specs, observed, NOW), specs)
    for key, part in found.items():
        assert {planned.replication for planned in part.actions} <= {key.replication}
        names = {name for p in part.actions for _, name in p.action.places}
        other = {"a": "b", "b": "a"}[key.replication]
        assert not any(name.endswith(f"tank/{other}") for name in names)


def test_a_host_that_receives_from_itself_has_its_parts_told_apart() -> None:
    specs = desired(
        "web: alpha tank/** !tank every 15m keep last 1 -> alpha backup/all keep last 1"
    )
    source = fs("tank/a", "@~22:00,1 @~22:30,2 #cur,2 @~23:00,3")
    there = replica("backup/all/tank/a", "@~22:00,1 @~22:30,2,held=base")
    observed = world(seen("alpha", source, there))
    made = plan(specs, observed, NOW)
    owned = [id_ for part in parts(made, specs).values() for id_ in ids(part)]
    assert len(owned) == len(set(owned))
    pair = part_of(made, Key("web", "alpha", "alpha"), specs)
    assert all(
        p.action.filesystem.startswith("backup/")
        for p in pair.actions
        if isinstance(p.action, Destroy)
    )


# -- streams under way -----------------------------------------------------------------------------

RECEIVED = "@~22:30,2,held=base"
SENDING = ("alpha", "tank/a")


def under_way() -> tuple[Desired, Plan]:
    specs = desired(f"{WEB} -> north keep last 3")
    observed = world(
        seen("alpha", fs("tank/a", "@~22:00,1 @~22:30,2 #cur,2 #cur/north,2 @~23:00,3")),
        seen("vault", replica("backup/alpha/tank/a", RECEIVED)),
        seen("north", replica("backup/alpha/tank/a", RECEIVED)),
    )
    return specs, plan(specs, observed, NOW)


def beside(key: Key, made: Plan, specs: Desired) -> Plan:
    """A key's part while `PAIR` sends from that place."""

    def can(action: Action) -> bool:
        use = use_of(key, SENDING, action)
        return SENDING not in action.places or not minds(use, key, Use.SENDS, PAIR)

    return part_of(made, key, specs, can=can)


def test_while_a_pair_sends_it_leaves_that_place_alone_itself() -> None:
    specs, made = under_way()
    part = beside(PAIR, made, specs)
    assert not any(SENDING in planned.action.places for planned in part.actions)


def test_while_a_pair_sends_snapshots_are_made_there_and_nothing_is_destroyed() -> None:
    specs, made = under_way()
    part = beside(SENDER, made, specs)
    assert [type(planned.action) for planned in part.actions] == [Snapshot]
    assert uses(SENDER, part) == {SENDING: Use.SNAPSHOTS}


def test_while_one_pair_sends_another_one_does_as_if_it_did_not() -> None:
    specs, made = under_way()
    north = Key("web", "alpha", "north")
    part = beside(north, made, specs)
    assert part == part_of(made, north, specs)
    assert any(isinstance(planned.action, Send) for planned in part.actions)
    assert uses(north, part) == {
        SENDING: Use.SENDS,
        ("north", "backup/alpha/tank/a"): Use.ALONE,
    }


# -- the parts come to the whole -------------------------------------------------------------------


def shape(observed: Observed) -> dict[tuple[str, str], object]:
    """What is there, but for the order of transactions.

    While a receiver is not seen nothing is released on its senders, so there each stream leaves the
    hold that it went under; how many streams there were is nobody's promise.
    """
    everything_seen = all(isinstance(what, Seen) for what in observed.values())

    def held(version: Version) -> tuple[str, ...]:
        return tuple(tag for tag in version.holds if everything_seen or "step_" not in tag)

    return {
        (host, name): {(v.label, v.guid, held(v)) for v in filesystem.versions}
        for host, what in observed.items()
        if isinstance(what, Seen)
        for name, filesystem in what.filesystems.items()
    }


def rounds(scenario: Scenario, order: Sequence[Key]) -> Observed:
    """Do the parts of all keys, again and again, until nothing is left."""
    specs, observed, now = scenario
    for _ in range(10):
        before = observed
        for key in order:
            part = part_of(plan(specs, observed, now), key, specs)
            *_, observed = stages(part.actions, observed)
        if observed == before:
            return observed
    raise AssertionError("there is no end to it")


def shuffled(keys: Iterable[Key], data: st.DataObject) -> list[Key]:
    return list(data.draw(st.permutations(list(keys))))


@FEWER
@given(scenarios(most=2), st.data())
def test_doing_all_parts_in_any_order_comes_to_an_end_and_leaves_nothing(
    scenario: Scenario, data: st.DataObject
) -> None:
    after = rounds(scenario, shuffled(keys_of(scenario.desired), data))
    assert plan(scenario.desired, after, scenario.now).actions == ()


@FEWER
@given(scenarios(most=2), st.data())
def test_doing_all_parts_ends_where_doing_the_whole_plan_ends(
    scenario: Scenario, data: st.DataObject
) -> None:
    """Senders first: what `initial newest` sends depends on which snapshot is the newest then."""
    keys = list(keys_of(scenario.desired))
    senders = [key for key in keys if not key.receiver]
    pairs = [key for key in keys if key.receiver]
    after = rounds(scenario, [*shuffled(senders, data), *shuffled(pairs, data)])
    assert shape(after) == shape(converge(*scenario))


# -- what has to be known --------------------------------------------------------------------------


def destroyed(made: Plan) -> set[Doomed]:
    return set(doomed(made))


def released(made: Plan) -> set[str]:
    return {planned.id for planned in made.actions if isinstance(planned.action, Release)}


def known(observed: Observed, hosts: Iterable[str]) -> Observed:
    return {host: observed[host] for host in sorted(hosts)}


@FEWER
@given(scenarios(), st.data())
def test_knowing_its_own_hosts_or_less_a_key_lets_nothing_go_that_the_whole_would_not(
    scenario: Scenario, data: st.DataObject
) -> None:
    specs, observed, now = scenario
    whole = plan(*scenario)
    for key in keys_of(specs):
        hosts = hosts_of(key, specs)
        away = data.draw(st.sets(st.sampled_from(sorted(hosts))))
        less = {host: unseen(host) if host in away else observed[host] for host in sorted(hosts)}
        for seen_then in (known(observed, hosts), less):
            part = part_of(plan(specs, seen_then, now), key, specs)
            assert destroyed(part) <= destroyed(whole)
            assert released(part) <= released(whole)


CHAIN = (
    "web: alpha tank/** !tank every 15m keep last 1 -> vault keep last 1",
    "off: vault backup/alpha/** prefix rec- keep last 1 -> north far/{host} keep last 1",
)


def chain(*, north: str) -> Scenario:
    there = "far/vault/backup/alpha/tank/a"
    versions = "@~22:00,1 @~22:30,2 @~23:15,3"
    return Scenario(
        desired(*CHAIN),
        world(
            seen("alpha", fs("tank/a", "#cur,3 @~23:15,3")),
            seen("vault", replica("backup/alpha/tank/a", f"{versions},held=base")),
            seen("north", replica(there, north)),
        ),
        NOW,
    )


def test_in_a_chain_what_the_next_receiver_needs_has_to_be_known() -> None:
    specs = chain(north="@~22:30,2").desired
    assert hosts_of(PAIR, specs) == {"alpha", "vault", "north"}
    assert hosts_of(Key("off", "vault"), specs) == {"alpha", "vault", "north"}
    assert hosts_of(SENDER, specs) == {"alpha", "vault"}


def test_in_a_chain_what_the_next_receiver_has_last_is_not_destroyed_before_it() -> None:
    scenario = chain(north="@~22:30,2")
    whole = plan(*scenario)
    for key in keys_of(scenario.desired):
        hosts = known(scenario.observed, hosts_of(key, scenario.desired))
        part = part_of(plan(scenario.desired, hosts, NOW), key, scenario.desired)
        assert destroyed(part) <= destroyed(whole)
        assert 2 not in {version.guid for (host, _), version in destroyed(part) if host == "vault"}


# -- who is woken ----------------------------------------------------------------------------------


def test_a_key_is_found_at_each_of_its_ends_once() -> None:
    keys = list(keys_of(desired(WEB, "same: vault data -> vault", *CHAIN[1:])))
    at = by_end(keys)
    assert {host: [k for k in keys if host in k.ends] for host in at} == {
        host: list(found) for host, found in at.items()
    }
    assert at.keys() == {host for key in keys for host in key.ends}


def test_a_change_concerns_those_who_look_at_the_filesystem() -> None:
    specs = desired(WEB, "db: alpha data/** prefix db- -> vault other/{host}")
    at = by_end(keys_of(specs))
    assert set(concerned(specs, at, "alpha", {"tank/a"})) == {SENDER, PAIR}
    assert set(concerned(specs, at, "vault", {"backup/alpha/tank/a"})) == {PAIR}
    assert set(concerned(specs, at, "vault", {"backup"})) == {PAIR}
    assert set(concerned(specs, at, "vault", {"backup/beta"})) == set()
    assert set(concerned(specs, at, "alpha", {"elsewhere/x"})) == set()
    assert len(set(concerned(specs, at, "vault", None))) == 2
    assert set(concerned(specs, at, "unknown", None)) == set()


def test_what_a_sender_did_concerns_its_receivers_and_the_other_way_round() -> None:
    specs = desired(f"{WEB} -> north keep last 1", *CHAIN[1:])
    at = by_end(keys_of(specs))
    north = Key("web", "alpha", "north")
    assert set(neighbours(SENDER, at, specs)) == {PAIR, north}
    assert set(neighbours(PAIR, at, specs)) == {
        SENDER,
        Key("off", "vault"),
        Key("off", "vault", "north"),
    }
    assert set(neighbours(north, at, specs)) == {SENDER}
