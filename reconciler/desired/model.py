"""What git says, resolved: plain frozen values that the planner reads.

Made by `desired.resolve` from the spec models. Names are checked, references followed, patterns
compiled, defaults filled in. No third-party types.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.desired.selection import Selection
from reconciler.hosts.addresses import HostAddress
from reconciler.zfs.handover import NOTHING, Properties
from reconciler.zfs.piping import NOTHING as NO_PROGRAMS
from reconciler.zfs.piping import Wanted


@dataclass(frozen=True, slots=True)
class Last:
    """Keep the `count` newest, by createtxg."""

    count: int


class Period(StrEnum):
    """The calendar periods of keep rules. A week is an ISO week."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"


@dataclass(frozen=True, slots=True)
class Calendar:
    """Keep the newest of each of the `count` most recent periods that have a version."""

    period: Period
    count: int


@dataclass(frozen=True, slots=True)
class Within:
    """Keep everything not older than `seconds`, counted back from the newest version."""

    seconds: int
    text: str
    """As written in the spec, for reasons shown to people."""


@dataclass(frozen=True, slots=True)
class Matching:
    """Keep every version whose whole name matches the regular expression."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Interval:
    """Neighbouring buckets of a grid that are alike."""

    repeat: int
    length: int
    """Seconds."""
    keep: int | None = 1
    """How many of a bucket are kept, the oldest of it; None: all."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Keep what zrepl's `grid` keeps, and the newest version, from which its buckets count back.

    zrepl's rule also has a `regex`: only snapshots whose names have a match take part in it, the
    youngest of them is where it counts from, and all others are not kept by it. There is no such
    field here because rules see the managed versions of one replication only. What a regex sets
    apart in zrepl is another prefix, and so another replication, here; a rule `regex` is `Matching`
    (which looks at the whole name), with `negate` it is `Matching` of `(?!.*REGEX).*`.
    """

    intervals: tuple[Interval, ...]
    """From the newest to the oldest."""


KeepRule = Last | Calendar | Within | Matching | Grid


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep rules: a version is kept when any of them keeps it. No rules keep everything."""

    rules: tuple[KeepRule, ...] = ()
    timezone: str = "UTC"
    """IANA name; calendar periods begin and end in it."""


class Initial(StrEnum):
    """What the first replication of a filesystem sends."""

    ALL = "all"
    """Everything the receiver would keep, oldest first."""
    NEWEST = "newest"
    REFUSE = "refuse"


class OnConflict(StrEnum):
    """What is done about a receiver that stands in the way."""

    STOP = "stop"
    """Nothing: a person decides."""
    ROLLBACK = "rollback"
    """It is rolled back to the common version."""
    SET_ASIDE = "setAside"
    """It gets another name, and a new one is begun."""


class DataPath(StrEnum):
    """The way a stream takes from sender to receiver."""

    AUTO = "auto"
    """A local pipe on one host; direct where the sender can reach the receiver; else relay."""
    DIRECT = "direct"
    """The sender pipes into ssh to the receiver."""
    RELAY = "relay"
    """Two OpenSSH processes on the controller."""


class Encryption(StrEnum):
    """How encrypted filesystems are sent."""

    RAW = "raw"
    """As they are on disk: no key is needed."""
    DECRYPT = "decrypt"
    """In clear; the key has to be loaded on the sender."""


@dataclass(frozen=True, slots=True)
class Every:
    """Slots of a fixed length, aligned to the epoch in UTC."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Cron:
    """Instants that match a cron expression; a slot lasts from one to the next."""

    expression: str
    """Five fields, one space between them."""
    timezone: str = "UTC"
    """IANA name of the zone whose clocks are looked at."""


Schedule = Every | Cron


@dataclass(frozen=True, slots=True)
class Hook:
    """What is run on the host before and after a group of snapshots is taken."""

    name: str
    """What people call it; unique among those of a group."""
    before: str
    """Text for sh(1), empty for none."""
    after: str
    """The same. Run whenever `before` was begun, whatever came of that and of the snapshots."""
    timeout: int
    """Seconds, for each of the two."""
    abort: bool
    """Whether no snapshot is taken when `before` fails."""


@dataclass(frozen=True, slots=True)
class Snapshots:
    """When snapshots are due and what they are called."""

    schedule: Schedule
    prefix: str
    if_changed: bool = False
    hooks: tuple[Hook, ...] = ()
    """`before` is run in this order, `after` in the opposite one."""


@dataclass(frozen=True, slots=True)
class External:
    """Snapshots that another tool makes and destroys on the sender; ours is to send them."""

    matching: str
    """A regular expression that is searched for in names: it matches anywhere unless anchored."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Filesystems of one host that a target of another replication brings snapshots to."""

    replication: str
    host: str
    receivers: Selection


@dataclass(frozen=True, slots=True)
class Origin:
    """What the snapshots are called that one replication makes, or that another tool makes."""

    replication: str
    prefix: str | None
    matching: str | None


@dataclass(frozen=True, slots=True)
class Received:
    """Snapshots that arrive from other replications, and that their targets' rules keep there."""

    feeds: tuple[Feed, ...] = ()
    origins: tuple[Origin, ...] = ()
    """The replications at the beginnings of the chains."""

    def reaches(self, host: str, filesystem: str) -> bool:
        """Tell whether snapshots arrive at a place."""
        return any(f.host == host and f.receivers.selects(filesystem) for f in self.feeds)


@dataclass(frozen=True, slots=True)
class Window:
    """A time that begins at each instant of a schedule and lasts for some seconds."""

    begins: Cron
    seconds: int


@dataclass(frozen=True, slots=True)
class Windows:
    """When streams may begin: in any of `allow` (always, when there are none), never in `deny`."""

    allow: tuple[Window, ...] = ()
    deny: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """One receiver host of a replication."""

    host: str
    roots: Mapping[str, str]
    """Sender host name → the receiver filesystem below which that sender's filesystems go."""
    keep: Keep
    initial: Initial = Initial.ALL
    path: DataPath = DataPath.AUTO
    on_conflict: OnConflict = OnConflict.STOP
    destroy_gone_after: int | None = None
    """Seconds for which a receiver stays whose source is gone; None: for ever."""
    max_lag: int | None = None
    """Seconds: how old the newest version here may be before it is late; None: no goal."""
    properties: Properties = NOTHING
    encryption: Encryption = Encryption.RAW
    piping: Wanted = NO_PROGRAMS
    """What streams pass on their way; the bandwidth is that of all of them together."""

    def receiver_of(self, sender: str, filesystem: str) -> str:
        """Return the receiver's name for a sender's filesystem; depends on nothing else."""
        return f"{self.roots[sender]}/{filesystem}"


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """Of what is destroyed on a sender a bookmark is left: streams can start from it."""

    last: int | None = None
    """How many of them stay, the newest; None: all."""


@dataclass(frozen=True, slots=True)
class MaxDestroy:
    """How many snapshots of one filesystem one run may destroy unless a person allows more."""

    versions: int | None = None
    """None: any number."""
    share: int | None = None
    """Per cent of what is there and arrives (see `planner.budget`); None: all."""
    always: int = 10
    """So many may go whatever their share: a rule like `last: 2` keeps fewer than a host that was
    busy for an hour has to let go."""


@dataclass(frozen=True, slots=True)
class Replication:
    """Filesystems of one or more sender hosts, their snapshots, retention and targets."""

    name: str
    senders: tuple[str, ...]
    selection: Selection
    snapshots: Snapshots | External | Received | None
    keep: Keep
    targets: tuple[Target, ...]
    suspend: bool = False
    max_destroy: MaxDestroy = MaxDestroy()
    windows: Windows = Windows()
    bookmarks: LeftBehind | None = None
    """None: there are bookmarks where streams start from, and no more."""

    def selects(self, host: str, filesystem: str) -> bool:
        """Tell whether a filesystem of one of its senders is a source, if it is there."""
        if not self.selection.selects(filesystem):
            return False
        received = self.snapshots
        return not isinstance(received, Received) or received.reaches(host, filesystem)


@dataclass(frozen=True, slots=True)
class Desired:
    """A whole spec set, resolved. Mappings are sorted by name."""

    hosts: Mapping[str, HostAddress]
    replications: Mapping[str, Replication]
    digest: str
    """`sha256:` of what the specs say, independent of formatting, comments and file names."""
    revision: str | None = None
    """`branch@commit` when the specs lie in a clean git work tree; `...+changes` when not."""
    objects: int = 0
