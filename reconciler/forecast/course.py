"""Time goes by: slots begin, streams end, and what is there in between is written down.

Without a bandwidth streams take no time. With one, each receiver host takes in so many bytes per
second, one group's streams after the other's in the order in which they were begun; while a stream
is under way snapshots go on, and nothing is destroyed on the filesystem that it comes from.
"""

import heapq
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from reconciler.desired.model import Replication
from reconciler.desired.schedule import opens_at
from reconciler.forecast.check import disagreement
from reconciler.forecast.groups import Group
from reconciler.forecast.ledger import Step
from reconciler.forecast.track import Track
from reconciler.planner.snapshotting import next_due

CHECKS = 24
"""How often the planner looks into a group's ledger on the way."""

_END, _SLOT, _OPENING = 0, 1, 2
"""What ends at an instant comes before what begins then."""


class Span(NamedTuple):
    """From when to when, and the instants at which it is looked at how things stand."""

    start: int
    end: int
    samples: tuple[int, ...]
    """Sorted; the end is the last."""


class Disagreement(NamedTuple):
    """A slot about which planner and ledger differ: our error, and said so."""

    at: int
    what: str


class _Event(NamedTuple):
    at: int
    kind: int
    group: int
    copy: int = 0
    wanted: tuple[int, ...] = ()


def slots(replication: Replication, span: Span) -> list[int]:
    """Return the instants at which slots begin, after the start, as the planner has them."""
    found: list[int] = []
    at = next_due([replication], span.start)
    while at is not None and at <= span.end:
        found.append(at)
        at = next_due([replication], at)
    return found


class Course:
    """The time of all groups. Used once."""

    def __init__(
        self,
        groups: Sequence[Group],
        span: Span,
        due: Mapping[str, Sequence[int]],
        bandwidth: float | None,
    ) -> None:
        self.tracks = [Track(group, span.start) for group in groups]
        self.checked = 0
        self.disagreements: list[Disagreement] = []
        self._groups = groups
        self._span = span
        self._due = due
        self._bandwidth = bandwidth
        self._events: list[_Event] = []
        self._slot = [0] * len(groups)
        self._busy: list[set[int]] = [set() for _ in groups]
        """For each group the copies that streams are under way to."""
        self._free: dict[str, float] = {}
        """Receiver host → when the last of its streams ends."""
        self._sampled = [0] * len(groups)
        self._opens: list[int | None] = [None] * len(groups)
        """When the windows open that something of a group waits for."""

    def run(self) -> None:
        """Let all of it go by."""
        for number, group in enumerate(self._groups):
            self._begin(number, self._span.start, due=group.due)
            self._next_slot(number)
        while self._events and self._events[0].at <= self._span.end:
            event = heapq.heappop(self._events)
            self._look(event.group, event.at)
            if event.kind == _SLOT:
                self._check(event.group, event.at)
                self._begin(event.group, event.at, due=True)
                self._next_slot(event.group)
            elif event.kind == _OPENING:
                self._opens[event.group] = None
                self._begin(event.group, event.at, due=False)
            else:
                self._end(event)
        for number, track in enumerate(self.tracks):
            self._look(number, self._span.end + 1)
            for lag, copy, target in zip(
                track.lags, track.group.ledger.copies, track.group.replication.targets, strict=True
            ):
                if copy.base is not None:
                    lag.passes(self._span.end, copy.base, target.max_lag)

    def _next_slot(self, number: int) -> None:
        group = self._groups[number]
        due, place = self._due[group.replication.name], self._slot[number]
        if place < len(due) and (group.changes or (group.once and place == 0)):
            self._slot[number] += 1
            heapq.heappush(self._events, _Event(due[place], _SLOT, number))

    def _look(self, number: int, before: int) -> None:
        """Write down how a group stood at what instants have passed since the last event."""
        samples, place = self._span.samples, self._sampled[number]
        while place < len(samples) and samples[place] < before:
            self.tracks[number].sample(samples[place])
            place += 1
        self._sampled[number] = place

    def _check(self, number: int, at: int) -> None:
        group, place = self._groups[number], self._slot[number]
        every = max(1, len(self._due[group.replication.name]) // CHECKS)
        if self._busy[number] or (place > 2 and place % every):
            return
        self.checked += 1
        what = disagreement(group, group.ledger, at)
        if what is not None:
            self.disagreements.append(Disagreement(at, what))

    def _begin(self, number: int, at: int, *, due: bool) -> None:
        """Do what is to be done when a slot begins."""
        ledger, step = self._groups[number].ledger, self._step(number)
        if due:
            ledger.snapshot(at, step)
        is_open = self._is_open(number, at)
        for copy in range(len(ledger.copies)):
            if is_open:
                self._send(number, copy, at, step, promised=at if due else None)
            if copy not in self._busy[number]:
                ledger.retire_there(copy, step)
        if not self._busy[number]:
            ledger.retire_here(step, () if is_open else ledger.waiting())
        self.tracks[number].note(at, step)

    def _is_open(self, number: int, at: int) -> bool:
        """Tell whether streams may begin; if not, come back when they may."""
        known = self._opens[number]
        if known is not None and at < known:
            return False
        opens = opens_at(self._groups[number].replication.windows, at)
        if opens is not None and opens != at:
            self._opens[number] = opens
            heapq.heappush(self._events, _Event(opens, _OPENING, number))
        return opens == at

    def _send(
        self, number: int, copy: int, at: int, step: Step, promised: int | None = None
    ) -> None:
        """Begin a stream, if there is something to send and none is under way."""
        ledger = self._groups[number].ledger
        wanted = () if copy in self._busy[number] else ledger.wanted(ledger.copies[copy])
        if not wanted:
            return
        size = self.tracks[number].bytes_of(ledger.copies[copy].base, wanted)
        host = self._groups[number].replication.targets[copy].host
        begun = max(float(at), self._free.get(host, 0.0))
        ended = begun + size / self._bandwidth if self._bandwidth else begun
        self.tracks[number].stream(begun, ended, size)
        if self._bandwidth:
            self._free[host] = ended
        if math.ceil(ended) <= at:
            self._arrive(number, copy, wanted, at, step, promised)
            return
        self._busy[number].add(copy)
        heapq.heappush(self._events, _Event(math.ceil(ended), _END, number, copy, wanted))

    def _end(self, event: _Event) -> None:
        """Do what is to be done when a stream has ended: it may be that the next one begins."""
        number, at, step = event.group, event.at, self._step(event.group)
        ledger = self._groups[number].ledger
        self._busy[number].discard(event.copy)
        self._arrive(number, event.copy, event.wanted, at, step)
        ledger.retire_there(event.copy, step)
        is_open = self._is_open(number, at)
        if not self._busy[number]:
            ledger.retire_here(step, () if is_open else ledger.waiting())
        if is_open:
            self._send(number, event.copy, at, step)
        self.tracks[number].note(at, step)

    def _arrive(  # noqa: PLR0913, PLR0917 - what arrives, where and when
        self,
        number: int,
        copy: int,
        wanted: tuple[int, ...],
        at: int,
        step: Step,
        promised: int | None = None,
    ) -> None:
        group, track = self._groups[number], self.tracks[number]
        goal = group.replication.targets[copy].max_lag
        track.lags[copy].arrives(at, group.ledger.copies[copy].base, goal)
        group.ledger.arrive(copy, wanted, step, promised)

    def _step(self, number: int) -> Step:
        return Step(destroyed_there=[0] * len(self._groups[number].ledger.copies))
