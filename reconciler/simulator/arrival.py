"""The one call of the kernel that receives a stream: it reads, keeps what came, and commits.

What came is put into the machine from time to time: others see the resume token grow.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from reconciler.simulator.errno import Errno, Failed
from reconciler.simulator.model import Block, Partial
from reconciler.simulator.process import Process, Refused
from reconciler.simulator.reception import Order, Whole, abort, begin, extend, finish
from reconciler.simulator.stream import (
    HEAD,
    Details,
    File,
    Listing,
    Metadata,
    Part,
    Record,
    weight,
)
from reconciler.simulator.stream_reader import Cut, Damaged, Reader

_FIRST_STEP = 8


@dataclass(frozen=True, slots=True)
class Arrived:
    """A stream that is in."""

    bytes: int
    """Logical ones, as `zfs receive -v` prints them."""
    details: Details


def receive(process: Process, reader: Reader, order_of: Callable[[Details], Order]) -> Arrived:
    """Receive one stream whose head was read; raise Failed."""
    try:
        details = reader.details()
    except Cut:
        raise Failed(Errno.TRUNCATED) from None
    except Damaged:
        raise Failed(Errno.ECKSUM) from None
    order = order_of(details)
    machine = process.cell.change(lambda before: begin(before, order))
    dataset = machine.datasets[order.filesystem]
    assert dataset.partial is not None  # noqa: S101 - for the types: it has just begun
    arrival = _Arrival(process, dataset.guid, dataset.partial)
    try:
        arrival.check_position(order)
        listing = arrival.read(reader)
        whole = Whole(arrival.partial, listing)
        process.cell.change(lambda before: finish(before, dataset.guid, order, whole))
    except (Failed, Refused):
        process.clean_up(lambda before: abort(before, dataset.guid))
        raise
    return Arrived(arrival.read_bytes, details)


class _Arrival:
    """A stream on its way in."""

    def __init__(self, process: Process, guid: int, partial: Partial) -> None:
        self.process = process
        self.guid = guid
        self.kept = partial
        """As it is in the machine."""
        self.read_bytes = HEAD.size
        self._files = dict(partial.files)
        self._at = partial.file, partial.offset
        self._bytes = partial.bytes
        self._resumed_at = (0, -1) if partial.fresh else self._at
        self._fresh = partial.fresh
        self._file: File | None = None
        self._records = 0
        self._next = 1

    @property
    def partial(self) -> Partial:
        """What has come so far."""
        file, offset = self._at
        return replace(
            self.kept,
            files=dict(self._files),
            file=file,
            offset=offset,
            bytes=self._bytes,
            fresh=self._fresh,
        )

    def check_position(self, order: Order) -> None:
        """Raise Failed for a stream that goes on at another place (`resume_check`)."""
        start = order.header.details.resuming
        if order.header.resuming and (start is None or (start.file, start.offset) != self._at):
            raise Failed(Errno.EINVAL)

    def read(self, reader: Reader) -> Listing:
        """Read all records; raise Failed, with what came before kept."""
        try:
            while not isinstance(record := reader.next(), Listing):
                self._take(record)
                self._records += 1
                if self._records >= self._next:
                    self._keep()
        except Cut:
            self._keep()
            raise Failed(Errno.TRUNCATED) from None
        except Damaged:
            self._keep()
            raise Failed(Errno.ECKSUM) from None
        self._keep()
        return record

    def _keep(self) -> None:
        """Put what came into the machine, each time after a quarter more."""
        found = self.partial
        if found.fresh:
            return
        self.process.cell.change(lambda machine: extend(machine, self.guid, found))
        self.kept = found
        self._next = self._records + max(_FIRST_STEP, self._records // 4)

    def _take(self, record: Record) -> None:
        self.read_bytes += weight(record)
        match record:
            case Metadata():
                self._count(record)
            case File():
                self._introduce(record)
            case Part():
                self._append(record)
        self._fresh = False

    def _introduce(self, record: File) -> None:
        self._file = record
        known = self._files.get(record.name)
        if (record.number, 0) > self._resumed_at or known is None or known.id != record.block:
            self._files[record.name] = Block(record.block, 0, 0)
            self._at = record.number, 0
            self._count(record)

    def _append(self, record: Part) -> None:
        file = self._file
        if file is None or file.number != record.number:
            raise Damaged
        known = self._files[file.name]
        end = record.offset + record.length
        if record.offset > known.size or end > file.size:
            raise Damaged
        if end > known.size:
            self._files[file.name] = Block(file.block, end, 0)
            self._at = record.number, record.offset
            self._count(record)

    def _count(self, record: Record) -> None:
        self._bytes += weight(record)
