"""What the hosts say. A host is Seen or Unseen with a cause; there is no empty default.

Unknown is not empty: a filesystem that is not listed is absent only because its host is Seen and
its pool is among the imported ones of that same observation.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import NamedTuple, cast

from reconciler.zfs.types import FilesystemKind, Version, VersionKind
from reconciler.zfs.versions import columns_of

_SNAPSHOT = VersionKind.SNAPSHOT


@dataclass(frozen=True, slots=True)
class Pool:
    """An imported pool."""

    name: str
    guid: int
    health: str
    """ONLINE, DEGRADED, FAULTED, SUSPENDED ... as zpool prints it."""
    readonly: bool
    free: int
    """Bytes."""
    features: Mapping[str, str] = field(default_factory=dict)
    """Feature name without `feature@` → disabled | enabled | active."""

    @property
    def usable(self) -> bool:
        """Whether its filesystems were listed in full: not so when FAULTED, SUSPENDED ...

        Of a pool that is not usable nothing is known, whatever is or is not in `Seen.filesystems`.
        """
        return self.health in {"ONLINE", "DEGRADED"}


@dataclass(frozen=True, slots=True)
class Filesystem:
    """A filesystem or volume with its versions."""

    name: str
    kind: FilesystemKind
    guid: int
    createtxg: int
    used: int
    written: int
    """Bytes written since the newest snapshot."""
    referenced: int
    encryption: str
    """`off` or the cipher."""
    keystatus: str
    """none | available | unavailable"""
    encryptionroot: str | None
    origin: str | None
    """The snapshot this is a clone of."""
    readonly: bool
    mounted: bool
    resume_token: str | None
    inconsistent: bool
    """A first receive that is under way or was interrupted: no data to be had yet."""
    placeholder: bool
    """Made by us as a parent only (user property `reconciler:placeholder=on`)."""
    disabled: bool
    """`reconciler:reconcile=disabled`, own or inherited: hands off."""
    properties: Mapping[str, str] = field(default_factory=dict)
    """Those that specs ask for (see `probe`) and it has: own, received, inherited or default."""
    versions: Sequence[Version] = ()
    """In version order. Empty also where versions were not asked for: see Seen.listed."""
    gone_since: int | None = None
    """Since when we know that its source is gone, epoch seconds (`reconciler:gone-since`)."""
    _kinds: tuple[tuple[Version, ...], tuple[Version, ...]] | None = field(
        default=None, init=False, compare=False, repr=False
    )
    """Snapshots and bookmarks, told apart when they are first asked for."""

    @property
    def pool(self) -> str:
        """The name of the pool it is in."""
        return self.name.partition("/")[0]

    @property
    def snapshots(self) -> tuple[Version, ...]:
        """The snapshots, oldest first."""
        return (self._kinds or self._told_apart())[0]

    @property
    def bookmarks(self) -> tuple[Version, ...]:
        """The bookmarks, oldest first."""
        return (self._kinds or self._told_apart())[1]

    def _told_apart(self) -> tuple[tuple[Version, ...], tuple[Version, ...]]:
        versions = tuple(self.versions[:])
        snapshots = tuple([v for v in versions if v.kind is _SNAPSHOT])
        if len(snapshots) == len(versions):
            snapshots = versions
        bookmarks = tuple([v for v in versions if v.kind is not _SNAPSHOT])
        object.__setattr__(self, "_kinds", (snapshots, bookmarks))
        return snapshots, bookmarks


@dataclass(frozen=True, slots=True)
class Seen:
    """A host that answered completely."""

    host: str
    at: int
    """The controller's clock when the answer came, epoch seconds."""
    clock: int
    """The host's own clock, epoch seconds."""
    zfs_version: str
    """`2.1.11` style, of the userland."""
    pools: Mapping[str, Pool]
    filesystems: Mapping[str, Filesystem]
    """Every filesystem and volume of the imported pools that were asked about, sorted by name."""
    listed: tuple[str, ...] = ()
    """The roots whose versions were asked for; below them a missing version is absent."""
    programs: frozenset[str] = frozenset()
    """Those that streams may pass (`zfs.piping`) and the host is known to have."""
    _facts: "_Facts | None" = field(default=None, init=False, compare=False, repr=False)
    """What is asked of all filesystems together, put together when it is first asked for."""

    @property
    def names(self) -> tuple[str, ...]:
        """The filesystems' names, sorted."""
        return self._put_together().names

    @property
    def origins(self) -> frozenset[str]:
        """The full names of snapshots that have clones."""
        return self._put_together().origins

    @property
    def marked_gone(self) -> tuple[Filesystem, ...]:
        """The filesystems with a mark that their source is gone, sorted by name."""
        return self._put_together().marked_gone

    @property
    def made_for(self) -> Mapping[str, Mapping[str, int]]:
        """Spec → filesystem → how many snapshots there carry its mark."""
        return self._put_together().made_for

    def _put_together(self) -> "_Facts":
        if self._facts is None:
            object.__setattr__(self, "_facts", _Facts.of(self.filesystems))
        return cast("_Facts", self._facts)


class _Facts(NamedTuple):
    """What many plans ask of one observation."""

    names: tuple[str, ...]
    origins: frozenset[str]
    marked_gone: tuple[Filesystem, ...]
    made_for: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, filesystems: Mapping[str, Filesystem]) -> "_Facts":
        """Return what there is to know of these filesystems."""
        marked = sorted(name for name, fs in filesystems.items() if fs.gone_since is not None)
        made: dict[str, dict[str, int]] = {}
        known: dict[tuple[str | None, ...], Mapping[str | None, int]] = {}
        for name, filesystem in filesystems.items():
            specs = _specs_of_snapshots(filesystem)
            counts = known.get(specs)
            if counts is None:
                counts = known[specs] = Counter(specs)
            for spec, count in counts.items():
                if spec is not None:
                    made.setdefault(spec, {})[name] = count
        return cls(
            tuple(sorted(filesystems)),
            frozenset([fs.origin for fs in filesystems.values() if fs.origin]),
            tuple(filesystems[name] for name in marked),
            made,
        )


def _specs_of_snapshots(filesystem: Filesystem) -> tuple[str | None, ...]:
    columns = columns_of(filesystem.versions)
    if "#" not in "".join(columns.labels):
        return columns.specs
    return tuple(compress(columns.specs, [label[0] == "@" for label in columns.labels]))


def standing(seen: Seen) -> Mapping[str, Pool]:
    """Return what there is to know of a host's pools, but for what changes all the time."""
    return {name: replace(pool, free=0) for name, pool in seen.pools.items()}


@dataclass(frozen=True, slots=True)
class Unseen:
    """A host that could not be observed: nothing is known about it, so nothing is done to it."""

    host: str
    cause: str
    """What happened, one line."""
    remedy: str = ""


Observation = Seen | Unseen
Observed = Mapping[str, Observation]
