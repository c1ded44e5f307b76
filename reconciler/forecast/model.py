"""A forecast: what comes of specs, in figures."""

from dataclasses import dataclass
from enum import StrEnum

from reconciler.forecast.groups import LeftOut
from reconciler.planner.plan import Severity

HOUR, DAY = 3600, 86_400

AGES = (HOUR, DAY, 7 * DAY, 30 * DAY, 365 * DAY)
"""Bounds of the coarse steps in which versions are counted by age; a last step lies beyond."""

MARKS = (DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY)
"""After how long it is looked at what is there, besides the beginning and the end."""


class Basis(StrEnum):
    """Where the forecast begins."""

    INVENTED = "invented"
    OBSERVED = "observed"


@dataclass(frozen=True, slots=True)
class Moment:
    """One side of a replication at an instant."""

    at: int
    versions: int
    """Of all filesystems."""
    fewest: int
    """Of one filesystem."""
    most: int
    newest: int | None
    """Age in seconds of the newest version of any filesystem; None: there is none."""
    oldest: int | None
    ages: tuple[int, ...]
    """Versions in each step: younger than each of `AGES` in turn, then the rest."""
    bytes: float


@dataclass(frozen=True, slots=True)
class RuleSpan:
    """What one keep rule holds at the end."""

    rule: str
    keeps: int
    """Versions of one filesystem."""
    span: int
    """Seconds from the oldest of them to the newest version."""


@dataclass(frozen=True, slots=True)
class LagForecast:
    """How far one target is behind: the age of what it has, right before something newer comes."""

    goal: int | None
    usual: int | None
    """The median; None: nothing has been replaced by something newer."""
    worst: int | None
    late: float
    """The share of the time for which the goal is missed, in the worst group of filesystems."""
    first: int | None
    """Seconds until the last filesystem has its first copy; None: some never have."""


@dataclass(frozen=True, slots=True)
class SideForecast:
    """The sender side of a replication, or one target."""

    name: str
    """`sender` or the target's host."""
    under: str
    """Where it is received; empty for senders."""
    filesystems: int
    moments: tuple[Moment, ...]
    curve: tuple[Moment, ...]
    """The same at many instants, to be drawn."""
    rules: tuple[RuleSpan, ...]
    """In the group that holds most."""
    destroys_usual: int
    """Versions a day of all filesystems, the median over whole days."""
    destroys_most: int
    lag: LagForecast | None = None


@dataclass(frozen=True, slots=True)
class ReplicationForecast:
    """What comes of one replication."""

    name: str
    hosts: tuple[str, ...]
    filesystems: int
    rate: float
    """Bytes per second written to all of them."""
    gap: int | None
    """The longest time between two slots; None: there are not two."""
    sides: tuple[SideForecast, ...]
    """The sender's first."""


@dataclass(frozen=True, slots=True)
class BusyHour:
    """An hour with much to do."""

    at: int
    actions: int
    streams: int
    bytes: float
    destroys: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the specs that is worth a thought."""

    code: str
    severity: Severity
    replication: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Supposed:
    """What was taken for granted."""

    made_up: tuple[str, ...]
    """Filesystems that were made up from patterns."""
    told: int
    """How many filesystems' rates were told from their snapshots."""
    guessed: int
    """How many have the rate that is taken where nothing is known."""
    rate: float
    """That rate, bytes per second."""
    size: int
    """Bytes that made-up filesystems hold."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """All of it."""

    start: int
    end: int
    basis: Basis
    bandwidth: float | None
    """Bytes per second that each receiver host takes in; None: streams take no time."""
    supposed: Supposed
    digest: str
    revision: str | None
    replications: tuple[ReplicationForecast, ...]
    busiest: BusyHour | None
    """The hour with the most actions after the first day."""
    heaviest: BusyHour | None
    """The hour with the most bytes after the first day."""
    first_day: BusyHour | None
    """The hour of the first day with the most bytes: initial streams are in it."""
    findings: tuple[Finding, ...]
    left_out: tuple[LeftOut, ...]
    checked: int
    """Slots about which the planner was asked, too."""
