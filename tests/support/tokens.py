"""Resume tokens as OpenZFS packs them on little-endian machines; the reverse of `zfs.tokens`."""

import struct
import zlib

_BOOLEAN, _UINT64, _STRING = 1, 8, 9


def token(
    toguid: int,
    fromguid: int | None = None,
    *,
    toname: str = "tank/www@x",
    received: int = 10,
    raw: bool = False,
) -> str:
    """Return the token of a partial receive that got `received` bytes."""
    numbers = {"object": 3, "offset": 0, "bytes": received, "toguid": toguid}
    if fromguid is not None:
        numbers["fromguid"] = fromguid
    pairs = [_pair(name, _UINT64, struct.pack("<Q", value)) for name, value in numbers.items()]
    pairs.append(_pair("toname", _STRING, toname.encode() + b"\0"))
    flags = ("compressok", "rawok") if raw else ("compressok",)
    pairs += [_pair(name, _BOOLEAN, b"") for name in flags]
    packed = b"\0\1\0\0" + struct.pack("<iI", 0, 1) + b"".join(pairs) + b"\0" * 8
    squeezed = zlib.compress(packed)
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
