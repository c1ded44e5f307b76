"""A forecast as one JSON document. Its minor version is additive: readers ignore what is new."""

import json

from reconciler.forecast.model import (
    AGES,
    BusyHour,
    Finding,
    Forecast,
    LagForecast,
    Moment,
    ReplicationForecast,
    SideForecast,
)
from reconciler.report.fields import Json
from reconciler.report.figures import timestamp

FORMAT_VERSION = "1.0"


def dump(forecast: Forecast) -> Json:
    """Return a forecast as JSON."""
    supposed = forecast.supposed
    return {
        "format_version": FORMAT_VERSION,
        "at": timestamp(forecast.start),
        "until": timestamp(forecast.end),
        "basis": str(forecast.basis),
        "specs": {"revision": forecast.revision, "digest": forecast.digest},
        "bandwidth": forecast.bandwidth,
        "supposed": {
            "filesystems": list(supposed.made_up),
            "rates_told": supposed.told,
            "rates_guessed": supposed.guessed,
            "bytes_per_second": supposed.rate,
            "size": supposed.size,
        },
        "age_steps": list(AGES),
        "replications": [_replication(found) for found in forecast.replications],
        "busiest_hour": _hour(forecast.busiest),
        "heaviest_hour": _hour(forecast.heaviest),
        "heaviest_hour_of_first_day": _hour(forecast.first_day),
        "findings": [_finding(found) for found in forecast.findings],
        "left_out": [
            {
                "replication": left.replication,
                "host": left.host or None,
                "filesystem": left.filesystem or None,
                "code": left.code,
                "message": left.why,
            }
            for left in forecast.left_out
        ],
        "checked_slots": forecast.checked,
    }


def dumps(forecast: Forecast) -> str:
    """Return a forecast as JSON text."""
    return json.dumps(dump(forecast), indent=2) + "\n"


def _replication(found: ReplicationForecast) -> Json:
    return {
        "name": found.name,
        "hosts": list(found.hosts),
        "filesystems": found.filesystems,
        "bytes_per_second": found.rate,
        "longest_gap": found.gap,
        "sides": [_side(side) for side in found.sides],
    }


def _side(side: SideForecast) -> Json:
    return {
        "side": side.name,
        "under": side.under or None,
        "filesystems": side.filesystems,
        "moments": [_moment(moment) for moment in side.moments],
        "curve": [_moment(moment) for moment in side.curve],
        "rules": [
            {"rule": rule.rule, "versions": rule.keeps, "span": rule.span} for rule in side.rules
        ],
        "destroys_per_day": {"usual": side.destroys_usual, "most": side.destroys_most},
        "lag": None if side.lag is None else _lag(side.lag),
    }


def _moment(moment: Moment) -> Json:
    return {
        "at": timestamp(moment.at),
        "versions": moment.versions,
        "per_filesystem": {"fewest": moment.fewest, "most": moment.most},
        "newest_age": moment.newest,
        "oldest_age": moment.oldest,
        "ages": list(moment.ages),
        "bytes": round(moment.bytes),
    }


def _lag(lag: LagForecast) -> Json:
    return {
        "max_lag": lag.goal,
        "usual": lag.usual,
        "worst": lag.worst,
        "late_share": lag.late,
        "first_copies_after": lag.first,
    }


def _hour(hour: BusyHour | None) -> Json | None:
    if hour is None:
        return None
    return {
        "at": timestamp(hour.at),
        "actions": hour.actions,
        "streams": hour.streams,
        "bytes": round(hour.bytes),
        "destroys": hour.destroys,
    }


def _finding(found: Finding) -> Json:
    return {
        "code": found.code,
        "severity": str(found.severity),
        "replication": found.replication or None,
        "message": found.message,
        "remedy": found.remedy,
    }
