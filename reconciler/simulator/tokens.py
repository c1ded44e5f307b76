"""Resume tokens as OpenZFS packs them on little-endian machines; the reverse of `zfs.tokens`.

dsl_dataset.c (`get_receive_resume_token_impl`): a name-value list in native encoding, compressed
with gzip -6 (the bytes of zlib), in hex, with the first word of its fletcher-4 before it.
"""

import struct
import zlib
from collections.abc import Iterable, Mapping

from reconciler.simulator.model import Partial
from reconciler.simulator.stream import TOKEN_FLAGS

_BOOLEAN, _UINT64, _STRING = 1, 8, 9
_LEVEL = 6
_HEADER = b"\0\1\0\0" + struct.pack("<iI", 0, 1)
"""Native encoding, little-endian; version 0, unique names."""


def encode(partial: Partial) -> str:
    """Return the token of a partial receive: the property `receive_resume_token`."""
    numbers = {"fromguid": partial.fromguid} if partial.fromguid is not None else {}
    numbers |= {
        "object": partial.file,
        "offset": partial.offset,
        "bytes": partial.bytes,
        "toguid": partial.toguid,
    }
    return pack(numbers, partial.toname, (f for f in TOKEN_FLAGS if f in partial.flags))


def pack(numbers: Mapping[str, int], toname: str, flags: Iterable[str]) -> str:
    """Return a token with these numbers, name and flags, in this order."""
    pairs = [_pair(name, _UINT64, struct.pack("<Q", value)) for name, value in numbers.items()]
    pairs.append(_pair("toname", _STRING, toname.encode() + b"\0"))
    pairs += [_pair(name, _BOOLEAN, b"") for name in flags]
    packed = _HEADER + b"".join(pairs) + b"\0" * 4
    squeezed = zlib.compress(packed, _LEVEL)
    checksum = sum(struct.unpack_from(f"<{len(squeezed) // 4}I", squeezed))
    return f"1-{checksum:x}-{len(packed):x}-{squeezed.hex()}"


def _pair(name: str, kind: int, value: bytes) -> bytes:
    """Return an nvpair_t: its head of 16 bytes, the name, the value on 8 byte bounds."""
    text = name.encode() + b"\0"
    elements = 0 if kind == _BOOLEAN else 1
    body = _padded(struct.pack("<hhii", len(text), 0, elements, kind) + text, 4) + _padded(value, 0)
    return struct.pack("<i", 4 + len(body)) + body


def _padded(data: bytes, before: int) -> bytes:
    """Fill up to a multiple of 8 bytes, counted from `before` bytes ahead."""
    return data + b"\0" * (-(len(data) + before) % 8)
