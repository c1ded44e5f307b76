"""A metric as a value: name, type, labels, meaning, and what bounds the number of its series."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import prod

WORK_BUCKETS = (0.01, 0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 10800.0, 86400.0)
"""Seconds: from a look that finds nothing to do, to a first stream of a large pool."""
WAIT_BUCKETS = (0.01, 0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0)
"""Seconds: up to the longest delay after failures."""
ASK_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds: up to what a host is given to answer."""


class Per(StrEnum):
    """What there may be one series for each of."""

    OBJECT = "object of the specs"
    FILESYSTEM = "replicated filesystem"
    GUARD = "guard or kind of conflict"
    HOST = "host"
    KIND = "kind"
    ACTION = "action"
    OUTCOME = "outcome"
    PART = "part"
    POOL = "pool"
    RECEIVER = "filesystem and receiver"
    REPLICATION = "replication"
    RELOAD = "result of a reload"
    RESULT = "result"
    SIGHT = "result of a look"
    VERSION = "kind of version"
    WAY = "key (replication and sender, with and without receiver)"


KINDS = ("pair", "sender")
"""Of keys: replication to one receiver; snapshots and retention on the sender."""

KNOWN: Mapping[Per, tuple[str, ...]] = {
    Per.KIND: KINDS,
    Per.RESULT: ("error", "requeue_after", "success", "terminal"),
    Per.ACTION: (
        "abort-receive",
        "bookmark",
        "create-filesystem",
        "destroy",
        "destroy-filesystem",
        "hold",
        "release",
        "rename",
        "rollback",
        "send",
        "set-property",
        "snapshot",
    ),
    Per.OUTCOME: ("failure", "skipped", "success"),
    Per.RELOAD: ("failure", "success"),
    Per.SIGHT: ("seen", "unseen"),
    Per.VERSION: ("bookmark", "snapshot"),
}
"""The values of labels that do not grow."""


class Type(StrEnum):
    """What Prometheus calls the type of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric."""

    name: str
    type: Type
    help: str
    labels: tuple[str, ...] = ()
    per: tuple[Per, ...] = ()
    """There is at most one series for each combination of these."""
    buckets: tuple[float, ...] = ()

    def series(self, sizes: Mapping[Per, int]) -> int:
        """Return the most series there can be, given how many there are of what grows."""
        each = len(self.buckets) + 3 if self.type is Type.HISTOGRAM else 1
        counts = (len(KNOWN[per]) if per in KNOWN else sizes[per] for per in self.per)
        return each * prod(counts)

    @property
    def bound(self) -> str:
        """The bound in words."""
        each = [str(len(self.buckets) + 3)] if self.type is Type.HISTOGRAM else []
        counts = [str(len(KNOWN[per])) if per in KNOWN else f"one per {per}" for per in self.per]
        return " × ".join(each + counts) or "1"


def counter(name: str, text: str, labels: str = "", *per: Per) -> Measure:
    """Return the measure of what only grows."""
    return Measure(name, Type.COUNTER, text, tuple(labels.split()), per)


def gauge(name: str, text: str, labels: str = "", *per: Per) -> Measure:
    """Return the measure of what goes up and down."""
    return Measure(name, Type.GAUGE, text, tuple(labels.split()), per)


def histogram(
    name: str, buckets: tuple[float, ...], text: str, labels: str = "", *per: Per
) -> Measure:
    """Return the measure of how long things take."""
    return Measure(name, Type.HISTOGRAM, text, tuple(labels.split()), per, buckets)
