"""What a forecast makes of specs: figures, and what is worth a thought."""

from dataclasses import replace

import pytest

from reconciler.desired.model import Desired
from reconciler.forecast import forecast as forecasting
from reconciler.forecast.course import Course, Disagreement
from reconciler.forecast.forecast import Ask, forecast
from reconciler.forecast.model import Basis, Finding, Forecast, SideForecast
from reconciler.forecast.writes import parse_rules
from reconciler.observed.model import Observed
from reconciler.planner.plan import Severity
from tests.support.worlds import NOW, desired, fs, seen, world

HOUR, DAY = 3600, 86_400
GIB = 2**30


def made(
    specs: Desired, days: int = 10, bandwidth: float | None = None, observed: Observed | None = None
) -> Forecast:
    ask = Ask(NOW, days * DAY, rate=GIB / DAY, size=100 * GIB, bandwidth=bandwidth)
    return forecast(specs, observed, ask)


def web(every: str, keep: str, there: str, max_lag: int | None = None) -> Desired:
    specs = desired(f"web: alpha tank/www every {every} keep {keep} -> vault keep {there}")
    replication = specs.replications["web"]
    targets = tuple(replace(target, max_lag=max_lag) for target in replication.targets)
    return replace(specs, replications={"web": replace(replication, targets=targets)})


def sides(found: Forecast) -> tuple[SideForecast, SideForecast]:
    sender, vault = found.replications[0].sides
    return sender, vault


def codes(found: Forecast) -> list[str]:
    return [finding.code for finding in found.findings]


def only(found: Forecast, code: str) -> Finding:
    (finding,) = [finding for finding in found.findings if finding.code == code]
    return finding


# -- figures ---------------------------------------------------------------------------------------


def test_versions_are_told_for_both_sides_at_each_mark() -> None:
    sender, vault = sides(made(web("1h", "last 2", "hourly 5 daily 3"), days=10))
    assert [(m.at - NOW) // DAY for m in sender.moments] == [0, 1, 7, 10]
    assert [m.versions for m in sender.moments] == [1, 2, 2, 2]
    assert [m.versions for m in vault.moments] == [1, 6, 7, 7]
    last = vault.moments[-1]
    assert (last.newest, last.oldest) == (900, 2 * DAY + 900)
    assert last.ages == (1, 4, 2, 0, 0, 0)


def test_a_side_holds_its_data_and_what_was_replaced_since_its_oldest_version() -> None:
    sender, vault = sides(made(web("1d", "last 3", "last 5")))
    day = 23.25 / 24  # since midnight
    assert sender.moments[-1].bytes / GIB == pytest.approx(100 + 2 + day)
    assert vault.moments[-1].bytes / GIB == pytest.approx(100 + 4)


def test_each_rule_is_told_with_the_span_that_it_holds() -> None:
    _, vault = sides(made(web("1h", "last 2", "hourly 5 daily 3")))
    said = [(rule.rule, rule.keeps, rule.span) for rule in vault.rules]
    assert said == [("hourly 5", 5, 4 * HOUR), ("daily 3", 3, 2 * DAY)]


def test_the_busiest_hour_counts_all_filesystems() -> None:
    found = made(desired("web: alpha tank/www/** every 1h keep last 2 -> vault keep last 3"))
    assert found.busiest is not None
    # a snapshot, hold, send, hold, cursor, three releases and destroys on each side and of a cursor
    assert (found.busiest.streams, found.busiest.destroys) == (4, 8)
    assert found.busiest.actions == 4 * 10
    assert found.first_day is not None
    assert found.first_day.bytes == pytest.approx(400 * GIB)


def test_destroys_a_day_are_told_for_each_side() -> None:
    sender, vault = sides(made(web("1h", "last 2", "last 3")))
    assert (sender.destroys_usual, sender.destroys_most) == (24, 24)
    assert (vault.destroys_usual, vault.destroys_most) == (24, 24)


# -- lag -------------------------------------------------------------------------------------------


def test_a_goal_shorter_than_the_schedule_can_not_be_met() -> None:
    found = made(web("2h", "last 2", "last 3", max_lag=HOUR))
    assert only(found, "lag-schedule").message == (
        "vault: maxLag 1h can't be met: snapshots are up to 2h apart, so that it is late 50% of"
        " the time"
    )
    lag = sides(found)[1].lag
    assert lag is not None
    assert (lag.usual, lag.worst) == (2 * HOUR, 2 * HOUR)


def test_a_goal_that_the_schedule_meets_is_nothing_to_speak_of() -> None:
    found = made(web("2h", "last 2", "last 3", max_lag=2 * HOUR))
    assert codes(found) == []


def test_a_goal_that_the_bandwidth_misses_is_told() -> None:
    found = made(web("1h", "last 2", "last 3", max_lag=HOUR), bandwidth=GIB / 20)
    assert "streams take too long" in only(found, "lag-bandwidth").message


def test_a_receiver_that_falls_behind_for_ever_is_told() -> None:
    found = made(web("1h", "last 2", "last 3"), bandwidth=0.8 * GIB / DAY)
    assert only(found, "bandwidth").message == (
        "vault: what is written for it takes 125% of its bandwidth: it falls behind for ever"
    )
    assert "first copies are not complete" in only(found, "never-there").message


# -- retention -------------------------------------------------------------------------------------


def test_periods_shorter_than_the_schedule_hold_longer_than_they_say() -> None:
    found = made(web("2h", "last 2", "hourly 24"))
    assert only(found, "span").message == (
        "vault: `hourly 24` holds 24 versions over 1d22h, since snapshots are 2h apart"
    )


def test_a_receiver_that_reaches_back_less_far_than_the_sender_is_told() -> None:
    found = made(web("1h", "daily 7", "last 2"))
    finding = only(found, "keeps-less")
    assert "vault reaches back" in finding.message
    assert finding.severity is Severity.NOTICE


def test_a_side_without_rules_is_told() -> None:
    specs = desired("web: alpha tank/www every 1h -> vault keep last 2")
    assert "sender has no keep rules" in only(made(specs), "keeps-all").message


# -- where it begins -------------------------------------------------------------------------------


def test_what_hosts_have_is_where_it_begins() -> None:
    observed = world(
        seen("alpha", fs("tank/www", "@~21:00,1 @~22:00,2,written=7200 @~23:00,3,written=7200")),
        seen("vault", fs("backup")),
    )
    found = made(web("1h", "last 2", "last 3"), observed=observed)
    assert found.basis is Basis.OBSERVED
    assert found.replications[0].rate == 2.0
    assert (found.supposed.told, found.supposed.guessed) == (1, 0)
    assert sides(found)[0].moments[0].versions == 2


def test_what_is_said_of_a_filesystem_counts_more_than_its_snapshots() -> None:
    observed = world(
        seen("alpha", fs("tank/www", "@~22:00,2 @~23:00,3,written=7200")),
        seen("vault", fs("backup")),
    )
    rules = parse_rules("*:tank/** 9B/s\nalpha:tank/www 5B/s", "rates")
    ask = Ask(NOW, DAY, rate=1.0, size=1, rules=rules)
    found = forecast(web("1h", "last 2", "last 3"), observed, ask)
    assert found.replications[0].rate == 5.0


def test_a_replication_that_selects_nothing_is_told() -> None:
    observed = world(seen("alpha", fs("tank/other")), seen("vault", fs("backup")))
    assert codes(made(web("1h", "last 2", "last 3"), observed=observed)) == ["nothing"]


def test_a_planner_that_decides_otherwise_makes_it_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Contradicted(Course):
        def run(self) -> None:
            super().run()
            self.disagreements.append(Disagreement(NOW, "it keeps more"))

    monkeypatch.setattr(forecasting, "Course", Contradicted)
    finding = only(made(web("1h", "last 2", "last 3")), "disagreement")
    assert finding.severity is Severity.ERROR
    assert "it keeps more" in finding.message
