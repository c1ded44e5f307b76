"""What streams pass, as people write it in specs: `zstd-9`, `128M`, `50MiB/s`."""

import re

from reconciler.desired.diagnostics import shown
from reconciler.zfs.piping import LEVEL

SIZE = "[1-9][0-9]{0,5}([KMGT]|[KMGT]iB)"
RATE = f"{SIZE}/s"
COMPRESSION = "none|zstd(-([1-9]|1[0-9]))?"

_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_PARTS = re.compile(r"([0-9]+)([KMGT])(?:iB)?(?:/s)?")

SMALLEST_BUFFER, LARGEST_BUFFER = 1 << 20, 64 << 30
"""Bytes: mbuffer wants five blocks; more memory than this is a slip of the finger."""

SLOWEST = 64 << 10
"""Bytes a second: what is slower never ends."""


def parse_size(text: str) -> int:
    """Return the bytes of a size or a rate; units are binary, as those of zfs and mbuffer are.

    >>> parse_size("128M"), parse_size("50KiB/s")
    (134217728, 51200)
    """
    found = _PARTS.fullmatch(text)
    if found is None:
        raise ValueError(f"{shown(text)} is not a size")
    return int(found[1]) * _UNITS[found[2]]


def parse_compression(text: str) -> int | None:
    """Return zstd's level, None for `none`.

    >>> parse_compression("zstd"), parse_compression("zstd-19"), parse_compression("none")
    (3, 19, None)
    """
    if text == "none":
        return None
    _, _, level = text.partition("-")
    return int(level) if level else LEVEL


def compression(text: str) -> str:
    """Check how a stream is compressed."""
    if re.fullmatch(COMPRESSION, text):
        return text
    raise ValueError(f"{shown(text)} is not a compression; write `none`, `zstd` or `zstd-1` to -19")


def buffer(text: str) -> str:
    """Check the size of a buffer."""
    if not re.fullmatch(SIZE, text):
        raise ValueError(f"{shown(text)} is not a size. Write for example `128M` or `1G`.")
    if not SMALLEST_BUFFER <= parse_size(text) <= LARGEST_BUFFER:
        raise ValueError(f"{shown(text)} is no size for a buffer: from `1M` to `64G`.")
    return text


def rate(text: str) -> str:
    """Check a bandwidth."""
    if not re.fullmatch(RATE, text):
        raise ValueError(f"{shown(text)} is not a rate. Write for example `50MiB/s` or `500K/s`.")
    if parse_size(text) < SLOWEST:
        raise ValueError(f"{shown(text)} is too slow to end: at least `64K/s`.")
    return text
