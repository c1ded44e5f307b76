"""Forecasts for the command line: its options read, hosts looked at where that is wanted."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from reconciler.cli.session import Session
from reconciler.desired.units import InvalidDuration, parse_duration
from reconciler.errors import UsageError
from reconciler.forecast.forecast import Ask, forecast
from reconciler.forecast.model import Forecast
from reconciler.forecast.writes import Rule, parse_rate, parse_rules, parse_size
from reconciler.planner.plan import Severity
from reconciler.report.summary import ExitCode

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the options say."""

    seconds: int
    rate: float
    size: int
    rules: tuple[Rule, ...]
    bandwidth: float | None


@dataclass(frozen=True, slots=True)
class Options:
    """The options as they were typed."""

    length: str
    rate: str
    size: str
    rates: Path | None
    bandwidth: str | None

    def read(self) -> Wanted:
        """Return what they say; raise UsageError, naming the option that says nothing."""
        bandwidth = None
        if self.bandwidth is not None:
            bandwidth = _said("--bandwidth", self.bandwidth, parse_rate)
            if not bandwidth:
                raise UsageError("--bandwidth 0: nothing would ever arrive")
        return Wanted(
            seconds=_said("--for", self.length, parse_duration),
            rate=_said("--rate", self.rate, parse_rate),
            size=_said("--size", self.size, parse_size),
            rules=() if self.rates is None else _rules(self.rates),
            bandwidth=bandwidth,
        )


def foretell(session: Session, wanted: Wanted, *, observe: bool) -> Forecast:
    """Return the forecast of a session's specs, from what its hosts have where that is wanted."""
    observed = session.observe() if observe else None
    ask = Ask(
        start=session.now or int(time.time()),
        seconds=wanted.seconds,
        rate=wanted.rate,
        size=wanted.size,
        rules=wanted.rules,
        bandwidth=wanted.bandwidth,
    )
    return forecast(session.desired, observed, ask)


def code_of(made: Forecast) -> ExitCode:
    """Return what a command ends with that made a forecast."""
    codes = {left.code for left in made.left_out}
    if any(found.severity is Severity.ERROR for found in made.findings):
        return ExitCode.ERROR
    if "unseen" in codes:
        return ExitCode.INCOMPLETE
    return ExitCode.BLOCKED if codes & {"conflict", "blocked", "disorder"} else ExitCode.DONE


def _said(option: str, text: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(text)
    except (UsageError, InvalidDuration) as error:
        raise UsageError(f"{option}: {error}") from error


def _rules(file: Path) -> tuple[Rule, ...]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--rates {file}: it can't be read: {error}") from error
    return parse_rules(text, str(file))
