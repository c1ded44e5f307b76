"""Making the bytes of a stream (see `stream`)."""

import json
import zlib
from typing import Any

from reconciler.simulator import codec
from reconciler.simulator.stream import (
    FLAGS,
    HEAD,
    MAGIC,
    File,
    Header,
    Listing,
    Metadata,
    Package,
    Part,
    Record,
    content,
)
from reconciler.zfs.types import FilesystemKind


class Writer:
    """Makes the bytes of one snapshot's stream."""

    def __init__(self) -> None:
        self._crc = 0
        self._records = 0
        self._block = 0
        """Of the file that was introduced last."""

    def begin(self, header: Header) -> bytes:
        """Return the bytes of BEGN."""
        given = {
            *header.flags,
            *(["clone"] if header.clone else []),
            *(["volume"] if header.kind is FilesystemKind.VOLUME else []),
            *(["resuming"] if header.resuming else []),
        }
        flags = sum(1 << bit for bit, flag in enumerate(FLAGS) if flag in given)
        details = codec.encode(header.details)
        payload = _packed(details) if details else b""
        numbers = header.toguid, header.fromguid or 0, header.creation
        return self._put(_head(b"BEGN", payload, numbers, header.toname, flags), payload)

    def record(self, record: Record) -> bytes:
        """Return the bytes of a record."""
        self._records += 1
        payload, numbers = b"", (0, 0, 0)
        match record:
            case Metadata():
                kind = b"META"
            case File(number, name, block, size):
                self._block = block
                kind, payload, numbers = b"OBJT", name.encode(), (number, block, size)
            case Part(number, offset, length):
                kind, payload = b"DATA", content(self._block, offset)
                numbers = number, offset, length
        return self._put(_head(kind, payload, numbers), payload)

    def end(self, listing: Listing) -> bytes:
        """Return the bytes of ENDS."""
        payload = _packed(codec.encode(listing))
        return self._put(_head(b"ENDS", payload, (self._records, 0, 0)), payload)

    def _put(self, head: bytes, payload: bytes) -> bytes:
        self._crc = zlib.crc32(head, self._crc)
        return head + self._crc.to_bytes(4) + payload


def package(found: Package) -> bytes:
    """Return the bytes that a package starts with."""
    return _alone(_head(b"PACK", b"", (int(found.recursive), 0, 0), found.toname))


def package_end() -> bytes:
    """Return the bytes that a package ends with."""
    return _alone(_head(b"STOP", b"", (0, 0, 0)))


def _alone(head: bytes) -> bytes:
    return head + zlib.crc32(head).to_bytes(4)


def _head(
    kind: bytes, payload: bytes, numbers: tuple[int, int, int], text: str = "", flags: int = 0
) -> bytes:
    """Return a head without its CRC."""
    crc = zlib.crc32(payload)
    return HEAD.pack(kind, MAGIC, flags, len(payload), *numbers, crc, text.encode(), 0)[:-4]


def _packed(document: Any) -> bytes:
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode())
