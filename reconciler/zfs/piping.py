"""What a stream passes on its way beside zfs: zstd(1), mbuffer(1), and what keeps it to a rate.

Pure functions. Each end of a stream gets a line of programs; what there is on a host decides.

The rate is kept by mbuffer where there is one: a stream that has a buffer passes it anyway, it
keeps rates as well as pv(1) does, and unlike that (1.6.20) it does not end with 0 when it can't
write. Where there is none, pv does it. It is kept behind the compression: what counts is what goes
over the wire.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from reconciler.zfs.types import Argv

ZSTD = "zstd"
MBUFFER = "mbuffer"
PV = "pv"

PROGRAMS = (MBUFFER, PV, ZSTD)
"""What streams may pass. A host may lack any of them."""

LIMITERS = (MBUFFER, PV)
"""What keeps a stream to a rate, the better one first."""

LEVEL = 3
"""zstd's own default. It compresses faster than most links carry away."""

_BLOCK = "128k"
"""What mbuffer moves at once: a record of ZFS. It wants at least five of them."""

_SMALL = 4 << 20
"""Bytes of an mbuffer that is there for its rate alone."""


class End(StrEnum):
    """The two ends of a stream."""

    SENDER = "sender"
    RECEIVER = "receiver"


@dataclass(frozen=True, slots=True)
class Piping:
    """What a stream passes. As nothing is asked for, it passes nothing."""

    compression: int | None = None
    """zstd's level; None: it goes as it is."""
    buffer: int | None = None
    """Bytes of memory for an mbuffer at each of the ends in `buffered`."""
    buffered: tuple[End, ...] = ()
    bandwidth: int | None = None
    """Bytes a second."""
    limiter: str = ""
    """The program that keeps the rate; empty without one."""
    limited_at: End = End.SENDER

    def programs(self, end: End) -> tuple[Argv, ...]:
        """Return the command lines at an end, in the order in which the bytes pass them."""
        outwards = (*self._compressor(), *self._rate_by_mbuffer(end), *self._rate_by_pv(end))
        if end is End.SENDER:
            return outwards
        inwards = (*self._rate_by_pv(end), *self._rate_by_mbuffer(end))
        return (*inwards, (ZSTD, "-q", "-d", "-c")) if self.compression is not None else inwards

    def _compressor(self) -> tuple[Argv, ...]:
        if self.compression is None:
            return ()
        return ((ZSTD, "-q", "-c", f"-{self.compression}"),)

    def _rate_by_mbuffer(self, end: End) -> tuple[Argv, ...]:
        """Return the mbuffer at an end: what the sender's gives away, the receiver's takes in."""
        limits = self._limits(end, MBUFFER)
        if not limits and end not in self.buffered:
            return ()
        size = self.buffer if end in self.buffered and self.buffer is not None else _SMALL
        argv: Argv = (MBUFFER, "-q", "-s", _BLOCK, "-m", str(size))
        if not limits:
            return (argv,)
        return ((*argv, "-R" if end is End.SENDER else "-r", str(self.bandwidth)),)

    def _rate_by_pv(self, end: End) -> tuple[Argv, ...]:
        return ((PV, "-q", "-L", str(self.bandwidth)),) if self._limits(end, PV) else ()

    def _limits(self, end: End, program: str) -> bool:
        return self.bandwidth is not None and (self.limited_at, self.limiter) == (end, program)


PLAIN = Piping()
"""Of a stream that passes nothing."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, whether or not the hosts have the programs."""

    compression: int | None = None
    buffer: int | None = None
    bandwidth: int | None = None


NOTHING = Wanted()
"""Where nothing is asked for."""


class NoLimiter(Exception):
    """Raised where a rate is asked for and neither end has a program that keeps it."""


def piping(
    wanted: Wanted, sender: Collection[str], receiver: Collection[str], *, one_host: bool
) -> Piping:
    """Return what a stream passes, by the programs that its two ends have.

    What takes zstd or mbuffer goes without where there is none. A rate does not: it is asked for
    because more would do harm, so then this raises NoLimiter. Between two pools of one host there
    is nothing to compress for, and one buffer.
    """
    compresses = not one_host and ZSTD in sender and ZSTD in receiver
    ends = {End.SENDER: sender} if one_host else {End.SENDER: sender, End.RECEIVER: receiver}
    buffered = tuple(end for end, programs in ends.items() if MBUFFER in programs)
    limiter, limited_at = "", End.SENDER
    if wanted.bandwidth is not None:
        limiter, limited_at = _limiter(ends)
    return Piping(
        compression=wanted.compression if compresses else None,
        buffer=wanted.buffer if buffered else None,
        buffered=buffered if wanted.buffer is not None else (),
        bandwidth=wanted.bandwidth,
        limiter=limiter,
        limited_at=limited_at,
    )


def _limiter(ends: dict[End, Collection[str]]) -> tuple[str, End]:
    """Return what keeps the rate and where: at the sender if it has anything for it."""
    for end, programs in ends.items():
        for program in LIMITERS:
            if program in programs:
                return program, end
    raise NoLimiter


def find_programs() -> Argv:
    """Return the command that prints which of the programs there are, one a line."""
    look = 'command -v "$p" >/dev/null 2>&1 && echo "$p"'
    return ("sh", "-c", f"for p in {' '.join(PROGRAMS)}; do {look}; done; exit 0")


def parse_programs(text: str) -> frozenset[str]:
    """Return the programs that `find_programs` found."""
    return frozenset(PROGRAMS) & set(text.split())
