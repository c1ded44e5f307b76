"""A saved plan against the world as it is now."""

from dataclasses import replace

from reconciler.observed.model import Observed
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from reconciler.report.plan_json import dumps, loads
from reconciler.report.stale import SHOWN, stale
from tests.support.worlds import NOW, desired, fs, replica, seen, unseen, world

SPECS = desired("web: alpha tank/www/** every 15m keep last 2 -> vault keep last 2")
HERE = "@~22:30,1 @~22:45,2 @~23:00,3 #cur,3"
VAULT = seen("vault", replica("backup/alpha/tank/www", "@~22:30,1 @~22:45,2 @~23:00,3,held=base"))


def made(observed: Observed) -> Plan:
    return plan(SPECS, observed, NOW)


def alpha(versions: str = HERE, **facts: object) -> Observed:
    return world(seen("alpha", fs("tank/www", versions, **facts)), VAULT)  # type: ignore[arg-type]


SAVED = loads(dumps(made(alpha())))


def test_a_plan_fits_while_nothing_changes() -> None:
    assert stale(SAVED, made(alpha())) == ()


def test_writes_and_the_time_of_looking_do_not_matter() -> None:
    busy = fs("tank/www", HERE, written=999, referenced=5)
    later = world(seen("alpha", busy, at=NOW + 60), VAULT)
    assert stale(SAVED, made(later)) == ()


def test_other_specs_do() -> None:
    fresh = replace(SAVED, specs=replace(SAVED.specs, digest="sha256:1"))
    assert stale(SAVED, fresh) == ("the specs have changed",)


def test_a_snapshot_recreated_under_its_name_does() -> None:
    [difference] = stale(SAVED, made(alpha(HERE.replace("@~22:30,1", "@~22:30,77"))))
    assert difference.startswith("planned otherwise: destroy  alpha tank/www")
    assert "(versions: now" in difference


def test_a_hold_of_somebody_else_does() -> None:
    differences = stale(SAVED, made(alpha(HERE.replace("@~22:30,1", "@~22:30,1,held=mine"))))
    assert any("destroy" in difference for difference in differences)


def test_a_new_filesystem_is_named() -> None:
    fresh = made(world(seen("alpha", fs("tank/www", HERE), fs("tank/www/new")), VAULT))
    assert any("tank/www/new" in difference for difference in stale(SAVED, fresh))


def test_an_action_more_or_less_does() -> None:
    less = replace(SAVED, actions=SAVED.actions[:-1])
    [more_now] = stale(less, SAVED)
    [less_now] = stale(SAVED, less)
    assert more_now.startswith("planned only now: ")
    assert less_now.startswith("no longer planned: ")


def test_a_host_that_is_gone_is_named_first_and_the_rest_is_counted() -> None:
    fresh = made(world(seen("alpha", fs("tank/www", HERE)), unseen("vault")))
    differences = stale(SAVED, fresh)
    assert differences[0] == "vault was seen then and is not now: Connection timed out"
    assert len(differences) == SHOWN + 1
    assert differences[-1].endswith("more differences")


def test_the_order_matters() -> None:
    first, *rest = SAVED.actions
    fresh = replace(SAVED, actions=(replace(first, depends_on=("other",)), *rest))
    [difference] = stale(SAVED, fresh)
    assert difference.endswith("(for another reason, or after other actions)")
