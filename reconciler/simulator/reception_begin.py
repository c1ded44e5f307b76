"""How a receive begins, as the kernel does it (dmu_recv.c, `dmu_recv_begin` and its checks).

What arrives is kept on the side until it is whole: on an existing filesystem in what ZFS calls the
clone `%recv`, here `Dataset.partial`; for a first receive in a new, inconsistent filesystem.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler.simulator import change
from reconciler.simulator.checks import is_at_least
from reconciler.simulator.errno import Errno, Failed, check_room_for_blocks, writable_pool
from reconciler.simulator.model import (
    NOTHING,
    Dataset,
    Encryption,
    Machine,
    Partial,
    Pool,
    Snapshot,
)
from reconciler.simulator.stream import Header, RawForm
from reconciler.zfs.names import parent_of
from reconciler.zfs.types import FilesystemKind

BLOCKS = 5
"""That ZFS wants to have space for before it begins."""

NEEDS = {
    "largeblockok": "large_blocks",
    "embedok": "embedded_data",
    "lz4": "lz4_compress",
    "zstd": "zstd_compress",
    "rawok": "encryption",
}
"""The pool feature that a stream with a flag can't be received without."""


@dataclass(frozen=True, slots=True)
class Order:
    """What `zfs receive` asks of the kernel."""

    header: Header
    filesystem: str
    snapshot: str
    """The name it is to get; without the `@`."""
    owner: str
    now: int
    force: bool = False
    """`-F`."""
    resumable: bool = False
    """`-s`."""
    origin: str | None = None
    """Full name of the snapshot that the new filesystem is to be a clone of."""
    local: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """`-o`."""
    masked: frozenset[str] = frozenset()
    """`-x`."""

    @property
    def received(self) -> Mapping[str, str] | None:
        """The properties that come with the stream, None for a stream without."""
        return self.header.details.properties


def begin(machine: Machine, order: Order) -> Machine:
    """Return the machine on which a receive runs; raise Failed."""
    pool = writable_pool(machine, order.filesystem)
    check_room_for_blocks(machine, pool.name, BLOCKS)
    _check_features(pool, order)
    dataset = change.find(machine, order.filesystem)
    if order.header.resuming:
        return _resumed(machine, dataset, order)
    if dataset is None:
        return _begun_new(machine, order)
    return _begun_on(machine, dataset, order)


def _check_features(pool: Pool, order: Order) -> None:
    header = order.header
    needed = [NEEDS[flag] for flag in sorted(header.flags) if flag in NEEDS]
    needed += ["extensible_dataset"] if order.resumable else []
    if any(pool.features.get(feature) == "disabled" for feature in needed):
        raise Failed(Errno.ENOTSUP)
    if header.raw and "embedok" in header.flags:
        raise Failed(Errno.EINVAL)


# -- onto a filesystem that is there ---------------------------------------------------------------


def _begun_on(machine: Machine, dataset: Dataset, order: Order) -> Machine:
    header = order.header
    if not header.raw and not change.has_key(machine, dataset.name):
        raise Failed(Errno.EACCES)
    if header.clone or order.origin is not None:
        raise Failed(Errno.EINVAL)
    if dataset.partial is not None:
        raise Failed(Errno.EBUSY)
    if any(snapshot.name == order.snapshot for snapshot in dataset.snapshots):
        raise Failed(Errno.EEXIST)
    is_volume = header.kind is FilesystemKind.VOLUME
    if is_volume and any(change.children(machine, dataset.name)):
        raise Failed(Errno.WRONG_PARENT)
    if header.fromguid is None:
        _check_full_onto(dataset, order)
        base = None
    else:
        base = _base_on(dataset, order)
    partial = _partial(order, base)
    machine, _ = change.next_txg(machine, _pool(dataset))
    return change.with_dataset(machine, replace(dataset, partial=partial))


def _check_full_onto(dataset: Dataset, order: Order) -> None:
    if not order.force:
        raise Failed(Errno.EEXIST)
    if order.header.raw or dataset.encryption is not None:
        raise Failed(Errno.EINVAL)


def _base_on(dataset: Dataset, order: Order) -> Snapshot:
    """Return the snapshot that an increment goes onto; raise Failed."""
    header = order.header
    encrypted = dataset.encryption is not None
    if (header.raw and not encrypted) or (encrypted and "embedok" in header.flags):
        raise Failed(Errno.EINVAL)
    matching = [found for found in dataset.snapshots if found.guid == header.fromguid]
    if not matching:
        raise Failed(Errno.ENODEV)
    base, newest = matching[-1], dataset.snapshots[-1]
    if not order.force and (
        dataset.changed > base.createtxg or (header.raw and base is not newest)
    ):
        raise Failed(Errno.ETXTBSY)
    if dataset.large_blocks and "largeblockok" not in header.flags:
        raise Failed(Errno.LARGE_BLOCK_MISMATCH)
    if header.raw:
        _check_ivset(base, header.details.raw)
    return base if order.force else newest


def _check_ivset(base: Snapshot, raw: RawForm | None) -> None:
    if raw is None or not raw.from_ivset or not base.ivset:
        raise Failed(Errno.FROM_IVSET_MISSING)
    if raw.from_ivset != base.ivset:
        raise Failed(Errno.FROM_IVSET_MISMATCH)


# -- a new filesystem ------------------------------------------------------------------------------


def _begun_new(machine: Machine, order: Order) -> Machine:
    header = order.header
    if header.fromguid is not None and order.origin is None:
        raise Failed(Errno.ENOENT)
    parent = change.find(machine, parent_of(order.filesystem) or "")
    if parent is None:
        raise Failed(Errno.ENOENT)
    origin = change.find_snapshot(machine, order.origin) if order.origin is not None else None
    encryption = _encryption(machine, parent, origin[0] if origin else None, order)
    if parent.kind is not FilesystemKind.FILESYSTEM:
        raise Failed(Errno.WRONG_PARENT)
    if order.origin is not None:
        _check_origin(origin, order)
    base = origin[1] if origin is not None else None
    machine, txg = change.next_txg(machine, _pool(parent))
    machine, guid = change.mint(machine)
    partial = _partial(order, base)
    made = Dataset(
        name=order.filesystem,
        kind=header.kind,
        guid=guid,
        createtxg=txg,
        creation=order.now,
        files=partial.files,
        changed=txg,
        local=order.local,
        received=order.received or NOTHING,
        masked=order.masked & frozenset(order.received or ()),
        origin=base.object if base is not None else None,
        encryption=encryption,
        inconsistent=True,
        partial=partial,
    )
    return change.with_dataset(machine, made)


def _check_origin(origin: tuple[Dataset, Snapshot] | None, order: Order) -> None:
    if origin is None:
        raise Failed(Errno.ENOENT)
    dataset, snapshot = origin
    if order.header.fromguid not in {None, snapshot.guid}:
        raise Failed(Errno.ENODEV)
    if dataset.encryption is not None and "embedok" in order.header.flags:
        raise Failed(Errno.EINVAL)


def _encryption(
    machine: Machine, parent: Dataset, origin: Dataset | None, order: Order
) -> Encryption | None:
    """Return how the new filesystem is encrypted; raise Failed."""
    raw = order.header.details.raw
    if order.header.raw and origin is None:
        if raw is None:
            raise Failed(Errno.EINVAL)
        return Encryption(raw.suite, raw.key, raw.keyformat)
    if origin is not None:
        return origin.encryption and Encryption(origin.encryption.suite)
    given = order.local.get("encryption")
    plain = order.received is not None and given is None and "encryption" not in order.masked
    if parent.encryption is None or plain or given == "off":
        return None
    if not change.has_key(machine, parent.name):
        raise Failed(Errno.EACCES)
    if "embedok" in order.header.flags:
        raise Failed(Errno.EINVAL)
    return Encryption(parent.encryption.suite)


# -- going on --------------------------------------------------------------------------------------


def _resumed(machine: Machine, dataset: Dataset | None, order: Order) -> Machine:
    """Return the machine on which a receive that was cut goes on."""
    header = order.header
    if dataset is None:
        raise Failed(Errno.ENOENT)
    if not header.raw and not change.has_key(machine, dataset.name):
        raise Failed(Errno.EACCES)
    partial = dataset.partial
    if partial is None or not partial.resumable:
        raise Failed(Errno.EINVAL)
    overwrites = not dataset.inconsistent and header.fromguid is None
    if overwrites and not order.force and is_at_least(machine, 2, 2):
        raise Failed(Errno.RESUME_EXISTS)
    if partial.toguid != header.toguid:
        raise Failed(Errno.EINVAL)
    if partial.owner is not None:
        raise Failed(Errno.EBUSY)
    if partial.fromguid != header.fromguid:
        raise Failed(Errno.EINVAL)
    if dataset.large_blocks and "largeblockok" not in header.flags:
        raise Failed(Errno.LARGE_BLOCK_MISMATCH)
    running = replace(partial, owner=order.owner, resumable=order.resumable)
    return change.with_dataset(machine, replace(dataset, partial=running))


def _partial(order: Order, base: Snapshot | None) -> Partial:
    header = order.header
    return Partial(
        toguid=header.toguid,
        toname=header.toname,
        fromguid=header.fromguid,
        files=base.files if base is not None else NOTHING,
        file=1,
        flags=header.flags,
        resumable=order.resumable,
        owner=order.owner,
        fresh=True,
        base=base.object if base is not None else None,
    )


def _pool(dataset: Dataset) -> str:
    return dataset.name.partition("/")[0]
