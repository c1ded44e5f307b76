"""What the plans of pairs share, and what one comes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.hosts.addresses import Limits
from reconciler.observed.model import Observed, Seen
from reconciler.planner.absence import Absences
from reconciler.planner.chains import Chains
from reconciler.planner.cloning import awaited_origins
from reconciler.planner.pairs import Pair
from reconciler.planner.pipes import piping_of
from reconciler.planner.plan import Conflict, Note, PlannedAction
from reconciler.planner.retire import Retention
from reconciler.zfs.piping import Piping
from reconciler.zfs.types import Version


@dataclass(frozen=True, slots=True)
class Context:
    """What the plans of pairs share while the whole is being made."""

    observed: Observed
    now: int
    """The instant of the plan, epoch seconds."""
    origins: Mapping[str, frozenset[str]]
    """Seen host → full names of its snapshots that have clones, or are to have received ones."""
    declared: frozenset[tuple[str, str]]
    """(host, filesystem) of every pair's receiver: these are never made as placeholders."""
    wary: frozenset[tuple[str, str]]
    """(host, filesystem) of what is sent, or sent on, and has an unseen peer."""
    absences: Absences
    """Receivers whose sender's filesystem is gone."""
    closed: Mapping[str, int | None] = field(default_factory=dict)
    """Replication whose windows are closed → when they open, if that is known."""
    chains: Chains = field(default_factory=Chains)
    coming: dict[tuple[str, str], dict[int, str]] = field(default_factory=dict)
    """Receiver's (host, filesystem) → guids that arrive there, and by which action; grows, too."""
    mended: set[tuple[str, str]] = field(default_factory=set)
    """Receivers that are renamed or rolled back first: what was seen there is not what stays."""
    arriving: dict[tuple[str, str], str] = field(default_factory=dict)
    """(host, filesystem) → the action that brings it into being; grows as pairs are planned."""
    arriving_raw: set[tuple[str, str]] = field(default_factory=set)
    """Those of them that arrive encrypted, without their key."""
    limits: Mapping[str, Limits] = field(default_factory=dict)
    """Host → how much it does at once."""
    pipings: dict[tuple[str, str, str, str], Piping] = field(default_factory=dict)
    """What streams pass by replication, sender and target, as far as it has been asked for."""

    @classmethod
    def of(  # noqa: PLR0913, PLR0917 - what a plan rests on
        cls,
        observed: Observed,
        pairs: Sequence[Pair],
        now: int,
        closed: Mapping[str, int | None],
        absences: Absences,
        limits: Mapping[str, Limits],
        chains: Chains | None = None,
    ) -> "Context":
        """Return the context for planning these pairs."""
        chains = chains or Chains()
        origins = {host: seen.origins for host, seen in observed.items() if isinstance(seen, Seen)}
        for host, snapshot in awaited_origins(pairs, observed):
            origins[host] |= {snapshot}
        return cls(
            observed=observed,
            now=now,
            origins=origins,
            declared=frozenset((pair.receiver_host, pair.receiver) for pair in pairs),
            wary=frozenset(
                (pair.source.host, pair.source.filesystem.name)
                for pair in pairs
                if not isinstance(observed.get(pair.receiver_host), Seen)
            )
            | chains.wary(observed, pairs),
            absences=absences,
            closed=closed,
            chains=chains,
            limits=limits,
        )

    def piping_of(self, pair: Pair, there: Seen) -> Piping:
        """Return what each stream of a pair passes. Raises Conflicted where a rate can't be kept.

        It is the same for all that a sender sends to a target.
        """
        sender, target = pair.source.host, pair.target
        key = (pair.source.replication.name, sender, target.host, target.roots[sender])
        if key not in self.pipings:
            self.pipings[key] = piping_of(pair, there, self.limits)
        return self.pipings[key]


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
    notes: tuple[Note, ...] = ()

    @property
    def is_in_order(self) -> bool:
        """Whether there is nothing to be done, awaited or said, and a common version."""
        nothing = not (self.actions or self.waiting or self.notes)
        return nothing and self.conflict is None and self.frozen is None and self.base is not None

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
