"""A plan: everything that is to be done on all hosts, with reasons, as one value."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.actions import Action, Destroy, Reason, Send
from reconciler.zfs.types import Version


@dataclass(frozen=True, slots=True)
class PlannedAction:
    """An action with its place in the plan."""

    action: Action
    reason: Reason
    replication: str
    depends_on: tuple[str, ...] = ()
    """Ids of actions that have to succeed before this one is started; sorted."""
    id: str = field(init=False, compare=False, repr=False)
    """The action's id, which is asked for again and again."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", self.action.id)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A state that needs a person, with evidence and remedy. Nothing is done about it."""

    replication: str
    host: str
    filesystem: str
    code: str
    message: str
    evidence: tuple[str, ...] = ()
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Blocked:
    """An action that a guard took out of the plan."""

    action_id: str
    host: str
    filesystem: str
    versions: tuple[Version, ...]
    guard: str
    message: str
    remedy: str = ""


WINDOW = "window"
"""The guard that has streams wait for a window. It needs nobody: the time comes."""


class Severity(StrEnum):
    """How much a note matters: an error makes the plan unapplicable for its replication."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know that is neither an action nor a conflict."""

    severity: Severity
    summary: str
    replication: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """Why a version is kept."""

    host: str
    filesystem: str
    version: Version
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HostState:
    """What the plan rests on for one host."""

    host: str
    seen: bool
    cause: str = ""
    remedy: str = ""
    observed_at: int | None = None
    zfs_version: str = ""
    pools: tuple[tuple[str, int], ...] = ()
    """Name and guid."""


@dataclass(frozen=True, slots=True)
class Specs:
    """Which specs the plan was made from."""

    revision: str | None
    digest: str
    objects: int


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """What other keep rules than those compared with cost."""

    compared: str
    """The specs they are compared with."""
    more: int
    """Snapshots that go by these rules and not by those."""
    fewer: int
    """The same the other way round."""
    filesystems: int
    """On how many filesystems, both hosts' counted."""


class Outcome(StrEnum):
    """What a plan amounts to; text, JSON and exit code all come from this one value."""

    ERROR = "error"
    INCOMPLETE = "incomplete"
    BLOCKED = "blocked"
    CHANGES = "changes"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Plan:
    """All actions in an order in which they could be run one after the other."""

    at: int
    """The instant it was made for, epoch seconds."""
    specs: Specs
    hosts: tuple[HostState, ...]
    actions: tuple[PlannedAction, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    notes: tuple[Note, ...] = ()
    kept: tuple[Kept, ...] = ()
    next_due: int | None = None
    targets: tuple[str, ...] = ()
    """What the plan was restricted to; empty: everything."""
    allow_destroy: tuple[str, ...] = ()
    """The replications whose destroy budget a person has lifted for it."""
    policy_change: PolicyChange | None = None
    """How it differs by its keep rules alone from what other specs ask for, if that was asked."""

    @property
    def complete(self) -> bool:
        """Whether all hosts were seen and nothing was left out on purpose."""
        return all(state.seen for state in self.hosts) and not self.targets

    @property
    def waiting(self) -> int:
        """The number of versions that wait for a window to be sent."""
        return sum(len(b.versions) for b in self.blocked if b.guard == WINDOW)

    @property
    def summary(self) -> Mapping[str, int]:
        """The number of things done by verb: versions for destroys, filesystems for snapshots."""
        counts: Counter[str] = Counter()
        for planned in self.actions:
            counts[planned.action.verb] += weight(planned.action)
        return dict(sorted(counts.items()))

    @property
    def estimated_bytes(self) -> int:
        """The estimated size of all streams."""
        sends = (p.action for p in self.actions if isinstance(p.action, Send))
        return sum(send.estimated_bytes or 0 for send in sends)

    @property
    def outcome(self) -> Outcome:
        """The one word for it, the gravest first."""
        if any(note.severity is Severity.ERROR for note in self.notes):
            return Outcome.ERROR
        if not all(state.seen for state in self.hosts):
            return Outcome.INCOMPLETE
        if self.conflicts or any(blocked.guard != WINDOW for blocked in self.blocked):
            return Outcome.BLOCKED
        return Outcome.CHANGES if self.actions else Outcome.NOTHING


def weight(action: Action) -> int:
    """Return how many things an action does."""
    if isinstance(action, Destroy):
        return len(action.versions)
    if action.verb == "snapshot":
        return len(action.places)
    return 1
