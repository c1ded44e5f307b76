"""What is written down of a group while time goes by."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import lru_cache

from reconciler.forecast.groups import Group
from reconciler.forecast.ledger import Step

HOUR, DAY = 3600, 86_400


@dataclass(slots=True)
class Load:
    """What is done within an hour."""

    actions: int = 0
    streams: int = 0
    bytes: float = 0.0
    destroys: int = 0

    def add(self, other: "Load") -> None:
        """Add what another one did."""
        self.actions += other.actions
        self.streams += other.streams
        self.bytes += other.bytes
        self.destroys += other.destroys


@dataclass(frozen=True, slots=True)
class Sample:
    """One side of a group at an instant."""

    at: int
    versions: tuple[int, ...]
    """Creations, oldest first, of each member alike."""
    bytes: float
    """What all members hold together: their data, and what the versions hold beyond it."""


@dataclass(slots=True)
class LagTrack:
    """How old what one receiver has gets before something newer arrives."""

    peaks: Counter[int] = field(default_factory=Counter)
    late: int = 0
    """Seconds for which the goal was missed."""
    arrived: int | None = None
    """When the newest version arrived."""
    first: int | None = None
    """When the first version arrived; None: not yet, or before all began."""

    def arrives(self, at: int, base: int | None, goal: int | None) -> None:
        """Note that something newer than the base arrives."""
        if base is None:
            self.first = at
        else:
            self.peaks[at - base] += 1
            self.passes(at, base, goal)
        self.arrived = at

    def passes(self, at: int, base: int, goal: int | None) -> None:
        """Count the time up to an instant for which the base is too old."""
        if goal is not None:
            since = max(base + goal, self.arrived or 0)
            self.late += max(0, at - since)


class Track:
    """All of it for one group."""

    def __init__(self, group: Group, start: int) -> None:
        self.group = group
        self.start = start
        self.hours: dict[int, Load] = defaultdict(Load)
        """Hours since the epoch."""
        self.destroyed_here: Counter[int] = Counter()
        """Days since the beginning → versions of one member."""
        self.destroyed_there: list[Counter[int]] = [Counter() for _ in group.ledger.copies]
        self.lags = [LagTrack(arrived=start) for _ in group.ledger.copies]
        self.samples: list[list[Sample]] = [[] for _ in range(len(group.ledger.copies) + 1)]
        """Of the sender and each copy."""
        self._alike = Counter(member.writes for member in group.members)
        self._bytes = lru_cache(maxsize=10_000)(self._bytes_of)

    def note(self, at: int, step: Step) -> None:
        """Note what was done at an instant."""
        count = len(self.group.members)
        destroyed = step.destroyed_here + sum(step.destroyed_there)
        self.hours[at // HOUR].add(
            Load(step.actions * count, step.streams * count, 0.0, destroyed * count)
        )
        day = (at - self.start) // DAY
        self.destroyed_here[day] += step.destroyed_here
        for counted, gone in zip(self.destroyed_there, step.destroyed_there, strict=True):
            counted[day] += gone

    def stream(self, begun: float, ended: float, size: float) -> None:
        """Note a stream's bytes, evenly over the hours that it takes."""
        hour, took = int(begun // HOUR), ended - begun
        while took > 0 and (hour + 1) * HOUR < ended:
            share = ((hour + 1) * HOUR - max(begun, hour * HOUR)) / took
            self.hours[hour].bytes += size * share
            hour += 1
        share = (ended - max(begun, hour * HOUR)) / took if took > 0 else 1.0
        self.hours[hour].bytes += size * share

    def sample(self, at: int) -> None:
        """Note how it stands."""
        ledger = self.group.ledger
        self._sample(0, at, tuple(ledger.here.versions), at)
        for number, copy in enumerate(ledger.copies, start=1):
            newest = copy.side.newest
            self._sample(number, at, tuple(copy.side.versions), newest)

    def _sample(self, side: int, at: int, versions: tuple[int, ...], until: int | None) -> None:
        size = 0.0
        if until is not None:
            for writes, count in self._alike.items():
                size += count * (writes.size + writes.held(versions, until))
        self.samples[side].append(Sample(at, versions, size))

    def bytes_of(self, base: int | None, versions: tuple[int, ...]) -> float:
        """Return the bytes of the streams that bring versions to all members' receivers."""
        start = versions[0] if base is None else base
        spans = tuple(version - start for version in versions)
        return self._bytes(spans, is_full=base is None)

    def _bytes_of(self, spans: tuple[int, ...], *, is_full: bool) -> float:
        base = None if is_full else 0
        return sum(count * writes.sent(base, spans) for writes, count in self._alike.items())
