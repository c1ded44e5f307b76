"""What the controller says of itself: conditions, lag, history, what runs, what is blocked.

One immutable value from which the page, `status`, the JSON, the metrics and the state file are
made. Instants are epoch seconds. Every sequence is sorted, so that the same state is the same
value; a value that is equal to the one before is not written again.

Conditions follow the Kubernetes API conventions: `Ready` is always there; `Reconciling` and
`Stalled` are there only while they are true.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

HISTORY = 5
"""Outcomes that are remembered for each replication and host."""


class ConditionType(StrEnum):
    """What a condition is about."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


class Truth(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is known about an object."""

    type: ConditionType
    status: Truth
    reason: str
    """CamelCase, one word, for programs."""
    message: str
    """A sentence for people."""
    observed_generation: str
    """The generation of the object's specs that this was seen under."""
    last_transition: int
    """When `status` changed last."""


class Outcome(StrEnum):
    """How a run ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """An action failed, or something could not be found out."""
    BLOCKED = "blocked"
    """A guard or a conflict needs a person; all else was done."""
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class PastRun:
    """Runs in a row that ended alike, under the same generation."""

    generation: str
    outcome: Outcome
    message: str
    first: int
    """When the first of them ended."""
    last: int
    """When the last of them ended."""
    count: int
    seconds: float
    """What the last of them took."""
    done: tuple[tuple[str, int], ...] = ()
    """What the last of them did: verb and how many things, sorted."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How far one receiver is behind."""

    host: str
    """The sender."""
    filesystem: str
    receiver_host: str
    receiver: str
    newest: int | None
    """Creation of the sender's newest managed snapshot."""
    replicated: int | None
    """Creation of the newest version that both ends have; None: nothing has arrived."""
    max_lag: int | None
    """The goal in seconds; None: there is none."""

    def seconds(self, now: int) -> int | None:
        """Return the age of what the receiver has; None when it has nothing."""
        return None if self.replicated is None else max(0, now - self.replicated)

    def is_late(self, now: int) -> bool:
        """Tell whether the goal is missed."""
        lag = self.seconds(now)
        return self.max_lag is not None and (lag is None or lag > self.max_lag)


class Phase(StrEnum):
    """What the work queue does with a key."""

    IDLE = "idle"
    """Nothing to do before its time comes."""
    QUEUED = "queued"
    WORKING = "working"
    RETRYING = "retrying"
    """Waits after a failure."""
    WAITING = "waiting"
    """Failed in a way that only a change can mend."""


@dataclass(frozen=True, slots=True)
class Way:
    """One key of the work queue: a replication on one sender, or from one sender to a receiver."""

    sender: str
    receiver: str | None
    """None: snapshots and retention on the sender."""
    phase: Phase
    next_at: int | None
    """When it will be looked at again, if nothing happens before."""
    failures: int
    """In a row."""
    message: str
    """What the last failure said; empty when there was none."""


@dataclass(frozen=True, slots=True)
class Blockage:
    """Something that waits for a person."""

    host: str
    filesystem: str
    code: str
    """The conflict's code, or the guard's name."""
    message: str
    evidence: tuple[str, ...] = ()
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class RunningSend:
    """A stream that is under way."""

    replication: str
    host: str
    filesystem: str
    receiver_host: str
    receiver: str
    bytes: int
    estimated_bytes: int | None
    since: int


@dataclass(frozen=True, slots=True)
class ReplicationStatus:
    """One replication of the specs."""

    name: str
    generation: str
    conditions: tuple[Condition, ...]
    suspended: str | None
    """Why nothing is done, None when it is not suspended."""
    ways: tuple[Way, ...] = ()
    lags: tuple[Lag, ...] = ()
    blocked: tuple[Blockage, ...] = ()
    history: tuple[PastRun, ...] = ()
    """Newest first."""
    next_due: int | None = None


class Hearing(StrEnum):
    """How changes on a host become known."""

    EVENTS = "events"
    """Its event stream is open."""
    POLLING = "polling"
    """It has no event stream, or that broke."""


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """A pool of a host."""

    name: str
    health: str
    free: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class HostStatus:
    """One host of the specs."""

    name: str
    address: str
    """How it is reached, in words: `ssh web1.example.com`, `local`, `simulated web1.json`."""
    conditions: tuple[Condition, ...]
    observed_at: int | None
    hearing: Hearing
    zfs_version: str = ""
    pools: tuple[PoolStatus, ...] = ()
    filesystems: int = 0
    snapshots: int = 0
    bookmarks: int = 0
    history: tuple[PastRun, ...] = ()


@dataclass(frozen=True, slots=True)
class SpecsStatus:
    """The specs in force, and what became of the newest ones."""

    source: str
    """A path, or `repository@ref`."""
    digest: str
    revision: str | None
    objects: int
    loaded_at: int
    """When those in force were loaded."""
    problem: str | None
    """Why the newest ones are not in force; None when they are."""
    problem_since: int | None = None


@dataclass(frozen=True, slots=True)
class ControllerStatus:
    """All of it."""

    at: int
    version: str
    identity: str
    """Which controller this is, `user@host` and a process id."""
    started: int
    heartbeat: int
    """When the loop was last seen to go round."""
    dry_run: bool
    ready: bool
    """Whether specs are in force and every host was asked at least once."""
    specs: SpecsStatus
    hosts: tuple[HostStatus, ...] = ()
    replications: tuple[ReplicationStatus, ...] = ()
    running: tuple[RunningSend, ...] = ()
    working: int = 0
    """Keys that are worked on."""
    workers: int = 0
    """How many could be."""

    def conditions(self) -> Iterator[tuple[str, str, Condition]]:
        """Yield kind, name and condition of every object."""
        for replication in self.replications:
            for condition in replication.conditions:
                yield "Replication", replication.name, condition
        for host in self.hosts:
            for condition in host.conditions:
                yield "Host", host.name, condition


def condition(conditions: tuple[Condition, ...], type_: ConditionType) -> Condition | None:
    """Return the condition of a type, if it is there."""
    return next((found for found in conditions if found.type is type_), None)
