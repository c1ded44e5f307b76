"""A receive as the kernel does it, from its first record to its end (dmu_recv.c).

Pure steps: `begin` (in `reception_begin`), then `extend` as records arrive, then `finish` when the
stream is whole, or `abort`. A receive is found again by the guid of the filesystem it goes into,
which may be renamed meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.simulator import change
from reconciler.simulator.checks import is_sent
from reconciler.simulator.errno import Errno, Failed, check_room, limit, writable_pool
from reconciler.simulator.model import (
    NOTHING,
    Dataset,
    Encryption,
    Files,
    Machine,
    Partial,
    Snapshot,
)
from reconciler.simulator.process import Refused
from reconciler.simulator.reception_begin import Order, begin
from reconciler.simulator.stream import STREAM_FLAGS, Listing
from reconciler.zfs.names import pool_of

__all__ = ["Order", "Whole", "abandoned", "abort", "begin", "extend", "finish", "receiving"]

ABORTED = 134
"""The status of a command that libzfs ends because it has no text for an error."""

LARGE_BLOCK = 128 * 1024
"""Bytes of a block beyond which it is a large one."""


@dataclass(frozen=True, slots=True)
class Whole:
    """All that a stream brought."""

    partial: Partial
    listing: Listing


def receiving(machine: Machine, guid: int) -> Dataset:
    """Return the filesystem that a receive goes into; raise Failed if it is gone."""
    for dataset in machine.datasets.values():
        if dataset.guid == guid and dataset.partial is not None:
            return dataset
    raise Failed(Errno.ENOENT)


def extend(machine: Machine, guid: int, partial: Partial) -> Machine:
    """Return the machine on which a receive has got further; raise Failed if there is no room."""
    dataset = receiving(machine, guid)
    writable_pool(machine, dataset.name)
    machine = change.with_dataset(machine, _with_partial(dataset, partial))
    check_room(machine, dataset.name)
    return machine


def finish(machine: Machine, guid: int, order: Order, whole: Whole) -> Machine:
    """Return the machine with the received snapshot; raise Failed (`dmu_recv_end_check`)."""
    dataset = receiving(machine, guid)
    writable_pool(machine, dataset.name)
    kept = dataset.snapshots
    if not dataset.inconsistent:
        kept = _kept(machine, dataset, order, whole.partial)
    if any(snapshot.name == order.snapshot for snapshot in dataset.snapshots):
        raise Failed(Errno.EEXIST)
    base = _base_files(machine, dataset, whole.partial)
    _check_whole(whole)
    machine, txg = change.next_txg(machine, pool_of(dataset.name))
    files = change.reborn(_listed(whole), [base], txg)
    machine, snapshot = _snapshot(machine, dataset, order, files, txg)
    accounted = _is_accounted(machine, dataset, order, whole.partial)
    snapshot = replace(snapshot, accounted=accounted)
    # What brings nothing new leaves the same tree of blocks (`dsl_dataset_modified_since_snap`).
    same = bool(kept) and dataset.encryption is None and dict(files) == dict(base)
    done = replace(
        _with_properties(dataset, order),
        accounted=accounted,
        files=files,
        changed=kept[-1].createtxg if same else txg,
        snapshots=(*kept, snapshot),
        encryption=_rekeyed(dataset, order),
        large_blocks=dataset.large_blocks or _has_large_blocks(order, files, base),
        inconsistent=False,
        partial=None,
        volsize=whole.listing.volsize,
    )
    return change.with_dataset(machine, done)


def abort(machine: Machine, guid: int) -> Machine:
    """Return the machine on which a receive has ended before its time: saved, or nothing left."""
    try:
        dataset = receiving(machine, guid)
    except Failed:
        return machine
    return _ended(machine, dataset)


def abandoned(machine: Machine, owner: str) -> Machine:
    """Return the machine after the kernel has cleaned up behind a process that is gone.

    What it sent is released; what it received is saved where it was a `zfs receive -s`, otherwise
    dropped.
    """
    sending = tuple(found for found in machine.sending if found.owner != owner)
    if len(sending) < len(machine.sending):
        machine = replace(machine, sending=sending)
    for dataset in machine.datasets.values():
        if dataset.partial is not None and dataset.partial.owner == owner:
            machine = _ended(machine, dataset)
    return machine


# -- the end ---------------------------------------------------------------------------------------


def _kept(
    machine: Machine, dataset: Dataset, order: Order, partial: Partial
) -> tuple[Snapshot, ...]:
    """Return the snapshots that stay when the increment is swapped in; raise Failed."""
    there = change.find(machine, order.filesystem)
    if there is None:
        raise Failed(Errno.ENOENT)
    if there.guid != dataset.guid:
        raise Failed(Errno.EINVAL)
    numbers = [snapshot.object for snapshot in dataset.snapshots]
    count = numbers.index(partial.base) + 1 if partial.base in numbers else 0
    kept, newer = dataset.snapshots[:count], dataset.snapshots[count:]
    if order.force:
        for snapshot in reversed(newer):
            _check_destroyable(machine, snapshot)
    elif newer:
        raise Failed(Errno.EINVAL)
    elif dataset.snapshots and dataset.changed > dataset.snapshots[-1].createtxg:
        raise Failed(Errno.ETXTBSY)
    refquota = limit(dataset, "refquota")
    if refquota and change.referenced(partial.files) > refquota:
        raise Failed(Errno.EDQUOT)
    return kept


def _check_destroyable(machine: Machine, snapshot: Snapshot) -> None:
    """Raise Failed for a snapshot that `-F` can't destroy (`dsl_destroy_snapshot_check_impl`)."""
    if is_sent(machine, snapshot) or snapshot.holds:
        raise Failed(Errno.EBUSY)
    if any(change.clones_of(machine, snapshot)):
        raise Failed(Errno.EEXIST)


def _base_files(machine: Machine, dataset: Dataset, partial: Partial) -> Files:
    number = partial.base
    found = change.by_object(machine, number, near=dataset.name) if number is not None else None
    return found[1].files if found is not None else NOTHING


def _check_whole(whole: Whole) -> None:
    """End the command where the base did not have what its guid promises: that never happens."""
    for name, (block, size) in whole.listing.files.items():
        found = whole.partial.files.get(name)
        if found is None or (found.id, found.size) != (block, size):
            raise Refused(f"internal error: the base of the stream lacks {name}", status=ABORTED)


def _listed(whole: Whole) -> Files:
    return {name: whole.partial.files[name] for name in whole.listing.files}


def _snapshot(
    machine: Machine, dataset: Dataset, order: Order, files: Files, txg: int
) -> tuple[Machine, Snapshot]:
    details = order.header.details
    machine, number = change.mint_object(machine)
    ivset = details.raw.ivset if details.raw is not None else 0
    if dataset.encryption is not None and details.raw is None:
        machine, ivset = change.mint(machine)
    return machine, Snapshot(
        name=order.snapshot,
        object=number,
        guid=order.header.toguid,
        createtxg=txg,
        creation=order.header.creation,
        files=files,
        received=details.snapshot_properties,
        ivset=ivset,
    )


def _with_properties(dataset: Dataset, order: Order) -> Dataset:
    """Return a filesystem with what `-o`, `-x` and the stream say about its properties."""
    local: Mapping[str, str] = {**dataset.local, **order.local}
    if order.received is None:
        return replace(dataset, local=local)
    masked = (dataset.masked | order.masked) & frozenset(order.received)
    return replace(dataset, local=local, received=order.received, masked=masked)


def _is_accounted(machine: Machine, dataset: Dataset, order: Order, partial: Partial) -> bool:
    """Tell whether the content has the figures for each user, which streams do not bring."""
    if dataset.encryption is None:
        return True
    base = change.by_object(machine, partial.base) if partial.base is not None else None
    return base is not None and base[1].accounted and not order.header.raw


def _rekeyed(dataset: Dataset, order: Order) -> Encryption | None:
    """Return the encryption: an encryption root takes over the sender's wrapping key."""
    raw = order.header.details.raw
    if raw is None or dataset.encryption is None or dataset.encryption.key is None:
        return dataset.encryption
    return replace(dataset.encryption, key=raw.key, keyformat=raw.keyformat)


def _has_large_blocks(order: Order, files: Files, base: Files) -> bool:
    """Tell whether a large block came: `-L` alone is not enough (openzfs#18101)."""
    if "largeblockok" not in order.header.flags & STREAM_FLAGS:
        return False
    known = {block.id for block in base.values()}
    return any(b.size > LARGE_BLOCK and b.id not in known for b in files.values())


# -- changes ---------------------------------------------------------------------------------------


def _with_partial(dataset: Dataset, partial: Partial) -> Dataset:
    if dataset.inconsistent:
        return replace(dataset, partial=partial, files=partial.files)
    return replace(dataset, partial=partial)


def _ended(machine: Machine, dataset: Dataset) -> Machine:
    partial = dataset.partial
    if partial is not None and partial.resumable and not partial.fresh:
        saved = replace(partial, owner=None)
        return change.with_dataset(machine, replace(dataset, partial=saved))
    if dataset.inconsistent and not any(change.children(machine, dataset.name)):
        return change.without_dataset(machine, dataset.name)
    return change.with_dataset(machine, replace(dataset, partial=None))
