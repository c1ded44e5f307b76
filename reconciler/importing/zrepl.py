"""A zrepl.yml as values: its jobs, and what of it has no place in specs.

The file is one machine's: a push job knows where to, but not below what it is received there; a
sink knows that and not what it receives. Semantics: zrepl 0.7.
"""

from dataclasses import dataclass
from enum import StrEnum

from reconciler.desired.diagnostics import Position
from reconciler.importing.remarks import Remark


class JobType(StrEnum):
    """What a job does."""

    PUSH = "push"
    """Take snapshots and send them."""
    SINK = "sink"
    """Receive what is pushed."""
    PULL = "pull"
    """Fetch snapshots."""
    SOURCE = "source"
    """Take snapshots and let them be fetched."""
    SNAP = "snap"
    """Take snapshots."""


class Transport(StrEnum):
    """How the two jobs of a replication reach each other."""

    TCP = "tcp"
    TLS = "tls"
    SSH = "ssh+stdinserver"
    LOCAL = "local"
    """Both are jobs of one file."""


@dataclass(frozen=True, slots=True)
class Connect:
    """Where the active job (push, pull) goes."""

    transport: Transport
    where: Position
    address: str = ""
    user: str = ""
    port: int | None = None
    """Of ssh; the ports of tcp and tls are zrepl's own."""
    certificate: str = ""
    """The file whose common name is this machine's client identity (tls)."""
    listener: str = ""
    identity: str = ""
    """The client identity, where the active job says it (local)."""


@dataclass(frozen=True, slots=True)
class Serve:
    """Whom the passive job (sink, source) serves."""

    where: Position
    local: bool = False
    listener: str = ""
    identities: tuple[str, ...] = ()

    def local_at(self, listener: str) -> bool:
        """Whether a job of the same file finds it under this name."""
        return self.local and self.listener == listener


@dataclass(frozen=True, slots=True)
class FilterEntry:
    """One line of a filesystem filter: `"tank/a<": true` is a subtree, `""` with it everything."""

    path: str
    subtree: bool
    passes: bool
    where: Position


class Timing(StrEnum):
    """When snapshots are taken."""

    PERIODIC = "periodic"
    CRON = "cron"
    MANUAL = "manual"
    """By somebody else."""


@dataclass(frozen=True, slots=True)
class Snapshotting:
    """When snapshots are taken and what they are called."""

    timing: Timing
    where: Position
    prefix: str = ""
    prefix_at: Position | None = None
    interval: int = 0
    """Seconds."""
    cron: str = ""
    own_format: bool = False
    """Whether the time in the names has a format of the user's own."""


class RuleType(StrEnum):
    """The kinds of keep rules."""

    NOT_REPLICATED = "not_replicated"
    LAST_N = "last_n"
    REGEX = "regex"
    GRID = "grid"


@dataclass(frozen=True, slots=True)
class KeepRule:
    """A rule that votes to keep a snapshot."""

    type: RuleType
    where: Position
    regex: str = ""
    """Of the names it is about, searched for anywhere in them; empty: all."""
    negate: bool = False
    count: int = 0
    grid: str = ""
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """A job with what its kind has; the rest is empty."""

    type: JobType
    name: str
    where: Position
    connect: Connect | None = None
    serve: Serve | None = None
    root_fs: str = ""
    root_at: Position | None = None
    filesystems: tuple[FilterEntry, ...] = ()
    snapshotting: Snapshotting | None = None
    keep_sender: tuple[KeepRule, ...] = ()
    """Also a snap job's rules."""
    keep_receiver: tuple[KeepRule, ...] = ()
    initial: str = "most_recent"
    about_job: tuple[Remark, ...] = ()
    about_snapshots: tuple[Remark, ...] = ()
    about_sending: tuple[Remark, ...] = ()
    about_receiving: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """A whole file."""

    jobs: tuple[Job, ...]
    remarks: tuple[Remark, ...] = ()
    """About what belongs to no job."""
