"""Resume tokens of interrupted receives, read without asking a host.

A token (the property `receive_resume_token`, zfsprops(7)) says what was being sent and how far it
got, so a plan can tell whether resuming still makes sense. Its form is
`1-<checksum>-<length>-<bytes>`, all in hex: the bytes are a zlib stream, the checksum is the first
word of their fletcher-4, the length is that of the name-value list that is packed in them.
(libzfs_sendrecv.c, `zfs_send_resume_token_to_nvlist`.)

The list is in "native" encoding: the C structures of whatever machine made it, with its byte order
in the second byte (libnvpair, nvpair.c).
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MAX_LENGTH = 1 << 16
"""Bytes of the list; tokens are about 200 to 400."""

_FORM = re.compile(r"1-([0-9a-f]{1,16})-([0-9a-f]{1,8})-((?:[0-9a-f]{2})+)")
_NATIVE = 0
_BYTE_ORDERS = {0: ">", 1: "<"}
_HEADER = 12
_BOOLEAN, _UINT64, _STRING = 1, 8, 9

_Value = bool | int | str


class TokenError(ValueError):
    """Raised when a text is no resume token."""


@dataclass(frozen=True, slots=True)
class ResumeToken:
    """What a token says."""

    toguid: int
    """The guid of the snapshot that was being received."""
    fromguid: int | None
    """The guid of the base, None for a full stream."""
    toname: str
    """The snapshot's full name on the sender when it was sent; it may be renamed by now."""
    bytes: int
    """How much has been received."""
    object: int
    offset: int
    compressok: bool
    embedok: bool
    largeblockok: bool
    rawok: bool
    savedok: bool


def decode_token(text: str) -> ResumeToken:
    """Decode a resume token; raise TokenError for anything that is not a whole one."""
    values = dict(_pairs(_packed(text)))
    return ResumeToken(
        toguid=_uint64(values, "toguid"),
        fromguid=_uint64(values, "fromguid") if "fromguid" in values else None,
        toname=_text(values, "toname"),
        bytes=_uint64(values, "bytes"),
        object=_uint64(values, "object"),
        offset=_uint64(values, "offset"),
        compressok="compressok" in values,
        embedok="embedok" in values,
        largeblockok="largeblockok" in values,
        rawok="rawok" in values,
        savedok="savedok" in values,
    )


def _packed(text: str) -> bytes:
    """Return the packed list of a token after its checksum and length were compared."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise TokenError("it does not have the form of a resume token")
    checksum, length = int(found[1], 16), int(found[2], 16)
    compressed = bytes.fromhex(found[3])
    if checksum not in {_fletcher_4(compressed, order) for order in _BYTE_ORDERS.values()}:
        raise TokenError("its checksum is wrong")
    if length > MAX_LENGTH:
        raise TokenError("it is too long")
    stream = zlib.decompressobj()
    try:
        packed = stream.decompress(compressed, MAX_LENGTH + 1)
    except zlib.error as error:
        raise TokenError(f"it can't be decompressed: {error}") from error
    if not stream.eof or stream.unused_data:
        raise TokenError("its bytes are not one whole zlib stream")
    if len(packed) != length:
        raise TokenError("its length is wrong")
    return packed


def _fletcher_4(data: bytes, order: str) -> int:
    """Return the first word of fletcher-4: the sum of the 32 bit words, in 64 bits."""
    words: tuple[int, ...] = struct.unpack_from(f"{order}{len(data) // 4}I", data)
    return sum(words) % (1 << 64)


def _pairs(packed: bytes) -> Iterator[tuple[str, _Value]]:
    """Yield the names and values of a packed list; a pair of size 0 ends it."""
    if len(packed) < _HEADER or packed[0] != _NATIVE or packed[1] not in _BYTE_ORDERS:
        raise TokenError("its list is in an unknown encoding")
    order = _BYTE_ORDERS[packed[1]]
    at = _HEADER
    try:
        while size := struct.unpack_from(f"{order}i", packed, at)[0]:
            pair = packed[at : at + size]
            yield _pair(pair, order)
            at += len(pair)
    except (struct.error, UnicodeDecodeError, IndexError) as error:
        raise TokenError("its list is damaged") from error


def _pair(pair: bytes, order: str) -> tuple[str, _Value]:
    """Read an nvpair_t: sizes and type, then the name, then the value on the next 8 byte bound."""
    _, name_size, _, _, kind = struct.unpack_from(f"{order}ihhii", pair)
    name = pair[16 : 16 + name_size].partition(b"\0")[0].decode("ascii")
    value = pair[(16 + name_size + 7) // 8 * 8 :]
    if kind == _BOOLEAN:
        return name, True
    if kind == _UINT64:
        return name, int(struct.unpack_from(f"{order}Q", value)[0])
    if kind == _STRING:
        return name, value.partition(b"\0")[0].decode()
    raise TokenError(f"its list has a value of the unknown type {kind}")


def _uint64(values: dict[str, _Value], name: str) -> int:
    value = values.get(name)
    if type(value) is not int:
        raise TokenError(f"it does not say {name}")
    return value


def _text(values: dict[str, _Value], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        raise TokenError(f"it does not say {name}")
    return value
