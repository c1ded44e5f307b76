"""What a simulated host is: its pools, filesystems, snapshots and bookmarks as frozen values.

A change makes a new `Machine` that shares what did not change, so that keeping an older one costs
nothing: tests go back to any moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from reconciler.zfs.types import FilesystemKind

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Block(NamedTuple):
    """What one file holds. The same id means the same bytes, on whatever host."""

    id: int
    size: int
    """Bytes."""
    born: int
    """The txg of this pool in which it was written or received."""


Files = Mapping[str, Block]
"""A filesystem's whole content: file name → what it holds. A volume has one file, `data`."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot. Its identity across hosts is the guid, within the machine the object number."""

    name: str
    """The part after the `@`."""
    object: int
    """Stays when the snapshot, or its filesystem, is renamed: what a clone's origin refers to."""
    guid: int
    createtxg: int
    creation: int
    files: Files = field(default_factory=lambda: NOTHING)
    properties: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """User properties that were set on the snapshot itself."""
    received: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """User properties that came with its stream; one that was set here wins."""
    masked: frozenset[str] = frozenset()
    """Received properties that don't count, as in `Dataset`."""
    holds: Mapping[str, int] = field(default_factory=lambda: NOTHING)
    """Tag → when it was put there, seconds since the epoch."""
    deferred: bool = False
    """Marked by `zfs destroy -d`: it goes with its last hold or clone."""
    ivset: int = 0
    """Identity of an encrypted snapshot's raw form; what a raw increment has to match."""
    accounted: bool = True
    """As in `Dataset`."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A bookmark: the identity of a snapshot that may be gone."""

    name: str
    guid: int
    createtxg: int
    creation: int
    referenced: int
    ivset: int = 0


@dataclass(frozen=True, slots=True)
class Encryption:
    """How a filesystem is encrypted."""

    suite: str
    """The value of the property `encryption`: `aes-256-gcm`."""
    key: str | None = None
    """For an encryption root what its wrapping key is derived from; None: as the parent's."""
    keyformat: str = "passphrase"
    keylocation: str = "prompt"
    loaded: bool = False
    """Of an encryption root: whether its key is loaded."""


@dataclass(frozen=True, slots=True)
class Partial:
    """What an interrupted (or running) receive has got so far."""

    toguid: int
    toname: str
    """The snapshot's full name on the sender."""
    fromguid: int | None
    files: Files
    """The content so far, what came of unfinished files included; `born` is not yet real."""
    file: int = 0
    """Number of the file that came last; the token calls it object."""
    offset: int = 0
    """Where in that file the record began that came last."""
    bytes: int = 0
    """Logical bytes of the stream so far."""
    flags: frozenset[str] = frozenset()
    """largeblockok, embedok, compressok, rawok, as in the token."""
    resumable: bool = True
    """Received with `-s`; without it nothing outlives the receive."""
    owner: str | None = None
    """The running receive, None for an interrupted one."""
    fresh: bool = False
    """Whether nothing was written yet: then nothing is saved."""
    base: int | None = None
    """Object number of the snapshot that the data goes onto: what `%recv` is a clone of."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A filesystem or volume with its snapshots and bookmarks."""

    name: str
    kind: FilesystemKind
    guid: int
    createtxg: int
    creation: int
    files: Files = field(default_factory=lambda: NOTHING)
    changed: int = 0
    """The txg of the last change of its content; up to a snapshot's createtxg it is unmodified."""
    local: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """Properties that were set here: native and user properties."""
    received: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """Properties that came with a stream; a local one wins."""
    masked: frozenset[str] = frozenset()
    """Received properties that don't count: `zfs inherit`, or `zfs receive -x`, put them aside."""
    snapshots: tuple[Snapshot, ...] = ()
    """By createtxg."""
    bookmarks: tuple[Bookmark, ...] = ()
    """By name."""
    origin: int | None = None
    """The object number of the snapshot it is a clone of."""
    mounted: bool = False
    encryption: Encryption | None = None
    accounted: bool = True
    """False for encrypted content that was received: the first mount for writing counts what each
    user has, and so modifies the filesystem."""
    large_blocks: bool = False
    """Whether a stream with `-L` was received: then the next ones need `-L` too."""
    inconsistent: bool = False
    """A first receive is under way or was cut: `partial` is about this filesystem itself."""
    partial: Partial | None = None
    """On a consistent filesystem this is what ZFS keeps in the hidden clone `%recv`."""
    volsize: int = 0


class Health(StrEnum):
    """The state of an imported pool, as far as it is played with."""

    ONLINE = "ONLINE"
    SUSPENDED = "SUSPENDED"


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool. An exported one keeps its datasets, out of reach."""

    name: str
    guid: int
    size: int
    """Bytes."""
    txg: int = 1
    """Of the last change."""
    imported: bool = True
    readonly: bool = False
    health: Health = Health.ONLINE
    features: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """disabled | enabled | active, by feature."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A `zfs send` that runs: it keeps its snapshot from being destroyed."""

    owner: str
    snapshots: tuple[int, ...]
    """Object numbers."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One simulated host."""

    seed: str
    """What guids are derived from: two machines must not have the same."""
    minted: int = 0
    """How many guids and object numbers were given out."""
    release: str = "2.1.11"
    """The release of OpenZFS it behaves as."""
    skew: int = 0
    """Seconds its clock is ahead."""
    pools: Mapping[str, Pool] = field(default_factory=lambda: NOTHING)
    datasets: Mapping[str, Dataset] = field(default_factory=lambda: NOTHING)
    """By name; those of exported pools too."""
    sending: tuple[Sending, ...] = ()
