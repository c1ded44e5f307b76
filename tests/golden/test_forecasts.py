"""Specs → the whole forecast, as text and as JSON."""

from dataclasses import replace

from reconciler.desired.model import Desired
from reconciler.forecast.forecast import Ask, forecast
from reconciler.forecast.model import Forecast
from reconciler.forecast.writes import parse_rules
from reconciler.report.forecast_json import dumps
from reconciler.report.forecast_text import forecast_lines
from reconciler.report.lines import text_of
from tests.golden.conftest import Golden
from tests.support.worlds import NOW, desired, fs, replica, seen, world

HOUR, DAY, GIB = 3600, 86_400, 2**30


def specs() -> Desired:
    """Return two replications: one with a goal that is missed, one with two targets."""
    made = desired(
        "db: beta tank/db/** !tank/db/tmp every 1h prefix db- keep last 3"
        " -> vault db/{host} keep hourly 24 -> north keep last 2",
        "web: alpha tank/www/** every 2h keep hourly 24 daily 7"
        " -> vault keep hourly 48 daily 30 monthly 12",
    )
    web = made.replications["web"]
    late = replace(web, targets=tuple(replace(t, max_lag=HOUR) for t in web.targets))
    return replace(made, replications={**made.replications, "web": late}, revision="main@4e04f8d")


def invented() -> Forecast:
    return forecast(specs(), None, Ask(NOW, 90 * DAY, rate=GIB / DAY, size=100 * GIB))


def observed() -> Forecast:
    """Return a forecast from hosts of which some are not in order."""
    hosts = world(
        seen(
            "alpha",
            fs("tank/www", "@~21:00,1 @~23:00,2,written=7200000"),
            fs("tank/www/a", "@~21:00,1 @~23:00,2"),
        ),
        seen("beta", fs("tank/db"), fs("tank/db/a")),
        seen("vault", replica("backup/alpha/tank/www/a", "@x,9"), fs("db")),
        seen("north", fs("backup")),
    )
    ask = Ask(
        NOW,
        2 * DAY,
        rate=GIB / DAY,
        size=GIB,
        rules=parse_rules("beta:tank/db 40MiB/h 10GiB", "rates"),
        bandwidth=400_000.0,
    )
    return forecast(specs(), hosts, ask)


def test_the_text_of_a_forecast_from_nothing(golden: Golden) -> None:
    golden("forecast.txt", text_of(forecast_lines(invented())))


def test_the_text_of_a_forecast_from_what_hosts_have(golden: Golden) -> None:
    golden("forecast-observed.txt", text_of(forecast_lines(observed())))


def test_the_document_of_a_forecast(golden: Golden) -> None:
    whole = invented()
    short = replace(
        whole,
        replications=tuple(
            replace(found, sides=tuple(replace(side, curve=side.curve[:2]) for side in found.sides))
            for found in whole.replications
        ),
    )
    golden("forecast.json", dumps(short))
