"""What `zfs send -t` makes of a token (libzfs_sendrecv.c, `zfs_send_resume_impl`)."""

import re

from reconciler.simulator import change
from reconciler.simulator.model import Machine, Snapshot
from reconciler.simulator.outgoing import Asked, Outgoing, outgoing, with_guid
from reconciler.simulator.process import Refused
from reconciler.simulator.stream import TOKEN_FLAGS, Position
from reconciler.zfs.tokens import ResumeToken, TokenError, decode_token

FAILED = 255
"""The exit status of all that goes wrong with a token."""

_FORM = re.compile(r"(\d+)-([0-9a-fA-F]+)-([0-9a-fA-F]+)-(.*)", re.DOTALL)
_REASONS = (
    ("checksum", "incorrect checksum"),
    ("decompressed|length|too long|zlib", "decompression failed"),
)


def decode(text: str) -> ResumeToken:
    """Return what a token says; raise Refused as libzfs does for what is none."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise _corrupt("invalid format")
    if found[1] != "1":
        raise _corrupt(f"invalid version {found[1]}")
    if not re.fullmatch(r"(?:[0-9a-fA-F]{2})*", found[4]):
        raise _corrupt("payload is not hex-encoded")
    try:
        return decode_token(text)
    except TokenError as error:
        said = str(error)
        fitting = (reason for pattern, reason in _REASONS if re.search(pattern, said))
        raise _corrupt(next(fitting, "nvlist_unpack failed")) from None


def shown(token: ResumeToken) -> list[str]:
    """Return the lines that `-v` prints about a token."""
    numbers = {"object": token.object, "offset": token.offset, "bytes": token.bytes}
    if token.fromguid is not None:
        numbers = {"fromguid": token.fromguid, **numbers}
    numbers["toguid"] = token.toguid
    return [
        "resume token contents:",
        "nvlist version: 0",
        *(f"\t{name} = {value:#x}" for name, value in numbers.items()),
        f"\ttoname = {token.toname}",
        *(f"\t{flag} = 1" for flag in TOKEN_FLAGS if getattr(token, flag)),
    ]


def resumed(machine: Machine, token: ResumeToken, asked: Asked) -> Outgoing:
    """Return what is left to be sent; raise Refused."""
    to = with_guid(machine, token.toname, token.toguid)
    if to is None or not isinstance(to[1], Snapshot):
        still = change.find_snapshot(machine, token.toname) is not None
        why = "is no longer the same snapshot used in the initial send"
        why = why if still else "used in the initial send no longer exists"
        raise _cannot(f"'{token.toname}' {why}")
    base, name = None, None
    if token.fromguid is not None:
        base = with_guid(machine, token.toname, token.fromguid, bookmarks=True)
        if base is None:
            raise _cannot(f"incremental source {token.fromguid:#x} no longer exists")
        delimiter = "@" if isinstance(base[1], Snapshot) else "#"
        name = f"{base[0].name}{delimiter}{base[1].name}"
    flags = Asked(
        large_blocks=asked.large_blocks or token.largeblockok,
        embedded=asked.embedded or token.embedok,
        compressed=asked.compressed or token.compressok,
        raw=asked.raw or token.rawok,
    )
    position = Position(token.object, token.offset)
    return outgoing(
        machine, to[0], to[1], base, flags, shown=name, resuming=(position, token.bytes)
    )


def _corrupt(reason: str) -> Refused:
    return _cannot(f"resume token is corrupt ({reason})")


def _cannot(why: str) -> Refused:
    return Refused(f"cannot resume send: {why}", status=FAILED)
