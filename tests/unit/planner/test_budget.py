"""The destroy budget: what is over it, what never is, and what lifts it."""

from collections import Counter
from dataclasses import dataclass, replace

import pytest

from reconciler.actions import Destroy, Reason, Send
from reconciler.desired.model import MaxDestroy
from reconciler.observed.change import filesystem_of
from reconciler.observed.model import Observed, Seen
from reconciler.planner.budget import Going, excess
from reconciler.planner.guards import guard
from reconciler.planner.marks import snapshot_name
from reconciler.planner.plan import Outcome, Plan, PlannedAction, Specs
from reconciler.planner.planning import plan
from tests.support.converge import converge
from tests.support.shown import of_verb
from tests.support.worlds import NOW, desired, fs, instant, replica, seen, world

HALF = MaxDestroy(share=50)
WWW = "backup/alpha/tank/www"


@dataclass(frozen=True)
class Case:
    allowed: MaxDestroy
    going: int
    staying: int
    said: str | None
    fresh: int = 0


CASES = {
    "ten may always go by the share": Case(HALF, 10, 1, None),
    "as many as stay": Case(HALF, 11, 11, None),
    "one more than stay": Case(
        HALF, 12, 11, "12 of 23 versions would go in one run; at most 50% may"
    ),
    "another share": Case(
        MaxDestroy(share=10), 11, 98, "11 of 109 versions would go in one run; at most 10% may"
    ),
    "exactly the share": Case(MaxDestroy(share=10), 11, 99, None),
    "no share and no number": Case(MaxDestroy(), 1000, 1, None),
    "as many as the number": Case(MaxDestroy(versions=3), 3, 1, None),
    "more than the number": Case(
        MaxDestroy(versions=3), 4, 100, "4 of 104 versions would go in one run, at most 3 may"
    ),
    "both, the share is met": Case(
        MaxDestroy(3, 50), 4, 100, "4 of 104 versions would go in one run, at most 3 may"
    ),
    "both, the number is met": Case(
        MaxDestroy(50, 50), 30, 20, "30 of 50 versions would go in one run; at most 50% may"
    ),
    "what piled up is no share of anything": Case(HALF, 1000, 31, None, fresh=990),
    "what did not pile up is": Case(
        HALF,
        1000,
        30,
        "1000 of 1030 versions would go in one run, 960 of them made while a receiver was away;"
        " at most 50% may",
        fresh=960,
    ),
    "what piled up counts towards a number": Case(
        MaxDestroy(versions=3), 4, 9, "4 of 13 versions would go in one run, at most 3 may", fresh=4
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_budget_says_by_what_it_is_exceeded(case: Case) -> None:
    assert excess(case.allowed, Going(case.going, case.fresh, case.staying)) == case.said


# -- in plans --------------------------------------------------------------------------------------


def quarters(count: int, first: int = 1, prefix: str = "rec-", spec: str = "web") -> str:
    """So many snapshots, each a quarter of an hour after the one before; guids tell which ones."""
    start = instant("11-18T00:00")
    names = ((n, snapshot_name(prefix, start + 900 * n)) for n in range(first, first + count))
    return " ".join(f"@{name},{number},spec={spec}" for number, name in names)


def sent(here: str, there: str, specs: str) -> Plan:
    observed = world(
        seen("alpha", fs("tank/www", here)), seen("vault", replica(WWW, there.replace("web", "")))
    )
    return plan(desired(specs), observed, NOW)


def local(versions: str) -> Observed:
    return world(seen("alpha", fs("tank/www", versions)))


def gone(made: Plan) -> dict[str, int]:
    """How many snapshots are destroyed on each host."""
    found: Counter[str] = Counter()
    for action in (p.action for p in made.actions):
        if isinstance(action, Destroy):
            found[action.host] += sum(version.is_snapshot for version in action.versions)
    return dict(found)


SHORTER = "web: alpha tank/www every 15m max-destroy 50% keep last 3"


def test_a_rule_that_was_made_shorter_destroys_nothing_until_a_person_says_so() -> None:
    made = plan(desired(SHORTER), local(quarters(30)), NOW)

    assert gone(made) == {}
    (one,) = made.blocked
    assert (one.guard, len(one.versions)) == ("budget", 28)
    assert one.message == "28 of 31 versions would go in one run; at most 50% may"
    assert one.remedy == "look at the plan, then: reconciler apply --allow-destroy web"
    assert made.outcome is Outcome.BLOCKED


def test_a_number_may_be_smaller_than_what_always_may_go_by_the_share() -> None:
    specs = desired("web: alpha tank/www max-destroy 2 keep last 3")

    assert gone(plan(specs, local(quarters(5)), NOW)) == {"alpha": 2}
    assert gone(plan(specs, local(quarters(6)), NOW)) == {}


def test_only_the_name_of_that_replication_lifts_its_budget() -> None:
    specs = desired(SHORTER, "db: alpha tank/db keep last 1")

    assert gone(plan(specs, local(quarters(30)), NOW, allow_destroy=["db"])) == {}
    lifted = plan(specs, local(quarters(30)), NOW, allow_destroy=["web", "web"])
    assert gone(lifted) == {"alpha": 28}
    assert lifted.blocked == ()
    assert lifted.allow_destroy == ("web",)


def test_snapshots_sends_and_cursors_of_what_is_over_its_budget_go_on() -> None:
    made = sent(f"{quarters(30)} #cur,30", quarters(30), f"{SHORTER} -> vault")

    assert of_verb(made, "snapshot", "send", "cursor") == [
        "snapshot alpha tank/www @~23:15",
        "send alpha tank/www @rec-20261118T073000Z → @~23:15",
        "cursor alpha tank/www@~23:15 vault",
    ]
    assert [b.guard for b in made.blocked] == ["budget"]
    assert of_verb(made, "destroy") == ["destroy alpha tank/www#cur/vault"]


def test_each_side_has_its_own_budget() -> None:
    shorter_there = "web: alpha tank/www max-destroy 50% keep last 29 -> vault keep last 3"
    made = sent(quarters(30), quarters(30), shorter_there)

    assert gone(made) == {"alpha": 1}
    assert {b.host: len(b.versions) for b in made.blocked} == {"vault": 27}


def test_of_more_than_one_command_takes_all_is_blocked() -> None:
    made = plan(desired(SHORTER), local(quarters(250)), NOW)

    assert [len(b.versions) for b in made.blocked] == [100, 100, 48]
    assert gone(made) == {}


def test_two_replications_of_one_filesystem_have_a_budget_each() -> None:
    both = f"{quarters(30)} {quarters(30, 31, 'db-', 'db')}"
    specs = desired(SHORTER, "db: alpha tank/www prefix db- max-destroy 50% keep last 20")
    made = plan(specs, local(both), NOW)

    assert gone(made) == {"alpha": 10}
    assert [len(b.versions) for b in made.blocked] == [28]


# -- what is every day's work ----------------------------------------------------------------------

SAME = "web: alpha tank/www max-destroy 50% keep last 20 -> vault keep last 20"


def test_a_receiver_that_gets_all_at_once_may_let_go_of_all_it_had() -> None:
    made = sent(f"{quarters(1, 20)} {quarters(20, 40)}", quarters(20), SAME)

    assert gone(made) == {"alpha": 1, "vault": 20}
    assert made.blocked == ()


def test_what_a_sender_made_while_its_receiver_was_away_may_go_when_it_is_back() -> None:
    made = sent(quarters(200), quarters(20), SAME)

    assert gone(made) == {"alpha": 180, "vault": 20}
    assert made.blocked == ()


def test_of_what_a_sender_had_before_no_more_may_go_for_that() -> None:
    made = sent(quarters(200), quarters(20), SAME.replace("last 20 ->", "last 3 ->"))

    assert {b.host: b.message for b in made.blocked} == {
        "alpha": "197 of 200 versions would go in one run, 177 of them made while a receiver was"
        " away; at most 50% may"
    }


def test_nothing_counts_as_piled_up_before_all_receivers_were_up_to_date_once() -> None:
    specs = desired(f"{SAME} -> north keep last 20")
    observed = world(
        seen("alpha", fs("tank/www", quarters(200))),
        seen("vault", replica(WWW, quarters(20).replace("web", ""))),
        seen("north", fs("backup")),
    )

    assert [b.host for b in plan(specs, observed, NOW).blocked] == ["alpha", "alpha"]


@pytest.mark.parametrize(("waits", "blocked"), [(2, []), (1, ["budget"]), (0, ["budget"])])
def test_what_arrives_counts_only_where_the_destroys_wait_for_it(
    waits: int, blocked: list[str]
) -> None:
    specs = desired(SAME)
    observed = world(
        seen("alpha", fs("tank/www", quarters(40))),
        seen("vault", replica(WWW, quarters(20).replace("web", ""))),
    )
    (whole,) = [p for p in plan(specs, observed, NOW).actions if isinstance(p.action, Send)]
    (send,) = [whole.action] if isinstance(whole.action, Send) else []
    parts = (send.versions[:1], send.versions[1:])
    sends = [replace(whole, action=replace(send, versions=part)) for part in parts]
    there = filesystem_of(observed, "vault", WWW)
    assert there is not None
    after = tuple(p.id for p in sends[:waits])
    reason = Reason("test", "test")
    rash = PlannedAction(Destroy("vault", WWW, tuple(there.versions[:15])), reason, "web", after)
    draft = Plan(NOW, Specs(None, "sha256:0", 1), (), (*sends, rash))

    found = guard(draft, specs, observed)

    assert [b.guard for b in found.blocked] == blocked


@pytest.mark.parametrize(("first", "blocked"), [(11, []), (12, ["budget"] * 2)])
def test_what_goes_before_anything_arrives_has_to_be_within_the_budget_by_itself(
    first: int, blocked: list[str]
) -> None:
    specs = desired(SAME)
    observed = world(
        seen("alpha", fs("tank/www", quarters(60))),
        seen("vault", replica(WWW, quarters(22).replace("web", ""))),
    )
    sends = [p for p in plan(specs, observed, NOW).actions if not isinstance(p.action, Destroy)]
    there = filesystem_of(observed, "vault", WWW)
    assert there is not None
    reason, after = Reason("test", "test"), tuple(p.id for p in sends)
    early = PlannedAction(Destroy("vault", WWW, tuple(there.versions[:first])), reason, "web")
    late = PlannedAction(
        Destroy("vault", WWW, tuple(there.versions[first:-1])), reason, "web", after
    )
    draft = Plan(NOW, Specs(None, "sha256:0", 1), (), (early, *sends, late))

    assert [b.guard for b in guard(draft, specs, observed).blocked] == blocked


def test_a_day_of_quarters_in_many_small_steps_is_never_blocked() -> None:
    specs = desired(
        "web: alpha tank/www every 15m max-destroy 50% keep last 2 -> vault keep last 2"
    )
    observed = world(seen("alpha", fs("tank/www")), seen("vault", fs("backup")))
    for slot in range(40):
        now = instant("11-22T00:00") + 900 * slot
        current = {
            host: replace(found, at=now, clock=now)
            for host, found in observed.items()
            if isinstance(found, Seen)
        }
        assert plan(specs, current, now).blocked == ()
        observed = converge(specs, current, now)
