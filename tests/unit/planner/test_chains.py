"""Chains: alpha → vault → north. What is sent on, and what stays in the middle for its sake."""

from reconciler.actions import Send
from reconciler.desired.model import Desired
from reconciler.observed.change import with_filesystem
from reconciler.observed.model import Filesystem, Observation, Observed
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from tests.support.converge import converge
from tests.support.shown import blocked, conflicts, notes, of_verb, steps
from tests.support.worlds import (
    NOW,
    desired,
    encrypted,
    fs,
    marks,
    placeholder,
    replica,
    seen,
    unseen,
    world,
)

MIDDLE = "backup/alpha/tank/www"
END = f"far/vault/{MIDDLE}"
ON = marks("north", "far/vault", "onward")


def cursor(guid: int) -> str:
    """The middle's cursor for north."""
    return f"#{ON.cursor_prefix}{guid:016x},{guid}"


IN_THE_MIDDLE = f"@~21:00,11 @~22:00,12 @~23:00,13,held=base {cursor(12)}"
SENT = "@~21:00,11 @~22:00,12 @~23:00,13 #cur,13"
ARRIVED = "@~21:00,11 @~22:00,12 @~23:00,13,held=base"
AT_THE_END = "@~21:00,11 @~22:00,12,held=rec-base_onward"


def specs(
    here: str = "", middle: str = "", end: str = "", onward: str = "", web: str = ""
) -> Desired:
    return desired(
        f"web: alpha tank/www {web} {here} -> vault {middle}",
        f"onward: vault backup/** received {onward} -> north far/{{host}} {end}",
    )


def hosts(
    alpha: str | Observation | None = SENT,
    vault: str | Observation | None = IN_THE_MIDDLE,
    north: str | Observation | None = AT_THE_END,
) -> Observed:
    """All three hosts, each by the versions it has, or as it is."""
    whole: list[Observation] = []
    for host, there, name in (
        ("alpha", alpha, "tank/www"),
        ("vault", vault, MIDDLE),
        ("north", north, END),
    ):
        pool: Filesystem = fs(name.partition("/")[0])
        if there is None:
            whole.append(seen(host, pool))
        elif isinstance(there, str):
            made = fs(name, there) if host == "alpha" else replica(name, there)
            whole.append(seen(host, pool, made))
        else:
            whole.append(there)
    return world(*whole)


def planned(observed: Observed, **said: str) -> Plan:
    return plan(specs(**said), observed, NOW)


def is_settled(observed: Observed, **said: str) -> bool:
    """Whether nothing is left to be done once the plan was carried out."""
    after = converge(specs(**said), observed, NOW)
    return plan(specs(**said), after, NOW).actions == ()


def test_what_is_received_is_sent_on_and_nothing_is_made_in_the_middle() -> None:
    made = planned(hosts(north=None))

    assert of_verb(made, "snapshot", "send") == [
        f"send vault {MIDDLE} full → @~21:00",
        f"send vault {MIDDLE} @~21:00 → @~22:00 @~23:00",
    ]


def test_what_the_same_plan_brings_is_sent_on_by_it_once_it_has_arrived() -> None:
    observed = hosts("@~22:00,12 @~23:00,13 #cur,13 @~23:10,14", north=AT_THE_END)
    made = planned(observed)
    first, *rest = [p for p in made.actions if p.action.verb == "send"]

    assert first.action.places == (("alpha", "tank/www"), ("vault", MIDDLE))
    assert [p.action.places[1][0] for p in rest] == ["north"]
    assert first.id in rest[0].depends_on
    assert is_settled(observed)


def test_a_snapshot_that_is_only_promised_goes_to_the_end_by_one_plan() -> None:
    observed = hosts()
    made = planned(observed, web="every 15m")

    assert of_verb(made, "snapshot", "send") == [
        "snapshot alpha tank/www @~23:15",
        "send alpha tank/www @~23:00 → @~23:15",
        f"send vault {MIDDLE} @~22:00 → @~23:00",
        f"send vault {MIDDLE} @~23:00 → @~23:15",
    ]
    assert is_settled(observed, web="every 15m")


def test_a_filesystem_that_is_new_everywhere_goes_all_the_way_by_one_plan() -> None:
    observed = hosts(vault=None, north=None)

    assert of_verb(planned(observed), "send")[-1] == (
        f"send vault {MIDDLE} @~21:00 → @~22:00 @~23:00"
    )
    assert is_settled(observed)


def test_an_encrypted_filesystem_goes_all_the_way_raw() -> None:
    secret = seen("alpha", fs("tank/www", SENT, **encrypted()))
    observed = hosts(alpha=secret, vault=None, north=None)
    made = planned(observed)

    sends = [p.action for p in made.actions if isinstance(p.action, Send)]
    assert [send.flags.raw for send in sends] == [True] * len(sends)
    assert conflicts(made) == []
    assert is_settled(observed)


def test_in_the_middle_the_rules_of_the_target_there_decide_but_for_what_the_end_needs() -> None:
    level = planned(hosts(), middle="keep last 1", end="keep last 9")
    behind = planned(hosts(), middle="keep last 1", end="keep last 9", onward="allow 0 2 * * * 4h")

    assert of_verb(level, "destroy") == [
        f"destroy vault {MIDDLE}@~21:00@~22:00",
        f"destroy vault {MIDDLE}#cur/north",
    ]
    assert of_verb(behind, "destroy") == [f"destroy vault {MIDDLE}@~21:00"]
    assert is_settled(hosts(), middle="keep last 1", end="keep last 9")


def test_in_the_middle_nothing_is_destroyed_before_it_was_sent_on() -> None:
    made = planned(hosts(), middle="keep last 1")
    send = next(p for p in made.actions if p.action.verb == "send")
    destroys = [p for p in made.actions if p.action.verb == "destroy"]

    assert destroys
    assert all(send.id in p.depends_on for p in destroys)


def test_while_the_end_is_not_seen_nothing_is_let_go_in_the_middle() -> None:
    made = planned(
        hosts(f"{SENT} @~23:10,14", north=unseen("north")), middle="keep last 1", end="keep last 1"
    )

    assert of_verb(made, "send") == ["send alpha tank/www @~23:00 → @~23:10"]
    assert {p.action.verb for p in made.actions if ("vault", MIDDLE) in p.action.places} == {
        "send",
        "hold",
    }
    assert blocked(made) == []


def test_while_the_beginning_is_not_seen_the_middle_sends_on_and_lets_nothing_go() -> None:
    made = planned(
        hosts(unseen("alpha"), f"{ARRIVED} {cursor(11)} {cursor(12)}"), middle="keep last 1"
    )
    verbs = [p.action.verb for p in made.actions if p.action.places[0] == ("vault", MIDDLE)]

    assert of_verb(made, "send") == [f"send vault {MIDDLE} @~22:00 → @~23:00"]
    assert verbs == ["hold", "send", "bookmark"]
    assert blocked(made) == []


def test_a_conflict_at_the_end_stops_what_goes_in_the_middle() -> None:
    diverged = f"{AT_THE_END} @mine,99"
    made = planned(hosts(north=diverged), middle="keep last 1")

    assert conflicts(made) == [f"north {END} diverged"]
    assert of_verb(made, "destroy") == []
    assert blocked(made) == []


def test_a_conflict_in_the_middle_is_left_to_a_person_whatever_the_target_says() -> None:
    made = planned(hosts(vault=f"{ARRIVED} @mine,99 {cursor(12)}"), middle="conflict rollback")

    (conflict,) = made.conflicts
    assert conflict.evidence[-1] == "it is left as it is, because onward sends it on"
    assert of_verb(made, "rollback", "destroy") == []


def test_what_the_middle_has_lost_comes_back_before_the_end_lets_go_of_anything() -> None:
    """The end has what the middle lost: then the first replication brings it there again."""
    observed = hosts(
        vault=f"@~21:00,11,held=base {cursor(11)}",
        north="@~21:00,11 @~22:00,12 @~23:00,13,held=rec-base_onward",
    )
    made = planned(observed, end="keep last 1")
    destroys = [p for p in made.actions if p.action.places[0] == ("north", END)]
    send = [p.id for p in made.actions if p.action.verb == "send"]

    assert [p.action.verb for p in destroys] == ["destroy"]
    assert set(send) & set(destroys[0].depends_on)
    assert blocked(made) == []
    assert is_settled(observed, end="keep last 1")


def test_a_parent_that_only_has_to_exist_is_one_at_the_end_as_well() -> None:
    middle = seen("vault", placeholder("backup/alpha"), placeholder("backup/alpha/tank"))
    vault = with_filesystem(world(middle), "vault", replica(MIDDLE, ARRIVED))["vault"]
    made = plan(
        desired(
            "web: alpha tank/** -> vault",
            "onward: vault backup/** received -> north far/{host}",
        ),
        hosts(vault=vault, north=None),
        NOW,
    )

    assert conflicts(made) == ["vault backup/alpha/tank receiver-is-placeholder"]
    assert "create north far/vault/backup/alpha/tank" in steps(made)


def test_that_nothing_has_arrived_yet_is_a_word_and_no_error() -> None:
    made = planned(hosts(unseen("alpha"), None, None))

    assert notes(made) == ["warning: nothing has arrived on vault that onward is to send on"]


def test_only_what_arrives_is_sent_on_and_no_snapshot_of_others() -> None:
    received = replica(MIDDLE, f"{ARRIVED} {cursor(13)}")
    local = fs("backup/local", "@~23:00,77")
    vault = seen("vault", fs("backup"), received, local)
    made = planned(hosts(vault=vault, north=None))

    assert {p.action.places[0] for p in made.actions if p.action.verb == "send"} == {
        ("vault", MIDDLE)
    }


def test_three_links_are_planned_in_the_order_of_the_chain() -> None:
    specs = desired(
        "c: alpha tank/www every 15m -> vault",
        "b: vault backup/** received -> north far/{host}",
        "a: north far/** received -> south deep/{host}",
    )
    observed = {**hosts(vault=None, north=None), "south": seen("south", fs("deep"))}
    made = plan(specs, observed, NOW)
    order = [p.action.places[1][0] for p in made.actions if p.action.verb == "send"]

    assert list(dict.fromkeys(order)) == ["vault", "north", "south"]
    assert plan(specs, converge(specs, observed, NOW), NOW).actions == ()


def test_why_a_version_stays_in_the_middle_names_what_the_end_needs() -> None:
    made = plan(
        specs(middle="keep last 1", onward="allow 0 2 * * * 4h"), hosts(), NOW, explain=True
    )
    rules = {
        k.version.label: k.rules for k in made.kept if (k.host, k.filesystem) == ("vault", MIDDLE)
    }

    assert rules["@rec-20261122T220000Z"] == ("most recent common version",)
