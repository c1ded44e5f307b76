"""Listings that are read again and again: pieces that are as they were last time are not read anew.

A piece is some whole rows, if possible all those of its filesystems. What a listing comes to must
not depend on where it is cut.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from hashlib import sha256
from operator import is_
from typing import Generic, NamedTuple, TypeVar

SIZE = 12_000
"""Characters of a piece that nothing is known of; then come what else its last filesystem has."""

_FILESYSTEM = re.compile(r"[^@#\t\n]*")

T = TypeVar("T")
Whole = TypeVar("Whole")


class _Piece(NamedTuple, Generic[T]):
    length: int
    digest: bytes
    value: T


class Pieces(Generic[T, Whole]):
    """One kind of listing of one host, as it was read last."""

    def __init__(self, read: Callable[[str], T], join: Callable[[Sequence[T]], Whole]) -> None:
        self._read = read
        self._join = join
        self._pieces: dict[str, _Piece[T]] = {}
        """By the filesystem that each begins with."""
        self._last: tuple[Sequence[T], Whole] | None = None
        """What the pieces were, and what they came to."""

    def of(self, text: str) -> Whole:
        """Return what a listing comes to; the same object as last time if nothing has changed.

        Raises ValueError if the last row has no end, and what reading a piece does.
        """
        values = self._values(text)
        if self._last is not None:
            before, whole = self._last
            if len(before) == len(values) and all(map(is_, before, values)):
                return whole
        whole = self._join(values)
        self._last = values, whole
        return whole

    def _values(self, text: str) -> Sequence[T]:
        values: list[T] = []
        found: dict[str, _Piece[T]] = {}
        start = 0
        while start < len(text):
            first = _about(text, start)
            piece = self._pieces.get(first)
            if piece is None or piece.digest != _digest(text[start : start + piece.length]):
                part = text[start : _end(text, start, self._pieces)]
                piece = _Piece(len(part), _digest(part), self._read(part))
            found[first] = piece
            values.append(piece.value)
            start += piece.length
        self._pieces = found
        return values


def _end(text: str, start: int, known: Collection[str]) -> int:
    """Return where a piece ends: at the latest where one begins that is known."""
    end = text.index("\n", min(start + SIZE, len(text) - 1)) + 1
    first = _about(text, start)
    for row in _rows(text, start, end) if known else ():
        about = _about(text, row)
        if about != first and about in known:
            return row
    last = _about(text, max(start, text.rfind("\n", start, end - 1) + 1))
    while text.startswith((f"{last}@", f"{last}#"), end):
        end = text.index("\n", end) + 1
    return end


def _rows(text: str, start: int, end: int) -> Iterator[int]:
    """Yield where the rows of a part begin, but for the first."""
    row = text.find("\n", start, end - 1) + 1
    while row:
        yield row
        row = text.find("\n", row, end - 1) + 1


def _about(text: str, start: int) -> str:
    """Return the filesystem that a row is about, in listings of them and in those of versions."""
    row = _FILESYSTEM.match(text, start)
    return row[0] if row is not None else ""


def _digest(text: str) -> bytes:
    return sha256(text.encode(errors="surrogatepass")).digest()
