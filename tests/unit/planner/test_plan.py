"""The plan as a value: its outcome, its counts, what it rests on."""

from dataclasses import replace

import pytest

from reconciler.planner.plan import Note, Outcome, Plan, Severity
from reconciler.planner.planning import plan
from reconciler.planner.roots import roots_of
from tests.support.converge import converge
from tests.support.worlds import NOW, desired, fs, instant, replica, seen, unseen, world

WWW = "backup/alpha/tank/www"
SPECS = desired("web: alpha tank/www every 15m keep last 1 -> vault")
ALPHA = seen("alpha", fs("tank/www", "@~22:00,11 @~23:15,12"), skew=1)
DIVERGED = seen("vault", replica(WWW, "@~22:00,11 @mine,99"))
FINE = seen("vault", replica(WWW, "@~22:00,11"))


def planned(vault: object = FINE) -> Plan:
    return plan(SPECS, world(ALPHA, vault), NOW)  # type: ignore[arg-type]


def settled() -> Plan:
    return plan(SPECS, converge(SPECS, world(ALPHA, FINE), NOW), NOW)


BROKEN = Note(Severity.ERROR, "broken")

OUTCOMES = {
    "nothing to do": (settled(), Outcome.NOTHING),
    "something to do": (planned(), Outcome.CHANGES),
    "a conflict": (planned(DIVERGED), Outcome.BLOCKED),
    "an unseen host": (planned(unseen("vault")), Outcome.INCOMPLETE),
    "an error, whatever else": (
        replace(planned(unseen("vault")), notes=(BROKEN,)),
        Outcome.ERROR,
    ),
    "warnings are no errors": (
        replace(settled(), notes=(Note(Severity.WARNING, "look"),)),
        Outcome.NOTHING,
    ),
}


@pytest.mark.parametrize(("made", "outcome"), OUTCOMES.values(), ids=OUTCOMES.keys())
def test_the_outcome_is_the_gravest_of_all(made: Plan, outcome: Outcome) -> None:
    assert made.outcome is outcome


def test_a_plan_counts_versions_for_destroys_and_filesystems_for_snapshots() -> None:
    specs = desired("web: alpha tank/** every 15m keep last 1")
    alpha = seen("alpha", fs("tank/a", "@~21:00,1 @~22:00,2"), fs("tank/b"))

    assert plan(specs, world(alpha), NOW).summary == {"destroy": 2, "snapshot": 3}


def test_a_plan_says_what_it_rests_on() -> None:
    made = plan(replace(SPECS, revision="main@abc"), world(ALPHA, unseen("vault", "no route")), NOW)

    alpha, vault = made.hosts
    assert (alpha.host, alpha.seen, alpha.observed_at) == ("alpha", True, NOW)
    assert alpha.zfs_version == "2.2.2"
    assert [name for name, _ in alpha.pools] == ["tank"]
    assert (vault.host, vault.seen, vault.cause) == ("vault", False, "no route")
    assert (made.at, made.specs.revision, made.specs.digest) == (NOW, "main@abc", "sha256:0")
    assert not made.complete


def test_a_host_that_was_not_asked_is_not_seen() -> None:
    made = plan(SPECS, world(ALPHA), NOW)

    assert [(state.host, state.cause) for state in made.hosts if not state.seen] == [
        ("vault", "was not asked")
    ]
    assert made.actions == ()


def test_a_plan_says_when_to_look_again() -> None:
    assert planned().next_due == instant("23:30")


def test_an_empty_spec_set_does_nothing() -> None:
    """Invariant 5."""
    nothing = replace(SPECS, replications={})
    made = plan(nothing, world(ALPHA, FINE), NOW)

    assert made.actions == ()
    assert made.outcome is Outcome.NOTHING
    assert made.next_due is None


def test_what_has_to_be_listed_is_the_sources_and_the_places_below_which_is_received() -> None:
    specs = desired(
        "db: beta tank/db/** -> vault dbs/{host}",
        "web: alpha,beta tank/www/** data/*/x -> vault -> north store",
    )

    assert roots_of(specs) == {
        "alpha": ("data", "tank/www"),
        "beta": ("data", "tank/db", "tank/www"),
        "north": ("store",),
        "vault": ("backup/alpha", "backup/beta", "dbs/beta"),
    }
