"""What the plans of pairs share, and what one comes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.hosts.addresses import Limits
from reconciler.observed.model import Observed, Seen
from reconciler.planner.pairs import Pair
from reconciler.planner.plan import Conflict, PlannedAction
from reconciler.planner.retire import Retention
from reconciler.zfs.types import Version


@dataclass(frozen=True, slots=True)
class Context:
    """What the plans of pairs share while the whole is being made."""

    observed: Observed
    now: int
    """The instant of the plan, epoch seconds."""
    origins: Mapping[str, frozenset[str]]
    """Seen host → full names of its snapshots that have clones."""
    declared: frozenset[tuple[str, str]]
    """(host, filesystem) of every pair's receiver: these are never made as placeholders."""
    wary: frozenset[tuple[str, str]]
    """(host, filesystem) of every sender's filesystem that has an unseen peer."""
    closed: Mapping[str, int | None] = field(default_factory=dict)
    """Replication whose windows are closed → when they open, if that is known."""
    arriving: dict[tuple[str, str], str] = field(default_factory=dict)
    """(host, filesystem) → the action that brings it into being; grows as pairs are planned."""
    arriving_raw: set[tuple[str, str]] = field(default_factory=set)
    """Those of them that arrive encrypted, without their key."""
    limits: Mapping[str, Limits] = field(default_factory=dict)
    """Host → how much it does at once."""

    @classmethod
    def of(
        cls,
        observed: Observed,
        pairs: Sequence[Pair],
        now: int,
        closed: Mapping[str, int | None],
        limits: Mapping[str, Limits],
    ) -> "Context":
        """Return the context for planning these pairs."""
        return cls(
            observed=observed,
            now=now,
            origins={
                host: frozenset(fs.origin for fs in seen.filesystems.values() if fs.origin)
                for host, seen in observed.items()
                if isinstance(seen, Seen)
            },
            declared=frozenset((pair.receiver_host, pair.receiver) for pair in pairs),
            wary=frozenset(
                (pair.source.host, pair.source.filesystem.name)
                for pair in pairs
                if not isinstance(observed.get(pair.receiver_host), Seen)
            ),
            closed=closed,
            limits=limits,
        )


@dataclass(frozen=True, slots=True)
class PairPlan:
    """What is to be done for one pair."""

    pair: Pair
    actions: tuple[PlannedAction, ...] = ()
    conflict: Conflict | None = None
    frozen: str | None = None
    """Why nothing may be destroyed on either end; None when the pair is in order."""
    base: Version | None = None
    """The most recent common version once the plan is done, as the sender has it."""
    retention: Retention | None = None
    """What was decided about the receiver's snapshots; None where nothing could be decided."""
    waiting: tuple[Version, ...] = ()
    """What is to be sent once the replication's windows open."""

    @property
    def settled_by(self) -> tuple[str, ...]:
        """The actions after which the base is safe on both ends."""
        verbs = ("send", "bookmark", "hold")
        return tuple(p.id for p in self.actions if p.action.verb in verbs)

    @property
    def stale_cursors(self) -> tuple[Version, ...]:
        """The cursors of this pair that are on other versions than the base."""
        if self.base is None:
            return ()
        marks, base = self.pair.marks, self.base.guid
        marked = self.pair.source.filesystem.bookmarks
        return tuple(v for v in marked if marks.is_cursor(v) and v.guid != base)
