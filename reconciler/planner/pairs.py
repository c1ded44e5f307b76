"""Pairs: one sender's filesystem and its receiver, found from specs and observations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from reconciler.actions import Reason, Snapshot
from reconciler.desired.model import (
    Desired,
    External,
    Received,
    Replication,
    Snapshots,
    Target,
)
from reconciler.desired.schedule import slot_of
from reconciler.desired.selection import Selection
from reconciler.observed.change import with_versions
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.marks import Ownership, PairMarks
from reconciler.planner.plan import Note, PlannedAction, Severity
from reconciler.planner.snapshotting import is_namable, plan_snapshots
from reconciler.zfs.names import pool_of
from reconciler.zfs.types import Version


@dataclass(frozen=True, slots=True)
class Source:
    """A sender's filesystem under one replication, as it will be once the due snapshot is made."""

    replication: Replication
    seen: Seen
    filesystem: Filesystem
    managed: tuple[Version, ...]
    """The snapshots that are ours, or ours to send, oldest first."""
    snapshot_id: str | None
    """The action that makes its promised snapshot."""
    ours: Ownership
    """Which snapshots are managed."""
    brought: Mapping[int, str] = field(default_factory=dict)
    """Guid → the send of this plan that brings the version here, where what is received is sent on.
    """

    @property
    def host(self) -> str:
        """The sender host's name."""
        return self.seen.host


@dataclass(frozen=True, slots=True)
class Pair:
    """A source and one of its targets."""

    source: Source
    target: Target
    receiver: str = field(init=False, compare=False, repr=False)
    """The receiver filesystem's name: it depends on the sender's name and the target alone."""
    marks: PairMarks = field(init=False, compare=False, repr=False)
    """The names of its holds and cursor."""

    def __post_init__(self) -> None:
        source, target = self.source, self.target
        receiver = target.receiver_of(source.host, source.filesystem.name)
        object.__setattr__(self, "receiver", receiver)
        marks = PairMarks.of(source.replication, target, source.host)
        object.__setattr__(self, "marks", marks)

    @property
    def receiver_host(self) -> str:
        """The receiver host's name."""
        return self.target.host

    @property
    def place(self) -> tuple[str, str]:
        """Sort key that puts parents before their children, whatever characters names have."""
        return self.target.host, self.receiver.replace("/", "\0")


@dataclass(frozen=True, slots=True)
class Sources:
    """All sources of all replications, the snapshots that are due, and what is to be said."""

    sources: tuple[Source, ...]
    snapshots: tuple[PlannedAction, ...]
    notes: tuple[Note, ...]

    def and_more(self, more: "Sources") -> "Sources":
        """Return these and more."""
        return Sources(
            (*self.sources, *more.sources),
            (*self.snapshots, *more.snapshots),
            (*self.notes, *more.notes),
        )

    def pairs(self) -> list[Pair]:
        """Return all pairs."""
        return [Pair(source, target) for source in self.sources for target in targets_of(source)]


def targets_of(source: Source) -> Sequence[Target]:
    """Return the targets of a source's replication."""
    return source.replication.targets


def selected(replication: Replication, seen: Seen) -> tuple[Filesystem, ...]:
    """Return the filesystems of a host that a replication selects, sorted by name.

    Parents that only had to exist are not received, so there is nothing of them to be sent on.
    """
    received = isinstance(replication.snapshots, Received)
    return tuple(
        filesystem
        for name, filesystem in sorted(seen.filesystems.items())
        if replication.selects(seen.host, name)
        and replication.selection.admits(filesystem.properties)
        and not (received and filesystem.placeholder)
    )


class Known(Protocol):
    """What is known of the plan before."""

    def rest(
        self, replication: Replication, seen: Seen, filesystems: Sequence[Filesystem]
    ) -> Sequence[Filesystem]:
        """Return those of a replication's filesystems on a sender that may need something."""


Brought = Mapping[tuple[str, str], Mapping[int, str]]
"""(host, filesystem) → guid → the send of the plan that brings the version there."""


def find_sources(
    desired: Desired,
    observed: Observed,
    now: int,
    brought: Brought | None = None,
    known: Known | None = None,
) -> Sources:
    """Apply every replication's selection to every seen sender.

    `brought` is what arrives on them by the plan, and is in `observed` already. What is `known` to
    need nothing is left out.
    """
    sources: list[Source] = []
    snapshots: list[PlannedAction] = []
    notes: list[Note] = []
    for _, replication in sorted(desired.replications.items()):
        chosen = {
            seen.host: selected(replication, seen) for seen in _seen_senders(replication, observed)
        }
        notes += _selection_notes(replication, chosen, observed)
        for host, filesystems in chosen.items():
            seen = _seen(observed, host)
            rest = filesystems if known is None else known.rest(replication, seen, filesystems)
            planned = _due(replication, seen, rest, now)
            snapshots += planned
            sources += _as_if(replication, seen, rest, planned, brought or {})
    return Sources(tuple(sources), tuple(snapshots), tuple(notes))


def _seen(observed: Observed, host: str) -> Seen:
    seen = observed[host]
    if not isinstance(seen, Seen):
        raise TypeError(f"{host} is unseen")
    return seen


def _seen_senders(replication: Replication, observed: Observed) -> Iterator[Seen]:
    for host in replication.senders:
        seen = observed.get(host)
        if isinstance(seen, Seen):
            yield seen


def _selection_notes(
    replication: Replication, chosen: Mapping[str, Sequence[Filesystem]], observed: Observed
) -> Iterator[Note]:
    """Selecting nothing is an error; selecting nothing on one of several hosts is worth a word."""
    if replication.suspend:
        yield Note(Severity.NOTICE, f"{replication.name} is suspended", replication.name)
    empty = [host for host, filesystems in chosen.items() if not filesystems]
    everywhere = len(empty) == len(replication.senders)
    received = isinstance(replication.snapshots, Received)
    for host in empty:
        if received:
            summary = f"nothing has arrived on {host} that {replication.name} is to send on"
            yield Note(Severity.WARNING, summary, replication.name)
            continue
        yield Note(
            Severity.ERROR if everywhere else Severity.WARNING,
            f"{replication.name} selects no filesystem on {host}:"
            f" {_selection_text(replication.selection)}"
            f"{_without_pool(replication.selection, _seen(observed, host))}",
            replication.name,
        )
    for host, filesystems in chosen.items():
        if filesystems and not any(_has_something(replication, fs) for fs in filesystems):
            yield Note(
                Severity.WARNING,
                f"{host} has no snapshot that matches what {replication.name} is to send",
                replication.name,
            )
        unnamable = [fs.name for fs in filesystems if not _is_namable(replication, fs)]
        if unnamable:
            yield Note(
                Severity.WARNING,
                f"{host} {unnamable[0]}: its name leaves no room for snapshots of ours",
                replication.name,
            )
        off = [filesystem.name for filesystem in filesystems if filesystem.disabled]
        if off:
            more = f" and {len(off) - 1} more" if len(off) > 1 else ""
            yield Note(
                Severity.NOTICE,
                f"{host} {off[0]}{more}: switched off by reconciler:reconcile=disabled",
                replication.name,
            )


def _selection_text(selection: Selection) -> str:
    """Return what is selected as people write it."""
    patterns = ", ".join(map(str, selection.include))
    conditions = " and ".join(map(str, selection.where))
    return f"{patterns} where {conditions}" if conditions else patterns


def _without_pool(selection: Selection, seen: Seen) -> str:
    """Say which pools of a selection are not there, and which are: one may have a new name."""
    missing = sorted({pool_of(root) for root in selection.roots()} - seen.pools.keys())
    if not missing:
        return ""
    there = ", ".join(sorted(seen.pools)) or "none"
    return f"; not imported there: pool {', '.join(missing)}; pools that are: {there}"


def _is_namable(replication: Replication, filesystem: Filesystem) -> bool:
    snapshots = replication.snapshots
    return not isinstance(snapshots, Snapshots) or is_namable(snapshots, filesystem)


def _has_something(replication: Replication, filesystem: Filesystem) -> bool:
    """Tell whether there is something to send, or will be: else another tool made nothing."""
    if not isinstance(replication.snapshots, External):
        return True
    return any(map(Ownership.of(replication).sends, filesystem.snapshots))


def is_writable(seen: Seen, filesystem: str) -> bool:
    """Tell whether the pool of a filesystem takes changes."""
    pool = seen.pools.get(pool_of(filesystem))
    return pool is not None and pool.usable and not pool.readonly


def _due(
    replication: Replication, seen: Seen, filesystems: Sequence[Filesystem], now: int
) -> list[PlannedAction]:
    snapshots = replication.snapshots
    if replication.suspend or not isinstance(snapshots, Snapshots):
        return []
    active = [fs for fs in filesystems if not fs.disabled and is_writable(seen, fs.name)]
    reason = due_reason(slot_of(snapshots.schedule, now).start)
    return [
        PlannedAction(action, reason, replication.name)
        for action in plan_snapshots(replication, seen.host, active, now)
    ]


def due_reason(start: int) -> Reason:
    """Return the reason for a snapshot that is due since the beginning of its slot."""
    since = datetime.fromtimestamp(start, UTC)
    return Reason("due", f"due since {since:%Y-%m-%d %H:%M:%S} UTC")


def _as_if(
    replication: Replication,
    seen: Seen,
    filesystems: Sequence[Filesystem],
    planned: Sequence[PlannedAction],
    brought: Brought,
) -> Iterator[Source]:
    """Give each filesystem the snapshot that is planned for it."""
    makers = {
        name: action
        for action in (p.action for p in planned)
        if isinstance(action, Snapshot)
        for name in action.filesystems
    }
    ours = Ownership.of(replication)
    for filesystem in filesystems:
        maker = makers.get(filesystem.name)
        arrives: Mapping[int, str] = {}
        if maker is None:
            arrives = brought.get((seen.host, filesystem.name), arrives)
        else:
            grown = with_versions(filesystem, maker.promised(filesystem))
            filesystem = replace(grown, written=0)  # noqa: PLW2901 - as it will be
        managed, made = ours.sent(filesystem.snapshots), maker.id if maker is not None else None
        yield Source(replication, seen, filesystem, managed, made, ours, arrives)
