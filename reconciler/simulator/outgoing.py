"""What a `zfs send` is made of: which snapshot from which base, with what in its header.

All of it is found out from one machine value, before the first byte is sent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.simulator import change
from reconciler.simulator.inheritance import inherited
from reconciler.simulator.model import NOTHING, Bookmark, Dataset, Machine, Snapshot
from reconciler.simulator.native import Access, table
from reconciler.simulator.numbers import BadNumber, parse_number
from reconciler.simulator.stream import (
    Details,
    File,
    Header,
    Position,
    RawForm,
    Record,
    from_position,
    new_records,
)
from reconciler.zfs.names import ancestors, filesystem_of, pool_of

LARGE_BLOCK = 128 * 1024
"""Bytes of a block beyond which it is a large one."""

BLOCK_SIZE = 128 * 1024
RECORD_SIZE = 312
FULL_SIZE, INCREMENT_SIZE = 12_912, 624
"""Bytes that an estimate has for a stream without data."""

DIRECTORY_SIZE = 7 * 1024
"""Bytes of metadata that change with any file."""

Base = Snapshot | Bookmark


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of `zfs send` that change what is in a stream."""

    large_blocks: bool = False
    embedded: bool = False
    compressed: bool = False
    raw: bool = False
    properties: bool = False
    """`-p`, or `-R`."""
    backup: bool = False
    """`-b`: only properties that were received."""
    holds: bool = False

    @property
    def gathers(self) -> bool:
        """Whether properties of snapshots go along: with holds too."""
        return self.properties or self.backup or self.holds


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One snapshot to be sent."""

    dataset: Dataset
    snapshot: Snapshot
    header: Header
    since: int | None
    """The createtxg of the base."""
    base: str | None = None
    """The base as estimates show it."""
    sent: int = 0
    """Logical bytes that a resumed stream has behind it."""
    pinned: tuple[int, ...] = field(default=())
    """Object numbers of the snapshots that can't be destroyed meanwhile."""

    @property
    def name(self) -> str:
        """The full name of the snapshot."""
        return f"{self.dataset.name}@{self.snapshot.name}"

    def records(self) -> Iterator[Record]:
        """Yield what is sent between header and end."""
        records = new_records(self.snapshot.files, self.since)
        start = self.header.details.resuming
        return records if start is None else from_position(records, start)

    def estimate(self) -> int:
        """Return the bytes that `zfs send -n` expects."""
        new = [r for r in new_records(self.snapshot.files, self.since) if isinstance(r, File)]
        found = sum(file.size + RECORD_SIZE * -(-file.size // BLOCK_SIZE) for file in new)
        found += FULL_SIZE if self.since is None else INCREMENT_SIZE
        found += DIRECTORY_SIZE if new and self.since is not None else 0
        return max(0, found - self.sent)


def outgoing(  # noqa: PLR0913 - all of it decides
    machine: Machine,
    dataset: Dataset,
    snapshot: Snapshot,
    base: tuple[Dataset, Base] | None,
    asked: Asked,
    *,
    shown: str | None = None,
    resuming: tuple[Position, int] | None = None,
) -> Outgoing:
    """Return one snapshot to be sent from a base, or whole; `shown` is the base's name."""
    name = f"{dataset.name}@{snapshot.name}"
    flags = stream_flags(machine, dataset, snapshot, asked)
    position, sent = resuming if resuming is not None else (None, 0)
    details = Details(
        resuming=position,
        raw=_raw_form(machine, dataset, snapshot, base) if "rawok" in flags else None,
        properties=_properties(machine, dataset, asked),
        snapshot_properties=_snapshot_properties(snapshot, asked),
        holds=tuple(sorted(snapshot.holds)) if asked.holds else (),
    )
    header = Header(
        toguid=snapshot.guid,
        fromguid=base[1].guid if base is not None else None,
        toname=name,
        creation=snapshot.creation,
        kind=dataset.kind,
        flags=flags,
        clone=base is not None and base[0].name != dataset.name,
        resuming=resuming is not None,
        details=details,
    )
    since = base[1].createtxg if base is not None else None
    return Outgoing(dataset, snapshot, header, since, shown, sent, (snapshot.object,))


def stream_flags(
    machine: Machine, dataset: Dataset, snapshot: Snapshot, asked: Asked
) -> frozenset[str]:
    """Return the flags of a stream (dmu_send.c, `setup_featureflags`)."""
    features = machine.pools[pool_of(dataset.name)].features
    encrypted = dataset.encryption is not None
    embeds = features.get("embedded_data") == "active" and not encrypted
    found = {
        "embedok": (asked.embedded or asked.raw) and embeds,
        "compressok": asked.compressed or asked.raw,
        "rawok": asked.raw and encrypted,
        "largeblockok": (asked.large_blocks or asked.raw)
        and has_large_blocks(machine, dataset, snapshot),
    }
    if any(found[flag] for flag in ("embedok", "compressok", "rawok")):
        found["lz4"] = features.get("lz4_compress") == "active"
        found["zstd"] = features.get("zstd_compress") == "active"
    return frozenset(flag for flag, given in found.items() if given)


def has_large_blocks(machine: Machine, dataset: Dataset, snapshot: Snapshot) -> bool:
    """Tell whether a filesystem has blocks above 128 KiB: without any `-L` does nothing."""
    setting = inherited(machine, dataset.name, "recordsize")
    try:
        size = parse_number(setting.value) if setting is not None else 0
    except BadNumber:
        size = 0
    wrote = any(block.size > LARGE_BLOCK for block in snapshot.files.values())
    return dataset.large_blocks or (size > LARGE_BLOCK and wrote)


def is_before(
    machine: Machine, earlier: tuple[Dataset, Base], dataset: Dataset, createtxg: int
) -> bool:
    """Tell whether a base is in the past of a snapshot with a createtxg, its origin's included.

    libzfs (`snapshot_is_before`) asks this of snapshots, the kernel (`dsl_dataset_is_before`) of
    bookmarks. A bookmark of the origin itself is no base for the clone.
    """
    where, base = earlier
    if base.createtxg >= createtxg:
        return False
    if where.name == dataset.name:
        return True
    found = change.by_object(machine, dataset.origin) if dataset.origin is not None else None
    if found is None:
        return False
    above, origin = found
    if isinstance(base, Snapshot) and base.object == origin.object:
        return True
    return is_before(machine, earlier, above, origin.createtxg)


def with_guid(
    machine: Machine, toname: str, guid: int, *, bookmarks: bool = False
) -> tuple[Dataset, Base] | None:
    """Return a snapshot, or bookmark, of the pool by its guid (libzfs, `guid_to_name`).

    The filesystem that `toname` says comes first, with what is below it, then those above it with
    what is below them.
    """
    name = filesystem_of(toname)
    roots = reversed((*ancestors(name), name))
    for dataset in (found for root in roots for found in change.within(machine, root)):
        kinds: tuple[tuple[Base, ...], ...] = (dataset.snapshots,)
        if bookmarks:
            kinds = (dataset.snapshots, dataset.bookmarks)
        found = next((found for kind in kinds for found in kind if found.guid == guid), None)
        if found is not None:
            return dataset, found
    return None


def _raw_form(
    machine: Machine, dataset: Dataset, snapshot: Snapshot, base: tuple[Dataset, Base] | None
) -> RawForm | None:
    root = change.encryption_root(machine, dataset.name)
    if root is None or root.encryption is None or dataset.encryption is None:
        return None
    return RawForm(
        suite=dataset.encryption.suite,
        key=root.encryption.key or "",
        keyformat=root.encryption.keyformat,
        ivset=snapshot.ivset,
        from_ivset=base[1].ivset if base is not None else None,
        is_root=root.name == dataset.name,
    )


def _snapshot_properties(snapshot: Snapshot, asked: Asked) -> Mapping[str, str]:
    """Return the properties of a snapshot that go along with it."""
    received = {k: v for k, v in snapshot.received.items() if k not in snapshot.masked}
    if asked.backup:
        return received
    return {**received, **snapshot.properties} if asked.gathers else NOTHING


def _properties(machine: Machine, dataset: Dataset, asked: Asked) -> Mapping[str, str] | None:
    """Return the properties that go along: those that can be set and were."""
    if not (asked.properties or asked.backup):
        return None
    received = {k: v for k, v in dataset.received.items() if k not in dataset.masked}
    found = received if asked.backup else {**received, **dataset.local}
    known = table(machine.release)
    fixed = {"keylocation", "volsize"}
    fixed |= {n for n, p in known.items() if p.access in {Access.READONLY, Access.ONCE}}
    return {name: value for name, value in found.items() if name not in fixed}
