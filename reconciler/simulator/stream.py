"""The bytes between `zfs send` and `zfs receive`: a sketch of the real ones.

They are as large as a stream's bookkeeping, not as its data: a record stands for up to a 64th of a
file and has only a digest of what it would hold. All else is as with real streams: they can be
cut, damaged, stored, piped and taken apart at any byte. What counts logical bytes (estimates,
`-v -P`, resume tokens, what `zfs receive -v` says) counts as if the data were there.

A stream is a row of records, each with a head of 312 bytes as in ZFS, and most with a payload:

    BEGN (META...)  (OBJT DATA...)...  ENDS        one snapshot
    PACK  (BEGN ... ENDS)...  STOP                 a package: -I, -R, -p, -b, -h

* BEGN names the snapshots by guid; its payload, JSON, has what only some streams have.
* META stands for the metadata that each full stream starts with.
* OBJT introduces a file: number, name, block id, size. DATA is a part of it. Only files whose
  block is new since the base are sent.
* ENDS lists the whole content of the snapshot, so that a receiver knows what is gone, and can
  tell that nothing is missing.

Each head ends with a CRC of all heads so far, and has one of its payload. Numbers are big-endian.
`stream_writer` makes the bytes, `stream_reader` reads them.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from reconciler.simulator.model import NOTHING, Files
from reconciler.zfs.types import FilesystemKind

HEAD = struct.Struct(">4s8sII4Q256sI")
"""type, magic, flags, payload length, four numbers, a text, CRC."""

MAGIC = b"ZFSsim\0\1"

FIRST_FILE = 2
"""Number of the first file; the token calls it object."""

MOST_PARTS = 64
PART = 128 * 1024
"""Bytes of a part of a file that has less than `MOST_PARTS` of them."""

METADATA_RECORDS = 4
METADATA_SIZE = 10_848
"""Bytes that one META record counts for; an empty filesystem's stream has 43.9K."""

FLAGS = (
    "volume",
    "clone",
    "resuming",
    "largeblockok",
    "embedok",
    "compressok",
    "rawok",
    "lz4",
    "zstd",
)
"""What the flags of BEGN mean, by bit."""

STREAM_FLAGS = frozenset({"largeblockok", "embedok", "compressok", "rawok", "lz4", "zstd"})

TOKEN_FLAGS = ("largeblockok", "embedok", "compressok", "rawok")
"""Those that a resume token repeats."""


# -- what is in a stream ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Position:
    """Where in a snapshot's content a record is."""

    file: int
    offset: int


@dataclass(frozen=True, slots=True)
class RawForm:
    """What a raw stream says about encryption."""

    suite: str
    key: str
    """The wrapping key of the sender's encryption root."""
    keyformat: str
    ivset: int
    from_ivset: int | None = None
    is_root: bool = True
    """Whether the sender's filesystem is its own encryption root."""


@dataclass(frozen=True, slots=True)
class Details:
    """What only some streams have; the payload of BEGN."""

    resuming: Position | None = None
    raw: RawForm | None = None
    properties: Mapping[str, str] | None = None
    """Of the filesystem, with `-p`, `-b` or `-R`."""
    snapshot_properties: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    holds: tuple[str, ...] = ()
    """Tags, with `-h`."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a stream of one snapshot says before its data."""

    toguid: int
    fromguid: int | None
    toname: str
    """Full name of the snapshot on the sender."""
    creation: int
    kind: FilesystemKind
    flags: frozenset[str]
    """Some of `STREAM_FLAGS`."""
    clone: bool = False
    """Whether the base is in another filesystem: what is received becomes a clone."""
    resuming: bool = False
    """Whether it goes on where another one was cut; where that was is in the details."""
    details: Details = Details()

    @property
    def raw(self) -> bool:
        """Whether encrypted blocks are sent as they are."""
        return "rawok" in self.flags


@dataclass(frozen=True, slots=True)
class Package:
    """What a package says before its streams."""

    toname: str
    recursive: bool


class PackageEnd(NamedTuple):
    """The end of a package."""


class Metadata(NamedTuple):
    """A record that stands for metadata."""


class File(NamedTuple):
    """A record that introduces a file."""

    number: int
    name: str
    block: int
    size: int


class Part(NamedTuple):
    """A record with a part of a file."""

    number: int
    offset: int
    length: int


Record = Metadata | File | Part


@dataclass(frozen=True, slots=True)
class Listing:
    """The content of a snapshot: the payload of ENDS."""

    files: Mapping[str, tuple[int, ...]]
    """Name → block id, size."""
    volsize: int = 0


def weight(record: Record) -> int:
    """Return the bytes that a record would have in a real stream."""
    match record:
        case Metadata():
            return HEAD.size + METADATA_SIZE
        case Part(length=length):
            return HEAD.size + length
        case File():
            return HEAD.size


def listing_of(files: Files, volsize: int) -> Listing:
    """Return the list of a snapshot's files."""
    return Listing({name: (block.id, block.size) for name, block in files.items()}, volsize)


def parts(size: int) -> Iterator[tuple[int, int]]:
    """Yield offset and length of the parts of a file."""
    count = min(MOST_PARTS, max(1, -(-size // PART)))
    length = max(1, -(-size // count))
    yield from ((offset, min(length, size - offset)) for offset in range(0, size, length))


def new_records(files: Files, since: int | None) -> Iterator[Record]:
    """Yield the records of what was born after a txg; for None of all."""
    if since is None:
        yield from (Metadata() for _ in range(METADATA_RECORDS))
    for number, name in enumerate(sorted(files), FIRST_FILE):
        block = files[name]
        if since is None or block.born > since:
            yield File(number, name, block.id, block.size)
            yield from (Part(number, *part) for part in parts(block.size))


def from_position(records: Iterator[Record], start: Position) -> Iterator[Record]:
    """Yield the records of a resumed stream: the last one that was received comes again."""
    for record in records:
        match record:
            case Metadata() if start.file < FIRST_FILE:
                yield record
            case File(number=number) if number >= start.file:
                yield record
            case Part(number=number, offset=offset):
                if (number, offset) >= (start.file, start.offset):
                    yield record


def content(block: int, offset: int) -> bytes:
    """Return what stands for the bytes of a block from an offset on."""
    return sha256(f"{block}:{offset}".encode()).digest()
