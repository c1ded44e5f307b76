"""Reading the bytes of a stream (see `stream`), record by record, and distrusting them."""

import json
import zlib
from typing import NamedTuple, Protocol, TypeVar

from reconciler.simulator import codec
from reconciler.simulator.stream import (
    FLAGS,
    HEAD,
    MAGIC,
    STREAM_FLAGS,
    Details,
    File,
    Header,
    Listing,
    Metadata,
    Package,
    PackageEnd,
    Part,
    Record,
    content,
)
from reconciler.zfs.types import FilesystemKind

T = TypeVar("T")

_LARGEST_PAYLOAD = 1 << 28


class Short(Exception):
    """Raised where there is no whole head to begin with: the sender said nothing, or little."""


class NoStream(Exception):
    """Raised where what is read is no stream."""


class Cut(Exception):
    """Raised where a stream ends before its end."""


class Damaged(Exception):
    """Raised where a stream's checksums say that it was changed."""


class Input(Protocol):
    """What a stream is read from."""

    def read(self, size: int, /) -> bytes:
        """Return exactly `size` bytes, fewer only at the end."""
        ...


class _Head(NamedTuple):
    kind: bytes
    magic: bytes
    flags: int
    length: int
    first: int
    second: int
    third: int
    payload_crc: int
    text: bytes
    crc: int


class Reader:
    """Reads streams, one after the other."""

    def __init__(self, source: Input) -> None:
        self._source = source
        self._crc = 0
        self._records = 0
        self._begin: _Head | None = None
        self._block = 0

    def start(self) -> Header | Package | PackageEnd:
        """Read the head that a stream starts with; raise Short, NoStream, Damaged."""
        data = self._source.read(HEAD.size)
        if len(data) < HEAD.size:
            raise Short
        head = _Head(*HEAD.unpack(data))
        if head.magic != MAGIC or head.kind not in {b"BEGN", b"PACK", b"STOP"}:
            raise NoStream
        self._crc = zlib.crc32(data[:-4])
        self._records = 0
        if self._crc != head.crc:
            raise Damaged
        if head.kind == b"STOP":
            return PackageEnd()
        if head.kind == b"PACK":
            return Package(_text(head), bool(head.first))
        self._begin = head
        return _header(head)

    def details(self) -> Details:
        """Read the payload of the head; raise Cut, Damaged."""
        assert self._begin is not None  # noqa: S101 - for the types: start comes first
        payload = self._payload(self._begin)
        return _unpacked(Details, payload) if payload else Details()

    def next(self) -> Record | Listing:
        """Read the next record, or the end of this snapshot's stream; raise Cut, Damaged."""
        data = self._source.read(HEAD.size)
        if len(data) < HEAD.size:
            raise Cut
        head = _Head(*HEAD.unpack(data))
        self._crc = zlib.crc32(data[:-4], self._crc)
        if head.magic != MAGIC or head.crc != self._crc:
            raise Damaged
        payload = self._payload(head)
        if head.kind == b"ENDS":
            if head.first != self._records:
                raise Damaged
            return _unpacked(Listing, payload)
        self._records += 1
        return self._record(head, payload)

    def skip(self) -> None:
        """Read to the next end of a stream without a look at what it is; raise Cut, NoStream."""
        while True:
            data = self._source.read(HEAD.size)
            if len(data) < HEAD.size:
                raise Cut
            head = _Head(*HEAD.unpack(data))
            if head.magic != MAGIC or head.length > _LARGEST_PAYLOAD:
                raise NoStream
            if len(self._source.read(head.length)) < head.length:
                raise Cut
            if head.kind in {b"ENDS", b"STOP"}:
                return

    def _payload(self, head: _Head) -> bytes:
        if head.length > _LARGEST_PAYLOAD:
            raise Damaged
        payload = self._source.read(head.length)
        if len(payload) < head.length:
            raise Cut
        if zlib.crc32(payload) != head.payload_crc:
            raise Damaged
        return payload

    def _record(self, head: _Head, payload: bytes) -> Record:
        match head.kind:
            case b"META":
                return Metadata()
            case b"OBJT":
                self._block = head.second
                return File(head.first, payload.decode(), head.second, head.third)
            case b"DATA":
                if payload != content(self._block, head.second):
                    raise Damaged
                return Part(head.first, head.second, head.third)
            case _:
                raise Damaged


def _header(head: _Head) -> Header:
    flags = {flag for bit, flag in enumerate(FLAGS) if head.flags >> bit & 1}
    return Header(
        toguid=head.first,
        fromguid=head.second or None,
        toname=_text(head),
        creation=head.third,
        kind=FilesystemKind.VOLUME if "volume" in flags else FilesystemKind.FILESYSTEM,
        flags=frozenset(flags & STREAM_FLAGS),
        clone="clone" in flags,
        resuming="resuming" in flags,
    )


def _text(head: _Head) -> str:
    return head.text.rstrip(b"\0").decode()


def _unpacked(kind: type[T], payload: bytes) -> T:
    return codec.decode(kind, json.loads(zlib.decompress(payload)))
