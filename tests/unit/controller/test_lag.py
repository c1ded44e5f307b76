"""How far receivers are behind, and that it is not forgotten while something is away."""

from collections.abc import Iterable
from dataclasses import replace

from reconciler.controller.keys import Key
from reconciler.controller.lag import lags
from reconciler.desired.model import Desired
from reconciler.observed.model import Filesystem, Observed
from reconciler.report.status import Lag
from tests.support.worlds import desired, fs, instant, pool, replica, seen, unseen, world

PAIR = Key("web", "alpha", "vault")
HOUR = 3600


def specs(goal: int | None = HOUR, what: str = "tank/**") -> Desired:
    found = desired(f"web: alpha {what} !tank every 15m keep last 9 -> vault keep last 9")
    web = found.replications["web"]
    (target,) = web.targets
    return replace(
        found, replications={"web": replace(web, targets=(replace(target, max_lag=goal),))}
    )


def here(versions: str = "@~22:00,1 @~23:00,2") -> Filesystem:
    return fs("tank/a", versions)


def there(versions: str) -> Filesystem:
    return replica("backup/alpha/tank/a", versions)


BEHIND = world(seen("alpha", here()), seen("vault", there("@~22:00,1")))


def read(
    observed: Observed, before: Iterable[Lag] = (), wanted: Desired | None = None
) -> list[Lag]:
    return list(lags(PAIR, wanted or specs(), observed, tuple(before)))


def only(observed: Observed, before: Iterable[Lag] = ()) -> Lag:
    (found,) = read(observed, before)
    return found


def test_the_lag_is_the_age_of_the_newest_version_that_both_ends_have() -> None:
    lag = only(BEHIND)
    assert (lag.host, lag.filesystem) == ("alpha", "tank/a")
    assert (lag.receiver_host, lag.receiver) == ("vault", "backup/alpha/tank/a")
    assert (lag.newest, lag.replicated) == (instant("23:00"), instant("22:00"))
    assert lag.seconds(instant("23:15")) == 75 * 60
    assert lag.is_late(instant("23:15"))
    assert not lag.is_late(instant("23:00"))


def test_without_a_goal_nothing_is_late() -> None:
    (lag,) = read(BEHIND, wanted=specs(None))
    assert not lag.is_late(instant("23:59"))


def test_what_has_not_arrived_at_all_is_late() -> None:
    lag = only(world(seen("alpha", here()), seen("vault", pools=[pool("backup")])))
    assert lag.replicated is None
    assert lag.is_late(0)


def test_what_diverged_stands_where_both_ends_were_the_same() -> None:
    lag = only(world(seen("alpha", here()), seen("vault", there("@~22:00,1 @mine,99"))))
    assert lag.replicated == instant("22:00")


def test_snapshots_of_others_are_not_what_should_have_arrived() -> None:
    lag = only(world(seen("alpha", here("@~22:00,1 @manual,5")), seen("vault", there("@~22:00,1"))))
    assert lag.newest == instant("22:00")


def test_while_a_host_is_away_the_lag_grows() -> None:
    known = only(BEHIND)
    for away in (
        world(unseen("alpha"), seen("vault", there("@~22:00,1"))),
        world(seen("alpha", here()), unseen("vault")),
        world(unseen("alpha"), unseen("vault")),
    ):
        assert only(away, [known]) == known
    assert known.seconds(instant("23:30")) == 90 * 60


def test_while_the_receivers_pool_is_away_the_lag_grows() -> None:
    known = only(BEHIND)
    gone = world(seen("alpha", here()), seen("vault", pools=[pool("other")]))
    bad = world(seen("alpha", here()), seen("vault", pools=[pool("backup", health="SUSPENDED")]))
    assert only(gone, [known]).replicated == known.replicated
    assert only(bad, [known]).replicated == known.replicated


def test_while_the_senders_pool_is_away_the_lag_grows() -> None:
    known = only(BEHIND)
    vault = seen("vault", there("@~22:00,1"))
    assert only(world(seen("alpha", pools=[pool("other")]), vault), [known]) == known
    bad = seen("alpha", here(), pools=[pool("tank", health="SUSPENDED")])
    assert only(world(bad, vault), [known]) == known


def test_a_filesystem_that_is_gone_from_its_sender_is_not_behind() -> None:
    known = only(BEHIND)
    assert read(world(seen("alpha", fs("tank")), seen("vault", there("@~22:00,1"))), [known]) == []


def test_what_the_specs_do_not_ask_for_any_more_is_not_behind_though_a_host_is_away() -> None:
    known = only(BEHIND)
    away = world(seen("alpha", here()), unseen("vault"))
    assert read(away, [known], specs(what="tank/b")) == []
    elsewhere = desired("web: alpha tank/** !tank every 15m -> vault other/{host}")
    assert read(away, [known], elsewhere) == []


def test_another_goal_counts_at_once_though_a_host_is_away() -> None:
    known = only(BEHIND)
    (lag,) = read(world(unseen("alpha"), unseen("vault")), [known], specs(60))
    assert lag.max_lag == 60


def test_while_the_receiver_is_away_it_is_told_what_the_sender_has_and_nothing_made_up() -> None:
    known = only(BEHIND)
    newer = seen("alpha", fs("tank/a", "@~22:00,11 @~23:00,12 @~23:15,13"))
    [told] = read(world(newer, unseen("vault")), [known])
    assert told == replace(known, newest=instant("23:15"))
    assert read(world(newer, unseen("vault"))) == []
