"""One stream of `zfs receive` from its head to the mounted filesystem (`zfs_receive_one`)."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from reconciler.simulator import change
from reconciler.simulator.arrival import receive
from reconciler.simulator.checks import is_at_least
from reconciler.simulator.commands.creating import create_ancestors
from reconciler.simulator.destination import (
    RECEIVE,
    Asked,
    Destination,
    Part,
    destination,
    settings,
    with_parents,
)
from reconciler.simulator.errno import Errno, Failed
from reconciler.simulator.model import Dataset, Machine
from reconciler.simulator.mounting import mount, unmount_all
from reconciler.simulator.native import Access, table
from reconciler.simulator.numbers import nicebytes, parse_number
from reconciler.simulator.process import Process, Refused, text
from reconciler.simulator.receive_errors import NOT_READ, explained
from reconciler.simulator.reception import Order
from reconciler.simulator.stream import Details, Header, Listing
from reconciler.simulator.stream_reader import Cut, Damaged, NoStream, Reader
from reconciler.zfs.types import FilesystemKind

DELAYED = "refquota"
"""The property that is set only when the data is in."""


@dataclass(frozen=True, slots=True)
class Session:
    """A running `zfs receive`."""

    process: Process
    reader: Reader
    asked: Asked
    received: list[tuple[Destination, Details]] = field(default_factory=list)
    """What has come, in order."""

    def is_top(self, where: Destination) -> bool:
        """Tell whether a filesystem is the first of the package."""
        return not self.received or self.received[0][0].filesystem == where.filesystem


def deliver(session: Session, header: Header, part: Part) -> Iterator[bytes]:
    """Receive the stream of one snapshot."""
    process, asked = session.process, session.asked
    new = with_parents(process.cell.read(), header, part, asked)
    if new is not None:
        create_ancestors(process, new, f"{RECEIVE} new filesystem stream")
    where = destination(process.cell.read(), header, part, asked)
    if asked.verbose:
        verb = "would receive" if asked.dry_run else "receiving"
        what = "full" if header.fromguid is None else "incremental"
        said = f"{verb} {what} stream of {header.toname} into {where.name}"
        yield from text([*where.said, said])
    if asked.dry_run:
        _skip(session.reader)
        return
    order = _order(session, header, where, part)
    delayed = order.local.get(DELAYED)
    local = {name: value for name, value in order.local.items() if name != DELAYED}
    size = yield from _received(session, replace(order, local=local), where, delayed)
    if asked.verbose:
        took = max(1, process.now() - order.now)
        seconds = f"{took:.2f}" if is_at_least(process.cell.read(), 2, 2) else str(took)
        speed = nicebytes(size // took)
        said = f"received {nicebytes(size)} stream in {seconds} seconds ({speed}/sec)"
        yield from text([said])


def _order(session: Session, header: Header, where: Destination, part: Part) -> Order:
    process, asked = session.process, session.asked
    machine = process.cell.read()
    local, masked, warnings = settings(machine, header, where, part, asked)
    for line in warnings:
        process.complain(line)
    if not session.is_top(where):
        local, masked = {}, masked | frozenset(local)
    return Order(
        header=header,
        filesystem=where.filesystem,
        snapshot=where.snapshot,
        owner=process.owner,
        now=process.now(),
        force=asked.force,
        resumable=asked.resumable,
        origin=where.origin,
        local=local,
        masked=masked,
    )


def _received(
    session: Session, order: Order, where: Destination, delayed: str | None
) -> Generator[bytes, None, int]:
    """Let the kernel receive a stream, and explain what it says; return the size."""
    process = session.process
    known = table(process.cell.read().release)
    own = (n for n in order.masked if n in known and known[n].access is Access.OWN)
    left_out = frozenset(own)
    try:
        with _unmounted(session, order):
            arrived = receive(process, session.reader, partial(_with_details, order, left_out))
    except Failed as failed:
        machine = process.cell.read()
        if not _is_there(machine, failed, order):
            raise explained(machine, failed.errno, order, where) from None
        if session.asked.verbose:
            yield from text([f"snap {where.name} already exists; ignoring"])
        _ignore(session, where)
        return 0
    session.received.append((where, arrived.details))
    _afterwards(session, arrived.details, where, delayed, masked=DELAYED in left_out)
    return arrived.bytes


@contextmanager
def _unmounted(session: Session, order: Order) -> Iterator[None]:
    """Unmount a filesystem that is replaced, and all below it, for as long as that takes.

    With `-u` all of it stays unmounted. To one that gets an increment nothing happens.
    """
    process, root = session.process, order.filesystem
    machine = process.cell.read()
    was = [d.name for d in change.within(machine, root) if d.mounted]
    if not was or (order.header.fromguid is not None and not order.header.clone):
        yield
        return
    process.cell.change(partial(unmount_all, root=root))
    try:
        yield
    finally:
        if session.asked.mount:
            _mount(session, was)


def _with_details(order: Order, left_out: frozenset[str], details: Details) -> Order:
    """Return an order that knows all of a stream's header, but for what waits for the data.

    What can't be inherited and `-x` names is taken out of it; all else that it names is masked.
    """
    if details.properties is not None:
        not_now = {DELAYED, *left_out}
        at_once = {name: v for name, v in details.properties.items() if name not in not_now}
        details = replace(details, properties=at_once)
    return replace(order, header=replace(order.header, details=details))


def _is_there(machine: Machine, failed: Failed, order: Order) -> bool:
    """Tell whether a snapshot that could not be received is in the filesystem already."""
    dataset = change.find(machine, order.filesystem)
    if dataset is None or failed.errno not in {Errno.ENOENT, Errno.EEXIST}:
        return False
    return any(snapshot.guid == order.header.toguid for snapshot in dataset.snapshots)


def _ignore(session: Session, where: Destination) -> None:
    """Read a stream to its end (`recv_skip`).

    In OpenZFS 2.1 the kernel has read one record too many: where that was the end, what comes
    next in a package is taken for the rest of this stream (openzfs#12661).
    """
    try:
        is_empty = isinstance(session.reader.next(), Listing)
        if not is_empty or not is_at_least(session.process.cell.read(), 2, 2):
            session.reader.skip()
    except (Cut, Damaged, NoStream):
        exists = f"cannot restore to {where.name}: destination already exists"
        raise Refused(NOT_READ, exists) from None


def _skip(reader: Reader) -> None:
    try:
        reader.details()
        reader.skip()
    except (Cut, Damaged, NoStream):
        raise Refused(NOT_READ) from None


# -- afterwards ------------------------------------------------------------------------------------


def _afterwards(
    session: Session,
    details: Details,
    where: Destination,
    delayed: str | None,
    *,
    masked: bool,
) -> None:
    """Set what waits for the data, and the holds that came along."""
    process, name = session.process, where.filesystem
    came = None if masked else (details.properties or {}).get(DELAYED)
    if delayed is not None or came is not None:
        try:
            process.cell.change(lambda machine: _limited(machine, name, delayed, came))
        except Refused as refused:
            process.complain(refused.lines[0])
    if details.holds and session.asked.holds:
        now = process.now()
        process.cell.change(lambda machine: _held(machine, where, details.holds, now))


def _limited(machine: Machine, name: str, local: str | None, received: str | None) -> Machine:
    """Return the machine with a refquota; raise Refused for one that is too small."""
    dataset = change.find(machine, name)
    if dataset is None:
        return machine
    value = local or received or "none"
    limit = parse_number(value) if value != "none" else 0
    if limit and change.referenced(dataset.files) > limit:
        why = "size is less than current used or reserved space"
        raise Refused(f"cannot receive {DELAYED} property on {name}: {why}")
    if local is not None:
        dataset = replace(dataset, local={**dataset.local, DELAYED: local})
    if received is not None:
        dataset = replace(dataset, received={**dataset.received, DELAYED: received})
    return change.with_dataset(machine, dataset)


def _held(machine: Machine, where: Destination, tags: Iterable[str], now: int) -> Machine:
    found = change.find_snapshot(machine, where.name)
    if found is None:
        return machine
    dataset, snapshot = found
    held = replace(snapshot, holds={**snapshot.holds, **dict.fromkeys(tags, now)})
    snapshots = tuple(held if each is snapshot else each for each in dataset.snapshots)
    return change.with_dataset(machine, replace(dataset, snapshots=snapshots))


def mount_new(session: Session) -> None:
    """Mount the filesystems that are new; a failure is the command's only in OpenZFS 2.1."""
    if session.asked.mount:
        _mount(session, (where.filesystem for where, _ in session.received if where.new))


def _mount(session: Session, names: Iterable[str]) -> None:
    process = session.process
    for name in dict.fromkeys(names):
        found = change.find(process.cell.read(), name)
        if found is None or not _is_to_mount(process.cell.read(), found):
            continue
        try:
            process.cell.change(partial(mount, name=name))
        except Refused as refused:
            is_old = not is_at_least(process.cell.read(), 2, 2)
            process.fail(*refused.lines, status=1 if is_old else process.status)


def _is_to_mount(machine: Machine, dataset: Dataset) -> bool:
    """Tell whether a received filesystem is mounted, which it is with `canmount=noauto` too."""
    is_filesystem = dataset.kind is FilesystemKind.FILESYSTEM
    return is_filesystem and change.has_key(machine, dataset.name)
